// SPDX-License-Identifier: MIT
#include <ssekit/event_log.hpp>

#include "support/allocations.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_log;
using ssekit::frame;
using ssekit::log_use;
using ssekit::never;
using ssekit::retention;
using ssekit::time_point;
using support::morning;

namespace {

frame of_size(std::size_t size) {
    return frame::verbatim(std::string(size, 'x'));
}
frame with(std::uint64_t number) {
    return frame::verbatim(std::to_string(number));
}

/// These bounds, and nothing beyond them for a burst.
retention exactly(retention keep) {
    keep.burst.within = 0ms;
    return keep;
}

/// To a log that is read. \returns whether there was memory.
bool put(event_log& log, frame event, std::uint64_t offset, time_point now = morning) {
    return log.append(std::move(event), offset, now, log_use::read) == errc::ok;
}
bool put(event_log& log, std::uint64_t offset, time_point now = morning) {
    return put(log, with(offset), offset, now);
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
    CHECK(log.next_expiry(log_use::read) == never);
}

TEST_CASE("a log keeps at most as many events as it is told") {
    for (const std::size_t bound : {1u, 2u, 3u, 7u, 8u, 9u, 100u}) {
        CAPTURE(bound);
        event_log log(exactly({.events = bound}));
        for (std::uint64_t i = 1; i <= 300; ++i) {
            REQUIRE(put(log, i));
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
    event_log log(exactly({.events = 0, .bytes = 0}));
    CHECK(put(log, 1));
    CHECK(kept(log) == "1");
    CHECK(put(log, 2));
    CHECK(kept(log) == "2");
}

TEST_CASE("a log keeps at most as many bytes as it is told but always the newest event") {
    event_log log(exactly({.bytes = 100}));
    CHECK(put(log, of_size(40), 1));
    CHECK(put(log, of_size(60), 2));
    CHECK(log.size() == 2);
    CHECK(log.bytes() == 100);
    CHECK(put(log, of_size(1), 3));
    CHECK(log.size() == 2);
    CHECK(log.bytes() == 61);
    CHECK(log.lost_through() == 1);
    CHECK(put(log, of_size(1000), 4));
    CHECK(log.size() == 1);
    CHECK(log.bytes() == 1000);
    CHECK(log[log.begin()].offset == 4);
    CHECK(put(log, of_size(5), 5));
    CHECK(log.size() == 1);
    CHECK(log.bytes() == 5);
    CHECK(log.begin() == 4);
    CHECK(log.lost_through() == 4);
}

TEST_CASE("what is too old goes but for the newest event of a log that is read") {
    event_log log(exactly({.age = 10s}));
    CHECK(put(log, 1, morning));
    CHECK(log.next_expiry(log_use::read) == never); // the newest does not expire
    CHECK(put(log, 2, morning + 4s));
    CHECK(put(log, 3, morning + 8s));
    CHECK(log.next_expiry(log_use::read) == morning + 10s);
    log.trim(morning + 10s - 1ns, log_use::read);
    CHECK(kept(log) == "1 2 3");
    log.trim(morning + 10s, log_use::read);
    CHECK(kept(log) == "2 3");
    CHECK(log.lost_through() == 1);
    CHECK(log.next_expiry(log_use::read) == morning + 14s);
    log.trim(morning + 1h, log_use::read);
    CHECK(kept(log) == "3");
    CHECK(log.next_expiry(log_use::read) == never);
    CHECK(put(log, 4, morning + 1h));
    CHECK(kept(log) == "4");          // appending trims
    log.trim(morning, log_use::read); // a clock that goes back does no harm
    CHECK(kept(log) == "4");
}

TEST_CASE("an age without end is no bound") {
    event_log log(exactly({.age = std::chrono::milliseconds::max()}));
    CHECK(put(log, 1, morning));
    CHECK(put(log, 2, morning));
    log.trim(morning + 24h * 365 * 100, log_use::read);
    CHECK(kept(log) == "1 2");
    CHECK(log.next_expiry(log_use::read) > morning + 24h * 365 * 100);
}

TEST_CASE("after finds the first event behind an offset as a linear search would") {
    std::mt19937 random(1);
    for (int round = 0; round < 50; ++round) {
        event_log log(exactly({.events = 1 + random() % 40}));
        std::uint64_t offset = 0;
        for (std::size_t n = random() % 100; n > 0; --n) {
            offset += 1 + random() % 5;
            CHECK(put(log, offset));
        }
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
    for (std::uint32_t seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        retention keep{.events = 1 + random() % 50,
                       .bytes = 1 + random() % 500,
                       .age = std::chrono::seconds(random() % 60)};
        keep.burst = {.within = std::chrono::milliseconds(random() % 4 * 3000),
                      .events = keep.events + random() % 20,
                      .bytes = keep.bytes + random() % 400};
        event_log log(keep);
        std::deque<naive_entry> model;
        std::uint64_t lost = 0;
        std::uint64_t offset = 0;
        std::uint64_t appended = 0;
        time_point now = morning;
        log_use use = log_use::idle;
        const auto trim = [&] {
            const bool bursts = use == log_use::read && keep.burst.within != 0ms;
            const auto goes = [&] {
                std::size_t bytes = 0;
                for (const naive_entry& entry : model) bytes += entry.size;
                const auto over = [&](std::size_t most_events, std::size_t most_bytes) {
                    return model.size() > most_events || (bytes > most_bytes && model.size() > 1);
                };
                const time_point published = model.front().published;
                if (keep.age != 0s && published + keep.age <= now) return true;
                if (!over(keep.events, keep.bytes)) return false;
                if (!bursts || published + keep.burst.within <= now) return true;
                return over(keep.burst.events, keep.burst.bytes);
            };
            const std::size_t least = use == log_use::read ? 1 : 0;
            for (; model.size() > least && goes(); model.pop_front()) lost = model.front().offset;
        };
        for (int step = 0; step < 500; ++step) {
            now += std::chrono::milliseconds(random() % 2000);
            if (random() % 10 == 0) use = use == log_use::idle ? log_use::read : log_use::idle;
            if (random() % 4 == 0) {
                log.trim(now, use);
            } else {
                const std::size_t size = 1 + random() % 60;
                offset += 1 + random() % 3;
                ++appended;
                REQUIRE(log.append(of_size(size), offset, now, use) == errc::ok);
                model.push_back({offset, size, now});
            }
            trim();
            if (random() % 20 == 0) log.shrink();
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
            REQUIRE(log.bytes_from(log.begin()) == bytes);
        }
    }
}

TEST_CASE("a log that nobody reads keeps nothing that is too old, and one event however large") {
    event_log log({.bytes = 10, .age = 10s});
    CHECK(log.append(of_size(100), 1, morning) == errc::ok);
    CHECK(log.size() == 1);
    CHECK(log.next_expiry() == morning + 10s);
    log.trim(morning + 10s - 1ns);
    CHECK(log.size() == 1);
    log.trim(morning + 10s);
    CHECK(log.size() == 0);
    CHECK(log.bytes() == 0);
    CHECK(log.lost_through() == 1);
    CHECK(log.newest_offset() == 1);
    CHECK(log.next_expiry() == never);
    event_log none({.age = -1s}); // nothing but what is being delivered
    CHECK(none.append(with(1), 1, morning) == errc::ok);
    CHECK(none.size() == 0);
    CHECK(put(none, 2));
    CHECK(kept(none) == "2");
    CHECK(put(none, 3));
    CHECK(kept(none) == "3");
    CHECK(none.next_expiry(log_use::read) == never);
}

TEST_CASE("while a log is read a burst stays for its time, and then goes") {
    event_log log({.events = 2, .burst = {.within = 1s, .events = 5}});
    for (std::uint64_t i = 1; i <= 5; ++i) CHECK(put(log, i, morning + i * 1ms));
    CHECK(kept(log) == "1 2 3 4 5");
    CHECK(log.next_expiry(log_use::read) == morning + 1ms + 1s);
    CHECK(log.room_for_events() == 0);
    CHECK(put(log, 6, morning + 6ms)); // the hard bound
    CHECK(kept(log) == "2 3 4 5 6");
    log.trim(morning + 1s + 3ms - 1ns, log_use::read);
    CHECK(kept(log) == "3 4 5 6");
    log.trim(morning + 1s + 3ms, log_use::read);
    CHECK(kept(log) == "4 5 6");
    log.trim(morning + 1h, log_use::read);
    CHECK(kept(log) == "5 6"); // within the bounds that always count
    CHECK(log.next_expiry(log_use::read) == never);
    CHECK(log.room_for_events() == 3);

    event_log unread({.events = 2, .burst = {.within = 1s, .events = 5}});
    for (std::uint64_t i = 1; i <= 5; ++i) CHECK(unread.append(with(i), i, morning) == errc::ok);
    CHECK(kept(unread) == "4 5");
}

TEST_CASE("the hard bound of bytes is to the byte, and the newest event passes whatever its size") {
    event_log log({.bytes = 10, .burst = {.within = 1s, .bytes = 100}});
    CHECK(put(log, of_size(60), 1));
    CHECK(put(log, of_size(40), 2));
    CHECK(log.size() == 2);
    CHECK(log.room_for_bytes() == 0);
    CHECK(put(log, of_size(1), 3));
    CHECK(log.size() == 2);
    CHECK(log.room_for_bytes() == 59);
    CHECK(put(log, of_size(1000), 4));
    CHECK(log.size() == 1);
    CHECK(log.room_for_bytes() == 0);
}

TEST_CASE("bounds of a burst below those that always count are raised to them") {
    event_log log({.events = 4, .bytes = 100, .burst = {.within = 1s, .events = 0, .bytes = 0}});
    for (std::uint64_t i = 1; i <= 6; ++i) CHECK(put(log, i));
    CHECK(kept(log) == "3 4 5 6");
    CHECK(log.bounds().burst.events == 4);
    CHECK(log.bounds().burst.bytes == 100);
}

TEST_CASE("a log gives back the memory that a burst has taken") {
    if (!support::counts_allocations) return;
    const frame event = with(1);
    event_log log({.events = 10});
    const support::allocation_watch watch;
    for (std::uint64_t i = 1; i <= 4096; ++i) CHECK(put(log, event, i));
    CHECK(log.size() == 4096);
    log.trim(morning + 2s, log_use::read);
    CHECK(log.size() == 10);
    for (int i = 0; i < 10; ++i) log.shrink(); // a step at a time
    const std::size_t held = watch.allocations() - watch.frees();
    CHECK(held == 1);
    const support::allocation_watch again;
    for (std::uint64_t i = 5000; i <= 5040; ++i) CHECK(put(log, event, i));
    CHECK(again.allocations() <= 1); // it had given back nearly all
    CHECK(log[log.begin()].offset > 4000);
}

TEST_CASE("each event knows how far on the newer one of its key is") {
    event_log log({.events = 100});
    const auto keyed = [&](std::uint64_t offset, std::string_view key,
                           std::string_view topic = "t") {
        return put(log, frame::make({.data = "x"}, {}, {topic, key}).frame, offset);
    };
    for (const auto& [offset, key] : {std::pair<std::uint64_t, const char*>{1, "k"},
                                      {2, "l"},
                                      {3, "k"},
                                      {4, ""},
                                      {5, "k"},
                                      {6, ""}}) {
        CHECK(keyed(offset, key));
    }
    CHECK(log[0].newer == 2);
    CHECK(log[1].newer == 0);
    CHECK(log[2].newer == 2);
    CHECK(log[3].newer == 0);
    CHECK(log[4].newer == 0);
    CHECK(log.values_kept_from() == 0);
    log.set_retention(exactly({.events = 5}), morning, log_use::read); // a "k" that is old goes
    CHECK(log.begin() == 1);
    CHECK(log.values_kept_from() == 0);
    log.set_retention(exactly({.events = 4}), morning, log_use::read); // and the only "l"
    CHECK(log.values_kept_from() == 2);
}

TEST_CASE("a gap that is told of has its place among the events and is found on coming back") {
    event_log log({.events = 10});
    CHECK(put(log, 1));
    CHECK(log.append_gap(frame::verbatim("gap"), 4, morning) == errc::ok);
    CHECK(put(log, 5));
    CHECK(log.size() == 3);
    CHECK(log[1].tells_of_gap);
    CHECK_FALSE(log[2].tells_of_gap);
    CHECK(log[1].offset == 4);
    CHECK(log.newest_gap() == 4);
    CHECK(log.after(3) == 1);
    CHECK(log.after(4) == 2);
    CHECK(log.lost_through() == 0);
}

TEST_CASE("positions begin where they are told to, and pass the ends of 32 and of 64 bits") {
    using limits = std::numeric_limits<std::uint32_t>;
    for (const std::uint64_t first :
         {std::uint64_t{1} << 20, std::uint64_t{limits::max()} - 5, ~std::uint64_t{0} - 5}) {
        event_log log(exactly({.events = 4}), 0, ssekit::heap(), first);
        CHECK(log.begin() == first);
        CHECK(log.end() == first);
        for (std::uint64_t i = 1; i <= 20; ++i) {
            CHECK(put(log, frame::make({.data = "x"}, {}, {"t", "k"}).frame, i));
            CHECK(log.end() == first + i);
            CHECK(log.size() == std::min<std::uint64_t>(i, 4));
            CHECK(log[log.end() - 1].offset == i);
            CHECK(log[log.end() - 1].newer == 0);
            if (i > 1) CHECK(log[log.end() - 2].newer == 1);
        }
    }
}

TEST_CASE("no bound of a log overflows at the ends of its range") {
    using ms = std::chrono::milliseconds;
    for (const ms time : {ms(0), ms(1), ms(-1), ms::max(), ms::max() - 1ms, ms::min()}) {
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, ~std::size_t{0}, ~std::size_t{0} - 1}) {
            for (const log_use use : {log_use::idle, log_use::read}) {
                CAPTURE(time.count());
                CAPTURE(size);
                event_log log({.events = size,
                               .bytes = size,
                               .age = time,
                               .burst = {.within = time, .events = size, .bytes = size}});
                for (std::uint64_t i = 1; i <= 3; ++i) {
                    CHECK(log.append(with(i), i, morning + i * 1ms, use) == errc::ok);
                    CHECK(log.next_expiry(use) > morning);
                    CHECK(log.room_for_events() + log.size() >= 1);
                }
                log.trim(morning + 24h * 365, use);
                const bool all = size > 1 && (time == 0ms || time >= ms::max() - 1ms);
                if (all) CHECK(log.size() == 3);
                if (time < 0ms) CHECK(log.size() == (use == log_use::read ? 1 : 0));
            }
        }
    }
}

TEST_CASE("a frame that has gone is freed at once and a frame that is kept is not copied") {
    event_log log(exactly({.events = 2}));
    const frame first = with(1);
    CHECK(put(log, first, 1));
    CHECK(first.owners() == 2);
    CHECK(log[0].frame.wire().data() == first.wire().data());
    CHECK(put(log, 2));
    CHECK(first.owners() == 2);
    CHECK(put(log, 3));
    CHECK(first.owners() == 1);
    CHECK(kept(log) == "2 3");
}

TEST_CASE("the ring stops growing at its bound") {
    if (!support::counts_allocations) return;
    event_log log(exactly({.events = 100}));
    const frame event = with(1);
    for (std::uint64_t i = 1; i <= 100; ++i) CHECK(put(log, event, i));
    const support::allocation_watch watch;
    for (std::uint64_t i = 101; i <= 1000; ++i) CHECK(put(log, event, i));
    CHECK(watch.allocations() == 0);
}

TEST_CASE("an append without memory changes nothing") {
    if (!support::counts_allocations) return;
    event_log log(exactly({.events = 100}));
    std::uint64_t offset = 0;
    std::size_t failures = 0;
    while (offset < 100) {
        frame event = with(offset + 1);
        const time_point before = log.next_expiry(log_use::read);
        const std::uint64_t size = log.size();
        bool struck = false;
        {
            const support::failing_allocations none(0);
            const errc code = log.append(std::move(event), offset + 1, morning);
            struck = none.struck();
            CHECK(code == (struck ? errc::out_of_memory : errc::ok));
        }
        if (struck) {
            ++failures;
            CHECK(log.size() == size);
            CHECK(log.next_expiry(log_use::read) == before);
            CHECK(put(log, offset + 1));
        }
        ++offset;
        CHECK(log[log.end() - 1].offset == offset);
    }
    CHECK(failures >= 3);
    CHECK(log.size() == 100);
    CHECK(log.after(0) == 0);
}
