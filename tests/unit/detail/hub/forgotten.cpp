// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/forgotten.hpp>

#include "support/counted_memory.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using ssekit::detail::forgotten_names;
using ssekit::detail::forgotten_topics;
using ssekit::detail::topic;
using ssekit::detail::topic_kind;

namespace {

const auto all = [](std::string_view) { return true; };
const auto none = [](std::string_view) { return false; };

} // namespace

TEST_CASE("a name that is remembered has lost what it says and another one nothing") {
    forgotten_names names(10, ssekit::heap());
    names.remember("a", 5);
    CHECK(names.size() == 1);
    CHECK(names.recall("b") == 0);
    CHECK(names.recall("a") == 5);
    CHECK(names.size() == 0);
    CHECK(names.recall("a") == 0); // it is in use again
    CHECK(names.lost_through() == 0);
}

TEST_CASE("past the bound the oldest memory goes and what is left of it counts for all") {
    forgotten_names names(2, ssekit::heap());
    names.remember("a", 7);
    names.remember("b", 9);
    names.remember("c", 11);
    CHECK(names.size() == 2);
    CHECK(names.lost_through() == 7);
    CHECK(names.recall("a") == 7);
    CHECK(names.recall("never seen") == 7);
    CHECK(names.recall("b") == 9);
    CHECK(names.recall("c") == 11);
}

TEST_CASE("a memory that goes never lowers what counts for all") {
    forgotten_names names(1, ssekit::heap());
    names.remember("a", 9);
    names.remember("b", 3);
    CHECK(names.lost_through() == 9);
    names.remember("c", 10);
    CHECK(names.lost_through() == 9);
    CHECK(names.recall("c") == 10);
}

TEST_CASE("a bound of zero remembers no name and loses nothing of what it was told") {
    forgotten_names names(0, ssekit::heap());
    names.remember("a", 4);
    CHECK(names.size() == 0);
    CHECK(names.recall("a") == 4);
    CHECK(names.lost_through() == 4);
}

TEST_CASE("what is lost of several names is the largest of those that are picked") {
    forgotten_names names(3, ssekit::heap());
    names.remember("gone", 2);
    names.remember("a/1", 5);
    names.remember("a/2", 8);
    names.remember("b/1", 9);
    CHECK(names.lost_where(none) == 2);
    CHECK(names.lost_where(all) == 9);
    CHECK(names.lost_where([](std::string_view name) { return name.starts_with("a/"); }) == 8);
    CHECK(names.lost_where([](std::string_view name) { return name == "a/1"; }) == 5);
    CHECK(names.size() == 3); // looking takes nothing away
}

TEST_CASE("offsets at the end of their range are remembered as they are") {
    forgotten_names names(1, ssekit::heap());
    names.remember("a", ~std::uint64_t{0});
    CHECK(names.recall("a") == ~std::uint64_t{0});
}

TEST_CASE("a name that finds no memory counts for all") {
    for (std::size_t grace = 0;; ++grace) {
        support::counted_memory memory;
        {
            forgotten_names names(10, &memory);
            memory.grace = grace;
            names.remember("a", 5);
            memory.grace = support::counted_memory::unlimited;
            CHECK(names.size() == (memory.struck ? 0 : 1));
            CHECK(names.lost_through() == (memory.struck ? 5 : 0));
            CHECK(names.recall("a") == 5);
            names.remember("b", 6);
            CHECK(names.recall("b") == 6);
        }
        CHECK(memory.live() == 0);
        if (!memory.struck) break;
        REQUIRE(grace < 10);
    }
}

TEST_CASE("names are forgotten and recalled as a naive list has them") {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        const std::size_t most = random.below(12);
        support::counted_memory memory;
        {
            forgotten_names names(most, &memory);
            std::deque<std::pair<std::string, std::uint64_t>> model;
            std::uint64_t lost = 0;
            std::uint64_t newest = 0;
            for (int step = 0; step < 600; ++step) {
                const std::string name = "n" + std::to_string(random.below(20));
                const auto found = std::find_if(model.begin(), model.end(),
                                                [&](const auto& m) { return m.first == name; });
                if (found == model.end() && random.one_in(2)) {
                    const std::uint64_t offset = newest += random.below(3);
                    names.remember(name, offset);
                    model.emplace_back(name, offset);
                    for (; model.size() > most; model.pop_front()) {
                        lost = std::max(lost, model.front().second);
                    }
                } else {
                    REQUIRE(names.recall(name) == (found == model.end() ? lost : found->second));
                    if (found != model.end()) model.erase(found);
                }
                REQUIRE(names.size() == model.size());
                REQUIRE(names.lost_through() == lost);
                std::uint64_t ones = lost;
                for (const auto& m : model) {
                    if (m.first.ends_with('1')) ones = std::max(ones, m.second);
                }
                REQUIRE(names.lost_where([](std::string_view n) { return n.ends_with('1'); }) ==
                        ones);
            }
        }
        CHECK(memory.live() == 0);
    }
}

TEST_CASE("a topic that takes a forgotten name has lost what that has had, and a tag is no topic") {
    forgotten_topics gone(10, ssekit::heap());
    const auto made = [&](topic_kind kind, std::string_view name, std::uint64_t newest) {
        auto out = std::make_unique<topic>(kind, ssekit::retention{}, newest, ssekit::heap());
        REQUIRE(out->text.assign(name, *ssekit::heap()));
        return out;
    };
    gone.remember(*made(topic_kind::name, "a/1", 5));
    gone.remember(*made(topic_kind::tag, "a/1", 7));
    gone.remember(*made(topic_kind::pattern, "a/*", 9)); // its names have their own
    CHECK(gone.recall(*made(topic_kind::pattern, "a/*", 0)) == 5);
    CHECK(gone.recall(*made(topic_kind::pattern, "b/*", 0)) == 0);
    CHECK(gone.recall(*made(topic_kind::name, "a/1", 0)) == 5);
    CHECK(gone.recall(*made(topic_kind::name, "a/1", 0)) == 0); // it is in use
    CHECK(gone.recall(*made(topic_kind::tag, "a/1", 0)) == 7);
}

TEST_CASE("what went to all is lost for each topic that is made later, but for one that has it") {
    forgotten_topics gone(10, ssekit::heap());
    gone.went_to_all(8);
    topic name(topic_kind::name, {}, 0, ssekit::heap());
    const topic tag(topic_kind::tag, {}, 0, ssekit::heap());
    CHECK(gone.recall(name) == 8);
    CHECK(gone.recall(tag) == 0);
    REQUIRE(name.log.append(ssekit::frame::make({.data = "x"}).frame, 8, {}) == ssekit::errc::ok);
    CHECK(gone.recall(name) == 0);
}
