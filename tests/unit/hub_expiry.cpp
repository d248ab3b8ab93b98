// SPDX-License-Identifier: MIT
//
// How long a stream may live can change while it lives, and whatever goes wrong ends it rather than
// letting it live too long.
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/counted_memory.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::never;
using ssekit::stream_end;
using ssekit::time_point;
using support::bell;
using support::client;
using support::noon;
using support::say;
using support::texts;
using support::to;
using support::untimed;

namespace {

/// \returns after how long the stream ends, in steps of 100 ms; nullopt within the time given.
std::optional<std::chrono::milliseconds> life(hub& server, const client& reader,
                                              std::chrono::milliseconds most) {
    for (std::chrono::milliseconds age = 0ms; age <= most; age += 100ms) {
        server.tick(noon + age);
        if (reader.stream.end() == stream_end::expired) return age;
        CHECK(reader.stream.end() == stream_end::open);
    }
    return std::nullopt;
}

} // namespace

TEST_CASE("a stream lives as long as it was told last") {
    // From within a slot of the wheel to far beyond its horizon, and back.
    for (const auto first : {2s, 70s, 4000s}) {
        for (const auto second : {1s, 3s, 65s, 130s, 4500s}) {
            CAPTURE(first.count());
            CAPTURE(second.count());
            hub server(1, noon, untimed);
            client reader(server, to({"a"}, {.expires_at = noon + first}));
            reader.drain();
            CHECK(reader.stream.expire_at(noon + second) == errc::ok);
            const auto ended = life(server, reader, 5000s);
            REQUIRE(ended);
            CHECK(*ended >= second);
            CHECK(*ended <= second + 2s); // a slot of the wheel, where nothing shorter is asked for
            CHECK(reader.drain() == drain_status::done);
            CHECK(server.metrics().expired == 1);
        }
    }
}

TEST_CASE("a stream that is extended again and again lives on, and its owner is not bothered") {
    hub server(1, noon, untimed);
    bell rung;
    client reader(server, to({"a"}, {.max_age = 10s}), rung.waker());
    reader.drain();
    time_point now = noon;
    for (int i = 0; i < 500; ++i) {
        server.tick(now += 7s);
        CHECK(reader.stream.expire_at(now + 10s) == errc::ok);
    }
    CHECK(rung.take() == 0);
    say(server, "a", "1");
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.events() == texts{"1"});
    server.tick(now + 13s);
    CHECK(reader.stream.end() == stream_end::expired);
    CHECK(rung.take() == 2); // the event and the end
}

TEST_CASE("a time that has passed ends the stream at once") {
    for (const auto when : {noon, noon - 1ns, (time_point::min)()}) {
        hub server(1, noon, untimed);
        bell rung;
        client reader(server, to({"a"}, {.expires_at = noon + 1h}), rung.waker());
        reader.drain();
        CHECK(reader.stream.expire_at(when) == errc::expired);
        CHECK(rung.take() == 1);
        CHECK(server.subscribers() == 0);
        CHECK(reader.stream.end() == stream_end::expired);
        CHECK(reader.stream.expire_at(noon + 1h) == errc::closed); // it does not live again
        CHECK(reader.drain() == drain_status::done);
        CHECK(server.metrics().expired == 1);
    }
}

TEST_CASE("a stream may be given a time of its own, and lose it") {
    hub server(1, noon, untimed);
    client reader(server, to({"a"}));
    client other(server, to({"a"}, {.expires_at = noon + 5s}));
    for (client* each : {&reader, &other}) each->drain();
    CHECK(reader.stream.expire_at(noon + 5s) == errc::ok);
    CHECK(other.stream.expire_at(never) == errc::ok);
    server.tick(noon + 8s);
    CHECK(reader.stream.end() == stream_end::expired);
    server.tick(noon + 1000h);
    CHECK(other.stream.end() == stream_end::open);
}

TEST_CASE("the hub's bound counts as well") {
    hub_options options = untimed;
    options.max_age = 10s;
    options.max_age_jitter = 0;
    hub server(1, noon, options);
    client reader(server, to({"a"}, {.expires_at = noon + 5s}));
    reader.drain();
    CHECK(reader.stream.expire_at(noon + 1h) == errc::ok);
    const auto ended = life(server, reader, 20s);
    REQUIRE(ended);
    CHECK(*ended >= 10s);
    CHECK(*ended <= 11s);
}

TEST_CASE("a stream whose new time finds no memory ends") {
    support::counted_memory memory;
    hub_options options = untimed;
    options.memory = &memory;
    hub server(1, noon, options);
    char user = 'x';
    client bare(server, to({"a"}, {.user = &user}));
    bare.drain();
    memory.grace = 0;
    CHECK(bare.stream.expire_at(noon + 1h) == errc::out_of_memory);
    CHECK(bare.stream.end() == stream_end::out_of_memory);
    CHECK(server.next_ready() == &user);
    CHECK(bare.drain() == drain_status::cut);
    memory.grace = memory.unlimited;
    client timed(server, to({"a"}, {.expires_at = noon + 1h}));
    timed.drain();
    memory.grace = 0; // it has room for a time
    CHECK(timed.stream.expire_at(noon + 2h) == errc::ok);
    CHECK(timed.stream.end() == stream_end::open);
}

TEST_CASE("a stream without a hub has no time") {
    std::optional<hub> server(std::in_place, 1, noon, untimed);
    client reader(*server, to({"a"}));
    server.reset();
    CHECK(reader.stream.expire_at(noon + 1h) == errc::closed);
    CHECK(ssekit::subscription().expire_at(noon + 1h) == errc::closed);
}

TEST_CASE("a shared hub tells its loop that a stream ends earlier") {
    bell loop;
    ssekit::shared_hub server(1, noon, untimed, loop.waker());
    char user = 'x';
    auto stream =
        server.subscribe({.topics = "a", .expires_at = noon + 1h, .user = &user}).subscription;
    while (server.next_ready() != nullptr) {
    }
    CHECK(server.next_deadline() > noon + 1min);
    loop.take();
    CHECK(stream.expire_at(noon + 5s) == errc::ok);
    CHECK(loop.take() == 1);
    CHECK(server.next_deadline() < noon + 10s);
    server.tick(noon + 10s);
    CHECK(stream.end() == stream_end::expired);
}
