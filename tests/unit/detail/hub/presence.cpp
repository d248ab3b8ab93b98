// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/presence.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::hub_options;
using support::ab;
using support::bare_hub;
namespace sse = ssekit::detail;

namespace {

hub_options with_room(std::chrono::milliseconds grace) {
    return {.presence = {{.topic = "room", .grace = grace}}};
}

std::string listed(const sse::hub_state& hub) {
    std::string out;
    sse::for_each_present(hub, [&](std::string_view tag) { out += std::string(tag) + ";"; });
    return out;
}

} // namespace

TEST_CASE("the waker of a stream that goes is not fired for its own departure") {
    for (const bool destroyed : {false, true}) {
        bare_hub hub(with_room(0ms));
        support::rung own, other;
        const std::uint32_t leaving = hub.join({.topics = "room", .tag = "ann"}, own.waker());
        const std::uint32_t staying = hub.join({.topics = "room"}, other.waker());
        for (const std::uint32_t stream : {leaving, staying}) hub.take(stream);
        if (destroyed) {
            hub.leave(leaving);
        } else {
            sse::end_stream(*hub, leaving, ssekit::stream_end::evicted);
        }
        CHECK(own.times == 0);
        CHECK(other.times == 1);
        CHECK(hub.events(staying) == R"(presence:{"tag":"ann","present":false})");
        if (!destroyed) hub.leave(leaving);
        hub.leave(staying);
        CHECK(hub.end() == 0);
    }
}

TEST_CASE("a tag keeps its name until its departure is told and is forgotten then") {
    bare_hub hub(with_room(0ms));
    const std::uint32_t stream = hub.join({.topics = ab, .tag = "ann"});
    hub.leave(stream);
    CHECK(hub->topics.size(sse::topic_kind::tag) == 0);
    CHECK(hub->topics.size(sse::topic_kind::name) == 1); // the room, which keeps its events
    CHECK(hub->last_offset == 2);
    CHECK(listed(*hub).empty());
    CHECK(hub.end() == 0);
}

TEST_CASE("nothing is told and nobody is waited for where nobody asks for presence") {
    bare_hub hub;
    const std::uint32_t stream = hub.join({.topics = "a", .tag = "ann"});
    CHECK(listed(*hub) == "ann;");
    hub.leave(stream);
    CHECK(listed(*hub).empty());
    CHECK(hub->leaving.size() == 0);
    CHECK(hub->metrics.tags_present == 0);
    CHECK(hub->last_offset == 0);
}

TEST_CASE("a tag departs once, whatever memory there is, and what is not told is counted") {
    for (const auto grace : {0ms, 1000ms}) {
        std::size_t struck = 0;
        for (std::size_t left = 0;; ++left) {
            REQUIRE(left < 100);
            bare_hub hub(with_room(grace));
            const std::uint32_t stream = hub.join({.topics = "a", .tag = "ann"});
            hub.memory.grace = left;
            hub.leave(stream);
            hub.memory.grace = hub.memory.unlimited;
            const bool failed = hub.memory.struck;
            if (grace == 0ms) {
                CHECK(hub->metrics.presence_lost == (failed ? 1 : 0));
                CHECK(hub->metrics.presence_cut_short == 0);
            } else {
                CHECK(hub->metrics.presence_cut_short == (failed ? 1 : 0));
            }
            hub.wait(1s);
            CHECK(hub->metrics.presence_gone == 1);
            CHECK(hub->metrics.tags_present == 0);
            CHECK(hub->metrics.refused_events[ssekit::errc::out_of_memory] ==
                  hub->metrics.presence_lost);
            CHECK(hub->last_offset == 2 - hub->metrics.presence_lost);
            CHECK(listed(*hub).empty());
            CHECK(hub.end() == 0);
            if (!failed) break;
            ++struck;
        }
        CHECK(struck >= 1);
    }
}

TEST_CASE("a tag of any bytes is a text of JSON") {
    bare_hub hub(with_room(0ms));
    const std::uint32_t reader = hub.join({.topics = "room"});
    const std::uint32_t stream = hub.join({.topics = "a", .tag = "a\"\\\n\xc3\xa9"});
    CHECK(hub.events(reader) == "presence:{\"tag\":\"a\\\"\\\\\\u000a\xc3\xa9\",\"present\":true}");
    hub.leave(stream);
    hub.leave(reader);
}
