// SPDX-License-Identifier: MIT
//
// One event for several topics.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

using ssekit::errc;
using ssekit::hub;
using ssekit::lag_policy;
using ssekit::start_point;
using support::client;
using support::gap;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr std::array<std::string_view, 2> both = {"a", "b"};

} // namespace

TEST_CASE("an event for several topics reaches each subscriber of any of them once") {
    hub server(1);
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
    hub server(1);
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
    hub server(1);
    client reader(server, to({"a"}));
    const std::array<std::string_view, 3> names = {"a", "b", "a"};
    CHECK(server.publish(names, {.data = "1"}).ec == errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{"1"});
}

TEST_CASE("an event reaches all of its topics or none") {
    hub server(1, {.max_topics = 3});
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

TEST_CASE("what one of its topics has let go another may still bring, and the gap is told") {
    hub server(1, {.keep = {.events = 2}});
    client reader(server, to({"a", "b"}, {.on_lag = lag_policy::skip_to_oldest}));
    reader.drain();
    CHECK(server.publish(both, {.data = "1"}).ec == errc::ok);
    for (const char* const text : {"2", "3"}) say(server, "a", text);
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged", 1), "1", "2", "3"});
}
