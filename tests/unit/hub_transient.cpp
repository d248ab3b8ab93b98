// SPDX-License-Identifier: MIT
//
// Events that are not kept: those who listen now get them, in the order of publishing, and for
// nobody else is anything different from what it would be without them.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/counted_memory.hpp"
#include "support/dice.hpp"
#include "support/scripted_writer.hpp"
#include "support/times.hpp"

#include <ssekit/shared_hub.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::event_ids;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::start_point;
using ssekit::stream_end;
using support::bell;
using support::client;
using support::counted_memory;
using support::exactly;
using support::hint;
using support::noon;
using support::say;
using support::texts;
using support::to;
using support::untimed;

TEST_CASE("an event that is not kept has no id, and leaves the client's id what it is") {
    hub server(1, noon);
    client reader(server, to({"a"}));
    say(server, "a", "1");
    CHECK(server.publish_transient("a", {.type = "typing", .data = "eve"}).offset == 2);
    say(server, "a", "3");
    hint(server, "a", "4");
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.socket.got == "id: 1.0\n\n"
                               "id: 1.1\ndata: 1\n\n"
                               "event: typing\ndata: eve\n\n"
                               "id: 1.3\ndata: 3\n\n"
                               "data: 4\n\n");
    CHECK(reader.last_event_id() == "1.3");
    CHECK(server.metrics().published == 4);
    CHECK(server.metrics().delivered == 4);
    CHECK(server.metrics().gaps == 0);
}

TEST_CASE("an event that is not kept is never replayed") {
    hub server(1, noon);
    client slow(server, to({"a"})); // has not read it yet, so the hub has it still
    say(server, "a", "1");
    hint(server, "a", "2");
    say(server, "a", "3");
    client earliest(server, to({"a"}, {.start = start_point::earliest}));
    client resumed(server, to({"a"}, {.last_event_id = "1.0"}));
    client lost(server, to({"a"}, {.last_event_id = "2.0"}));
    client several(server, to({"b", "a"}, {.patterns = "*", .last_event_id = "1.1"}));
    CHECK(resumed.stream.resumption() == resumption::resumed);
    CHECK(several.stream.resumption() == resumption::resumed);
    hint(server, "a", "4");
    for (client* each : {&slow, &earliest, &resumed, &lost, &several}) each->drain();
    CHECK(slow.events() == texts{"1", "2", "3", "4"});
    CHECK(earliest.events() == texts{"1", "3", "4"});
    CHECK(resumed.events() == texts{"1", "3", "4"});
    CHECK(lost.events() == texts{support::gap("unknown"), "1", "3", "4"});
    CHECK(several.events() == texts{"3", "4"});
}

TEST_CASE("events that are not kept push no kept one out and are in no number of the topic") {
    hub server(1, noon, {.keep = exactly(2), .keep_transient = exactly(2)});
    client reader(server, to({"a"}));
    reader.drain();
    say(server, "a", "1");
    say(server, "a", "2");
    const std::size_t bytes = server.find_topic("a")->bytes;
    const auto room = server.room("a");
    for (int i = 0; i < 100; ++i) hint(server, "a", "x");
    CHECK(server.find_topic("a")->events == 2);
    CHECK(server.find_topic("a")->bytes == bytes);
    CHECK(server.room("a").events == room.events);
    CHECK(server.metrics().topics == 1);
    CHECK(server.subscribers("a") == 1);
    CHECK(server.subscribers() == 1);
    std::size_t topics = 0;
    server.for_each_topic([&](const ssekit::topic_info&) { ++topics; });
    CHECK(topics == 1);
    reader.drain();
    CHECK(reader.events() == texts{"1", "2", "x", "x"});
    client back(server, to({"a"}, {.last_event_id = "1.0"}));
    back.drain();
    CHECK(back.events() == texts{"1", "2"});
}

