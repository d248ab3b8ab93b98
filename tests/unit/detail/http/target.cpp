// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/target.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>

using ssekit::detail::is_host_field;
using ssekit::detail::read_target;
using ssekit::detail::request_target;

TEST_CASE("http target: each form gives what it has") {
    struct given {
        std::string_view method, text, target, host;
    };
    for (const given& one : std::initializer_list<given>{
             {"GET", "/", "/", ""},
             {"GET", "/a?b=http://c/", "/a?b=http://c/", ""},
             {"GET", "//a/b", "//a/b", ""}, // a path, not an authority
             {"POST", "http://h/a?b", "/a?b", "h"},
             {"GET", "HTTPS://h:8443/a", "/a", "h:8443"},
             {"GET", "http://[::1]:80?b", "?b", "[::1]:80"},
             {"GET", "http://h", "/", "h"},
             {"GET", "http://h#f", "/", "h"},
             {"OPTIONS", "*", "*", ""},
             {"OPTIONS", "/a", "/a", ""},
             {"CONNECT", "h:443", "h:443", ""},
             {"CONNECT", "[::1]:443", "[::1]:443", ""},
         }) {
        CAPTURE(one.text);
        const request_target seen = read_target(one.method, one.text);
        CHECK(seen.is_good);
        CHECK(seen.target == one.target);
        CHECK(seen.host == one.host);
    }
}

TEST_CASE("http target: a form of another method, and what is no target, is refused") {
    struct given {
        std::string_view method, text;
    };
    for (const given& one : std::initializer_list<given>{
             {"GET", ""},
             {"GET", "*"},
             {"GET", "a"},
             {"GET", "?a"},
             {"GET", "h:443"},
             {"GET", "ftp://h/"},
             {"GET", "http:/a"},
             {"GET", "http:a"},
             {"GET", "http:///a"},
             {"GET", "http://u@h/a"},
             {"GET", "http://h:x/a"},
             {"OPTIONS", "**"},
             {"CONNECT", "/"},
             {"CONNECT", "*"},
             {"CONNECT", "h"},
             {"CONNECT", "h:"},
             {"CONNECT", ":443"},
             {"CONNECT", "h:65536"},
             {"CONNECT", "u@h:443"},
             {"CONNECT", "http://h:443"},
         }) {
        CAPTURE(one.method);
        CAPTURE(one.text);
        CHECK_FALSE(read_target(one.method, one.text).is_good);
    }
}

TEST_CASE("http target: the value of Host is a host and perhaps a port") {
    for (const std::string_view good :
         {"a", "a:", "a:80", "[::1]", "[::1]:80", "127.0.0.1:65535"}) {
        CAPTURE(good);
        CHECK(is_host_field(good));
    }
    for (const std::string_view bad : {"", ":80", "a b", "a, b", "u@a", "a/b", "a:b", "a:80:80",
                                       "a:65536", "m\xC3\xBCller", "http://a", "::1"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_host_field(bad));
    }
}
