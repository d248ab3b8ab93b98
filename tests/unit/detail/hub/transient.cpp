// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/transient.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

using ssekit::errc;
using ssekit::event_ids;
using support::ab;
using support::bare_hub;
using support::counted_memory;
namespace sse = ssekit::detail;

TEST_CASE("a topic has no companion before it needs one, and one until its last reader has gone") {
    bare_hub hub;
    CHECK(hub.say("a", "1").ec == errc::ok);
    const std::uint32_t a = hub->topics.find(sse::topic_kind::name, "a");
    CHECK(hub.say_transient("a", "2").ec == errc::ok);
    CHECK(hub->topics[a].companion == 0); // nobody reads it
    const std::uint32_t one = hub.join({.topics = "a"});
    const std::uint32_t two = hub.join({.topics = "a"});
    CHECK(hub->topics[a].companion == 0);
    CHECK(hub.say_transient("a", "3").ec == errc::ok);
    const std::uint32_t made = hub->topics[a].companion;
    CHECK(made != 0);
    CHECK(hub->topics[made].kind == sse::topic_kind::companion);
    CHECK(hub->topics.companions_made() == 1);
    hub.leave(one); // which has never seen it
    CHECK(hub.say_transient("a", "4").ec == errc::ok);
    CHECK(hub->topics[a].companion == made);
    CHECK(hub.events(two) == "3 4");
    hub.leave(two);
    CHECK(hub->topics[a].companion == 0);
    const std::uint32_t three = hub.join({.topics = "a"});
    CHECK(hub->topics[a].companion == 0);
    hub.leave(three);
    CHECK(hub.end() == 0);
}

TEST_CASE("what several topics and patterns have is in each of their companions once") {
    bare_hub hub;
    const std::uint32_t one = hub.join({.topics = ab, .patterns = "*"});
    constexpr std::array<std::string_view, 4> twice = {"a", "b", "a", "none"};
    CHECK(hub.say_transient(twice, "x").offset == 1);
    hub->topics.for_each(sse::topic_kind::name, [&](std::uint32_t topic) {
        CHECK(hub->topics[hub->topics[topic].companion].log.size() == 1);
        CHECK_FALSE(hub->topics[topic].log.has_events());
    });
    const std::uint32_t pattern = hub->topics.find(sse::topic_kind::pattern, "*");
    CHECK(hub->topics[hub->topics[pattern].companion].log.size() == 1);
    CHECK(hub.events(one) == "x");
    CHECK(hub->metrics.published == 1);
    hub.leave(one);
    CHECK(hub.end() == 0);
}

TEST_CASE("an event that finds no memory leaves no companion behind") {
    for (std::size_t grace = 0, done = 0; done == 0; ++grace) {
        CAPTURE(grace);
        bare_hub hub;
        const std::uint32_t one = hub.join({.topics = ab});
        hub.take(one);
        const std::uint64_t before = hub->topics.log_bytes();
        hub.memory.grace = grace;
        const errc code = hub.say_transient(ab, "x", "key").ec;
        hub.memory.grace = counted_memory::unlimited;
        done = code == errc::ok ? 1 : 0;
        CHECK((code == errc::ok || code == errc::out_of_memory));
        CHECK(hub->last_offset == done);
        hub->topics.for_each(sse::topic_kind::name, [&](std::uint32_t topic) {
            CHECK((hub->topics[topic].companion != 0) == (done != 0));
        });
        if (done == 0) CHECK(hub->topics.log_bytes() == before);
        CHECK(hub.events(one) == (done != 0 ? "x" : ""));
        hub.leave(one);
        CHECK(hub.end() == 0);
    }
}

TEST_CASE("an event to all goes to what is open and read, and only there") {
    bare_hub hub;
    CHECK(hub.say("kept", "1").ec == errc::ok);
    CHECK(sse::keep(*hub, sse::topic_kind::name, "idle", {}) == errc::ok);
    const std::uint32_t one = hub.join({.topics = ab});
    CHECK(sse::close_topic(*hub, "b", {}, {}) == errc::ok);
    CHECK(sse::publish_transient_to_all(*hub, {.data = "x"}, {}).ec == errc::ok);
    hub->topics.for_each(sse::topic_kind::name, [&](std::uint32_t topic) {
        CHECK((hub->topics[topic].companion != 0) == (hub->topics[topic].name() == "a"));
    });
    CHECK(hub.events(one) == "x");
    hub.leave(one);
    CHECK(hub.end() == 0);
}

TEST_CASE("in a sequence that several hubs share nothing goes without its number") {
    bare_hub hub({.ids = event_ids::by_sequence});
    CHECK(hub.say_transient("a", "x").ec == errc::out_of_sequence);
    CHECK(hub->last_offset == 0);
    CHECK(hub.end() == 0);
}
