// SPDX-License-Identifier: MIT
//
// What a hub does by the time that it is told: heartbeats for silent streams, retention by age.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"

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
using support::say;
using support::texts;
using support::to;

namespace {

constexpr time_point start{10h};
constexpr hub_options no_jitter{.heartbeat = {.interval = 15s, .jitter = 0}, .write_deadline = 0s};

std::size_t heartbeats(const client& reader) {
    return reader.seen().comments.size();
}

} // namespace

TEST_CASE("a silent stream gets a heartbeat within the interval and again after each") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, {.heartbeat = {.interval = 15s}});
        server.tick(start);
        char user = 'x';
        client reader(server, to({"a"}, {.framing = form, .user = &user}));
        reader.drain();
        const std::size_t opening = reader.socket.got.size();
        time_point last = start;
        for (std::size_t i = 1; i <= 20; ++i) {
            while (server.next_ready() == nullptr) {
                REQUIRE(server.next_deadline() < last + 16s);
                server.tick(server.next_deadline());
                last = std::max(last, server.next_deadline() - 15s);
            }
            CHECK(reader.drain() == drain_status::idle);
            CHECK(heartbeats(reader) == i);
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
    hub server(1, no_jitter);
    server.tick(start);
    client busy(server, to({"a"}));
    client idle(server, to({"b"}));
    busy.drain();
    idle.drain();
    for (auto now = start; now < start + 60s; now += 1s) {
        server.tick(now);
        busy.drain();
        idle.drain();
        say(server, "a", "x");
        busy.drain();
    }
    CHECK(heartbeats(busy) == 0);
    CHECK(heartbeats(idle) >= 3);
}

TEST_CASE("a waker fires for a heartbeat") {
    hub server(1, no_jitter);
    server.tick(start);
    bell rings;
    client reader(server, to({"a", "b"}), rings.waker());
    reader.drain();
    server.tick(start + 15s);
    CHECK(rings.take() == 1);
    say(server, "a", "1");
    CHECK(rings.take() == 0); // it has not been idle since
    reader.drain();
    CHECK(heartbeats(reader) == 0); // the event did as well
    CHECK(reader.events() == texts{"1"});
    server.tick(start + 30s);
    CHECK(rings.take() == 1);
    reader.drain();
    CHECK(heartbeats(reader) == 1);
}

TEST_CASE("a heartbeat is never queued while bytes wait nor inside an event") {
    // The socket is full after `cut` bytes, for hours.
    constexpr std::string_view whole = "id: 1.0\n\nid: 1.1\ndata: one\ndata: two\n\n";
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        CAPTURE(cut);
        hub server(1, no_jitter);
        server.tick(start);
        char user = 'x';
        client reader(server, to({"a"}, {.user = &user}));
        say(server, "a", "one\ntwo");
        reader.drain_bytes(cut);
        for (auto now = start; now < start + 1h; now += 1s) {
            server.tick(now);
            while (server.next_ready() != nullptr) reader.drain_bytes(0);
        }
        reader.drain();
        CHECK(reader.events() == texts{"one\ntwo"});
        CHECK(heartbeats(reader) == (cut == whole.size() ? 1 : 0));
        CHECK(std::string_view(reader.socket.got).starts_with(whole));
    }
}

TEST_CASE("a stream that has not been drained yet gets no heartbeat") {
    hub server(1, no_jitter);
    server.tick(start);
    char user = 'x';
    client opening(server, to({"b"}, {.user = &user}));
    client gap(server, to({"b"}, {.last_event_id = "?", .user = &user}));
    client unread(server, to({"a"}));
    unread.drain();
    say(server, "a", "1");
    server.tick(start + 1h);
    CHECK(server.next_ready() == nullptr);
    for (client* each : {&opening, &gap, &unread}) {
        each->drain();
        CHECK(heartbeats(*each) == 0);
    }
}

