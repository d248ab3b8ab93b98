// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/epochs.hpp>
#include <ssekit/detail/hub/sequencing.hpp>

#include "support/bare_hub.hpp"

#include <ssekit/event_sequence.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using support::bare_hub;
namespace sse = ssekit::detail;

TEST_CASE("a new epoch leaves no offset of the old one in any stream") {
    bare_hub hub({.ids = ssekit::event_ids::by_sequence});
    const std::uint32_t s =
        hub.join({.topics = "a", .tag = "me", .max_lag = {.events = 9}, .throttle = 5ms});
    const std::uint32_t ahead = hub.join({.topics = "b", .last_event_id = "1.900"});
    CHECK(sse::publish_sequenced(*hub, "a", ssekit::event_sequence(1, 799).make("a", {.data = "x"}))
              .ec == errc::ok);
    hub.take(s);
    CHECK(sse::begin_epoch(*hub, {2, 3}) == errc::ok);
    const sse::side& extra = hub->sides.of(s);
    CHECK(extra.told_through == 0);
    CHECK(extra.throttle.through == 3);
    CHECK(extra.lag.begins_through == 3);
    CHECK(hub->sides.of(ahead).seen == 0);
    CHECK(hub->last_offset == 3);
    CHECK(hub->ahead.farthest == 0);
    constexpr std::string_view told = R"(gap:{"reason":"missed"})";
    CHECK(hub.events(s) == told);
    CHECK(hub.events(s).empty()); // by its tag not once more
    CHECK(hub.events(ahead) == told);
    hub.leave(s);
    hub.leave(ahead);
}
