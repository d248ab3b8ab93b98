// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_SHORT_TEXT_HPP
#define SSEKIT_DETAIL_BASE_SHORT_TEXT_HPP

#include <ssekit/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Text for people, kept without an allocation. What does not fit is left out.
class short_text {
  public:
    constexpr short_text() noexcept = default;
    constexpr explicit short_text(std::string_view text) noexcept {
        for (const char c : text.substr(0, text_.size())) text_[size_++] = c;
    }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_.data(), size_}; }

  private:
    std::array<char, 255> text_{};
    std::uint8_t size_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
