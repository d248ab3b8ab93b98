// SPDX-License-Identifier: MIT
//
// What a hub does by the time that it is told: heartbeats for silent streams, retention by age.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using ssekit::drain_status;
using ssekit::framing;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::never;
using ssekit::time_point;
using support::bell;
using support::client;
using support::exactly;
using support::morning;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr hub_options no_jitter{.heartbeat = {.interval = 15s, .jitter = 0}, .write_deadline = 0s};

} // namespace

TEST_CASE("a silent stream gets a heartbeat within the interval and again after each") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, {}, {.heartbeat = {.interval = 15s}});
        server.tick(morning);
        char user = 'x';
        client reader(server, to({"a"}, {.framing = form, .user = &user}));
        reader.drain();
        const std::size_t opening = reader.socket.got.size();
        time_point last = morning;
        for (std::size_t i = 1; i <= 20; ++i) {
            while (server.next_ready() == nullptr) {
                REQUIRE(server.next_deadline() < last + 16s);
                server.tick(server.next_deadline());
                last = std::max(last, server.next_deadline() - 15s);
            }
            CHECK(reader.drain() == drain_status::idle);
            CHECK(reader.heartbeats() == i);
        }
        const std::string_view beat = form == framing::raw ? ":\n\n"sv : "3\r\n:\n\n\r\n"sv;
        CHECK(reader.socket.got.size() == opening + 20 * beat.size());
        CHECK(reader.socket.got.ends_with(beat));
        CHECK(reader.last_event_id() == "1.0");
        CHECK(reader.events().empty());
        CHECK(server.metrics().heartbeats == 20);
    }
}

TEST_CASE("a stream that was written to gets no heartbeat") {
    hub server(1, {}, no_jitter);
    server.tick(morning);
    client busy(server, to({"a"}));
    client idle(server, to({"b"}));
    busy.drain();
    idle.drain();
    for (auto now = morning; now < morning + 60s; now += 1s) {
        server.tick(now);
        busy.drain();
        idle.drain();
        say(server, "a", "x");
        busy.drain();
    }
    CHECK(busy.heartbeats() == 0);
    CHECK(idle.heartbeats() >= 3);
}

TEST_CASE("a waker fires for a heartbeat") {
    hub server(1, {}, no_jitter);
    server.tick(morning);
    bell rings;
    client reader(server, to({"a", "b"}), rings.waker());
    reader.drain();
    server.tick(morning + 15s);
    CHECK(rings.take() == 1);
    say(server, "a", "1");
    CHECK(rings.take() == 0); // it has not been idle since
    reader.drain();
    CHECK(reader.heartbeats() == 0); // the event did as well
    CHECK(reader.events() == texts{"1"});
    server.tick(morning + 30s);
    CHECK(rings.take() == 1);
    reader.drain();
    CHECK(reader.heartbeats() == 1);
}

TEST_CASE("a heartbeat is never queued while bytes wait nor inside an event") {
    // The socket is full after `cut` bytes, for hours.
    constexpr std::string_view whole = "id: 1.0\n\nid: 1.1\ndata: one\ndata: two\n\n";
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        CAPTURE(cut);
        hub server(1, {}, no_jitter);
        server.tick(morning);
        char user = 'x';
        client reader(server, to({"a"}, {.user = &user}));
        say(server, "a", "one\ntwo");
        reader.drain_bytes(cut);
        for (auto now = morning; now < morning + 1h; now += 1s) {
            server.tick(now);
            while (server.next_ready() != nullptr) reader.drain_bytes(0);
        }
        reader.drain();
        CHECK(reader.events() == texts{"one\ntwo"});
        CHECK(reader.heartbeats() == (cut == whole.size() ? 1 : 0));
        CHECK(std::string_view(reader.socket.got).starts_with(whole));
    }
}

