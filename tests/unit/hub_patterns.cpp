// SPDX-License-Identifier: MIT
//
// Patterns: which topics they match, and that they replay, resume and merge as topics do.
#include <ssekit/hub.hpp>

#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::hub;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::start_point;
using ssekit::time_point;
using support::client;
using support::exactly;
using support::gap;
using support::noon;
using support::say;
using support::texts;
using support::to;

namespace {

bool hears(std::string_view pattern, std::string_view topic) {
    bool heard[2] = {};
    for (const bool topic_first : {false, true}) {
        hub server(1, {}, {});
        if (topic_first) say(server, topic, "before");
        client reader(server, {.patterns = pattern});
        REQUIRE(reader.ec == errc::ok);
        say(server, topic, "after");
        reader.drain();
        heard[topic_first] = reader.events() == texts{"after"};
        CHECK(heard[topic_first] == !reader.events().empty());
    }
    CHECK(heard[0] == heard[1]);
    return heard[0];
}

} // namespace

TEST_CASE("a star stands for one segment and two at the end for one or more") {
    CHECK(hears("*", "a"));
    CHECK_FALSE(hears("*", "a/b"));
    CHECK(hears("a/*", "a/b"));
    CHECK_FALSE(hears("a/*", "a"));
    CHECK_FALSE(hears("a/*", "a/b/c"));
    CHECK_FALSE(hears("a/*", "b/b"));
    CHECK(hears("*/b", "a/b"));
    CHECK_FALSE(hears("*/b", "a/c"));
    CHECK(hears("a/*/c", "a/b/c"));
    CHECK_FALSE(hears("a/*/c", "a/b/b/c"));
    CHECK(hears("*/*", "a/b"));
    CHECK(hears("**", "a"));
    CHECK(hears("**", "a/b/c"));
    CHECK(hears("a/**", "a/b"));
    CHECK(hears("a/**", "a/b/c/d"));
    CHECK_FALSE(hears("a/**", "a"));
    CHECK_FALSE(hears("a/**", "ab/c"));
    CHECK(hears("*/b/**", "a/b/c"));
    CHECK_FALSE(hears("*/b/**", "a/c/c"));
    CHECK_FALSE(hears("a*", "ab")); // a star within a segment is a star
    CHECK(hears("a*", "a*"));
    CHECK(hears("a/b", "a/b"));
    CHECK_FALSE(hears("a/b", "a"));
    CHECK(hears("a/*", "a/*"));
}

TEST_CASE("patterns that are none are refused and leave nothing behind") {
    hub server(1, {}, {.max_topic_length = 8});
    for (const std::string_view bad : {"", "**/a", "a/**/b", "**/", "a/**/**", "long/name/*"}) {
        CAPTURE(bad);
        CHECK(client(server, {.patterns = bad}).ec == errc::invalid_topic);
        CHECK(client(server, to({"a"}, {.patterns = bad})).ec == errc::invalid_topic);
    }
    CHECK(server.metrics().topics == 0);
    CHECK(server.subscribers() == 0);
    CHECK(server.publish("a/**/b", {.data = "1"}).ec == errc::ok); // a name like any other
    CHECK(client(server, to({"**/a"})).ec == errc::ok);
}

TEST_CASE("a pattern replays what its topics have kept in the order of publishing and once") {
    hub server(1, {}, {});
    constexpr std::array<std::string_view, 3> several = {"x/1", "x/2", "y"};
    say(server, "x/1", "1");
    say(server, "x/2", "2");
    say(server, "y", "3");
    CHECK(server.publish(several, {.data = "4"}).ec == errc::ok);
    say(server, "x/2", "5");
    say(server, "x/1", "6");
    client all(server, {.patterns = "x/*", .start = start_point::earliest});
    client again(server, {.patterns = "x/*", .last_event_id = "1.3"});
    client live(server, {.patterns = "x/*"});
    CHECK(again.stream.resumption() == resumption::resumed);
    CHECK(server.publish(several, {.data = "7"}).ec == errc::ok);
    say(server, "x/new", "8");
    for (client* each : {&all, &again, &live}) each->drain();
    CHECK(all.events() == texts{"1", "2", "4", "5", "6", "7", "8"});
    CHECK(again.events() == texts{"4", "5", "6", "7", "8"});
    CHECK(live.events() == texts{"7", "8"});
    CHECK(live.last_event_id() == "1.8");
}

