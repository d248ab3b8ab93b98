// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/next_request.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

using ssekit::answer_head;
using ssekit::event_source_options;
using ssekit::detail::next_request;

namespace {

bool follow(next_request& request, int status, std::string_view place,
            const event_source_options& options) {
    auto find = [place](std::string_view name) {
        return name == "Location" ? std::optional(place) : std::nullopt;
    };
    return request.follow(answer_head(status, find), options);
}

} // namespace

TEST_CASE("next request: only what is sound is sent") {
    const next_request good("http://a/");
    CHECK(good.is_sound({}));
    CHECK_FALSE(good.is_sound({.method = "A B"}));
    CHECK_FALSE(good.is_sound({.method = ""}));
    CHECK_FALSE(good.is_sound({.headers = {{"A", "b\n"}}}));
    CHECK_FALSE(good.is_sound({.headers = {{"", "b"}}}));
    CHECK_FALSE(next_request("file:///a").is_sound({}));
}

TEST_CASE("next request: another URL counts from the next attempt on") {
    next_request request("http://a/1");
    CHECK(request.set_url("http://b/2"));
    CHECK_FALSE(request.set_url("nowhere"));
    CHECK(request.url() == "http://a/1");
    CHECK(follow(request, 302, "/3", {}));
    CHECK(request.has_led_on());
    CHECK(request.url() == "http://a/3");
    request.begin_again();
    request.begin();
    CHECK(request.url() == "http://b/2");
    CHECK_FALSE(request.has_led_on());
    request.begin();
    CHECK(request.url() == "http://b/2");
}

TEST_CASE("next request: a redirect takes the method and the body along, or neither") {
    const event_source_options post{.method = "POST", .body = "x"};
    next_request request("http://a/");
    request.prepare(post, "7");
    CHECK(request.view(post).method == "POST");
    CHECK(request.view(post).body == "x");
    CHECK(request.view(post).headers.back().value == "7");
    CHECK(follow(request, 307, "/b", post));
    CHECK(request.view(post).body == "x");
    CHECK_FALSE(request.view(post).is_abroad);
    CHECK_FALSE(follow(request, 307, "http://b/", post)); // the body stays with its origin
    request.begin_again();
    CHECK(follow(request, 303, "http://b/", post));
    CHECK(request.view(post).method == "GET");
    CHECK(request.view(post).body == "");
    CHECK(request.view(post).is_abroad);
    request.begin_again();
    const event_source_options open{.method = "POST", .body = "x", .body_may_travel = true};
    CHECK(follow(request, 308, "http://b/", open));
    CHECK(request.view(open).body == "x");
    request.begin_again();
    CHECK_FALSE(follow(request, 302, "", post));
}
