// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/accept.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>

using ssekit::detail::has_zero_quality;
using ssekit::detail::judge_accept;

TEST_CASE("http accept: the most specific range decides, and says which one it is") {
    struct given {
        std::string_view accept;
        int rank;
        bool allowed;
    };
    for (const given& one : std::initializer_list<given>{
             {"", 4, true},
             {" \t", 4, true},
             {"text/html", 3, false},
             {",", 3, false},
             {"*/*", 2, true},
             {"text/*;q=0, */*", 1, false},
             {"*/*, TEXT/event-stream;q=0, text/*", 0, false},
             {"text/event-stream;q=0, text/event-stream", 0, false}, // the first of equals
             {"text/event-stream, text/event-stream;q=0", 0, true},
             {R"(text/html;x=",text/event-stream,")", 3, false},
             {R"(text/event-stream;x=";q=0")", 0, true},
         }) {
        CAPTURE(one.accept);
        CHECK(judge_accept(one.accept).rank == one.rank);
        CHECK(judge_accept(one.accept).allowed == one.allowed);
    }
}

TEST_CASE("http accept: other media types have ranges of their own") {
    using ssekit::detail::json_ranges;
    CHECK(judge_accept("application/json, text/event-stream", json_ranges).rank == 0);
    CHECK(judge_accept("application/*", json_ranges).rank == 1);
    CHECK(judge_accept("*/*;q=0.1", json_ranges).allowed);
    CHECK_FALSE(judge_accept("text/event-stream, text/*", json_ranges).allowed);
    CHECK_FALSE(judge_accept("*/*, application/json;q=0", json_ranges).allowed);
}

TEST_CASE("http accept: a quality of zero refuses, and nothing else does") {
    for (const std::string_view zero : {"q=0", "q=0.", "q=0.000", " Q=0 ", "a=b;q=0"}) {
        CAPTURE(zero);
        CHECK(has_zero_quality(zero));
    }
    for (const std::string_view other :
         {"", "q=1", "q=0.001", "q=", "q", "x=0", "qq=0", "q =0", "q=0.1;q=0", R"(x=";q=0")"}) {
        CAPTURE(other);
        CHECK_FALSE(has_zero_quality(other));
    }
}
