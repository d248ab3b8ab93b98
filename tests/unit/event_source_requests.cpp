// SPDX-License-Identifier: MIT
//
// What an event source sends, and what its owner may change from one attempt to the next.
#include "support/source_client.hpp"

#include <ssekit/event_source.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_source;
using ssekit::event_source_options;
using ssekit::ready_state;
using ssekit::repeat_policy;
using ssekit::request_reach;
using ssekit::source_action;
using ssekit::source_end;
using support::source_client;

namespace {

/// A place for tokens, which are used up quickly.
struct token_store {
    int given = 0;
    bool is_empty = false;
    bool leaves = false;

    static bool fill(void* self, event_source& source) noexcept {
        auto& store = *static_cast<token_store*>(self);
        ++store.given;
        if (store.leaves) source.close();
        return !store.is_empty &&
               source.set_header("Authorization", "Bearer " + std::to_string(store.given));
    }
};

std::string basic(std::string_view url) {
    source_client c({}, url);
    if (c.poll() != source_action::connect) return "refused";
    CHECK(c.source.request().url.find('@') == std::string_view::npos);
    CHECK(c.source.url().find('@') == std::string_view::npos);
    return c.sent("Authorization").value_or("");
}

} // namespace

TEST_CASE(
    "requests: a hook before each attempt brings a fresh token, but not to a redirect's end") {
    token_store tokens;
    source_client c({.before_request = {&token_store::fill, &tokens}});
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.sent("Authorization") == "Bearer 1");
    c.head(302, {{"Location", "/elsewhere"}});
    CHECK(c.poll() == source_action::disconnect);
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.sent("Authorization") == "Bearer 1");
    CHECK(c.source.request().url == "http://a.example/elsewhere");
    REQUIRE(c.head(200));
    c.source.receive_end(c.now);
    CHECK(tokens.given == 1);
    c.wait_and_connect();
    CHECK(c.sent("Authorization") == "Bearer 2");
    CHECK(c.source.request().url == "http://a.example/x/y?z");
    int headers = 0;
    for (const ssekit::header& each : c.source.request().headers) {
        headers += each.name == "Authorization" ? 1 : 0;
    }
    CHECK(headers == 1);
}

TEST_CASE("requests: a hook that has nothing to send is a failure, and that may close the source") {
    token_store tokens{.is_empty = true};
    source_client c(
        {.method = "POST", .before_request = {&token_store::fill, &tokens}, .max_failures = 2});
    CHECK(c.wait() >= 1s); // also a POST: nothing was sent
    CHECK(c.source.failure() == "the request was not prepared");
    CHECK(c.source.failures() == 1);
    tokens.is_empty = false;
    c.wait_and_connect();
    CHECK(c.sent("Authorization") == "Bearer 2");
    c.source.receive_failure(c.now, "refused", request_reach::unsent);
    tokens.is_empty = true;
    c.now = c.source.next_deadline();
    CHECK(c.poll() == source_action::stop);
    CHECK(c.source.end() == source_end::too_many_failures);

    token_store never{.is_empty = true};
    source_client hasty({.before_request = {&token_store::fill, &never}, .max_delay = 0s});
    for (int i = 0; i < 5; ++i) {
        CHECK(hasty.poll() == source_action::wait); // there is no request
        CHECK(hasty.source.next_deadline() <= hasty.now);
        CHECK(never.given == i + 1);
    }

    token_store last{.leaves = true};
    source_client leaving({.before_request = {&token_store::fill, &last}});
    CHECK(leaving.poll() == source_action::stop);
    CHECK(leaving.source.end() == source_end::closed);
    CHECK(last.given == 1);
}

TEST_CASE("requests: what never left may be sent again, whatever the method") {
    source_client c({.method = "POST", .body = "q"});
    REQUIRE(c.poll() == source_action::connect);
    c.source.receive_failure(c.now, "refused", request_reach::unsent);
    c.wait_and_connect();
    CHECK(c.source.request().body == "q");
    c.source.receive_failure(c.now, "reset");
    c.stopped(source_end::not_repeated);
}

TEST_CASE("requests: URL, headers and body may be others from the next attempt on") {
    source_client c({.method = "POST",
                     .body = "1",
                     .headers = {{"X-Key", "a", true}, {"x-key", "b"}, {"X-Other", "c"}},
                     .repeat = repeat_policy::always});
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.source.set_url("https://b.example/new#part"));
    CHECK(c.source.request().url == "http://a.example/x/y?z");
    c.source.receive_failure(c.now);
    c.source.set_body("2");
    CHECK(c.source.set_header("X-KEY", "d"));
    c.source.remove_header("x-other");
    c.wait_and_connect();
    CHECK(c.source.request().url == "https://b.example/new");
    CHECK(c.source.request().body == "2");
    CHECK(c.sent("X-KEY") == "d");
    CHECK_FALSE(c.sent("X-Key").has_value());
    CHECK_FALSE(c.sent("x-key").has_value());
    CHECK_FALSE(c.sent("X-Other").has_value());
    // It is still a secret, and home is where the new URL is.
    c.source.set_body("");
    c.head(307, {{"Location", "http://a.example/"}});
    CHECK(c.poll() == source_action::disconnect);
    REQUIRE(c.poll() == source_action::connect);
    CHECK_FALSE(c.sent("X-KEY").has_value());
    CHECK(c.source.request().is_abroad);

    for (const std::string_view bad :
         {"", "ftp://a/", "/x", "http://", "http://a b/", "http://u\x01@a/"}) {
        CHECK_FALSE(c.source.set_url(bad));
    }
    CHECK_FALSE(c.source.set_header("", "x"));
    CHECK_FALSE(c.source.set_header("a b", "x"));
    CHECK_FALSE(c.source.set_header("X-KEY", "a\r\nb: c"));
    c.source.receive_failure(c.now);
    c.wait_and_connect();
    CHECK(c.source.request().url == "https://b.example/new");
    CHECK(c.sent("X-KEY") == "d");
    CHECK_FALSE(c.source.request().is_abroad);
}

