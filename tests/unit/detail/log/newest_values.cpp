// SPDX-License-Identifier: MIT
#include <ssekit/detail/log/newest_values.hpp>

#include "support/counted_memory.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

using ssekit::frame;
using ssekit::value_bound;
using ssekit::detail::newest_values;
using ssekit::detail::value_totals;

namespace {

constexpr value_bound many{.keys = 1000};

frame about(std::string_view key, std::string_view data, bool removes = false) {
    return frame::make({.data = data}, ssekit::utf8_policy::pass_through, {"t", key, removes})
        .frame;
}

/// "7k 9l": the offsets and keys of all.
std::string all(const newest_values& values) {
    std::string out;
    for (auto at = values.after(0); at.event != nullptr; at = values.after(at.offset, at.place)) {
        if (!out.empty()) out += ' ';
        out += std::to_string(at.offset) + std::string(at.event->label().key);
    }
    return out;
}

} // namespace

TEST_CASE("of each key the newest stays, in the order of offsets") {
    newest_values values(ssekit::heap());
    CHECK(all(values).empty());
    values.set(about("k", "1"), 3, many);
    values.set(about("l", "1"), 5, many);
    CHECK(all(values) == "3k 5l");
    values.set(about("k", "2"), 9, many);
    CHECK(all(values) == "5l 9k");
    CHECK(values.after(5).offset == 9);
    CHECK(values.after(9).event == nullptr);
    values.set(about("l", "", true), 12, many);
    CHECK(all(values) == "9k");
    CHECK(values.size() == 1);
    CHECK(values.bytes() == std::string_view("data: 2\n\n").size());
    values.clear();
    CHECK(all(values).empty());
    CHECK(values.bytes() == 0);
    values.set(about("k", "3"), 12, many);
    CHECK(all(values) == "12k");
}

TEST_CASE("a place is only where to look first: values may have moved") {
    newest_values values(ssekit::heap());
    for (std::uint64_t i = 1; i <= 16; ++i) {
        values.set(about(std::string(1, static_cast<char>('a' + i)), "x"), i, many);
    }
    for (const std::size_t place : {0u, 2u, 3u, 4u, 15u, 16u, 1000u}) {
        CHECK(values.after(4, place).offset == 5);
        CHECK(values.after(16, place).event == nullptr);
    }
    const auto fourth = values.after(3);
    CHECK(values.after(fourth.offset, fourth.place).offset == 5);
    for (std::uint64_t i = 17; i <= 40; ++i) values.set(about("z", "x"), i, many); // holes close
    CHECK(values.after(fourth.offset, fourth.place).offset == 5);
}

TEST_CASE("the one that was set longest ago goes first, but never the last one for its bytes") {
    value_totals totals;
    newest_values values(ssekit::heap());
    values.count_in(totals);
    for (std::uint64_t i = 1; i <= 5; ++i) {
        values.set(about(std::string(1, static_cast<char>('j' + i)), "x"), i, {.keys = 3});
    }
    CHECK(all(values) == "3m 4n 5o");
    values.hold_to({.keys = 100, .bytes = 1});
    CHECK(all(values) == "5o");
    CHECK(totals.kept == 1);
    CHECK(totals.gone == 4);
    values.hold_to({.keys = 0});
    CHECK(all(values).empty());
    CHECK(totals.kept == 0);
}

TEST_CASE("values under random use are those of a map, and the memory is bounded by the keys") {
    support::counted_memory memory;
    {
        support::dice dice(9);
        newest_values values(&memory);
        std::map<std::string, std::uint64_t> model;
        for (std::uint64_t offset = 1; offset < 20000; ++offset) {
            const std::string key = std::to_string(dice.below(40));
            const bool removes = dice.one_in(10);
            values.set(about(key, "x", removes), offset, many);
            if (removes) model.erase(key);
            if (!removes) model[key] = offset;
            CHECK(values.size() == model.size());
            if (!dice.one_in(500)) continue;
            std::map<std::uint64_t, std::string> in_order;
            for (const auto& [name, at] : model) in_order[at] = name;
            std::string expected;
            for (const auto& [at, name] : in_order) {
                if (!expected.empty()) expected += ' ';
                expected += std::to_string(at) + name;
            }
            CHECK(all(values) == expected);
        }
        CHECK(memory.live_bytes < 8192);
    }
    CHECK(memory.live() == 0);
}

TEST_CASE("without memory the older value of the key goes too: it is not the newest") {
    support::counted_memory memory;
    value_totals totals;
    newest_values values(&memory);
    values.count_in(totals);
    for (std::uint64_t i = 1; i <= 16; ++i) values.set(about(std::to_string(i), "x"), i, many);
    memory.grace = 0;
    values.set(about("16", "y"), 17, many);
    CHECK(values.after(15).event == nullptr);
    CHECK(values.size() == 15);
    CHECK(totals.gone == 1);
}
