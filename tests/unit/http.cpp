// SPDX-License-Identifier: MIT
#include <ssekit/http.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using ssekit::find_header;
using ssekit::framing;
using ssekit::response_head;

TEST_CASE("the response heads are these bytes") {
    CHECK(response_head(framing::chunked) == "HTTP/1.1 200 OK\r\n"
                                             "Content-Type: text/event-stream\r\n"
                                             "Cache-Control: no-store, no-transform\r\n"
                                             "X-Accel-Buffering: no\r\n"
                                             "Incremental: ?1\r\n"
                                             "Transfer-Encoding: chunked\r\n"
                                             "\r\n");
    CHECK(response_head(framing::raw) == "HTTP/1.1 200 OK\r\n"
                                         "Content-Type: text/event-stream\r\n"
                                         "Cache-Control: no-store, no-transform\r\n"
                                         "X-Accel-Buffering: no\r\n"
                                         "Incremental: ?1\r\n"
                                         "Connection: close\r\n"
                                         "\r\n");
}

TEST_CASE("every stream header stands in both heads") {
    for (const framing form : {framing::raw, framing::chunked}) {
        for (const auto& [name, value] : ssekit::stream_headers) {
            CHECK(find_header(response_head(form), name) == value);
        }
        CHECK(find_header(response_head(form), "Transfer-Encoding").has_value() ==
              (form == framing::chunked));
    }
}

TEST_CASE("every refusal of a hub has a status, and one that passes says when") {
    using std::chrono::seconds;
    const auto answer = [](ssekit::errc code) { return ssekit::refusal_of(code).status; };
    const auto wait = [](ssekit::errc code) { return ssekit::refusal_of(code).retry_after; };
    using ssekit::errc;
    for (const errc code : {errc::topic_closed, errc::replay_refused}) {
        CHECK(answer(code) == 204);
        CHECK(wait(code) == seconds(0));
    }
    CHECK(answer(errc::invalid_topic) == 400);
    CHECK(answer(errc::no_such_topic) == 404);
    CHECK(answer(errc::tag_is_full) == 429);
    CHECK(wait(errc::tag_is_full) > seconds(0));
    for (const errc code : {errc::closed, errc::too_many_subscribers, errc::too_many_topics,
                            errc::topic_is_full, errc::out_of_memory}) {
        CHECK(answer(code) == 503);
        CHECK(wait(code) > seconds(0));
    }
    CHECK(answer(errc::invalid_id) == 500);
}

TEST_CASE("a stream is framed as its client knows it") {
    CHECK(ssekit::framing_for({}) == framing::chunked);
    const auto form = [](std::string_view head) {
        return ssekit::framing_for(ssekit::read_request(head));
    };
    CHECK(form("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == framing::chunked);
    CHECK(form("GET / HTTP/1.0\r\n\r\n") == framing::raw);
}

TEST_CASE("a head takes further headers") {
    constexpr std::array<ssekit::header, 2> more = {{{"Vary", "Origin"}, {"X-A", ""}}};
    for (const framing form : {framing::raw, framing::chunked}) {
        std::string head = "before";
        ssekit::append_response_head(head, form, more);
        const std::string plain(response_head(form));
        CHECK(head ==
              "before" + plain.substr(0, plain.size() - 2) + "Vary: Origin\r\nX-A: \r\n\r\n");
    }
}

TEST_CASE("a response that is no stream is whole") {
    constexpr std::array<ssekit::header, 1> allow = {{{"Allow", "GET, HEAD, OPTIONS"}}};
    std::string out;
    ssekit::append_response(out, 405, allow, "no\n");
    CHECK(out == "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, OPTIONS\r\n"
                 "Content-Length: 3\r\n\r\nno\n");
    out.clear();
    ssekit::append_response(out, 404);
    CHECK(out == "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    out.clear();
    ssekit::append_response(out, 204, {}, "ignored");
    CHECK(out == "HTTP/1.1 204 No Content\r\n\r\n");
    for (const int status : {100, 103, 199, 204, 304}) { // these have no body
        out.clear();
        ssekit::append_response(out, status, allow, "ignored");
        CHECK(out.ends_with("\r\nAllow: GET, HEAD, OPTIONS\r\n\r\n"));
        CHECK(find_header(out, "Content-Length") == std::nullopt);
    }
    out.clear();
    ssekit::append_response(out, 200, {}, "0123456789");
    CHECK(out == "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
    out.clear();
    ssekit::append_response(out, 599);
    CHECK(out == "HTTP/1.1 599 Error\r\nContent-Length: 0\r\n\r\n");
}
