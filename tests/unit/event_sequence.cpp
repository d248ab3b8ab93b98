// SPDX-License-Identifier: MIT
//
// Several hubs that bring the same events: one frame for all, and a client that goes from one hub
// to another loses nothing.
#include <ssekit/event_sequence.hpp>
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_sequence;
using ssekit::framing;
using ssekit::hub;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::sequenced_event;
using ssekit::start_point;
using support::client;
using support::gap;
using support::texts;
using support::to;

namespace {

constexpr ssekit::hub_options sequenced{.ids = ssekit::event_ids::by_sequence};

} // namespace

TEST_CASE("a sequence numbers events as a hub does") {
    event_sequence sequence(36 * 36 - 1);
    hub server(36 * 36 - 1, {}, {});
    CHECK(sequence.last() == 0);
    const sequenced_event made = sequence.make("a", {.type = "t", .data = "1", .retry = 2s}, "k");
    REQUIRE(made.ec == errc::ok);
    CHECK(made.offset == 1);
    CHECK(made.epoch == 36 * 36 - 1);
    CHECK(made.frame.id() == server.id_of(1).view());
    CHECK(made.frame.wire() == "id: zz.1\nevent: t\nretry: 2000\ndata: 1\n\n");
    CHECK(made.frame.label().topic == "a");
    CHECK(made.frame.label().key == "k");
    CHECK(sequence.last() == 1);
    CHECK(event_sequence(1, 41).make("a", {.data = ""}).frame.id() == "1.42");
}

TEST_CASE("an event that a sequence refuses spends no offset") {
    event_sequence sequence(1);
    const std::string long_name(0x10000, 'x');
    const auto refused = [&](std::string_view topic, const ssekit::event_view& event) {
        const sequenced_event made = sequence.make(topic, event);
        CHECK_FALSE(made.frame);
        hub server(1, {}, {});
        CHECK(server.publish_sequenced("a", made).ec == made.ec);
        CHECK(server.metrics().topics == 0);
        return made.ec;
    };
    CHECK(refused("a", {.id = "1", .data = "x"}) == errc::id_is_assigned);
    CHECK(refused("a", {}) == errc::nothing_to_send);
    CHECK(refused("a", {.type = "\r", .data = "x"}) == errc::invalid_type);
    CHECK(refused("a", {.data = "x", .retry = -1ms}) == errc::invalid_retry);
    CHECK(refused(long_name, {.data = "x"}) == errc::label_too_long);
    CHECK(sequence.last() == 0);
    CHECK(sequence.make("a", {.data = "x"}).offset == 1);
}

TEST_CASE("all hubs share the same bytes") {
    event_sequence sequence(1);
    hub first(1, {}, sequenced);
    hub second(1, {}, sequenced);
    client here(first, to({"a"}));
    client there(second, to({"a"}));
    client chunked(second, to({"a"}, {.framing = framing::chunked}));
    for (int i = 0; i < 3; ++i) {
        const sequenced_event event = sequence.make("a", {.data = "x"});
        CHECK(event.frame.owners() == 1);
        CHECK(first.publish_sequenced("a", event).offset == event.offset);
        CHECK(second.publish_sequenced("a", event).offset == event.offset);
        CHECK(event.frame.owners() == 3);
    }
    for (client* each : {&here, &there, &chunked}) each->drain();
    CHECK(here.socket.got == "id: 1.0\n\nid: 1.1\ndata: x\n\nid: 1.2\ndata: x\n\n"
                             "id: 1.3\ndata: x\n\n");
    CHECK(there.socket.got == here.socket.got);
    CHECK(chunked.body() == here.socket.got);
}

