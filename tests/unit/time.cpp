// SPDX-License-Identifier: MIT
#include <ssekit/heartbeat.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/time.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <type_traits>

using ssekit::never;
using ssekit::time_point;

TEST_CASE("time is what a monotonic clock says, to be passed as it is") {
    static_assert(std::chrono::steady_clock::is_steady);
    static_assert(std::is_same_v<decltype(std::chrono::steady_clock::now()), time_point>);
    CHECK(time_point() < std::chrono::steady_clock::now());
}

TEST_CASE("never comes after any time, and the time until then can be told") {
    const time_point now{std::chrono::hours(1000)};
    CHECK(now < never);
    CHECK(never - now > std::chrono::hours(24 * 365 * 100));
}

TEST_CASE("where no timer is armed, nothing is ever due") {
    ssekit::hub quiet(1, {}, {});
    quiet.tick(time_point{std::chrono::hours(1)});
    CHECK(quiet.next_deadline() == never);
    const ssekit::heartbeat timer;
    CHECK(timer.next_deadline() == never);
}
