// SPDX-License-Identifier: MIT
//
// What gap events say of the events that are missing: how many, after which id and up to which; and
// nothing that the hub does not know, or that is not the stream's to know.
#include <ssekit/hub.hpp>

#include "support/client.hpp"
#include "support/dice.hpp"
#include "support/json.hpp"
#include "support/times.hpp"

#include <ssekit/event_sequence.hpp>

#include <doctest/doctest.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::event_ids;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::lag_policy;
using ssekit::resumption;
using support::client;
using support::exactly;
using support::noon;
using support::say;
using support::say_numbers;
using support::to;
using support::untimed;

namespace {

/// The data of the first event, which is a gap, of those that have come since the last time.
std::string next_gap(client& reader) {
    const std::size_t before = reader.seen().events.size();
    reader.drain();
    const auto events = reader.seen().events;
    REQUIRE(events.size() > before);
    CHECK(events[before].type == "gap");
    return events[before].data;
}

} // namespace

TEST_CASE("a gap says after which id and up to which one events are missing") {
    hub server(1, noon, {.keep = exactly(2)});
    client oldest(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    client newest(server, to({"a"}, {.on_lag = lag_policy::skip_to_newest}));
    say_numbers(server, "a", 1, 5);
    CHECK(next_gap(oldest) == R"({"reason":"lagged","missed":3,"from":"1.0","through":"1.3"})");
    CHECK(next_gap(newest) == R"({"reason":"lagged","missed":4,"from":"1.0","through":"1.4"})");
    say_numbers(server, "a", 6, 8);
    CHECK(next_gap(oldest) == R"({"reason":"lagged","missed":1,"from":"1.5","through":"1.6"})");
    CHECK(next_gap(newest) == R"({"reason":"lagged","missed":2,"from":"1.5","through":"1.7"})");
}

TEST_CASE("what a gap comes after is left out where the log does not know it any more") {
    hub server(1, noon, {.keep = exactly(2)});
    client reader(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    say(server, "b", "x");
    say(server, "a", "2");
    reader.drain();
    say_numbers(server, "a", 3, 6);
    CHECK(next_gap(reader) == R"({"reason":"lagged","missed":2,"through":"1.4"})");
    // It has what a bound forbids, and knows what came before.
    client bound(server,
                 to({"a"}, {.on_lag = lag_policy::skip_to_oldest, .max_lag = {.events = 1}}));
    say(server, "b", "7");
    say_numbers(server, "a", 8, 9);
    CHECK(next_gap(bound) == R"({"reason":"lagged","missed":1,"from":"1.6","through":"1.8"})");
}

TEST_CASE("events that are not kept are in no gap") {
    hub server(1, noon, {.keep = exactly(1)});
    client reader(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    support::hint(server, "a", "1");
    reader.drain();
    say_numbers(server, "a", 2, 4);
    CHECK(next_gap(reader) == R"({"reason":"lagged","missed":2,"through":"1.3"})");
}

TEST_CASE("a client whose id has expired is told what it brought and what is lost since") {
    hub server(1, noon, {.keep = exactly(2)});
    say_numbers(server, "a", 1, 5);
    const auto told = [&](std::string_view id, gap_policy policy,
                          ssekit::event_filter filter = {}) {
        client back(server, to({"a"}, {.last_event_id = id, .on_gap = policy, .filter = filter}));
        CHECK(back.stream.resumption() == resumption::expired);
        return next_gap(back);
    };
    CHECK(told("1.0", gap_policy::earliest) ==
          R"({"reason":"expired","missed":3,"from":"1.0","through":"1.3"})");
    CHECK(told("1.2", gap_policy::earliest) ==
          R"({"reason":"expired","missed":1,"from":"1.2","through":"1.3"})");
    CHECK(told("1.2", gap_policy::live) ==
          R"({"reason":"expired","missed":3,"from":"1.2","through":"1.5"})");
    // Who does not want all of them may miss fewer.
    CHECK(told("1.2", gap_policy::earliest, [](const ssekit::event_summary&) noexcept {
              return true;
          }) == R"({"reason":"expired","from":"1.2","through":"1.3"})");
    // Which of them were of this topic is not known once there is another one, but for all of them.
    say(server, "b", "6");
    say_numbers(server, "a", 7, 9);
    CHECK(told("1.2", gap_policy::earliest) ==
          R"({"reason":"expired","from":"1.2","through":"1.7"})");
    CHECK(told("1.0", gap_policy::earliest) ==
          R"({"reason":"expired","missed":6,"from":"1.0","through":"1.7"})");
    CHECK(server.forget_topic("a"));
    CHECK(told("1.2", gap_policy::earliest) ==
          R"({"reason":"expired","from":"1.2","through":"1.9"})");
}

TEST_CASE("of an id that says nothing a gap says its reason alone") {
    hub server(1, noon, {.keep = exactly(1)});
    say_numbers(server, "a", 1, 3);
    for (const std::string_view id : {"?", "9.1", "1.4"}) {
        client back(server, to({"a"}, {.last_event_id = id}));
        CHECK(next_gap(back).find("from") == std::string::npos);
        CHECK(back.seen().events[0].data.find("through") == std::string::npos);
    }
    hub none(1, noon, {.keep = exactly(1), .ids = event_ids::none});
    client reader(none, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    say_numbers(none, "a", 1, 3);
    CHECK(next_gap(reader) == R"({"reason":"lagged","missed":2})");
}

TEST_CASE("a gap names no publisher's id but those of events of the stream's own topics") {
    hub server(1, noon, {.keep = exactly(1), .ids = event_ids::by_publisher});
    client reader(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    client bound(server, to({"b"}, {.on_lag = lag_policy::skip_to_oldest}));
    say(server, "a", {.id = "a\"1", .data = "1"});
    reader.drain();
    say(server, "secret", {.id = "s1", .data = "1"});
    say(server, "a", {.id = "a2", .data = "2"});
    say(server, "a", {.id = "a3", .data = "3"});
    say(server, "secret", {.id = "s2", .data = "2"});
    CHECK(next_gap(reader) == R"({"reason":"lagged","missed":1,"through":"a2"})");
    client back(server, to({"a"}, {.last_event_id = "a\"1"}));
    CHECK(next_gap(back) == R"({"reason":"expired","from":"a\"1","through":"a2"})");
    client live(server, to({"a"}, {.last_event_id = "a\"1", .on_gap = gap_policy::live}));
    CHECK(next_gap(live) == R"({"reason":"expired","from":"a\"1","through":"a3"})");
    // The loss is known by the name of a topic that has gone, and its ids with it.
    for (client* each : {&reader, &back, &live}) each->stream = {};
    CHECK(server.forget_topic("a"));
    client fresh(server, to({"a"}, {.last_event_id = "a\"1"}));
    CHECK(next_gap(fresh) == R"({"reason":"expired","from":"a\"1"})");
}

TEST_CASE("where a sequence has jumped, a gap says over which ids") {
    hub server(1, noon, {.ids = event_ids::by_sequence});
    ssekit::event_sequence sequence(1);
    const auto publish = [&](std::string_view topic) {
        return server.publish_sequenced(topic, sequence.make(topic, {.data = "x"}));
    };
    const auto lose = [&](int count) {
        while (count-- > 0) static_cast<void>(sequence.make("a", {.data = "x"}));
    };
    client a(server, to({"a"}));
    client b(server, to({"b"}));
    a.drain();
    b.drain();
    CHECK(publish("a").ec == ssekit::errc::ok);
    lose(3);
    CHECK(publish("a").ec == ssekit::errc::ok);
    a.drain();
    CHECK(a.seen().events[1].data == R"({"reason":"missed","from":"1.1","through":"1.4"})");
    lose(2);
    CHECK(publish("a").ec == ssekit::errc::ok);
    a.drain();
    CHECK(a.seen().events[3].data == R"({"reason":"missed","from":"1.5","through":"1.7"})");
    // The other topic has not been told of the first jump: its gap is of both.
    CHECK(publish("b").ec == ssekit::errc::ok);
    CHECK(next_gap(b) == R"({"reason":"missed","through":"1.7"})");
    lose(1);
    CHECK(publish("b").ec == ssekit::errc::ok);
    CHECK(next_gap(b) == R"({"reason":"missed","from":"1.9","through":"1.10"})");
}

TEST_CASE("whatever a stream has not got of its topics lies in the range of a gap") {
    const auto offset_of = [](const std::string& id) {
        std::uint64_t offset = 0;
        std::from_chars(id.data() + 2, id.data() + id.size(), offset);
        return offset;
    };
    std::size_t ranges = 0;
    for (std::uint32_t seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        support::dice dice(seed);
        ssekit::hub_options options = untimed;
        options.keep = exactly(3);
        hub server(1, noon, options);
        const lag_policy policy =
            dice.one_in(2) ? lag_policy::skip_to_oldest : lag_policy::skip_to_newest;
        const std::string_view topics[] = {"a", "b", "c"};
        const std::size_t count = 1 + dice.below(3);
        client reader(server, to({"a", "b"}, {.on_lag = policy,
                                              .max_lag = {.events = dice.one_in(2) ? 2u : 0u}}));
        std::set<std::uint64_t> due;
        std::size_t checked = 0;
        for (int step = 0; step < 200; ++step) {
            const std::string_view topic = topics[dice.below(count)];
            const std::uint64_t offset = say(server, topic, "x");
            if (topic != "c") due.insert(offset);
            if (!dice.one_in(8)) continue;
            reader.drain();
            const auto events = reader.seen().events;
            std::set<std::uint64_t> missing = due;
            for (std::size_t i = checked; i < events.size(); ++i) {
                if (events[i].type != "gap") missing.erase(offset_of(*events[i].id));
            }
            for (; checked < events.size(); ++checked) {
                if (events[checked].type != "gap") continue;
                const auto gap = support::json::parse(events[checked].data).document.value();
                const std::uint64_t through = offset_of(gap.at("through").string());
                const auto* const known = gap.find("from");
                const std::uint64_t from = known != nullptr ? offset_of(known->string()) : 0;
                REQUIRE(from < through);
                std::erase_if(missing,
                              [&](std::uint64_t lost) { return lost > from && lost <= through; });
                ranges += known != nullptr ? 1 : 0;
            }
            REQUIRE(missing.empty());
            due.clear();
        }
    }
    CHECK(ranges > 100);
}

TEST_CASE("a client of several topics may miss events from before its id, so no `from` is told") {
    hub server(1, noon, {.keep = exactly(2)});
    client reader(server, to({"a", "b"}));
    reader.drain();
    say_numbers(server, "a", 1, 2);
    say(server, "b", "3");
    say_numbers(server, "a", 4, 6); // lets 1, 2 and 4 go
    REQUIRE(reader.drain_one_frame());
    const std::string id = reader.last_event_id();
    CHECK(id == "1.3");
    client back(server, to({"a", "b"}, {.last_event_id = id}));
    CHECK(next_gap(back) == R"({"reason":"expired","through":"1.4"})");
}
