// SPDX-License-Identifier: MIT
//
// The cases C01 to C22 of the conformance list, and what lies between them.
#include "support/source_client.hpp"

#include <ssekit/event_source.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::event_source;
using ssekit::event_source_options;
using ssekit::event_view;
using ssekit::ready_state;
using ssekit::source_action;
using ssekit::source_end;
using ssekit::status_policy;
using ssekit::time_point;
using support::source_client;
using support::stream_type;

namespace {

bool between(std::chrono::milliseconds low, std::chrono::milliseconds value,
             std::chrono::milliseconds high) {
    return low <= value && value <= high;
}

} // namespace

TEST_CASE("C01: the first request has no Last-Event-ID") {
    source_client c({.headers = {{"X-Mine", "1"}}});
    CHECK(c.source.next_deadline() <= c.now);
    CHECK(c.source.state() == ready_state::connecting);
    REQUIRE(c.poll() == source_action::connect);
    const ssekit::source_request request = c.source.request();
    CHECK(request.method == "GET");
    CHECK(request.url == "http://a.example/x/y?z");
    CHECK(request.body == "");
    CHECK(request.headers.size() == 3);
    CHECK(c.sent("Accept") == "text/event-stream");
    CHECK(c.sent("Cache-Control") == "no-cache");
    CHECK(c.sent("X-Mine") == "1");
    CHECK(c.poll() == source_action::wait);
}

TEST_CASE("what cannot be sent is not sent") {
    const auto is_refused = [](std::string_view url, event_source_options options = {}) {
        event_source source(url, std::move(options));
        CHECK(source.state() == ready_state::closed);
        CHECK(source.poll(time_point{1h}) == source_action::stop);
        return source.end() == source_end::bad_request;
    };
    for (const char* const url :
         {"", "a.example", "/x", "ftp://a.example/", "http://", "http:///x", "http://a.example/ x",
          "http://a.example/\n", "://a.example/", "http://a:65536/", "http://a:1x/"}) {
        CAPTURE(url);
        CHECK(is_refused(url));
    }
    CHECK(is_refused("http://a/", {.method = "GET /"}));
    CHECK(is_refused("http://a/", {.headers = {{"A b", "c"}}}));
    CHECK(is_refused("http://a/", {.headers = {{"", "c"}}}));
    CHECK(is_refused("http://a/", {.headers = {{"A", "b\r\nC: d"}}}));
    CHECK(is_refused("http://a/", {.headers = {{"A", std::string(1, '\0')}}}));
    CHECK(is_refused("http://a/", {.headers = {{"A", "\x7F"}}}));
    CHECK(is_refused("http://u@v@a/"));
    CHECK(is_refused("http://a b/"));
    CHECK(is_refused("http:a/"));
}

TEST_CASE("a header of one's own takes the place of the usual one") {
    source_client c({.headers = {{"accept", "application/json, text/event-stream"},
                                 {"cache-control", "no-store"},
                                 {"last-event-id", "mine"},
                                 {"X-Twice", "1"},
                                 {"X-Twice", "2"}},
                     .last_event_id = "known"},
                    "http://a.example#fragment");
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.source.request().url == "http://a.example");
    CHECK(c.source.request().headers.size() == 5);
    CHECK(c.sent("Accept") == "application/json, text/event-stream");
    CHECK(c.sent("Cache-Control") == "no-store");
    CHECK(c.sent("Last-Event-ID") == "known");
}

TEST_CASE("an id of an earlier run is an id, not a piece of a stream") {
    for (const std::string& bad :
         {std::string("7\nretry: 99999"), std::string("7\rdata: x"),
          std::string("7\n\ndata: x\n\n"), std::string("7\0", 2), std::string("\n"),
          std::string("7\x01"), std::string("7\x7F"), std::string(" 7"), std::string("7\t"),
          std::string((64 << 10) + 1, 'x'), std::string("\xFF")}) {
        CAPTURE(bad.size());
        source_client c({.last_event_id = bad});
        CHECK(c.source.retry() == std::nullopt);
        c.stopped(source_end::bad_request);
    }
    for (const std::string& good :
         {std::string("7"), std::string("7 8"), std::string("retry: 5"),
          std::string("\xEF\xBB\xBF"), std::string("a\tb: c…"), std::string(64 << 10, 'x')}) {
        CAPTURE(good);
        source_client c({.last_event_id = good});
        REQUIRE(c.poll() == source_action::connect);
        CHECK(c.sent("Last-Event-ID") == good);
        CHECK(c.source.retry() == std::nullopt);
        REQUIRE(c.head(200));
        c.bytes("\xEF\xBB\xBF"
                "data: a\n\n"); // the stream is a new one, to its first byte
        CHECK(c.events == std::vector<std::string>{"a"});
        CHECK(c.source.last_event_id() == good);
    }
    source_client raw(
        {.last_event_id = "\xFF", .parser = {.utf8 = ssekit::utf8_policy::pass_through}});
    REQUIRE(raw.poll() == source_action::connect);
    CHECK(raw.sent("Last-Event-ID") == "\xFF");
}