TEST_CASE("a stream that has not been drained yet gets no heartbeat") {
    hub server(1, {}, no_jitter);
    server.tick(morning);
    char user = 'x';
    client opening(server, to({"b"}, {.user = &user}));
    client gap(server, to({"b"}, {.last_event_id = "?", .user = &user}));
    client unread(server, to({"a"}));
    unread.drain();
    say(server, "a", "1");
    server.tick(morning + 1h);
    CHECK(server.next_ready() == nullptr);
    for (client* each : {&opening, &gap, &unread}) {
        each->drain();
        CHECK(each->heartbeats() == 0);
    }
}

TEST_CASE("all streams share one heartbeat frame") {
    hub server(1, {}, no_jitter);
    server.tick(morning);
    client a(server, to({"a"}));
    client b(server, to({"a"}));
    a.drain();
    b.drain();
    server.tick(morning + 1h);
    std::array<std::string_view, 2> first, second;
    REQUIRE(a.stream.prepare(first) == 1);
    REQUIRE(b.stream.prepare(second) == 1);
    CHECK(first[0] == ":\n\n");
    CHECK(first[0].data() == second[0].data());
}

TEST_CASE("an interval of zero switches heartbeats off") {
    hub server(1, {}, {.heartbeat = {.interval = 0s}, .write_deadline = 0s});
    server.tick(morning);
    client reader(server, to({"a"}));
    reader.drain();
    CHECK(server.next_deadline() == never);
    server.tick(morning + 24h);
    reader.drain();
    CHECK(reader.heartbeats() == 0);
}

TEST_CASE("the next deadline is never when nothing can come due") {
    hub server(1, {}, {.keep = {.age = 10s}, .heartbeat = {.interval = 15s}});
    server.tick(morning);
    CHECK(server.next_deadline() == never);
    {
        client reader(server, to({"a"}));
        CHECK(server.next_deadline() <= morning + 15s);
        CHECK(server.next_deadline() > morning);
    }
    CHECK(server.next_deadline() == never);
}

TEST_CASE("events that are too old go when nobody does anything, but for the newest that is read") {
    hub server(1, {}, {.keep = {.age = 10s}, .heartbeat = {.interval = 0s}, .write_deadline = 0s});
    server.tick(morning);
    client reader(server, to({"a"}));
    reader.drain();
    say(server, "a", "1");
    CHECK(server.next_deadline() == never); // the log is also the queue
    server.tick(morning + 1s);
    say(server, "a", "3");
    CHECK(server.next_deadline() == morning + 10s);
    say(server, "b", "4");
    CHECK(server.next_deadline() == morning + 10s);
    CHECK(server.metrics().log_bytes == 3 * "id: 1.1\ndata: 1\n\n"sv.size());
    server.tick(morning + 10s);
    CHECK(server.metrics().log_bytes == 2 * "id: 1.1\ndata: 1\n\n"sv.size());
    CHECK(server.next_deadline() == morning + 11s);
    server.tick(morning + 11s);
    CHECK(server.metrics().log_bytes == "id: 1.1\ndata: 1\n\n"sv.size());
    CHECK(server.metrics().topics == 1);
    CHECK(server.next_deadline() == never);
}

TEST_CASE("ticks too early or too often or out of order do no harm") {
    hub server(1, {}, no_jitter);
    server.tick(morning);
    client reader(server, to({"a"}));
    reader.drain();
    for (int i = 0; i < 100; ++i) server.tick(morning + i * 1ms);
    server.tick(morning - 1h);
    server.tick(time_point{});
    server.tick(morning);
    reader.drain();
    CHECK(reader.heartbeats() == 0);
    server.tick(morning + 24h * 365);
    reader.drain();
    CHECK(reader.heartbeats() == 1);
    server.tick(morning + 24h * 365);
    reader.drain();
    CHECK(reader.heartbeats() == 1);
}

