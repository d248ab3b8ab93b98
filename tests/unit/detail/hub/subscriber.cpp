// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/subscriber.hpp>

#include "support/counted_memory.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

using ssekit::framing;
using ssekit::lag_policy;
using ssekit::stream_end;
using ssekit::detail::side_table;
using ssekit::detail::subscriber;

TEST_CASE("an idle plain stream takes no more than a cache line") {
    CHECK(sizeof(subscriber) <= 64);
}

TEST_CASE("bytes are counted with their carry, modulo 2^48") {
    constexpr std::uint64_t b32 = std::uint64_t{1} << 32;
    constexpr std::uint64_t b48 = std::uint64_t{1} << 48;
    const std::uint64_t counts[] = {0,
                                    1,
                                    5,
                                    b32 - 1,
                                    b32,
                                    b32 + 1,
                                    3 * b32 - 1,
                                    b48 - 1,
                                    b48,
                                    b48 + b32 + 7,
                                    ~std::uint64_t{0}};
    for (const std::uint64_t a : counts) {
        for (const std::uint64_t b : counts) {
            CAPTURE(a);
            CAPTURE(b);
            subscriber item;
            item.count_bytes(a);
            CHECK(item.bytes() == a % b48);
            item.count_bytes(b);
            CHECK(item.bytes() == (a + b) % b48);
        }
    }
    support::dice random(1);
    subscriber item;
    std::uint64_t all = 0;
    for (int i = 0; i < 10000; ++i) {
        const std::uint64_t more = random.below(~std::uint32_t{0}) << random.below(12);
        item.count_bytes(more);
        all += more;
        REQUIRE(item.bytes() == all % b48);
    }
}

TEST_CASE("a record keeps every end, every lag policy and both framings") {
    for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(stream_end::out_of_memory); ++i) {
        subscriber item;
        item.plain = 1;
        item.set_end(static_cast<stream_end>(i));
        CHECK(item.end() == static_cast<stream_end>(i));
        CHECK_FALSE(bool(item.plain));
    }
    for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(lag_policy::coalesce); ++i) {
        subscriber item;
        item.lag_number = i & 7;
        CHECK(item.on_lag() == static_cast<lag_policy>(i));
    }
    subscriber item;
    CHECK(item.form() == framing::raw);
    item.chunked = 1;
    CHECK(item.form() == framing::chunked);
}

TEST_CASE(
    "a stream is done when nothing will leave any more, by its end, its hand and its last words") {
    subscriber item;
    CHECK_FALSE(item.is_done());
    for (const bool chunked : {false, true}) {
        for (const bool holds : {false, true}) {
            for (const bool last_given : {false, true}) {
                const auto done = [&](stream_end why) {
                    subscriber one;
                    one.chunked = chunked;
                    one.hand = holds ? 1 : 0;
                    one.last_given = last_given;
                    one.set_end(why);
                    return one.is_done();
                };
                CHECK_FALSE(done(stream_end::open));
                // What was meant goes to its proper end, with all that it gives out last.
                for (const stream_end proper :
                     {stream_end::detached, stream_end::expired, stream_end::evicted,
                      stream_end::topic_closed, stream_end::closed}) {
                    CHECK(done(proper) == (!holds && last_given));
                }
                // What has lagged gets what is in its hand, and no last chunk.
                CHECK(done(stream_end::lagged) == !holds);
                // Everything else stops in the middle.
                for (const stream_end cut :
                     {stream_end::stalled, stream_end::cut, stream_end::out_of_memory}) {
                    CHECK(done(cut));
                }
            }
        }
    }
}

TEST_CASE("side records are found by the numbers of their streams and given back") {
    support::counted_memory memory;
    {
        side_table sides(&memory);
        support::dice random(1);
        std::set<std::uint32_t> there;
        for (int step = 0; step < 5000; ++step) {
            const auto stream =
                static_cast<std::uint32_t>(1 + random.below(random.one_in(10) ? 100000 : 600));
            if (there.erase(stream) != 0) {
                REQUIRE(sides.of(stream).sent_count == stream);
                sides.destroy(stream);
            } else {
                REQUIRE(sides.make(stream));
                REQUIRE(sides.of(stream).sent_count == 0); // new, whoever had the place before
                sides.of(stream).sent_count = stream;
                there.insert(stream);
            }
        }
        for (const std::uint32_t stream : there) CHECK(sides.of(stream).sent_count == stream);
    }
    CHECK(memory.live() == 0);
}

TEST_CASE("a side record that finds no memory is not there and the next one is") {
    for (std::size_t grace = 0;; ++grace) {
        support::counted_memory memory;
        bool made = false;
        {
            side_table sides(&memory);
            REQUIRE(sides.make(1));
            memory.grace = grace;
            made = sides.make(100000); // the directory grows, and a page is made
            memory.grace = support::counted_memory::unlimited;
            CHECK(made == !memory.struck);
            if (!made) CHECK(sides.make(100000));
            sides.of(100000).tag = 7;
            sides.destroy(100000);
            CHECK(sides.make(100000));
            CHECK(sides.of(100000).tag == 0);
        }
        CHECK(memory.live() == 0);
        if (made) break;
        REQUIRE(grace < 10);
    }
}

TEST_CASE("a table of sides grows where streams have any and nowhere else") {
    support::counted_memory memory;
    side_table sides(&memory);
    REQUIRE(sides.make(1000000));
    // A directory of numbers, and one page of each kind.
    CHECK(memory.live_bytes < 4 * (1000000 / 256 + 1) + 64 * 1024);
}

TEST_CASE("a page of sides that is empty serves other streams") {
    support::counted_memory memory;
    side_table sides(&memory);
    REQUIRE(sides.make(256 * 1000));
    const std::size_t bytes = memory.live_bytes;
    for (std::uint32_t page = 0; page < 1000; ++page) {
        REQUIRE(sides.make(256 * page + 5));
        sides.destroy(256 * page + 5);
    }
    CHECK(memory.live_bytes == bytes);
}
