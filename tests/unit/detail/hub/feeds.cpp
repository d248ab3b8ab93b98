// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/feeds.hpp>

#include "support/counted_memory.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

using ssekit::errc;
using ssekit::event_log;
using ssekit::frame;
using ssekit::log_use;
using ssekit::time_point;
using ssekit::detail::topic;
using ssekit::detail::topic_feeds;
using ssekit::detail::topic_kind;

namespace {

std::string fed_by(const topic_feeds& feeds, const topic& name) {
    std::string out;
    feeds.for_each(name, [&](std::uint32_t pattern) { out += std::to_string(pattern) + " "; });
    return out;
}

void say(event_log& log, std::uint64_t offset, bool in_several = false) {
    const frame event = frame::make({.data = "x"}).frame;
    REQUIRE(log.append(event, offset, time_point(), log_use::idle, in_several) == errc::ok);
}

std::string offsets(const event_log& log) {
    std::string out;
    for (std::uint64_t p = log.begin(); p != log.end(); ++p) {
        out += std::to_string(log[p].offset) + (log[p].in_several ? "* " : " ");
    }
    return out;
}

} // namespace

TEST_CASE("a name feeds patterns until they are removed") {
    support::counted_memory memory;
    {
        topic_feeds feeds(&memory);
        topic a(topic_kind::name, {}, 0, &memory);
        topic b(topic_kind::name, {}, 0, &memory);
        for (const std::uint32_t pattern : {7U, 8U, 9U}) REQUIRE(feeds.add(a, pattern));
        REQUIRE(feeds.add(b, 8));
        CHECK(fed_by(feeds, a) == "9 8 7 ");
        feeds.remove(a, 8);
        feeds.remove(a, 8); // there is none any more
        CHECK(fed_by(feeds, a) == "9 7 ");
        CHECK(fed_by(feeds, b) == "8 ");
        feeds.remove_all(a);
        CHECK(fed_by(feeds, a).empty());
        CHECK(a.feeds == 0);
        CHECK(fed_by(feeds, b) == "8 ");
        memory.grace = 0;
        CHECK(feeds.add(a, 7)); // in the place of an old one
        CHECK(fed_by(feeds, a) == "7 ");
    }
    CHECK(memory.live() == 0);
}

TEST_CASE("a new log gets what others have kept, each event once and in order") {
    event_log a({.events = 3}); // lets 1 go
    event_log b({.events = 10});
    for (const std::uint64_t offset : {1U, 2U, 4U, 6U}) say(a, offset, offset == 4);
    for (const std::uint64_t offset : {3U, 4U, 5U}) say(b, offset, offset == 4);
    event_log all({.events = 10});
    REQUIRE(ssekit::detail::fill(
        all,
        [&](auto&& call) {
            call(a);
            call(b);
        },
        *ssekit::heap()));
    CHECK(offsets(all) == "2* 3* 4* 5* 6* ");
    CHECK(all.lost_through() == a.lost_through());
    CHECK(offsets(a) == "2* 4* 6* ");
}

TEST_CASE("without memory a new log is not filled, and nothing leaks") {
    support::counted_memory memory;
    event_log a({.events = 3});
    say(a, 1);
    for (std::size_t most = 0;; ++most) {
        event_log all({.events = 10}, 0, &memory);
        memory.grace = most;
        const bool filled = ssekit::detail::fill(
            all, [&](auto&& call) { call(a); }, memory);
        if (filled) {
            CHECK(all.size() == 1);
            break;
        }
        REQUIRE(most < 10);
    }
    CHECK(memory.live() == 0);
}