TEST_CASE("what was moved from asks for nothing, and what it became goes on") {
    static_assert(std::is_nothrow_move_constructible_v<event_source>);
    static_assert(!std::is_copy_constructible_v<event_source>);
    const auto is_dead = [](event_source& source, time_point now) {
        CHECK(source.state() == ready_state::closed);
        CHECK(source.end() == source_end::closed);
        CHECK(source.poll(now) == source_action::wait);
        CHECK(source.next_deadline() == ssekit::never);
        source.receive_end(now);
        source.close();
        return source.poll(now) == source_action::wait;
    };
    int changes = 0;
    const auto count = [&changes](event_source&) noexcept { ++changes; };
    source_client c({.headers = {{"X-Mine", "1"}}, .last_event_id = "7", .on_change = count});
    event_source early = std::move(c.source); // before anything was said
    CHECK(is_dead(c.source, c.now));
    c.source = std::move(early);
    CHECK(is_dead(early, c.now));
    CHECK(changes == 0);
    REQUIRE(c.poll() == source_action::connect);
    event_source connecting = std::move(c.source);
    CHECK(is_dead(c.source, c.now));
    c.source = std::move(connecting);
    CHECK(c.sent("X-Mine") == "1");
    CHECK(c.sent("Last-Event-ID") == "7");
    REQUIRE(c.head(200));
    CHECK(changes == 1);
    c.bytes("id: 8\ndata: a");
    event_source open = std::move(c.source);
    CHECK(is_dead(c.source, c.now));
    std::string_view late = "data: never\n\n";
    CHECK(c.source.next(late, c.now) == nullptr);
    CHECK(c.source.receive(
              late, [](const event_view&) {}, c.now) == 0);
    CHECK_FALSE(c.head(200));
    c.source = std::move(open);
    CHECK(changes == 1);
    c.bytes("b\n\n");
    CHECK(c.events == std::vector<std::string>{"ab"});
    c.source.receive_end(c.now);
    CHECK(changes == 2);
    c.wait_and_connect();
    CHECK(c.sent("Last-Event-ID") == "8");
    c.source.close();
    event_source closed = std::move(c.source);
    CHECK(is_dead(c.source, c.now));
    CHECK(closed.poll(c.now) == source_action::disconnect);
    CHECK(closed.poll(c.now) == source_action::stop);
}

TEST_CASE("C02: the id goes back as it came") {
    source_client c;
    c.open();
    c.bytes("id: …<\xff\ndata: a\n\n");
    c.source.receive_end(c.now);
    c.wait_and_connect();
    CHECK(c.sent("Last-Event-ID") == "…<\xEF\xBF\xBD");
}

TEST_CASE("C03: an id that was reset is not sent") {
    source_client c({.last_event_id = "from before"});
    c.open();
    CHECK(c.sent("Last-Event-ID") == "from before");
    c.bytes("id\ndata: a\n\n");
    c.source.receive_end(c.now);
    c.wait_and_connect();
    CHECK(c.sent("Last-Event-ID") == std::nullopt);
}

TEST_CASE("C04: the id of a block that was cut does not count") {
    source_client c;
    c.open();
    c.bytes("id: 1\ndata: a\n\nid: 2\ndata: b\n");
    c.source.receive_failure(c.now);
    CHECK(c.source.was_cut());
    c.wait_and_connect();
    CHECK(c.sent("Last-Event-ID") == "1");
    CHECK(c.events == std::vector<std::string>{"a"});
}

TEST_CASE("C05: the id of a block without data counts") {
    source_client c;
    c.open();
    c.bytes("id: 7\n\n");
    c.source.receive_end(c.now);
    CHECK(!c.source.was_cut());
    c.wait_and_connect();
    CHECK(c.sent("Last-Event-ID") == "7");
}

TEST_CASE("C06: the id outlives a connection that brings none") {
    source_client c;
    c.open();
    c.bytes("id: 7\ndata: a\n\n");
    for (int i = 0; i < 3; ++i) {
        c.source.receive_end(c.now);
        c.wait_and_connect();
        CHECK(c.sent("Last-Event-ID") == "7");
        REQUIRE(c.head(200));
        c.bytes("data: b\n\n");
        CHECK(c.source.last_event_id() == "7");
    }
}

TEST_CASE("C07: 204 ends it for good") {
    source_client c;
    REQUIRE(c.poll() == source_action::connect);
    CHECK(!c.head(204));
    CHECK(c.source.status() == 204);
    c.stopped(source_end::no_content);
}

TEST_CASE("C08: as a browser does it, other statuses end it for good") {
    for (const int status :
         {100, 201, 205, 206, 300, 304, 305, 306, 400, 401, 404, 408, 429, 500, 503, 599}) {
        CAPTURE(status);
        source_client c;
        REQUIRE(c.poll() == source_action::connect);
        CHECK(!c.head(status));
        c.stopped(source_end::bad_status);
    }
}

TEST_CASE("C08: as an SDK does it, those that may pass are tried again") {
    for (const int status : {408, 409, 425, 429, 500, 502, 503, 504, 529, 599}) {
        CAPTURE(status);
        source_client c({.on_status = status_policy::sdk});
        REQUIRE(c.poll() == source_action::connect);
        CHECK(!c.head(status));
        CHECK(between(1s, c.wait(), 2s));
        CHECK(c.source.failures() == 1);
    }
    for (const int status : {400, 401, 403, 404, 410, 501, 505}) {
        source_client c({.on_status = status_policy::sdk});
        REQUIRE(c.poll() == source_action::connect);
        CHECK(!c.head(status));
        c.stopped(source_end::bad_status);
    }
}

