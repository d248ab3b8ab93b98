// SPDX-License-Identifier: MIT
//
// Who waits for an offset, and until when. Without memory a stream that cannot be told ends.
#include <ssekit/detail/hub/ahead.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

using ssekit::errc;
using ssekit::stream_end;
using support::bare_hub;
namespace sse = ssekit::detail;

namespace {

constexpr std::string_view told = R"(gap:{"reason":"future"})";

} // namespace

TEST_CASE("a stream is told by the second word that it could have been in, and not before") {
    bare_hub hub({.ids = ssekit::event_ids::by_sequence});
    const std::uint32_t s = hub.join({.topics = "a", .last_event_id = "1.5"});
    hub.take(s);
    CHECK(hub->ahead.farthest == 5);
    CHECK(sse::note_newest(*hub, {1, 4}) == errc::ok);
    CHECK(hub.events(s).empty());
    CHECK(sse::note_newest(*hub, {1, 4}) == errc::ok);
    CHECK(hub.events(s) == told);
    CHECK(hub->sides.of(s).seen == 0);
    CHECK(hub->ahead.farthest == 0);
    hub.leave(s);
}

TEST_CASE("without memory the stream ends, and its client comes back with its id") {
    for (std::size_t grace = 0;; ++grace) {
        CAPTURE(grace);
        bare_hub hub({.ids = ssekit::event_ids::by_sequence});
        const std::uint32_t s = hub.join({.topics = "a", .last_event_id = "1.5"});
        hub.take(s);
        CHECK(sse::note_newest(*hub, {1, 4}) == errc::ok);
        hub.memory.grace = grace;
        CHECK(sse::note_newest(*hub, {1, 4}) == errc::ok);
        const bool enough = !hub.memory.struck;
        hub.memory.grace = support::counted_memory::unlimited;
        CHECK((hub->streams[s].end() == stream_end::out_of_memory) == !enough);
        CHECK(hub.events(s) == (enough ? told : ""));
        hub.leave(s);
        if (enough) break;
    }
}
