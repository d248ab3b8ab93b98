// SPDX-License-Identifier: MIT
#include <ssekit/header.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>

using namespace std::string_view_literals;
using ssekit::header;
using ssekit::is_valid_header;

TEST_CASE("a header that can be sent is valid, one that would become two is not") {
    static_assert(is_valid_header({"Vary", "Origin"}));
    CHECK(is_valid_header({"X-Empty", ""}));
    CHECK(is_valid_header({"X-Words", "a\tb c \xC3\xBC"}));
    for (const header& bad : std::initializer_list<header>{{"", "a"},
                                                           {"A b", "c"},
                                                           {"A:", "b"},
                                                           {"A\r\nB", "c"},
                                                           {"A", "b\r\nC: d"},
                                                           {"A", "b\n"},
                                                           {"A", "b\r"},
                                                           {"A", "\0"sv},
                                                           {"A", "\x7F"}}) {
        CHECK_FALSE(is_valid_header(bad));
    }
}
