// SPDX-License-Identifier: MIT
//
// Keys, gaps, bursts and positions at the ends of their ranges.
#include <ssekit/event_log.hpp>

#include "support/counted_memory.hpp"
#include "support/dice.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_log;
using ssekit::frame;
using ssekit::log_use;
using ssekit::time_point;
using support::morning;

namespace {

constexpr ssekit::burst_bound no_burst{.within = 0ms};

frame with(std::string_view topic, std::string_view key) {
    return frame::make({.data = "x"}, ssekit::utf8_policy::pass_through, {topic, key}).frame;
}

} // namespace

TEST_CASE(
    "an event knows the newer one of its key, at every morning of positions, as a model has it") {
    constexpr std::uint64_t starts[] = {0, (1ull << 32) - 100, (1ull << 32) - 1, (1ull << 31) - 50,
                                        ~std::uint64_t{0} - 1000};
    for (std::uint32_t seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        const std::uint64_t first = random.pick(starts);
        const bool apart = random.one_in(2);
        event_log log({.events = 1 + random.below(30), .burst = no_burst}, 0, ssekit::heap(),
                      first);
        if (apart) log.tell_topics_apart();
        std::vector<std::string> model; // the key of each event ever, topics told apart or not
        std::uint64_t kept_from = first;
        constexpr std::string_view topics[] = {"c", "ca", ""};
        constexpr std::string_view keys[] = {"", "ab", "b", "a", "x"};
        for (std::uint64_t i = 0; i < 300; ++i) {
            const std::string_view topic = random.pick(topics), key = random.pick(keys);
            const std::uint64_t begin = log.begin();
            REQUIRE(log.append(with(topic, key), i + 1, morning) == errc::ok);
            model.push_back(key.empty() ? "-" + std::to_string(i)
                            : apart     ? std::string(topic) + "|" + std::string(key)
                                        : std::string(key));
            REQUIRE(log.end() == first + i + 1);
            for (std::uint64_t gone = begin; gone != log.begin(); ++gone) {
                const auto at = model.begin() + static_cast<std::ptrdiff_t>(gone - first);
                // It goes while the new event is here, or before: either is superseded or not.
                if (std::find(at + 1, model.end(), *at) == model.end()) kept_from = gone + 1;
            }
            REQUIRE(log.values_kept_from() >= kept_from);
            for (std::uint64_t p = log.begin(); p != log.end(); ++p) {
                const auto at = model.begin() + static_cast<std::ptrdiff_t>(p - first);
                const auto newer = std::find(at + 1, model.end(), *at);
                REQUIRE(log[p].newer == (newer == model.end() ? 0 : newer - at));
            }
        }
    }
}

TEST_CASE("what has gone without being replaced is told, what was replaced is not") {
    event_log log({.events = 2, .burst = no_burst});
    for (const std::string_view key : {"a", "a", "b"}) {
        CHECK(log.append(with("t", key), log.end() + 1, morning) == errc::ok);
    }
    CHECK(log.begin() == 1);
    CHECK(log.values_kept_from() == 0);                        // the first a was replaced
    CHECK(log.append(with("t", "b"), 4, morning) == errc::ok); // the second a was not
    CHECK(log.values_kept_from() == 2);
    CHECK(log.append(with("t", ""), 5, morning) == errc::ok);
    CHECK(log.values_kept_from() == 2);
}

TEST_CASE("a key that has gone is free again") {
    event_log log({.events = 1, .burst = no_burst});
    for (std::uint64_t i = 1; i <= 100; ++i) {
        CHECK(log.append(with("t", "k" + std::to_string(i % 3)), i, morning) == errc::ok);
        CHECK(log[log.begin()].newer == 0);
    }
}

TEST_CASE("a gap stands in its place, counts as kept, and its offset is told") {
    event_log log({.events = 3, .burst = no_burst});
    CHECK(log.newest_gap() == 0);
    CHECK(log.append(with("t", "k"), 1, morning) == errc::ok);
    CHECK(log.append_gap(frame::verbatim("gap"), 7, morning) == errc::ok);
    CHECK(log.newest_gap() == 7);
    CHECK(log.newest_offset() == 7);
    CHECK(log[1].tells_of_gap);
    CHECK_FALSE(log[0].tells_of_gap);
    CHECK(log.append(with("t", "k"), 8, morning) == errc::ok);
    CHECK(log[0].newer == 2);
    CHECK(log.bytes_from(1) == 3 + log[2].frame.wire().size());
    CHECK(log.append(with("t", ""), 9, morning) == errc::ok);
    CHECK(log.append(with("t", ""), 10, morning) == errc::ok);
    CHECK(log.lost_through() == 7);
    CHECK(log.newest_gap() == 7);
}

