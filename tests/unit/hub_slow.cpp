// SPDX-License-Identifier: MIT
//
// Subscribers that do not keep up: what becomes of them, and that nobody else notices.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using ssekit::drain_status;
using ssekit::framing;
using ssekit::hub;
using ssekit::io_status;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::stream_end;
using ssekit::time_point;
using support::client;
using support::gap;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr lag_policy policies[] = {lag_policy::disconnect, lag_policy::skip_to_oldest,
                                   lag_policy::skip_to_newest};

void say_many(hub& server, std::string_view topic, int first, int last) {
    for (int i = first; i <= last; ++i) say(server, topic, std::to_string(i));
}

} // namespace

TEST_CASE("a subscriber that the log has left behind is dealt with as its policy says") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, {.keep = {.events = 3}});
        client ends(server, to({"a"}, {.framing = form}));
        client oldest(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest, .framing = form}));
        client newest(server, to({"a"}, {.on_lag = lag_policy::skip_to_newest, .framing = form}));
        for (client* each : {&ends, &oldest, &newest}) each->drain();
        say_many(server, "a", 1, 10);
        CHECK(ends.stream.end() == stream_end::open);

        CHECK(ends.drain() == drain_status::done);
        CHECK(ends.stream.end() == stream_end::lagged);
        CHECK(ends.events().empty());
        CHECK(ends.last_event_id() == "1.0"); // to come back with
        if (form == framing::chunked) CHECK(support::dechunk(ends.socket.got).ended);
        CHECK(ends.drain() == drain_status::done);
        ends.stream.reschedule();

        CHECK(oldest.drain() == drain_status::idle);
        CHECK(oldest.events() == texts{gap("lagged", 7), "8", "9", "10"});
        CHECK(newest.drain() == drain_status::idle);
        CHECK(newest.events() == texts{gap("lagged", 9), "10"});
        say(server, "a", "11");
        oldest.drain();
        newest.drain();
        CHECK(oldest.events().back() == "11");
        CHECK(newest.events().back() == "11");
        CHECK(ends.stream.is_done());
    }
}

TEST_CASE("a subscriber that keeps up within the bound has not lagged") {
    for (const lag_policy policy : policies) {
        hub server(1, {.keep = {.events = 3}});
        client reader(server, to({"a"}, {.on_lag = policy}));
        reader.drain();
        texts all;
        for (int i = 0; i < 30; i += 3) {
            say_many(server, "a", i, i + 2);
            reader.drain();
            for (int n = i; n <= i + 2; ++n) all.push_back(std::to_string(n));
        }
        CHECK(reader.events() == all);
        CHECK(reader.stream.end() == stream_end::open);
    }
}

TEST_CASE("a frame that has begun to leave is never dropped or torn") {
    // A socket that takes `cut` bytes and is then full while the log moves on, under every policy,
    // in either framing.
    for (const lag_policy policy : policies) {
        for (const framing form : {framing::raw, framing::chunked}) {
            for (std::size_t cut = 0; cut < 120; ++cut) {
                CAPTURE(cut);
                hub server(1, {.keep = {.events = 2}});
                client reader(server, to({"a"}, {.on_lag = policy, .framing = form}));
                say_many(server, "a", 1, 2);
                CHECK(reader.drain_bytes(cut) == drain_status::would_block);
                say_many(server, "a", 3, 9);
                const drain_status status = reader.drain();
                const auto seen = reader.seen();
                CHECK(seen.errors.empty());
                // The next frame after those that were prepared is where it has lagged.
                texts expected{"1", "2"};
                const bool all_gone =
                    reader.stream.end() == stream_end::open || policy == lag_policy::disconnect;
                CHECK(all_gone);
                if (policy == lag_policy::disconnect) {
                    CHECK(status == drain_status::done);
                } else {
                    CHECK(status == drain_status::idle);
                    const bool oldest = policy == lag_policy::skip_to_oldest;
                    expected.push_back(gap("lagged", oldest ? 5 : 6));
                    if (oldest) expected.push_back("8");
                    expected.push_back("9");
                }
                CHECK(reader.events() == expected);
                if (form == framing::chunked) {
                    const auto chunked = support::dechunk(reader.socket.got);
                    CHECK(chunked.intact);
                    CHECK(chunked.ended == (policy == lag_policy::disconnect));
                }
            }
        }
    }
}