TEST_CASE("a client that changes its hub after any byte loses nothing and gets nothing twice") {
    constexpr std::array<std::string_view, 2> both = {"a", "b"};
    for (std::size_t cut = 9;; ++cut) { // after the opening block
        event_sequence sequence(1);
        std::array<hub, 2> hubs = {hub(1, {}, sequenced), hub(1, {}, sequenced)};
        const auto say = [&](const ssekit::topic_list& topics, std::string_view data) {
            const sequenced_event event = sequence.make(topics[0], {.data = data});
            for (hub& each : hubs) CHECK(each.publish_sequenced(topics, event).ec == errc::ok);
        };
        client first(hubs[0], to({"a", "b"}));
        say("a", "1");
        say("c", "not for him");
        say(both, "2");
        first.drain_bytes(cut);
        first.stream = {};
        say("b", "3");
        const std::string id = first.last_event_id();
        client second(hubs[1], to({"b", "a"}, {.last_event_id = id}));
        CHECK(second.stream.resumption() == resumption::resumed);
        say(both, "4");
        second.drain();
        texts all = first.events();
        for (const std::string& text : second.events()) all.push_back(text);
        CHECK(all == texts{"1", "2", "3", "4"});
        if (first.socket.got.size() < cut) break;
    }
}

TEST_CASE("a client hops between hubs with every event") {
    event_sequence sequence(7, 100);
    std::array<hub, 2> hubs = {hub(7, {}, sequenced), hub(7, {}, sequenced)};
    texts got;
    texts expected;
    std::string id = "7.100";
    for (std::size_t i = 0; i < 20; ++i) {
        const std::string text = std::to_string(i);
        const sequenced_event event = sequence.make(i % 3 == 0 ? "x/1" : "x/2", {.data = text});
        for (hub& each : hubs) {
            CHECK(each.publish_sequenced(i % 3 == 0 ? "x/1" : "x/2", event).ec == errc::ok);
        }
        expected.push_back(text);
        client reader(hubs[i % 2], {.patterns = "x/*", .last_event_id = id});
        reader.drain();
        for (const std::string& each : reader.events()) got.push_back(each);
        id = reader.last_event_id();
    }
    CHECK(got == expected);
    CHECK(id == "7.120");
}

TEST_CASE("events out of sequence are refused and leave nothing behind") {
    event_sequence sequence(1);
    event_sequence other(2, 10);
    hub server(1, {}, sequenced);
    client reader(server, to({"a"}));
    const sequenced_event one = sequence.make("a", {.data = "1"});
    const sequenced_event two = sequence.make("a", {.data = "2"});
    const sequenced_event three = sequence.make("a", {.data = "3"});
    CHECK(server.publish_sequenced("a", one).ec == errc::ok);
    CHECK(server.publish_sequenced("new", one).ec == errc::out_of_sequence);
    CHECK(server.publish_sequenced("new", other.make("new", {.data = "x"})).ec ==
          errc::out_of_sequence);
    CHECK(server.publish_sequenced("new", sequenced_event{}).ec == errc::out_of_sequence);
    CHECK(server.publish_sequenced("", two).ec == errc::invalid_topic);
    CHECK(server.metrics().topics == 1);
    CHECK(server.publish_sequenced("a", two).ec == errc::out_of_sequence); // its offset is used up
    CHECK(server.publish_sequenced("a", three).ec == errc::ok);
    CHECK(server.publish_sequenced("a", one).ec == errc::out_of_sequence);
    CHECK(server.close() == errc::ok);
    CHECK(server.publish_sequenced("a", sequence.make("a", {.data = "4"})).ec == errc::closed);
    CHECK(server.publish_sequenced("a", one).ec == errc::closed);
    reader.drain();
    CHECK(reader.events() == texts{"1", "3"});
    CHECK(server.metrics().published == 2);
}

TEST_CASE("keys and patterns and filters know sequenced events") {
    event_sequence sequence(1);
    hub server(1, {}, sequenced);
    const auto wants = [](void*, const ssekit::event_summary& event) noexcept {
        return event.topic == "x/1" && event.key != "dull" && event.offset != 1;
    };
    client newest(server, {.patterns = "x/*", .on_lag = lag_policy::coalesce});
    client picky(server, to({"x/1", "x/2"}, {.filter = {wants, nullptr}}));
    for (const auto& [text, key] : {std::pair{"1", ""}, {"2", "k"}, {"3", "dull"}, {"4", "k"}}) {
        const sequenced_event event = sequence.make("x/1", {.data = text}, key);
        CHECK(server.publish_sequenced("x/1", event).ec == errc::ok);
    }
    for (client* each : {&newest, &picky}) each->drain();
    CHECK(newest.events() == texts{"1", "3", "4"});
    CHECK(picky.events() == texts{"2", "4"});
}

