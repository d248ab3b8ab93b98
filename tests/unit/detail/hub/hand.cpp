// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/hand.hpp>

#include "support/counted_memory.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using ssekit::frame;
using ssekit::framing;
using ssekit::detail::hand;
using ssekit::detail::hand_pool;

namespace {

frame event(std::string_view data) {
    return frame::make({.data = data}).frame;
}
const auto nothing = [] { return frame(); };

std::string joined(std::span<const std::string_view> slices) {
    std::string out;
    for (const std::string_view slice : slices) out += slice;
    return out;
}

/// \returns the number of the hand, 0 without memory.
std::uint32_t take(hand_pool& hands, frame first, std::uint32_t now) {
    std::uint32_t number = 0;
    const hand* const taken = hands.take(std::move(first), now, number);
    CHECK((taken == nullptr) == (number == 0));
    CHECK((taken == nullptr || taken == &hands[number]));
    return number;
}

} // namespace

TEST_CASE("a hand shows what it holds and takes more only as far as there are slices") {
    hand_pool hands(ssekit::heap());
    const std::uint32_t number = take(hands, event("1"), 7);
    REQUIRE(number != 0);
    hand& held = hands[number];
    CHECK(held.since == 7);
    int asked = 0;
    const auto more = [&] { return event(std::to_string(++asked + 1)); };
    std::array<std::string_view, 3> slices;
    CHECK(held.show(slices, framing::raw, more) == 3);
    CHECK(asked == 2);
    CHECK(joined(slices) == "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    CHECK(held.show(slices, framing::raw, more) == 3); // the same again
    CHECK(asked == 2);
    CHECK(held.show(std::span(slices).first(1), framing::raw, more) == 1);
    CHECK(slices[0] == "data: 1\n\n");
    CHECK(asked == 2);
}

TEST_CASE("bytes that have left do not come again and a frame is never torn from its rest") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hand_pool hands(ssekit::heap());
        hand& held = hands[take(hands, event("one"), 0)];
        std::array<std::string_view, 2> slices;
        bool given = false;
        const auto more = [&] {
            if (given) return frame();
            given = true;
            return event("two");
        };
        std::size_t count = held.show(slices, form, more);
        REQUIRE(count == 2);
        const std::string all = joined(slices);
        CHECK(all == (form == framing::raw ? "data: one\n\ndata: two\n\n"
                                           : "b\r\ndata: one\n\n\r\nb\r\ndata: two\n\n\r\n"));
        for (std::size_t left = 1; left < all.size(); ++left) {
            REQUIRE_FALSE(held.consume(1, form));
            count = held.show(slices, form, nothing);
            REQUIRE(joined(std::span(slices).first(count)) == all.substr(left));
        }
        CHECK(held.consume(1, form));
    }
}

TEST_CASE("a hand lets go each frame at its last byte") {
    hand_pool hands(ssekit::heap());
    const frame first = event("1");
    hand& held = hands[take(hands, first, 0)];
    CHECK(first.owners() == 2);
    CHECK_FALSE(held.consume(first.wire().size() - 1, framing::raw));
    CHECK(first.owners() == 2);
    CHECK(held.consume(1, framing::raw));
    CHECK(first.owners() == 1);
}

TEST_CASE("a hand holds no more than its capacity until all of it has left") {
    hand_pool hands(ssekit::heap());
    const std::uint32_t number = take(hands, event("x"), 0);
    hand& held = hands[number];
    int asked = 0;
    const auto more = [&] {
        ++asked;
        return event("x");
    };
    std::vector<std::string_view> slices(100);
    CHECK(held.show(slices, framing::raw, more) == hand::capacity);
    CHECK(asked == hand::capacity - 1);
    const std::size_t one = std::string_view("data: x\n\n").size();
    CHECK_FALSE(held.consume(one * (hand::capacity - 1), framing::raw));
    CHECK(held.show(slices, framing::raw, more) == 1);
    CHECK(asked == hand::capacity - 1);
    CHECK(held.consume(one, framing::raw));
    hands.give_back(number, hands[number]);
    CHECK(take(hands, event("y"), 0) == number);
    CHECK(held.show(slices, framing::raw, nothing) == 1);
    CHECK(slices[0] == "data: y\n\n");
}

TEST_CASE("a hand that is given back in the middle is as new") {
    support::counted_memory memory;
    {
        hand_pool hands(&memory);
        const frame kept = event("1");
        const std::uint32_t number = take(hands, kept, 3);
        std::array<std::string_view, 4> slices;
        CHECK(hands[number].show(slices, framing::raw, [&] { return kept; }) == 4);
        CHECK_FALSE(hands[number].consume(12, framing::raw));
        CHECK(kept.owners() == 4);
        hands.give_back(number, hands[number]);
        CHECK(kept.owners() == 1);
        const std::size_t before = memory.allocations;
        CHECK(take(hands, event("2"), 4) == number); // the same place: nothing is allocated
        CHECK(memory.allocations == before);
        CHECK(hands[number].since == 4);
        CHECK(hands[number].show(slices, framing::raw, nothing) == 1);
        CHECK(slices[0] == "data: 2\n\n");
    }
    CHECK(memory.live() == 0);
}

TEST_CASE("hands that are given back are taken again before new ones are made") {
    support::counted_memory memory;
    hand_pool hands(&memory);
    std::vector<std::uint32_t> taken;
    for (int i = 0; i < 20; ++i) taken.push_back(take(hands, event("x"), 0));
    const std::size_t before = memory.allocations;
    for (int round = 0; round < 50; ++round) {
        for (const std::uint32_t number : taken) hands.give_back(number, hands[number]);
        for (std::uint32_t& number : taken) number = take(hands, event("x"), 0);
    }
    CHECK(memory.allocations == before);
}

TEST_CASE("without memory there is no hand and later there is one") {
    support::counted_memory memory;
    hand_pool hands(&memory);
    const frame first = event("1");
    memory.grace = 0;
    CHECK(take(hands, first, 0) == 0);
    CHECK(first.owners() == 1);
    memory.grace = support::counted_memory::unlimited;
    CHECK(take(hands, first, 0) != 0);
}

TEST_CASE("a hand gives out under random use what it has been given") {
    for (std::uint32_t seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        const framing form = random.one_in(2) ? framing::raw : framing::chunked;
        hand_pool hands(ssekit::heap());
        std::string given, got;
        int left = 200;
        const auto next = [&] {
            if (left == 0 || random.one_in(4)) return frame();
            --left;
            frame made = event(std::string(random.below(30), 'a'));
            given += made.in(form);
            return made;
        };
        for (std::uint32_t number = 0; left != 0 || number != 0;) {
            if (number == 0) {
                frame first = next();
                if (!first) continue;
                number = take(hands, std::move(first), 0);
            }
            std::array<std::string_view, 40> slices;
            const std::size_t most = 1 + random.below(slices.size());
            const std::size_t count = hands[number].show(std::span(slices).first(most), form, next);
            const std::string shown = joined(std::span(slices).first(count));
            REQUIRE(count <= most);
            REQUIRE(!shown.empty());
            const std::size_t leaves = random.one_in(3) ? shown.size() : random.below(shown.size());
            got += shown.substr(0, leaves);
            if (hands[number].consume(leaves, form)) {
                hands.give_back(number, hands[number]);
                number = 0;
            }
        }
        CHECK(got == given);
    }
}
