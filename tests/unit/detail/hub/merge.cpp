// SPDX-License-Identifier: MIT
//
// Merging against a model: the logs are vectors of everything that was ever appended, and what a
// reader has passed is a set.
#include <ssekit/detail/hub/merge.hpp>

#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

using ssekit::event_log;
using ssekit::frame;
using ssekit::time_point;
using ssekit::detail::missing;
using ssekit::detail::missing_in;
using ssekit::detail::next_item;
using ssekit::detail::next_of;

namespace {

struct reader {
    const event_log* log;
    std::uint64_t position;
};

/// Several logs, a reader in each, and all that was ever in them.
struct logs {
    explicit logs(std::size_t count, ssekit::retention keep = {}, std::uint64_t first = 0)
        : start(first) {
        for (std::size_t i = 0; i < count; ++i) {
            made.emplace_back(keep, 0, ssekit::heap(), first);
            readers.push_back({&made.back(), first});
        }
        model.resize(count);
    }

    auto each() {
        return [this](auto&& call) {
            for (reader& one : readers) call(*one.log, one.position);
        };
    }
    /// Appends an event to the logs of which the bit is set.
    void append(std::uint64_t offset, std::size_t where) {
        const bool several = (where & (where - 1)) != 0;
        for (std::size_t i = 0; i < made.size(); ++i) {
            if ((where >> i & 1) == 0) continue;
            CHECK(made[i].append(frame::verbatim("x"), offset, {}, ssekit::log_use::idle,
                                 several) == ssekit::errc::ok);
            model[i].push_back(offset);
        }
    }

    // The model: what log i has at a position.
    [[nodiscard]] std::uint64_t offset_at(std::size_t i, std::uint64_t position) const {
        return model[i][static_cast<std::size_t>(position - start)];
    }
    /// What is next in log i: the offset, and whether it is an event.
    [[nodiscard]] std::optional<std::pair<std::uint64_t, bool>> next_in(std::size_t i) const {
        const event_log& log = made[i];
        const std::uint64_t at = readers[i].position;
        if (at == log.end()) return std::nullopt;
        if (at < log.begin()) return std::pair(offset_at(i, log.begin() - 1), false);
        return std::pair(offset_at(i, at), true);
    }
    /// Over all: the smallest offset; of equal ones what has gone.
    [[nodiscard]] std::optional<std::pair<std::uint64_t, bool>> next() const {
        std::optional<std::pair<std::uint64_t, bool>> found;
        for (std::size_t i = 0; i < made.size(); ++i) {
            if (const auto here = next_in(i)) found = found ? std::min(*found, *here) : *here;
        }
        return found;
    }

    std::uint64_t start;
    std::deque<event_log> made;
    std::vector<reader> readers;
    std::vector<std::vector<std::uint64_t>> model;
};

const auto as_kept = [](const event_log& log, std::uint64_t position) {
    return std::max(position, log.begin());
};
const auto every_event = [](const event_log&, std::uint64_t) { return true; };

/// How many events after the reader's place, up to the hole's end, come by none of its other logs:
/// of what the log has let go, those that the others still have have come or will.
std::uint64_t naive_missing(const logs& many, std::size_t in, std::uint64_t target) {
    std::uint64_t count = 0;
    for (std::uint64_t p = many.readers[in].position; p < target; ++p) {
        const std::uint64_t offset = many.offset_at(in, p);
        bool elsewhere = false;
        for (std::size_t i = 0; i < many.made.size(); ++i) {
            if (i == in) continue;
            const event_log& log = many.made[i];
            const bool gone = p < many.made[in].begin();
            const std::uint64_t from =
                gone ? log.begin() : std::max(log.begin(), many.readers[i].position);
            for (std::uint64_t q = from; q < log.end(); ++q) {
                elsewhere = elsewhere || many.offset_at(i, q) == offset;
            }
        }
        if (!elsewhere) ++count;
    }
    return count;
}

} // namespace

TEST_CASE("of no logs and of logs that are read nothing comes next") {
    CHECK(next_of([](auto&&) {}, as_kept).log == nullptr);
    logs many(2);
    CHECK(next_of(many.each(), as_kept).log == nullptr);
    CHECK(ssekit::detail::read_through(many.each(), 7) == 7);
}

