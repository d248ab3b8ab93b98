// SPDX-License-Identifier: MIT
//
// Subscribers that want only some of what their topics bring.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::event_filter;
using ssekit::event_summary;
using ssekit::framing;
using ssekit::hub;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::start_point;
using ssekit::stream_end;
using ssekit::time_point;
using support::client;
using support::exactly;
using support::gap;
using support::say;
using support::texts;
using support::to;

namespace {

/// Remembers what it is asked, and answers as it is told.
struct judge {
    std::function<bool(const event_summary&)> answer = [](const event_summary&) { return true; };
    texts asked = {};

    [[nodiscard]] event_filter filter() {
        return {[](void* self, const event_summary& event) noexcept {
                    auto& me = *static_cast<judge*>(self);
                    std::string text = std::to_string(event.offset);
                    for (const std::string_view part : {event.topic, event.type, event.key}) {
                        text += ' ';
                        text += part.empty() ? "-" : part;
                    }
                    me.asked.push_back(text);
                    return me.answer(event);
                },
                this};
    }
};

bool is_even(const event_summary& event) {
    return event.offset % 2 == 0;
}

} // namespace

TEST_CASE("a filter sees topic and type and key and offset") {
    hub server(1, {}, {});
    judge all;
    client reader(server, to({"a", "b"}, {.filter = all.filter()}));
    reader.drain();
    say(server, "a", {.data = "1"});
    say(server, "b", {.type = "tick", .data = "2"}, "k");
    say(server, "c", {.data = "3"});
    say(server, "a", {.type = "message", .data = "4"}, "event: not this");
    say(server, "b", {.type = "t", .data = "event: nor this", .retry = 5ms});
    say(server, "b", {.retry = 5ms}, "only retry");
    reader.drain();
    CHECK(all.asked == texts{"1 a message -", "2 b tick k", "4 a message event: not this",
                             "5 b t -", "6 b message only retry"});
    CHECK(reader.events() == texts{"1", "tick:2", "4", "t:event: nor this"});
}

TEST_CASE("events can be chosen by each of what a filter sees") {
    const std::function<bool(const event_summary&)> by[] = {
        [](const event_summary& event) { return event.topic == "b"; },
        [](const event_summary& event) { return event.type == "tick"; },
        [](const event_summary& event) { return event.type == "message"; },
        [](const event_summary& event) { return event.key == "k"; },
        [](const event_summary& event) { return event.key.empty(); },
        [](const event_summary& event) { return event.offset > 2; },
    };
    const texts expected[] = {{"tick:2", "4"}, {"tick:2"}, {"1", "3", "4"},
                              {"tick:2", "3"}, {"1", "4"}, {"3", "4"}};
    for (std::size_t i = 0; i < std::size(by); ++i) {
        CAPTURE(i);
        for (const framing form : {framing::raw, framing::chunked}) {
            hub server(1, {}, {});
            judge some{by[i]};
            client reader(server, to({"a", "b"}, {.filter = some.filter(), .framing = form}));
            reader.drain();
            say(server, "a", {.data = "1"});
            say(server, "b", {.type = "tick", .data = "2"}, "k");
            say(server, "a", {.data = "3"}, "k");
            say(server, "b", {.data = "4"});
            CHECK(reader.drain() == drain_status::idle);
            CHECK(reader.events() == expected[i]);
            const auto counts = server.metrics();
            CHECK(counts.delivered == expected[i].size());
            CHECK(counts.filtered == 4 - expected[i].size());
            CHECK(counts.skipped == 0);
        }
    }
}

TEST_CASE("what is not wanted does not reach the socket and leaves it idle") {
    hub server(1, {}, {});
    judge none{[](const event_summary&) { return false; }};
    client reader(server, to({"a"}, {.filter = none.filter()}));
    reader.drain();
    const std::string opening = reader.socket.got;
    for (int i = 0; i < 100; ++i) {
        say(server, "a", "secret");
        CHECK(reader.drain() == drain_status::idle);
    }
    CHECK(reader.socket.got == opening);
    CHECK(server.metrics().filtered == 100);
    CHECK(server.find_subscriber(reader.stream.id())->lag_events == 0);
}

TEST_CASE("replay is filtered too") {
    hub server(1, {}, {});
    for (int i = 1; i <= 6; ++i) say(server, "a", std::to_string(i));
    judge even{is_even};
    client resumed(server, to({"a"}, {.last_event_id = "1.2", .filter = even.filter()}));
    client fresh(server, to({"a"}, {.start = start_point::earliest, .filter = even.filter()}));
    client lost(server, to({"a"}, {.last_event_id = "?", .filter = even.filter()}));
    for (client* each : {&resumed, &fresh, &lost}) each->drain();
    CHECK(resumed.events() == texts{"4", "6"});
    CHECK(fresh.events() == texts{"2", "4", "6"});
    CHECK(lost.events() == texts{gap("malformed"), "2", "4", "6"});
}

