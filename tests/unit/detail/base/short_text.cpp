// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/short_text.hpp>

#include <doctest/doctest.h>

#include <string>

using ssekit::detail::short_text;

TEST_CASE("short text: what does not fit is left out") {
    CHECK(short_text().view().empty());
    CHECK(short_text("refused").view() == "refused");
    const std::string longest(255, 'x');
    CHECK(short_text(longest).view() == longest);
    CHECK(short_text(longest + "y").view() == longest);
}
