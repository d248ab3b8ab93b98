// SPDX-License-Identifier: MIT
//
// One event for several topics.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using ssekit::errc;
using ssekit::hub;
using ssekit::lag_policy;
using ssekit::start_point;
using support::client;
using support::exactly;
using support::gap;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr std::array<std::string_view, 2> both = {"a", "b"};

} // namespace

TEST_CASE("an event for several topics reaches each subscriber of any of them once") {
    hub server(1, {}, {});
    client of_a(server, to({"a"}));
    client of_b(server, to({"b"}));
    client of_both(server, to({"a", "b"}));
    client of_three(server, to({"c", "b", "a"}));
    client of_none(server, to({"c"}));
    for (client* each : {&of_a, &of_b, &of_both, &of_three, &of_none}) each->drain();
    say(server, "a", "1");
    CHECK(server.publish(both, {.data = "2"}).offset == 2);
    say(server, "b", "3");
    CHECK(server.publish(both, {.data = "4"}).offset == 4);
    for (client* each : {&of_a, &of_b, &of_both, &of_three, &of_none}) each->drain();
    CHECK(of_a.events() == texts{"1", "2", "4"});
    CHECK(of_b.events() == texts{"2", "3", "4"});
    CHECK(of_both.events() == texts{"1", "2", "3", "4"});
    CHECK(of_three.events() == texts{"1", "2", "3", "4"});
    CHECK(of_none.events().empty());
    CHECK(server.metrics().published == 4);
    CHECK(server.metrics().delivered == 3 + 3 + 4 + 4);
}

TEST_CASE("an event for several topics is replayed once from each of them") {
    hub server(1, {}, {});
    CHECK(server.publish(both, {.data = "1"}).ec == errc::ok);
    say(server, "b", "2");
    CHECK(server.publish(both, {.data = "3"}).ec == errc::ok);
    for (const std::string_view name : both) {
        client reader(server, to({name}, {.start = start_point::earliest}));
        reader.drain();
        CHECK(reader.events() == (name == "a" ? texts{"1", "3"} : texts{"1", "2", "3"}));
    }
    for (const auto& [id, rest] : std::vector<std::pair<std::string_view, texts>>{
             {"1.0", {"1", "2", "3"}}, {"1.1", {"2", "3"}}, {"1.2", {"3"}}, {"1.3", {}}}) {
        client reader(server, to({"b", "a"}, {.last_event_id = id}));
        reader.drain();
        CHECK(reader.events() == rest);
    }
}

TEST_CASE("a topic that is named twice gets the event once") {
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    const std::array<std::string_view, 3> names = {"a", "b", "a"};
    CHECK(server.publish(names, {.data = "1"}).ec == errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{"1"});
}

TEST_CASE("an event reaches all of its topics or none") {
    hub server(1, {}, {.max_topics = 3});
    client reader(server, to({"a"}));
    const std::array<std::string_view, 3> unnamed = {"a", "b", ""};
    CHECK(server.publish(unnamed, {.data = "x"}).ec == errc::invalid_topic);
    const std::array<std::string_view, 4> too_many = {"a", "b", "c", "d"};
    CHECK(server.publish(too_many, {.data = "x"}).ec == errc::too_many_topics);
    CHECK(server.publish(ssekit::topic_list(), {.data = "x"}).ec == errc::invalid_topic);
    reader.drain();
    CHECK(reader.events().empty());
    CHECK(server.metrics().topics == 1);
    CHECK(server.publish(both, {.data = "1"}).offset == 1);
    reader.drain();
    CHECK(reader.events() == texts{"1"});
}

TEST_CASE("what one of its topics has let go another may still bring, and then there is no gap") {
    hub server(1, {}, {.keep = exactly(2)});
    client reader(server, to({"a", "b"}, {.on_lag = lag_policy::skip_to_oldest}));
    reader.drain();
    CHECK(server.publish(both, {.data = "1"}).ec == errc::ok);
    for (const char* const text : {"2", "3"}) say(server, "a", text);
    reader.drain();
    CHECK(reader.events() == texts{"1", "2", "3"});
}

