// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/ending.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

using ssekit::errc;
using ssekit::stream_end;
using support::bare_hub;
namespace sse = ssekit::detail;

TEST_CASE("a stream that is cut gives nothing more and no last chunk, and its hand is given back") {
    for (const auto why : {stream_end::cut, stream_end::stalled, stream_end::out_of_memory}) {
        bare_hub hub;
        int user = 0;
        const std::uint32_t s =
            hub.join({.topics = "a", .framing = ssekit::framing::chunked, .user = &user});
        hub.take(s);
        for (const char* const data : {"1", "2"}) CHECK(hub.say("a", data).ec == errc::ok);
        std::string_view slice;
        REQUIRE(hub.prepare_one(s, slice) == 1);
        sse::consume(*hub, s, 3);
        CHECK(sse::next_ready(*hub) == &user);
        sse::break_off(*hub, s, why);
        CHECK(hub->streams[s].is_done());
        CHECK(sse::next_ready(*hub) == &user);
        CHECK(hub.take(s).empty());
        CHECK(hub->streams[s].hand != 0);
        hub.leave(s);
        std::uint32_t again = 0;
        CHECK(hub->hands.take(ssekit::frame(hub->last_chunk), 0, again) != nullptr);
        CHECK(again == 1); // the same one
        CHECK(hub.end() == 0);
    }
}

TEST_CASE("an end is counted once") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    sse::end_stream(*hub, s, stream_end::evicted);
    sse::break_off(*hub, s, stream_end::cut);
    CHECK(hub->metrics.evicted == 1);
    CHECK(hub->metrics.cut == 0);
    CHECK(hub->open_streams == 0);
    hub.leave(s);
    CHECK(hub->all_streams == 0);
}