TEST_CASE("a client that comes back with the id of a wanted event misses nothing") {
    hub server(1, {}, {});
    judge even{is_even};
    client first(server, to({"a"}, {.filter = even.filter()}));
    for (int i = 1; i <= 3; ++i) say(server, "a", std::to_string(i));
    first.drain();
    const std::string id = first.last_event_id();
    CHECK(id == "1.2");
    first.stream = {};
    for (int i = 4; i <= 6; ++i) say(server, "a", std::to_string(i));
    client second(server, to({"a"}, {.last_event_id = id, .filter = even.filter()}));
    CHECK(second.stream.resumption() == resumption::resumed);
    second.drain();
    CHECK(second.events() == texts{"4", "6"});
}

TEST_CASE("patterns show the topic that was published to") {
    hub server(1, {}, {});
    judge all;
    constexpr std::string_view rooms[] = {"room/*"};
    client reader(server, {.patterns = rooms, .filter = all.filter()});
    reader.drain();
    say(server, "room/1", {.data = "1"});
    say(server, "room/2", {.data = "2"}, "k");
    say(server, "hall", {.data = "3"});
    constexpr std::array<std::string_view, 2> both{"room/3", "room/1"};
    say(server, both, {.data = "4"});
    reader.drain();
    CHECK(all.asked == texts{"1 room/1 message -", "2 room/2 message k", "4 room/3 message -"});

    judge one{[](const event_summary& event) { return event.topic == "room/1"; }};
    client late(server,
                {.patterns = rooms, .start = start_point::earliest, .filter = one.filter()});
    late.drain();
    CHECK(late.events() == texts{"1"}); // also of what a pattern's log is filled with
}

TEST_CASE("events of a tag show the tag") {
    hub server(1, {}, {});
    judge all;
    client reader(server, to({"a"}, {.tag = "user 7", .filter = all.filter()}));
    reader.drain();
    CHECK(server.publish_to_tag("user 7", {.type = "mail", .data = "1"}, "k").ec ==
          ssekit::errc::ok);
    CHECK(server.publish_to_tag("user 8", {.data = "2"}).ec == ssekit::errc::ok);
    say(server, "a", "3");
    reader.drain();
    CHECK(all.asked == texts{"1 user 7 mail k", "3 a message -"});
    CHECK(reader.events() == texts{"mail:1", "3"});
}

TEST_CASE("an event in several topics is asked about once and shows the first") {
    hub server(1, {}, {});
    judge all;
    client reader(server, to({"a", "b", "c"}, {.filter = all.filter()}));
    reader.drain();
    constexpr std::array<std::string_view, 2> some{"c", "b"};
    say(server, some, {.data = "1"});
    reader.drain();
    CHECK(all.asked == texts{"1 c message -"});
    judge none{[](const event_summary&) { return false; }};
    client picky(server, to({"a", "b", "c"}, {.filter = none.filter()}));
    picky.drain();
    say(server, some, {.data = "2"});
    picky.drain();
    CHECK(server.metrics().filtered == 1);
}

TEST_CASE("what is not of a topic is not asked about") {
    hub server(1, {}, {.retry = 3s});
    judge none{[](const event_summary&) { return false; }};
    client reader(server, to({"a"}, {.last_event_id = "?", .filter = none.filter()}));
    reader.drain();
    CHECK(reader.stream.send({.data = "welcome"}) == ssekit::errc::ok);
    reader.drain();
    say(server, "a", "1");
    CHECK(server.close({.farewell = {.data = "bye"}}) == ssekit::errc::ok);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{gap("malformed"), "welcome", "bye"});
    CHECK(none.asked == texts{"1 a message -"});
}

TEST_CASE(
    "a stream that has lagged is told so, but not by how much where nobody can know any more") {
    hub server(1, {}, {.keep = exactly(2)});
    judge even{is_even};
    client reader(server,
                  to({"a"}, {.on_lag = lag_policy::skip_to_oldest, .filter = even.filter()}));
    client ends(server, to({"a"}, {.filter = even.filter()}));
    for (client* each : {&reader, &ends}) each->drain();
    for (int i = 1; i <= 4; ++i) say(server, "a", std::to_string(i));
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged"), "4"});
    CHECK(ends.drain() == drain_status::cut);
    CHECK(ends.stream.end() == stream_end::lagged);
}

