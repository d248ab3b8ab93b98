// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/size.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

using namespace ssekit::detail;

TEST_CASE("sizes are added up to the largest and stay there") {
    const auto check = []<class Size>(Size) {
        constexpr Size most = largest_size<Size>;
        CHECK(add_sizes<Size>(0, 0) == 0);
        CHECK(add_sizes<Size>(1, 2) == 3);
        CHECK(add_sizes<Size>(most, 0) == most);
        CHECK(add_sizes<Size>(0, most) == most);
        CHECK(add_sizes<Size>(most - 1, 1) == most);
        CHECK(add_sizes<Size>(most - 2, 1) == most - 1);
        CHECK(add_sizes<Size>(most, 1) == most);
        CHECK(add_sizes<Size>(1, most) == most);
        CHECK(add_sizes<Size>(most, most) == most);
        CHECK(add_sizes<Size>(most / 2 + 1, most / 2 + 1) == most);
    };
    check(std::uint32_t{});
    check(std::uint64_t{});
}

TEST_CASE("what can be encoded has a bound that does not wrap") {
    constexpr std::uint32_t most = max_encodable<std::uint32_t>;
    static_assert(most == (std::uint32_t{1} << 28) - 1);
    CHECK(is_encodable(most));
    CHECK_FALSE(is_encodable(most + 1));
    CHECK_FALSE(is_encodable(largest_size<std::uint32_t>));
    CHECK(is_encodable(most, most, most));
    for (const std::uint32_t size : {std::uint32_t{0}, std::uint32_t{1}, most - 1, most}) {
        for (const std::uint32_t other : {std::uint32_t{0}, most}) {
            const std::uint64_t exact =
                52 + 3 * std::uint64_t{other} + 3 * std::uint64_t{other} + 7 * std::uint64_t{size};
            CHECK(block_size_bound(other, other, size) <= exact + 8);
            CHECK(block_size_bound(other, other, size) >= exact - 8);
            CHECK_FALSE(is_encodable(other, other, std::uint32_t{most + 1 + size}));
            CHECK_FALSE(is_encodable(std::uint32_t{most + 1 + size}, other, other));
            CHECK_FALSE(is_encodable(other, std::uint32_t{most + 1 + size}, other));
        }
    }
    // What a program of 32 bits was given: seven times that is 3.
    static_assert(std::uint32_t{613'566'757} * 7 == 3);
    CHECK_FALSE(is_encodable(std::uint32_t{0}, std::uint32_t{0}, std::uint32_t{613'566'757}));
}

TEST_CASE("the bound is what the worst texts take") {
    // Names, 20 digits of a reconnection time, line ends; three bytes for each of an id and a type;
    // for one of data a line end and the name of the next line.
    constexpr std::size_t names =
        sizeof "id: \nevent: \nretry: 12345678901234567890\ndata: \n\n" - 1;
    static_assert(block_size_bound<std::size_t>(0, 0, 0) >= names);
    static_assert(block_size_bound<std::size_t>(1, 0, 0) - block_size_bound<std::size_t>(0, 0, 0) >=
                  3);
    static_assert(block_size_bound<std::size_t>(0, 1, 0) - block_size_bound<std::size_t>(0, 0, 0) >=
                  3);
    static_assert(block_size_bound<std::size_t>(0, 0, 1) - block_size_bound<std::size_t>(0, 0, 0) >=
                  7);
    CHECK(block_size_bound<std::size_t>(0, 0, 1000) >= names + 7000);
}