TEST_CASE("C08: Retry-After is heard, in seconds and as a date, up to a bound") {
    struct answer {
        std::string_view retry_after;
        std::string_view date;
        std::chrono::milliseconds low, high;
    };
    for (const answer& given : std::initializer_list<answer>{
             {"30", "", 30s, 60s},
             {"0", "", 1s, 2s},
             {"-1", "", 1s, 2s},
             {"soon", "", 1s, 2s},
             {"999999999", "", 56min, 1h},
             {"99999999999999999999", "", 1s, 2s},
             {"Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", 60s, 120s},
             {"Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:37 GMT", 1s, 2s},
             {"Sun, 06 Nov 1994 08:50:37 GMT", "", 1s, 2s}}) {
        CAPTURE(given.retry_after);
        source_client c({.on_status = status_policy::sdk});
        REQUIRE(c.poll() == source_action::connect);
        CHECK(!c.head(503, {{"Retry-After", given.retry_after}, {"Date", given.date}}));
        CHECK(between(given.low, c.wait(), given.high));
    }
}

TEST_CASE("C09 to C11: the media type counts, not its parameters") {
    for (const std::string_view type :
         {"text/event-stream", "text/event-stream; charset=windows-1252", "text/event-stream;",
          "TEXT/Event-Stream", " text/event-stream ", "text/event-stream ;x"}) {
        CAPTURE(type);
        source_client c;
        REQUIRE(c.poll() == source_action::connect);
        CHECK(c.head(200, {{"Content-Type", type}}));
        c.bytes("data: …\n\n");
        CHECK(c.events == std::vector<std::string>{"…"});
    }
    for (const std::string_view type : {"text/event-streamx", "text/event", "text/html", "", ";",
                                        "application/json", "x text/event-stream"}) {
        CAPTURE(type);
        source_client c({.on_status = status_policy::sdk});
        REQUIRE(c.poll() == source_action::connect);
        CHECK(!c.head(200, {{"Content-Type", type}}));
        c.stopped(source_end::bad_media_type);
    }
    source_client c;
    REQUIRE(c.poll() == source_action::connect);
    CHECK(!c.head(200, {}));
    c.stopped(source_end::bad_media_type);
}

TEST_CASE("C12: redirects are followed, and the next connection begins at the first URL") {
    for (const int status : {301, 302, 303, 307, 308}) {
        CAPTURE(status);
        source_client c;
        REQUIRE(c.poll() == source_action::connect);
        CHECK(!c.head(status, {{"Location", "../other?q#f"}}));
        CHECK(c.poll() == source_action::disconnect);
        REQUIRE(c.poll() == source_action::connect); // at once
        CHECK(c.source.request().url == "http://a.example/other?q");
        REQUIRE(c.head(200));
        CHECK(c.source.url() == "http://a.example/other?q");
        c.source.receive_end(c.now);
        c.wait_and_connect();
        CHECK(c.source.request().url == "http://a.example/x/y?z");
    }
}

TEST_CASE("C12: redirects come to an end") {
    source_client c({.max_redirects = 3});
    for (int i = 0; i < 3; ++i) {
        REQUIRE(c.poll() == source_action::connect);
        CHECK(!c.head(302, {{"Location", "/loop"}}));
        REQUIRE(c.poll() == source_action::disconnect);
    }
    REQUIRE(c.poll() == source_action::connect);
    CHECK(!c.head(302, {{"Location", "/loop"}}));
    c.stopped(source_end::bad_redirect);
    for (const std::string_view nowhere :
         {"", "ftp://a.example/", "javascript:alert(1)://x", "http://", "/a b", "/a\nb"}) {
        CAPTURE(nowhere);
        source_client d;
        REQUIRE(d.poll() == source_action::connect);
        CHECK(!d.head(302, {{"Location", nowhere}}));
        d.stopped(source_end::bad_redirect);
    }
}

TEST_CASE("C13: credentials do not leave their origin, not even by way of it") {
    const event_source_options secret{.headers = {{"Authorization", "Bearer x"},
                                                  {"cookie", "a=b"},
                                                  {"PROXY-AUTHORIZATION", "y"},
                                                  {"X-Mine", "1"}}};
    source_client c(secret);
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.sent("Authorization") == "Bearer x");
    CHECK(!c.head(302, {{"Location", "HTTP://A.example:80/"}}));
    REQUIRE(c.poll() == source_action::disconnect);
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.sent("Authorization") == "Bearer x");
    for (const std::string_view away :
         {"//b.example/", "https://a.example/", "http://a.example:81/", "http://a.example/"}) {
        CHECK(!c.head(302, {{"Location", away}}));
        REQUIRE(c.poll() == source_action::disconnect);
        REQUIRE(c.poll() == source_action::connect);
        CHECK(c.sent("Authorization") == std::nullopt);
        CHECK(c.sent("cookie") == std::nullopt);
        CHECK(c.sent("PROXY-AUTHORIZATION") == std::nullopt);
        CHECK(c.sent("X-Mine") == "1");
    }
    REQUIRE(c.head(200));
    c.source.receive_end(c.now);
    c.wait_and_connect(); // at home again
    CHECK(c.sent("Authorization") == "Bearer x");
}

