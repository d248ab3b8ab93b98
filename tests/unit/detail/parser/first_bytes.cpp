// SPDX-License-Identifier: MIT
#include <ssekit/detail/parser/first_bytes.hpp>

#include <doctest/doctest.h>

using ssekit::detail::first_bytes;

TEST_CASE("names are told by all of their bytes and no more") {
    const first_bytes line("data:xyz");
    CHECK(line.are("data:"));
    CHECK(line.are("data"));
    CHECK(line.are("data:xy"));
    CHECK_FALSE(line.are("datb:"));
    CHECK_FALSE(line.are("eata:"));
    CHECK_FALSE(line.are("id:"));
    CHECK_FALSE(first_bytes("\xff\xff\xff\xff\xff\xff\xff\xff").are("id:"));
    static_assert(first_bytes("id: 1234").are("id:"));
    static_assert(!first_bytes("id: 1234").are("event:"));
}