TEST_CASE("a stream of which nothing is wanted still gets its heartbeats") {
    // Whatever the order of publishing, ticking and draining.
    for (const bool drained_before_tick : {true, false}) {
        CAPTURE(drained_before_tick);
        hub server(1, {}, {.heartbeat = {.interval = 15s, .jitter = 0}});
        time_point now{10h};
        server.tick(now);
        judge none{[](const event_summary&) { return false; }};
        client reader(server, to({"a"}, {.filter = none.filter()}));
        reader.drain();
        for (int i = 0; i < 600; ++i) {
            say(server, "a", "noise");
            if (drained_before_tick) reader.drain();
            server.tick(now += 100ms);
            reader.drain();
        }
        CHECK(reader.seen().comments.size() >= 3);
        CHECK(reader.seen().comments.size() <= 5);
    }
}

TEST_CASE("a filter that changes its mind is heeded when the event is about to leave") {
    hub server(1, {}, {});
    bool open = true;
    judge gate{[&](const event_summary&) { return open; }};
    client reader(server, to({"a"}, {.filter = gate.filter()}));
    reader.drain();
    say(server, "a", "1");
    say(server, "a", "2");
    open = false;
    reader.drain();
    open = true;
    say(server, "a", "3");
    reader.drain();
    CHECK(reader.events() == texts{"3"});
}

TEST_CASE("an event that the filter does not want opens no window") {
    hub server(1, {}, {.heartbeat = {.interval = 0s}, .write_deadline = 0s});
    const time_point start{10h};
    server.tick(start);
    judge no_noise{[](const event_summary& event) { return event.type != "noise"; }};
    char user = 'x';
    client reader(server, to({"a"}, {.filter = no_noise.filter(), .throttle = 1s, .user = &user}));
    reader.drain();
    say(server, "a", {.type = "noise", .data = "x"});
    reader.drain();
    say(server, "a", "1");
    reader.drain();
    CHECK(reader.events() == texts{"1"}); // it is the first that leaves
    say(server, "a", {.type = "noise", .data = "y"});
    say(server, "a", "2");
    reader.drain();
    CHECK(reader.events() == texts{"1"});
    for (auto now = start; now < start + 1100ms; now += 10ms) server.tick(now);
    reader.drain();
    CHECK(reader.events() == texts{"1", "2"});
    CHECK(server.metrics().filtered == 2);
}

TEST_CASE("a wanted event is not replaced by a newer one of its key that is not wanted") {
    for (const bool throttled : {false, true}) {
        hub server(1, time_point(10h), {});
        judge no_noise{[](const event_summary& event) { return event.type != "noise"; }};
        client reader(
            server, to({"a"}, {.on_lag = throttled ? lag_policy::disconnect : lag_policy::coalesce,
                               .filter = no_noise.filter(),
                               .throttle = throttled ? 1s : 0s}));
        reader.drain();
        say(server, "a", {.data = "old"}, "k");
        say(server, "a", {.data = "wanted"}, "k");
        say(server, "a", {.type = "noise", .data = "n1"}, "k");
        say(server, "a", {.type = "noise", .data = "n2"}, "k");
        reader.drain();
        CHECK(reader.events() == texts{"wanted"});
        CHECK(server.metrics().coalesced == 1);
        CHECK(server.metrics().filtered == 2);
    }
}

TEST_CASE("where all that is missing was unwanted there is no gap") {
    for (const lag_policy policy : {lag_policy::skip_to_oldest, lag_policy::disconnect,
                                    lag_policy::detach, lag_policy::coalesce}) {
        hub server(1, {}, {});
        judge even{is_even};
        client reader(
            server,
            to({"a"}, {.on_lag = policy, .max_lag = {.events = 2}, .filter = even.filter()}));
        reader.drain();
        say(server, "a", "1"); // not wanted, and past the bound
        say(server, "a", "2");
        say(server, "a", "3");
        CHECK(reader.drain() == drain_status::idle);
        CHECK(reader.events() == texts{"2"});
        CHECK(server.metrics().gaps == 0);
        CHECK(server.metrics().skipped == 0);
        CHECK(server.metrics().filtered + server.metrics().coalesced == 2);
    }
}

TEST_CASE("a gap counts what was wanted of what is still known") {
    hub server(1, {}, {});
    judge even{is_even};
    client reader(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest,
                                     .max_lag = {.events = 2},
                                     .filter = even.filter()}));
    reader.drain();
    for (int i = 1; i <= 8; ++i) say(server, "a", std::to_string(i));
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged", 3), "8"}); // 2, 4 and 6
    CHECK(server.metrics().skipped == 3);
}
