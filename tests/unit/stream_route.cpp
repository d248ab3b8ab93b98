// SPDX-License-Identifier: MIT
#include <ssekit/stream_route.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

using ssekit::accept_rule;
using ssekit::header;
using ssekit::request_view;
using ssekit::stream_route;
using ssekit::stream_status;

namespace {

std::string headers(const stream_route& route, const request_view& request, int status) {
    std::string out;
    ssekit::for_each_route_header(route, request, status, [&](const header& each) {
        out.append(each.name).append("=").append(each.value).append(";");
    });
    return out;
}

} // namespace

TEST_CASE("a stream may begin, or there is a status that says why not") {
    CHECK(stream_status({}) == 200);
    CHECK(stream_status({.method = "HEAD"}) == 200);
    CHECK(stream_status({.method = "OPTIONS"}) == 204);
    CHECK(stream_status({.method = "OPTIONS", .accept = "text/html"}) == 204);
    CHECK(stream_status({.method = "POST"}) == 405);
    CHECK(stream_status({.method = "get"}) == 405);
    CHECK(stream_status({.accept = "text/html"}) == 406);
    CHECK(stream_status({.method = ""}) == 400);
    const std::string token(8 << 10, 'x');
    CHECK(stream_status({.authorization = token}) == 200);
    const std::string longer = token + 'x';
    CHECK(stream_status({.authorization = longer}) == 431);
    CHECK(stream_status({.authorization = "12345"}, {.limits = {.token = 4}}) == 431);
}

TEST_CASE("a route chooses its methods, and tells them where another one is asked for") {
    const stream_route posts{.allow = "POST,OPTIONS , QUERY"};
    CHECK(stream_status({.method = "POST"}, posts) == 200);
    CHECK(stream_status({.method = "OPTIONS"}, posts) == 204);
    CHECK(stream_status({}, posts) == 405);
    CHECK(stream_status({.method = "POS"}, posts) == 405);
    CHECK(stream_status({.method = "POST,OPTIONS "}, posts) == 405);
    CHECK(stream_status({.method = "OPTIONS"}, {.allow = "GET"}) == 405);
    CHECK(headers(posts, {}, 405) == "Allow=POST,OPTIONS , QUERY;");
    CHECK(headers(posts, {.method = "OPTIONS"}, 204) == "Allow=POST,OPTIONS , QUERY;");
    CHECK(headers(posts, {.method = "POST"}, 200).empty());
    const stream_route any{.allow = ""};
    CHECK(stream_status({.method = "PATCH"}, any) == 200);
    CHECK(headers(any, {.method = "OPTIONS"}, 204).empty());
    CHECK(stream_status({.method = "CONNECT", .target = "a:443"}, any) == 400);
}

TEST_CASE("a query says of what type its body is") {
    const stream_route queries{.allow = "QUERY"};
    CHECK(stream_status({.method = "QUERY"}, queries) == 400);
    CHECK(stream_status({.method = "QUERY", .content_type = "application/json"}, queries) == 200);
    const request_view seen = ssekit::read_request("QUERY /x HTTP/1.1\r\nHost: a\r\n"
                                                   "Content-Type: text/plain\r\n\r\n");
    CHECK(stream_status(seen, queries) == 200);
    CHECK(ssekit::read_request("QUERY /x HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                               "content-type: text/html\r\n\r\n")
              .method.empty());
}

TEST_CASE("Accept matters to reads, unless the route says otherwise") {
    const auto status = [](std::string_view method, accept_rule rule) {
        return stream_status({.method = method, .accept = "application/json"},
                             {.allow = "", .accept = rule});
    };
    CHECK(status("GET", accept_rule::of_reads) == 406);
    CHECK(status("HEAD", accept_rule::of_reads) == 406);
    CHECK(status("POST", accept_rule::of_reads) == 200);
    CHECK(status("POST", accept_rule::of_all) == 406);
    CHECK(status("GET", accept_rule::of_none) == 200);
}

TEST_CASE("who is not admitted is refused first, and every answer has the route's headers") {
    constexpr std::array<std::string_view, 1> pages = {"https://example.org"};
    constexpr std::array<header, 1> own = {{{"Server", "x"}}};
    const stream_route route{
        .guard = {.origins = pages}, .cors = {.origins = pages}, .headers = own};
    CHECK(stream_status({.origin = "https://example.net"}, route) == 403);
    CHECK(stream_status({.method = "POST", .origin = "https://example.net"}, route) == 403);
    CHECK(stream_status({.origin = "https://example.org"}, route) == 200);
    for (const int status : {200, 403, 503}) {
        CHECK(headers(route, {.origin = "https://example.org"}, status) ==
              "Vary=Origin;Access-Control-Allow-Origin=https://example.org;Server=x;");
    }
    CHECK(headers(route, {.origin = "https://example.net"}, 403) == "Vary=Origin;Server=x;");
}
