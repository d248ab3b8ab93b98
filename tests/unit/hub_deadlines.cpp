// SPDX-License-Identifier: MIT
//
// Streams that end by the time: dead peers, old streams, a close that does not wait for ever.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::framing;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::never;
using ssekit::stream_end;
using ssekit::time_point;
using support::bell;
using support::client;
using support::exactly;
using support::morning;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr auto coarse = 17ms; // what times of streams are right to
constexpr hub_options silent{.heartbeat = {.interval = 0s}, .write_deadline = 60s};

/// Ticks at each deadline until `over()`. \returns when that was.
template <class Over>
time_point run_until(hub& server, Over&& over) {
    time_point now = morning;
    for (int turns = 0; !over(); ++turns) {
        REQUIRE(turns < 100000);
        REQUIRE(server.next_deadline() != never);
        now = std::max(now, server.next_deadline());
        server.tick(now);
    }
    return now;
}

} // namespace

TEST_CASE("a stream whose bytes do not leave is stalled at its deadline") {
    // With nothing, a part or all but one byte of the event gone.
    for (const framing form : {framing::raw, framing::chunked}) {
        for (const std::size_t cut : {0u, 1u, 10u, 20u}) {
            CAPTURE(cut);
            hub server(1, {}, silent);
            server.tick(morning);
            char user = 'x';
            client reader(server, to({"a"}, {.framing = form, .user = &user}));
            reader.drain();
            say(server, "a", "something to say");
            CHECK(server.next_ready() == &user);
            CHECK(reader.drain_bytes(cut) == drain_status::would_block);
            const time_point when =
                run_until(server, [&] { return reader.stream.end() != stream_end::open; });
            CHECK(when >= morning + 60s - coarse);
            CHECK(when <= morning + 62s);
            CHECK(reader.stream.end() == stream_end::stalled);
            CHECK(reader.stream.is_done()); // at once, for the rest can not leave
            CHECK(server.next_ready() == &user);
            CHECK(server.next_ready() == nullptr);
            const std::string before = reader.socket.got;
            CHECK(reader.drain() == drain_status::cut);
            CHECK(reader.socket.got == before);
            CHECK(server.metrics().stalled == 1);
            CHECK(server.next_deadline() == never);
        }
    }
}

TEST_CASE("a stream with nothing but a heartbeat in hand is stalled as well") {
    hub server(1, {}, {.heartbeat = {.interval = 15s, .jitter = 0}, .write_deadline = 20s});
    server.tick(morning);
    bell rings;
    client reader(server, to({"a"}), rings.waker());
    reader.drain();
    const time_point beat = run_until(server, [&] { return rings.take() == 1; });
    CHECK(beat <= morning + 15s);
    CHECK(reader.drain_bytes(1) == drain_status::would_block);
    const time_point when = run_until(server, [&] { return reader.stream.is_done(); });
    CHECK(when >= beat + 20s - coarse);
    CHECK(when <= beat + 21s);
    CHECK(reader.stream.end() == stream_end::stalled);
    CHECK(rings.take() == 1);
}

TEST_CASE("a stream whose opening is never taken is stalled") {
    hub server(1, {}, silent);
    server.tick(morning);
    bell rings;
    client reader(server, to({"a"}), rings.waker());
    run_until(server, [&] { return reader.stream.is_done(); });
    CHECK(reader.stream.end() == stream_end::stalled);
    CHECK(rings.take() == 1); // although it was never idle
    CHECK(reader.drain() == drain_status::cut);
    CHECK(reader.socket.got.empty());
}

TEST_CASE("a client that takes a byte now and then is not dropped") {
    hub server(1, {}, silent);
    server.tick(morning);
    client reader(server, to({"a"}));
    reader.drain();
    say(server, "a", std::string(100, 'x'));
    for (int i = 1; i <= 100; ++i) {
        reader.drain_bytes(1);
        const time_point next = morning + i * 59s;
        while (server.next_deadline() < next) server.tick(server.next_deadline());
        server.tick(next);
        REQUIRE_FALSE(reader.stream.is_done());
    }
    reader.drain();
    CHECK(reader.events() == texts{std::string(100, 'x')});
}