TEST_CASE("one event comes once to a stream, by whatever of its topics, patterns and tags") {
    hub server(1, noon);
    client reader(server, to({"a/1", "a/2"}, {.patterns = "a/*", .tag = "me"}));
    client pattern(server, to({"none"}, {.patterns = "a/**"}));
    say(server, "a/2", "1");
    CHECK(server.publish_transient({"a/1", "a/2"}, {.data = "2"}).ec == errc::ok);
    say(server, "a/1", "3");
    hint(server, "a/1", "4");
    CHECK(server.publish_transient_to_tag("me", {.data = "5"}).ec == errc::ok);
    CHECK(server.publish_to_tag("me", {.data = "6"}).ec == errc::ok);
    hint(server, "a/other", "7"); // of which there is no topic
    CHECK(server.publish_transient_to_all({.data = "8"}).ec == errc::ok);
    CHECK(server.publish_transient("a/1", {.data = "9"}).offset == 9);
    reader.drain();
    CHECK(reader.events() == texts{"1", "2", "3", "4", "5", "6", "7", "8", "9"});
    pattern.drain();
    CHECK(pattern.events() == texts{"1", "2", "3", "4", "7", "8", "9"});
    CHECK_FALSE(server.find_topic("a/other"));
}

TEST_CASE("where nobody reads, an event that is not kept is counted and gone and makes no topic") {
    hub server(1, noon, {.max_topics = 1});
    CHECK(server.keep("a", {}) == errc::ok);
    for (const std::string_view name : {"a", "b"}) {
        CHECK(server.publish_transient(name, {.data = "x"}).ec == errc::ok);
    }
    CHECK(server.publish_transient_to_tag("me", {.data = "x"}).ec == errc::ok);
    CHECK(server.publish_transient_to_all({.data = "x"}).ec == errc::ok);
    CHECK(server.metrics().published == 4);
    CHECK(server.metrics().topics == 1);
    CHECK(server.metrics().tags == 0);
    CHECK(server.metrics().log_bytes == 0);
    client reader(server, to({"a"}, {.tag = "me", .start = start_point::earliest}));
    reader.drain();
    CHECK(reader.socket.got == "id: 1.4\n\n"); // it has its place all the same
}

TEST_CASE("an event that is not kept wakes each idle stream once") {
    hub server(1, noon);
    char first = 'a', second = 'b';
    bell rung, other;
    client plain(server, to({"a"}, {.user = &first}));
    client wide(server, to({"c"}, {.patterns = "*", .user = &second}));
    client woken(server, to({"a", "b"}), rung.waker());
    client elsewhere(server, to({"c"}), other.waker());
    for (client* each : {&plain, &wide, &woken, &elsewhere}) each->drain();
    for (int i = 0; i < 3; ++i) { // also when the logs are there already
        hint(server, "a", "1");
        hint(server, "a", "2");
        CHECK(server.next_ready() == &first);
        CHECK(server.next_ready() == &second);
        CHECK(server.next_ready() == nullptr);
        CHECK(rung.take() == 1);
        for (client* each : {&plain, &wide, &woken}) {
            each->socket.got.clear();
            CHECK(each->drain() == drain_status::idle);
            CHECK(each->events() == texts{"1", "2"});
        }
    }
    CHECK(other.take() == 0);
}

TEST_CASE("what is not kept and not read in time is no gap, no lag and no end, only a number") {
    for (const lag_policy policy :
         {lag_policy::disconnect, lag_policy::detach, lag_policy::skip_to_oldest,
          lag_policy::skip_to_newest, lag_policy::coalesce}) {
        CAPTURE(static_cast<int>(policy));
        hub server(1, noon, {.keep_transient = exactly(2)});
        client late(server, to({"a"}, {.on_lag = policy}));
        client bound(server, to({"a"}, {.on_lag = policy, .max_lag = {.events = 1}}));
        for (int i = 1; i <= 5; ++i) hint(server, "a", std::to_string(i));
        say(server, "a", "kept");
        for (client* each : {&late, &bound}) CHECK(each->drain() == drain_status::idle);
        CHECK(late.events() == texts{"4", "5", "kept"});
        CHECK(bound.events() == texts{"5", "kept"});
        CHECK(server.metrics().transient_lost == 3 + 4);
        CHECK(server.metrics().gaps == 0);
        CHECK(server.metrics().skipped == 0);
    }
}

