// SPDX-License-Identifier: MIT
//
// Topics that come and go: asked for, forgotten, opened again, and gone when nobody has used them
// for long or others need their places. What is lost with them is told, and nothing else is.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/counted_memory.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::resumption;
using ssekit::start_point;
using ssekit::stream_end;
using ssekit::time_point;
using support::bell;
using support::client;
using support::exactly;
using support::gap;
using support::noon;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr std::array<std::string_view, 2> a_and_b = {"a", "b"};

/// The topics that are there, in the order of making.
texts topics_of(const hub& server) {
    texts out;
    server.for_each_topic(
        [&](const ssekit::topic_info& topic) { out.push_back(std::string(topic.name)); });
    return out;
}

/// A topic for each of so many jobs, one after another, half of which close it.
void run_jobs(std::uint64_t jobs) {
    support::counted_memory memory;
    hub server(
        1, noon,
        {.keep = {.events = 8}, .write_deadline = 0s, .max_topics = 1000, .memory = &memory});
    client news(server, to({"news"}));
    CHECK(server.keep("prices", {.events = 8}) == errc::ok);
    char text[] = "job/0000000000000000";
    std::uint64_t refused = 0;
    std::size_t settled = 0, most = 0;
    for (std::uint64_t job = 0; job != jobs; ++job) {
        std::uint64_t rest = job;
        for (std::size_t digit = 19; rest != 0; rest /= 10) {
            text[digit--] = static_cast<char>('0' + rest % 10);
        }
        const std::string_view name(text, 20);
        refused += server.publish(name, {.data = "done"}).ec != errc::ok;
        if (job % 2 == 0) refused += server.close_topic(name) != errc::ok;
        if (job % 1024 == 0) server.tick(noon + std::chrono::milliseconds(job));
        if (job == 30'000) settled = most = memory.live_bytes;
        if (job > 30'000 && memory.live_bytes > most) most = memory.live_bytes;
    }
    CHECK(refused == 0);
    CHECK(server.metrics().topics == 1000);
    CHECK(most <= settled + settled / 50);
    say(server, "news", "1");
    say(server, "prices", "2");
    news.drain();
    CHECK(news.events() == texts{"1"});
    client fresh(server, to({"news", "prices"}, {.start = start_point::earliest}));
    fresh.drain();
    CHECK(fresh.events() == texts{"1", "2"});
}

} // namespace

TEST_CASE("a stream of what has to exist is refused where it does not") {
    hub server(1, noon, {});
    const auto ask = [&](std::string_view name) {
        return client(server, {.topics = name, .must_exist = true}).ec;
    };
    CHECK(ask("job") == errc::no_such_topic);
    CHECK(server.metrics().topics == 0); // asking makes none
    CHECK(server.metrics().refused_streams[errc::no_such_topic] == 1);
    SUBCASE("it is there with an event") {
        say(server, "job", "1");
    }
    SUBCASE("it is there because it is kept") {
        CHECK(server.keep("job", {}) == errc::ok);
    }
    SUBCASE("it is there because somebody reads it") {
        client other(server, to({"job"}));
        CHECK(ask("job") == errc::ok);
        CHECK(server.keep("job", {}) == errc::ok);
    }
    CHECK(ask("job") == errc::ok);
    CHECK(client(server, to({"job", "none"}, {.must_exist = true})).ec == errc::no_such_topic);
    CHECK(client(server, {.topics = "job", .must_exist = true, .patterns = "x/*", .tag = "t"}).ec ==
          errc::ok);
    CHECK(client(server, {.must_exist = true, .patterns = "x/*"}).ec == errc::ok);
    CHECK(client(server, {.must_exist = true}).ec == errc::invalid_topic);
    CHECK(server.close_topic("job", {.data = "end"}, 10s) == errc::ok);
    CHECK(client(server, {.topics = "job", .must_exist = true, .last_event_id = "1.0"}).ec ==
          errc::ok);
    server.tick(noon + 11s);
    CHECK(ask("job") == errc::no_such_topic);
}

TEST_CASE("a topic is found as it is") {
    hub server(1, noon, {});
    CHECK_FALSE(server.find_topic("a"));
    CHECK_FALSE(server.find_topic(""));
    client reader(server, {.topics = "a", .patterns = "b/*"});
    say(server, "a", "1");
    const auto found = server.find_topic("a");
    REQUIRE(found);
    CHECK(found->name == "a");
    CHECK(found->subscribers == 1);
    CHECK(found->events == 1);
    CHECK(found->bytes == std::string_view("id: 1.1\ndata: 1\n\n").size());
    CHECK_FALSE(found->pattern);
    CHECK_FALSE(found->closed);
    REQUIRE(server.find_topic("b/*"));
    CHECK(server.find_topic("b/*")->pattern);
    CHECK(server.close_topic("a") == errc::ok);
    CHECK(server.find_topic("a")->closed);
    const std::string name = "a";
    CHECK(server.find_topic(name)->name.data() == name.data()); // the argument
}

TEST_CASE("a topic that is forgotten goes at once, with its events, bounds and name") {
    hub server(1, noon, {});
    CHECK_FALSE(server.forget_topic("a"));
    CHECK(server.keep("a", exactly(1)) == errc::ok);
    say(server, "a", "1");
    say(server, "a", "2");
    CHECK(server.forget_topic("a"));
    CHECK_FALSE(server.forget_topic("a"));
    CHECK(topics_of(server).empty());
    CHECK(server.metrics().log_bytes == 0);
    client late(server, to({"a"}, {.start = start_point::earliest}));
    late.drain();
    CHECK(late.events().empty());
    for (const char* each : {"3", "4"}) say(server, "a", each);
    late.drain();
    CHECK(late.events() == texts{"3", "4"}); // by the hub's bounds
}

TEST_CASE("a client of a forgotten topic is told of a gap if it has missed something") {
    hub server(1, noon, {});
    say(server, "a", "1");
    say(server, "a", "2");
    say(server, "b", "3");
    CHECK(server.forget_topic("a"));
    client behind(server, to({"a"}, {.last_event_id = "1.1"}));
    behind.drain();
    CHECK(behind.events() == texts{gap("expired")});
    client whole(server, to({"a"}, {.last_event_id = "1.2"}));
    whole.drain();
    CHECK(whole.events().empty());
    CHECK(whole.stream.resumption() == resumption::resumed);
    CHECK(client(server, to({"a"}, {.last_event_id = "1.0", .on_gap = gap_policy::refuse})).ec ==
          errc::replay_refused);
    client other(server, to({"b"}, {.last_event_id = "1.0"}));
    other.drain();
    CHECK(other.events() == texts{"3"});
}

TEST_CASE("streams of a forgotten topic get what they have not read and end") {
    hub server(1, noon, {});
    bell rung;
    client idle(server, to({"a"}), rung.waker());
    client behind(server, to({"a"}));
    client both(server, to({"a", "b"}));
    for (client* each : {&idle, &behind, &both}) each->drain();
    say(server, "a", "1");
    idle.drain();
    rung.take();
    CHECK(server.forget_topic("a"));
    CHECK(rung.take() == 1);
    CHECK(server.subscribers("a") == 0);
    for (client* each : {&idle, &behind}) {
        CHECK(each->drain() == drain_status::done);
        CHECK(each->stream.end() == stream_end::topic_closed);
        CHECK(each->events() == texts{"1"});
    }
    CHECK(both.drain() == drain_status::idle);
    say(server, "a", "of another topic of this name");
    say(server, "b", "2");
    both.drain();
    CHECK(both.events() == texts{"1", "2"});
    CHECK(server.metrics().topic_closed == 2);
    CHECK(server.metrics().topics_made_way + server.metrics().topics_timed_out == 0);
}

TEST_CASE("patterns keep what a forgotten topic has given them") {
    hub server(1, noon, {});
    client all(server, {.patterns = "*"});
    all.drain();
    say(server, "a", "1");
    CHECK(server.forget_topic("a"));
    say(server, "a", "2");
    CHECK(all.drain() == drain_status::idle);
    CHECK(all.events() == texts{"1", "2"});
}

TEST_CASE("a topic that is opened again has lost nothing") {
    hub server(1, noon, {});
    client ended(server, to({"a"}));
    client both(server, to({"a", "b"}));
    client busy(server, to({"a"}));
    for (client* each : {&ended, &both, &busy}) each->drain();
    say(server, "a", "1");
    CHECK(server.close_topic("a", {.data = "end"}, 10s) == errc::ok);
    CHECK(ended.drain() == drain_status::done);
    CHECK(both.drain() == drain_status::idle);
    server.tick(noon + 9s);
    CHECK(server.reopen_topic("a") == errc::ok);
    CHECK(server.reopen_topic("a") == errc::ok);
    CHECK(say(server, "a", "2") == 3);
    server.tick(noon + 60s); // the time of the first end is over
    CHECK(say(server, "b", "3") == 4);
    CHECK(both.drain() == drain_status::idle);
    CHECK(both.events() == texts{"1", "end", "2", "3"});
    CHECK(busy.drain() == drain_status::idle); // it has not seen the end
    CHECK(busy.events() == texts{"1", "end", "2"});
    CHECK(ended.stream.end() == stream_end::topic_closed);
    const std::string seen = ended.last_event_id();
    client back(server, to({"a"}, {.last_event_id = seen}));
    CHECK(back.drain() == drain_status::idle);
    CHECK(back.events() == texts{"2"});
    CHECK(server.close_topic("a") == errc::ok);
    CHECK(back.drain() == drain_status::done);
}

TEST_CASE("a topic is opened again only within its time") {
    hub server(1, noon, {});
    CHECK(server.reopen_topic("a") == errc::no_such_topic);
    CHECK(server.close_topic("a", {.data = "end"}, 10s) == errc::ok);
    server.tick(noon + 10s); // the name may still be there
    CHECK(server.reopen_topic("a") == errc::no_such_topic);
    server.tick(noon + 11s);
    CHECK(server.reopen_topic("a") == errc::no_such_topic);
    CHECK(server.close() == errc::ok);
    CHECK(server.reopen_topic("a") == errc::closed);
}

TEST_CASE("streams of several topics leave a closed one when it can no longer be opened again") {
    hub server(1, noon, {});
    bell rung;
    client both(server, to({"a", "b"}), rung.waker());
    both.drain();
    CHECK(server.close_topic("a", {}, 10s) == errc::ok);
    both.drain();
    CHECK(server.subscribers("a") == 1);
    rung.take();
    server.tick(noon + 11s);
    CHECK(rung.take() == 1);
    both.drain();
    CHECK(topics_of(server) == texts{"b"});
    say(server, "b", "1");
    CHECK(rung.take() == 1);
    both.drain();
    CHECK(both.events() == texts{"1"});
}

TEST_CASE("a new topic takes the place of the one that was used longest ago") {
    hub server(1, noon, {.max_topics = 3});
    for (const char* each : {"a", "b", "c"}) say(server, each, each);
    say(server, "a", "again"); // so it was used after b and c
    say(server, "d", "d");
    CHECK(topics_of(server) == texts{"a", "c", "d"});
    {
        client brief(server, to({"c"})); // it has been read, and left
    }
    client reader(server, to({"e"}));
    CHECK(topics_of(server) == texts{"c", "d", "e"});
    CHECK(server.publish_to_all({.data = "x"}).ec == errc::ok); // no use of any
    CHECK(server.keep("f", {}) == errc::ok);
    CHECK(topics_of(server) == texts{"c", "e", "f"});
    CHECK(server.close_topic("g", {}, 10s) == errc::ok);
    CHECK(topics_of(server) == texts{"e", "f", "g"});
    say(server, "h", "h"); // a closed one that nobody reads may go before its time
    CHECK(topics_of(server) == texts{"e", "f", "h"});
    CHECK(server.metrics().topics_made_way == 5);
}

TEST_CASE("what is read or kept never goes for another topic") {
    hub server(1, noon, {.keep_idle = 1s, .write_deadline = 0s, .max_topics = 3});
    client reader(server, {.topics = "read", .patterns = "x/*"});
    CHECK(server.keep("kept", {}) == errc::ok);
    say(server, "kept", "1");
    CHECK(server.publish("new", {.data = "x"}).ec == errc::too_many_topics);
    CHECK(client(server, to({"new"})).ec == errc::too_many_topics);
    server.tick(noon + 1h);
    CHECK(topics_of(server) == texts{"read", "kept", "x/*"});
    server.keep_no_more("kept");
    CHECK(server.publish("new", {.data = "x"}).ec == errc::ok);
    CHECK(topics_of(server) == texts{"read", "new", "x/*"});
}

TEST_CASE("tags make way as topics do") {
    hub server(1, noon, {.max_tags = 2});
    for (const char* each : {"u", "v", "u", "w"}) {
        CHECK(server.publish_to_tag(each, {.data = each}).ec == errc::ok);
    }
    CHECK(server.metrics().tags == 2);
    client v(server, {.topics = "a", .tag = "v", .last_event_id = "1.0"}); // u has to go for it
    v.drain();
    CHECK(v.events() == texts{gap("expired")});
    CHECK(server.metrics().topics_made_way == 2);
    client w(server, {.topics = "a", .tag = "w", .last_event_id = "1.0"});
    w.drain();
    CHECK(w.events() == texts{"w"});
    CHECK(client(server, {.topics = "a", .tag = "x"}).ec == errc::too_many_topics);
}

TEST_CASE("a call that names several topics does not lose one of them to another") {
    hub server(1, noon, {.max_topics = 3});
    for (const char* each : {"a", "b", "c"}) say(server, each, each);
    constexpr std::array<std::string_view, 3> new_and_old = {"d", "e", "a"};
    SUBCASE("publish") {
        CHECK(server.publish(new_and_old, {.data = "x"}).ec == errc::ok);
        CHECK(topics_of(server) == texts{"a", "d", "e"});
        CHECK(server.find_topic("a")->events == 2);
    }
    SUBCASE("subscribe") {
        client reader(server, {.topics = new_and_old, .last_event_id = "1.0"});
        reader.drain();
        CHECK(reader.events() == texts{"a"});
        CHECK(topics_of(server) == texts{"a", "d", "e"});
    }
    SUBCASE("add_topics") {
        client reader(server, to({"a"}));
        CHECK(reader.stream.add_topics(a_and_b) == errc::ok);
        constexpr std::array<std::string_view, 2> more = {"d", "b"};
        CHECK(reader.stream.add_topics(more) == errc::ok);
        CHECK(topics_of(server) == texts{"a", "b", "d"});
    }
    SUBCASE("more than there may be") {
        constexpr std::array<std::string_view, 4> many = {"d", "a", "e", "b"};
        CHECK(server.publish(many, {.data = "x"}).ec == errc::too_many_topics);
        CHECK(client(server, {.topics = many}).ec == errc::too_many_topics);
        CHECK(topics_of(server) == texts{"a", "b", "c"});
        say(server, "d", "d");
        CHECK(topics_of(server) == texts{"b", "c", "d"}); // the order is what it was
    }
}

TEST_CASE("nothing goes for a call that is refused") {
    hub server(1, noon, {.max_subscribers_per_topic = 1, .max_topics = 3});
    client reader(server, to({"full"}));
    for (const char* each : {"a", "b"}) say(server, each, each);
    constexpr std::array<std::string_view, 2> impossible = {"new", ""};
    CHECK(server.publish(impossible, {.data = "x"}).ec == errc::invalid_topic);
    CHECK(client(server, {.topics = impossible}).ec == errc::invalid_topic);
    CHECK(client(server, to({"new", "full"})).ec == errc::topic_is_full);
    CHECK(
        client(server, to({"new", "a"}, {.last_event_id = "?", .on_gap = gap_policy::refuse})).ec ==
        errc::replay_refused);
    CHECK(server.publish("new", {.id = "1", .data = "x"}).ec == errc::id_is_assigned);
    CHECK(server.close_topic("new", {.id = "1", .data = "x"}) == errc::id_is_assigned);
    CHECK(topics_of(server) == texts{"full", "a", "b"});
    CHECK(server.metrics().topics_made_way == 0);
    say(server, "c", "c");
    CHECK(topics_of(server) == texts{"full", "b", "c"}); // a was used before b
}

TEST_CASE("nothing goes for a call that finds no memory") {
    std::size_t failures = 0;
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 100);
        support::counted_memory memory;
        hub server(1, noon, {.max_topics = 2, .memory = &memory});
        for (const char* each : {"a", "b"}) say(server, each, each);
        constexpr std::array<std::string_view, 2> c_and_b = {"c", "b"};
        memory.grace = grace;
        errc code = errc::ok;
        if (grace % 2 == 0) {
            code = server.publish(c_and_b, {.data = "x"}).ec;
        } else {
            code = client(server, {.topics = c_and_b}).ec;
        }
        memory.grace = memory.unlimited;
        if (!memory.struck) {
            CHECK(code == errc::ok);
            if (failures > 4) break;
            continue;
        }
        ++failures;
        if (code == errc::ok) continue; // it was needed to remember a name by
        CHECK(code == errc::out_of_memory);
        CHECK(topics_of(server) == texts{"a", "b"});
        client back(server, {.topics = a_and_b, .last_event_id = "1.0"});
        back.drain();
        CHECK(back.events() == texts{"a", "b"});
    }
}

