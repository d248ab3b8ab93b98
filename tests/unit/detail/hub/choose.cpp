// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/choose.hpp>

#include "support/dice.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::event_filter;
using ssekit::event_log;
using ssekit::event_summary;
using ssekit::frame;
using ssekit::lag_bound;
using ssekit::lag_policy;
using ssekit::time_point;
using ssekit::detail::act_on;
using ssekit::detail::hole_action;
using ssekit::detail::is_replaced;
using ssekit::detail::throttle_window;
using ssekit::detail::wants;
using ssekit::detail::within_bounds;
using support::morning;

namespace {

void add(event_log& log, std::uint64_t offset, std::string_view key = {},
         std::string_view type = {}, time_point now = morning) {
    frame made =
        frame::make({.type = type, .data = "x"}, ssekit::utf8_policy::pass_through, {"t", key})
            .frame;
    CHECK(log.append(std::move(made), offset, now) == ssekit::errc::ok);
}

} // namespace

TEST_CASE("a filter sees topic, type, key and offset, and without one everything is wanted") {
    event_log log;
    add(log, 7, "k", "tick");
    add(log, 8);
    CHECK(wants({}, log[0]));
    std::string seen;
    const auto look = [&seen](const event_summary& e) noexcept {
        seen += std::string(e.topic) + " " + std::string(e.type) + " " + std::string(e.key) + " " +
                std::to_string(e.offset) + ";";
        return e.offset == 8;
    };
    CHECK_FALSE(wants(look, log[0]));
    CHECK(wants(look, log[1]));
    CHECK(seen == "t tick k 7;t message  8;");
}

TEST_CASE("an event is replaced by a newer one of its key that the stream gets") {
    event_log log;
    add(log, 1, "a");
    add(log, 2, "b");
    add(log, 3, "a", "unwanted");
    CHECK(is_replaced(log, 0, {}));
    CHECK_FALSE(is_replaced(log, 1, {}));
    CHECK_FALSE(is_replaced(log, 2, {}));
    const event_filter filter = [](const event_summary& e) noexcept {
        return e.type != "unwanted";
    };
    CHECK_FALSE(is_replaced(log, 0, filter)); // C3
    add(log, 4, "a");
    CHECK(is_replaced(log, 0, filter)); // the chain goes on past it
}

TEST_CASE("an event without a key is replaced by none, and a key is not a part of another") {
    event_log log;
    add(log, 1);
    add(log, 2);
    add(log, 3, "a");
    add(log, 4, "aa");
    for (std::uint64_t p = 0; p < 4; ++p) CHECK_FALSE(is_replaced(log, p, {}));
}

TEST_CASE("a window opens when an event wants to leave and lets through what there was by then") {
    throttle_window window{.length = 10s};
    CHECK(window.is_set());
    CHECK_FALSE(throttle_window{}.is_set());
    CHECK(window.lets_through(1, 3, morning));
    CHECK(window.lets_through(3, 5, morning));
    CHECK_FALSE(window.lets_through(4, 5, morning));
    CHECK_FALSE(window.lets_through(4, 5, morning + 10s - 1ns));
    CHECK(window.lets_through(4, 9, morning + 10s));
    CHECK(window.opens == morning + 20s);
    CHECK(window.lets_through(9, 12, morning + 11s));
    CHECK_FALSE(window.lets_through(10, 12, morning + 11s));
}

TEST_CASE("a window lets through the largest offset there is") {
    throttle_window window{.length = 1s};
    CHECK(window.lets_through(~std::uint64_t{0}, ~std::uint64_t{0}, morning));
    CHECK(window.lets_through(~std::uint64_t{0}, ~std::uint64_t{0}, morning));
}

TEST_CASE("a window is open at first, whatever the time") {
    throttle_window window{.length = 1s};
    CHECK(window.lets_through(1, 1, time_point(-1000h)));
}

TEST_CASE("without bounds a reader reads on where the log begins") {
    event_log log({.events = 2});
    for (std::uint64_t i = 1; i <= 5; ++i) add(log, i);
    CHECK(within_bounds(log, 0, {}, {}, morning) == 3);
    CHECK(within_bounds(log, 4, {}, {}, morning) == 4);
}

TEST_CASE("a bound of events, bytes or age leaves what is within it, and the newest always") {
    event_log log;
    for (std::uint64_t i = 1; i <= 10; ++i) add(log, i, {}, {}, morning + i * 1s);
    const std::uint64_t one = log[0].frame.wire().size();
    const time_point now = morning + 10s;
    CHECK(within_bounds(log, 0, {{.events = 3}}, {}, now) == 7);
    CHECK(within_bounds(log, 8, {{.events = 3}}, {}, now) == 8);
    CHECK(within_bounds(log, 0, {{.events = 10}}, {}, now) == 0);
    CHECK(within_bounds(log, 0, {{.events = ~std::uint64_t{0}}}, {}, now) == 0);
    CHECK(within_bounds(log, 0, {{.bytes = 3 * one}}, {}, now) == 7);
    CHECK(within_bounds(log, 0, {{.bytes = 3 * one - 1}}, {}, now) == 8);
    CHECK(within_bounds(log, 0, {{.bytes = 1}}, {}, now) == 9);
    CHECK(within_bounds(log, 0, {{.bytes = ~std::uint64_t{0}}}, {}, now) == 0);
    CHECK(within_bounds(log, 0, {{.age = 2s}}, {}, now) == 7);
    CHECK(within_bounds(log, 0, {{.age = 2s - 1ms}}, {}, now) == 8);
    CHECK(within_bounds(log, 0, {{.age = -1ms}}, {}, now) == 9);
    CHECK(within_bounds(log, 0, {{.age = 1ms}}, {}, now + 24h) == 9);
    CHECK(within_bounds(log, 0, {{.events = 5, .bytes = 3 * one, .age = 9s}}, {}, now) == 7);
}

