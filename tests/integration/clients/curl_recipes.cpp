// SPDX-License-Identifier: MIT
//
// The two recipes with which README.md begins its part on clients, run against a server.
#ifdef SSEKIT_TEST_CURL

#include "support/scripted_server.hpp"

#include <ssekit/adapters/curl.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using support::scripted_connection;
using support::scripted_server;

const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n";

bool print_answer(const std::string& url, const std::string& question,
                  ssekit::curl_transport& transport, std::ostream& out, std::ostream& log) {
    const auto print_words = [&](std::string_view json) { out << json; };
    // [answer]
    constexpr auto is_done = [](const auto& event) noexcept { return event.data == "[DONE]"; };
    ssekit::event_source source(url, {.method = "POST",
                                      .body = question,
                                      .headers = {{"Content-Type", "application/json"}},
                                      .on_status = ssekit::status_policy::sdk, // 429, 503, ...
                                      .repeat = ssekit::repeat_policy::until_stream,
                                      .is_last = is_done,
                                      .max_failures = 2,
                                      .event_timeout = 60s});
    for (const ssekit::event_view& event : ssekit::event_stream(source, transport)) {
        if (!is_done(event)) print_words(event.data.value_or(""));
    }
    if (source.end() == ssekit::source_end::completed) return true; // [DONE] has come
    log << message(source.end()) << ": " << source.failure() << ' ' << source.answer_body() << '\n';
    return false;
    // [answer]
}

void follow(const std::string& url, std::string& saved_id, ssekit::curl_transport& transport,
            std::ostream& out, std::ostream& log) {
    const auto handle = [&](const ssekit::event_view& event) { out << event.data.value_or(""); };
    // [feed]
    ssekit::event_source source(url, {.last_event_id = saved_id,
                                      .on_status = ssekit::status_policy::sdk,
                                      .idle_timeout = 45s}); // three heartbeats
    ssekit::event_stream stream(source, transport);
    for (const ssekit::stream_item& item : stream.items()) {
        if (item.event == nullptr) { // one was dropped, too large; the feed goes on
            log << message(item.error) << '\n';
            continue;
        }
        handle(*item.event);
        saved_id = source.last_event_id(); // with which a later run begins
    }
    if (source.end() == ssekit::source_end::closed) return; // transport.stop(), by any thread
    log << message(source.end()) << ": " << source.failure() << ' ' << source.answer_body() << '\n';
    // [feed]
}

scripted_connection accept(scripted_server& server, support::seen_request* request = nullptr) {
    scripted_connection connection = server.accept();
    support::seen_request seen = connection.read_request();
    if (request != nullptr) *request = std::move(seen);
    return connection;
}

} // namespace

TEST_CASE("curl: the recipe that reads an answer knows a whole one") {
    scripted_server server;
    std::ostringstream out;
    std::ostringstream log;
    bool is_whole = false;
    ssekit::curl_transport transport;
    std::thread client([&] { is_whole = print_answer(server.url(), "{}", transport, out, log); });
    std::string expected;
    SUBCASE("after a refusal") {
        accept(server).send("HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        accept(server).send(head + support::chunk("data: a\n\ndata: b\n\ndata: [DONE]\n\n"));
        client.join();
        CHECK(is_whole);
        CHECK(out.str() == "ab");
        CHECK(log.str() == "");
    }
    SUBCASE("from one that ends too early, though in order") {
        accept(server).send(head + support::chunk("data: a\n\n") + "0\r\n\r\n");
        client.join();
        CHECK_FALSE(is_whole);
        CHECK(out.str() == "a");
        CHECK(log.str().find("broken off before its end") != std::string::npos);
    }
    SUBCASE("from an error") {
        accept(server).send("HTTP/1.1 401 No\r\nContent-Length: 7\r\n\r\nwho are");
        client.join();
        CHECK_FALSE(is_whole);
        CHECK(log.str().find("who are") != std::string::npos);
    }
    CHECK_FALSE(server.has_caller());
}

TEST_CASE("curl: the recipe that follows a feed comes back, and ends when it is told to") {
    scripted_server server;
    std::ostringstream out;
    std::ostringstream log;
    std::string id = "6";
    ssekit::curl_transport transport;
    std::thread client([&] { follow(server.url(), id, transport, out, log); });
    support::seen_request request;
    accept(server, &request)
        .send(head + support::chunk("retry: 100\n\nid: 7\ndata: a\n\n") + "0\r\n\r\n");
    CHECK(request.header("Last-Event-ID") == "6");
    scripted_connection second = accept(server, &request);
    CHECK(request.header("Last-Event-ID") == "7");
    second.send(head + support::chunk("id: 8\ndata: b\n\n"));
    transport.stop();
    client.join();
    CHECK(out.str().starts_with("a"));
    CHECK((id == "7" || id == "8"));
    CHECK(log.str() == "");
}

#endif