TEST_CASE("a topic that is named twice and keeps nothing goes once") {
    hub server(1, noon, {.keep = {.age = -1ms}});
    constexpr std::array<std::string_view, 3> twice = {"a", "b", "a"};
    CHECK(server.publish(twice, {.data = "x"}).ec == errc::ok);
    CHECK(server.metrics().topics == 0);
    CHECK(server.metrics().log_bytes == 0);
}

TEST_CASE("what nobody has used for long is forgotten in time") {
    hub server(1, noon, {.keep_idle = 10s});
    say(server, "a", "1");
    CHECK(server.publish_to_tag("t", {.data = "2"}).ec == errc::ok);
    CHECK(server.next_deadline() == noon + 10s);
    server.tick(noon + 5s);
    say(server, "b", "3");
    std::optional<client> reader(std::in_place, server, to({"c"}));
    CHECK(server.publish_to_all({.data = "4"}).ec == errc::ok); // no use of any
    server.tick(noon + 10s - 1ms);
    CHECK(server.metrics().topics == 3);
    server.tick(noon + 10s);
    CHECK(topics_of(server) == texts{"b", "c"});
    CHECK(server.metrics().tags == 0);
    server.tick(noon + 14s);
    say(server, "b", "5"); // it has ten seconds more
    server.tick(noon + 20s);
    CHECK(topics_of(server) == texts{"b", "c"});
    reader.reset();
    server.tick(noon + 24s);
    CHECK(topics_of(server) == texts{"c"}); // idle since its reader has gone
    server.tick(noon + 30s);
    CHECK(topics_of(server).empty());
    CHECK(server.metrics().topics_timed_out == 4);
    CHECK(server.next_deadline() == ssekit::never);
    client back(server, to({"b"}, {.last_event_id = "1.4"}));
    back.drain();
    CHECK(back.events() == texts{gap("expired")});
}