TEST_CASE("what prepare has given out stays where it is whatever happens to the log") {
    hub server(1, {.keep = {.events = 1}});
    client reader(server, to({"a"}));
    say(server, "a", "in hand");
    std::array<std::string_view, 4> slices;
    REQUIRE(reader.stream.prepare(slices) == 2);
    const std::string_view event = slices[1];
    for (int i = 0; i < 100; ++i) say(server, "a", std::string(100, 'x'));
    server.close();
    CHECK(event == "id: 1.1\ndata: in hand\n\n");
    REQUIRE(reader.stream.prepare(slices) == 2);
    CHECK(slices[1].data() == event.data());
}

TEST_CASE("several topics lag each on its own") {
    hub server(1, {.keep = {.events = 2}});
    client reader(server, to({"a", "b"}, {.on_lag = lag_policy::skip_to_oldest}));
    reader.drain();
    say(server, "b", "b1");
    say_many(server, "a", 1, 5);
    say(server, "b", "b2");
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged", 3), "b1", "4", "5", "b2"});

    say_many(server, "a", 6, 9);
    for (const std::string_view data : {"b3", "b4", "b5"}) say(server, "b", data);
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged", 3), "b1", "4", "5", "b2", gap("lagged", 2),
                                   gap("lagged", 1), "8", "9", "b4", "b5"});
}

TEST_CASE("a log that is bounded by bytes or by age leaves slow subscribers behind as well") {
    hub by_bytes(1, {.keep = {.bytes = 100}});
    client reader(by_bytes, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    reader.drain();
    for (int i = 0; i < 3; ++i) say(by_bytes, "a", std::string(60, 'x'));
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged", 2), std::string(60, 'x')});

    hub by_age(1, {.keep = {.age = 10s}, .heartbeat = {.interval = 0s}, .write_deadline = 0s});
    by_age.tick(time_point(1h));
    client old(by_age, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    old.drain();
    CHECK(by_age.next_deadline() == ssekit::never);
    say_many(by_age, "a", 1, 3);
    CHECK(by_age.next_deadline() == time_point(1h) + 10s);
    by_age.tick(time_point(1h) + 5s);
    say(by_age, "a", "4");
    by_age.tick(time_point(1h) + 10s);
    CHECK(by_age.next_deadline() == ssekit::never); // the newest stays
    old.drain();
    CHECK(old.events() == texts{gap("lagged", 3), "4"});
}

TEST_CASE("a slow or dead subscriber costs the others nothing") {
    hub server(1, {.keep = {.events = 4}});
    int user = 0;
    client stuck(server, to({"a"}, {.user = &user}));
    client fast(server, to({"a"}));
    client dead(server, to({"a"}));
    for (client* each : {&stuck, &fast, &dead}) each->drain();
    stuck.socket.afterwards = {0, io_status::would_block};
    dead.socket.afterwards = {0, io_status::closed};
    texts all;
    for (int i = 0; i < 100; ++i) {
        all.push_back(std::to_string(i));
        say(server, "a", all.back());
        CHECK(server.next_ready() == (i == 0 ? &user : nullptr)); // he has been told once
        CHECK(stuck.drain() == drain_status::would_block);
        CHECK(dead.drain() == drain_status::closed);
        CHECK(fast.drain() == drain_status::idle);
    }
    CHECK(fast.events() == all);
    CHECK(server.metrics().log_bytes < 100);
}

TEST_CASE("a lagged client comes back with its id and is told what is missing") {
    hub server(1, {.keep = {.events = 3}});
    client first(server, to({"a"}));
    say(server, "a", "1");
    first.drain();
    say_many(server, "a", 2, 9);
    CHECK(first.drain() == drain_status::done);
    CHECK(first.events() == texts{"1"});
    const std::string id = first.last_event_id();
    first.stream = {};
    client second(server, to({"a"}, {.last_event_id = id}));
    CHECK(second.stream.resumption() == resumption::expired);
    second.drain();
    CHECK(second.events() == texts{gap("expired"), "7", "8", "9"});
}

TEST_CASE("a client that reads one byte at a time gets every event whole") {
    hub server(1);
    client reader(server, to({"a", "b"}, {.framing = framing::chunked}));
    texts all;
    for (int i = 0; i < 200; ++i) {
        if (i % 10 == 0) {
            all.push_back(std::to_string(i));
            say(server, i % 20 == 0 ? "a" : "b", all.back());
        }
        reader.drain_bytes(1);
        CHECK(reader.socket.got.size() == static_cast<std::size_t>(i + 1));
    }
    reader.drain();
    CHECK(reader.events() == all);
    CHECK(support::dechunk(reader.socket.got).intact);
}
