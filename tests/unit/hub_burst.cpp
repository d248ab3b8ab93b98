// SPDX-License-Identifier: MIT
//
// A healthy reader is not hurt by one burst: while a log is read, what was published a moment ago
// stays, up to two bounds that are hard.
#include <ssekit/hub.hpp>

#include "support/allocations.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::framing;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::lag_policy;
using ssekit::stream_end;
using ssekit::time_point;
using support::client;
using support::exactly;
using support::gap;
using support::morning;
using support::say;
using support::texts;
using support::to;

namespace {

void say_times(hub& server, std::string_view topic, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) say(server, topic, "x");
}

std::size_t kept(const hub& server, std::string_view name) {
    std::size_t events = 0;
    server.for_each_topic([&](const ssekit::topic_info& info) {
        if (info.name == name) events = info.events;
    });
    return events;
}

} // namespace

TEST_CASE("1,500 events in one turn reach a reader that keeps up turn by turn") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, morning, {});
        client reader(server, to({"a"}, {.framing = form}));
        client pattern(server, {.patterns = "*", .framing = form});
        client tagged(server, to({"b"}, {.tag = "me", .framing = form}));
        for (client* each : {&reader, &pattern, &tagged}) each->drain();
        for (int turn = 0; turn < 3; ++turn) {
            server.tick(morning + turn * 500ms);
            say_times(server, "a", 1500);
            for (int i = 0; i < 1500; ++i) {
                CHECK(server.publish_to_tag("me", {.data = "x"}).ec == errc::ok);
            }
            for (client* each : {&reader, &pattern, &tagged}) {
                while (each->drain() == drain_status::budget_spent) {
                }
                CHECK(each->stream.end() == stream_end::open);
            }
        }
        for (client* each : {&reader, &pattern, &tagged}) CHECK(each->events().size() == 4500);
        CHECK(server.metrics().gaps == 0);
    }
}

TEST_CASE("one large event and a small one behind it reach a healthy reader whole") {
    hub server(1, morning, {});
    client reader(server, to({"a"}, {.framing = framing::chunked}));
    reader.drain();
    const std::string large(1'500'000, 'x');
    say(server, "a", large);
    say(server, "a", "small");
    while (reader.drain() == drain_status::budget_spent) {
    }
    CHECK(reader.events() == texts{large, "small"});
}

TEST_CASE("progress, a result of 2 MB and the end of the topic arrive whole with a proper end") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, morning, {});
        client reader(server, to({"job"}, {.framing = form}));
        reader.drain();
        texts expected;
        for (int i = 0; i < 10; ++i) {
            expected.push_back("progress " + std::to_string(i));
            say(server, "job", expected.back());
        }
        expected.emplace_back(2'000'000, 'r');
        say(server, "job", expected.back());
        expected.push_back("done");
        CHECK(server.close_topic("job", {.data = "done"}) == errc::ok);
        drain_status status{};
        do {
            status = reader.drain();
        } while (status == drain_status::budget_spent);
        CHECK(status == drain_status::done);
        CHECK_FALSE(reader.stream.is_abrupt());
        CHECK(reader.events() == expected);
        if (form == framing::chunked) CHECK(support::dechunk(reader.socket.got).ended);
    }
}

TEST_CASE("the hard bound of events is to the event") {
    for (const std::size_t most : {2u, 3u, 64u}) {
        CAPTURE(most);
        hub server(1, morning, {.keep = {.events = 2, .burst = {.events = most}}});
        client within(server, to({"a"}));
        within.drain();
        CHECK(server.room("a").events == most);
        say_times(server, "a", most);
        CHECK(server.room("a").events == 0);
        CHECK(within.drain() == drain_status::idle);
        CHECK(within.events().size() == most);
        client past(server, to({"a"}));
        past.drain();
        say_times(server, "a", most + 1);
        CHECK(past.drain() == drain_status::cut);
        CHECK(past.stream.end() == stream_end::lagged);
    }
}

