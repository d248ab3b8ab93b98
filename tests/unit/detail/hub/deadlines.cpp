// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/deadlines.hpp>

#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <set>

using namespace std::chrono_literals;
using ssekit::never;
using ssekit::time_point;
using ssekit::detail::coarse;
using ssekit::detail::coarse_step;
using ssekit::detail::coarse_time;
using ssekit::detail::end_of_life;
using ssekit::detail::hub_clock;
using ssekit::detail::silence;
using ssekit::detail::time_limits;
using support::round_trip;

TEST_CASE("coarse time counts steps of 17 ms from the beginning, before it too") {
    CHECK(coarse(time_point()) == 0);
    CHECK(coarse(time_point(coarse_step - 1ns)) == 0);
    CHECK(coarse(time_point(coarse_step)) == 1);
    CHECK(coarse(time_point(round_trip - 1ns)) == ~coarse_time{0});
    CHECK(coarse(time_point(round_trip)) == 0);
    CHECK(coarse(time_point(round_trip + coarse_step)) == 1);
    CHECK(coarse(time_point(-1ns)) == ~coarse_time{0});
    CHECK(coarse((time_point::max)()) == 0x7fffffffffffffff / (1 << 24) % (std::int64_t{1} << 32));
    CHECK(coarse((time_point::min)()) == 0);
}

TEST_CASE("a clock does not run backwards") {
    hub_clock clock(time_point(10s));
    clock.advance(time_point(9s));
    CHECK(clock.now == time_point(10s));
    CHECK(clock.coarse_now == coarse(time_point(10s)));
    clock.advance(time_point(11s));
    CHECK(clock.now == time_point(11s));
    CHECK(clock.coarse_now == coarse(time_point(11s)));
}

TEST_CASE("a coarse time is told to within a step wherever the clock stands, at its wrap too") {
    const time_point starts[] = {time_point(),
                                 time_point(-round_trip) - 1h,
                                 time_point(-1ns),
                                 time_point(round_trip) - 1h,
                                 time_point(round_trip) - 1ns,
                                 time_point(round_trip * 3) - 10min};
    for (const time_point start : starts) {
        for (const auto later :
             {0ns, 1ns, std::chrono::nanoseconds(coarse_step), std::chrono::nanoseconds(2h),
              std::chrono::nanoseconds(24h * 800)}) {
            CAPTURE(start.time_since_epoch().count());
            CAPTURE(later.count());
            const coarse_time then = coarse(start);
            hub_clock clock(start);
            clock.advance(start + later);
            const auto error = clock.exactly(then) - start;
            CHECK(error < coarse_step);
            CHECK(error > -coarse_step);
            CHECK(clock.exactly(then) <= clock.now); // never in the future
        }
    }
}

TEST_CASE("a time that a record keeps is brought within a year") {
    CHECK(time_limits::bounded(-1ms) == 0ms);
    CHECK(time_limits::bounded((std::chrono::milliseconds::min)()) == 0ms);
    CHECK(time_limits::bounded(5ms) == 5ms);
    CHECK(time_limits::bounded((std::chrono::milliseconds::max)()) == time_limits::longest);
}

TEST_CASE("the shortest limit is the shortest that is set and a minute at most") {
    CHECK(time_limits{}.shortest() == 1min);
    CHECK(time_limits{.heartbeat = 15s}.shortest() == 15s);
    CHECK(time_limits{.heartbeat = 15s, .write = 2s}.shortest() == 2s);
    CHECK(time_limits{.heartbeat = 15s, .age = 1s}.shortest() == 1s);
    CHECK(time_limits{.heartbeat = 1h, .write = 1h, .age = 1h}.shortest() == 1min);
    CHECK(time_limits{.heartbeat = 1ns}.shortest() == 1ns);
}

TEST_CASE("a life without a limit has no end and with one it ends early by the jitter at most") {
    const time_point began(1h);
    CHECK(end_of_life({}, began, 1) == never);
    CHECK(end_of_life({.age = 0s}, began, 1) == began);
    std::set<time_point> ends;
    for (std::uint32_t serial = 1; serial <= 1000; ++serial) {
        const time_point end = end_of_life({.age = 100s, .age_jitter = 10}, began, serial);
        REQUIRE(end <= began + 100s);
        REQUIRE(end >= began + 90s);
        REQUIRE(end == end_of_life({.age = 100s, .age_jitter = 10}, began, serial));
        ends.insert(end);
        REQUIRE(end_of_life({.age = 100s}, began, serial) == began + 100s);
    }
    CHECK(ends.size() == 11); // each percent comes
}

TEST_CASE("a silence of zero is for ever and another one is shorter by jitter and slack") {
    CHECK(silence(0s, 100, 1, 1, 1s) == 0s);
    CHECK(silence(15s, 0, 1, 1, 1s) == 14s);
    CHECK(silence(1s, 0, 1, 1, 5s) == 1ns); // never zero, which would be for ever
    std::set<std::chrono::nanoseconds> waits;
    for (std::uint32_t serial = 1; serial <= 1000; ++serial) {
        const auto wait = silence(100s, 10, serial, 77, 0s);
        REQUIRE(wait <= 100s);
        REQUIRE(wait >= 90s);
        REQUIRE(wait == silence(100s, 10, serial, 77, 0s));
        waits.insert(wait);
    }
    CHECK(waits.size() == 11);
    CHECK(silence(100s, 100, ~std::uint32_t{0}, ~coarse_time{0}, 0s) >= 1ns);
}
