// SPDX-License-Identifier: MIT
#include <ssekit/hub_options.hpp>

#include <doctest/doctest.h>

TEST_CASE("numbers without leading zeros have an order") {
    const ssekit::id_order less = ssekit::numeric_ids();
    CHECK(less("9", "10"));
    CHECK_FALSE(less("10", "9"));
    CHECK_FALSE(less("10", "10"));
    CHECK(less("18446744073709551615", "18446744073709551616"));
}
