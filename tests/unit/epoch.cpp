// SPDX-License-Identifier: MIT
#include <ssekit/epoch.hpp>

#include <ssekit/detail/log/event_ids.hpp>

#include <doctest/doctest.h>

#include <cstdint>

TEST_CASE("an epoch does not come before an earlier one, and makes a short id") {
    const std::uint64_t first = ssekit::new_epoch();
    CHECK(first > 0);
    CHECK(ssekit::new_epoch() >= first);
    CHECK(ssekit::detail::epoch_text(first).view().size() <= 13);
}