TEST_CASE("an idle stream is never stalled and neither is any when the deadline is zero") {
    hub server(1, {}, silent);
    hub patient(1, {}, {.heartbeat = {.interval = 0s}, .write_deadline = 0s});
    client idle(server, to({"a"}));
    client stuck(patient, to({"a"}));
    idle.drain();
    say(patient, "a", "1");
    stuck.drain_bytes(3);
    for (int i = 0; i < 100; ++i) {
        for (hub* each : {&server, &patient}) each->tick(morning + i * 1h);
    }
    CHECK(idle.stream.end() == stream_end::open);
    CHECK(stuck.stream.end() == stream_end::open);
    CHECK(patient.next_deadline() == never);
}

TEST_CASE("a stalled stream is reported even if it was reported before") {
    hub server(1, {}, silent);
    server.tick(morning);
    bell rings;
    char user = 'x';
    client woken(server, to({"a"}), rings.waker());
    client listed(server, to({"a"}, {.user = &user}));
    client unasked(server, to({"a"}, {.user = &user})); // reported and not yet fetched
    for (client* each : {&woken, &listed, &unasked}) each->drain();
    say(server, "a", "1");
    CHECK(rings.take() == 1);
    CHECK(server.next_ready() == &user);
    for (client* each : {&woken, &listed, &unasked}) each->drain_bytes(3);
    run_until(server, [&] { return woken.stream.is_done(); });
    CHECK(rings.take() == 1);
    CHECK(server.next_ready() == &user);
    CHECK(server.next_ready() == &user);
    CHECK(server.next_ready() == nullptr);
    server.tick(morning + 24h);
    CHECK(rings.take() == 0);
    CHECK(server.next_ready() == nullptr);
}

TEST_CASE(
    "bytes in hand stay where they are until they are consumed even when the stream is dropped") {
    for (const bool cut : {false, true}) {
        hub server(1, {}, {.keep = exactly(1), .write_deadline = 60s});
        server.tick(morning);
        client reader(server, to({"a"}));
        say(server, "a", "in hand");
        std::array<std::string_view, 4> slices;
        REQUIRE(reader.stream.prepare(slices) == 2);
        if (cut) CHECK(server.close({.deadline = 1s}) == ssekit::errc::ok);
        if (!cut) say(server, "a", "next");
        server.tick(morning + (cut ? 2s : 2min));
        CHECK(reader.stream.end() == (cut ? stream_end::cut : stream_end::stalled));
        CHECK(slices[0] == "id: 1.0\n\n");
        CHECK(slices[1] == "id: 1.1\ndata: in hand\n\n");
        std::array<std::string_view, 4> more;
        CHECK(reader.stream.prepare(more) == 0);
        reader.stream.consume(slices[0].size() + 3); // a write that was under way
        CHECK(slices[1] == "id: 1.1\ndata: in hand\n\n");
        reader.stream.consume(slices[1].size() - 3);
        CHECK(reader.stream.prepare(more) == 0);
        CHECK(reader.stream.is_done());
    }
}

TEST_CASE("a peer that is dead is dropped at the deadline even if its stream has ended before") {
    for (const bool evict : {true, false}) {
        CAPTURE(evict);
        hub server(1, {}, silent);
        server.tick(morning);
        bell rings;
        client reader(server, to({"a"}, {.max_age = 30s}), rings.waker());
        reader.drain();
        say(server, "a", "1");
        reader.drain_bytes(3);
        if (evict) CHECK(server.evict(reader.stream.id()));
        for (auto now = morning; now < morning + 10min; now += 1s) server.tick(now);
        rings.take();
        CHECK(reader.stream.is_done()); // or nobody would ever hang up
    }
}

