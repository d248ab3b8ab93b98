// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/query.hpp>

#include <doctest/doctest.h>

#include <string_view>

using ssekit::detail::query_of;
using ssekit::detail::take_parameter;

TEST_CASE("http query: it stands between the first question mark and the fragment") {
    CHECK(query_of("/a?b=c#d") == "b=c");
    CHECK(query_of("/a?b?c") == "b?c");
    CHECK(query_of("/a#b?c") == "");
    CHECK(query_of("/a") == "");
    CHECK(query_of("?") == "");
    CHECK(query_of("") == "");
}

TEST_CASE("http query: parameters of a name are taken one after the other") {
    std::string_view query = "a=1&b=2&&a&a=x=y";
    CHECK(take_parameter(query, "a") == "1");
    CHECK(query == "b=2&&a&a=x=y");
    const std::string_view empty = take_parameter(query, "a");
    CHECK(empty.empty());
    CHECK(empty.data() != nullptr);
    CHECK(take_parameter(query, "a") == "x=y");
    CHECK(take_parameter(query, "a").data() == nullptr);
    query = "aa=1&A=2";
    CHECK(take_parameter(query, "a").data() == nullptr);
    CHECK(query.empty());
}
