// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/snapshot.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <string>

using support::ab;
using support::bare_hub;
namespace sse = ssekit::detail;

TEST_CASE("a snapshot ends where the stream began it, whatever is published meanwhile") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = ab});
    CHECK(hub.say("a", "1", "k").ec == ssekit::errc::ok);
    CHECK(hub.say("b", "2", "k").ec == ssekit::errc::ok);
    CHECK(hub.say("a", "3", "l").ec == ssekit::errc::ok);
    REQUIRE(sse::begin_snapshot(*hub, s));
    CHECK(hub.say("a", "4", "m").ec == ssekit::errc::ok);
    CHECK(hub.say("b", "5", "k").ec == ssekit::errc::ok); // replaces one of the snapshot
    CHECK(hub.events(s) == "1 3 4 5");
    CHECK(hub->sides.of(s).values.is_whole());
    CHECK(hub->metrics.snapshots == 1);
}

TEST_CASE("a snapshot of nothing is whole at once, and a stream without memory has none") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    CHECK(hub.say("a", "1").ec == ssekit::errc::ok); // it has no key
    hub.memory.grace = 0;
    CHECK_FALSE(sse::begin_snapshot(*hub, s));
    hub.memory.grace = support::counted_memory::unlimited;
    REQUIRE(sse::begin_snapshot(*hub, s));
    CHECK(hub->sides.of(s).values.is_whole());
    CHECK(hub.events(s).empty()); // and it stands at the end
}
