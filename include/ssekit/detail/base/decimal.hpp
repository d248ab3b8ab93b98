// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_DECIMAL_HPP
#define SSEKIT_DETAIL_BASE_DECIMAL_HPP

#include <ssekit/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// The digits of a number that is not negative.
class decimal {
  public:
    constexpr explicit decimal(std::uint64_t number) noexcept {
        do {
            digits_[--first_] = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
    }
    [[nodiscard]] constexpr std::string_view view() const noexcept {
        const std::size_t size = sizeof digits_ - first_;
        return {digits_ + first_, size > sizeof digits_ ? 0 : size}; // g++ would warn
    }

  private:
    char digits_[20] = {};
    std::size_t first_ = sizeof digits_;
};

/// Appends a digit to a number of milliseconds, which stays at its largest value once it has
/// reached it.
/// \returns false when `c` is no digit.
constexpr bool add_digit(std::chrono::milliseconds& time, char c) noexcept {
    if (c < '0' || c > '9') return false;
    constexpr auto most = (std::chrono::milliseconds::max)().count();
    const auto digit = static_cast<std::chrono::milliseconds::rep>(c - '0');
    const auto count = time.count();
    time = std::chrono::milliseconds(count > (most - digit) / 10 ? most : count * 10 + digit);
    return true;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