TEST_CASE("what is not kept is not given out once it is as old as its bound") {
    hub server(1, noon, untimed);
    client reader(server, to({"a"}));
    hint(server, "a", "1");
    server.tick(noon + 2s);
    hint(server, "a", "2");
    server.tick(noon + 5s); // what hub_options says
    reader.drain();
    CHECK(reader.events() == texts{"2"});
    hint(server, "a", "3"); // and stays the newest
    server.tick(noon + 1h);
    reader.drain();
    CHECK(reader.events() == texts{"2"});
    CHECK(server.metrics().transient_lost == 2);
    hub still(1, noon, {.keep_transient = {.age = -1ms}});
    client there(still, to({"a"}));
    hint(still, "a", "1");
    hint(still, "a", "2");
    there.drain();
    CHECK(there.events() == texts{"2"}); // what is being delivered
}

TEST_CASE("a burst of events that are not kept goes through to a reader that keeps up") {
    hub server(1, noon, {.keep_transient = {.events = 1, .bytes = 1}});
    client reader(server, to({"a"}));
    for (int i = 0; i < 1000; ++i) hint(server, "a", "x");
    reader.drain();
    CHECK(reader.events().size() == 1000);
    CHECK(server.metrics().transient_lost == 0);
}

TEST_CASE("keys, throttles and filters count for events that are not kept") {
    hub server(1, noon, untimed);
    client newest(server, to({"a"}, {.on_lag = lag_policy::coalesce}));
    client pattern(server, to({"x"}, {.patterns = "*", .on_lag = lag_policy::coalesce}));
    client wanted(server, to({"a"}, {.filter = [](const ssekit::event_summary& event) noexcept {
                                 return event.key == "eve" && event.topic == "a";
                             }}));
    hint(server, "a", "1", "eve");
    hint(server, "b", "2", "eve"); // another key: it is of another topic
    hint(server, "a", "3", "bob");
    hint(server, "a", "4", "eve");
    say(server, "a", {.data = "5"}, "bob"); // what is kept replaces only what is kept
    for (client* each : {&newest, &pattern, &wanted}) each->drain();
    CHECK(newest.events() == texts{"3", "4", "5"});
    CHECK(pattern.events() == texts{"2", "3", "4", "5"});
    CHECK(wanted.events() == texts{"1", "4"});

    bell rung;
    client calm(server, to({"a", "c"}, {.throttle = 1s}), rung.waker());
    calm.drain();
    hint(server, "a", "6", "eve");
    CHECK(rung.take() == 1);
    calm.drain();
    hint(server, "a", "7", "eve");
    hint(server, "c", "8"); // the first there: the stream does not know of it yet
    hint(server, "a", "9", "eve");
    calm.drain();
    CHECK(calm.events() == texts{"6"});
    CHECK(rung.take() == 0);
    server.tick(noon + 1s);
    CHECK(rung.take() == 1);
    calm.drain();
    CHECK(calm.events() == texts{"6", "8", "9"});
    hint(server, "c", "10");
    calm.drain();
    server.tick(noon + 2s);
    calm.drain();
    CHECK(calm.events() == texts{"6", "8", "9", "10"});
}

TEST_CASE("a stream whose throttle opens learns of the first such event that came meanwhile") {
    hub server(1, noon, untimed);
    bell rung;
    client calm(server, to({"a"}, {.throttle = 1s}), rung.waker());
    calm.drain();
    say(server, "a", "1");
    calm.drain();
    CHECK(rung.take() == 1);
    hint(server, "a", "2");
    CHECK(rung.take() == 0);
    server.tick(noon + 1s);
    CHECK(rung.take() == 1);
    calm.drain();
    CHECK(calm.events() == texts{"1", "2"});
}

