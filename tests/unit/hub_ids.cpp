// SPDX-License-Identifier: MIT
//
// Publishers may give the ids, a database's or a broker's: clients come back with those.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::event_ids;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::resumption;
using ssekit::start_point;
using ssekit::time_point;
using support::client;
using support::gap;
using support::texts;
using support::to;

namespace {

/// The data is the id.
ssekit::publish_result put(hub& server, const ssekit::topic_list& topics, std::string_view id) {
    return server.publish(topics, {.id = id, .data = id});
}

} // namespace

TEST_CASE("every event brings an id of its own") {
    hub server(1, {.ids = event_ids::by_publisher});
    client reader(server, to({"a"}, {.tag = "me"}));
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.socket.got.empty()); // there is no id to begin with
    CHECK(server.publish("a", {.data = "x"}).ec == errc::id_is_missing);
    CHECK(server.publish("a", {.id = "", .data = "x"}).ec == errc::id_is_missing);
    CHECK(server.publish("a", {.id = "1\n", .data = "x"}).ec == errc::invalid_id);
    CHECK(server.publish("a", {.id = "1"}).ec == errc::nothing_to_send);
    CHECK(server.publish_to_all({.data = "x"}).ec == errc::id_is_missing);
    CHECK(server.publish_to_tag("me", {.data = "x"}).ec == errc::id_is_missing);
    CHECK(server.metrics().published == 0);
    CHECK(put(server, "a", "41-0").offset == 1);
    CHECK(server.publish("a", {.id = "x y", .retry = 2s}).ec == errc::ok);
    CHECK(server.publish_to_tag("me", {.id = " 7 ", .data = "tag"}).ec == errc::ok);
    CHECK(server.publish_to_all({.id = "all", .data = "broadcast"}).offset == 4);
    reader.drain();
    CHECK(reader.seen().ids == std::vector<std::string>{"41-0", "x y", " 7 ", "all"});
    CHECK(reader.events() == texts{"41-0", "tag", "broadcast"});
    for (const auto& [id, rest] : {std::pair{"41-0", texts{"tag", "broadcast"}},
                                   {"x y", {"tag", "broadcast"}},
                                   {" 7 ", {"broadcast"}},
                                   {"all", {}}}) {
        client back(server, to({"a"}, {.tag = "me", .last_event_id = id}));
        CHECK(back.stream.resumption() == resumption::resumed);
        back.drain();
        CHECK(back.events() == rest);
    }
}

TEST_CASE("a client comes back with the id of any event kept and gets the rest") {
    hub server(1, {.keep = {.events = 4}, .ids = event_ids::by_publisher});
    const std::array<std::string_view, 6> ids = {"f", "e", "d", "c", "b", "a"};
    for (const std::string_view id : ids) CHECK(put(server, "a", id).ec == errc::ok);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        client back(server, to({"a"}, {.last_event_id = ids[i]}));
        back.drain();
        if (i < 2) { // has left the log
            CHECK(back.stream.resumption() == resumption::unknown);
            CHECK(back.events() == texts{gap("unknown"), "d", "c", "b", "a"});
        } else {
            CHECK(back.stream.resumption() == resumption::resumed);
            CHECK(back.events() ==
                  texts(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1, ids.end()));
            CHECK(back.socket.got.starts_with("id: " + std::string(ids[i]) + "\n\n"));
        }
    }
}

TEST_CASE("ids that nobody gave are unknown") {
    hub server(1, {.ids = event_ids::by_publisher});
    CHECK(put(server, "a", "x").ec == errc::ok);
    for (const std::string_view id : {"1.1", "1.0", "y", "x ", "X", "\n", "."}) {
        client earliest(server, to({"a"}, {.last_event_id = id}));
        client live(server, to({"a"}, {.last_event_id = id, .on_gap = gap_policy::live}));
        for (client* each : {&earliest, &live}) {
            CHECK(each->stream.resumption() == resumption::unknown);
            each->drain();
            CHECK(each->last_event_id() == "x");
        }
        CHECK(earliest.events() == texts{gap("unknown"), "x"});
        CHECK(live.events() == texts{gap("unknown")});
        CHECK(client(server, to({"a"}, {.last_event_id = id, .on_gap = gap_policy::refuse})).ec ==
              errc::replay_refused);
    }
}