TEST_CASE("what a throttle excuses is within every bound") {
    event_log log({.events = 8});
    for (std::uint64_t i = 1; i <= 10; ++i) add(log, i * 10); // 10 and 20 have gone
    const lag_bound one{.events = 1};
    const time_point opens = morning + 1s;
    const auto from = [&](std::uint64_t position, std::uint64_t through, time_point now) {
        return within_bounds(log, position, {one},
                             {.length = 1s, .opens = opens, .through = through}, now);
    };
    // As long as a window is current, everything.
    CHECK(from(3, 100, opens - 1ns) == 3);
    CHECK(from(0, 100, opens - 1ns) == 2); // but what has gone
    // When the next is due, what no window has let through yet.
    CHECK(from(0, 40, opens) == 4);
    CHECK(from(0, 10, opens) == 2);  // not before the log begins
    CHECK(from(5, 40, opens) == 5);  // nor before the reader
    CHECK(from(0, 100, opens) == 9); // the newest
    const throttle_window window{.length = 1s, .opens = opens, .through = 40};
    CHECK(window.excuses(50, opens));
    CHECK_FALSE(window.excuses(40, opens));
    CHECK(window.excuses(40, opens - 1ns));
    CHECK_FALSE(throttle_window().excuses(50, morning));
}

TEST_CASE("what only tells of a gap is not lost to a bound") {
    event_log log;
    add(log, 1);
    CHECK(log.append_gap(frame::make({.data = "gap"}).frame, 5, morning) == ssekit::errc::ok);
    add(log, 6);
    CHECK(within_bounds(log, 0, {{.events = 1}}, {}, morning) == 1);
    CHECK(within_bounds(log, 1, {{.events = 1}}, {}, morning) == 1);
}

TEST_CASE("bounds agree with a linear search under random use") {
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        constexpr std::uint64_t starts[] = {0, (1ull << 32) - 5, ~std::uint64_t{0} - 100};
        const std::uint64_t first = random.pick(starts);
        event_log log({.events = 1 + random.below(20)}, 0, ssekit::heap(), first);
        time_point now = morning;
        for (std::uint64_t i = 1; i <= 1 + random.below(30); ++i) {
            now += std::chrono::milliseconds(random.below(1000));
            const std::string bytes(random.below(9), 'x');
            CHECK(log.append(frame::verbatim(bytes), i, now) == ssekit::errc::ok);
        }
        const lag_bound most{random.below(10), random.below(60),
                             std::chrono::milliseconds(random.below(5000))};
        const std::uint64_t position = log.end() - 1 - random.below(log.size());
        std::uint64_t expected = position;
        const auto out = [&](std::uint64_t p) {
            return (most.events != 0 && log.end() - p > most.events) ||
                   (most.bytes != 0 && log.bytes_from(p) > most.bytes) ||
                   (most.age.count() != 0 && now - log[p].published > most.age);
        };
        while (expected != log.end() - 1 && out(expected)) ++expected;
        REQUIRE(within_bounds(log, position, {most}, {}, now) == expected);
    }
}

TEST_CASE("what begins a stream is within every bound until the stream has read it") {
    event_log log;
    for (std::uint64_t i = 1; i <= 10; ++i) add(log, i * 10, {}, {}, morning);
    const auto from = [&](std::uint64_t position, std::uint64_t begins_through) {
        return within_bounds(log, position, {{.events = 2, .age = 1s}, begins_through}, {},
                             morning + 1h);
    };
    CHECK(from(0, 60) == 0);
    CHECK(from(5, 60) == 5);
    CHECK(from(6, 60) == 9);
    CHECK(from(0, 0) == 9);
}

TEST_CASE("a hole ends the stream, gives a gap or nothing, by the policy and by what is lost") {
    constexpr lag_policy policies[] = {lag_policy::disconnect, lag_policy::detach,
                                       lag_policy::skip_to_oldest, lag_policy::skip_to_newest,
                                       lag_policy::coalesce};
    for (const lag_policy policy : policies) {
        CHECK(act_on({0, true}, policy, false) == hole_action::none);
        CHECK(act_on({0, false}, policy, true) == hole_action::none);
        CHECK(act_on({1, true}, policy, true) == hole_action::gap); // C4
    }
    CHECK(act_on({1, false}, lag_policy::disconnect, false) == hole_action::end);
    CHECK(act_on({1, true}, lag_policy::detach, false) == hole_action::detach);
    CHECK(act_on({1, true}, lag_policy::skip_to_oldest, false) == hole_action::gap);
    CHECK(act_on({1, true}, lag_policy::skip_to_newest, false) == hole_action::gap);
    CHECK(act_on({~std::uint64_t{0}, true}, lag_policy::coalesce, false) == hole_action::gap);
}
