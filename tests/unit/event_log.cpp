// SPDX-License-Identifier: MIT
#include <ssekit/event_log.hpp>

#include "support/allocations.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_log;
using ssekit::frame;
using ssekit::never;
using ssekit::time_point;

namespace {

constexpr time_point start{10h};

frame of_size(std::size_t size) {
    return frame::verbatim(std::string(size, 'x'));
}
frame with(std::uint64_t number) {
    return frame::verbatim(std::to_string(number));
}

errc append(event_log& log, std::uint64_t offset, time_point now = start) {
    return log.append(with(offset), offset, now);
}

/// Offsets of what is kept, "2 3 4".
std::string kept(const event_log& log) {
    std::string out;
    for (std::uint64_t i = log.begin(); i != log.end(); ++i) {
        out += (out.empty() ? "" : " ") + std::to_string(log[i].offset);
        CHECK(log[i].frame.wire() == std::to_string(log[i].offset));
    }
    return out;
}

} // namespace

TEST_CASE("an empty log keeps nothing and has lost nothing") {
    const event_log log;
    CHECK(log.begin() == 0);
    CHECK(log.end() == 0);
    CHECK(log.size() == 0);
    CHECK(log.bytes() == 0);
    CHECK(log.after(0) == 0);
    CHECK(log.after(100) == 0);
    CHECK(log.lost_through() == 0);
    CHECK(log.next_expiry() == never);
}

TEST_CASE("a log keeps at most as many events as it is told") {
    for (const std::size_t bound : {1u, 2u, 3u, 7u, 8u, 9u, 100u}) {
        CAPTURE(bound);
        event_log log({.events = bound});
        for (std::uint64_t i = 1; i <= 300; ++i) {
            REQUIRE(append(log, i) == errc::ok);
            const std::uint64_t size = std::min<std::uint64_t>(i, bound);
            REQUIRE(log.end() == i);
            REQUIRE(log.size() == size);
            REQUIRE(log.begin() == i - size);
            REQUIRE(log.lost_through() == i - size);
            REQUIRE(log[log.begin()].offset == i - size + 1);
            REQUIRE(log[log.end() - 1].offset == i);
        }
    }
}

TEST_CASE("zero events means one") {
    event_log log({.events = 0, .bytes = 0});
    CHECK(append(log, 1) == errc::ok);
    CHECK(kept(log) == "1");
    CHECK(append(log, 2) == errc::ok);
    CHECK(kept(log) == "2");
}

TEST_CASE("a log keeps at most as many bytes as it is told but always the newest event") {
    event_log log({.bytes = 100});
    log.append(of_size(40), 1, start);
    log.append(of_size(60), 2, start);
    CHECK(log.size() == 2);
    CHECK(log.bytes() == 100);
    log.append(of_size(1), 3, start);
    CHECK(log.size() == 2);
    CHECK(log.bytes() == 61);
    CHECK(log.lost_through() == 1);
    log.append(of_size(1000), 4, start);
    CHECK(log.size() == 1);
    CHECK(log.bytes() == 1000);
    CHECK(log[log.begin()].offset == 4);
    log.append(of_size(5), 5, start);
    CHECK(log.size() == 1);
    CHECK(log.bytes() == 5);
    CHECK(log.begin() == 4);
    CHECK(log.lost_through() == 4);
}

TEST_CASE("what is too old goes but for the newest event") {
    event_log log({.age = 10s});
    append(log, 1, start);
    CHECK(log.next_expiry() == never); // the newest does not expire
    append(log, 2, start + 4s);
    append(log, 3, start + 8s);
    CHECK(log.next_expiry() == start + 10s);
    log.trim(start + 10s - 1ns);
    CHECK(kept(log) == "1 2 3");
    log.trim(start + 10s);
    CHECK(kept(log) == "2 3");
    CHECK(log.lost_through() == 1);
    CHECK(log.next_expiry() == start + 14s);
    log.trim(start + 1h);
    CHECK(kept(log) == "3");
    CHECK(log.next_expiry() == never);
    append(log, 4, start + 1h);
    CHECK(kept(log) == "4"); // appending trims
    log.trim(start);         // a clock that goes back does no harm
    CHECK(kept(log) == "4");
}

TEST_CASE("an age without end is no bound") {
    event_log log({.age = std::chrono::milliseconds::max()});
    append(log, 1, start);
    append(log, 2, start);
    log.trim(start + 24h * 365 * 100);
    CHECK(kept(log) == "1 2");
    CHECK(log.next_expiry() > start + 24h * 365 * 100);
}