TEST_CASE("a frame of one event is published behind the id that it gets, as the event would be") {
    hub server(1, {}, {});
    client raw(server, to({"a"}));
    client chunked(server, to({"a", "b"}, {.framing = ssekit::framing::chunked}));
    const ssekit::event_view event{.type = "t", .data = "1\n2", .retry = std::chrono::seconds(2)};
    const ssekit::frame frame = ssekit::frame::make(event).frame;
    CHECK(server.publish("a", event).offset == 1);
    CHECK(server.publish("a", frame).offset == 2);
    CHECK(server.publish({"a", "b"}, frame, "key").offset == 3);
    CHECK(frame.owners() == 1); // it has been copied
    ssekit::frame_builder block;
    ssekit::data_writer data(block, {.type = "t", .retry = std::chrono::seconds(2)});
    data.write("1\n2");
    data.finish();
    CHECK(server.publish("a", block).offset == 4);
    for (client* each : {&raw, &chunked}) each->drain();
    CHECK(raw.events() == texts{"t:1\n2", "t:1\n2", "t:1\n2", "t:1\n2"});
    CHECK(raw.seen().retries == std::vector<std::int64_t>{2000, 2000, 2000, 2000});
    CHECK(raw.seen().ids == std::vector<std::string>{"1.0", "1.1", "1.2", "1.3", "1.4"});
    CHECK(chunked.body() == raw.socket.got);
    client back(server, to({"b"}, {.last_event_id = "1.2"}));
    back.drain();
    CHECK(back.events() == texts{"t:1\n2"});
}

TEST_CASE("the key of a published frame is the hub's, not the frame's own") {
    hub server(1, {}, {});
    client reader(server, to({"a"}, {.on_lag = ssekit::lag_policy::coalesce}));
    reader.drain();
    const auto with = [](std::string_view data) {
        return ssekit::frame::make({.data = data}, {}, {"other topic", "other key"}).frame;
    };
    CHECK(server.publish("a", with("1"), "k").ec == errc::ok);
    CHECK(server.publish("a", with("2"), "l").ec == errc::ok);
    CHECK(server.publish("a", with("3"), "k").ec == errc::ok);
    CHECK(server.publish("a", with("4")).ec == errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{"2", "3", "4"});
}

TEST_CASE("a frame that is not one event is refused and spends no offset") {
    hub server(1, {}, {});
    const auto build = [](std::string_view bytes) {
        ssekit::frame_builder block;
        block.append(bytes.data(), bytes.size());
        return block.build().frame;
    };
    const auto refused = [&](const ssekit::frame& frame) { return server.publish("a", frame).ec; };
    CHECK(refused({}) == errc::nothing_to_send);
    CHECK(refused(ssekit::frame::comment("hi")) == errc::nothing_to_send);
    CHECK(refused(ssekit::frame::verbatim("data: 1\n\n")) == errc::nothing_to_send);
    CHECK(refused(ssekit::frame::make({.id = "7", .data = "1"}).frame) == errc::id_is_assigned);
    CHECK(refused(build("data: 1\nid: 7\n\n")) == errc::id_is_assigned);
    CHECK(refused(build("data: 1\n\ndata: 2\n\n")) == errc::not_one_event);
    CHECK(refused(build("event: t\n\n")) == errc::nothing_to_send);
    ssekit::frame_builder block;
    block.append("data: 1\n", 8);
    CHECK(server.publish("a", block).ec == errc::unfinished);
    CHECK(server.publish("a", block).ec == errc::nothing_to_send); // it is as new
    CHECK(server.publish("", ssekit::frame::make({.data = "1"}).frame).ec == errc::invalid_topic);
    CHECK(server.metrics().topics == 0);
    CHECK(server.metrics().refused_events[errc::nothing_to_send] == 5);
    CHECK(server.publish("a", ssekit::frame::make({.data = "1"}).frame).offset == 1);
    CHECK(server.close() == errc::ok);
    CHECK(server.publish("a", ssekit::frame::make({.data = "1"}).frame).ec == errc::closed);
}

