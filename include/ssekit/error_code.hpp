// SPDX-License-Identifier: MIT
//
// errc as a std::error_code, for programs whose errors are all of that type:
//
//     std::error_code refused = ssekit::errc::invalid_id;
//     if (refused == std::errc::not_enough_memory) ...
//
// A header of its own, because <system_error> brings std::string and more, which a device that only
// reads and writes events does not need.
#ifndef SSEKIT_ERROR_CODE_HPP
#define SSEKIT_ERROR_CODE_HPP

#include <ssekit/errc.hpp>

#include <string>
#include <system_error>
#include <type_traits>

template <>
struct std::is_error_code_enum<ssekit::errc> : std::true_type {};

namespace ssekit::inline SSEKIT_ABI {

/// The category of this toolkit's errors, "ssekit": texts are those of `message`; a code for which
/// the standard has a name compares equal to that.
/// Lifetime: static. Where a program has two kinds of code (version.hpp), each has a category of
/// its own.
[[nodiscard]] inline const std::error_category& error_category() noexcept {
    class category final : public std::error_category {
      public:
        [[nodiscard]] const char* name() const noexcept override { return "ssekit"; }
        [[nodiscard]] std::string message(int value) const override {
            if (value < 0 || value > 0xff) return "unknown";
            return std::string(ssekit::message(static_cast<errc>(value)));
        }
        [[nodiscard]] std::error_condition
        default_error_condition(int value) const noexcept override {
            if (value == static_cast<int>(errc::out_of_memory)) {
                return std::errc::not_enough_memory;
            }
            if (value == static_cast<int>(errc::buffer_too_small)) {
                return std::errc::value_too_large;
            }
            return {value, *this};
        }
    };
    static const category the_category;
    return the_category;
}

/// \returns a code that tests false for errc::ok.
[[nodiscard]] inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