TEST_CASE("C14: the server's reconnection time has a floor and a cap, and is spread") {
    struct bound {
        std::string_view retry;
        std::chrono::milliseconds low, high;
    };
    for (const bound& given : std::initializer_list<bound>{{"0", 100ms, 200ms},
                                                           {"1", 100ms, 200ms},
                                                           {"5000", 5s, 10s},
                                                           {"99999999999999999999", 59min, 1h}}) {
        CAPTURE(given.retry);
        std::set<std::chrono::milliseconds> seen;
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            source_client c({.seed = seed});
            c.open();
            c.bytes("retry: " + std::string(given.retry) + "\n\n");
            c.source.receive_end(c.now);
            const auto wait = c.wait();
            CHECK(between(given.low, wait, given.high));
            seen.insert(wait);
        }
        CHECK(seen.size() > 20);
    }
}

TEST_CASE("C16: failures in a row double what is added, up to the cap, and progress begins anew") {
    source_client c;
    REQUIRE(c.poll() == source_action::connect);
    std::chrono::milliseconds most = 1s;
    for (unsigned i = 1; i <= 12; ++i) {
        c.source.receive_failure(c.now);
        CHECK(c.source.failures() == i);
        CHECK(between(1s, c.wait(), 1s + std::min<std::chrono::milliseconds>(most, 60s)));
        most *= 2;
        c.wait_and_connect();
    }
    REQUIRE(c.head(200)); // that alone is no success
    c.source.receive_end(c.now);
    CHECK(c.source.failures() == 13);
    c.wait_and_connect();
    REQUIRE(c.head(200));
    c.bytes("data: a\n\n");
    c.source.receive_end(c.now);
    CHECK(c.source.failures() == 1);
    CHECK(between(1s, c.wait(), 2s));
    c.wait_and_connect();
    c.source.receive_failure(c.now);
    CHECK(c.source.failures() == 2);
    c.wait_and_connect();
    REQUIRE(c.head(200)); // an id and an event without text are no more than an opening
    c.bytes("id: 1\ndata:\n\nretry: 1000\n\n: beat\n\n");
    c.source.receive_end(c.now);
    CHECK(c.source.failures() == 3);
    c.wait_and_connect();
    REQUIRE(c.head(200)); // no event either, but it has stood
    c.now += 1min;
    c.source.receive_end(c.now);
    CHECK(c.source.failures() == 1);
}

TEST_CASE("C16: failures are bounded where that was asked for") {
    source_client c({.max_failures = 2});
    REQUIRE(c.poll() == source_action::connect);
    c.source.receive_failure(c.now);
    c.wait_and_connect();
    c.source.receive_failure(c.now);
    c.wait_and_connect();
    c.source.receive_failure(c.now);
    c.stopped(source_end::too_many_failures);
}

TEST_CASE("C17: a POST is sent once, unless it may be repeated") {
    const event_source_options post{.method = "POST", .body = "question"};
    source_client once(post);
    once.open();
    CHECK(once.source.request().method == "POST");
    CHECK(once.source.request().body == "question");
    once.bytes("data: a\n\ndata: [DONE]\n\n"); // C20: that is for the application to read
    CHECK(once.source.state() == ready_state::open);
    once.source.receive_end(once.now);
    once.stopped(source_end::completed);

    source_client broken(post);
    broken.open();
    broken.source.receive_failure(broken.now);
    CHECK(broken.source.end() == source_end::not_repeated);

    source_client refused({.method = "POST", .on_status = status_policy::sdk});
    REQUIRE(refused.poll() == source_action::connect);
    CHECK(!refused.head(503));
    CHECK(refused.source.end() == source_end::not_repeated);

    source_client again({.method = "POST", .body = "q", .repeat = ssekit::repeat_policy::always});
    again.open();
    again.bytes("id: 1\ndata: a\n\n");
    again.source.receive_end(again.now);
    again.wait_and_connect();
    CHECK(again.source.request().method == "POST");
    CHECK(again.source.request().body == "q");
    CHECK(again.sent("Last-Event-ID") == "1");
}

TEST_CASE("a request with effects is repeated until a stream has begun, where that is allowed") {
    const event_source_options post{.method = "POST",
                                    .body = "q",
                                    .on_status = status_policy::sdk,
                                    .repeat = ssekit::repeat_policy::until_stream};
    source_client c(post);
    REQUIRE(c.poll() == source_action::connect);
    c.source.receive_failure(c.now, "refused");
    c.wait_and_connect();
    CHECK(!c.head(503));
    c.wait_and_connect();
    CHECK(c.source.request().body == "q");
    REQUIRE(c.head(200));
    c.bytes("data: a\n\n");
    SUBCASE("and breaks off") {
        c.source.receive_failure(c.now);
        c.stopped(source_end::not_repeated);
    }
    SUBCASE("and ends") {
        c.source.receive_end(c.now);
        c.stopped(source_end::completed);
    }
    // QUERY is safe, so it is repeated as GET is.
    source_client query({.method = "QUERY", .body = "q"});
    query.open();
    query.source.receive_end(query.now);
    query.wait_and_connect();
    CHECK(query.source.request().method == "QUERY");
}

