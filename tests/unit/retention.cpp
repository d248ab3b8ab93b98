// SPDX-License-Identifier: MIT
#include <ssekit/event_log.hpp>
#include <ssekit/retention.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <limits>

using namespace std::chrono_literals;
using ssekit::event_log;
using ssekit::retention;

namespace {

constexpr std::size_t most = std::numeric_limits<std::size_t>::max();

retention sane(const retention& keep) {
    return event_log(keep).bounds();
}

} // namespace

TEST_CASE("at least one event is kept, and a burst is no less than what is kept anyway") {
    CHECK(sane({.events = 0}).events == 1);
    CHECK(sane({.events = 100000}).burst.events == 100000);
    CHECK(sane({.bytes = 64 << 20}).burst.bytes == 64 << 20);
    CHECK(sane({.events = most, .bytes = most}).burst.events == most);
}

TEST_CASE("an age that nobody waits for is none, and a negative one stays so") {
    CHECK(sane({.age = (std::chrono::milliseconds::max)()}).age == 0ms);
    CHECK(sane({.age = 24h * 366 * 100}).age == 24h * 366 * 100);
    CHECK(sane({.age = -1ms}).age == -1ms);
    CHECK(sane({.age = (std::chrono::milliseconds::min)()}).age < 0ms);
    CHECK(sane({.burst = {.within = -1s}}).burst.within == 0ms);
    CHECK(sane({.burst = {.within = (std::chrono::milliseconds::max)()}}).burst.within > 24h);
}

TEST_CASE("the room in an empty log is what it keeps of a burst") {
    const event_log log({.events = 10, .bytes = 1000});
    CHECK(log.room_for_events() == std::size_t{1} << 16);
    CHECK(log.room_for_bytes() == std::size_t{16} << 20);
    const event_log plain({.events = 10, .bytes = 1000, .burst = {.within = 0ms}});
    CHECK(plain.room_for_events() == 10);
    CHECK(plain.room_for_bytes() == 1000);
}
