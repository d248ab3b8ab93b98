// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/redirects.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>

using ssekit::detail::is_about_body;
using ssekit::detail::is_credential;
using ssekit::detail::redirects;

TEST_CASE("source redirects: each is followed from where the last one led") {
    redirects way("http://a/x/y");
    CHECK(way.url() == "http://a/x/y");
    CHECK(way.follow(302, "z", "GET", 9));
    CHECK(way.url() == "http://a/x/z");
    CHECK(way.follow(302, "//b/c/", "GET", 9));
    CHECK(way.follow(302, "d", "GET", 9));
    CHECK(way.url() == "http://b/c/d");
    CHECK(way.has_led_on());
    way.begin_again();
    CHECK(way.url() == "http://a/x/y");
    CHECK_FALSE(way.has_led_on());
}

TEST_CASE("source redirects: a user is no part of the URL, neither of ours nor of where it leads") {
    redirects way("http://u:p@a/x#y");
    CHECK(way.is_sound());
    CHECK(way.url() == "http://a/x");
    CHECK(way.credentials() == "Basic dTpw");
    CHECK(way.follow(302, "//v:q@a/z", "GET", 9));
    CHECK(way.url() == "http://a/z");
    CHECK(way.credentials() == "Basic dTpw");
    CHECK(way.follow(302, "//b/", "GET", 9));
    CHECK(way.credentials() == "");
    way.begin_again();
    CHECK(way.credentials() == "Basic dTpw");
    for (const std::string_view bad :
         {"", "x", "ftp://a/", "http://u@v@a/", "http://u%@a/", "http://a b/"}) {
        CHECK_FALSE(redirects(bad).is_sound());
    }
}

TEST_CASE("source redirects: what leads nowhere, and one too many, changes nothing") {
    redirects way("http://a/x");
    for (const std::string_view nowhere : {"", "data:,x", "javascript:1", "/a b", "http://"}) {
        CHECK_FALSE(way.follow(302, nowhere, "GET", 9));
    }
    CHECK(way.url() == "http://a/x");
    CHECK_FALSE(way.follow(302, "/y", "GET", 0));
    CHECK(way.follow(302, "/1", "GET", 2));
    CHECK(way.follow(302, "/2", "GET", 2));
    CHECK_FALSE(way.follow(302, "//b/", "POST", 2));
    CHECK(way.url() == "http://a/2");
    CHECK(way.may_travel({"Cookie", ""}));
    way.arrive(); // a stream came of it
    CHECK(way.url() == "http://a/2");
    CHECK(way.follow(302, "/3", "GET", 2));
    way.begin_again();
    CHECK(way.follow(302, "/1", "GET", 1));
}

TEST_CASE("source redirects: credentials stay with the first origin, and do not come back to it") {
    struct given {
        std::string_view to;
        bool is_home;
    };
    for (const given& one : std::initializer_list<given>{{"/y", true},
                                                         {"HTTP://A:80/", true},
                                                         {"http://a:81/", false},
                                                         {"https://a/", false},
                                                         {"//b/", false},
                                                         {"http://a.b/", false},
                                                         {"http://a@b/", false}}) {
        CAPTURE(one.to);
        redirects way("http://a/x");
        CHECK(way.follow(307, one.to, "GET", 9));
        for (const std::string_view secret : {"Authorization", "cookie", "PROXY-Authorization"}) {
            CHECK(way.may_travel({std::string(secret), ""}) == one.is_home);
        }
        CHECK(way.may_travel({"X-Mine", ""}));
        CHECK(way.may_travel({"X-Api-Key", "", true}) == one.is_home);
        CHECK(way.is_abroad() != one.is_home);
        CHECK(way.may_travel({"Content-Type", ""}));
        CHECK(way.follow(307, "http://a/x", "GET", 9));
        CHECK(way.may_travel({"Cookie", ""}) == one.is_home);
        way.begin_again();
        CHECK(way.may_travel({"Cookie", ""}));
    }
    redirects further("http://a/x");
    CHECK(further.follow(307, "//b/", "GET", 9));
    CHECK(further.follow(307, "//c/", "GET", 9));
    CHECK_FALSE(further.may_travel({"Cookie", ""}));
    CHECK_FALSE(is_credential("Authorizations"));
}

TEST_CASE("source redirects: 303, and 301 and 302 after POST, drop the body and what is about it") {
    struct given {
        int status;
        std::string_view method;
        bool drops;
    };
    for (const given& one : std::initializer_list<given>{{301, "POST", true},
                                                         {302, "POST", true},
                                                         {303, "POST", true},
                                                         {307, "POST", false},
                                                         {308, "POST", false},
                                                         {301, "PUT", false},
                                                         {302, "PUT", false},
                                                         {303, "PUT", true},
                                                         {303, "GET", false},
                                                         {301, "GET", false},
                                                         {303, "HEAD", false}}) {
        CAPTURE(one.status);
        CAPTURE(one.method);
        redirects way("http://a/x");
        CHECK(way.follow(one.status, "/y", one.method, 9));
        CHECK(way.is_without_body() == one.drops);
        for (const std::string_view about :
             {"content-type", "Content-Encoding", "Content-Language", "Content-Location"}) {
            CHECK(way.may_travel({std::string(about), ""}) == !one.drops);
        }
        CHECK(way.may_travel({"Content-Disposition", ""}));
        CHECK(way.follow(307, "/z", one.method, 9));
        CHECK(way.is_without_body() == one.drops); // it does not come back
        way.begin_again();
        CHECK_FALSE(way.is_without_body());
    }
    CHECK_FALSE(is_about_body("Content-Length"));
}
