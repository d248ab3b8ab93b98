// SPDX-License-Identifier: MIT
#include <ssekit/event_stream.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace std::chrono_literals;
using ssekit::event_source;
using ssekit::event_stream;
using ssekit::source_end;
using ssekit::time_point;

namespace {

struct head {
    int status = 200;
};
struct end {};
struct failure {};
struct silence {};
using happening = std::variant<head, std::string, end, failure, silence>;

/// A transport whose server does what the test says, and whose clock goes on by waiting.
struct scripted_transport {
    std::deque<happening> script = {};
    time_point clock{1h};
    std::vector<std::string> ids = {}; // with which it has connected
    int ended = 0;
    bool is_under_way = false;
    happening last = {};

    [[nodiscard]] time_point now() const { return clock; }
    void begin(const event_source& source) {
        CHECK_FALSE(std::exchange(is_under_way, true));
        std::string& id = ids.emplace_back();
        for (const ssekit::header& each : source.request().headers) {
            if (each.name == "Last-Event-ID") id = each.value;
        }
    }
    void end() {
        is_under_way = false;
        ++ended;
    }
    std::string_view wait(event_source& source, time_point until) {
        if (!is_under_way) {
            clock = until;
            return {};
        }
        REQUIRE(!script.empty());
        last = std::move(script.front());
        script.pop_front();
        if (const auto* const bytes = std::get_if<std::string>(&last)) return *bytes;
        if (const auto* const given = std::get_if<head>(&last)) {
            const auto find = [](std::string_view) { return std::optional("text/event-stream"); };
            source.receive_head(given->status, find, clock);
        } else if (std::holds_alternative<silence>(last)) {
            clock = until;
        } else {
            is_under_way = false;
            if (std::holds_alternative<failure>(last)) source.receive_failure(clock);
            if (std::holds_alternative<struct end>(last)) source.receive_end(clock);
        }
        return {};
    }
};

static_assert(ssekit::blocking_transport<scripted_transport>);
static_assert(
    std::input_iterator<decltype(std::declval<event_stream<scripted_transport>&>().begin())>);

std::vector<std::string> read_all(event_source& source, scripted_transport& transport) {
    std::vector<std::string> seen;
    for (const ssekit::event_view& event : event_stream(source, transport)) {
        seen.emplace_back(*event.data);
    }
    return seen;
}

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("event_stream: a loop over events does not see the connections") {
    scripted_transport server{{head{}, "id: 1\ndata: a\n\nda", "ta: b\n\n", end{}, failure{},
                               head{}, "data: c\n\ndata: cut", failure{}, head{}, "data: d\n\n",
                               end{}, head{204}}};
    event_source source("http://a/");
    CHECK(read_all(source, server) == strings{"a", "b", "c", "d"});
    CHECK(source.end() == source_end::no_content);
    CHECK(server.ids == strings{"", "1", "1", "1", "1"});
    CHECK(server.script.empty());
    CHECK(server.ended >= 1);
}

TEST_CASE("event_stream: a silent connection is ended and made anew") {
    scripted_transport server{
        {head{}, "data: a\n\n", silence{}, head{}, "data: b\n\n", end{}, head{404}, end{}}};
    event_source source("http://a/", {.idle_timeout = 30s});
    CHECK(read_all(source, server) == strings{"a", "b"});
    CHECK(source.end() == source_end::bad_status);
    CHECK(source.status() == 404);
}

TEST_CASE("event_stream: a reader that takes its time is no silence of the server") {
    scripted_transport server{{head{}, "id: 1\ndata: a\n\n", ":\n", "id: 2\ndata: b\n\n"}};
    event_source source("http://a/", {.idle_timeout = 30s});
    event_stream stream(source, server);
    REQUIRE(stream.next() != nullptr);
    server.clock += 31s;
    const ssekit::event_view* const event = stream.next();
    REQUIRE(event != nullptr);
    CHECK(event->data == "b");
    CHECK(server.ids.size() == 1);
}

TEST_CASE("event_stream: closing in the loop ends it, and the connection") {
    scripted_transport server{{head{}, "data: a\n\ndata: b\n\n"}};
    event_source source("http://a/");
    event_stream stream(source, server);
    int count = 0;
    for ([[maybe_unused]] const auto& event : stream) {
        ++count;
        source.close();
    }
    CHECK(count == 1);
    CHECK(server.ended == 2); // what poll said, and the stop
    CHECK(stream.next() == nullptr);
    CHECK(stream.next() == nullptr);
}

TEST_CASE("event_stream: what goes beyond a limit is counted, and reading goes on") {
    scripted_transport server{{head{}, "data: 12345\n\ndata: 1\n\n", head{204}}};
    event_source source("http://a/", {.parser = {.limits = {.data = 4}}});
    event_stream stream(source, server);
    const ssekit::event_view* const event = stream.next();
    REQUIRE(event != nullptr);
    CHECK(event->data == "1");
    CHECK(stream.dropped() == 1);
    CHECK(stream.last_error() == ssekit::errc::data_too_long);
}

TEST_CASE("event_stream: it ends its connection when it dies") {
    scripted_transport server{{head{}, "data: a\n\n"}};
    event_source source("http://a/");
    {
        event_stream stream(source, server);
        CHECK(stream.begin()->data == "a");
        CHECK(server.ended == 0);
    }
    CHECK(server.ended == 1);
}

TEST_CASE("event_stream: a second loop over the same source has a connection of its own") {
    scripted_transport server{
        {head{}, "id: 1\ndata: a\n\ndata: lost\n\n", head{}, "id: 2\ndata: b\n\n", head{204}}};
    event_source source("http://a/", {.on_change = [](event_source&) noexcept {}});
    for (const ssekit::event_view& event : event_stream(source, server)) {
        CHECK(event.data == "a");
        break;
    }
    CHECK(source.state() == ssekit::ready_state::open); // as far as it knows
    event_stream stream(source, server);
    const ssekit::event_view* const event = stream.next();
    REQUIRE(event != nullptr);
    CHECK(event->data == "b");
    CHECK(server.ids == strings{"", "1"});
}

TEST_CASE("event_stream: what may not be repeated is not begun again by a second loop") {
    scripted_transport server{{head{}, "data: a\n\n"}};
    event_source source("http://a/", {.method = "POST"});
    for ([[maybe_unused]] const auto& event : event_stream(source, server)) break;
    CHECK(source.end() == source_end::open);
    event_stream stream(source, server);
    CHECK(stream.next() == nullptr);
    CHECK(source.end() == source_end::not_repeated);
    CHECK(server.ids.size() == 1);
}

TEST_CASE("event_stream: items tell of drops and of silence as they come, and of no end twice") {
    scripted_transport server{{head{}, "data: 12345\n\ndata: 1\n\n", silence{}, silence{},
                               ":\ndata: 12345\n\n", "data: 2\n\n", end{}, head{204}}};
    event_source source("http://a/", {.parser = {.limits = {.data = 4}}});
    event_stream stream(source, server);
    std::string seen;
    std::vector<time_point> quiet;
    for (const ssekit::stream_item& item : stream.items(500ms)) {
        switch (item.kind) {
        case ssekit::item_kind::event: seen.append(*item.event->data); break;
        case ssekit::item_kind::dropped:
            CHECK(item.error == ssekit::errc::data_too_long);
            seen += 'd';
            break;
        case ssekit::item_kind::quiet:
            seen += 'q';
            quiet.push_back(server.clock);
            break;
        default: seen += '?';
        }
    }
    CHECK(seen.substr(0, 6) == "d1qqd2");
    CHECK(seen.find_first_not_of('q', 6) == seen.npos); // while it waits to come back
    CHECK(seen.size() > 6);
    REQUIRE(quiet.size() >= 2);
    CHECK(quiet[1] - quiet[0] == 500ms);
    CHECK(source.end() == source_end::no_content);
    CHECK(stream.next_item().kind == ssekit::item_kind::end);
    CHECK(stream.dropped() == 2);
}

TEST_CASE("event_stream: a deadline that is over still takes what is there") {
    scripted_transport server{{head{}, "data: a\n\ndata: b\n\n", silence{}}};
    event_source source("http://a/");
    event_stream stream(source, server);
    CHECK(stream.next_item(time_point{}).kind == ssekit::item_kind::quiet); // it has begun at least
    CHECK(server.ids.size() == 1);
    REQUIRE(stream.next() != nullptr);
    const ssekit::stream_item item = stream.next_item(time_point{});
    CHECK(item.kind == ssekit::item_kind::event);
    CHECK(item.event->data == "b");
    CHECK(stream.next_item(server.clock).kind == ssekit::item_kind::quiet);
}

TEST_CASE("event_stream: an event without its blank line comes where that was asked for") {
    scripted_transport server{{head{}, "data: a\n\ndata: b", end{}, head{204}}};
    event_source source("http://a/", {.deliver_unfinished = true});
    CHECK(read_all(source, server) == strings{"a", "b"});
}

TEST_CASE("event_stream: nor is the time of a reader that of a feed without events") {
    scripted_transport server{{head{}, "data: a\n\n", ":\n", silence{}, head{204}}};
    event_source source("http://a/", {.event_timeout = 10s});
    event_stream stream(source, server);
    REQUIRE(stream.next() != nullptr);
    server.clock += 9s;
    const time_point before = server.clock;
    CHECK(stream.next() == nullptr); // after 10 s of waiting for the server
    CHECK(server.clock >= before + 10s);
}
