// SPDX-License-Identifier: MIT
//
// Closing: everybody still gets what is his, is told when to come back, and is let go.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <set>
#include <string>
#include <utility>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::framing;
using ssekit::hub;
using ssekit::lag_policy;
using ssekit::stream_end;
using support::client;
using support::exactly;
using support::gap;
using support::say;
using support::texts;
using support::to;

TEST_CASE("every stream gets what it has not read and its retry and the farewell and is done") {
    hub server(1, {}, {});
    client raw(server, to({"a", "b"}));
    client chunked(server, to({"a", "b"}, {.framing = framing::chunked}));
    client idle(server, to({"b"}));
    client fresh(server, to({"b"}));
    idle.drain();
    say(server, "a", "1");
    say(server, "a", "2");
    raw.drain_bytes(12);
    CHECK(server.close(
              {.farewell = {.type = "bye", .data = "see you"}, .retry_min = 3s, .retry_max = 3s}) ==
          errc::ok);
    for (client* each : {&raw, &chunked, &idle, &fresh}) {
        CHECK_FALSE(each->stream.is_done());
        CHECK(each->stream.end() == stream_end::open);
        CHECK(each->drain() == drain_status::done);
        CHECK(each->stream.is_done());
        CHECK(each->stream.end() == stream_end::closed);
        CHECK(each->drain() == drain_status::done); // safe to repeat
    }
    CHECK(raw.socket.got == "id: 1.0\n\nid: 1.1\ndata: 1\n\nid: 1.2\ndata: 2\n\n"
                            "retry: 3000\n\nevent: bye\ndata: see you\n\n");
    CHECK(chunked.body() == raw.socket.got);
    CHECK(chunked.socket.got.ends_with("\r\n0\r\n\r\n"));
    CHECK(support::dechunk(chunked.socket.got).ended);
    CHECK(idle.socket.got == "id: 1.0\n\nretry: 3000\n\nevent: bye\ndata: see you\n\n");
    CHECK(fresh.socket.got == "id: 1.0\n\nretry: 3000\n\nevent: bye\ndata: see you\n\n");
}

TEST_CASE("a stream ends right behind its events when there is nothing more to say") {
    hub server(1, {}, {});
    client raw(server, to({"a"}));
    client chunked(server, to({"a"}, {.framing = framing::chunked}));
    say(server, "a", "1");
    CHECK(server.close() == errc::ok);
    CHECK(raw.drain() == drain_status::done);
    CHECK(chunked.drain() == drain_status::done);
    CHECK(raw.socket.got == "id: 1.0\n\nid: 1.1\ndata: 1\n\n");
    CHECK(chunked.socket.got.ends_with("data: 1\n\n\r\n0\r\n\r\n"));
}

TEST_CASE("a farewell without data is none") {
    for (const ssekit::event_view& farewell :
         {ssekit::event_view{.type = "bye"}, ssekit::event_view{.id = "1", .retry = 1s}}) {
        hub server(1, {}, {});
        client reader(server, to({"a"}));
        CHECK(server.close({.farewell = farewell}) == errc::ok);
        CHECK(reader.drain() == drain_status::done);
        CHECK(reader.socket.got == "id: 1.0\n\n");
    }
}

TEST_CASE("a hub whose farewell cannot be said is not closed and says why") {
    const std::pair<ssekit::event_view, errc> unsayable[] = {
        {{.type = "b\nye", .data = "x"}, errc::invalid_type},
        {{.type = "b\rye", .data = ""}, errc::invalid_type},
        {{.data = "x", .retry = -1ms}, errc::invalid_retry}};
    for (const auto& [farewell, code] : unsayable) {
        hub server(1, {}, {});
        client reader(server, to({"a"}));
        CHECK(server.close({.farewell = farewell, .deadline = 1s}) == code);
        CHECK(reader.drain() == drain_status::idle);
        CHECK(server.publish("a", {.data = "1"}).ec == errc::ok);
        CHECK(client(server, to({"a"})).ec == errc::ok);
        server.tick(ssekit::time_point(1h)); // no deadline has been set
        CHECK(reader.drain() == drain_status::idle);
        CHECK(server.close({.farewell = {.data = "bye"}}) == errc::ok);
        CHECK(reader.drain() == drain_status::done);
        CHECK(reader.events() == texts{"1", "bye"});
    }
}

