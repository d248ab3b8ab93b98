// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/links.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using ssekit::detail::is_linked;
using ssekit::detail::link;
using ssekit::detail::link_back;
using ssekit::detail::splice_back;
using ssekit::detail::unlink;

constexpr std::uint32_t first_head = 100;

/// Items 'a' to 'p' and the heads of four rings.
struct world {
    world() {
        for (std::uint32_t i = 0; i < items.size(); ++i) items[i] = {i, i};
        for (std::uint32_t i = 0; i < heads.size(); ++i)
            heads[i] = {first_head + i, first_head + i};
    }
    link& operator()(std::uint32_t number) {
        return number < first_head ? items[number] : heads[number - first_head];
    }

    /// What a ring holds, forwards; the way back must tell the same.
    std::string ring(std::uint32_t head) {
        std::string forwards, backwards;
        for (std::uint32_t i = (*this)(head).next; i != head; i = (*this)(i).next) {
            forwards += static_cast<char>('a' + i);
        }
        for (std::uint32_t i = (*this)(head).previous; i != head; i = (*this)(i).previous) {
            backwards += static_cast<char>('a' + i);
        }
        CHECK(std::string(backwards.rbegin(), backwards.rend()) == forwards);
        return forwards;
    }
    void fill(std::uint32_t head, std::string_view names) {
        for (const char c : names) link_back(*this, head, static_cast<std::uint32_t>(c - 'a'));
    }

    std::array<link, 16> items{};
    std::array<link, 4> heads{};
};

/// As an owner of rings hands it out: by value.
struct world_links {
    world* self;
    link& operator()(std::uint32_t number) const { return (*self)(number); }
};

} // namespace

TEST_CASE("a ring of numbers keeps its items in the order in which they came") {
    world w;
    CHECK_FALSE(is_linked(w, first_head));
    CHECK_FALSE(is_linked(w, 0));
    w.fill(first_head, "cab");
    CHECK(w.ring(first_head) == "cab");
    CHECK(is_linked(w, first_head));
    for (const std::uint32_t item : {0u, 1u, 2u}) CHECK(is_linked(w, item));
    CHECK_FALSE(is_linked(w, 3));
}

TEST_CASE("what is unlinked is on its own and the others stay in order") {
    for (const std::string_view gone : {"a", "b", "c", "d", "ad", "da", "bc", "abcd", "dcba"}) {
        CAPTURE(gone);
        world w;
        w.fill(first_head, "abcd");
        std::string left = "abcd";
        for (const char c : gone) {
            const auto item = static_cast<std::uint32_t>(c - 'a');
            unlink(w, item);
            CHECK_FALSE(is_linked(w, item));
            unlink(w, item); // safe to repeat
            left.erase(left.find(c), 1);
            CHECK(w.ring(first_head) == left);
        }
        CHECK(is_linked(w, first_head) == !left.empty());
        w.fill(first_head, gone); // and can be linked again
        CHECK(w.ring(first_head) == left + std::string(gone));
    }
}

TEST_CASE("an item of one ring that is unlinked leaves the other rings alone") {
    world w;
    w.fill(first_head, "ab");
    w.fill(first_head + 1, "cd");
    unlink(w, 0);
    w.fill(first_head + 1, "a");
    CHECK(w.ring(first_head) == "b");
    CHECK(w.ring(first_head + 1) == "cda");
}

TEST_CASE("splicing moves a whole ring to the end of another") {
    constexpr std::string_view contents[] = {"", "a", "ab", "abc"};
    constexpr std::string_view others[] = {"", "x", "xy", "xyz"};
    for (const std::string_view to : contents) {
        for (const std::string_view from : others) {
            CAPTURE(to);
            CAPTURE(from);
            world w;
            w.fill(first_head, to);
            for (const char c : from) {
                link_back(w, first_head + 1, static_cast<std::uint32_t>(c - 'x') + 4);
            }
            std::string moved;
            for (const char c : from) moved += static_cast<char>(c - 'x' + 'e');
            splice_back(w, first_head, first_head + 1);
            CHECK(w.ring(first_head) == std::string(to) + moved);
            CHECK(w.ring(first_head + 1).empty());
            CHECK_FALSE(is_linked(w, first_head + 1));
            w.fill(first_head + 1, "m"); // both go on working
            splice_back(w, first_head, first_head + 1);
            CHECK(w.ring(first_head) == std::string(to) + moved + "m");
        }
    }
}

TEST_CASE("the rings of a wheel give out what came first and move whole rings") {
    world w;
    ssekit::detail::numbered_rings<world_links> rings(world_links{&w}, first_head);
    for (std::size_t ring = 0; ring < 4; ++ring) CHECK(rings.empty(ring));
    rings.push_back(1, 0);
    rings.push_back(1, 1);
    rings.push_back(3, 2);
    CHECK_FALSE(rings.empty(1));
    CHECK(rings.empty(0));
    rings.move_back(3, 1);
    rings.move_back(3, 0); // nothing
    CHECK(rings.empty(1));
    CHECK(w.ring(first_head + 3) == "cab");
    CHECK(rings.pop_front(3) == 2);
    CHECK_FALSE(is_linked(w, 2));
    CHECK(rings.pop_front(3) == 0);
    CHECK(rings.pop_front(3) == 1);
    CHECK(rings.empty(3));
}
