// SPDX-License-Identifier: MIT
//
// What web-platform-tests ask of an EventSource, and sse-contract-tests of any client, beyond the
// bytes of a stream, which tests/conformance has, and beyond tests/unit/event_source.cpp: answers
// and what is heard of them, ids and reconnection times over several connections.
#include <ssekit/event_source.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// A page with an event source: what it hears, in order, and the server that it talks to.
class web_page {
  public:
    explicit web_page(ssekit::event_source_options options = {})
        : source("http://a.example/x", with_hook(std::move(options))) {}

    ssekit::event_source source;
    ssekit::time_point now{1h};
    std::vector<std::string> heard = {};

    /// \returns the Last-Event-ID that it asks with, "-" if there is none.
    std::string ask() {
        const ssekit::source_action was = source.poll(now);
        if (was == ssekit::source_action::disconnect || was == ssekit::source_action::wait) {
            now = source.next_deadline();
            REQUIRE(source.poll(now) == ssekit::source_action::connect);
        } else {
            REQUIRE(was == ssekit::source_action::connect);
        }
        for (const ssekit::header& each : source.request().headers) {
            if (each.name == "Last-Event-ID") return std::string(each.value);
        }
        return "-";
    }
    /// Answers with a head and a body, all of it unless that is a stream.
    /// \returns whether it is one.
    bool answer(int status, std::string_view name, std::optional<std::string_view> value,
                std::string_view body) {
        source.receive_head(
            status,
            [&](std::string_view wanted) {
                return wanted == name ? value : std::optional<std::string_view>();
            },
            now);
        const bool is_stream = source.state() == ssekit::ready_state::open;
        source.receive(
            body,
            [this](const ssekit::event_view& event) {
                heard.push_back(std::string(event.data.value_or("(none)"))
                                    .append("#")
                                    .append(source.last_event_id()));
            },
            now);
        if (!is_stream) source.receive_end(now);
        return is_stream;
    }
    /// Answers with a stream, and ends it.
    void stream(std::string_view body) {
        REQUIRE(answer(200, "Content-Type", "text/event-stream", body));
        source.receive_end(now);
    }
    std::vector<std::string> hear() { return std::exchange(heard, {}); }

  private:
    ssekit::event_source_options with_hook(ssekit::event_source_options options) {
        options.on_change = [this](ssekit::event_source& changed) noexcept {
            switch (changed.state()) {
            case ssekit::ready_state::open: heard.emplace_back("open"); return;
            case ssekit::ready_state::connecting: heard.emplace_back("error"); return;
            case ssekit::ready_state::closed: heard.emplace_back("closed"); return;
            }
        };
        return options;
    }
};

using texts_heard = std::vector<std::string>;

} // namespace

TEST_CASE("web platform: the states have the numbers that they have in a browser") {
    CHECK(static_cast<int>(ssekit::ready_state::connecting) == 0);
    CHECK(static_cast<int>(ssekit::ready_state::open) == 1);
    CHECK(static_cast<int>(ssekit::ready_state::closed) == 2);
}

TEST_CASE("web platform: events come before the error that ends their stream") {
    web_page page;
    CHECK(page.ask() == "-");
    page.stream("data: a\n\ndata: b\n\ndata: c");
    CHECK(page.hear() == texts_heard{"open", "a#", "b#", "error"});
    page.ask();
    page.stream("");
    CHECK(page.hear() == texts_heard{"open", "error"});
    page.ask();
    page.source.receive_failure(page.now); // before any answer
    CHECK(page.hear() == texts_heard{"error"});
}

TEST_CASE("web platform: two streams, and then the server asks not to come back") {
    web_page page;
    page.ask();
    page.stream("retry: 2\ndata: first\n\n");
    page.ask();
    page.stream("data: second\n\n");
    page.ask();
    CHECK(!page.answer(204, "Content-Type", "text/event-stream", "data: never\n\n"));
    CHECK(page.hear() ==
          texts_heard{"open", "first#", "error", "open", "second#", "error", "closed"});
    CHECK(page.source.end() == ssekit::source_end::no_content);
    CHECK(page.source.poll(page.now) == ssekit::source_action::disconnect);
    CHECK(page.source.poll(page.now) == ssekit::source_action::stop);
    CHECK(page.source.next_deadline() == ssekit::never);
}

TEST_CASE(
    "web platform: an answer that is no stream closes it, and nothing of its body is an event") {
    for (const int status : {205, 210, 299, 404, 410, 503}) {
        CAPTURE(status);
        web_page page;
        page.ask();
        CHECK(!page.answer(status, "Content-Type", "text/event-stream", "data: never\n\n"));
        CHECK(page.hear() == texts_heard{"closed"});
        CHECK(page.source.status() == status);
    }
    for (const std::string_view type : {"text/x-bogus", "text/plain", "text/event-stream-x"}) {
        CAPTURE(type);
        web_page page;
        page.ask();
        CHECK(!page.answer(200, "Content-Type", type, "data: never\n\n"));
        CHECK(page.hear() == texts_heard{"closed"});
    }
}

