// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/view.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::time_point;
using ssekit::detail::coarse_step;
using support::ab;
using support::bare_hub;
namespace sse = ssekit::detail;

TEST_CASE("an id names one stream for ever, and no id another one") {
    bare_hub hub;
    std::set<std::uint64_t> ids;
    for (int round = 0; round < 100; ++round) {
        const std::uint32_t s = hub.join({.topics = "a"});
        const std::uint64_t id = sse::public_id(*hub, s);
        CHECK(ids.insert(id).second);
        CHECK(sse::find_stream(*hub, id) == s);
        CHECK(sse::find_stream(*hub, id ^ 1ull << 40) == 0);
        CHECK(sse::find_stream(*hub, id + 1) == 0);
        hub.leave(s);
        CHECK(sse::find_stream(*hub, id) == 0);
    }
    for (const std::uint64_t id : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1} << 32}) {
        CHECK(sse::find_stream(*hub, id) == 0);
        CHECK_FALSE(sse::evict(*hub, id));
    }
}

TEST_CASE("a stream is shown with what it has, how far it is behind and what has left") {
    bare_hub hub;
    int user = 0;
    const time_point begin = hub->clock.now;
    const std::uint32_t s = hub.join({.topics = ab, .tag = "t", .user = &user});
    hub.take(s);
    for (const char* const data : {"1", "2"}) CHECK(hub.say(ab, data).ec == errc::ok);
    CHECK(hub.say_to_tag("t", "3").ec == errc::ok);
    hub.wait(1s);
    const auto shown = sse::info(*hub, s);
    CHECK(shown.id == sse::public_id(*hub, s));
    CHECK(shown.user == &user);
    CHECK(shown.topic == "a");
    CHECK(shown.tag == "t");
    CHECK(shown.lag_events == 5);
    CHECK(shown.lag_bytes == 5 * std::string_view("id: 1.1\ndata: 1\n\n").size());
    CHECK(shown.end == ssekit::stream_end::open);
    const auto off = shown.connected_at - begin;
    CHECK(off < coarse_step);
    CHECK(off > -coarse_step);
    CHECK(hub.events(s) == "1 2 3");
    CHECK(sse::info(*hub, s).events == 3);
    CHECK(sse::info(*hub, s).lag_events == 0);
    CHECK(sse::info(*hub, s).lag_bytes == 0);
    CHECK(sse::info(*hub, s).last_progress == hub->clock.now);
    CHECK(sse::info(*hub, s).bytes == hub->metrics.bytes);
    hub->streams[s].count_bytes((std::uint64_t{1} << 48) - 1 - hub->metrics.bytes);
    CHECK(sse::info(*hub, s).bytes == (std::uint64_t{1} << 48) - 1);
    CHECK(sse::evict(*hub, shown.id));
    CHECK_FALSE(sse::evict(*hub, shown.id));
    CHECK(sse::info(*hub, s).topic.empty());
    CHECK(sse::info(*hub, s).tag.empty());
    CHECK(sse::info(*hub, s).end == ssekit::stream_end::evicted);
    hub.leave(s);
}

TEST_CASE(
    "what a reader behind its log misses counts as lag and its bytes as far as they are kept") {
    bare_hub hub({.keep = {.events = 2, .burst = {.within = 0ms}}});
    const std::uint32_t s = hub.join({.topics = "a"});
    for (int i = 0; i < 5; ++i) CHECK(hub.say("a", "x").ec == errc::ok);
    CHECK(sse::info(*hub, s).lag_events == 5);
    CHECK(sse::info(*hub, s).lag_bytes == 2 * std::string_view("id: 1.5\ndata: x\n\n").size());
    hub.leave(s);
}

TEST_CASE("the room in a topic that is not there is that of a new one") {
    bare_hub hub({.keep = {.events = 10, .bytes = 1000, .burst = {.within = 0ms}}});
    CHECK(sse::room_in(*hub, "a").events == 10);
    CHECK(sse::room_in(*hub, "a").bytes == 1000);
    CHECK(hub.say("a", "x").ec == errc::ok);
    CHECK(sse::room_in(*hub, "a").events == 9);
    CHECK(sse::room_in(*hub, "a").bytes == 1000 - std::string_view("id: 1.1\ndata: x\n\n").size());
    CHECK(hub->topics.size(sse::topic_kind::name) == 1); // asking makes none
}

TEST_CASE("a walk over a tag may evict the stream that it is shown, all of them at last") {
    bare_hub hub;
    std::vector<std::uint32_t> s;
    for (int i = 0; i < 5; ++i) s.push_back(hub.join({.topics = "a", .tag = "t"}));
    int calls = 0;
    sse::for_each_tagged(*hub, "t", [&](std::uint32_t stream) {
        ++calls;
        CHECK(sse::evict(*hub, sse::public_id(*hub, stream)));
    });
    CHECK(calls == 5);
    CHECK(hub->topics.size(sse::topic_kind::tag) == 0);
    CHECK(hub->open_streams == 0);
    for (const std::uint32_t stream : s) hub.leave(stream);
}

TEST_CASE("a walk over a tag may evict another stream than the one it is shown") {
    bare_hub hub;
    std::vector<std::uint32_t> s;
    for (int i = 0; i < 3; ++i) s.push_back(hub.join({.topics = "a", .tag = "t"}));
    std::string shown;
    sse::for_each_tagged(*hub, "t", [&](std::uint32_t stream) {
        if (shown.empty()) CHECK(sse::evict(*hub, sse::public_id(*hub, s[1])));
        shown += std::to_string(stream) + ";";
    });
    CHECK(shown == "1;3;");
    for (const std::uint32_t stream : s) hub.leave(stream);
}

TEST_CASE("metrics say what there is now") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = ab, .patterns = "x/*", .tag = "t"});
    CHECK(hub.say("a", "1").ec == errc::ok);
    const auto now = sse::metrics(*hub);
    CHECK(now.subscribers == 1);
    CHECK(now.topics == 3);
    CHECK(now.tags == 1);
    CHECK(now.log_bytes == std::string_view("id: 1.1\ndata: 1\n\n").size());
    hub.leave(s);
    CHECK(sse::metrics(*hub).subscribers == 0);
    CHECK(sse::metrics(*hub).topics == 1);
    CHECK(sse::metrics(*hub).tags == 0);
}