TEST_CASE("what has gone and was not kept makes no number of missing events unsure") {
    hub server(1, noon, {.keep = exactly(1), .keep_transient = exactly(1)});
    client reader(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    reader.drain();
    say(server, {"a", "z"}, "1");
    hint(server, "a", "2");
    hint(server, "a", "3");
    say(server, {"a", "z"}, "4");
    say(server, {"a", "z"}, "5");
    reader.drain();
    CHECK(reader.events() == texts{"3", support::gap("lagged", 2), "5"});
}

TEST_CASE("an event that is not kept is refused with what it may not have") {
    for (const event_ids ids : {event_ids::by_hub, event_ids::by_publisher, event_ids::none}) {
        hub server(1, noon, {.ids = ids, .max_topic_length = 3});
        client reader(server, to({"a"}));
        CHECK(server.publish_transient("a", {.id = "7", .data = ""}).ec == errc::id_is_assigned);
        CHECK(server.publish_transient("a", {}).ec == errc::nothing_to_send);
        CHECK(server.publish_transient("a", {.type = "a\nb", .data = ""}).ec == errc::invalid_type);
        CHECK(server.publish_transient({}, {.data = ""}).ec == errc::invalid_topic);
        CHECK(server.publish_transient({"a", ""}, {.data = ""}).ec == errc::invalid_topic);
        CHECK(server.publish_transient("long", {.data = ""}).ec == errc::invalid_topic);
        CHECK(server.metrics().refused_events[errc::invalid_topic] == 3);
        CHECK(server.publish_transient("a", {.retry = 5ms}).ec == errc::ok);
        reader.socket.got.clear();
        CHECK(reader.drain() == drain_status::idle);
        CHECK(reader.socket.got.ends_with("retry: 5\n\n"));
        CHECK(server.metrics().published == 1);
        CHECK(server.close() == errc::ok);
        CHECK(server.publish_transient("a", {.data = ""}).ec == errc::closed);
        CHECK(server.publish_transient_to_all({.data = ""}).ec == errc::closed);
    }
    hub shared(1, noon, {.ids = event_ids::by_sequence});
    client reader(shared, to({"a"}));
    CHECK(shared.publish_transient("a", {.data = "x"}).ec == errc::out_of_sequence);
    CHECK(shared.publish_transient_to_all({.data = "x"}).ec == errc::out_of_sequence);
}

TEST_CASE("after events that are not kept the ids of openings and heartbeats are right") {
    constexpr hub_options beats{.heartbeat = {.interval = 15s, .jitter = 0}, .write_deadline = 0s};
    hub server(1, noon, beats);
    client plain(server, to({"a"}));
    say(server, "a", "1");
    plain.drain();
    hint(server, "a", "2");
    plain.drain();
    server.tick(noon + 15s);
    server.tick(noon + 31s);
    plain.drain();
    CHECK(plain.last_event_id() == "1.2"); // as after any event that it does not come back for
    say(server, "a", "3");
    hint(server, "a", "4");
    client next(server, to({"a"}));
    next.drain();
    CHECK(next.socket.got == "id: 1.4\n\n");
    client back(server, to({"a"}, {.last_event_id = "1.2"}));
    client later(server, to({"a"}, {.last_event_id = "1.4"}));
    for (client* each : {&back, &later}) {
        CHECK(each->stream.resumption() == resumption::resumed);
        each->drain();
    }
    CHECK(back.events() == texts{"3"});
    CHECK(later.events() == texts{});
    CHECK(later.last_event_id() == "1.4");
}

TEST_CASE("a heartbeat brings no id past a kept event that a stream has not been given") {
    hub_options beats{.heartbeat = {.interval = 15s, .jitter = 0}, .write_deadline = 0s};
    hub server(1, noon, beats);
    client calm(server, to({"a"}, {.throttle = 1h}));
    calm.drain();
    say(server, "a", "1");
    calm.drain();
    say(server, "a", "2");
    hint(server, "a", "3");
    for (int i = 1; i <= 4; ++i) server.tick(noon + i * 16s);
    calm.drain();
    CHECK(calm.heartbeats() == 1);
    CHECK(calm.last_event_id() == "1.1");
}

TEST_CASE("where publishers give ids, events that are not kept change no id") {
    hub_options given{.ids = event_ids::by_publisher,
                      .id_less = ssekit::numeric_ids(),
                      .heartbeat = {.interval = 15s, .jitter = 0},
                      .write_deadline = 0s};
    hub server(1, noon, given);
    client reader(server, to({"a"}));
    say(server, "a", {.id = "10", .data = "x"});
    hint(server, "a", "y");
    reader.drain();
    server.tick(noon + 16s);
    server.tick(noon + 32s);
    reader.drain();
    CHECK(reader.heartbeats() == 2);
    CHECK(reader.last_event_id() == "10");
    client next(server, to({"a"}));
    next.drain();
    CHECK(next.last_event_id() == "10");
    CHECK(server.cursor("a").view() == "10");
    say(server, "a", {.id = "11", .data = "z"});
    client back(server, to({"a"}, {.last_event_id = "10"}));
    CHECK(back.stream.resumption() == resumption::resumed);
    back.drain();
    CHECK(back.events() == texts{"z"});
}

TEST_CASE("streams of a topic that closes get what is not kept and not read, before they end") {
    hub server(1, noon);
    client one(server, to({"a"}));
    client two(server, to({"a", "b"}));
    hint(server, "a", "1");
    CHECK(server.close_topic("a", {.data = "last"}) == errc::ok);
    CHECK(server.publish_transient("a", {.data = "2"}).ec == errc::topic_closed);
    CHECK(server.publish_transient({"b", "a"}, {.data = "2"}).ec == errc::topic_closed);
    CHECK(server.publish_transient_to_all({.data = "3"}).ec == errc::ok); // which is open
    CHECK(one.drain() == drain_status::done);
    CHECK(one.events() == texts{"1", "last"});
    CHECK(two.drain() == drain_status::idle);
    CHECK(two.events() == texts{"1", "last", "3"});
    CHECK(server.reopen_topic("a") == errc::ok);
    hint(server, "a", "4");
    two.drain();
    CHECK(two.events() == texts{"1", "last", "3", "4"});
    CHECK(server.metrics().transient_lost == 0);
}

TEST_CASE("streams of a forgotten topic get what is not kept and not read, and its name is free") {
    hub server(1, noon);
    client one(server, to({"a"}));
    client two(server, to({"a", "b"}));
    hint(server, "a", "1");
    CHECK(server.forget_topic("a"));
    client fresh(server, to({"a"}));
    hint(server, "a", "2");
    CHECK(one.drain() == drain_status::done);
    CHECK(one.events() == texts{"1"});
    CHECK(two.drain() == drain_status::idle);
    CHECK(two.events() == texts{"1"});
    fresh.drain();
    CHECK(fresh.events() == texts{"2"});
    hint(server, "b", "3");
    two.drain();
    CHECK(two.events() == texts{"1", "3"});
}

TEST_CASE("what a throttle holds back of a forgotten topic comes when it opens") {
    hub server(1, noon, untimed);
    client calm(server, to({"a", "b"}, {.throttle = 1s}));
    hint(server, "a", "1");
    calm.drain();
    hint(server, "a", "2");
    CHECK(server.forget_topic("a"));
    calm.drain();
    CHECK(calm.events() == texts{"1"});
    server.tick(noon + 1s);
    CHECK(calm.drain() == drain_status::idle);
    CHECK(calm.events() == texts{"1", "2"});
}

TEST_CASE("a hub that closes flushes what is not kept") {
    hub server(1, noon);
    bell rung;
    client plain(server, to({"a"}), rung.waker());
    plain.drain();
    hint(server, "a", "1");
    CHECK(server.close({.farewell = {.data = "bye"}}) == errc::ok);
    CHECK(plain.drain() == drain_status::done);
    CHECK(plain.events() == texts{"1", "bye"});
    CHECK(rung.take() == 1);
}

TEST_CASE("a topic that is added brings what is not kept from the next event on") {
    hub server(1, noon);
    client other(server, to({"b"}));
    client reader(server, to({"a"}));
    hint(server, "a", "1");
    hint(server, "b", "2");
    CHECK(reader.stream.add_topics("b") == errc::ok);
    hint(server, "b", "3");
    hint(server, "a", "4");
    CHECK(reader.stream.remove_topics("a") == errc::ok); // the first: "b" takes its place
    hint(server, "a", "5");
    hint(server, "b", "6");
    CHECK(reader.stream.add_topics("a") == errc::ok);
    hint(server, "b", "7");
    hint(server, "a", "8");
    reader.drain();
    CHECK(reader.events() == texts{"3", "6", "7", "8"});
    CHECK(reader.stream.remove_topics("b") == errc::ok);
    CHECK(reader.stream.remove_topics("a") == errc::invalid_topic);
    hint(server, "a", "9");
    reader.drain();
    CHECK(reader.events() == texts{"3", "6", "7", "8", "9"});
    other.drain();
    CHECK(other.events() == texts{"2", "3", "6", "7"});
}

TEST_CASE("a topic that is added takes nothing from what others have brought meanwhile") {
    hub server(1, noon);
    client other(server, to({"b"}));
    client reader(server, to({"a"}));
    hint(server, "b", "1");
    hint(server, "a", "2"); // of which the stream does not know yet
    CHECK(reader.stream.add_topics("b") == errc::ok);
    hint(server, "b", "3");
    reader.drain();
    CHECK(reader.events() == texts{"2", "3"});
}

TEST_CASE("what is not kept goes with the last reader") {
    hub server(1, noon);
    for (int i = 0; i < 3; ++i) {
        auto first = std::make_unique<client>(server, to({"a"}));
        auto second = std::make_unique<client>(server, to({"b", "a"}));
        hint(server, "a", "x");
        first->drain();
        CHECK(server.metrics().log_bytes != 0);
        first.reset();
        second->drain();
        CHECK(second->events() == texts{"x"});
        second.reset();
        CHECK(server.metrics().log_bytes == 0);
        CHECK(server.metrics().topics == 0);
    }
}

TEST_CASE("each stream gets what it reads, kept or not, in order and once") {
    constexpr std::string_view names[] = {"a/1", "a/2", "b", "c"};
    struct listener {
        std::unique_ptr<client> stream;
        std::set<std::string_view> reads;
        bool pattern;
        bool tagged;
        texts due;
    };
    for (std::uint32_t seed = 0; seed < 100; ++seed) {
        CAPTURE(seed);
        support::dice dice(seed);
        hub_options options = untimed;
        options.keep_transient = {.age = 0s};
        hub server(1, noon, options);
        std::vector<listener> all(4);
        const auto drain = [&](listener& each) {
            each.stream->drain();
            REQUIRE(each.stream->events() == each.due);
        };
        for (int step = 0; step < 150; ++step) {
            listener& one = all[dice.below(all.size())];
            const std::string_view name = dice.pick(names);
            const bool starts = one.stream == nullptr;
            if (starts) {
                one.reads = {name};
                one.pattern = dice.one_in(2);
                one.tagged = dice.one_in(3);
                one.due.clear();
                ssekit::subscribe_options how{.topics = name};
                if (one.pattern) how.patterns = "a/*";
                if (one.tagged) how.tag = "me";
                one.stream = std::make_unique<client>(server, how);
            }
            const std::string data = std::to_string(step);
            const std::string_view other = dice.pick(names);
            bool to_all = false;
            bool to_tag = false;
            switch (starts ? 9 : dice.below(10)) {
            case 0: one.stream.reset(); continue;
            case 1:
                REQUIRE(one.stream->stream.add_topics(name) == errc::ok);
                one.reads.insert(name);
                continue;
            case 2:
                drain(one); // what it has not read of the topic would go
                if (one.stream->stream.remove_topics(name) == errc::ok) one.reads.erase(name);
                continue;
            case 3:
            case 4: drain(one); continue;
            case 5:
                to_all = true;
                REQUIRE(server.publish_transient_to_all({.data = data}).offset != 0);
                break;
            case 6:
                to_tag = true;
                REQUIRE(server.publish_transient_to_tag("me", {.data = data}).offset != 0);
                break;
            case 7: say(server, {name, other}, {.data = data}); break;
            default: hint(server, {name, other}, data); break;
            }
            for (listener& each : all) {
                if (each.stream == nullptr) continue;
                const auto reads = [&](std::string_view asked) {
                    return each.reads.contains(asked) || (each.pattern && asked.starts_with("a/"));
                };
                const bool due = to_tag ? each.tagged : to_all || reads(name) || reads(other);
                if (due) each.due.push_back(data);
            }
        }
        for (listener& each : all) {
            if (each.stream != nullptr) drain(each);
        }
        CHECK(server.metrics().transient_lost == 0);
    }
}

TEST_CASE("without memory a stream or a publisher is told, and nothing is half done") {
    bool whole = false;
    for (std::size_t grace = 0; !whole; ++grace) {
        CAPTURE(grace);
        counted_memory memory;
        {
            hub_options options = untimed;
            options.memory = &memory;
            hub server(1, noon, options);
            client plain(server, to({"a"}));
            client wide(server, to({"b"}, {.patterns = "*"}));
            plain.drain();
            wide.drain();
            memory.grace = grace;
            const errc code = server.publish_transient({"a", "b"}, {.data = "x"}, "key").ec;
            const bool published = !memory.struck;
            CHECK(code == (published ? errc::ok : errc::out_of_memory));
            if (published) {
                plain.drain();
                wide.drain();
            }
            const errc added = published ? plain.stream.add_topics("b") : errc::ok;
            whole = !memory.struck;
            memory.grace = counted_memory::unlimited;
            if (!published) CHECK(server.metrics().log_bytes == 0);
            for (client* each : {&plain, &wide}) {
                if (each->stream.end() == stream_end::open) continue;
                CHECK_FALSE(whole);
                CHECK(each->stream.end() == stream_end::out_of_memory);
            }
            if (whole) CHECK(added == errc::ok);
            if (!published) {
                hint(server, "a", "x");
                plain.drain();
                wide.drain();
                CHECK(plain.events() == texts{"x"});
                CHECK(wide.events() == texts{"x"});
            } else if (added != errc::ok && plain.stream.end() == stream_end::open) {
                CHECK(added == errc::out_of_memory);
                CHECK(plain.stream.add_topics("b") == errc::ok);
                hint(server, "b", "y");
                plain.drain();
                CHECK(plain.events() == texts{"x", "y"});
            }
        }
        CHECK(memory.live() == 0);
    }
}

TEST_CASE("a shared hub publishes what is not kept as a hub does") {
    ssekit::shared_hub server(1, noon);
    auto [stream, code] = server.subscribe(to({"a"}, {.tag = "me"}));
    REQUIRE(code == errc::ok);
    CHECK(server.publish_transient("a", {.data = "1"}).ec == errc::ok);
    CHECK(server.publish_transient_to_tag("me", {.data = "2"}).ec == errc::ok);
    CHECK(server.publish_transient_to_all({.data = "3"}).offset == 3);
    support::scripted_writer socket;
    CHECK(ssekit::drain(stream, socket) == drain_status::idle);
    CHECK(socket.got == "id: 1.0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n");
}
