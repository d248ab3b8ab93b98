// SPDX-License-Identifier: MIT
//
// Each offset of a sequence comes to one end, also without memory: what could not be told stays open,
// and is told by the next event.
#include <ssekit/detail/hub/sequencing.hpp>

#include "support/bare_hub.hpp"

#include <ssekit/event_sequence.hpp>
#include <ssekit/event_target.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using ssekit::errc;
using ssekit::event_ids;
using ssekit::event_target;
using support::bare_hub;
namespace sse = ssekit::detail;

namespace {

ssekit::sequenced_event numbered(std::uint64_t offset) {
    return ssekit::event_sequence(1, offset - 1).make("a", {.data = std::to_string(offset)});
}
constexpr std::string_view told_of_loss = R"(gap:{"reason":"missed"})";

} // namespace

TEST_CASE("without memory nothing is lost in silence, whatever fails and for whatever target") {
    for (const event_target& target :
         {event_target("a"), event_target::to_tag("me"), event_target::to_all(),
          event_target::closing("a"), event_target("a", std::string_view("b"))}) {
        for (std::size_t grace = 0;; ++grace) {
            CAPTURE(grace);
            bare_hub hub({.ids = event_ids::by_sequence});
            const std::uint32_t s = hub.join({.topics = "a", .tag = "me"});
            hub.take(s);
            hub.memory.grace = grace;
            hub.memory.struck = false;
            const errc code = sse::publish_sequenced(*hub, target, numbered(2)).ec;
            hub.memory.grace = support::counted_memory::unlimited;
            CHECK((code == errc::ok || code == errc::out_of_memory));
            const bool whole = code == errc::ok;
            if (!whole) {
                const errc next = sse::publish_sequenced(*hub, "a", numbered(3)).ec;
                CHECK(next == errc::ok);
            }
            const std::string got = hub.events(s);
            CHECK(got == std::string(told_of_loss) + (whole ? " 2" : " 3"));
            hub.leave(s);
            if (whole) break;
        }
    }
}

TEST_CASE("a loss that cannot be told now is told when the topic is looked at") {
    for (std::size_t grace = 0;; ++grace) {
        CAPTURE(grace);
        bare_hub hub({.ids = event_ids::by_sequence});
        const std::uint32_t s = hub.join({.topics = "a"});
        hub.take(s);
        hub.memory.grace = grace;
        hub.memory.struck = false;
        const errc code = sse::lose(*hub, {1, 9});
        hub.memory.grace = support::counted_memory::unlimited;
        if (code != errc::ok) {
            CHECK(code == errc::out_of_memory);
            CHECK(hub->last_offset == 0);
        } else {
            CHECK(hub->last_offset == 9);
        }
        CHECK(sse::publish_sequenced(*hub, "a", numbered(10)).ec == errc::ok);
        CHECK(hub.events(s) == std::string(told_of_loss) + " 10");
        hub.leave(s);
        if (!hub.memory.struck) break;
    }
}
