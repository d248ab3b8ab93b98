// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/turn.hpp>

#include <ssekit/detail/hub/closing.hpp>

#include "support/bare_hub.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::stream_end;
using ssekit::time_point;
using support::bare_hub;
using support::round_trip;
using support::rung;
namespace sse = ssekit::detail;

namespace {

/// How many heartbeats a stream that is drained gets in a time, if `tick` comes when it is asked.
int beats_in(bare_hub& hub, std::uint32_t s, std::chrono::nanoseconds time) {
    int beats = 0;
    const time_point end = hub->clock.now + time;
    for (;;) {
        const time_point next = sse::next_deadline(*hub);
        if (next > end) return beats;
        sse::tick(*hub, std::max(next, hub->clock.now));
        beats += hub.take(s).empty() ? 0 : 1;
    }
}

} // namespace

TEST_CASE("silence is filled about once an interval, also where coarse time comes round") {
    const time_point starts[] = {time_point(1h), time_point(round_trip - 2min),
                                 time_point(round_trip - 1ns), time_point(3 * round_trip - 1min)};
    for (const time_point start : starts) {
        CAPTURE(start.time_since_epoch().count());
        bare_hub hub({.heartbeat = {.interval = 10s}}, start);
        const std::uint32_t s = hub.join({.topics = "a"});
        hub.take(s);
        const int beats = beats_in(hub, s, 5min);
        CHECK(beats >= 30);
        CHECK(beats <= 36); // a tenth earlier, and a slot
        hub.leave(s);
    }
}

TEST_CASE("silence is filled before the clock's zero as well") {
    bare_hub hub({.heartbeat = {.interval = 10s}}, time_point(-1h));
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    CHECK(beats_in(hub, s, 5min) >= 30);
    hub.leave(s);
}

TEST_CASE("a stream that bytes leave is not silent") {
    bare_hub hub({.heartbeat = {.interval = 10s}});
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    for (int i = 0; i < 20; ++i) {
        hub.wait(5s);
        CHECK(hub.say("a", "x").ec == errc::ok);
        CHECK(hub.events(s) == "x");
    }
    CHECK(hub->metrics.heartbeats == 0);
    hub.leave(s);
}

TEST_CASE("a stream's own interval counts, none at all too") {
    bare_hub hub({.heartbeat = {.interval = 10s}});
    const std::uint32_t quick = hub.join({.topics = "a", .heartbeat = 2s});
    hub.take(quick);
    CHECK(beats_in(hub, quick, 1min) >= 25);
    hub.leave(quick);
    const std::uint32_t none = hub.join({.topics = "a", .heartbeat = 0s});
    hub.take(none);
    CHECK(beats_in(hub, none, 1min) == 0);
    hub.leave(none);
}

TEST_CASE("a stream whose bytes do not leave is ended by the write deadline, no earlier") {
    const time_point starts[] = {time_point(1h), time_point(round_trip - 30s)};
    for (const time_point start : starts) {
        bare_hub hub({.heartbeat = {.interval = 0ms}, .write_deadline = 60s}, start);
        rung bell;
        const std::uint32_t s = hub.join({.topics = "a"}, bell.waker());
        hub.take(s);
        hub.wait(10min); // idle is not stalled
        CHECK(hub->streams[s].end() == stream_end::open);
        CHECK(hub.say("a", "x").ec == errc::ok);
        std::string_view slice;
        ssekit::stream_end seen{};
        REQUIRE(sse::prepare(*hub, s, {&slice, 1}, seen) == 1);
        hub.wait(50s);
        sse::consume(*hub, s, 1); // progress
        bell.times = 0;
        hub.wait(59s);
        CHECK(hub->streams[s].end() == stream_end::open);
        for (int i = 0; i < 6; ++i) hub.wait(1s);
        CHECK(hub->streams[s].end() == stream_end::stalled);
        CHECK(hub->streams[s].is_done());
        CHECK(bell.times == 1);
        CHECK(hub->metrics.stalled == 1);
        CHECK(hub->open_streams == 0);
        hub.leave(s);
        CHECK(sse::next_deadline(*hub) == ssekit::never);
    }
}

TEST_CASE("a stream's life ends at its time, early by the jitter at most, over the wrap too") {
    const time_point starts[] = {time_point(1h), time_point(round_trip - 30s)};
    for (const time_point start : starts) {
        bare_hub hub({.heartbeat = {.interval = 0ms}, .max_age = 100s}, start);
        std::array<std::uint32_t, 50> s{};
        for (std::uint32_t& one : s) {
            one = hub.join({.topics = "a"});
            hub.take(one);
        }
        hub.wait(89s);
        CHECK(hub->open_streams == 50);
        hub.wait(6s);
        CHECK(hub->open_streams < 50);
        CHECK(hub->open_streams > 0);
        for (int i = 0; i < 8; ++i) hub.wait(1s);
        CHECK(hub->open_streams == 0);
        CHECK(hub->metrics.expired == 50);
        for (const std::uint32_t one : s) hub.leave(one);
    }
}

