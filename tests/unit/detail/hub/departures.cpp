// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/departures.hpp>

#include "support/counted_memory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::time_point;
using ssekit::detail::departures;

namespace {

std::string in_order(const departures& all) {
    std::string out;
    all.for_each([&](std::string_view tag) { out += std::string(tag) + ";"; });
    return out;
}

} // namespace

TEST_CASE("who left first is due first, and who comes back is not due") {
    departures all(3, ssekit::heap());
    CHECK(all.next_deadline() == ssekit::never);
    CHECK_FALSE(all.take("a"));
    CHECK(all.add("a", time_point(1s)));
    CHECK(all.add("b", time_point(2s)));
    CHECK_FALSE(all.is_full());
    CHECK(all.add("c", time_point(2s)));
    CHECK(all.is_full());
    CHECK(in_order(all) == "a;b;c;");
    CHECK(all.first() == "a");
    CHECK(all.next_deadline() == time_point(1s));
    CHECK(all.contains("b"));
    CHECK(all.take("a"));
    CHECK(all.take("b"));
    CHECK_FALSE(all.take("b"));
    CHECK_FALSE(all.contains("b"));
    CHECK(all.first() == "c");
    CHECK(all.next_deadline() == time_point(2s));
    CHECK(all.size() == 1);
    CHECK(all.add("b", time_point(3s)));
    all.drop_first();
    CHECK(in_order(all) == "b;");
    all.clear();
    CHECK(all.size() == 0);
    CHECK(in_order(all).empty());
    CHECK(all.next_deadline() == ssekit::never);
}

TEST_CASE("without memory nobody is added and those that wait go on to wait") {
    support::counted_memory memory;
    {
        departures all(1000, &memory);
        CHECK(all.add("a", time_point(1s)));
        std::size_t failures = 0;
        for (std::size_t grace = 0;; ++grace) {
            REQUIRE(grace < 10);
            const std::string tag(100, static_cast<char>('b' + grace));
            memory.grace = grace;
            const bool added = all.add(tag, time_point(2s));
            memory.grace = memory.unlimited;
            CHECK(all.contains(tag) == added);
            CHECK(all.size() == (added ? 2 : 1));
            CHECK(all.first() == "a");
            if (added) break;
            ++failures;
        }
        CHECK(failures >= 1);
    }
    CHECK(memory.live() == 0);
}