TEST_CASE("a stream that has ended gets no heartbeat") {
    hub server(1, {}, {.keep = exactly(1), .heartbeat = {.interval = 15s}});
    server.tick(morning);
    char user = 'x';
    client lagged(server, to({"a"}, {.user = &user}));
    lagged.drain();
    say(server, "a", "1");
    say(server, "a", "2");
    while (server.next_ready() != nullptr) CHECK(lagged.drain() == drain_status::cut);
    CHECK(server.next_deadline() == never);
    server.tick(morning + 1h);
    CHECK(server.next_ready() == nullptr);
    CHECK(lagged.drain() == drain_status::cut);
    CHECK(lagged.heartbeats() == 0);
}

TEST_CASE("heartbeats of clients that heard the same event are spread") {
    hub server(1, {}, {.heartbeat = {.interval = 100s, .jitter = 50}});
    server.tick(morning);
    std::vector<std::unique_ptr<client>> clients;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(std::make_unique<client>(server, to({"a"})));
        clients.back()->drain();
    }
    say(server, "a", "x");
    for (const auto& each : clients) each->drain();
    std::size_t turns = 0;
    std::uint64_t most = 0;
    while (server.next_deadline() <= morning + 100s) {
        const auto before = server.metrics().heartbeats;
        server.tick(server.next_deadline());
        for (const auto& each : clients) each->drain();
        const auto now = server.metrics().heartbeats - before;
        if (now != 0) ++turns;
        most = std::max(most, now);
    }
    CHECK(turns >= 10);
    CHECK(most <= 40);
}

TEST_CASE("a heartbeat brings the id to come back with when the hub went on without the stream") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, morning, no_jitter);
        client quiet(server, to({"a"}, {.framing = form}));
        quiet.drain();
        server.tick(morning + 15s);
        quiet.drain();
        CHECK(quiet.body() == "id: 1.0\n\n:\n\n"); // the hub has not gone on
        for (int i = 0; i < 7; ++i) say(server, "b", "x");
        server.tick(morning + 30s);
        quiet.drain();
        CHECK(quiet.body() == "id: 1.0\n\n:\n\nid: 1.7\n:\n\n");
        CHECK(quiet.last_event_id() == "1.7");
        CHECK(quiet.events().empty());
        say(server, "a", "1");
        quiet.drain();
        CHECK(quiet.last_event_id() == "1.8");
        server.tick(morning + 45s);
        quiet.drain();
        CHECK(quiet.body().ends_with("data: 1\n\n:\n\n")); // it has the newest id
        if (form == framing::chunked) CHECK(support::dechunk(quiet.socket.got).intact);
    }
}

TEST_CASE("the id of a heartbeat advances for a stream that wants nothing, and loses nothing") {
    // A filter that wants nothing; 200 minutes; the log keeps 4 events.
    hub server(1, morning, {.keep = exactly(4), .heartbeat = {.interval = 15s, .jitter = 0}});
    bool (*const odd)(void*, const ssekit::event_summary&) noexcept =
        [](void*, const ssekit::event_summary& event) noexcept { return event.type == "wanted"; };
    client reader(server, to({"a", "c"}, {.filter = {odd, nullptr}}));
    reader.drain();
    time_point now = morning;
    for (int minute = 0; minute < 200; ++minute) {
        say(server, "a", "noise");
        reader.drain();
        server.tick(now += 16s);
        reader.drain();
        CHECK(reader.last_event_id() ==
              server.id_of(static_cast<std::uint64_t>(minute) + 1).view());
    }
    const std::string id = reader.last_event_id();
    reader.stream = {};
    CHECK(server.publish("c", {.type = "wanted", .data = "1"}).ec == ssekit::errc::ok);
    client back(server, to({"a", "c"}, {.last_event_id = id, .filter = {odd, nullptr}}));
    CHECK(back.stream.resumption() == ssekit::resumption::resumed);
    back.drain();
    CHECK(back.events() == texts{"wanted:1"});
}