TEST_CASE("what a hub of a sequence has not been given is a gap and never silence") {
    event_sequence sequence(1);
    hub early(1, {}, sequenced);
    hub late(1, {}, sequenced);
    for (const char* const text : {"1", "2", "3"}) {
        const sequenced_event event = sequence.make("a", {.data = text});
        CHECK(early.publish_sequenced("a", event).ec == errc::ok);
        if (*text == '3') CHECK(late.publish_sequenced("a", event).ec == errc::ok);
    }
    client moved(late, to({"a"}, {.last_event_id = "1.1"}));
    CHECK(moved.stream.resumption() == resumption::expired);
    moved.drain();
    CHECK(moved.events() == texts{gap("expired"), "3"});
    client complete(late, to({"a"}, {.last_event_id = "1.2"}));
    CHECK(complete.stream.resumption() == resumption::resumed);
    client silent(late, to({"never published"}, {.last_event_id = "1.1"}));
    CHECK(silent.stream.resumption() == resumption::expired);
}

TEST_CASE("a client that is ahead of its new hub gets what comes and nothing twice") {
    event_sequence sequence(1);
    hub behind(1, {}, sequenced);
    std::array<sequenced_event, 4> events;
    for (sequenced_event& event : events) event = sequence.make("a", {.data = "x"});
    CHECK(behind.publish_sequenced("a", events[0]).ec == errc::ok);
    client reader(behind, to({"a"}, {.last_event_id = "1.3"}));
    CHECK(reader.stream.resumption() == resumption::resumed);
    reader.drain();
    CHECK(reader.last_event_id() == "1.3");
    for (std::size_t i = 1; i < events.size(); ++i) {
        CHECK(behind.publish_sequenced("a", events[i]).ec == errc::ok);
        reader.drain();
    }
    CHECK(reader.socket.got == "id: 1.3\n\nid: 1.4\ndata: x\n\n");
}

TEST_CASE("a hub of a sequence gives no ids of its own, and others take no sequenced events") {
    event_sequence sequence(1);
    hub fed(1, {}, sequenced);
    hub own(1, {}, {});
    CHECK(fed.publish("a", {.data = "x"}).ec == errc::out_of_sequence);
    CHECK(fed.publish_to_tag("a", {.data = "x"}).ec == errc::out_of_sequence);
    CHECK(fed.publish_to_all({.data = "x"}).ec == errc::out_of_sequence);
    CHECK(fed.close_topic("a", {.data = "x"}) == errc::out_of_sequence);
    CHECK(fed.metrics().topics == 0);
    CHECK(own.publish_sequenced("a", sequence.make("a", {.data = "x"})).ec ==
          errc::out_of_sequence);
}

TEST_CASE("an id that is further ahead than another hub can be is one from the future") {
    for (const std::uint64_t ahead : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1024},
                                      ~std::uint64_t{0} - 1, ~std::uint64_t{0}}) {
        CAPTURE(ahead);
        event_sequence sequence(1);
        hub server(1, {}, {.ids = ssekit::event_ids::by_sequence, .max_ahead = ahead});
        CHECK(server.publish_sequenced("a", sequence.make("a", {.data = "1"})).ec == errc::ok);
        const auto worth = [&](std::uint64_t offset) {
            const std::string id(server.id_of(offset).view());
            client back(server, to({"a"}, {.last_event_id = id}));
            back.drain();
            const bool resumed = back.stream.resumption() == resumption::resumed;
            if (!resumed) {
                CHECK(back.stream.resumption() == resumption::future);
                CHECK(back.events() == texts{gap("future"), "1"});
                CHECK(back.last_event_id() == "1.1");
                CHECK(server.publish_sequenced("a", sequence.make("a", {.data = "2"})).ec ==
                      errc::ok);
                back.drain(); // and it does not starve
                CHECK(back.events().back() == "2");
            } else {
                CHECK(back.events().empty());
                CHECK(back.last_event_id() == id);
            }
            return resumed;
        };
        CHECK(worth(1));
        if (ahead < 2000) {
            if (ahead != 0) CHECK(worth(1 + ahead));
            CHECK_FALSE(worth(2 + ahead));
        } else {
            CHECK(worth(ahead));
        }
    }
}

