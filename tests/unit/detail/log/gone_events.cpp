// SPDX-License-Identifier: MIT
#include <ssekit/detail/log/gone_events.hpp>

#include "support/counted_memory.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using ssekit::detail::gone_events;

namespace {

std::vector<std::uint64_t> offsets_from(const gone_events& gone, std::uint64_t position) {
    std::vector<std::uint64_t> out;
    gone.for_each_from(position, [&](std::uint64_t offset) { out.push_back(offset); });
    return out;
}

} // namespace

TEST_CASE("what has gone is known by position and offset, the newest 32 of them") {
    gone_events gone(ssekit::heap());
    CHECK(offsets_from(gone, 0).empty());
    for (std::uint64_t i = 0; i < 32; ++i) gone.remember(i * 2, i * 10);
    CHECK(gone.known_from() == 0);
    CHECK(offsets_from(gone, 60) == std::vector<std::uint64_t>{300, 310});
    CHECK(gone.has(300, 61));
    CHECK_FALSE(gone.has(300, 60));
    CHECK_FALSE(gone.has(301, 61));
    gone.remember(64, 320);
    CHECK(gone.known_from() == 1); // what was at 0 is forgotten
    CHECK_FALSE(gone.has(0, 100));
    CHECK(offsets_from(gone, 0).size() == 32);
}

TEST_CASE("without memory nothing is known of what has gone") {
    support::counted_memory memory;
    memory.grace = 0;
    gone_events gone(&memory);
    gone.remember(7, 70);
    CHECK(gone.known_from() == 8);
    CHECK(offsets_from(gone, 0).empty());
}
