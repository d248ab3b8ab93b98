// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/owned_text.hpp>

#include "support/counted_memory.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

using ssekit::detail::owned_text;

TEST_CASE("a text is a copy in the memory that it is told of and is given back") {
    support::counted_memory memory;
    {
        std::string source = "orders";
        owned_text text;
        CHECK(text.view().empty());
        REQUIRE(text.assign(source, memory));
        source = "spoilt";
        CHECK(text.view() == "orders");
        CHECK(memory.live_bytes == 6);
        REQUIRE(text.assign("a", memory));
        CHECK(text.view() == "a");
        CHECK(memory.live_bytes == 1);
        REQUIRE(text.assign("", memory));
        CHECK(text.view().empty());
        CHECK(memory.live() == 0);
        REQUIRE(text.assign(std::string_view("\0x", 2), memory));
        CHECK(text.view() == std::string_view("\0x", 2));
    }
    CHECK(memory.live() == 0);
}

TEST_CASE("a text can be assigned a part of itself") {
    support::counted_memory memory;
    owned_text text;
    REQUIRE(text.assign("news/today", memory));
    REQUIRE(text.assign(text.view().substr(5), memory));
    CHECK(text.view() == "today");
}

TEST_CASE("without memory a text stays what it was") {
    support::counted_memory memory;
    owned_text text;
    REQUIRE(text.assign("a", memory));
    memory.grace = 0;
    CHECK_FALSE(text.assign("b", memory));
    CHECK(text.view() == "a");
}

TEST_CASE("a text that moves takes its bytes and leaves none") {
    support::counted_memory memory;
    owned_text a, b;
    REQUIRE(a.assign("a", memory));
    REQUIRE(b.assign("bb", memory));
    b = std::move(a);
    CHECK(b.view() == "a");
    CHECK(memory.live() == 1);
    owned_text c(std::move(b));
    CHECK(c.view() == "a");
    CHECK(b.view().empty()); // NOLINT(bugprone-use-after-move)
    REQUIRE(b.assign("again", memory));
    CHECK(b.view() == "again");
}