TEST_CASE("streams of a maximum age end politely and spread") {
    hub server(1, {}, {.heartbeat = {.interval = 0s}, .max_age = 1h, .max_age_jitter = 50});
    server.tick(morning);
    std::vector<std::unique_ptr<client>> clients;
    char user = 'x';
    for (int i = 0; i < 200; ++i) {
        const framing form = i % 2 == 0 ? framing::raw : framing::chunked;
        clients.push_back(
            std::make_unique<client>(server, to({"a"}, {.framing = form, .user = &user})));
        clients.back()->drain();
    }
    std::size_t most = 0;
    std::size_t turns = 0;
    std::size_t ended = 0;
    const time_point last = run_until(server, [&] {
        std::size_t now = 0;
        while (server.next_ready() != nullptr) ++now;
        if (now != 0) ++turns;
        most = std::max(most, now);
        ended += now;
        return ended == clients.size();
    });
    CHECK(last <= morning + 1h + 2s);
    CHECK(turns >= 30);
    CHECK(most <= 20);
    for (const auto& each : clients) {
        CHECK(each->stream.end() == stream_end::expired);
        CHECK(each->drain() == drain_status::done);
        CHECK(each->seen().errors.empty());
    }
    CHECK(support::dechunk(clients[1]->socket.got).ended);
    CHECK(server.metrics().expired == 200);
    CHECK(server.next_deadline() == never);
}

TEST_CASE("a maximum age of its own is to the point and tears nothing") {
    for (const framing form : {framing::raw, framing::chunked}) {
        for (std::size_t cut = 0; cut < 40; ++cut) {
            CAPTURE(cut);
            hub server(1, {},
                       {.heartbeat = {.interval = 15s}, .max_age = 1h, .max_age_jitter = 100});
            server.tick(morning);
            client reader(server, to({"a"}, {.max_age = 10s, .framing = form}));
            say(server, "a", "1");
            reader.drain_bytes(cut);
            const time_point when =
                run_until(server, [&] { return reader.stream.end() != stream_end::open; });
            CHECK(when >= morning + 10s);
            CHECK(when <= morning + 11s);
            CHECK(reader.stream.end() == stream_end::expired);
            say(server, "a", "2");
            CHECK(reader.drain() == drain_status::done);
            CHECK(reader.seen().errors.empty());
            if (form == framing::chunked) CHECK(support::dechunk(reader.socket.got).ended);
            if (cut != 0) CHECK(reader.events() == texts{"1"}); // the socket was given it before
        }
    }
}

TEST_CASE("each subscriber may have heartbeats of its own or none") {
    for (const auto hub_interval : {15s, 0s}) {
        hub server(1, {}, {.heartbeat = {.interval = hub_interval, .jitter = 20}});
        server.tick(morning);
        client own(server, to({"a"}, {.heartbeat = 5s}));
        client none(server, to({"a"}, {.heartbeat = 0s}));
        client usual(server, to({"a", "b"}, {.tag = "t"}));
        client rare(server, to({"a"}, {.heartbeat = 10min}));
        const std::array all{&own, &none, &usual, &rare};
        for (client* each : all) each->drain();
        time_point last = morning;
        while (server.next_deadline() <= morning + 10min) {
            const time_point now = server.next_deadline();
            server.tick(now);
            const std::size_t before = own.heartbeats();
            for (client* each : all) each->drain();
            if (own.heartbeats() == before) continue;
            CHECK(now - last <= 5s + 2s);
            last = now;
        }
        CHECK(own.heartbeats() >= 120);
        CHECK(none.heartbeats() == 0);
        CHECK(usual.heartbeats() >= (hub_interval == 0s ? 0 : 40));
        CHECK(usual.heartbeats() <= (hub_interval == 0s ? 0 : 55));
        CHECK(rare.heartbeats() <= 1);
    }
}

TEST_CASE("heartbeats can be events that clients see") {
    hub server(1, {}, {.heartbeat = {.interval = 15s}, .heartbeat_type = "ping"});
    server.tick(morning);
    client reader(server, to({"a"}));
    reader.drain();
    server.tick(morning + 16s);
    reader.drain();
    CHECK(reader.events() == texts{"ping:"});
    CHECK(reader.last_event_id() == "1.0");
    CHECK(reader.heartbeats() == 0);
    CHECK(server.metrics().heartbeats == 1);
    CHECK(server.metrics().delivered == 0);
}

