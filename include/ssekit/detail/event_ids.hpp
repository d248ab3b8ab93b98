// SPDX-License-Identifier: MIT
//
// The ids that a hub gives: "epoch.offset".
#ifndef SSEKIT_DETAIL_EVENT_IDS_HPP
#define SSEKIT_DETAIL_EVENT_IDS_HPP

#include <ssekit/detail/decimal.hpp>
#include <ssekit/encoder.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ssekit::detail {

/// The epoch in base 36: short, and free of bytes that would make a cross-origin request unsafe.
class epoch_text {
  public:
    explicit epoch_text(std::uint64_t number) noexcept {
        do {
            digits_[--first_] = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
            number /= 36;
        } while (number != 0);
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return {digits_.data() + first_, digits_.size() - first_};
    }

  private:
    std::array<char, 13> digits_{};
    std::size_t first_ = digits_.size();
};

/// "epoch.offset".
class event_id_text {
  public:
    event_id_text(const epoch_text& epoch, std::uint64_t offset) noexcept {
        unchecked_out out{text_.data()};
        put(out, epoch.view());
        put(out, ".");
        put(out, decimal(offset).view());
        size_ = static_cast<std::size_t>(out.p - text_.data());
    }
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }
    operator std::string_view() const noexcept { return view(); }

  private:
    std::array<char, 40> text_{};
    std::size_t size_ = 0;
};

/// An id that a client brought.
struct parsed_id {
    std::string_view epoch;
    std::uint64_t offset = 0;
};

/// \returns nullopt unless the text has the form of an id.
[[nodiscard]] inline std::optional<parsed_id> parse_id(std::string_view text) noexcept {
    const std::size_t dot = text.find('.');
    if (dot == text.npos || dot == 0 || dot > 13) return std::nullopt;
    parsed_id id{text.substr(0, dot)};
    for (const char c : id.epoch) {
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z')) return std::nullopt;
    }
    const std::string_view digits = text.substr(dot + 1);
    if (digits.empty() || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (id.offset > (~std::uint64_t{0} - digit) / 10) return std::nullopt;
        id.offset = id.offset * 10 + digit;
    }
    return id;
}

} // namespace ssekit::detail

#endif
