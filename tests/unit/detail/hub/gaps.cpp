// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/gaps.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>

using ssekit::errc;
using ssekit::event_ids;
using ssekit::lag_policy;
using support::ab;
using support::bare_hub;
using support::keep_two;
namespace sse = ssekit::detail;

TEST_CASE("an offset is known by its position as long as nothing but the log's events has gone") {
    bare_hub hub({.keep = keep_two});
    const std::uint32_t s = hub.join({.topics = "a"});
    const ssekit::event_log& log = hub->topics[hub->streams[s].topic].log;
    CHECK(sse::offset_before(log, 0) == std::optional<std::uint64_t>(0));
    CHECK(hub.say_each("a", "12345"));
    for (std::uint64_t position = 0; position <= 5; ++position) {
        CHECK(sse::offset_before(log, position) == std::optional(position));
    }
    CHECK(hub.say("b", "6").ec == errc::ok);
    CHECK(hub.say_each("a", "789"));
    CHECK(log.begin() == 6);
    CHECK(sse::offset_before(log, 5) == std::nullopt);
    CHECK(sse::offset_before(log, 6) == std::optional<std::uint64_t>(7));
    CHECK(sse::offset_before(log, 7) == std::optional<std::uint64_t>(8));
    hub.leave(s);
    CHECK(hub.end() == 0);
}

TEST_CASE("what several logs have lost is one range, where its ends are known") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = ab});
    CHECK(hub.say_each("a", "12"));
    CHECK(hub.say_each("b", "34"));
    const ssekit::event_log& a = hub->topics[hub->topics.find(sse::topic_kind::name, "a")].log;
    const ssekit::event_log& b = hub->topics[hub->topics.find(sse::topic_kind::name, "b")].log;
    sse::lost_range range;
    CHECK(range.from(*hub).view().empty());
    CHECK(range.through(*hub).view().empty());
    range.add(a, 1, 2);
    CHECK(range.from(*hub).view() == "1.1");
    CHECK(range.through(*hub).view() == "1.2");
    range.add(b, 1, 2);
    CHECK(range.from(*hub).view() == "1.1");
    CHECK(range.through(*hub).view() == "1.4");
    hub.leave(s);
    CHECK(hub.end() == 0);
}

TEST_CASE("lost events are counted where one log says which they are") {
    bare_hub hub({.keep = keep_two});
    CHECK(hub.say_each("a", "12345"));
    CHECK(hub.say("b", "6").ec == errc::ok);
    const std::uint32_t one = hub.join({.topics = "a"});
    const std::uint32_t two = hub.join({.topics = ab});
    const std::uint32_t keys = hub.join({.topics = "a", .on_lag = lag_policy::coalesce});
    CHECK(sse::count_lost(*hub, one, 0, false) == 3);
    CHECK(sse::count_lost(*hub, one, 2, false) == 1);
    CHECK(sse::count_lost(*hub, one, 2, true) == 3);
    CHECK(sse::count_lost(*hub, two, 0, false) == 0);
    CHECK(sse::count_lost(*hub, keys, 0, false) == 0);
    CHECK(sse::last_lost(*hub, one, false).view() == "1.3");
    CHECK(sse::last_lost(*hub, one, true).view() == "1.5");
    CHECK(sse::last_lost(*hub, two, true).view() == "1.6");
    for (const std::uint32_t each : {one, two, keys}) hub.leave(each);
    CHECK(hub.end() == 0);
}

TEST_CASE("without ids there is no range") {
    bare_hub hub({.keep = keep_two, .ids = event_ids::none});
    CHECK(hub.say_each("a", "12345"));
    const std::uint32_t s = hub.join({.topics = "a"});
    CHECK(sse::last_lost(*hub, s, true).view().empty());
    hub.leave(s);
    CHECK(hub.end() == 0);
}