TEST_CASE("after finds the first event behind an offset as a linear search would") {
    std::mt19937 random(1);
    for (int round = 0; round < 50; ++round) {
        event_log log({.events = 1 + random() % 40});
        std::uint64_t offset = 0;
        for (std::size_t n = random() % 100; n > 0; --n) append(log, offset += 1 + random() % 5);
        for (std::uint64_t wanted = 0; wanted <= offset + 2; ++wanted) {
            std::uint64_t found = log.begin();
            while (found != log.end() && log[found].offset <= wanted) ++found;
            REQUIRE(log.after(wanted) == found);
        }
        REQUIRE(log.after(~std::uint64_t{0}) == log.end());
    }
}

TEST_CASE("a log under random use keeps what a naive one keeps") {
    struct naive_entry {
        std::uint64_t offset;
        std::size_t size;
        time_point published;
    };
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const ssekit::retention keep{.events = 1 + random() % 50,
                                     .bytes = 1 + random() % 500,
                                     .age = std::chrono::seconds(random() % 60)};
        event_log log(keep);
        std::deque<naive_entry> model;
        std::uint64_t lost = 0;
        std::uint64_t offset = 0;
        std::uint64_t appended = 0;
        time_point now = start;
        const auto trim = [&] {
            const auto over = [&] {
                std::size_t bytes = 0;
                for (const naive_entry& entry : model) bytes += entry.size;
                const bool old = keep.age != 0s && model.front().published + keep.age <= now;
                return model.size() > keep.events || bytes > keep.bytes || old;
            };
            for (; model.size() > 1 && over(); model.pop_front()) lost = model.front().offset;
        };
        for (int step = 0; step < 500; ++step) {
            now += std::chrono::milliseconds(random() % 2000);
            if (random() % 4 == 0) {
                log.trim(now);
            } else {
                const std::size_t size = 1 + random() % 60;
                offset += 1 + random() % 3;
                ++appended;
                REQUIRE(log.append(of_size(size), offset, now) == errc::ok);
                model.push_back({offset, size, now});
            }
            trim();
            REQUIRE(log.end() == appended);
            REQUIRE(log.size() == model.size());
            REQUIRE(log.lost_through() == lost);
            std::size_t bytes = 0;
            for (std::size_t i = 0; i < model.size(); ++i) {
                REQUIRE(log[log.begin() + i].offset == model[i].offset);
                REQUIRE(log[log.begin() + i].published == model[i].published);
                REQUIRE(log[log.begin() + i].frame.wire().size() == model[i].size);
                bytes += model[i].size;
            }
            REQUIRE(log.bytes() == bytes);
        }
    }
}

TEST_CASE("a frame that has gone is freed at once and a frame that is kept is not copied") {
    event_log log({.events = 2});
    const frame first = with(1);
    log.append(first, 1, start);
    CHECK(first.owners() == 2);
    CHECK(log[0].frame.wire().data() == first.wire().data());
    append(log, 2);
    CHECK(first.owners() == 2);
    append(log, 3);
    CHECK(first.owners() == 1);
    CHECK(kept(log) == "2 3");
}

TEST_CASE("the ring stops growing at its bound") {
    if (!support::counts_allocations) return;
    event_log log({.events = 100});
    const frame event = with(1);
    for (std::uint64_t i = 1; i <= 100; ++i) log.append(event, i, start);
    const support::allocation_watch watch;
    for (std::uint64_t i = 101; i <= 1000; ++i) log.append(event, i, start);
    CHECK(watch.allocations() == 0);
}

TEST_CASE("an append without memory changes nothing") {
    if (!support::counts_allocations) return;
    event_log log({.events = 100});
    std::uint64_t offset = 0;
    std::size_t failures = 0;
    while (offset < 100) {
        frame event = with(offset + 1);
        const time_point before = log.next_expiry();
        const std::uint64_t size = log.size();
        bool struck = false;
        {
            const support::failing_allocations none(0);
            const errc code = log.append(std::move(event), offset + 1, start);
            struck = none.struck();
            CHECK(code == (struck ? errc::out_of_memory : errc::ok));
        }
        if (struck) {
            ++failures;
            CHECK(log.size() == size);
            CHECK(log.next_expiry() == before);
            CHECK(append(log, offset + 1) == errc::ok);
        }
        ++offset;
        CHECK(log[log.end() - 1].offset == offset);
    }
    CHECK(failures >= 3);
    CHECK(log.size() == 100);
    CHECK(log.after(0) == 0);
}
