// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/url.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>

using ssekit::detail::is_host;
using ssekit::detail::is_http;
using ssekit::detail::is_port;
using ssekit::detail::same_origin;
using ssekit::detail::scheme_of;
using ssekit::detail::split_host;
using ssekit::detail::split_url;
using ssekit::detail::url_parts;

TEST_CASE("http url: a scheme is what stands before the first colon, if it can be one") {
    CHECK(scheme_of("https://a") == "https");
    CHECK(scheme_of("data:text/plain,x") == "data");
    CHECK(scheme_of("a+b-c.9:") == "a+b-c.9");
    for (const std::string_view none :
         {"", ":", "a", "/a:b", "a/b:c", "?a:b", "9a:b", "+a:", "a b:"}) {
        CAPTURE(none);
        CHECK(scheme_of(none).empty());
    }
}

TEST_CASE("http url: an absolute one has these parts") {
    const url_parts all = split_url("HTTP://u:p@[::1]:80/a/b?c/d?e#f");
    CHECK(all.scheme == "HTTP");
    CHECK(all.authority == "u:p@[::1]:80");
    CHECK(all.host == "[::1]");
    CHECK(all.port == "80");
    CHECK(all.path == "/a/b");
    CHECK(all.query == "?c/d?e");
    const url_parts bare = split_url("http://a?b");
    CHECK(bare.authority == "a");
    CHECK(bare.host == "a");
    CHECK(bare.port == "");
    CHECK(bare.path == "");
    CHECK(bare.query == "?b");
    CHECK(split_url("http://a#/b").path == "");
    for (const std::string_view none :
         {"", "/a", "//a", "http:a", "http:/a", "/x?y=http://a", "://a"}) {
        CAPTURE(none);
        CHECK(split_url(none).scheme.empty());
    }
}

TEST_CASE("http url: a host is a name or an address in brackets") {
    for (const std::string_view good : {"a", "a.b", "a.b.", "127.0.0.1", "[::1]",
                                        "[::ffff:1.2.3.4]", "x_y", "%41", "m\xC3\xBCller"}) {
        CAPTURE(good);
        CHECK(is_host(good));
    }
    for (const std::string_view bad : {"", "a b", "a@b", "a/b", "a\\b", "a:b", "[::1", "::1]", "[]",
                                       "[::1]x", "[/]", "a[b]", "a\nb", "a#b", "a<b"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_host(bad));
    }
    CHECK(split_host("[::1]:8").host == "[::1]");
    CHECK(split_host("[::1]:8").port == "8");
    CHECK_FALSE(split_host("[::1]").has_colon);
    CHECK(split_host("a:").has_colon);
    CHECK(split_host("a:").port == "");
}

TEST_CASE("http url: a port is a number of 16 bits") {
    for (const std::string_view good : {"", "0", "80", "65535", "000065535"}) CHECK(is_port(good));
    for (const std::string_view bad :
         {"65536", "99999999999999999999", "-1", "8a", " 8", "4294967376"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_port(bad));
    }
}

TEST_CASE("http url: http and https with a host are of the web, nothing else is") {
    for (const std::string_view good : {"http://a", "HTTPS://a:1/b", "http://u@a/", "http://a:/"}) {
        CAPTURE(good);
        CHECK(is_http(split_url(good)));
    }
    for (const std::string_view bad :
         {"ftp://a", "httpx://a", "http://", "http:///a", "http://a:b/", "https://a@b@c/",
          "http://@/", "http://a b/"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_http(split_url(bad)));
    }
}

TEST_CASE("http url: an origin is scheme, host and port, a default port being one too") {
    struct pair {
        std::string_view a, b;
        bool same;
    };
    for (const pair& one : std::initializer_list<pair>{
             {"http://a/", "http://a/", true},
             {"http://a/x?y", "HTTP://A:80/z", true},
             {"https://a/", "https://a:443/", true},
             {"https://a/", "https://a:0443/", true},
             {"https://a/", "https://u:p@a/", true},
             {"http://a:8080/", "http://a:08080", true},
             {"http://a:0/", "http://a:00/", true},
             {"http://[::1]/", "http://[::1]:80/", true},
             {"http://a/", "http://a:81/", false},
             {"http://a:81/", "http://a:82/", false},
             {"http://a:8/", "http://a:80/", false},
             {"http://a:0/", "http://a/", false},
             {"http://a/", "https://a/", false},
             {"http://a:443/", "https://a/", false},
             {"http://a/", "http://a:443/", false},
             {"https://a/", "https://a:80/", false},
             {"http://a/", "http://b/", false},
             {"http://a/", "http://a./", false},
             {"http://a/", "http://a@b/", false},
             {"http://a/", "http://x@a@b/", false},
             {"http://a/", "/x", false},
             {"ftp://a/", "ftp://a/", false},
             {"", "", false},
         }) {
        CAPTURE(one.a);
        CAPTURE(one.b);
        CHECK(same_origin(one.a, one.b) == one.same);
        CHECK(same_origin(one.b, one.a) == one.same);
    }
}
