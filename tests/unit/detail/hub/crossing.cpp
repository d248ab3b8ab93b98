// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/crossing.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::lag_policy;
using ssekit::stream_end;
using support::ab;
using support::bare_hub;
using support::keep_two;
namespace sse = ssekit::detail;

namespace {

std::string lagged(unsigned count) {
    return R"(gap:{"reason":"lagged","missed":)" + std::to_string(count) + "}";
}

} // namespace

TEST_CASE("a stream that lags ends, detaches or goes on with a gap, as its policy says") {
    struct outcome {
        lag_policy policy;
        std::string events;
        stream_end end;
    };
    const outcome outcomes[] = {
        {lag_policy::disconnect, "", stream_end::lagged},
        {lag_policy::detach, "", stream_end::detached},
        {lag_policy::skip_to_oldest, lagged(3) + " 4 5", stream_end::open},
        {lag_policy::skip_to_newest, lagged(4) + " 5", stream_end::open},
        {lag_policy::coalesce, lagged(3) + " 4 5", stream_end::open},
    };
    for (const outcome& expected : outcomes) {
        CAPTURE(static_cast<int>(expected.policy));
        bare_hub hub({.keep = keep_two});
        const std::uint32_t s = hub.join({.topics = "a", .on_lag = expected.policy});
        hub.take(s);
        CHECK(hub.say_each("a", "12345"));
        const std::string bytes = hub.take(s);
        std::string events;
        for (const auto& event : support::run_feed({bytes}).events) {
            const std::string data = support::without_range(event.data);
            events += (events.empty() ? "" : " ") +
                      (event.type == "message" ? data : event.type + ":" + data);
        }
        CHECK(events == expected.events);
        CHECK(hub->streams[s].end() == expected.end);
        CHECK(hub->streams[s].is_done() == (expected.end != stream_end::open));
        if (expected.end == stream_end::detached) CHECK(bytes == "retry: 5000\n\n");
        CHECK(hub->open_streams == (expected.end == stream_end::open ? 1 : 0));
        hub.leave(s);
        CHECK(hub.end() == 0);
    }
}

TEST_CASE("a gap stands where the hole is, after what another topic has that is older") {
    bare_hub hub({.keep = keep_two});
    const std::uint32_t s = hub.join({.topics = ab, .on_lag = lag_policy::skip_to_oldest});
    hub.take(s);
    CHECK(hub.say_each("b", "1"));
    CHECK(hub.say_each("a", "2345"));
    CHECK(hub.say_each("b", "6"));
    CHECK(hub.events(s) == "1 " + lagged(2) + " 4 5 6"); // N1
    hub.leave(s);
}

TEST_CASE("a gap counts what is missing of all the topics whose holes stand there") {
    bare_hub hub;
    for (const lag_policy policy : {lag_policy::skip_to_oldest, lag_policy::skip_to_newest}) {
        const std::uint32_t s =
            hub.join({.topics = ab, .on_lag = policy, .max_lag = {.events = 1}});
        hub.take(s);
        CHECK(hub.say(ab, "1").ec == errc::ok);
        CHECK(hub.say_each("a", "2"));
        CHECK(hub.say_each("b", "3"));
        CHECK(hub.say_each("a", "4"));
        CHECK(hub.say_each("b", "5"));
        CHECK(hub.events(s) == lagged(3) + " 4 5");
        hub.leave(s);
    }
    CHECK(hub->metrics.skipped == 6);
    CHECK(hub->metrics.gaps == 2);
}

TEST_CASE("a gap stands where the last has gone, whatever else is lost since before") {
    bare_hub hub({.keep = keep_two, .max_forgotten = 0});
    const std::uint32_t other = hub.join({.topics = "b"});
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(hub.say("a", "2").ec == errc::ok);
    CHECK(hub.say("b", "3").ec == errc::ok);
    hub->topics[hub->topics.find(sse::topic_kind::name, "a")].log.set_lost_through(
        3); // as of a name that is forgotten
    const std::uint32_t s = hub.join({.topics = ab,
                                      .start = ssekit::start_point::earliest,
                                      .on_lag = lag_policy::skip_to_oldest});
    CHECK(hub.say_each("a", "45"));
    CHECK(hub.events(s).ends_with(lagged(2) + " 3 4 5")); // not behind what is newer
    hub.leave(s);
    hub.leave(other);
}

TEST_CASE("an event that another topic has brought is not missed") {
    bare_hub hub({.keep = keep_two});
    CHECK(sse::keep(*hub, sse::topic_kind::name, "b", {}) == errc::ok);
    const std::uint32_t s = hub.join({.topics = ab, .on_lag = lag_policy::skip_to_oldest});
    hub.take(s);
    for (const char* const data : {"1", "2", "3", "4"}) CHECK(hub.say(ab, data).ec == errc::ok);
    CHECK(hub.events(s) == "1 2 3 4");
    CHECK(hub->streams[s].end() == stream_end::open);
    hub.leave(s);
}

TEST_CASE("a throttled stream that keeps up has not lagged, whatever the hub let go meanwhile") {
    bare_hub hub({.keep = keep_two});
    const std::uint32_t s = hub.join({.topics = "a", .throttle = 1s});
    hub.take(s);
    CHECK(hub.say_each("a", "1"));
    CHECK(hub.events(s) == "1");
    CHECK(hub.events(s).empty()); // held
    CHECK(hub.say_each("a", "23456"));
    hub.wait(1100ms);
    CHECK(hub.events(s) == lagged(3) + " 5 6"); // C4
    CHECK(hub->streams[s].end() == stream_end::open);
    hub.leave(s);
}

TEST_CASE("a throttled stream that is asked while it is held has not lagged either") {
    bare_hub hub({.keep = keep_two});
    const std::uint32_t s = hub.join({.topics = "a", .throttle = 1s});
    hub.take(s);
    CHECK(hub.say_each("a", "1"));
    CHECK(hub.events(s) == "1");
    CHECK(hub.say_each("a", "23456"));
    CHECK(sse::send(*hub, s, {.data = "notice"}) == errc::ok);
    CHECK(hub->streams[s].end() == stream_end::open);
    hub.take(s);
    CHECK(hub->streams[s].end() == stream_end::open);
    hub.wait(1100ms);
    CHECK(hub.events(s) == lagged(3) + " 5 6 notice");
    hub.leave(s);
}

TEST_CASE("an event that a newer one of its key replaces in one topic is missed in no other") {
    for (const auto& order : {std::array<std::string_view, 2>{"a", "b"}, {"b", "a"}}) {
        CAPTURE(order[0]);
        bare_hub hub;
        const std::uint32_t s =
            hub.join({.topics = order, .on_lag = lag_policy::coalesce, .max_lag = {.events = 1}});
        hub.take(s);
        CHECK(hub.say(ab, "1", "k").ec == errc::ok);
        CHECK(hub.say("a", "2", "k").ec == errc::ok);
        CHECK(hub.say("b", "3").ec == errc::ok);
        CHECK(hub.events(s) == "2 3");
        CHECK(hub->metrics.gaps == 0);
        hub.leave(s);
    }
}
