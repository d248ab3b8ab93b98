// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/sent.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <string_view>

using ssekit::frame;
using support::bare_hub;
namespace sse = ssekit::detail;

namespace {

frame plain(std::string_view data) {
    return frame::make({.data = data}).frame;
}

} // namespace

TEST_CASE("what is sent leaves in order, each after what was published before it") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    sse::side* const extra = sse::side_of(*hub, s);
    REQUIRE(extra != nullptr);
    CHECK(hub.say("a", "1").ec == ssekit::errc::ok);
    REQUIRE(sse::queue(*hub, *extra, plain("after 1")));
    REQUIRE(sse::queue(*hub, *extra, plain("too")));
    CHECK(extra->sent_count == 2);
    CHECK_FALSE(sse::take_sent(*hub, *extra, false, 1)); // the event of this offset comes first
    CHECK(sse::take_sent(*hub, *extra, false, 2).wire() == "data: after 1\n\n");
    CHECK_FALSE(sse::take_sent(*hub, *extra, false, 1));
    CHECK(sse::take_sent(*hub, *extra, true, 0).wire() == "data: too\n\n");
    CHECK_FALSE(sse::take_sent(*hub, *extra, true, 0));
    CHECK(extra->sent_count == 0);
}

TEST_CASE("without memory nothing is queued") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    sse::side* const extra = sse::side_of(*hub, s);
    REQUIRE(extra != nullptr);
    frame event = plain("x");
    hub.memory.grace = 0;
    CHECK_FALSE(sse::queue(*hub, *extra, std::move(event)));
    CHECK(extra->sent_count == 0);
}