TEST_CASE("the time of idle topics may have any length") {
    for (const auto time :
         {0ms, 1ms, -1ms, std::chrono::milliseconds::max(), std::chrono::milliseconds::min()}) {
        CAPTURE(time.count());
        hub server(1, noon, {.keep_idle = time});
        say(server, "a", "1");
        CHECK(server.metrics().topics == 1);
        server.tick(noon + 1ms);
        CHECK(server.metrics().topics == (time == 1ms || time < 0ms ? 0 : 1));
        server.tick(noon + 24h);
        CHECK(server.metrics().topics == (time == 1ms || time < 0ms ? 0 : 1));
    }
}

TEST_CASE("a closed topic goes earlier if it has been idle for too long") {
    hub server(1, noon, {.keep_idle = 10s});
    CHECK(server.close_topic("a", {.data = "end"}, 1h) == errc::ok);
    server.tick(noon + 9s);
    CHECK(server.close_topic("b", {.data = "end"}, 1s) == errc::ok);
    server.tick(noon + 10s + 500ms);
    CHECK(topics_of(server).empty());
    CHECK(server.metrics().topics_timed_out == 1);
}

TEST_CASE("jobs without end fit a hub of a thousand topics and starve no other") {
    run_jobs(60'000);
}

// What a busy server sees in years. It takes half a minute: run it by --no-skip, optimised.
TEST_CASE("ten million jobs do so as well" * doctest::skip()) {
    run_jobs(10'000'000);
}