TEST_CASE("requests: the id and the reconnection time may be set, as if a server had") {
    source_client c;
    CHECK(c.source.set_last_event_id("7") == errc::ok);
    c.source.set_retry(5s);
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.sent("Last-Event-ID") == "7");
    CHECK(c.source.retry() == 5s);
    CHECK(c.source.set_last_event_id("a\nb") == errc::invalid_id);
    CHECK(c.source.set_last_event_id("a\x01") == errc::unreturnable_id);
    CHECK(c.source.set_last_event_id(" a") == errc::unreturnable_id);
    CHECK(c.source.set_last_event_id("\xFF") == errc::malformed_utf8);
    CHECK(c.source.set_last_event_id(std::string((64 << 10) + 1, 'x')) == errc::id_too_long);
    CHECK(c.source.last_event_id() == "7");
    REQUIRE(c.head(200));
    c.bytes("id: 8\nretry: 9000\n\n");
    CHECK(c.source.retry() == 9s);
    c.source.receive_end(c.now);
    CHECK(c.source.set_last_event_id("") == errc::ok);
    c.wait_and_connect();
    CHECK_FALSE(c.sent("Last-Event-ID").has_value());
}

TEST_CASE("requests: an id that no header can carry is not sent") {
    for (const std::string_view id : {"a\x01", "\x7F", "a\t", "\ta"}) {
        source_client c;
        c.open();
        c.bytes(std::string("id: ").append(id).append("\ndata: x\n\n"));
        CHECK(c.source.last_event_id() == id);
        CHECK_FALSE(c.source.id_can_travel());
        c.source.receive_end(c.now);
        c.wait_and_connect();
        CHECK_FALSE(c.sent("Last-Event-ID").has_value());
        REQUIRE(c.head(200));
        c.bytes("id: a b\n\n");
        CHECK(c.source.id_can_travel());
    }
}

TEST_CASE("requests: the network is back, and nobody waits any longer") {
    source_client c({.initial_delay = 1h});
    c.source.connect_now();
    REQUIRE(c.poll() == source_action::connect);
    for (int i = 0; i < 5; ++i) {
        c.source.receive_failure(c.now);
        c.wait_and_connect();
    }
    c.source.receive_failure(c.now);
    CHECK(c.source.failures() == 6);
    CHECK(c.poll() == source_action::wait);
    c.source.connect_now();
    CHECK(c.source.failures() == 0);
    CHECK(c.source.next_deadline() <= c.now);
    REQUIRE(c.poll() == source_action::connect);
    c.source.connect_now(); // it does
    CHECK(c.poll() == source_action::wait);
    REQUIRE(c.head(200));
    c.source.connect_now(); // it has
    CHECK(c.source.state() == ready_state::open);
    c.source.close();
    c.source.connect_now();
    c.stopped(source_end::closed);
}

TEST_CASE("requests: a user in the URL is sent as Basic credentials, to its origin alone") {
    CHECK(basic("http://Aladdin:open%20sesame@a/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(basic("http://a%3Ab@x/") == "refused"); // no name may have a colon
    CHECK(basic("http://a:b:c@x/") == "Basic YTpiOmM=");
    CHECK(basic("http://a+b@x/") == "Basic YStiOg==");
    CHECK(basic("http://@x/") == "");
    CHECK(basic("http://a%zz@x/") == "refused");
    CHECK(basic("http://a%0D@x/") == "refused");
    CHECK(basic("http://a%@x/") == "refused");
    source_client given({.headers = {{"authorization", "Bearer x"}}}, "http://a:b@x/");
    REQUIRE(given.poll() == source_action::connect);
    CHECK_FALSE(given.sent("Authorization").has_value());
    CHECK(given.sent("authorization") == "Bearer x");

    source_client c({}, "http://a:b@x/");
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.sent("Authorization") == "Basic YTpi");
    c.head(302, {{"Location", "http://c:d@y/"}}); // nor is theirs sent
    CHECK(c.poll() == source_action::disconnect);
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.source.request().url == "http://y/");
    CHECK_FALSE(c.sent("Authorization").has_value());
    c.source.receive_failure(c.now);
    c.wait_and_connect();
    CHECK(c.sent("Authorization") == "Basic YTpi");
}
