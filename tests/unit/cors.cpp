// SPDX-License-Identifier: MIT
#include <ssekit/cors.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

using ssekit::cors_policy;
using ssekit::request_view;

namespace {

constexpr std::array<std::string_view, 2> two = {"https://a.example", "http://b.example:8080"};
constexpr std::array<std::string_view, 1> any = {"*"};
constexpr std::array<std::string_view, 2> any_and_one = {"*", "https://a.example"};

std::string answer(const cors_policy& policy, const request_view& request) {
    std::string out;
    ssekit::for_each_cors_header(policy, request, [&](const ssekit::header& each) {
        out += std::string(each.name) + ": " + std::string(each.value) + "\n";
    });
    return out;
}

} // namespace

TEST_CASE("without a policy no other origin may read") {
    CHECK(answer({}, {}) == "");
    CHECK(answer({}, {.origin = "https://a.example"}) == "");
    CHECK(answer({.credentials = true}, {.origin = "null"}) == "");
}

TEST_CASE("an allowed origin is named, and nobody else's answer is taken for its own") {
    CHECK(answer({.origins = two}, {.origin = "https://a.example"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: https://a.example\n");
    CHECK(answer({.origins = two}, {.origin = "http://b.example:8080"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: http://b.example:8080\n");
    for (const std::string_view other :
         {"https://c.example", "http://a.example", "https://a.example.evil", "https://a.exampl",
          "http://b.example", "HTTPS://A.EXAMPLE", "null", "*"}) {
        CHECK(answer({.origins = two}, {.origin = other}) == "Vary: Origin\n");
    }
    CHECK(answer({.origins = two}, {}) == "Vary: Origin\n");
}

TEST_CASE("any origin may read, but never with credentials") {
    CHECK(answer({.origins = any}, {.origin = "https://c.example"}) ==
          "Access-Control-Allow-Origin: *\n");
    CHECK(answer({.origins = any}, {.origin = "*"}) == "Access-Control-Allow-Origin: *\n");
    CHECK(answer({.origins = any}, {}) == "");
    CHECK(answer({.origins = any, .credentials = true}, {.origin = "https://c.example"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: *\n");
    CHECK(answer({.origins = any, .credentials = true}, {.origin = "*"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: *\n");
    CHECK(answer({.origins = any_and_one, .credentials = true}, {.origin = "https://c.example"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: *\n");
    CHECK(answer({.origins = any_and_one, .credentials = true}, {.origin = "https://a.example"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: https://a.example\n"
          "Access-Control-Allow-Credentials: true\n");
}

TEST_CASE("a preflight learns what is allowed, and another request does not") {
    const request_view preflight{
        .method = "OPTIONS", .origin = "https://a.example", .requested_method = "GET"};
    CHECK(answer({.origins = two, .credentials = true, .max_age = "60"}, preflight) ==
          "Vary: Origin\n"
          "Access-Control-Allow-Origin: https://a.example\n"
          "Access-Control-Allow-Credentials: true\n"
          "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\n"
          "Access-Control-Allow-Headers: Last-Event-ID, Authorization, Content-Type, "
          "Cache-Control\n"
          "Access-Control-Max-Age: 60\n");
    CHECK(answer({.origins = two}, {.origin = "https://a.example", .requested_method = "GET"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: https://a.example\n");
    CHECK(answer({.origins = two}, {.method = "OPTIONS", .origin = "https://a.example"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: https://a.example\n");
    CHECK(answer({.origins = two},
                 {.method = "OPTIONS", .origin = "https://c.example", .requested_method = "GET"}) ==
          "Vary: Origin\n");
}

TEST_CASE("a domain's hosts may read, and a page without an origin only where it is named") {
    constexpr std::array<std::string_view, 2> some = {"https://*.a.example", "null"};
    CHECK(answer({.origins = some}, {.origin = "https://x.a.example"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: https://x.a.example\n");
    CHECK(answer({.origins = some}, {.origin = "null"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: null\n");
    for (const std::string_view other : {"https://a.example", "http://x.a.example",
                                         "https://x.a.example:444", "https://xa.example", "*"}) {
        CHECK(answer({.origins = some}, {.origin = other}) == "Vary: Origin\n");
    }
}

TEST_CASE("headers are exposed in answers, not in those to preflights") {
    const cors_policy policy{.origins = two, .exposed = "Retry-After"};
    CHECK(answer(policy, {.origin = "https://a.example"}) ==
          "Vary: Origin\nAccess-Control-Allow-Origin: https://a.example\n"
          "Access-Control-Expose-Headers: Retry-After\n");
    const request_view preflight{
        .method = "OPTIONS", .origin = "https://a.example", .requested_method = "GET"};
    CHECK(answer(policy, preflight).find("Expose") == std::string::npos);
    CHECK(answer(policy, {.origin = "https://c.example"}) == "Vary: Origin\n");
}