TEST_CASE("the last event of a protocol ends the source, and without it the answer is cut short") {
    event_source_options options{.method = "POST"};
    options.is_last = [](const event_view& event) noexcept { return event.data == "[DONE]"; };
    source_client whole(options);
    whole.open();
    whole.bytes("data: a\n\ndata: [DONE]\n\ndata: b\n\n");
    CHECK(whole.events == std::vector<std::string>{"a", "[DONE]"});
    whole.stopped(source_end::completed);

    source_client pulled(options); // the event that ends it is still there to be looked at
    pulled.open();
    std::string_view input = "data: [DONE]\n\ndata: b\n\n";
    const event_view* const last = pulled.source.next(input, pulled.now);
    REQUIRE(last != nullptr);
    CHECK(last->data == "[DONE]");
    CHECK(pulled.source.state() == ready_state::open);
    CHECK(pulled.source.next_deadline() <= pulled.now);
    CHECK(pulled.source.next(input, pulled.now) == nullptr);
    pulled.stopped(source_end::completed);

    source_client polled(options);
    polled.open();
    input = "data: [DONE]\n\n";
    REQUIRE(polled.source.next(input, polled.now) != nullptr);
    polled.source.receive_failure(polled.now); // whatever becomes of the connection
    polled.stopped(source_end::completed);

    for (const bool in_order : {true, false}) {
        source_client cut(options);
        cut.open();
        cut.bytes("data: a\n\n");
        in_order ? cut.source.receive_end(cut.now) : cut.source.receive_failure(cut.now);
        cut.stopped(source_end::cut_short);
    }
    options.method = "GET"; // a feed comes back
    source_client feed(options);
    feed.open();
    feed.source.receive_end(feed.now);
    feed.wait_and_connect();
}

TEST_CASE("comments do not keep alive a stream that brings no events") {
    source_client c({.idle_timeout = 10s, .event_timeout = 25s});
    c.open();
    for (int i = 0; i < 2; ++i) {
        c.now += 9s;
        c.bytes(":\n");
        CHECK(c.poll() == source_action::wait);
    }
    CHECK(c.source.next_deadline() == c.now + 7s);
    c.bytes("data: a\n\n");
    CHECK(c.source.next_deadline() == c.now + 10s);
    std::string_view input = "data: b\n\n:\n";
    REQUIRE(c.source.next(input, c.now) != nullptr);
    for (int i = 0; i < 3; ++i) {
        c.now += 8s;
        CHECK(c.poll() == source_action::wait);
        c.bytes(":\n");
    }
    c.now += 1s;
    CHECK(c.poll() == source_action::disconnect);
    CHECK(c.source.failure() == "no event in time");
    CHECK(c.source.state() == ready_state::connecting);
}

TEST_CASE("why there is no connection is said in the library's words") {
    source_client c({.idle_timeout = 10s});
    CHECK(c.source.failure().empty());
    REQUIRE(c.poll() == source_action::connect);
    c.source.receive_failure(c.now, "Could not resolve host");
    CHECK(c.source.failure() == "Could not resolve host");
    c.wait_and_connect();
    c.now += 30s;
    CHECK(c.poll() == source_action::disconnect);
    CHECK(c.source.failure() == "no connection in time");
    c.wait_and_connect();
    c.source.receive_connected(c.now);
    c.now += 5min;
    CHECK(c.poll() == source_action::disconnect);
    CHECK(c.source.failure() == "no answer in time");
    c.wait_and_connect();
    REQUIRE(c.head(200));
    CHECK(c.source.failure().empty());
    c.now += 10s;
    CHECK(c.poll() == source_action::disconnect);
    CHECK(c.source.failure() == "no byte in time");
}

TEST_CASE("a redirect takes no body to another origin, unless that is allowed") {
    for (const bool allowed : {false, true}) {
        for (const std::string_view place : {"/there", "http://b.example/"}) {
            source_client c({.method = "POST", .body = "q", .body_may_travel = allowed});
            REQUIRE(c.poll() == source_action::connect);
            CHECK(!c.head(307, {{"Location", place}}));
            if (!allowed && place != "/there") {
                c.stopped(source_end::bad_redirect);
                continue;
            }
            REQUIRE(c.poll() == source_action::disconnect);
            REQUIRE(c.poll() == source_action::connect);
            CHECK(c.source.request().body == "q");
        }
    }
    source_client bare({.method = "POST", .body = "q"}); // which leaves it at home
    REQUIRE(bare.poll() == source_action::connect);
    CHECK(!bare.head(303, {{"Location", "http://b.example/"}}));
    REQUIRE(bare.poll() == source_action::disconnect);
    REQUIRE(bare.poll() == source_action::connect);
    CHECK(bare.source.request().method == "GET");
}

TEST_CASE("C17: 303, and 301 and 302 of old, make a GET of a POST, the others do not") {
    for (const int status : {301, 302, 303, 307, 308}) {
        CAPTURE(status);
        source_client c(
            {.method = "POST", .body = "q", .headers = {{"Content-Type", "text/plain"}}});
        REQUIRE(c.poll() == source_action::connect);
        CHECK(!c.head(status, {{"Location", "/there"}}));
        REQUIRE(c.poll() == source_action::disconnect);
        REQUIRE(c.poll() == source_action::connect);
        CHECK(c.source.request().method == (status < 304 ? "GET" : "POST"));
        CHECK(c.source.request().body == (status < 304 ? "" : "q"));
        CHECK(c.sent("Content-Type").has_value() == (status > 304));
    }
}

