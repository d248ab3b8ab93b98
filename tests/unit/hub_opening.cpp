// SPDX-License-Identifier: MIT
//
// What a stream begins with, and hubs without ids.
#include <ssekit/hub.hpp>

#include "support/client.hpp"
#include "support/counted_memory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_ids;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::opening_form;
using ssekit::time_point;
using support::client;
using support::to;

namespace {

std::string id_of(const hub& server, std::uint64_t offset) {
    return std::string(server.id_of(offset).view());
}

std::string opening(hub& server, std::string_view last_event_id = {}) {
    client reader(server, to({"a"}, {.last_event_id = last_event_id}));
    REQUIRE(reader.ec == errc::ok);
    reader.drain_one_frame();
    return reader.socket.got;
}

} // namespace

TEST_CASE("a quiet opening has the id and no data") {
    hub server(1, time_point(), {.keep = {.events = 2}, .retry = 5ms});
    REQUIRE(server.publish("a", {.data = "x"}).ec == errc::ok);
    const std::string id = id_of(server, 1);
    CHECK(opening(server) == "id: " + id + "\nretry: 5\n\n");
    CHECK(opening(server, id) == "id: " + id + "\nretry: 5\n\n");
}

TEST_CASE("an opening with empty data is seen by clients that overlook blocks without data") {
    hub server(1, time_point(), {.retry = 5ms, .opening = opening_form::empty_data});
    REQUIRE(server.publish("a", {.data = "x"}).ec == errc::ok);
    const std::string id = id_of(server, 1);
    CHECK(opening(server) == "id: " + id + "\nretry: 5\ndata: \n\n");
    client reader(server, to({"a"}));
    reader.drain();
    CHECK(reader.last_event_id() == id);
    // Where something is missing, the gap is as always.
    CHECK(opening(server, "?") ==
          "id: " + id_of(server, 0) +
              "\nevent: gap\nretry: 5\ndata: {\"reason\":\"malformed\"}\n\n");
}

TEST_CASE(
    "an opening with nothing to say is a comment, so that a byte of the body comes with the head") {
    hub server(1, time_point(), {.ids = event_ids::none, .opening = opening_form::empty_data});
    CHECK(opening(server) == ":\n\n");
    hub asks(1, time_point(),
             {.ids = event_ids::none, .retry = 5ms, .opening = opening_form::empty_data});
    CHECK(opening(asks) == "retry: 5\n\n");
}

TEST_CASE("a verdict says what the Last-Event-ID was worth, and the id to come back with") {
    hub server(1, time_point(),
               {.keep = {.events = 2, .burst = {.within = 0ms}},
                .opening = opening_form::verdict,
                .opening_type = "hello"});
    for (int i = 0; i < 4; ++i) REQUIRE(server.publish("a", {.data = "x"}).ec == errc::ok);
    const auto verdict = [&](std::uint64_t at, const std::string& word,
                             const std::string& more = "") {
        return "id: " + id_of(server, at) + "\nevent: hello\ndata: {\"resumption\":\"" + word +
               "\",\"cursor\":\"" + id_of(server, at) + "\"" + more + "}\n\n";
    };
    CHECK(opening(server) == verdict(4, "fresh"));
    CHECK(opening(server, id_of(server, 3)) == verdict(3, "resumed"));
    const std::uint64_t gaps = server.metrics().gaps;
    CHECK(opening(server, id_of(server, 1)) ==
          verdict(2, "expired",
                  ",\"missed\":1,\"from\":\"" + id_of(server, 1) + "\",\"through\":\"" +
                      id_of(server, 2) + "\""));
    CHECK(opening(server, "?") == verdict(2, "malformed"));
    CHECK(opening(server, "zz.7") == verdict(2, "unknown"));
    CHECK(opening(server, id_of(server, 9)) == verdict(2, "future"));
    CHECK(server.metrics().gaps == gaps + 4);
}