TEST_CASE("an id of a topic that a client does not read is as unknown as any") {
    hub server(1, {.ids = event_ids::by_publisher});
    CHECK(put(server, "a", "x").ec == errc::ok);
    CHECK(put(server, "secret", "s").ec == errc::ok);
    CHECK(server.publish_to_tag("me", {.id = "t", .data = "t"}).ec == errc::ok);
    CHECK(put(server, "a", "y").ec == errc::ok);
    for (const std::string_view id : {"s", "t", "never"}) {
        client back(server, to({"a"}, {.last_event_id = id}));
        CHECK(back.stream.resumption() == resumption::unknown);
        back.drain();
        CHECK(back.events() == texts{gap("unknown"), "x", "y"});
    }
    client both(server, to({"a", "secret"}, {.last_event_id = "x"}));
    both.drain();
    CHECK(both.events() == texts{"s", "y"});
    client tagged(server, to({"a"}, {.tag = "me", .last_event_id = "t"}));
    tagged.drain();
    CHECK(tagged.events() == texts{"y"});
    client pattern(server, {.patterns = "sec*", .last_event_id = "s"}); // a star within is a star
    CHECK(pattern.stream.resumption() == resumption::unknown);
    client matching(server, {.patterns = "*", .last_event_id = "x"});
    matching.drain();
    CHECK(matching.events() == texts{"s", "y"});
}

TEST_CASE("the opening block carries the id of the last event that the stream does not bring") {
    hub server(1, {.ids = event_ids::by_publisher, .retry = 1s});
    client empty(server, to({"a", "b"}));
    empty.drain();
    CHECK(empty.socket.got == "retry: 1000\n\n");
    CHECK(put(server, "a", "a1").ec == errc::ok);
    CHECK(put(server, "b", "b1").ec == errc::ok);
    CHECK(put(server, "c", "c1").ec == errc::ok);
    CHECK(put(server, "a", "a2").ec == errc::ok);
    const auto opening = [&](const ssekit::subscribe_options& options) {
        client reader(server, options);
        CHECK(reader.drain_one_frame());
        return reader.socket.got;
    };
    CHECK(opening(to({"a", "b"})) == "id: a2\nretry: 1000\n\n");
    CHECK(opening(to({"b", "new"})) == "id: b1\nretry: 1000\n\n");
    CHECK(opening({.patterns = "*"}) == "id: a2\nretry: 1000\n\n");
    CHECK(opening(to({"a"}, {.start = start_point::earliest})) == "retry: 1000\n\n");
    CHECK(opening(to({"a", "b"}, {.last_event_id = "a1"})) == "id: a1\nretry: 1000\n\n");
    CHECK(opening(to({"b", "a"}, {.last_event_id = "b1"})) == "id: b1\nretry: 1000\n\n");
    CHECK(opening(to({"a"}, {.last_event_id = "?"})).find("id:") == std::string::npos);
    CHECK(opening(to({"b"}, {.last_event_id = "?", .on_gap = gap_policy::live}))
              .starts_with("id: b1\n"));
}

TEST_CASE("of several events with one id the newest counts") {
    hub server(1, {.keep = {.events = 4}, .ids = event_ids::by_publisher});
    const auto rest = [&](std::string_view id) {
        client back(server, to({"a"}, {.last_event_id = id}));
        back.drain();
        return back.events();
    };
    const auto say = [&](std::string_view id, std::string_view data) {
        CHECK(server.publish("a", {.id = id, .data = data}).ec == errc::ok);
    };
    say("x", "1");
    say("x", "2");
    say("y", "3");
    CHECK(rest("x") == texts{"3"});
    say("x", "4");
    CHECK(rest("x").empty());
    say("z", "5"); // the first x goes
    CHECK(rest("x") == texts{"5"});
    say("z", "6"); // the second
    say("z", "7");
    CHECK(rest("x") == texts{"5", "6", "7"});
    say("z", "8"); // the last
    CHECK(rest("x") == texts{gap("unknown"), "5", "6", "7", "8"});
    CHECK(rest("z").empty());
}

