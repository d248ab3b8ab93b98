// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/random.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <set>

using ssekit::detail::random_sequence;

TEST_CASE("the same seed gives the same numbers and another one others") {
    random_sequence a(7), b(7), c(8);
    int same = 0;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t number = a.up_to(1000000);
        CHECK(number == b.up_to(1000000));
        same += number == c.up_to(1000000) ? 1 : 0;
    }
    CHECK(same < 5);
}

TEST_CASE("numbers go from 0 to the last one, both included, and come about equally often") {
    random_sequence random(1);
    std::array<int, 11> seen{};
    for (int i = 0; i < 11000; ++i) {
        const std::uint64_t number = random.up_to(10);
        REQUIRE(number <= 10);
        ++seen[static_cast<std::size_t>(number)];
    }
    for (const int count : seen) {
        CHECK(count > 800);
        CHECK(count < 1200);
    }
    for (int i = 0; i < 10; ++i) CHECK(random.up_to(0) == 0);
}

TEST_CASE("the first numbers of seeds that follow each other are spread") {
    std::set<std::uint64_t> first;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        first.insert(random_sequence(seed).up_to(999) / 100);
    }
    CHECK(first.size() == 10);
}

TEST_CASE("numbers reach the end of a large range") {
    random_sequence random(1);
    std::uint64_t most = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t number = random.up_to(std::uint64_t{1} << 40);
        most = number > most ? number : most;
    }
    CHECK(most > std::uint64_t{1} << 39);
}
