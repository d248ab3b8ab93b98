// SPDX-License-Identifier: MIT
#include <ssekit/soft_refusal.hpp>

#include "support/recorder.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::soft_refusal;

TEST_CASE("a soft refusal is a whole response that is a stream, and ends") {
    std::string out;
    ssekit::append_soft_refusal(out, soft_refusal(2345ms));
    CHECK(out == "HTTP/1.1 200 OK\r\n"
                 "Content-Type: text/event-stream\r\n"
                 "Cache-Control: no-store, no-transform\r\n"
                 "X-Accel-Buffering: no\r\n"
                 "Incremental: ?1\r\n"
                 "Content-Length: 13\r\n"
                 "\r\n"
                 "retry: 2345\n\n");
    constexpr std::array<ssekit::header, 1> more = {{{"Connection", "close"}}};
    out = "before";
    ssekit::append_soft_refusal(out, soft_refusal(1s), more);
    CHECK(out.starts_with("beforeHTTP/1.1 200 OK\r\n"));
    CHECK(out.ends_with("\r\nConnection: close\r\nContent-Length: 13\r\n\r\nretry: 1000\n\n"));
    for (const auto& [name, value] : ssekit::stream_headers) {
        CHECK(ssekit::find_header(out, name) == value);
    }
}

TEST_CASE("a client of a soft refusal sees nothing but when to come back") {
    const auto retry_of = [](std::chrono::milliseconds retry) {
        const soft_refusal answer(retry);
        const auto seen = support::run_feed({answer.body()});
        CHECK(seen.events.empty());
        REQUIRE(seen.retries.size() == 1);
        return seen.retries[0];
    };
    CHECK(retry_of(5s) == 5000);
    CHECK(retry_of(100ms) == 100);
    CHECK(retry_of(0ms) == 100);
    CHECK(retry_of((std::chrono::milliseconds::min)()) == 100);
    CHECK(retry_of(std::chrono::milliseconds(2147483647)) == 2147483647);
    CHECK(retry_of(std::chrono::milliseconds(2147483648)) == 2147483647);
    CHECK(retry_of((std::chrono::milliseconds::max)()) == 2147483647);
}

TEST_CASE("a soft refusal is for what passes") {
    const ssekit::request_view browser{.accept = "text/event-stream"};
    for (const errc passes : {errc::closed, errc::too_many_subscribers, errc::too_many_topics,
                              errc::topic_is_full, errc::tag_is_full, errc::out_of_memory}) {
        CHECK(ssekit::is_refused_softly(passes, browser));
    }
    for (const errc stays : {errc::ok, errc::topic_closed, errc::replay_refused,
                             errc::invalid_topic, errc::no_such_topic, errc::expired}) {
        CHECK_FALSE(ssekit::is_refused_softly(stays, browser));
    }
}

TEST_CASE("a soft refusal is for who asks as an EventSource does") {
    const auto softly = [](const ssekit::request_view& request) {
        return ssekit::is_refused_softly(errc::closed, request);
    };
    CHECK(softly({.accept = "text/event-stream"}));
    CHECK(softly({.accept = "application/json, TEXT/Event-Stream;q=0.5"}));
    CHECK_FALSE(softly({}));
    CHECK_FALSE(softly({.accept = "*/*"}));
    CHECK_FALSE(softly({.accept = "text/*"}));
    CHECK_FALSE(softly({.accept = "text/event-stream;q=0, */*"}));
    CHECK_FALSE(softly({.method = "POST", .accept = "text/event-stream"}));
    CHECK_FALSE(softly({.method = "HEAD", .accept = "text/event-stream"}));
}

TEST_CASE("a soft refusal is made while compiling") {
    constexpr soft_refusal answer(1500ms);
    static_assert(answer.body() == "retry: 1500\n\n");
}
