// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/waiting.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using support::abc;
using support::bare_hub;
using support::rung;
namespace sse = ssekit::detail;

TEST_CASE("a stream is named once from idle to ready, whichever of its topics gets events") {
    bare_hub hub;
    int user = 0;
    const std::uint32_t s = hub.join({.topics = abc, .tag = "t", .user = &user});
    CHECK(sse::next_ready(*hub) == nullptr); // drained once by its owner, unasked
    hub.take(s);
    for (const std::string_view name : abc) CHECK(hub.say(name, "1").ec == errc::ok);
    CHECK(hub.say_to_tag("t", "2").ec == errc::ok);
    CHECK(sse::next_ready(*hub) == &user);
    CHECK(sse::next_ready(*hub) == nullptr);
    CHECK(hub.say("a", "3").ec == errc::ok); // it has been told and not been idle since
    CHECK(sse::next_ready(*hub) == nullptr);
    CHECK(hub.events(s) == "1 1 1 2 3");
    CHECK(hub.say("c", "4").ec == errc::ok);
    CHECK(sse::next_ready(*hub) == &user);
    hub.leave(s);
}

TEST_CASE("a waker is fired once for each time from idle to not idle") {
    bare_hub hub;
    rung bell;
    const std::uint32_t s = hub.join({.topics = abc}, bell.waker());
    hub.take(s);
    CHECK(bell.times == 0);
    for (int round = 1; round <= 3; ++round) {
        CHECK(hub.say({"a", "b"}, "1").ec == errc::ok);
        CHECK(hub.say("c", "2").ec == errc::ok);
        CHECK(bell.times == round);
        CHECK(hub.events(s) == "1 2");
    }
    CHECK(sse::next_ready(*hub) == nullptr); // who has a waker is not named
    hub.leave(s);
}

TEST_CASE("an owner that drains unasked is not named for what it has taken") {
    bare_hub hub;
    int user = 0;
    const std::uint32_t s = hub.join({.topics = "a", .user = &user});
    hub.take(s);
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(hub.events(s) == "1");
    CHECK(sse::next_ready(*hub) == nullptr);
    CHECK(hub.say("a", "2").ec == errc::ok);
    CHECK(sse::next_ready(*hub) == &user);
    hub.leave(s);
}

TEST_CASE("a stream that leaves while it is ready is not named, nor its cursors") {
    bare_hub hub;
    std::array<int, 2> user{};
    const std::uint32_t a = hub.join({.topics = abc, .user = &user[0]});
    const std::uint32_t b = hub.join({.topics = abc, .user = &user[1]});
    hub.take(a), hub.take(b);
    for (const std::string_view name : abc) CHECK(hub.say(name, "1").ec == errc::ok);
    hub.leave(a);
    CHECK(sse::next_ready(*hub) == &user[1]);
    CHECK(sse::next_ready(*hub) == nullptr);
    CHECK_FALSE(hub->waiting.has_ready());
    hub.leave(b);
}

TEST_CASE("a stream without waker and user waits nowhere and finds what there is") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK_FALSE(hub->waiting.has_ready());
    CHECK_FALSE(hub->waiting.is_waiting(s));
    CHECK(hub.events(s) == "1");
    hub.leave(s);
}

TEST_CASE("a throttled stream is held and neither named nor woken until its window opens") {
    bare_hub hub;
    rung bell;
    const std::uint32_t s = hub.join({.topics = "a", .throttle = 1s}, bell.waker());
    hub.take(s);
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(bell.times == 1);
    CHECK(hub.events(s) == "1");
    for (int i = 0; i < 5; ++i) CHECK(hub.say("a", std::to_string(i), "k").ec == errc::ok);
    CHECK(bell.times == 1);
    CHECK(sse::next_deadline(*hub) <= hub->clock.now + 1s + 4ms);
    hub.wait(900ms);
    CHECK(bell.times == 1);
    hub.wait(110ms);
    CHECK(bell.times == 2);
    CHECK(hub.events(s) == "4");
    // Nothing is published: it waits at its topic again and an event wakes it at once.
    hub.wait(2s);
    CHECK(bell.times == 2);
    CHECK(hub.say("a", "5").ec == errc::ok);
    CHECK(bell.times == 3);
    hub.leave(s);
}

TEST_CASE("a stream that is reported in the next turn is named once tick has begun it") {
    bare_hub hub;
    int user = 0;
    rung bell;
    const std::uint32_t a = hub.join({.topics = abc, .user = &user});
    const std::uint32_t b = hub.join({.topics = abc}, bell.waker());
    hub.take(a), hub.take(b);
    sse::report_next_turn(*hub, a);
    sse::report_next_turn(*hub, b);
    sse::report_next_turn(*hub, b); // once more does no harm
    CHECK(sse::next_ready(*hub) == nullptr);
    CHECK(bell.times == 0); // C23
    CHECK(sse::next_deadline(*hub) == hub->clock.now);
    CHECK(hub.say("a", "1").ec == errc::ok); // they are told already
    CHECK(sse::next_ready(*hub) == nullptr);
    hub.wait(0s);
    CHECK(sse::next_ready(*hub) == &user);
    CHECK(bell.times == 1);
    hub.wait(0s);
    CHECK(bell.times == 1);
    hub.leave(a), hub.leave(b);
}

TEST_CASE("a stream that leaves before its next turn is not woken") {
    bare_hub hub;
    rung bell;
    const std::uint32_t s = hub.join({.topics = "a"}, bell.waker());
    sse::report_next_turn(*hub, s);
    hub.leave(s);
    hub.wait(1s);
    CHECK(bell.times == 0);
}