TEST_CASE("a farewell brings no id, for the hub would not know it again") {
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    CHECK(server.close({.farewell = {.id = "mine", .data = "bye"}}) == errc::ok);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.socket.got == "id: 1.0\n\ndata: bye\n\n");
    CHECK(reader.last_event_id() == "1.0");
}

TEST_CASE("the farewell may die before it is told") {
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    {
        const std::string text(100, 'x');
        CHECK(server.close({.farewell = {.data = text}}) == errc::ok);
    }
    reader.drain();
    CHECK(reader.events() == texts{std::string(100, 'x')});
}

TEST_CASE("each client is told a reconnection time of its own within the bounds") {
    hub server(1, {}, {});
    std::list<client> clients;
    for (int i = 0; i < 200; ++i) clients.emplace_back(server, to({"a"}));
    CHECK(server.close({.retry_min = 1s, .retry_max = 9s}) == errc::ok);
    std::set<std::int64_t> told;
    for (client& each : clients) {
        CHECK(each.drain() == drain_status::done);
        const auto seen = each.seen();
        REQUIRE(seen.retries.size() == 1);
        CHECK(seen.retries[0] >= 1000);
        CHECK(seen.retries[0] <= 9000);
        told.insert(seen.retries[0]);
    }
    CHECK(told.size() > 190);
    CHECK(*told.begin() < 2000);
    CHECK(*told.rbegin() > 8000);
}

TEST_CASE("bounds the wrong way round or negative do no harm") {
    for (const auto& [min, max] : {std::pair{5s, 1s}, {-5s, 1s}, {-5s, -1s}, {0s, 0s}, {1s, 0s}}) {
        hub server(1, {}, {});
        client reader(server, to({"a"}));
        CHECK(server.close({.retry_min = min, .retry_max = max}) == errc::ok);
        CHECK(reader.drain() == drain_status::done);
        for (const auto retry : reader.seen().retries) {
            CHECK(retry >= 0);
            CHECK(retry <= 5000);
        }
    }
}

TEST_CASE("after close nothing is taken and closing again changes nothing") {
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    reader.drain();
    CHECK(server.close({.farewell = {.data = "first"}}) == errc::ok);
    CHECK(server.close({.farewell = {.data = "second"}, .retry_min = 1s, .retry_max = 1s}) ==
          errc::ok);
    CHECK(server.publish("a", {.data = "x"}).ec == errc::closed);
    CHECK(server.publish("new", {.data = "x"}).ec == errc::closed);
    const client late(server, to({"a"}));
    CHECK(late.ec == errc::closed);
    CHECK_FALSE(late.stream);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"first"});
    CHECK(reader.seen().retries.empty());
    CHECK(server.close() == errc::ok);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"first"});
}

TEST_CASE("streams count until they have ended, and subscriptions until they are let go") {
    hub server(1, {}, {});
    {
        client reader(server, to({"a"}));
        CHECK(server.close() == errc::ok);
        CHECK(reader.drain() == drain_status::done);
        CHECK(server.subscribers() == 0);
        CHECK(server.subscribers("a") == 0);
        CHECK(server.subscriptions() == 1);
    }
    CHECK(server.subscriptions() == 0);
}

