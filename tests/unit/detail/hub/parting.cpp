// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/parting.hpp>

#include <ssekit/detail/hub/closing.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::stream_end;
using ssekit::detail::parting;
using support::bare_hub;
namespace sse = ssekit::detail;

TEST_CASE("a stream is leaving once the hub closes, unless it reads an unfinished topic") {
    bare_hub hub;
    const std::uint32_t working = hub.join({.topics = support::ab});
    const std::uint32_t other = hub.join({.topics = "b"});
    CHECK_FALSE(sse::is_leaving(*hub, working));
    CHECK_FALSE(sse::is_leaving(*hub, other));
    CHECK(sse::close(*hub, {.unfinished = "a"}) == errc::ok);
    CHECK_FALSE(sse::is_leaving(*hub, working));
    CHECK(sse::is_leaving(*hub, other));
    CHECK(sse::close_topic(*hub, "a", {}, 1h) == errc::ok);
    CHECK(sse::is_leaving(*hub, working));
    for (const std::uint32_t each : {working, other}) hub.leave(each);
    CHECK(hub.end() == 0);
}

TEST_CASE("only names that are unfinished, each of them, are not shut while the hub closes") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = support::abc});
    const auto shut = [&](const ssekit::topic_list& names) {
        return sse::is_shut(*hub, sse::topic_kind::name, names);
    };
    CHECK_FALSE(shut("a"));
    CHECK_FALSE(shut({}));
    CHECK(sse::close(*hub, {.unfinished = support::ab}) == errc::ok);
    CHECK_FALSE(shut("a"));
    CHECK_FALSE(shut({"a", "b"}));
    CHECK(shut({"a", "c"}));
    CHECK(shut("new"));
    CHECK(shut({}));
    CHECK(sse::is_shut(*hub, sse::topic_kind::tag, "a"));
    hub.leave(s);
}

TEST_CASE("a topic is read by whoever reads its name, and perhaps by whoever reads a pattern") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    CHECK(sse::is_read(*hub, "a"));
    CHECK(sse::is_read(*hub, {"b", "a"}));
    CHECK_FALSE(sse::is_read(*hub, "b"));
    const std::uint32_t all = hub.join({.patterns = "x/*"});
    CHECK(sse::is_read(*hub, "b"));
    for (const std::uint32_t each : {s, all}) hub.leave(each);
}

TEST_CASE("taking leave goes from the reconnection time to the farewell, each once") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    CHECK(sse::close(*hub, {.farewell = {.data = "bye"}, .retry_min = 2s, .retry_max = 2s}) ==
          errc::ok);
    sse::subscriber& item = hub->streams[s];
    CHECK(item.parting() == parting::none);
    CHECK(sse::take_farewell(*hub, item).wire() == "retry: 2000\n\n");
    CHECK(item.parting() == parting::retry_told);
    CHECK(sse::take_farewell(*hub, item).wire() == "data: bye\n\n");
    CHECK(item.parting() == parting::told);
    CHECK_FALSE(sse::take_farewell(*hub, item));
    hub.leave(s);
}

TEST_CASE("without memory a stream takes leave without its reconnection time") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    CHECK(sse::close(*hub, {.farewell = {.data = "bye"}, .retry_max = 2s}) == errc::ok);
    hub.memory.grace = 0;
    CHECK(sse::take_farewell(*hub, hub->streams[s]).wire() == "data: bye\n\n");
    hub.memory.grace = hub.memory.unlimited;
    hub.leave(s);
}

TEST_CASE("a stream that was evicted before the hub closed has nothing to take leave of") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    CHECK(sse::evict(*hub, sse::public_id(*hub, s)));
    CHECK(sse::close(*hub, {.farewell = {.data = "bye"}, .unfinished = "a"}) == errc::ok);
    CHECK(hub.take(s) == "");
    CHECK(hub->streams[s].end() == stream_end::evicted);
    hub.leave(s);
}
