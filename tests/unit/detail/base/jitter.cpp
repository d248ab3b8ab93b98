// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/jitter.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;
using ssekit::detail::patience;
using ssekit::detail::shortened;
using duration = ssekit::time_point::duration;

TEST_CASE("a time is shorter by so many percent") {
    static_assert(shortened(100s, 0) == 100s);
    static_assert(shortened(100s, 10) == 90s);
    static_assert(shortened(100s, 100) == 0s);
    CHECK(shortened(0s, 100) == 0s);
    CHECK(shortened(99ns, 50) == 99ns); // under a hundredth nothing is taken
}

TEST_CASE("the longest time that there is can be shortened") {
    CHECK(shortened(duration::max(), 0) == duration::max());
    CHECK(shortened(duration::max(), 50) >= duration::max() / 2);
    CHECK(shortened(duration::max(), 100) <= 99ns);
    CHECK(shortened(duration::max(), 100) >= 0ns);
}

TEST_CASE("patience is shorter by the slack as well and never comes to nothing") {
    CHECK(patience(100s, 10, 5s) == 85s);
    CHECK(patience(100s, 0, 0s) == 100s);
    CHECK(patience(1s, 0, 1s) == 1ns);
    CHECK(patience(1s, 100, 1h) == 1ns);
    CHECK(patience(0s, 0, 0s) == 1ns);
}
