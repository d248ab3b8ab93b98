// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/take_over.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <utility>

using namespace std::chrono_literals;
using ssekit::full_tag;
using ssekit::stream_end;
using ssekit::time_point;
using ssekit::detail::give_way_wait;
using support::bare_hub;
namespace sse = ssekit::detail;

TEST_CASE("a wait doubles up to its bound and begins anew when nobody has given way for long") {
    constexpr give_way_wait waits(1s, 5s);
    std::uint8_t turns = 0;
    time_point now{1h}, last{};
    const auto next = [&](std::chrono::milliseconds later) {
        now += later;
        return waits.next(turns, std::exchange(last, now), now);
    };
    CHECK(next(0ms) == 1s);
    CHECK(next(2s) == 2s); // within twice the last one
    CHECK(next(4s) == 4s);
    for (int i = 0; i < 300; ++i) CHECK(next(8s) == 5s);
    CHECK(next(10s) == 5s);
    CHECK(next(10s + 1ms) == 1s);
    CHECK(next(2s + 1ms) == 1s);
}

TEST_CASE("a wait that cannot grow stays, and none stays none") {
    for (const auto most : {0ms, 1000ms, -1ms}) {
        std::uint8_t turns = 0;
        for (int i = 0; i < 300; ++i) {
            CHECK(give_way_wait(1s, most).next(turns, {}, {}) == 1s);
            CHECK(give_way_wait(0ms, 1h).next(turns, {}, {}) == 0ms);
        }
    }
}

TEST_CASE("the stream that joined first is the next to give way") {
    bare_hub hub({.max_subscribers_per_tag = 2, .on_full_tag = full_tag::oldest_gives_way});
    CHECK(sse::next_to_give_way(*hub, "me") == 0);
    const std::uint32_t one = hub.join({.topics = "a", .tag = "me"});
    CHECK(sse::next_to_give_way(*hub, "me") == 0);
    const std::uint32_t two = hub.join({.topics = "a", .tag = "me"});
    CHECK(sse::next_to_give_way(*hub, "me") == one);
    CHECK(sse::next_to_give_way(*hub, "") == 0);
    const std::uint32_t three = hub.join({.topics = "a", .tag = "me"});
    CHECK(hub->streams[one].end() == stream_end::replaced);
    CHECK(sse::next_to_give_way(*hub, "me") == two);
    for (const std::uint32_t each : {one, two, three}) hub.leave(each);
    CHECK(hub.end() == 0);
}
