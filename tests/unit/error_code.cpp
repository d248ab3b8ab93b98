// SPDX-License-Identifier: MIT
#include <ssekit/error_code.hpp>

#include <doctest/doctest.h>

#include <ostream> // doctest prints error codes
#include <string_view>
#include <system_error>
#include <type_traits>

using ssekit::errc;

TEST_CASE("an error of the toolkit is a std::error_code") {
    static_assert(std::is_error_code_enum_v<errc>);
    static_assert(std::is_convertible_v<errc, std::error_code>);
    const std::error_code fine = errc::ok;
    CHECK_FALSE(fine);
    const std::error_code refused = errc::invalid_id;
    CHECK(refused);
    CHECK(refused == errc::invalid_id);
    CHECK(refused != errc::invalid_type);
    CHECK(std::string_view(refused.category().name()) == "ssekit");
    CHECK(&refused.category() == &ssekit::error_category());
    for (int code = 0; code < 256; ++code) {
        CHECK(ssekit::make_error_code(static_cast<errc>(code)).message() ==
              ssekit::message(static_cast<errc>(code)));
    }
    CHECK(ssekit::error_category().message(-1) == "unknown");
    CHECK(ssekit::error_category().message(256) == "unknown");
}

TEST_CASE("what the standard has a name for compares equal to it") {
    CHECK(std::error_code(errc::out_of_memory) == std::errc::not_enough_memory);
    CHECK(std::error_code(errc::buffer_too_small) == std::errc::value_too_large);
    CHECK(std::error_code(errc::invalid_id) != std::errc::invalid_argument);
}