TEST_CASE("events of several logs come in the order of their offsets and each once") {
    logs many(3);
    many.append(1, 0b001);
    many.append(2, 0b110);
    many.append(3, 0b111);
    many.append(5, 0b010);
    std::vector<std::uint64_t> seen;
    for (;;) {
        const next_item next = next_of(many.each(), as_kept);
        if (next.log == nullptr) break;
        CHECK_FALSE(next.is_hole());
        CHECK(next.event().offset == next.offset);
        seen.push_back(next.offset);
        ssekit::detail::pass(many.each(), next.offset);
    }
    CHECK(seen == std::vector<std::uint64_t>{1, 2, 3, 5});
}

TEST_CASE(
    "a hole stands where its last event stood, after what is older and before what is newer") {
    logs many(2, {.events = 1});
    many.append(1, 0b01);
    many.append(2, 0b10);
    many.append(3, 0b01); // 1 goes
    const next_item hole = next_of(many.each(), as_kept);
    CHECK(hole.is_hole());
    CHECK(hole.offset == 1);
    CHECK(hole.target == 1);
    *hole.position = hole.target;
    CHECK(next_of(many.each(), as_kept).offset == 2);
}

TEST_CASE("what has gone is told before the event of the same offset that another log brings") {
    for (const bool swapped : {false, true}) {
        CAPTURE(swapped);
        logs many(2, {.events = 1});
        many.made[1].set_retention({.events = 10}, {});
        many.append(1, 0b01);
        many.append(2, 0b11);
        many.append(3, 0b01); // 1 and 2 go in the first log alone
        if (swapped) std::swap(many.readers[0], many.readers[1]);
        const next_item hole = next_of(many.each(), as_kept);
        CHECK(hole.is_hole());
        CHECK(hole.offset == 2);
        const missing lost = missing_in(hole, many.each(), {2, true}, 0, every_event);
        CHECK(lost.events == 1);
        CHECK(lost.exact);
        *hole.position = hole.target;
        for (const std::uint64_t offset : {2u, 3u}) {
            const next_item next = next_of(many.each(), as_kept);
            CHECK_FALSE(next.is_hole());
            CHECK(next.offset == offset);
            ssekit::detail::pass(many.each(), offset);
        }
        CHECK(next_of(many.each(), as_kept).log == nullptr);
    }
}

TEST_CASE("what a bound passes over is told after the event of the same offset") {
    for (const bool swapped : {false, true}) {
        CAPTURE(swapped);
        logs many(2);
        many.append(1, 0b11);
        many.append(2, 0b01);
        many.append(3, 0b01);
        if (swapped) std::swap(many.readers[0], many.readers[1]);
        const auto newest = [](const event_log& log, std::uint64_t) { return log.end() - 1; };
        const next_item next = next_of(many.each(), newest);
        CHECK_FALSE(next.is_hole());
        CHECK(next.offset == 1);
        ssekit::detail::pass(many.each(), 1);
        const next_item hole = next_of(many.each(), newest);
        CHECK(hole.is_hole());
        CHECK(hole.offset == 2);
        CHECK(missing_in(hole, many.each(), {0, true}, 0, every_event).events == 1);
    }
}

