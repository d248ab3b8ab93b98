// SPDX-License-Identifier: MIT
#include <ssekit/stream_answer.hpp>

#include <ssekit/hub.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using ssekit::answer_kind;
using ssekit::errc;
using ssekit::framing;
using ssekit::header;
using ssekit::hub;
using ssekit::request_view;
using ssekit::stream_answer;
using ssekit::stream_route;

namespace {

struct answered {
    stream_answer answer;
    std::string bytes;
    std::size_t asked_for = 0; // how often a stream was to begin
    std::string id = {};
};

answered ask(hub& server, const request_view& request, const stream_route& route = {},
             std::string_view id = {}) {
    answered out;
    ssekit::subscription stream;
    out.answer =
        ssekit::answer_request(server, request, route, {.topics = "a", .last_event_id = id},
                               [&](const ssekit::subscribe_options& options) {
                                   ++out.asked_for;
                                   out.id = options.last_event_id;
                                   auto [made, refused] = server.subscribe(options);
                                   stream = std::move(made);
                                   return refused;
                               });
    constexpr std::array<header, 1> more = {{{"X", "y"}}};
    out.answer.append_to(out.bytes, route, request, more);
    return out;
}

constexpr std::string_view stream_lines = "Content-Type: text/event-stream\r\n"
                                          "Cache-Control: no-store, no-transform\r\n"
                                          "X-Accel-Buffering: no\r\n"
                                          "Incremental: ?1\r\n";

} // namespace

TEST_CASE("a stream begins with the framing that the client understands") {
    hub server(1, ssekit::time_point());
    const std::string head = "HTTP/1.1 200 OK\r\n" + std::string(stream_lines) + "X: y\r\n";
    const answered first = ask(server, {.is_http_1_0 = true});
    CHECK(first.answer.kind == answer_kind::stream);
    CHECK(first.answer.framing == framing::raw);
    CHECK(first.bytes == head + "Connection: close\r\n\r\n");
    hub other(1, ssekit::time_point());
    std::string bytes;
    const stream_route route{.allow = ""};
    const stream_answer chunked =
        ssekit::answer_request(other, {}, route, {}, [](const ssekit::subscribe_options& options) {
            CHECK(options.framing == framing::chunked);
            return errc::ok;
        });
    chunked.append_to(bytes, route, {});
    CHECK(bytes ==
          "HTTP/1.1 200 OK\r\n" + std::string(stream_lines) + "Transfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("an id comes from the header, then from the query, unless there is one already") {
    hub server(1, ssekit::time_point());
    const request_view both{.target = "/?lastEventId=q", .last_event_id = "h", .is_http_1_0 = true};
    CHECK(ask(server, both).id == "h");
    CHECK(ask(server, {.target = "/?lastEventId=q", .is_http_1_0 = true}).id == "q");
    CHECK(ask(server, both, {}, "own").id == "own");
}

TEST_CASE("a head is asked for without a stream") {
    hub server(1, ssekit::time_point(), {.max_subscribers = 0});
    const answered head = ask(server, {.method = "HEAD"});
    CHECK(head.answer.kind == answer_kind::head);
    CHECK(head.asked_for == 0);
    CHECK(head.bytes.ends_with("Transfer-Encoding: chunked\r\n\r\n"));
}

TEST_CASE("what the route refuses never reaches the hub") {
    hub server(1, ssekit::time_point());
    const answered wrong = ask(server, {.method = "PUT"});
    CHECK(wrong.asked_for == 0);
    CHECK(wrong.bytes == "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\n"
                         "Allow: GET, HEAD, OPTIONS\r\nX: y\r\nContent-Length: 19\r\n\r\n"
                         "Method Not Allowed\n");
    const answered options = ask(server, {.method = "OPTIONS"});
    CHECK(options.bytes == "HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, OPTIONS\r\nX: y\r\n\r\n");
}

TEST_CASE("a browser is refused softly, and others with a status and a time to wait") {
    hub server(1, ssekit::time_point(),
               {.refused_retry_min = 3s, .refused_retry_max = 3s, .max_subscribers = 0});
    const answered browser = ask(server, {.accept = "text/event-stream", .is_http_1_0 = true});
    CHECK(browser.answer.kind == answer_kind::whole);
    CHECK(browser.bytes == "HTTP/1.1 200 OK\r\n" + std::string(stream_lines) +
                               "X: y\r\nContent-Length: 13\r\n\r\nretry: 3000\n\n");
    const answered other = ask(server, {.is_http_1_0 = true});
    CHECK(other.bytes == "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
                         "Retry-After: 30\r\nX: y\r\nContent-Length: " +
                             std::to_string(message(errc::too_many_subscribers).size() + 1) +
                             "\r\n\r\n" + std::string(message(errc::too_many_subscribers)) + "\n");
}

TEST_CASE("a topic that is closed ends an event source, without a body") {
    hub server(1, ssekit::time_point());
    REQUIRE(server.publish("a", {.data = "x"}).ec == errc::ok);
    REQUIRE(server.close_topic("a") == errc::ok);
    const std::string id(server.id_of(1).view());
    const answered over = ask(server, {.last_event_id = id, .is_http_1_0 = true});
    CHECK(over.bytes == "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n");
}
