// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/decimal.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::detail::add_digit;
using ssekit::detail::decimal;

TEST_CASE("a number has the digits that to_string gives it, at each of its lengths") {
    std::uint64_t number = 0;
    for (int digits = 0; digits < 20; ++digits) {
        for (const std::uint64_t n : {number, number + 1, number + 9}) {
            CHECK(decimal(n).view() == std::to_string(n));
        }
        number = number * 10 + 9;
    }
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    CHECK(decimal(most).view() == "18446744073709551615");
    static_assert(decimal(0).view() == "0");
    static_assert(decimal(10).view() == "10");
}

TEST_CASE("digits make a time that stays at its largest value once it is there") {
    const auto read = [](std::string_view digits) {
        std::chrono::milliseconds time{};
        for (const char c : digits) CHECK(add_digit(time, c));
        return time;
    };
    CHECK(read("0") == 0ms);
    CHECK(read("0015") == 15ms);
    CHECK(read("9223372036854775806") == std::chrono::milliseconds::max() - 1ms);
    CHECK(read("9223372036854775807") == std::chrono::milliseconds::max());
    CHECK(read("9223372036854775808") == std::chrono::milliseconds::max());
    CHECK(read("9223372036854775810") == std::chrono::milliseconds::max());
    CHECK(read("99999999999999999999999999") == std::chrono::milliseconds::max());
    std::chrono::milliseconds time = 7ms;
    for (const char c : std::string_view("/:- a\x80")) CHECK_FALSE(add_digit(time, c));
    CHECK(time == 7ms);
}