TEST_CASE("all streams share one heartbeat frame") {
    hub server(1, no_jitter);
    server.tick(start);
    client a(server, to({"a"}));
    client b(server, to({"a"}));
    a.drain();
    b.drain();
    server.tick(start + 1h);
    std::array<std::string_view, 2> first, second;
    REQUIRE(a.stream.prepare(first) == 1);
    REQUIRE(b.stream.prepare(second) == 1);
    CHECK(first[0] == ":\n\n");
    CHECK(first[0].data() == second[0].data());
}

TEST_CASE("an interval of zero switches heartbeats off") {
    hub server(1, {.heartbeat = {.interval = 0s}, .write_deadline = 0s});
    server.tick(start);
    client reader(server, to({"a"}));
    reader.drain();
    CHECK(server.next_deadline() == never);
    server.tick(start + 24h);
    reader.drain();
    CHECK(heartbeats(reader) == 0);
}

TEST_CASE("the next deadline is never when nothing can come due") {
    hub server(1, {.keep = {.age = 10s}, .heartbeat = {.interval = 15s}});
    server.tick(start);
    CHECK(server.next_deadline() == never);
    {
        client reader(server, to({"a"}));
        CHECK(server.next_deadline() <= start + 15s);
        CHECK(server.next_deadline() > start);
    }
    CHECK(server.next_deadline() == never);
}

TEST_CASE("events that are too old go when nobody does anything, but for the newest that is read") {
    hub server(1, {.keep = {.age = 10s}, .heartbeat = {.interval = 0s}, .write_deadline = 0s});
    server.tick(start);
    client reader(server, to({"a"}));
    reader.drain();
    say(server, "a", "1");
    CHECK(server.next_deadline() == never); // the log is also the queue
    server.tick(start + 1s);
    say(server, "a", "3");
    CHECK(server.next_deadline() == start + 10s);
    say(server, "b", "4");
    CHECK(server.next_deadline() == start + 10s);
    CHECK(server.metrics().log_bytes == 3 * "id: 1.1\ndata: 1\n\n"sv.size());
    server.tick(start + 10s);
    CHECK(server.metrics().log_bytes == 2 * "id: 1.1\ndata: 1\n\n"sv.size());
    CHECK(server.next_deadline() == start + 11s);
    server.tick(start + 11s);
    CHECK(server.metrics().log_bytes == "id: 1.1\ndata: 1\n\n"sv.size());
    CHECK(server.metrics().topics == 1);
    CHECK(server.next_deadline() == never);
}

TEST_CASE("ticks too early or too often or out of order do no harm") {
    hub server(1, no_jitter);
    server.tick(start);
    client reader(server, to({"a"}));
    reader.drain();
    for (int i = 0; i < 100; ++i) server.tick(start + i * 1ms);
    server.tick(start - 1h);
    server.tick(time_point{});
    server.tick(start);
    reader.drain();
    CHECK(heartbeats(reader) == 0);
    server.tick(start + 24h * 365);
    reader.drain();
    CHECK(heartbeats(reader) == 1);
    server.tick(start + 24h * 365);
    reader.drain();
    CHECK(heartbeats(reader) == 1);
}

TEST_CASE("a stream that has ended gets no heartbeat") {
    hub server(1, {.keep = {.events = 1}, .heartbeat = {.interval = 15s}});
    server.tick(start);
    char user = 'x';
    client lagged(server, to({"a"}, {.user = &user}));
    lagged.drain();
    say(server, "a", "1");
    say(server, "a", "2");
    while (server.next_ready() != nullptr) CHECK(lagged.drain() == drain_status::done);
    CHECK(server.next_deadline() == never);
    server.tick(start + 1h);
    CHECK(server.next_ready() == nullptr);
    CHECK(lagged.drain() == drain_status::done);
    CHECK(heartbeats(lagged) == 0);
}

TEST_CASE("heartbeats of clients that heard the same event are spread") {
    hub server(1, {.heartbeat = {.interval = 100s, .jitter = 50}});
    server.tick(start);
    std::vector<std::unique_ptr<client>> clients;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(std::make_unique<client>(server, to({"a"})));
        clients.back()->drain();
    }
    say(server, "a", "x");
    for (const auto& each : clients) each->drain();
    std::size_t turns = 0;
    std::uint64_t most = 0;
    while (server.next_deadline() <= start + 100s) {
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