TEST_CASE("of three at one offset what has gone is first and what a bound passes over is last") {
    std::array<std::size_t, 3> order{0, 1, 2};
    do {
        logs many(3);
        many.append(5, 0b111);
        many.append(6, 0b101);
        many.append(7, 0b101);
        many.made[0].set_retention({.events = 2}, {}); // 5 goes
        logs turned(0);
        for (const std::size_t i : order) turned.readers.push_back(many.readers[i]);
        const auto bounded = [&](const event_log& log, std::uint64_t position) {
            return &log == &many.made[2] ? log.end() - 1 : std::max(position, log.begin());
        };
        const next_item gone = next_of(turned.each(), bounded);
        CHECK(gone.log == &many.made[0]);
        CHECK(gone.offset == 5);
        *gone.position = gone.target;
        const next_item event = next_of(turned.each(), bounded);
        CHECK(event.log == &many.made[1]);
        CHECK(event.offset == 5);
        CHECK_FALSE(event.is_hole());
        CHECK_FALSE(event.stands_with(gone));
        *event.position += 1; // and not the third's, which is passed as well in fact
        const next_item kept = next_of(turned.each(), bounded);
        CHECK(kept.log == &many.made[2]);
        CHECK(kept.offset == 5);
        CHECK(kept.is_hole());
        CHECK_FALSE(kept.stands_with(gone));
        CHECK(kept.stands_with(kept));
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("a bound makes a hole of what the log still has, and it stands at the first of that") {
    logs many(1);
    for (std::uint64_t i = 1; i <= 5; ++i) many.append(i * 10, 1);
    const next_item hole =
        next_of(many.each(), [](const event_log& log, std::uint64_t) { return log.end() - 2; });
    CHECK(hole.is_hole());
    CHECK(hole.target == 3);
    CHECK(hole.offset == 10);
    const missing lost = missing_in(hole, many.each(), {0, true}, 0, every_event);
    CHECK(lost.events == 3);
    CHECK(lost.exact);
    const missing wanted =
        missing_in(hole, many.each(), {0, true}, 0,
                   [](const event_log& log, std::uint64_t p) { return log[p].offset != 20; });
    CHECK(wanted.events == 2);
}

TEST_CASE("what another log has is not missing, and what both have let go is not sure") {
    logs many(2, {.events = 1});
    many.made[1].set_retention({.events = 10}, {});
    many.append(1, 0b11);
    many.append(2, 0b01);
    many.append(3, 0b01); // the first has lost 1 and 2, the second still has 1
    next_item hole{&many.made[0], &many.readers[0].position, many.made[0].begin(), 2};
    for (const std::uint64_t brought : {0u, 1u}) { // or will be
        many.readers[1].position = brought;
        const missing lost = missing_in(hole, many.each(), {2, true}, 0, every_event);
        CHECK(lost.events == 1);
        CHECK(lost.exact);
    }
    many.made[1].set_retention({.events = 1}, {});
    many.append(4, 0b10);
    CHECK_FALSE(missing_in(hole, many.each(), {2, true}, 0, every_event).exact);
}

TEST_CASE("a log that was added later has not brought what is older, or nobody knows") {
    logs many(2, {.events = 1});
    many.made[1].set_retention({.events = 10}, {});
    many.append(1, 0b11);
    many.append(2, 0b01); // the first has lost 1
    next_item hole{&many.made[0], &many.readers[0].position, many.made[0].begin(), 1};
    for (const std::uint64_t added_after : {0u, 1u, 2u}) {
        for (const std::uint64_t at : {0u, 1u}) { // where the second is read
            CAPTURE(added_after);
            CAPTURE(at);
            many.readers[1].position = at;
            const bool comes = added_after == 0 || at == 0;
            const missing lost = missing_in(hole, many.each(), {1, true}, added_after, every_event);
            CHECK(lost.events == (comes ? 0 : 1));
            CHECK(lost.exact == comes);
        }
    }
}

TEST_CASE("a gap that is passed over counts as one and nobody knows how many it stood for") {
    logs many(1);
    many.append(1, 1);
    CHECK(many.made[0].append_gap(frame::verbatim("g"), 5, {}) == ssekit::errc::ok);
    many.append(6, 1);
    next_item hole{&many.made[0], &many.readers[0].position, 2, 5};
    const missing lost = missing_in(hole, many.each(), {0, true}, 0, every_event);
    CHECK(lost.events == 2);
    CHECK_FALSE(lost.exact);
}

TEST_CASE("passing moves those alone that stand at the event") {
    logs many(3, {.events = 2});
    many.append(1, 0b011);
    many.append(2, 0b110);
    many.append(3, 0b100);
    many.append(4, 0b100); // the third has lost 2
    ssekit::detail::pass(many.each(), 1);
    CHECK(many.readers[0].position == 1);
    CHECK(many.readers[1].position == 1);
    CHECK(many.readers[2].position == 0);
    ssekit::detail::pass(many.each(), 2);
    CHECK(many.readers[0].position == 1);
    CHECK(many.readers[1].position == 2);
    CHECK(many.readers[2].position == 0); // it is in a hole
    ssekit::detail::pass(many.each(), 3); // the first that the third still has
    CHECK(many.readers[2].position == 0);
}

TEST_CASE("passing through an offset never moves back, nor out of a hole that is not over") {
    logs many(2, {.events = 2});
    many.append(1, 0b11);
    many.append(2, 0b11);
    many.append(3, 0b01);
    many.append(4, 0b01); // the first has lost 1 and 2
    ssekit::detail::pass_through(many.each(), 1);
    CHECK(many.readers[0].position == 0); // 2 is lost and is not known to this client
    CHECK(many.readers[1].position == 1);
    ssekit::detail::pass_through(many.each(), 2);
    CHECK(many.readers[0].position == 2);
    CHECK(many.readers[1].position == 2);
    ssekit::detail::pass_through(many.each(), 1);
    CHECK(many.readers[0].position == 2);
    CHECK(many.readers[1].position == 2);
    ssekit::detail::pass_through(many.each(), ~std::uint64_t{0});
    CHECK(many.readers[0].position == 4);
}

TEST_CASE("what is read through is just before what comes next, and nothing where that is a hole") {
    logs many(2, {.events = 2});
    many.append(5, 0b01);
    many.append(8, 0b10);
    CHECK(ssekit::detail::read_through(many.each(), 9) == 4);
    ssekit::detail::pass(many.each(), 5);
    CHECK(ssekit::detail::read_through(many.each(), 9) == 7);
    ssekit::detail::pass(many.each(), 8);
    CHECK(ssekit::detail::read_through(many.each(), 9) == 9);
    many.append(10, 0b11);
    many.append(11, 0b01);
    many.append(12, 0b01);
    CHECK(ssekit::detail::read_through(many.each(), 12) == 0);
}

TEST_CASE("merging under random use agrees with the naive model at every start of positions") {
    for (std::uint32_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        constexpr std::uint64_t starts[] = {0, (1ull << 32) - 20, ~std::uint64_t{0} - 2000,
                                            (1ull << 31) - 3};
        const std::size_t count = 1 + random.below(4);
        logs many(count, {.events = 1 + random.below(6)}, random.pick(starts));
        std::map<std::uint64_t, std::vector<std::uint64_t>> places;
        std::uint64_t offset = random.below(2) == 0 ? 0 : (1ull << 32) - 10;
        std::uint64_t last = 0;
        for (int step = 0; step < 300; ++step) {
            if (random.one_in(2)) {
                many.append(offset += 1 + random.below(3), 1 + random.below((1u << count) - 1));
                continue;
            }
            const auto expected = many.next();
            const next_item next = next_of(many.each(), as_kept);
            REQUIRE((next.log != nullptr) == expected.has_value());
            if (next.log == nullptr) continue;
            REQUIRE(next.offset == expected->first);
            REQUIRE(next.is_hole() != expected->second);
            if (next.is_hole()) {
                std::size_t in = 0;
                while (&many.made[in] != next.log) ++in;
                const std::uint64_t gone = next.log->begin() - *next.position;
                const missing lost = missing_in(next, many.each(), {gone, true}, 0, every_event);
                const std::uint64_t naive = naive_missing(many, in, next.target);
                REQUIRE(lost.events >= naive);
                if (lost.exact) REQUIRE(lost.events == naive);
                *next.position = next.target;
            } else {
                REQUIRE(next.offset > last); // in order and once
                last = next.offset;
                ssekit::detail::pass(many.each(), next.offset);
            }
        }
    }
}

TEST_CASE("of a bound's hole exactly what no other log brings is missing, under random use") {
    for (std::uint32_t seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        const std::size_t count = 1 + random.below(4);
        logs many(count);
        std::uint64_t offset = 0;
        for (int i = 0; i < 40; ++i) {
            many.append(offset += 1 + random.below(3), 1 + random.below((1u << count) - 1));
        }
        for (reader& one : many.readers) one.position = random.below(one.log->size() + 1);
        const std::size_t in = random.below(count);
        if (many.readers[in].position == many.made[in].end()) continue;
        const std::uint64_t left = many.made[in].end() - many.readers[in].position;
        const std::uint64_t target =
            many.readers[in].position + random.below(static_cast<std::size_t>(left));
        const next_item hole{&many.made[in], &many.readers[in].position, target, 0};
        const missing lost = missing_in(hole, many.each(), {0, true}, 0, every_event);
        CHECK(lost.exact);
        CHECK(lost.events == naive_missing(many, in, target));
    }
}
