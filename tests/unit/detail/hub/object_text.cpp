// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/object_text.hpp>

#include "support/counted_memory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

using ssekit::detail::object_text;

TEST_CASE("an object has its members in order, and may have none") {
    object_text none(ssekit::heap());
    CHECK(none.finish() == "{}");
    object_text some(ssekit::heap());
    CHECK(some.add("a", "x").add("b", ~std::uint64_t{0}).add_flag("c", true).finish() ==
          R"({"a":"x","b":18446744073709551615,"c":true})");
    object_text one(ssekit::heap());
    CHECK(one.add_flag("c", false).finish() == R"({"c":false})");
}

TEST_CASE("a string holds any text") {
    object_text text(ssekit::heap());
    CHECK(text.add("t", "a\"b\\c\n\x01\x1f\x7f\xE2\x82\xAC").add("u", "").finish() ==
          "{\"t\":\"a\\\"b\\\\c\\u000a\\u0001\\u001f\x7f\xE2\x82\xAC\",\"u\":\"\"}");
}

TEST_CASE("the event carries the id and the reconnection time that it is given") {
    object_text text(ssekit::heap());
    const auto made =
        text.add("a", "x").event("said", {.id = "7", .retry = std::chrono::milliseconds(5)});
    CHECK(made.frame.wire() == "id: 7\nevent: said\nretry: 5\ndata: {\"a\":\"x\"}\n\n");
}

TEST_CASE("without memory there is no text and no event, and nothing is left") {
    support::counted_memory memory;
    const std::string value(1000, 'x');
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 20);
        memory.grace = grace;
        const auto made = object_text(&memory).add("a", value).event("said");
        if (made.ec == ssekit::errc::ok) break;
        CHECK(made.ec == ssekit::errc::out_of_memory);
        CHECK_FALSE(made.frame);
        CHECK(memory.live() == 0);
    }
}