TEST_CASE("a refusal that is a proxy's own is told apart from the server's") {
    source_client c({.on_status = ssekit::status_policy::sdk});
    REQUIRE(c.poll() == source_action::connect);
    CHECK(!c.head(429, {{"Proxy-Status", "edge; error=connection_limit_reached"}}));
    CHECK(c.source.proxy_refusal() == ssekit::proxy_refusal::connection_limit);
    CHECK(c.source.state() == ready_state::connecting); // there may be room later
    c.wait_and_connect();
    CHECK(c.head(200));
    CHECK(c.source.proxy_refusal() == ssekit::proxy_refusal::none);
    c.source.receive_end(c.now);
    c.wait_and_connect();
    CHECK(!c.head(501, {{"Proxy-Status", "cdn, edge; error=incremental_refused"}}));
    CHECK(c.source.proxy_refusal() == ssekit::proxy_refusal::incremental);
    c.stopped(source_end::not_passed_on);

    source_client server({.on_status = ssekit::status_policy::sdk});
    REQUIRE(server.poll() == source_action::connect);
    CHECK(!server.head(501));
    server.stopped(source_end::bad_status);
}

TEST_CASE("C18: any byte keeps a stream alive, silence ends the connection") {
    source_client c({.idle_timeout = 30s});
    c.open();
    CHECK(c.source.next_deadline() == c.now + 30s);
    for (int i = 0; i < 5; ++i) {
        c.now += 29s;
        c.bytes(i % 2 == 0 ? ":" : "\n");
        CHECK(c.poll() == source_action::wait);
        CHECK(c.source.next_deadline() == c.now + 30s);
    }
    c.now += 30s;
    CHECK(c.poll() == source_action::disconnect);
    CHECK(c.source.state() == ready_state::connecting);
    c.source.receive_failure(c.now); // which its owner may report, or not
    CHECK(c.source.failures() == 1);
    CHECK(between(1s, c.wait(), 2s));
}

TEST_CASE("a response that does not come is given up") {
    source_client c({.connect_timeout = 5s});
    REQUIRE(c.poll() == source_action::connect);
    CHECK(c.source.next_deadline() == c.now + 5s);
    c.now += 5s;
    CHECK(c.poll() == source_action::disconnect);
    CHECK(!c.head(200)); // too late
    CHECK(c.source.state() == ready_state::connecting);
    c.wait_and_connect();
    CHECK(c.head(200));
    CHECK(c.source.next_deadline() == ssekit::never);
}

TEST_CASE("C19: an event without its blank line is dropped, and that can be seen") {
    source_client c;
    c.open();
    c.bytes("data: a\n\ndata: b\n");
    c.source.receive_end(c.now);
    CHECK(c.events == std::vector<std::string>{"a"});
    CHECK(c.source.was_cut());
    c.wait_and_connect();
    REQUIRE(c.head(200));
    c.bytes("data: c\n\n");
    c.source.receive_end(c.now);
    CHECK(!c.source.was_cut());
    CHECK(c.events == std::vector<std::string>{"a", "c"});
}

TEST_CASE("C21: an event without text is an event") {
    source_client c;
    c.open();
    c.bytes("id: 1\ndata\n\n");
    CHECK(c.events == std::vector<std::string>{""});
}

TEST_CASE("C22: closing ends it at any moment") {
    SUBCASE("before the first request") {
        source_client c;
        c.source.close();
        c.stopped(source_end::closed);
    }
    SUBCASE("while connecting") {
        source_client c;
        REQUIRE(c.poll() == source_action::connect);
        c.source.close();
        CHECK(!c.head(200));
        CHECK(c.poll() == source_action::disconnect);
        c.stopped(source_end::closed);
    }
    SUBCASE("while it waits") {
        source_client c;
        REQUIRE(c.poll() == source_action::connect);
        c.source.receive_failure(c.now);
        c.source.close();
        c.stopped(source_end::closed);
    }
    SUBCASE("in a callback, after which nothing is called") {
        source_client c;
        c.open();
        int calls = 0;
        c.source.receive(
            "data: a\n\ndata: b\n\n",
            [&](const event_view&) {
                ++calls;
                c.source.close();
            },
            c.now);
        CHECK(calls == 1);
        std::string_view more = "data: c\n\n";
        CHECK(c.source.next(more, c.now) == nullptr);
        CHECK(c.poll() == source_action::disconnect);
        c.stopped(source_end::closed);
        c.source.close();
        c.source.receive_end(c.now);
        CHECK(c.source.end() == source_end::closed);
    }
}