TEST_CASE(
    "while it is read a log keeps a burst and no longer than that, and never past its bound") {
    event_log log({.events = 2, .burst = {.within = 1s, .events = 5}});
    for (std::uint64_t i = 1; i <= 5; ++i) {
        CHECK(log.append(with("t", ""), i, morning + i * 100ms, log_use::read) == errc::ok);
    }
    CHECK(log.size() == 5);
    CHECK(log.room_for_events() == 0);
    CHECK(log.append(with("t", ""), 6, morning + 600ms, log_use::read) == errc::ok);
    CHECK(log.size() == 5);
    CHECK(log.next_expiry(log_use::read) == morning + 200ms + 1s);
    log.trim(morning + 1199ms, log_use::read);
    CHECK(log.size() == 5);
    log.trim(morning + 1200ms, log_use::read);
    CHECK(log.size() == 4);
    log.trim(morning + 1h, log_use::read);
    CHECK(log.size() == 2);
    CHECK(log.next_expiry(log_use::read) == ssekit::never);
    log.trim(morning + 2h, log_use::idle);
    CHECK(log.size() == 2);
}

TEST_CASE("what nobody reads any more loses its burst at once") {
    event_log log({.events = 2, .burst = {.within = 1h, .events = 100}});
    for (std::uint64_t i = 1; i <= 50; ++i) {
        CHECK(log.append(with("t", ""), i, morning, log_use::read) == errc::ok);
    }
    CHECK(log.size() == 50);
    log.trim(morning, log_use::idle);
    CHECK(log.size() == 2);
    CHECK(log.lost_through() == 48);
}

TEST_CASE("new bounds count at once") {
    event_log log({.events = 50, .burst = no_burst});
    for (std::uint64_t i = 1; i <= 50; ++i) {
        CHECK(log.append(with("t", ""), i, morning) == errc::ok);
    }
    log.set_retention({.events = 7, .burst = no_burst}, morning);
    CHECK(log.size() == 7);
    CHECK(log.lost_through() == 43);
    log.set_retention({.age = 1s}, morning + 2s, log_use::read);
    CHECK(log.size() == 1); // the newest stays while it is read
    log.set_retention({.age = -1ms}, morning + 2s, log_use::idle);
    CHECK(log.size() == 0);
}

TEST_CASE("values that are kept again are found once each, one after the other") {
    ssekit::retention none{.burst = no_burst};
    ssekit::retention some = none;
    some.values.keys = 10;
    event_log log(some);
    REQUIRE(log.append(with("t", "k"), 1, morning) == errc::ok);
    REQUIRE(log.append(with("t", "l"), 2, morning) == errc::ok);
    log.set_retention(none, morning);
    log.set_retention(some, morning);
    CHECK(log.values() == 2);
    CHECK(log.newest_after(0).offset == 1);
    CHECK(log.newest_after(1).offset == 2);
    CHECK(log.newest_after(2).event == nullptr);
}

TEST_CASE("what is known to be lost only grows") {
    event_log log({.events = 1, .burst = no_burst}, 5);
    CHECK(log.lost_through() == 5);
    CHECK(log.newest_offset() == 5);
    log.set_lost_through(3);
    CHECK(log.lost_through() == 5);
    log.set_lost_through(~std::uint64_t{0} - 1);
    CHECK(log.lost_through() == ~std::uint64_t{0} - 1);
    CHECK(log.append(with("t", ""), ~std::uint64_t{0}, morning) == errc::ok);
    CHECK(log.newest_offset() == ~std::uint64_t{0});
    CHECK(log.after(~std::uint64_t{0} - 1) == 0);
    CHECK(log.after(~std::uint64_t{0}) == 1);
}