TEST_CASE("web platform: a redirect is not heard of, unless it leads nowhere") {
    for (const int status : {301, 302, 303, 307, 308}) {
        CAPTURE(status);
        web_page page;
        page.ask();
        CHECK(!page.answer(status, "Location", "/y", "data: never\n\n"));
        page.ask();
        CHECK(page.source.request().url == "http://a.example/y");
        page.stream("data: a\n\n");
        CHECK(page.hear() == texts_heard{"open", "a#", "error"});

        for (const std::optional<std::string_view> nowhere :
             {std::optional<std::string_view>(), std::optional<std::string_view>("")}) {
            web_page lost;
            lost.ask();
            CHECK(!lost.answer(status, "Location", nowhere, ""));
            CHECK(lost.hear() == texts_heard{"closed"});
            CHECK(lost.source.end() == ssekit::source_end::bad_redirect);
        }
    }
}

TEST_CASE("web platform: a source that is closed while it connects hears of nothing else") {
    web_page page;
    page.ask();
    page.source.close();
    CHECK(!page.answer(200, "Content-Type", "text/event-stream", "retry: 1\ndata: never\n\n"));
    page.source.receive_end(page.now);
    page.source.receive_failure(page.now);
    CHECK(page.hear() == texts_heard{"closed"});
    CHECK(page.source.retry() == std::nullopt);
}

TEST_CASE("web platform: an event has the id of its block, or the last one before it") {
    web_page page;
    page.ask();
    page.stream("id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\ndata: d\n\n"
                "id:\ndata: e\n\ndata: f\n\nid: 3\ndata: g\n\nid\ndata: h\n\n");
    CHECK(page.hear() ==
          texts_heard{"open", "a#1", "b#1", "c#2", "d#2", "e#", "f#", "g#3", "h#", "error"});
    CHECK(page.ask() == "-");
    page.stream("id: 4\ndata: a\n\n");
    CHECK(page.ask() == "4");
    page.stream("data: b\n\n"); // has it from the connection before
    CHECK(page.hear() == texts_heard{"open", "a#4", "error", "open", "b#4", "error"});
    CHECK(page.ask() == "4");
}

TEST_CASE("web platform: an id goes back whatever it is made of, but not with a NUL") {
    for (const std::string& id : {std::string("…"), std::string("<a b>"), std::string(255, 'a'),
                                  std::string("1,2;\"3\"")}) {
        CAPTURE(id);
        web_page page;
        page.ask();
        page.stream("id: " + id + "\ndata: a\n\n");
        CHECK(page.ask() == id);
        page.stream("data: b\n\n");
        CHECK(page.ask() == id);
    }
    for (const std::string_view id :
         {std::string_view("\0\0", 2), std::string_view("x\0", 2), std::string_view("\0x", 2),
          std::string_view("x\0x", 3), std::string_view(" \0", 2)}) {
        for (const std::string_view before : {"", "id: 1\n\n"}) {
            CAPTURE(id.size());
            web_page page;
            page.ask();
            page.stream(std::string(before).append("id: ").append(id).append("\ndata: a\n\n"));
            CHECK(page.ask() == (before.empty() ? "-" : "1"));
        }
    }
}

TEST_CASE("web platform: the id of an event that was cut is not that of the next one") {
    web_page page;
    page.ask();
    page.stream("id: 1\ndata: a\n\nid: 2\ndata: b");
    CHECK(page.ask() == "1");
    page.stream("data: c\n\n");
    CHECK(page.hear() == texts_heard{"open", "a#1", "error", "open", "c#1", "error"});
}

TEST_CASE("web platform: a reconnection time counts until there is another good one") {
    web_page page({.min_delay = 0ms});
    const auto waits_for = [&page](std::chrono::milliseconds time) {
        // Up to as much again is added by chance.
        const auto due = page.source.next_attempt() - page.now;
        return due >= time && due <= 2 * time && page.source.retry() == time;
    };
    page.ask();
    page.stream("retry: 3000\nretry: 1000x\ndata: a\n\n");
    CHECK(waits_for(3s));
    for (const std::string_view body : {"data: a\n\n", "retry\ndata: b\n\n",
                                        "retry: soon\ndata: c\n\n", "retry:5 \ndata: d\n\n"}) {
        CAPTURE(body);
        page.ask();
        page.stream(body);
        CHECK(waits_for(3s));
    }
    page.ask();
    page.stream("data: a\n\nretry: 20\n"); // without a blank line
    CHECK(waits_for(20ms));
}