TEST_CASE("a life that expires at a point in time is over then, whatever the hub allows") {
    bare_hub hub({.heartbeat = {.interval = 0ms}, .max_age = 1h});
    const time_point end = hub->clock.now + 5s;
    const std::uint32_t s = hub.join({.topics = "a", .expires_at = end});
    hub.take(s);
    sse::tick(*hub, end - 1ns);
    CHECK(hub->streams[s].end() == stream_end::open);
    while (hub->streams[s].end() == stream_end::open && hub->clock.now < end + 10s) {
        sse::tick(*hub, std::max(sse::next_deadline(*hub), hub->clock.now));
    }
    CHECK(hub->clock.now >= end);
    CHECK(hub->clock.now <= end + 2s); // a slot
    hub.leave(s);
}

TEST_CASE("time does not run backwards") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    hub.wait(10s);
    const time_point now = hub->clock.now;
    sse::tick(*hub, now - 1h);
    CHECK(hub->clock.now == now);
    hub.leave(s);
}

TEST_CASE("closing gives each stream what is left, its reconnection time and the farewell") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(sse::send(*hub, s, {.data = "2"}) == errc::ok);
    CHECK(sse::close(*hub, {.farewell = {.type = "a\nb", .data = "x"}}) == errc::invalid_type);
    CHECK_FALSE(hub->closing); // C23: nothing is done
    CHECK(sse::close(*hub,
                     {.farewell = {.id = "7", .data = "bye"}, .retry_min = 2s, .retry_max = 1s}) ==
          errc::ok);
    CHECK(hub.take(s) == "id: 1.1\ndata: 1\n\ndata: 2\n\nretry: 2000\n\ndata: bye\n\n");
    CHECK(hub->streams[s].end() == stream_end::closed);
    CHECK(hub.say("a", "3").ec == errc::closed);
    CHECK(hub.join({.topics = "a"}) == 0);
    CHECK(hub.last.ec == errc::closed);
    hub.leave(s);
    CHECK(hub->metrics.flushed == 1);
    CHECK(hub->metrics.cut == 0);
}

TEST_CASE("at the deadline of closing what is left is cut, and at once where it is negative") {
    for (const auto deadline : {5000ms, -1ms}) {
        bare_hub hub;
        const std::uint32_t s = hub.join({.topics = "a"});
        hub.take(s);
        CHECK(hub.say("a", "1").ec == errc::ok);
        CHECK(sse::close(*hub, {.deadline = deadline}) == errc::ok);
        if (deadline > 0ms) {
            hub.wait(4999ms);
            CHECK(hub->streams[s].end() == stream_end::open);
        }
        CHECK(sse::next_deadline(*hub) <= hub->clock.now + 1ms);
        hub.wait(1ms);
        CHECK(hub->streams[s].end() == stream_end::cut);
        hub.leave(s);
        CHECK(hub->metrics.cut == 1);
    }
}

TEST_CASE("durations at the ends of their range do no harm") {
    constexpr auto most = (std::chrono::milliseconds::max)();
    constexpr auto least = (std::chrono::milliseconds::min)();
    for (const auto value : {most, least, 0ms, 1ms, -1ms}) {
        const auto age = std::max<std::chrono::milliseconds>(value, -1ms); // F21
        bare_hub hub({.keep = {.age = age, .burst = {.within = value}},
                      .keep_tagged = {.age = age},
                      .heartbeat = {.interval = value, .jitter = ~0u},
                      .write_deadline = value,
                      .max_age_jitter = ~0u,
                      .detach_retry = value});
        ssekit::subscribe_options options{.topics = "a",
                                          .tag = "t",
                                          .max_lag = {.age = age},
                                          .throttle = value,
                                          .heartbeat = value};
        if (value > 0ms) options.max_age = value;
        const std::uint32_t s = hub.join(options);
        REQUIRE(s != 0);
        for (int i = 0; i < 50; ++i) {
            CHECK(hub.say("a", "x").ec == errc::ok);
            CHECK(hub.say_to_tag("t", "y").ec == errc::ok);
            hub.wait(i % 3 * 1s);
            hub.take(s);
            static_cast<void>(sse::next_deadline(*hub));
        }
        CHECK(sse::close_topic(*hub, "a", {}, value) == errc::ok);
        CHECK(sse::close(*hub, {.retry_min = value, .retry_max = value, .deadline = value}) ==
              errc::ok);
        hub.wait(1s);
        hub.take(s);
        hub.leave(s);
        CHECK(hub.end() == 0);
    }
}

TEST_CASE("the least of all ages does no harm") {
    constexpr auto least = (std::chrono::milliseconds::min)();
    bare_hub hub({.keep = {.age = least}, .keep_tagged = {.age = least}});
    const std::uint32_t s = hub.join(
        {.topics = "a", .on_lag = ssekit::lag_policy::skip_to_newest, .max_lag = {.age = least}});
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(hub.say("a", "2").ec == errc::ok);
    CHECK(hub.events(s).ends_with("2"));
    hub.leave(s);
}

TEST_CASE("a clock at the ends of its range does no harm") {
    for (const time_point start :
         {(time_point::min)(), (time_point::max)() - 1h, (time_point::max)()}) {
        bare_hub hub({.keep = {.age = 10s}, .max_age = 1h}, start);
        const std::uint32_t s = hub.join({.topics = "a", .throttle = 1s});
        CHECK(hub.say("a", "1").ec == errc::ok);
        CHECK(hub.say("a", "2").ec == errc::ok);
        sse::tick(*hub, ssekit::never);
        static_cast<void>(sse::next_deadline(*hub));
        static_cast<void>(sse::info(*hub, s));
        hub.leave(s);
    }
}