TEST_CASE("every duration may be anything, to both ends of its type") {
    using std::chrono::milliseconds;
    constexpr milliseconds longest = milliseconds::max();
    const time_point end = time_point::max();
    for (const milliseconds d :
         {milliseconds::min(), milliseconds(-1), milliseconds(0), milliseconds(1),
          milliseconds(1000), longest - milliseconds(1), longest}) {
        CAPTURE(d.count());
        const auto plain = [] { return event_source_options{.seed = 5}; };
        const auto waits = [](event_source_options options, std::string_view retry = "") {
            source_client c(std::move(options));
            c.open();
            c.bytes(retry);
            c.source.receive_failure(c.now);
            const auto wait =
                std::chrono::duration_cast<milliseconds>(c.source.next_attempt() - c.now);
            CHECK(wait >= 0ms);
            CHECK(c.source.next_attempt() == c.source.next_deadline());
            return wait;
        };
        event_source_options o = plain();
        o.reconnection_time = d;
        CHECK(between(100ms, waits(o), 1h));

        o = plain();
        o.min_delay = d;
        CHECK(waits(o) >= std::clamp<milliseconds>(d, 0ms, 1h));
        CHECK(waits(o) <= 1h);

        o = plain();
        o.max_delay = d;
        CHECK(waits(o) <= std::clamp<milliseconds>(d, 0ms, 2s));
        const auto wait = waits(o, "retry: 99999999999999999999\n\n");
        if (d < 1h) CHECK(wait <= std::max(d, 0ms));
        if (d > 1h) CHECK(wait > 24h * 365 * 200); // as far as the clock reaches

        o = plain();
        o.max_backoff = d;
        CHECK(between(1s, waits(o), 2s));

        o = plain();
        o.healthy_after = d;
        o.max_failures = 1;
        source_client healthy(o);
        healthy.open();
        healthy.source.receive_failure(healthy.now);
        healthy.wait_and_connect();
        REQUIRE(healthy.head(200));
        healthy.source.receive_failure(healthy.now);
        CHECK((healthy.source.end() == source_end::open) == (d <= 0ms)); // it has stood for 0 ms

        o = plain();
        o.initial_delay = d;
        source_client first(o);
        CHECK(first.source.next_deadline() <= first.now);
        const bool at_once = first.poll() == source_action::connect;
        CHECK(at_once == (d <= 0ms));
        if (d == 1ms) CHECK(first.source.next_deadline() == first.now + 1ms);
        if (d > 1h) CHECK(first.source.next_deadline() == ssekit::never);

        for (const time_point now :
             {time_point::min(), time_point(-1h), time_point(), end - 1h, end - 1ns}) {
            CAPTURE(now.time_since_epoch().count());
            o = plain();
            o.connect_timeout = d;
            source_client slow(o);
            slow.now = now;
            const source_action said = slow.poll();
            CHECK(said == source_action::connect);
            const bool is_late = slow.poll() == source_action::disconnect;
            CHECK(is_late == (d < 0ms));
            if (d == 0ms) CHECK(slow.source.next_deadline() == ssekit::never);

            o = plain();
            o.idle_timeout = d;
            source_client silent(o);
            silent.now = now;
            silent.open();
            silent.bytes(":");
            CHECK((silent.poll() == source_action::disconnect) == (d < 0ms));
        }
    }
}

TEST_CASE("the wait and what chance adds to it stay within max_delay") {
    for (const std::string_view retry : {"0", "900", "950", "999", "1000", "1001", "3600000"}) {
        std::set<std::chrono::milliseconds> seen;
        for (std::uint64_t seed = 1; seed <= 100; ++seed) {
            source_client c({.max_delay = 1s, .seed = seed});
            c.open();
            c.bytes("retry: " + std::string(retry) + "\n\n");
            for (int i = 0; i < 5; ++i) {
                c.source.receive_failure(c.now);
                const auto wait = c.wait();
                CHECK(between(100ms, wait, 1s));
                seen.insert(wait);
                c.wait_and_connect();
            }
        }
        CHECK(seen.size() > 20); // still spread
    }
    source_client both({.min_delay = 5s, .max_delay = 1s});
    both.open();
    both.source.receive_failure(both.now);
    CHECK(both.wait() == 1s); // the smaller bound counts
    source_client asked({.on_status = status_policy::sdk, .max_delay = 1s});
    REQUIRE(asked.poll() == source_action::connect);
    CHECK(!asked.head(503, {{"Retry-After", "30"}}));
    CHECK(between(900ms, asked.wait(), 1s)); // not all of them at the same moment
}

TEST_CASE("the first request may be put off, and then is not again") {
    source_client c({.initial_delay = 5s});
    CHECK(c.source.state() == ready_state::connecting);
    CHECK(c.wait() == 5s);
    c.now += 4s;
    CHECK(c.wait() == 1s);
    c.now += 1s;
    REQUIRE(c.poll() == source_action::connect);
    c.source.receive_failure(c.now);
    CHECK(between(1s, c.wait(), 2s));
    source_client closed({.initial_delay = 5s});
    closed.source.close();
    closed.stopped(source_end::closed);
}

TEST_CASE("the reconnection time of a server can be seen") {
    source_client c;
    CHECK(c.source.retry() == std::nullopt);
    c.open();
    c.bytes("retry: 5\n");
    CHECK(c.source.retry() == 5ms); // as it came, below the floor
    c.source.receive_end(c.now);
    CHECK(c.source.retry() == 5ms);
}