TEST_CASE("the hard bound of bytes is to the byte") {
    constexpr std::string_view rest = "id: 1.1\ndata: \n\n";
    hub server(1, morning, {.keep = {.bytes = 10, .burst = {.bytes = 1000}}});
    client reader(server, to({"a"}));
    reader.drain();
    const std::string half(500 - rest.size(), 'x');
    CHECK(server.room("a").bytes == 1000);
    say(server, "a", half);
    CHECK(server.room("a").bytes == 500);
    say(server, "a", half);
    CHECK(server.room("a").bytes == 0);
    CHECK(reader.drain() == drain_status::idle);
    say(server, "a", half);
    say(server, "a", half + "x");
    CHECK(reader.drain() == drain_status::cut);
}

TEST_CASE("what stays of a burst goes when its time is over") {
    hub server(1, morning,
               {.keep = {.events = 2}, .heartbeat = {.interval = 0s}, .write_deadline = 0s});
    client reader(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    reader.drain();
    say_times(server, "a", 10);
    CHECK(kept(server, "a") == 10);
    CHECK(server.next_deadline() <= morning + 1s);
    server.tick(morning + 1s - 250ms - 1ms); // a deadline is kept to within 250 ms, never late
    CHECK(kept(server, "a") == 10);
    server.tick(morning + 1s);
    CHECK(kept(server, "a") == 2);
    CHECK(server.next_deadline() == ssekit::never);
    reader.drain(); // it was not healthy
    CHECK(reader.events() == texts{gap("lagged", 8), "x", "x"});
}

TEST_CASE("a burst without time gets no more than what is kept") {
    hub server(1, morning, {.keep = exactly(2)});
    client reader(server, to({"a"}));
    reader.drain();
    CHECK(server.room("a").events == 2);
    say_times(server, "a", 3);
    CHECK(reader.drain() == drain_status::cut);
}

TEST_CASE("a topic that nobody reads keeps no burst") {
    hub server(1, morning, {.keep = {.events = 2}});
    say_times(server, "a", 10);
    CHECK(kept(server, "a") == 2);
    {
        client reader(server, to({"a"}));
        say_times(server, "a", 10);
        CHECK(kept(server, "a") == 12);
    }
    CHECK(kept(server, "a") == 2); // as soon as the last reader has gone
    client back(server, to({"a"}, {.last_event_id = "1.18"}));
    CHECK(back.stream.resumption() == ssekit::resumption::resumed);
}

TEST_CASE("the room of what is not there is that of a new topic, and of a pattern its own") {
    hub server(1, morning,
               {.keep = {.events = 5, .bytes = 50, .burst = {.events = 7, .bytes = 70}}});
    CHECK(server.room("nobody").events == 7);
    CHECK(server.room("nobody").bytes == 70);
    CHECK(server.keep_pattern("x/*", {.burst = {.events = 2000}}) == errc::ok);
    CHECK(server.room("x/*").events == 2000);
    CHECK(server.metrics().topics == 1); // nothing was made by asking
}

TEST_CASE("the memory that a burst has taken is given back") {
    if (!support::counts_allocations) return;
    const support::allocation_watch watch;
    hub server(1, morning,
               {.keep = {.events = 2}, .heartbeat = {.interval = 0s}, .write_deadline = 0s});
    auto made = server.subscribe({.topics = "a"});
    REQUIRE(made.ec == errc::ok);
    const std::string large(10'000, 'x');
    for (int i = 0; i < 1000; ++i) say(server, "a", large);
    CHECK(watch.peak() > 10'000'000);
    for (auto now = morning; now < morning + 10s; now += 100ms) server.tick(now);
    CHECK(server.metrics().log_bytes < 30'000);
    const std::size_t left = watch.allocations() - watch.frees();
    CHECK(left < 40); // not the 1,000 frames
}
