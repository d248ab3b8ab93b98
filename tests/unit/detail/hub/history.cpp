// SPDX-License-Identifier: MIT
//
// How a stream is fed, and when it goes over to its logs.
#include <ssekit/detail/hub/history.hpp>
#include <ssekit/detail/hub/sequencing.hpp>

#include "support/bare_hub.hpp"

#include <ssekit/event_sequence.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using ssekit::errc;
using ssekit::gap_policy;
using support::bare_hub;
using support::keep_two;
namespace sse = ssekit::detail;

namespace {

ssekit::sequenced_event numbered(std::uint64_t offset) {
    return ssekit::event_sequence(1, offset - 1).make("a", {.data = std::to_string(offset)});
}
void bring(bare_hub& hub, std::uint64_t from, std::uint64_t to) {
    for (; from <= to; ++from) {
        CHECK(sse::publish_sequenced(*hub, "a", numbered(from)).ec == errc::ok);
    }
}

} // namespace

TEST_CASE("a stream goes over once it has given out all that it was fed, and not before") {
    bare_hub hub({.keep = keep_two, .ids = ssekit::event_ids::by_sequence});
    bring(hub, 1, 6);
    const std::uint32_t s =
        hub.join({.topics = "a", .last_event_id = "1.2", .on_gap = gap_policy::fetch});
    CHECK(sse::is_fetching(*hub, s));
    CHECK(sse::lost_to(*hub, s) == 4);
    CHECK(hub.take(s) == "id: 1.2\n\n");
    CHECK(sse::feed(*hub, s, "a", numbered(3)) == errc::ok);
    CHECK(sse::need_of(*hub, s)->offset == 3);
    CHECK(sse::feed(*hub, s, "a", numbered(4)) == errc::ok);
    CHECK_FALSE(sse::need_of(*hub, s)); // its logs have the rest
    bring(hub, 7, 7);
    CHECK(sse::need_of(*hub, s)->offset == 4); // not any more
    CHECK(hub.events(s) == "3 4");
    CHECK(sse::is_fetching(*hub, s));
    CHECK(sse::feed(*hub, s, "a", numbered(5)) == errc::ok);
    CHECK(hub.events(s) == "5 6 7");
    CHECK_FALSE(sse::is_fetching(*hub, s));
    CHECK(sse::feed(*hub, s, "a", numbered(8)) == errc::out_of_sequence);
    hub.leave(s);
}

TEST_CASE("where there is no more to feed, what its logs lose meanwhile is told as well") {
    bare_hub hub({.keep = keep_two, .ids = ssekit::event_ids::by_sequence});
    bring(hub, 1, 6);
    const std::uint32_t s =
        hub.join({.topics = "a", .last_event_id = "1.2", .on_gap = gap_policy::fetch});
    CHECK(sse::feed(*hub, s, "a", numbered(3)) == errc::ok);
    CHECK(sse::feed_no_more(*hub, s) == errc::ok);
    CHECK_FALSE(sse::need_of(*hub, s));
    bring(hub, 7, 9);
    CHECK(hub.events(s) == R"(3 gap:{"reason":"expired"} 8 9)");
    CHECK(hub->metrics.gaps == 1);
    CHECK(hub->metrics.fed == 1);
    CHECK(hub->metrics.fetching == 0);
    hub.leave(s);
}

TEST_CASE("a stream that goes in the middle leaves nothing behind") {
    bare_hub hub({.keep = keep_two, .ids = ssekit::event_ids::by_sequence});
    bring(hub, 1, 6);
    const std::uint32_t s =
        hub.join({.topics = "a", .last_event_id = "1.1", .on_gap = gap_policy::fetch});
    CHECK(sse::feed(*hub, s, "a", numbered(2)) == errc::ok);
    hub.leave(s);
    CHECK(hub->metrics.fetching == 0);
    CHECK(hub.end() == 0);
}
