// SPDX-License-Identifier: MIT
#include <ssekit/detail/frame/survey.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using ssekit::detail::ends_block;
using ssekit::detail::survey;

TEST_CASE("a block ends with a blank line, whatever ends a line") {
    for (const std::string_view bytes : {"a\n\n", "a\r\r", "a\r\n\r\n", "a\n\r", "a\n\r\n",
                                         "a\r\n\n", "a\r\n\r", "\n", "\r", "\r\n"}) {
        CAPTURE(bytes);
        CHECK(ends_block(bytes));
    }
    for (const std::string_view bytes : {"", "a", "a\n", "a\r", "a\r\n", "\n\na", "\r\na\r\n"}) {
        CAPTURE(bytes);
        CHECK_FALSE(ends_block(bytes));
    }
}

TEST_CASE("fields are found by name in any line") {
    CHECK(survey("id: 1\n\n").has_id);
    CHECK(survey("id\n\n").has_id);
    CHECK(survey(": c\rid:\r\r").has_id);
    CHECK_FALSE(survey("idx: 1\n id: 1\nI: 1\n:id\ndata: id\n\n").has_id);
    CHECK(survey("event: x\r\ndata\r\n\r\n").has_data);
    CHECK_FALSE(survey("event: data\n: data\n\n").has_data);
    CHECK(survey("retry: x\n\n").has_retry);
    CHECK_FALSE(survey("").has_retry);
    CHECK(survey(std::string(300, 'x') + "\nid: 1\n\n").has_id);
}

TEST_CASE("one block is what has nothing after its blank line") {
    CHECK(survey("data: x\n\n").is_one_block);
    CHECK(survey("data: x\n\n\r\n\r").is_one_block);
    CHECK(survey("data: x\r\n\r\n").is_one_block);
    CHECK_FALSE(survey("data: x\n\ndata: y\n\n").is_one_block);
    CHECK_FALSE(survey("data: x\r\rid\r\r").is_one_block);
    CHECK_FALSE(survey("\ndata: x\n\n").is_one_block);
    CHECK_FALSE(survey(":\n\ndata: x\n\n").is_one_block);
}

TEST_CASE("a survey is one while compiling too") {
    static_assert(survey("id: 1\ndata: x\n\n").has_id);
    static_assert(!survey("data: x\n\n:\n\n").is_one_block);
    static_assert(ends_block("x\n\n"));
    CHECK(true);
}
