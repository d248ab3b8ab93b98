// SPDX-License-Identifier: MIT
//
// The ids that a hub gives: "epoch.offset".
#ifndef SSEKIT_DETAIL_LOG_EVENT_IDS_HPP
#define SSEKIT_DETAIL_LOG_EVENT_IDS_HPP

#include <ssekit/detail/base/tuning.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// The epoch in base 36: short, and without bytes that would make a cross-origin request need a
/// preflight.
class epoch_text {
  public:
    explicit epoch_text(std::uint64_t number) noexcept {
        text_[--first_] = '.';
        do {
            text_[--first_] = "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
            number /= 36;
        } while (number != 0);
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return {text_.data() + first_, text_.size() - first_ - 1};
    }

  private:
    friend class event_id_text;

    std::array<char, 16> text_{}; // with the dot, at the end
    std::size_t first_ = text_.size();
};

/// "epoch.offset", written from its end.
class event_id_text {
  public:
    SSEKIT_INLINED event_id_text(const epoch_text& epoch, std::uint64_t offset) noexcept {
        do {
            text_[--first_] = static_cast<char>('0' + offset % 10);
            offset /= 10;
        } while (offset != 0);
        std::memcpy(text_ + first_ - epoch.text_.size(), epoch.text_.data(), epoch.text_.size());
        first_ -= epoch.text_.size() - epoch.first_;
    }
    [[nodiscard]] std::string_view view() const noexcept {
        return {text_ + first_, sizeof text_ - first_};
    }
    operator std::string_view() const noexcept { return view(); }

  private:
    char text_[16 + 20]; // from first_ on they have a value
    std::size_t first_ = sizeof text_;
};

/// Bytes of the longest id.
inline constexpr std::size_t longest_event_id = 13 + 1 + 20;

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

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