TEST_CASE("a jump in the sequence is told to every stream, in its place") {
    event_sequence sequence(1);
    hub server(
        1, ssekit::time_point(1h),
        {.ids = ssekit::event_ids::by_sequence, .heartbeat = {.interval = 15s, .jitter = 0}});
    const auto publish = [&](std::string_view topic, std::string_view data) {
        CHECK(server.publish_sequenced(topic, sequence.make(topic, {.data = data})).ec == errc::ok);
    };
    const auto lose = [&](int count) {
        for (int i = 0; i < count; ++i) CHECK(sequence.make("a", {.data = "lost"}).ec == errc::ok);
    };
    client here(server, to({"a"}));
    client both(server, to({"a", "b"}));
    client pattern(server, {.patterns = "*"});
    client other(server, to({"b"}));
    for (client* each : {&here, &both, &pattern, &other}) each->drain();
    publish("a", "1");
    lose(409);
    publish("a", "2");
    for (client* each : {&here, &both, &pattern, &other}) each->drain();
    for (client* each : {&here, &both, &pattern}) {
        CHECK(each->events() == texts{"1", gap("missed"), "2"});
        CHECK(each->last_event_id() == "1.411");
    }
    CHECK(here.socket.got.find("id: 1.410\nevent: gap\n") != std::string::npos);
    CHECK(other.events().empty());

    SUBCASE("whose topic is quiet, with its next heartbeat") {
        server.tick(ssekit::time_point(1h) + 16s);
        other.drain();
        CHECK(other.events() == texts{gap("missed")});
    }
    SUBCASE("whose topic has the next event, before it") {
        publish("b", "3");
        other.drain();
        CHECK(other.events() == texts{gap("missed"), "3"});
    }
    SUBCASE("that comes back to a topic that has been quiet") {
        other.stream = {};
        client back(server, to({"b"}, {.last_event_id = "1.1"}));
        CHECK(back.stream.resumption() == resumption::expired);
        client fine(server, to({"b"}, {.last_event_id = "1.410"}));
        CHECK(fine.stream.resumption() == resumption::resumed);
    }
    SUBCASE("that comes back to a topic that has had an event since") {
        publish("b", "3");
        client back(server, to({"b"}, {.last_event_id = "1.1"}));
        CHECK(back.stream.resumption() == resumption::expired);
        publish("new", "4");
        client fresh(server, to({"new"}, {.last_event_id = "1.1"}));
        CHECK(fresh.stream.resumption() == resumption::expired);
    }
}

TEST_CASE("a heartbeat does not lead over a gap that has not been told") {
    event_sequence sequence(1);
    hub server(
        1, ssekit::time_point(1h),
        {.ids = ssekit::event_ids::by_sequence, .heartbeat = {.interval = 15s, .jitter = 0}});
    client quiet(server, to({"b"}));
    quiet.drain();
    CHECK(server.publish_sequenced("a", sequence.make("a", {.data = "1"})).ec == errc::ok);
    server.tick(ssekit::time_point(1h) + 16s); // its heartbeat is due
    CHECK(sequence.make("b", {.data = "lost"}).ec == errc::ok);
    CHECK(server.publish_sequenced("a", sequence.make("a", {.data = "3"})).ec == errc::ok);
    quiet.drain();
    const std::string id = quiet.last_event_id();
    client back(server, to({"b"}, {.last_event_id = id}));
    back.drain();
    CHECK(quiet.events().size() + back.events().size() == 1); // the one has been told, or the other
}