TEST_CASE("a client of a pattern resumes after every event with exactly the rest") {
    for (const bool others : {false, true}) {
        for (std::size_t seen = 0; seen <= 6; ++seen) {
            hub server(1, {}, {});
            std::optional<client> other;
            if (others) other.emplace(server, ssekit::subscribe_options{.patterns = "x/**"});
            texts expected;
            for (std::size_t i = 1; i <= 6; ++i) {
                const char* const names[] = {"x/1", "y", "x/2/3"};
                say(server, names[i % 3], std::to_string(i));
                if (i % 3 != 1 && i > seen) expected.push_back(std::to_string(i));
            }
            const std::string id = "1." + std::to_string(seen);
            client back(server, {.patterns = "x/**", .last_event_id = id});
            CHECK(back.stream.resumption() == resumption::resumed);
            back.drain();
            CHECK(back.events() == expected);
        }
    }
}

TEST_CASE("an id is expired for a pattern when one of its topics has lost something") {
    for (const bool others : {false, true}) {
        hub server(1, {}, {.keep = exactly(4)});
        CHECK(server.keep("x/1", exactly(1)) == errc::ok);
        say(server, "x/2", "1");
        say(server, "x/1", "2");
        say(server, "x/1", "3");
        std::optional<client> other;
        if (others) other.emplace(server, ssekit::subscribe_options{.patterns = "x/*"});
        client behind(server, {.patterns = "x/*", .last_event_id = "1.1"});
        CHECK(behind.stream.resumption() == resumption::expired);
        behind.drain();
        CHECK(behind.events() == texts{gap("expired"), "3"});
        client enough(server, {.patterns = "x/*", .last_event_id = "1.2"});
        CHECK(enough.stream.resumption() == resumption::resumed);
        client elsewhere(server, to({"x/2"}, {.patterns = "y/*", .last_event_id = "1.0"}));
        CHECK(elsewhere.stream.resumption() == resumption::resumed);
    }
}

TEST_CASE("what a forgotten topic had is expired for a pattern that is made later") {
    hub server(1, {}, {.keep = {.age = 10s}});
    server.tick(noon);
    std::optional<client> reader(std::in_place, server, ssekit::subscribe_options{.patterns = "*"});
    say(server, "a", "1");
    server.tick(noon + 11s);
    CHECK(server.metrics().topics == 1); // the pattern, whose queue still holds the event
    reader->drain();
    CHECK(reader->events() == texts{"1"});
    reader.reset();
    CHECK(server.metrics().topics == 0);
    client back(server, {.patterns = "*", .last_event_id = "1.0"});
    CHECK(back.stream.resumption() == resumption::expired);
}

TEST_CASE("names and patterns that overlap bring each event once and in order") {
    hub server(1, {}, {});
    constexpr std::array<std::string_view, 3> patterns = {"x/*", "**", "*/1"};
    constexpr std::array<std::string_view, 2> both = {"x/1", "y"};
    say(server, "x/1", "1");
    client all(server, to({"x/1", "y"}, {.patterns = patterns, .start = start_point::earliest}));
    client later(server, to({"x/1"}));
    CHECK(later.stream.add_patterns(patterns) == errc::ok);
    CHECK(server.publish(both, {.data = "2"}).ec == errc::ok);
    say(server, "x/1", "3");
    all.drain();
    say(server, "x/2", "4");
    say(server, "z/1", "5");
    say(server, "y", "6");
    CHECK(server.publish_to_all({.data = "7"}).ec == errc::ok);
    for (client* each : {&all, &later}) each->drain();
    CHECK(all.events() == texts{"1", "2", "3", "4", "5", "6", "7"});
    CHECK(later.events() == texts{"2", "3", "4", "5", "6", "7"});
    CHECK(all.stream.remove_topics(patterns) == errc::ok);
    say(server, "x/2", "8");
    say(server, "x/1", "9");
    all.drain();
    CHECK(all.events().back() == "9");
    CHECK(all.events().size() == 8);
}

TEST_CASE("a pattern is forgotten with its last reader") {
    hub server(1, {}, {});
    std::optional<client> first(std::in_place, server,
                                ssekit::subscribe_options{.patterns = "x/*"});
    std::optional<client> second(std::in_place, server,
                                 ssekit::subscribe_options{.patterns = "x/*"});
    say(server, "x/1", "1");
    CHECK(server.subscribers("x/*") == 2);
    CHECK(server.metrics().topics == 2);
    const auto bytes = server.metrics().log_bytes;
    first.reset();
    CHECK(server.metrics().topics == 2);
    second.reset();
    CHECK(server.metrics().topics == 1);
    CHECK(server.metrics().log_bytes == bytes / 2);
    CHECK(server.subscribers("x/*") == 0);
    say(server, "x/1", "2");
    client third(server, {.patterns = "x/*", .last_event_id = "1.0"});
    third.drain();
    CHECK(third.events() == texts{"1", "2"});
}

