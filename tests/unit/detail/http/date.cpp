// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/date.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

using namespace std::chrono;
using ssekit::detail::parse_http_date;
using ssekit::detail::retry_after;
using ssekit::detail::whole_number;

TEST_CASE("http date: a whole number has up to nine digits and nothing else") {
    CHECK(whole_number("0") == 0u);
    CHECK(whole_number("999999999") == 999999999u);
    CHECK(whole_number("000000007") == 7u);
    for (const std::string_view bad :
         {"", "1000000000", "-1", "+1", " 1", "1 ", "1.5", "1s", "/", ":"}) {
        CAPTURE(bad);
        CHECK_FALSE(whole_number(bad));
    }
}

TEST_CASE("http date: a date is what it says") {
    CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == sys_seconds());
    CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == sys_seconds(784111777s));
    CHECK(parse_http_date("Thu, 29 Feb 2024 23:59:60 GMT") == sys_seconds(1709251200s));
    CHECK(parse_http_date("Sat, 01 Jan 0000 00:00:00 GMT") == sys_days(year(0) / January / 1));
    CHECK(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT") ==
          sys_days(year(9999) / December / 31) + 86399s);
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (unsigned i = 0; i < 12; ++i) {
        const std::string text =
            "Mon, 15 " + std::string(months.substr(std::size_t{3} * i, 3)) + " 2001 00:00:00 GMT";
        CHECK(parse_http_date(text) == sys_days(year(2001) / month(i + 1) / 15));
    }
}

TEST_CASE("http date: what is no date is none") {
    for (const std::string_view bad :
         {"", "Sun, 06 Nov 1994 08:49:37 GM", "Sun, 06 Nov 1994 08:49:37 GMTx",
          "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 24:00:00 GMT",
          "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
          "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
          "Wed, 29 Feb 2023 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
          "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 xxx 1994 08:49:37 GMT",
          "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 19 4 08:49:37 GMT",
          "Sun. 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_http_date(bad));
    }
}

TEST_CASE("http date: Retry-After is seconds, or a date by the clock of the same response") {
    constexpr std::string_view now = "Sun, 06 Nov 1994 08:49:37 GMT";
    CHECK(retry_after("0", "") == 0s);
    CHECK(retry_after("120", now) == 120s);
    CHECK(retry_after("Sun, 06 Nov 1994 08:49:38 GMT", now) == 1s);
    CHECK(retry_after(now, now) == 0s);
    CHECK(retry_after("Sun, 06 Nov 1994 08:49:36 GMT", now) == 0s);
    CHECK_FALSE(retry_after("", now));
    CHECK_FALSE(retry_after("soon", now));
    CHECK_FALSE(retry_after(now, ""));
    CHECK_FALSE(retry_after(now, "soon"));
}