TEST_CASE("where publishers give ids a frame brings its own, and a sequence takes none") {
    hub given(1, {}, {.ids = ssekit::event_ids::by_publisher});
    client reader(given, to({"a"}));
    CHECK(given.publish("a", ssekit::frame::make({.id = "x", .data = "1"}).frame).ec == errc::ok);
    CHECK(given.publish("a", ssekit::frame::make({.id = "x", .data = "2"}).frame).ec ==
          errc::id_is_taken);
    CHECK(given.publish("a", ssekit::frame::make({.data = "3"}).frame).ec == errc::id_is_missing);
    CHECK(given.publish("a", ssekit::frame::make({.id = " y", .data = "4"}).frame).ec ==
          errc::unreturnable_id);
    reader.drain();
    CHECK(reader.socket.got == ":\n\nid: x\ndata: 1\n\n");
    hub sequenced(1, {}, {.ids = ssekit::event_ids::by_sequence});
    CHECK(sequenced.publish("a", ssekit::frame::make({.data = "1"}).frame).ec ==
          errc::out_of_sequence);
}

TEST_CASE("what is not UTF-8 is refused by a hub that is told so, in whatever form it comes") {
    hub server(1, {}, {.utf8 = ssekit::utf8_policy::report});
    client reader(server, to({"a"}));
    CHECK(server.publish("a", {.data = "caf\xe9"}).ec == errc::malformed_utf8);
    CHECK(server.publish("a", ssekit::frame::make({.data = "caf\xe9"}).frame).ec ==
          errc::malformed_utf8);
    CHECK(server.publish_to_all({.data = "caf\xe9"}).ec == errc::malformed_utf8);
    CHECK(server.publish_to_tag("t", {.data = "caf\xe9"}).ec == errc::malformed_utf8);
    CHECK(reader.stream.send({.data = "caf\xe9"}) == errc::malformed_utf8);
    CHECK(server.close_topic("a", {.data = "caf\xe9"}) == errc::malformed_utf8);
    CHECK(server.close({.farewell = {.data = "caf\xe9"}}) == errc::malformed_utf8);
    CHECK(server.publish("a", {.data = "caf\xc3\xa9"}).ec == errc::ok);
}

TEST_CASE("a closed hub says so, whatever it is given") {
    ssekit::hub server(1, ssekit::time_point());
    REQUIRE(server.close() == ssekit::errc::ok);
    ssekit::frame_builder unfinished;
    unfinished.append("data: 1\n", 8);
    CHECK(server.publish("a", unfinished).ec == ssekit::errc::closed);
    ssekit::frame_builder empty;
    CHECK(server.publish("a", empty).ec == ssekit::errc::closed);
    CHECK(server.publish("a", ssekit::frame()).ec == ssekit::errc::closed);
    CHECK(server.publish("a", {}).ec == ssekit::errc::closed);
    const ssekit::sequenced_event refused = ssekit::event_sequence(1).make("a", {}, {});
    REQUIRE(refused.ec != ssekit::errc::ok);
    CHECK(server.publish_sequenced("a", refused).ec == ssekit::errc::closed);
}

TEST_CASE("a reconnection time that does harm is refused, wherever an event is published") {
    hub server(1, ssekit::time_point());
    ssekit::subscribe_result made = server.subscribe({.topics = "a", .tag = "me"});
    REQUIRE(made.ec == errc::ok);
    for (const std::chrono::milliseconds bad :
         {std::chrono::milliseconds(-1), std::chrono::milliseconds(0),
          ssekit::longest_retry + std::chrono::milliseconds(1)}) {
        const ssekit::event_view event{.data = "x", .retry = bad};
        CHECK(server.publish("a", event).ec == errc::invalid_retry);
        CHECK(server.publish_to_tag("me", event).ec == errc::invalid_retry);
        CHECK(server.publish_to_all(event).ec == errc::invalid_retry);
        CHECK(server.publish_transient("a", event).ec == errc::invalid_retry);
        CHECK(made.subscription.send(event) == errc::invalid_retry);
    }
    CHECK(server.metrics().published == 0);
    for (const std::chrono::milliseconds good : {ssekit::shortest_retry, ssekit::longest_retry}) {
        CHECK(server.publish("a", {.retry = good}).ec == errc::ok);
    }
}

TEST_CASE("reconnection times among the options are brought within the bounds") {
    hub server(1, ssekit::time_point(), {.retry = std::chrono::hours(24 * 365)});
    ssekit::subscribe_result made = server.subscribe({.topics = "a"});
    REQUIRE(made.ec == errc::ok);
    std::string_view slice;
    REQUIRE(made.subscription.prepare({&slice, 1}) == 1);
    CHECK(slice == "id: 1.0\nretry: 2147483647\n\n");
}
