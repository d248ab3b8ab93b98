// SPDX-License-Identifier: MIT
#include <ssekit/event_source_options.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string_view>

using ssekit::message;
using ssekit::source_end;

TEST_CASE("each end has words of its own") {
    std::set<std::string_view> seen;
    for (int i = 0; i <= static_cast<int>(source_end::answer_too_long); ++i) {
        seen.insert(message(static_cast<source_end>(i)));
    }
    CHECK(seen.size() == 14);
    CHECK(message(static_cast<source_end>(99)) == "unknown end");
}