TEST_CASE("every member of a sink is called, and none after closing or stopping") {
    struct sink {
        event_source* closes = nullptr;
        std::string closes_at = {};
        std::string heard = {};
        void hear(std::string what) {
            if (closes != nullptr && what == closes_at) closes->close();
            heard += what + ";";
        }
        bool on_event(const event_view& event) {
            hear("event " + std::string(*event.data));
            return event.data != "stop";
        }
        void on_error(ssekit::errc, std::uint64_t at) { hear("error " + std::to_string(at)); }
        void on_id(std::string_view id) { hear("id " + std::string(id)); }
        void on_retry(std::chrono::milliseconds time) {
            hear("retry " + std::to_string(time.count()));
        }
        void on_comment(std::string_view text) { hear("comment" + std::string(text)); }
    };
    const event_source_options small{.parser = {.limits = {.data = 4}}};
    const std::string_view stream = ": c\nretry: 7\nid: 1\ndata: a\n\ndata: 12345\n\ndata: b\n\n";
    {
        source_client c(small);
        c.open();
        sink all;
        CHECK(c.source.receive(stream, all, c.now) == stream.size());
        CHECK(all.heard == "comment c;retry 7;id 1;event a;error 38;event b;");
    }
    for (const std::string_view where : {"comment c", "retry 7", "id 1", "event a", "error 38"}) {
        CAPTURE(where);
        source_client c(small);
        c.open();
        sink one{&c.source, std::string(where)};
        c.source.receive(stream, one, c.now);
        CHECK(one.heard.ends_with(std::string(where) + ";"));
        CHECK(c.source.end() == source_end::closed);
    }
    source_client c(small);
    c.open();
    sink stops;
    std::string_view rest = "data: stop\n\ndata: c\n\n";
    const std::size_t taken = c.source.receive(rest, stops, c.now);
    CHECK(taken == 12);
    CHECK(c.source.state() == ready_state::open);
    rest.remove_prefix(taken);
    c.source.receive(rest, stops, c.now);
    CHECK(stops.heard == "event stop;event c;");

    struct pieces {
        std::string heard = {};
        void on_data_chunk(std::string_view piece) { heard += std::string(piece) + ";"; }
    } chunks;
    source_client d(small);
    d.open();
    d.source.receive("data: 123", chunks, d.now);
    d.source.receive("45\n\n", chunks, d.now); // beyond the limit, which is not for these
    CHECK(chunks.heard == "123;45;");
    d.source.receive_failure(d.now);
    CHECK(d.source.failures() == 1);
    d.wait_and_connect();
    REQUIRE(d.head(200));
    d.source.receive("data: x\n\n", chunks, d.now);
    d.source.receive_failure(d.now);
    CHECK(d.source.failures() == 1); // pieces are progress too
}

TEST_CASE("limits hold, and what they drop is told") {
    struct sink {
        std::vector<ssekit::errc> errors = {};
        std::vector<std::string> events = {};
        void on_event(const event_view& event) { events.emplace_back(*event.data); }
        void on_error(ssekit::errc code, std::uint64_t) { errors.push_back(code); }
    } seen;
    event_source source("http://a/", {.parser = {.limits = {.data = 4}}});
    REQUIRE(source.poll({}) == source_action::connect);
    REQUIRE(source.receive_head(
        200, [](std::string_view) { return std::string_view("text/event-stream"); }, {}));
    source.receive("data: 12345\n\ndata: 1234\n\n", seen, {});
    CHECK(seen.errors == std::vector<ssekit::errc>{ssekit::errc::data_too_long});
    CHECK(seen.events == std::vector<std::string>{"1234"});
    source.receive("data: 1\n\n", [&](const event_view& event) { seen.on_event(event); }, {});
    CHECK(seen.events.back() == "1");
}

TEST_CASE("what comes at the wrong moment changes nothing") {
    source_client c;
    CHECK(!c.head(200));
    c.bytes("data: a\n\n");
    c.source.receive_end(c.now);
    c.source.receive_failure(c.now);
    CHECK(c.source.failures() == 0);
    c.open();
    CHECK(!c.head(204));
    CHECK(c.source.state() == ready_state::open);
    c.source.receive_end(c.now);
    c.source.receive_end(c.now);
    c.bytes("data: b\n\n");
    CHECK(c.source.failures() == 1);
    CHECK(c.events.empty());
}

TEST_CASE("open and error are told, as a page hears of them") {
    struct page {
        std::vector<ready_state> heard = {};
        bool is_leaving = false;
        static void hear(void* self, event_source& source) noexcept {
            static_cast<page*>(self)->heard.push_back(source.state());
            if (static_cast<page*>(self)->is_leaving) source.close();
        }
    } mine;
    source_client c({.on_change = {&page::hear, &mine}});
    REQUIRE(c.poll() == source_action::connect);
    CHECK(!c.head(307, {{"Location", "/there"}}));
    CHECK(mine.heard.empty());
    REQUIRE(c.poll() == source_action::disconnect);
    c.open();
    CHECK(mine.heard == std::vector{ready_state::open});
    c.source.receive_end(c.now);
    CHECK(mine.heard == std::vector{ready_state::open, ready_state::connecting});
    c.wait_and_connect();
    mine.is_leaving = true;
    CHECK(!c.head(200)); // for it was closed in between
    CHECK(mine.heard.size() == 4);
    CHECK(mine.heard.back() == ready_state::closed);
    CHECK(c.poll() == source_action::disconnect);
    c.stopped(source_end::closed);
    CHECK(mine.heard.size() == 4);
}

TEST_CASE("a hook may be a lambda") {
    int calls = 0;
    source_client c({.on_change = [&calls](event_source&) noexcept { ++calls; }});
    c.open();
    c.source.close();
    CHECK(calls == 2);
}

TEST_CASE("without a seed, clients that begin at different times wait for different times") {
    std::set<std::chrono::milliseconds> seen;
    for (int i = 0; i < 50; ++i) {
        source_client c;
        c.now += std::chrono::nanoseconds(i);
        REQUIRE(c.poll() == source_action::connect);
        c.source.receive_failure(c.now);
        seen.insert(c.wait());
    }
    CHECK(seen.size() > 20);
}

TEST_CASE("the same seed gives the same waits") {
    const auto waits = [](std::uint64_t seed) {
        source_client c({.seed = seed});
        std::vector<std::chrono::milliseconds> out;
        REQUIRE(c.poll() == source_action::connect);
        for (int i = 0; i < 10; ++i) {
            c.source.receive_failure(c.now);
            out.push_back(c.wait());
            c.wait_and_connect();
        }
        return out;
    };
    CHECK(waits(1) == waits(1));
    CHECK(waits(1) != waits(2));
}