TEST_CASE("an id is expired when another topic has lost what came behind it") {
    hub server(1, {.ids = event_ids::by_publisher});
    CHECK(server.keep("busy", {.events = 1}) == errc::ok);
    CHECK(put(server, "slow", "s1").ec == errc::ok);
    CHECK(put(server, "busy", "b1").ec == errc::ok);
    client complete(server, to({"slow", "busy"}, {.last_event_id = "s1"}));
    CHECK(complete.stream.resumption() == resumption::resumed);
    CHECK(put(server, "busy", "b2").ec == errc::ok);
    CHECK(put(server, "slow", "s2").ec == errc::ok);
    client behind(server, to({"slow", "busy"}, {.last_event_id = "s1"}));
    CHECK(behind.stream.resumption() == resumption::expired);
    behind.drain();
    CHECK(behind.events() == texts{gap("expired"), "b2", "s2"});
    client alone(server, to({"slow"}, {.last_event_id = "s1"}));
    CHECK(alone.stream.resumption() == resumption::resumed);
}

TEST_CASE("an id is found through whatever the event was published to") {
    hub server(1, {.ids = event_ids::by_publisher});
    constexpr std::array<std::string_view, 2> both = {"x/1", "x/2"};
    CHECK(put(server, both, "1").ec == errc::ok);
    CHECK(put(server, "x/2", "2").ec == errc::ok);
    std::optional<client> other(std::in_place, server, ssekit::subscribe_options{.patterns = "**"});
    CHECK(put(server, both, "3").ec == errc::ok);
    for (int i = 0; i < 2; ++i) {
        for (const char* const pattern : {"x/*", "**", "x/1", "*/2"}) {
            client back(server, {.patterns = pattern, .last_event_id = "1"});
            CHECK(back.stream.resumption() == resumption::resumed);
            back.drain();
            CHECK(back.events() ==
                  (std::string_view(pattern) == "x/1" ? texts{"3"} : texts{"2", "3"}));
            CHECK(back.last_event_id() == "3");
        }
        other.reset();
    }
}

TEST_CASE("an id goes with its topic") {
    hub server(1, {.keep = {.age = 10s}, .ids = event_ids::by_publisher});
    server.tick(time_point(12h));
    CHECK(put(server, "a", "1").ec == errc::ok);
    server.tick(time_point(12h) + 11s);
    CHECK(server.metrics().topics == 0);
    client back(server, to({"a"}, {.last_event_id = "1"}));
    CHECK(back.stream.resumption() == resumption::unknown);
    CHECK(put(server, "a", "1").ec == errc::ok); // it may come again
    client again(server, to({"a"}, {.last_event_id = "1"}));
    CHECK(again.stream.resumption() == resumption::resumed);
}

TEST_CASE("a topic is closed with an event that has an id as well") {
    hub server(1, {.ids = event_ids::by_publisher});
    client reader(server, to({"a"}));
    CHECK(server.close_topic("a", {.data = "end"}) == errc::id_is_missing);
    CHECK(reader.drain() == drain_status::idle);
    CHECK(server.close_topic("a", {.id = "9", .data = "end"}) == errc::ok);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.last_event_id() == "9");
    CHECK(client(server, to({"a"}, {.last_event_id = "9"})).ec == errc::topic_closed);
}

TEST_CASE("many ids come and go") {
    hub server(1, {.keep = {.events = 50}, .ids = event_ids::by_publisher});
    for (std::size_t i = 0; i < 1000; ++i) {
        CHECK(put(server, "a", std::to_string(i * 7919 % 1000)).ec == errc::ok);
        if (i % 97 != 0) continue;
        for (std::size_t back = 0; back <= i && back < 60; ++back) {
            const std::string id = std::to_string((i - back) * 7919 % 1000);
            const client found(server, to({"a"}, {.last_event_id = id}));
            CHECK(found.stream.resumption() ==
                  (back < 50 ? resumption::resumed : resumption::unknown));
        }
    }
}