TEST_CASE("patterns count as topics and have the limits of topics") {
    hub server(1, {}, {.max_subscribers_per_topic = 1, .max_topics = 2});
    std::optional<client> reader(std::in_place, server, to({"a"}, {.patterns = "*"}));
    CHECK(server.metrics().topics == 2);
    CHECK(client(server, {.patterns = "*/*"}).ec == errc::too_many_topics);
    CHECK(server.publish("b", {.data = "1"}).ec == errc::too_many_topics);
    CHECK(client(server, {.patterns = "*"}).ec == errc::topic_is_full);
    CHECK(reader->stream.add_patterns("b/*") == errc::too_many_topics);
    CHECK(server.subscribers("*") == 1);
    reader.reset();
    CHECK(server.metrics().topics == 0);
    CHECK(client(server, {.patterns = "*"}).ec == errc::ok);
}

TEST_CASE("a broadcast reaches streams of topics and of patterns once") {
    hub server(1, {}, {});
    char users[] = "abc";
    client named(server, to({"x/1", "x/2"}, {.tag = "me", .user = &users[0]}));
    client by_pattern(server, {.patterns = "none/*", .user = &users[1]});
    client both(server, to({"x/1"}, {.patterns = "**", .user = &users[2]}));
    for (client* each : {&named, &by_pattern, &both}) each->drain();
    say(server, "kept", "1");
    CHECK(server.publish_to_all({.type = "all", .data = "2"}).offset == 2);
    std::size_t reported = 0;
    while (server.next_ready() != nullptr) ++reported;
    CHECK(reported == 3);
    for (client* each : {&named, &by_pattern, &both}) each->drain();
    CHECK(named.events() == texts{"all:2"});
    CHECK(by_pattern.events() == texts{"all:2"});
    CHECK(both.events() == texts{"1", "all:2"});
    client back(server, to({"kept"}, {.last_event_id = "1.1"}));
    back.drain();
    CHECK(back.events() == texts{"all:2"});
    CHECK(server.publish_to_all({.id = "1", .data = "x"}).ec == errc::id_is_assigned);
    CHECK(server.publish_to_all({}).ec == errc::nothing_to_send);
    CHECK(server.metrics().published == 2);
}

TEST_CASE("a client that missed a broadcast hears a gap from a topic that was not there") {
    hub server(1, {}, {});
    CHECK(server.publish_to_all({.data = "1"}).offset == 1);
    client name(server, to({"new"}, {.last_event_id = "1.0"}));
    client pattern(server, {.patterns = "new/*", .last_event_id = "1.0"});
    for (client* each : {&name, &pattern}) {
        CHECK(each->stream.resumption() == resumption::expired);
        each->drain();
        CHECK(each->events() == texts{gap("expired")});
    }
    client complete(server, to({"newer"}, {.last_event_id = "1.1"}));
    CHECK(complete.stream.resumption() == resumption::resumed);
}

TEST_CASE("a broadcast passes over closed topics") {
    hub server(1, {}, {});
    client ending(server, to({"a"}));
    client living(server, to({"a"}, {.patterns = "*"}));
    CHECK(server.close_topic("a") == errc::ok);
    CHECK(server.publish_to_all({.data = "1"}).ec == errc::ok);
    CHECK(ending.drain() == ssekit::drain_status::done);
    CHECK(ending.events().empty());
    CHECK(living.drain() == ssekit::drain_status::idle);
    CHECK(living.events() == texts{"1"});
}

TEST_CASE("a reader of a pattern that falls behind is told") {
    hub server(1, {}, {.keep = exactly(2)});
    client reader(server, {.patterns = "x/*", .on_lag = lag_policy::skip_to_oldest});
    reader.drain();
    for (int i = 1; i <= 5; ++i) say(server, "x/" + std::to_string(i), std::to_string(i));
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged", 3), "4", "5"});
}

TEST_CASE("a key belongs to its topic for readers of a pattern as well") {
    hub server(1, {}, {});
    client by_name(server, to({"x/1", "x/2"}, {.on_lag = lag_policy::coalesce}));
    client by_pattern(server, {.patterns = "x/*", .on_lag = lag_policy::coalesce});
    for (const char* const topic : {"x/1", "x/2", "x/1"}) {
        CHECK(server.publish(topic, {.data = topic}, "price").ec == errc::ok);
    }
    for (client* each : {&by_name, &by_pattern}) {
        each->drain();
        CHECK(each->events() == texts{"x/2", "x/1"});
    }
}

TEST_CASE("what a pattern has from before it was read is not missing where its topic lets it go") {
    hub server(1, {}, {});
    say(server, "a", "1");
    client reader(server, {.topics = "a", .patterns = "**", .start = start_point::earliest});
    CHECK(server.keep("a", exactly(1)) == errc::ok);
    for (const std::string_view data : {"2", "3"}) say(server, "a", data);
    reader.drain();
    CHECK(reader.events() == texts{"1", "2", "3"});
    CHECK(server.metrics().gaps == 0);
}