TEST_CASE("a heartbeat never brings the id of an event that the stream has still to get") {
    // Whatever is published between the time that it is due and the time that it leaves.
    for (const bool two : {false, true}) {
        for (const bool throttled : {false, true}) {
            hub server(1, morning, no_jitter);
            client reader(server, two ? to({"a", "c"}, {.throttle = throttled ? 1h : 0s})
                                      : to({"a"}, {.throttle = throttled ? 1h : 0s}));
            reader.drain();
            say(server, "a", "1");
            reader.drain();
            say(server, "b", "2");
            server.tick(morning + 15s);
            say(server, "a", "3");
            say(server, "b", "4");
            reader.drain();
            const std::string id = reader.last_event_id();
            CHECK(id == (throttled ? "1.1" : "1.3"));
            server.tick(morning + 31s);
            reader.drain();
            CHECK(reader.last_event_id() == (throttled ? "1.1" : "1.4"));
        }
    }
}

TEST_CASE("heartbeats as events bring the id as well, and ids in heartbeats can be switched off") {
    for (const bool ids : {true, false}) {
        for (const std::string_view type : {"", "ping"}) {
            hub_options options = no_jitter;
            options.heartbeat_id = ids;
            if (!type.empty()) options.heartbeat_type = "ping";
            hub server(1, morning, options);
            client quiet(server, to({"a"}));
            quiet.drain();
            say(server, "b", "x");
            server.tick(morning + 15s);
            quiet.drain();
            std::string expected = "id: 1.0\n\n";
            if (ids) expected += "id: 1.1\n";
            expected += type.empty() ? ":\n\n" : "event: ping\ndata: \n\n";
            CHECK(quiet.socket.got == expected);
        }
    }
}

TEST_CASE("heartbeats as events have the text that was asked for, in as many lines as it has") {
    for (const bool ids : {true, false}) {
        hub_options options = no_jitter;
        options.heartbeat_id = ids;
        options.heartbeat_type = "ping";
        options.heartbeat_data = "{\"type\":\n\"ping\"}";
        hub server(1, morning, options);
        client quiet(server, to({"a"}));
        say(server, "b", "x");
        quiet.drain();
        server.tick(morning + 15s);
        quiet.drain();
        CHECK(quiet.events() == texts{"ping:{\"type\":\n\"ping\"}"});
        CHECK(quiet.last_event_id() == (ids ? "1.1" : "1.0"));
    }
}

TEST_CASE("a heartbeat brings no id that a publisher gave to an event of other topics") {
    hub server(1, morning,
               {.ids = ssekit::event_ids::by_publisher,
                .heartbeat = {.interval = 15s, .jitter = 0},
                .write_deadline = 0s});
    client quiet(server, to({"a"}));
    quiet.drain();
    server.tick(morning + 15s);
    quiet.drain();
    CHECK(quiet.socket.got == ":\n\n:\n\n"); // after the opening; there is none yet
    CHECK(server.publish("b", {.id = "x7", .data = "1"}).ec == ssekit::errc::ok);
    server.tick(morning + 30s);
    quiet.drain();
    CHECK(quiet.socket.got == ":\n\n:\n\n:\n\n");
}

TEST_CASE("a hub knows the time from its beginning") {
    // Years after the clock began, and before the first tick.
    constexpr time_point late{24h * 3000};
    hub server(1, late,
               {.keep = {.age = 10s},
                .heartbeat = {.interval = 15s, .jitter = 0},
                .write_deadline = 20s,
                .max_age = 1h});
    client reader(server, to({"a"}));
    say(server, "a", "1");
    say(server, "b", "2");
    server.tick(late);
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.events() == texts{"1"});
    CHECK(reader.heartbeats() == 0);
    client other(server, to({"b"}, {.start = ssekit::start_point::earliest}));
    CHECK(other.drain() == drain_status::idle);
    CHECK(other.events() == texts{"2"});
    CHECK(server.next_deadline() > late);
    const auto shown = *server.find_subscriber(reader.stream.id());
    CHECK(shown.connected_at > late - 17ms);
    CHECK(shown.connected_at <= late);
    server.tick(late - 1h); // time does not run backwards
    CHECK(server.next_deadline() > late);
}