TEST_CASE("bytes are counted for ever and from a position") {
    event_log log({.events = 3, .burst = no_burst});
    std::uint64_t all = 0;
    for (std::uint64_t i = 1; i <= 20; ++i) {
        CHECK(log.append(frame::verbatim(std::string(static_cast<std::size_t>(i), 'x')), i,
                         morning) == errc::ok);
        all += i;
        CHECK(log.bytes_ever() == all);
        CHECK(log.bytes_from(log.end()) == 0);
        CHECK(log.bytes_from(log.end() - 1) == i);
        CHECK(log.bytes_from(log.begin()) == log.bytes());
        CHECK(log[log.end() - 1].bytes_before == all - i);
    }
}

TEST_CASE("memory that a burst has taken comes back in steps and nothing is lost by it") {
    support::counted_memory memory;
    {
        event_log log({.events = 10, .burst = {.within = 1s}}, 0, &memory);
        for (std::uint64_t i = 1; i <= 5000; ++i) {
            CHECK(log.append(with("t", std::to_string(i % 50)), i, morning, log_use::read) ==
                  errc::ok);
        }
        const std::size_t most = memory.live_bytes;
        log.trim(morning + 1h, log_use::read);
        for (int i = 0; i < 10; ++i) log.shrink();
        CHECK(memory.live_bytes < most / 10);
        CHECK(log.size() == 10);
        for (std::uint64_t p = log.begin(); p != log.end(); ++p) CHECK(log[p].offset == p + 1);
        CHECK(log.append(with("t", "49"), 5001, morning + 1h, log_use::read) == errc::ok);
        CHECK(log[4998].newer == 2); // 4999 % 50 == 49
    }
    CHECK(memory.live() == 0);
}

TEST_CASE("a log whose memory fails at any moment loses nothing that it has said it took") {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        support::counted_memory memory;
        {
            event_log log({.events = 100, .burst = no_burst}, 0, &memory);
            std::vector<std::uint64_t> model;
            for (std::uint64_t i = 1; i <= 90; ++i) {
                memory.grace = random.one_in(2) ? 0 : support::counted_memory::unlimited;
                memory.struck = false;
                const std::string key = std::to_string(random.below(60));
                const bool gap = random.one_in(10);
                const errc code =
                    gap ? log.append_gap(frame::verbatim("g"), i, morning)
                        : log.append(with("t", random.one_in(2) ? key : ""), i, morning);
                CHECK(code == (memory.struck ? errc::out_of_memory : errc::ok));
                if (code == errc::ok) model.push_back(i);
                REQUIRE(log.size() == model.size());
            }
            for (std::size_t i = 0; i < model.size(); ++i) CHECK(log[i].offset == model[i]);
        }
        CHECK(memory.live() == 0);
    }
}

TEST_CASE("what was reserved is there") {
    for (const bool key : {false, true}) {
        support::counted_memory memory;
        event_log log({.events = 1000}, 0, &memory);
        for (std::uint64_t i = 1; i <= 300; ++i) {
            REQUIRE(log.reserve(key, morning));
            memory.grace = 0;
            REQUIRE(log.append(with("t", key ? std::to_string(i) : ""), i, morning) == errc::ok);
            memory.grace = support::counted_memory::unlimited;
        }
    }
}

TEST_CASE("a log at its bound needs no memory for the next event") {
    support::counted_memory memory;
    event_log log({.events = 64, .burst = no_burst}, 0, &memory);
    for (std::uint64_t i = 1; i <= 64; ++i)
        CHECK(log.append(with("t", ""), i, morning) == errc::ok);
    memory.grace = 0;
    CHECK(log.reserve(false, morning));
    CHECK_FALSE(memory.struck);
}

TEST_CASE("an event whose key finds no memory takes no other one's place") {
    support::counted_memory memory;
    event_log log({.events = 16, .burst = no_burst}, 0, &memory);
    std::uint64_t offset = 0;
    for (int i = 0; i < 8; ++i) CHECK(log.append(with("t", ""), ++offset, morning) == errc::ok);
    for (int i = 0; i < 8; ++i) {
        CHECK(log.append(with("t", std::to_string(i)), ++offset, morning) == errc::ok);
    }
    memory.grace = 0;
    CHECK(log.append(with("t", "new"), ++offset, morning) == errc::out_of_memory);
    CHECK(log.size() == 16);
    CHECK(log.begin() == 0);
}
