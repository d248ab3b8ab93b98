// SPDX-License-Identifier: MIT
#include <ssekit/request_guard.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string_view>

using ssekit::matches_host;
using ssekit::matches_origin;
using ssekit::request_guard;

TEST_CASE("an origin is matched whole: scheme, host and port") {
    static_assert(matches_origin("https://a.example", "https://a.example"));
    static_assert(matches_origin("http://a.example:8080", "http://a.example:8080"));
    for (const std::string_view other :
         {"http://a.example", "https://a.example:444", "https://a.example.evil",
          "https://b.example", "https://xa.example", "null", "", "a.example", "https://"}) {
        CHECK_FALSE(matches_origin("https://a.example", other));
    }
}

TEST_CASE("an asterisk stands for one host label or more, never for none") {
    static_assert(matches_origin("https://*.a.example", "https://x.a.example"));
    static_assert(matches_origin("https://*.a.example", "https://x.y.a.example"));
    static_assert(matches_origin("https://*.a.example:8080", "https://x.a.example:8080"));
    for (const std::string_view other :
         {"https://a.example", "https://.a.example", "https://xa.example", "http://x.a.example",
          "https://x.a.example:444", "https://x.a.example.evil", "null"}) {
        CHECK_FALSE(matches_origin("https://*.a.example", other));
    }
    CHECK_FALSE(matches_origin("https://a.*", "https://a.example")); // only at the front
}

TEST_CASE("pages without an origin of their own are matched by that name alone") {
    static_assert(matches_origin("null", "null"));
    static_assert(!matches_origin("*", "null"));
    static_assert(matches_origin("*", "https://a.example"));
    static_assert(!matches_origin("null", "https://null"));
}

TEST_CASE("a host is matched on any port, or on the one that is named") {
    static_assert(matches_host("localhost", "localhost"));
    static_assert(matches_host("localhost", "LocalHost:8080"));
    static_assert(matches_host("localhost:8080", "localhost:8080"));
    static_assert(!matches_host("localhost:8080", "localhost"));
    static_assert(!matches_host("localhost:8080", "localhost:80"));
    static_assert(matches_host("[::1]", "[::1]:8080"));
    static_assert(matches_host("[::1]:80", "[::1]:80"));
    static_assert(!matches_host("[::1]:80", "[::1]"));
    static_assert(matches_host("*.a.example", "x.a.example:8080"));
    static_assert(!matches_host("*.a.example", "a.example"));
    static_assert(!matches_host("localhost", ""));
    static_assert(!matches_host("localhost", "localhost.evil"));
}

TEST_CASE("a guard without lists admits everything") {
    static_assert(request_guard().admits({}));
    static_assert(request_guard().admits({.origin = "https://evil.example", .host = "x"}));
}

TEST_CASE("a page that came by another name, or from elsewhere, is not admitted") {
    static constexpr std::array<std::string_view, 2> hosts = {"localhost", "127.0.0.1"};
    static constexpr std::array<std::string_view, 1> origins = {"http://localhost:8080"};
    constexpr request_guard guard{.origins = origins, .hosts = hosts};
    static_assert(guard.admits({.host = "localhost:8080"}));
    static_assert(guard.admits({.origin = "http://localhost:8080", .host = "127.0.0.1:8080"}));
    static_assert(!guard.admits({.origin = "http://evil.example", .host = "localhost:8080"}));
    static_assert(!guard.admits({.origin = "http://localhost:8080", .host = "evil.example"}));
    static_assert(!guard.admits({.origin = "null", .host = "localhost"}));
    static_assert(!guard.admits({})); // without a Host
    constexpr request_guard pages_only{.origins = origins, .without_origin = false};
    static_assert(!pages_only.admits({.host = "localhost"}));
    static_assert(pages_only.admits({.origin = "http://localhost:8080"}));
}