TEST_CASE("time that runs backwards and deadlines of ages do no harm") {
    constexpr auto ages = std::chrono::milliseconds::max();
    for (const auto wait : {std::chrono::milliseconds(24h * 365), ages}) {
        hub server(1, {},
                   {.keep = {.age = wait},
                    .heartbeat = {.interval = wait},
                    .write_deadline = wait,
                    .max_age = wait,
                    .detach_retry = wait});
        server.tick(morning);
        client usual(server, to({"a"}));
        client special(
            server,
            to({"a"},
               {.max_lag = {.age = wait}, .throttle = wait, .heartbeat = wait, .max_age = wait}));
        for (client* each : {&usual, &special}) each->drain();
        for (const auto& [now, data] : {std::pair{morning + 24h * 30, "1"},
                                        {morning - 1h, "2"},
                                        {time_point{}, "3"},
                                        {morning + 24h * 300, "4"}}) {
            server.tick(now);
            say(server, "a", data);
            for (client* each : {&usual, &special}) CHECK(each->drain() == drain_status::idle);
            CHECK(server.next_deadline() > morning);
            CHECK(server.find_subscriber(usual.stream.id())->connected_at >= morning - coarse);
        }
        CHECK(usual.events() == texts{"1", "2", "3", "4"});
        CHECK(special.events() == texts{"1"});
        CHECK(server.close({.deadline = wait}) == ssekit::errc::ok);
        CHECK(special.drain() == drain_status::done);
        CHECK(special.events() == usual.events());
    }
}

TEST_CASE("a life that is over before it began is refused, by whichever of the bounds") {
    using std::chrono::milliseconds;
    for (const milliseconds over : {milliseconds(0), milliseconds(-1), milliseconds::min()}) {
        hub server(1, morning, silent);
        CHECK(client(server, to({"a"}, {.max_age = over})).ec == ssekit::errc::expired);
        CHECK(client(server, to({"a"}, {.max_age = over, .expires_at = never})).ec ==
              ssekit::errc::expired);
        hub strict(1, morning, {.max_age = over});
        CHECK(client(strict, to({"a"})).ec == ssekit::errc::expired);
        CHECK(client(strict, to({"a"}, {.max_age = 1h})).ec == ssekit::errc::expired);
    }
    hub server(1, morning, silent);
    for (const time_point past : {time_point::min(), time_point(), morning - 1ns, morning}) {
        CHECK(client(server, to({"a"}, {.expires_at = past})).ec == ssekit::errc::expired);
        CHECK(client(server, to({"a"}, {.max_age = 1h, .expires_at = past})).ec ==
              ssekit::errc::expired);
    }
    for (const time_point ahead : {morning + 1ns, morning + 1h, never - 1ns, never}) {
        CHECK(client(server, to({"a"}, {.expires_at = ahead})).ec == ssekit::errc::ok);
    }
    CHECK(server.metrics().refused_streams[ssekit::errc::expired] == 8);
    CHECK(server.metrics().topics == 0);
}

TEST_CASE("of all that limits a life the earliest counts") {
    struct {
        std::optional<std::chrono::milliseconds> of_hub;
        std::optional<std::chrono::milliseconds> own;
        std::optional<time_point> at;
        std::chrono::milliseconds life;
    } const cases[] = {
        {10s, 1h, {}, 10s},           {1h, 10s, {}, 10s},           {1h, {}, morning + 10s, 10s},
        {10s, {}, morning + 1h, 10s}, {{}, 10s, morning + 1h, 10s}, {{}, 1h, morning + 10s, 10s},
        {1h, 1h, morning + 10s, 10s}, {10s, 1h, never, 10s},
    };
    for (const auto& [of_hub, own, at, life] : cases) {
        hub server(1, morning,
                   {.heartbeat = {.interval = 0s},
                    .write_deadline = 0s,
                    .max_age = of_hub,
                    .max_age_jitter = 0});
        client reader(server, to({"a"}, {.max_age = own, .expires_at = at}));
        reader.drain();
        const time_point when =
            run_until(server, [&] { return reader.stream.end() != stream_end::open; });
        CHECK(when >= morning + life - coarse);
        CHECK(when <= morning + life + 2s); // a 32nd of a minute
        CHECK(reader.stream.end() == stream_end::expired);
        CHECK(reader.drain() == drain_status::done);
    }
}