TEST_CASE("a verdict about a publisher's id is JSON, whatever stands in the id") {
    hub server(1, time_point(), {.ids = event_ids::by_publisher, .opening = opening_form::verdict});
    REQUIRE(server.publish("a", {.id = R"(7"\)", .data = "x"}).ec == errc::ok);
    CHECK(opening(server) == "id: 7\"\\\nevent: opening\ndata: "
                             "{\"resumption\":\"fresh\",\"cursor\":\"7\\\"\\\\\"}\n\n");
    hub empty(1, time_point(), {.ids = event_ids::by_publisher, .opening = opening_form::verdict});
    CHECK(opening(empty) == "event: opening\ndata: {\"resumption\":\"fresh\"}\n\n");
}

TEST_CASE("without memory for its opening a stream does not begin") {
    for (const opening_form form :
         {opening_form::quiet, opening_form::empty_data, opening_form::verdict}) {
        support::counted_memory memory;
        {
            hub server(1, time_point(), {.opening = form, .memory = &memory});
            REQUIRE(server.publish("a", {.data = "x"}).ec == errc::ok);
            errc code = errc::out_of_memory;
            for (std::size_t grace = 0; code != errc::ok; ++grace) {
                REQUIRE(grace < 40);
                memory.grace = grace;
                client reader(server, to({"a"}));
                code = reader.ec;
                CHECK((code == errc::ok || code == errc::out_of_memory));
                memory.grace = support::counted_memory::unlimited;
                CHECK(server.subscriptions() == (code == errc::ok ? 1 : 0));
            }
        }
        CHECK(memory.live() == 0);
    }
}

TEST_CASE("a hub without ids sends none, and resumes from none") {
    time_point now;
    hub server(1, now, {.ids = event_ids::none, .heartbeat = {.interval = 1s}});
    client reader(server, to({"a"}));
    CHECK(server.publish("a", {.data = "1"}).ec == errc::ok);
    CHECK(server.publish("a", ssekit::frame::make({.data = "2"}).frame).ec == errc::ok);
    CHECK(server.publish_to_all({.data = "3"}).ec == errc::ok);
    CHECK(server.publish("a", {.id = "7", .data = "x"}).ec == errc::id_is_assigned);
    CHECK(server.publish("a", ssekit::frame::make({.id = "7", .data = "x"}).frame).ec ==
          errc::id_is_assigned);
    REQUIRE(server.publish("b", {.data = "elsewhere"}).ec == errc::ok);
    reader.drain();
    CHECK(reader.socket.got == ":\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n");
    for (int i = 0; i < 4; ++i) server.tick(now += 1s);
    reader.drain();
    CHECK(reader.socket.got.ends_with("3\n\n:\n\n")); // a heartbeat without an id
    CHECK(opening(server, "1.1") == "event: gap\ndata: {\"reason\":\"unknown\"}\n\n");
    CHECK(opening(server) == ":\n\n");
    CHECK(server.cursor("a").view().empty());
}

TEST_CASE("a stream opened at a page's cursor brings what is published after it") {
    hub server(1, time_point());
    REQUIRE(server.publish("a", {.data = "in the page"}).ec == errc::ok);
    const std::string cursor(server.cursor({"a", "b"}).view());
    CHECK(cursor == id_of(server, 1));
    REQUIRE(server.publish("a", {.data = "later"}).ec == errc::ok);
    REQUIRE(server.publish("b", {.data = "new topic"}).ec == errc::ok);
    client reader(server, to({"a", "b"}, {.last_event_id = cursor}));
    CHECK(reader.stream.resumption() == ssekit::resumption::resumed);
    reader.drain();
    CHECK(reader.socket.got == "id: " + cursor + "\n\nid: " + id_of(server, 2) +
                                   "\ndata: later\n\nid: " + id_of(server, 3) +
                                   "\ndata: new topic\n\n");
}

TEST_CASE("a page's cursor is of its own topics where publishers give the ids") {
    hub server(1, time_point(), {.keep = {.events = 1}, .ids = event_ids::by_publisher});
    CHECK(server.cursor("a").view().empty()); // nothing is known yet
    REQUIRE(server.publish("a", {.id = "a1", .data = "x"}).ec == errc::ok);
    REQUIRE(server.publish("b", {.id = "secret", .data = "x"}).ec == errc::ok);
    CHECK(server.cursor("a").view() == "a1");
    CHECK(server.cursor({"a", "b"}).view() == "secret");
    CHECK(server.cursor("c").view().empty());
    REQUIRE(server.publish("a", {.id = "a2", .data = "later"}).ec == errc::ok);
    client reader(server, to({"a"}, {.last_event_id = "a1"}));
    reader.drain();
    CHECK(reader.last_event_id() == "a2");
}

TEST_CASE("the type comes first in all that a hub says, where it is told so") {
    hub server(1, time_point(),
               {.keep = {.events = 1, .burst = {.within = 0ms}},
                .order = ssekit::field_order::type_first,
                .heartbeat = {.interval = 15s, .jitter = 0},
                .heartbeat_type = "beat",
                .end_type = "over"});
    client reader(server, to({"a"}, {.on_lag = ssekit::lag_policy::skip_to_oldest}));
    reader.drain();
    reader.socket.got.clear();
    for (const std::string_view data : {"x", "y"}) {
        REQUIRE(server.publish("a", {.type = "t", .data = data}).ec == errc::ok);
    }
    reader.drain();
    const auto id = [&](std::uint64_t offset) { return "id: " + id_of(server, offset) + "\n"; };
    CHECK(reader.socket.got == "event: gap\ndata: {\"reason\":\"lagged\",\"missed\":1,\"from\":\"" +
                                   id_of(server, 0) + "\",\"through\":\"" + id_of(server, 1) +
                                   "\"}\n\nevent: t\n" + id(2) + "data: y\n\n");
    reader.socket.got.clear();
    client other(server, to({"b"}));
    REQUIRE(server.publish("b", {.data = "z"}).ec == errc::ok);
    server.tick(time_point() + 15s);
    reader.drain();
    CHECK(reader.socket.got == "event: beat\n" + id(3) + "data: \n\n");
    // The frame knows its id and type wherever they stand.
    const auto made =
        ssekit::frame::make({.id = "7", .type = "t", .data = "x"}, ssekit::field_order::type_first);
    CHECK(made.frame.id() == "7");
    CHECK(made.frame.type() == "t");
    CHECK(server.publish("a", made.frame).ec == errc::id_is_assigned);
    CHECK(ssekit::frame::make({.id = "event: x"}, ssekit::field_order::type_first).frame.id() ==
          "event: x");
}

TEST_CASE("a comment ends with its line, where the hub is told so") {
    hub server(1, time_point(),
               {.ids = event_ids::none,
                .comments = ssekit::comment_form::line,
                .heartbeat = {.interval = 15s, .jitter = 0}});
    CHECK(opening(server) == ":\n");
    client reader(server, to({"a"}));
    reader.drain();
    server.tick(time_point() + 15s);
    reader.drain();
    REQUIRE(server.publish("a", {.data = "x"}).ec == errc::ok);
    reader.drain();
    CHECK(reader.socket.got == ":\n:\ndata: x\n\n");
}
