// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/companions.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using support::ab;
using support::abc;
using support::bare_hub;
using support::counted_memory;
namespace sse = ssekit::detail;

namespace {

std::size_t companions_of(bare_hub& hub, std::uint32_t stream) {
    std::size_t count = 0;
    sse::for_each_companion(*hub, stream,
                            [&](const ssekit::event_log&, std::uint64_t) { ++count; });
    return count;
}

} // namespace

TEST_CASE("a plain stream stays plain until its own topic has a companion") {
    bare_hub hub;
    const std::uint32_t one = hub.join({.topics = "a"});
    const std::uint32_t two = hub.join({.topics = "b"});
    hub.take(one);
    hub.take(two);
    CHECK_FALSE(hub->unusual);
    CHECK(hub.say_transient("b", "x").ec == errc::ok);
    CHECK(hub->unusual);
    CHECK_FALSE(sse::has_new_companion(*hub, one));
    CHECK(sse::has_new_companion(*hub, two));
    CHECK((hub->streams[two].plain == 1)); // publishing has not looked at it
    CHECK(hub.events(one).empty());
    CHECK(hub.events(two) == "x");
    CHECK((hub->streams[one].plain == 1));
    CHECK((hub->streams[two].plain == 0));
    CHECK_FALSE(sse::has_new_companion(*hub, two));
    hub.leave(one);
    hub.leave(two);
    CHECK(hub.end() == 0);
}

TEST_CASE("a stream reads each companion once, from its beginning or from when it joined") {
    bare_hub hub;
    const std::uint32_t early = hub.join({.topics = abc});
    CHECK(hub.say_transient("b", "1").ec == errc::ok);
    const std::uint32_t late = hub.join({.topics = abc});
    CHECK(companions_of(hub, early) == 0);
    CHECK(companions_of(hub, late) == 1);
    CHECK(hub.say_transient(ab, "2").ec == errc::ok);
    for (int i = 0; i < 2; ++i) {
        CHECK(sse::read_companions(*hub, early));
        CHECK(sse::read_companions(*hub, late));
        CHECK(companions_of(hub, early) == 2);
        CHECK(companions_of(hub, late) == 2);
    }
    CHECK(hub.events(early) == "1 2");
    CHECK(hub.events(late) == "2");
    hub.leave(early);
    hub.leave(late);
    CHECK(hub.end() == 0);
}

TEST_CASE("without memory for all of its companions a stream reads none of them") {
    for (std::size_t grace = 0, done = 0; done == 0; ++grace) {
        bare_hub hub;
        const std::uint32_t one = hub.join({.topics = "a"});
        // A new page of cursors is needed for the second of them.
        std::array<std::uint32_t, 61> others{};
        for (std::uint32_t& each : others) each = hub.join({.topics = ab});
        CHECK(sse::add_later(*hub, one, sse::topic_kind::name, "b") == errc::ok);
        CHECK(hub.say_transient(ab, "x").ec == errc::ok);
        hub.memory.grace = grace;
        done = sse::read_companions(*hub, one) ? 1 : 0;
        hub.memory.grace = counted_memory::unlimited;
        CHECK(companions_of(hub, one) == 2 * done);
        CHECK(sse::read_companions(*hub, one));
        CHECK(companions_of(hub, one) == 2);
        CHECK(hub.events(one) == "x");
        hub.leave(one);
        for (const std::uint32_t each : others) hub.leave(each);
        CHECK(hub.end() == 0);
    }
}

TEST_CASE("a stream that stops reading a topic leaves its companion") {
    for (const std::string_view gone : abc) {
        CAPTURE(gone);
        bare_hub hub;
        const std::uint32_t one = hub.join({.topics = abc, .tag = "me"});
        CHECK(hub.say_transient(abc, "1").ec == errc::ok);
        CHECK(sse::publish_transient(*hub, sse::topic_kind::tag, "me", {.data = "2"}, {}).ec ==
              errc::ok);
        CHECK(hub.events(one) == "1 2");
        CHECK(companions_of(hub, one) == 4);
        CHECK(sse::remove(*hub, one, gone) == errc::ok);
        CHECK(companions_of(hub, one) == 3);
        CHECK(hub->topics.find(sse::topic_kind::name, gone) == 0); // nobody reads it
        CHECK(hub.say_transient(abc, "3").ec == errc::ok);
        CHECK(hub.say_transient(gone, "4").ec == errc::ok);
        CHECK(hub.events(one) == "3");
        hub.leave(one);
        CHECK(hub.end() == 0);
    }
}

TEST_CASE("of what has gone, is out of bounds or too old only the number is left") {
    bare_hub hub({.keep_transient = {.events = 3, .age = 5s, .burst = {.within = 0s}}});
    const std::uint32_t one = hub.join({.topics = "a"});
    const std::uint32_t two = hub.join({.topics = "a", .max_lag = {.events = 2}});
    hub.take(one);
    hub.take(two);
    for (const std::string_view data : {"1", "2", "3", "4"}) {
        CHECK(hub.say_transient("a", data).ec == errc::ok);
    }
    CHECK(sse::read_companions(*hub, one));
    sse::pass_lost(*hub, one);
    CHECK(hub->metrics.transient_lost == 1);
    CHECK(sse::read_companions(*hub, two));
    sse::pass_lost(*hub, two);
    CHECK(hub->metrics.transient_lost == 1 + 2);
    CHECK(hub.events(two) == "3 4");
    const std::uint32_t companion = hub->topics[hub->streams[one].topic].companion;
    CHECK_FALSE(sse::has_read_companion(*hub, one, companion));
    CHECK(sse::has_read_companion(*hub, two, companion));
    CHECK(sse::has_read_companion(*hub, one, 0));
    hub.wait(5s);
    CHECK(hub.events(one).empty());
    CHECK(sse::has_read_companion(*hub, one, companion));
    CHECK(hub->metrics.transient_lost == 1 + 2 + 3);
    hub.leave(one);
    hub.leave(two);
    CHECK(hub.end() == 0);
}