TEST_CASE("a stream that had ended before is not ended again") {
    hub server(1, {}, {.keep = exactly(1)});
    client lagged(server, to({"a"}, {.framing = framing::chunked}));
    client behind(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    lagged.drain();
    behind.drain();
    say(server, "a", "1");
    say(server, "a", "2");
    CHECK(lagged.drain() == drain_status::cut);
    const std::string before = lagged.socket.got;
    CHECK(server.close({.farewell = {.data = "bye"}}) == errc::ok);
    CHECK(lagged.drain() == drain_status::cut);
    CHECK(lagged.socket.got == before);
    CHECK(lagged.stream.end() == stream_end::lagged);
    CHECK(behind.drain() == drain_status::done);
    CHECK(behind.events() == texts{gap("lagged", 1), "2", "bye"});
}

TEST_CASE("a client that was let go may come back to the next run and is told that it is another") {
    std::string id;
    {
        hub first(1, {}, {});
        client reader(first, to({"a"}));
        say(first, "a", "1");
        CHECK(first.close() == errc::ok);
        reader.drain();
        id = reader.last_event_id();
    }
    hub second(2, {}, {});
    say(second, "a", "2");
    client reader(second, to({"a"}, {.last_event_id = id}));
    CHECK(reader.stream.resumption() == ssekit::resumption::unknown);
    reader.drain();
    CHECK(reader.events() == texts{gap("unknown"), "2"});
    CHECK(reader.last_event_id() == "2.1");
}

TEST_CASE("a stream that is cut off by a shutdown that waits no more does not look whole") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, {}, {});
        client idle(server, to({"a"}, {.framing = form}));
        client torn(server, to({"a"}, {.framing = form}));
        client unread(server, to({"a"}, {.framing = form}));
        for (client* each : {&idle, &torn, &unread}) each->drain();
        say(server, "a", "1");
        idle.drain();
        torn.drain_bytes(3);
        server.cut();
        for (client* each : {&idle, &torn, &unread}) {
            CHECK(each->stream.end() == stream_end::cut);
            CHECK(each->stream.is_abrupt());
            CHECK(each->drain() == drain_status::cut);
            CHECK_FALSE(support::dechunk(each->socket.got).ended);
        }
        CHECK(server.subscribers() == 0);
        CHECK(server.metrics().cut == 3);
        CHECK(server.publish("a", {.data = "x"}).ec == errc::closed);
        CHECK(client(server, to({"a"})).ec == errc::closed);
        CHECK(server.close() == errc::ok);
        server.cut();
        CHECK(server.metrics().cut == 3);
    }
}

TEST_CASE("a deadline below zero cuts in the next turn and one of zero never") {
    for (const auto deadline : {-1ms, 0ms}) {
        hub server(1, ssekit::time_point(1h), {.write_deadline = 0s});
        client reader(server, to({"a"}));
        reader.drain();
        CHECK(server.close({.farewell = {.data = "bye"}, .deadline = deadline}) == errc::ok);
        reader.drain_bytes(3);
        CHECK((server.next_deadline() == ssekit::time_point(1h)) == (deadline < 0ms));
        server.tick(ssekit::time_point(1h));
        CHECK(reader.stream.is_done() == (deadline < 0ms));
        server.tick(ssekit::time_point(1h + 24h * 365));
        CHECK(reader.stream.is_done() == (deadline < 0ms));
    }
}

TEST_CASE("only a proper end has a last chunk") {
    const auto last_chunk = [](auto&& end) {
        hub server(1, ssekit::time_point(1h), {.keep = exactly(1)});
        client reader(
            server,
            to({"a"}, {.on_lag = lag_policy::detach, .max_age = 1h, .framing = framing::chunked}));
        reader.drain();
        end(server, reader);
        const drain_status status = reader.drain();
        const bool ended = support::dechunk(reader.socket.got).ended;
        CHECK(reader.stream.is_done());
        CHECK(reader.stream.is_abrupt() == !ended);
        CHECK(status == (ended ? drain_status::done : drain_status::cut));
        return ended;
    };
    CHECK(last_chunk([](hub& server, client& reader) { CHECK(server.evict(reader.stream.id())); }));
    CHECK(last_chunk([](hub& server, client&) { server.tick(ssekit::time_point(2h + 1min)); }));
    CHECK(last_chunk([](hub& server, client&) { CHECK(server.close_topic("a") == errc::ok); }));
    CHECK(last_chunk([](hub& server, client&) { CHECK(server.close() == errc::ok); }));
    CHECK(last_chunk([](hub& server, client&) { // detached
        say(server, "a", "1");
        say(server, "a", "2");
    }));
    CHECK_FALSE(last_chunk([](hub& server, client&) { server.cut(); }));
    CHECK_FALSE(last_chunk([](hub& server, client& reader) { // stalled
        say(server, "a", "1");
        reader.drain_bytes(0);
        server.tick(ssekit::time_point(1h + 2min));
    }));
}
