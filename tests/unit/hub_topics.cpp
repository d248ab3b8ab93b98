// SPDX-License-Identifier: MIT
//
// The life of a topic: kept, closed, forgotten, and read by streams that change their mind.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
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
using ssekit::framing;
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

struct listener {
    texts told = {};
    [[nodiscard]] ssekit::topic_hook hook() {
        return {[](void* self, std::string_view topic, bool listened_to) noexcept {
                    static_cast<listener*>(self)->told.push_back((listened_to ? "+" : "-") +
                                                                 std::string(topic));
                },
                this};
    }
    texts take() { return std::exchange(told, {}); }
};

} // namespace

TEST_CASE("a closed topic gives its streams what they have not read and the last event") {
    hub server(1, {}, {});
    client raw(server, to({"a"}));
    client chunked(server, to({"a"}, {.framing = framing::chunked}));
    client both(server, to({"a", "b"}));
    both.drain();
    say(server, "a", "1");
    CHECK(server.close_topic("a", {.type = "error", .data = "lost"}) == errc::ok);
    CHECK(raw.stream.end() == stream_end::open);
    for (client* each : {&raw, &chunked}) {
        CHECK(each->drain() == drain_status::done);
        CHECK(each->stream.end() == stream_end::topic_closed);
        CHECK(each->stream.is_done());
    }
    CHECK(raw.socket.got == "id: 1.0\n\nid: 1.1\ndata: 1\n\nid: 1.2\nevent: error\ndata: lost\n\n");
    CHECK(chunked.body() == raw.socket.got);
    CHECK(support::dechunk(chunked.socket.got).ended);
    CHECK(both.drain() == drain_status::idle);
    CHECK(server.publish("a", {.data = "x"}).ec == errc::topic_closed);
    CHECK(server.publish(std::array<std::string_view, 2>{"a", "b"}, {.data = "x"}).ec ==
          errc::topic_closed);
    CHECK(say(server, "b", "3") == 3);
    both.drain();
    CHECK(both.events() == texts{"1", "error:lost", "3"});
    CHECK(server.metrics().topic_closed == 2);
    CHECK(server.close_topic("b") == errc::ok);
    CHECK(both.drain() == drain_status::done);
    CHECK(both.events() == texts{"1", "error:lost", "3"});
}

TEST_CASE("a source may end quietly and twice") {
    hub server(1, {}, {});
    client raw(server, to({"a"}));
    client chunked(server, to({"a"}, {.framing = framing::chunked}));
    CHECK(raw.drain() == drain_status::idle);
    CHECK(chunked.drain() == drain_status::idle);
    CHECK(server.close_topic("a") == errc::ok);
    CHECK(server.close_topic("a", {.data = "again"}) == errc::ok);
    CHECK(raw.drain() == drain_status::done);
    CHECK(chunked.drain() == drain_status::done);
    CHECK(raw.socket.got == "id: 1.0\n\n");
    CHECK(chunked.socket.got.ends_with("\r\n0\r\n\r\n"));
    CHECK(server.metrics().published == 0);
}

TEST_CASE("closing a topic wakes each idle stream once") {
    for (const bool with_event : {false, true}) {
        hub server(1, {}, {});
        bell rung;
        char user = 'x';
        client waiting(server, to({"a", "b"}), rung.waker());
        client listed(server, to({"a", "b"}, {.user = &user}));
        waiting.drain();
        listed.drain();
        const ssekit::event_view last =
            with_event ? ssekit::event_view{.data = "end"} : ssekit::event_view{};
        CHECK(server.close_topic("a", last) == errc::ok);
        CHECK(rung.take() == 1);
        CHECK(server.next_ready() == &user);
        CHECK(server.next_ready() == nullptr);
        for (client* each : {&waiting, &listed}) CHECK(each->drain() == drain_status::idle);
        CHECK(server.close_topic("b", last) == errc::ok);
        CHECK(rung.take() == 1);
        CHECK(server.next_ready() == &user);
        for (client* each : {&waiting, &listed}) CHECK(each->drain() == drain_status::done);
    }
}

TEST_CASE("a client that comes back to a closed topic gets what it missed or is refused") {
    hub server(1, {}, {});
    server.tick(noon);
    say(server, "a", "1");
    say(server, "a", "2");
    CHECK(server.close_topic("a", {.data = "end"}) == errc::ok);
    client missed(server, to({"a"}, {.last_event_id = "1.1"}));
    CHECK(missed.stream.resumption() == resumption::resumed);
    CHECK(missed.drain() == drain_status::done);
    CHECK(missed.events() == texts{"2", "end"});
    CHECK(missed.stream.end() == stream_end::topic_closed);
    client all(server, to({"a"}, {.start = start_point::earliest, .framing = framing::chunked}));
    CHECK(all.drain() == drain_status::done);
    CHECK(all.events() == texts{"1", "2", "end"});
    CHECK(client(server, to({"a"}, {.last_event_id = "1.3"})).ec == errc::topic_closed);
    CHECK(client(server, to({"a"})).ec == errc::topic_closed);
    client elsewhere(server, to({"a", "b"}));
    CHECK(elsewhere.ec == errc::ok);
    CHECK(elsewhere.drain() == drain_status::idle);
    CHECK(server.subscribers() == 1); // the others have ended
    CHECK(server.subscriptions() == 3);
}

TEST_CASE("a closed topic is forgotten in time and may be used again") {
    hub server(1, {}, {});
    server.tick(noon);
    std::optional<client> reader(std::in_place, server, to({"a"}));
    say(server, "a", "1");
    CHECK(server.close_topic("a", {.data = "end"}, 10s) == errc::ok);
    CHECK(reader->drain() == drain_status::done);
    server.tick(noon + 9s);
    CHECK(server.metrics().topics == 1);
    SUBCASE("when its streams have gone before") {
        reader.reset();
        CHECK(server.metrics().topics == 1);
        CHECK(server.next_deadline() <= noon + 10s + 250ms);
        server.tick(noon + 11s);
    }
    SUBCASE("whoever still holds a stream of it") {
        server.tick(noon + 11s);
        CHECK(server.metrics().topics == 0);
        reader.reset();
    }
    CHECK(server.metrics().topics == 0);
    CHECK(say(server, "a", "3") == 3);
    client behind(server, to({"a"}, {.last_event_id = "1.1"}));
    CHECK(behind.stream.resumption() == resumption::expired);
    behind.drain();
    CHECK(behind.events() == texts{gap("expired"), "3"});
    client complete(server, to({"a"}, {.last_event_id = "1.2"}));
    complete.drain();
    CHECK(complete.events() == texts{"3"});
}

TEST_CASE("a topic that nobody knows can be closed") {
    hub server(1, {}, {});
    server.tick(noon);
    CHECK(server.close_topic("a", {.data = "end"}, 5s) == errc::ok);
    CHECK(client(server, to({"a"})).ec == errc::topic_closed);
    client reader(server, to({"a"}, {.last_event_id = "1.0"}));
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"end"});
    CHECK(server.close_topic("") == errc::invalid_topic);
    CHECK(server.close_topic("b", {}, 0s) == errc::ok);
    reader.stream = {};
    server.tick(noon + 6s);
    CHECK(server.metrics().topics == 0);
}

TEST_CASE("a topic that could not be closed is as it was") {
    hub server(1, {}, {});
    CHECK(server.close_topic("a", {.id = "x", .data = "end"}) == errc::id_is_assigned);
    CHECK(server.close_topic("a", {.type = "\n", .data = "end"}) == errc::invalid_type);
    CHECK(server.metrics().topics == 0);
    client reader(server, to({"b"}));
    CHECK(server.close_topic("b", {.type = "\n", .data = "end"}) == errc::invalid_type);
    CHECK(reader.drain() == drain_status::idle);
    CHECK(say(server, "b", "1") == 1);
    CHECK(server.close() == errc::ok);
    CHECK(server.close_topic("c") == errc::closed);
    CHECK(server.metrics().topics == 1);
}

TEST_CASE("a topic may be kept by bounds of its own") {
    hub server(1, {}, {.keep = {.events = 2, .age = 1s}});
    server.tick(noon);
    CHECK(server.keep("many", exactly(5)) == errc::ok);
    CHECK(server.keep("small", {.bytes = 40}) == errc::ok);
    CHECK(server.keep("young", {.age = 10s}) == errc::ok);
    CHECK(server.keep("", {}) == errc::invalid_topic);
    for (int i = 0; i < 7; ++i) {
        for (const char* const name : {"many", "small", "young", "plain"}) say(server, name, "x");
    }
    const auto kept = [&](std::string_view name) {
        std::size_t events = 0;
        server.for_each_topic([&](const ssekit::topic_info& info) {
            if (info.name == name) events = info.events;
        });
        return events;
    };
    CHECK(kept("many") == 5);
    CHECK(kept("small") == 2);
    CHECK(kept("young") == 7);
    CHECK(kept("plain") == 2);
    server.tick(noon + 2s);
    CHECK(kept("plain") == 0);
    CHECK(kept("young") == 7);
    server.tick(noon + 11s);
    CHECK(kept("young") == 0);
    CHECK(kept("many") == 5);
    CHECK(server.metrics().topics == 3); // kept ones survive without events and readers
    client back(server, to({"young"}, {.last_event_id = "1.3"}));
    CHECK(back.stream.resumption() == resumption::expired);
    CHECK(server.keep("many", exactly(1)) == errc::ok);
    CHECK(kept("many") == 1);
}

TEST_CASE("a topic without readers and events is forgotten but its loss is not") {
    hub server(1, {}, {.keep = {.age = 10s}});
    server.tick(noon);
    std::optional<client> reader(std::in_place, server, to({"a", "empty"}));
    say(server, "a", "1");
    reader->drain();
    say(server, "b", "2");
    server.tick(noon + 11s);
    CHECK(server.metrics().topics == 2); // the newest event stays while somebody reads
    reader.reset();
    CHECK(server.metrics().topics == 0); // at once, for nothing else holds it
    CHECK(server.next_deadline() == ssekit::never);
    CHECK(server.metrics().log_bytes == 0);
    client behind(server, to({"b"}, {.last_event_id = "1.1"}));
    behind.drain();
    CHECK(behind.events() == texts{gap("expired")});
    client complete(server, to({"b"}, {.last_event_id = "1.2"}));
    CHECK(complete.stream.resumption() == resumption::resumed);
}

TEST_CASE("topics are shown one by one") {
    hub server(1, {}, {});
    client reader(server, to({"a", "b"}, {.patterns = "*", .tag = "me"}));
    say(server, "a", "1");
    CHECK(server.close_topic("b") == errc::ok);
    texts shown;
    server.for_each_topic([&](const ssekit::topic_info& info) {
        shown.push_back(std::string(info.name) + " " + std::to_string(info.subscribers) + " " +
                        std::to_string(info.events) + (info.pattern ? " pattern" : "") +
                        (info.closed ? " closed" : ""));
        CHECK((info.bytes != 0) == (info.events != 0));
    });
    std::sort(shown.begin(), shown.end());
    CHECK(shown == texts{"* 1 1 pattern", "a 1 1", "b 1 0 closed"});
    CHECK(server.subscribers("a") == 1);
    CHECK(server.subscribers("*") == 1);
    CHECK(server.subscribers("me") == 0);
    CHECK(server.subscribers("c") == 0);
}

TEST_CASE("the hook is told of the first subscriber in and of the last one out") {
    listener ear;
    hub server(1, {}, {.max_subscribers_per_topic = 2, .on_topic = ear.hook()});
    std::optional<client> first(std::in_place, server, to({"a", "b", "a"}, {.tag = "me"}));
    CHECK(ear.take() == texts{"+a", "+b"});
    std::optional<client> second(std::in_place, server, to({"b"}, {.patterns = "x/*"}));
    CHECK(ear.take() == texts{"+x/*"});
    CHECK(client(server, to({"new", "b"})).ec == errc::topic_is_full);
    CHECK(client(server, to({"new", ""})).ec == errc::invalid_topic);
    say(server, "new", "1");
    CHECK(server.publish_to_tag("me", {.data = "2"}).ec == errc::ok);
    CHECK(ear.take().empty());
    CHECK(second->stream.add_topics("late") == errc::ok);
    CHECK(ear.take() == texts{"+late"});
    CHECK(second->stream.remove_topics("b") == errc::ok);
    CHECK(ear.take().empty());
    CHECK(second->stream.remove_topics("x/*") == errc::ok);
    CHECK(ear.take() == texts{"-x/*"});
    second.reset();
    CHECK(ear.take() == texts{"-late"});
    first.reset();
    texts gone = ear.take();
    std::sort(gone.begin(), gone.end());
    CHECK(gone == texts{"-a", "-b"});
}

TEST_CASE("limits of topics and of their subscribers leave nothing behind") {
    hub server(1, {}, {.max_subscribers_per_topic = 1, .max_topics = 3});
    std::optional<client> reader(std::in_place, server, to({"a"}));
    CHECK(client(server, to({"b", "a"})).ec == errc::topic_is_full);
    CHECK(client(server, to({"b", "c", "d"})).ec == errc::too_many_topics);
    CHECK(client(server, to({"b", "c"}, {.patterns = "*"})).ec == errc::too_many_topics);
    CHECK(server.keep("b", {}) == errc::ok);
    CHECK(server.keep("c", {}) == errc::ok);
    CHECK(server.keep("d", {}) == errc::too_many_topics);
    CHECK(server.close_topic("d") == errc::too_many_topics);
    CHECK(reader->stream.add_topics("d") == errc::too_many_topics);
    CHECK(server.metrics().topics == 3);
    CHECK(server.metrics().refused == 3);
    CHECK(server.subscribers() == 1);
    reader.reset();
    CHECK(client(server, to({"a"})).ec == errc::ok);
    CHECK(server.metrics().topics == 2);
}

TEST_CASE("closed topics are forgotten in their time, whoever still has other topics") {
    hub server(1, noon, {.max_topics = 8});
    client news(server, to({"news"}));
    news.drain();
    for (int i = 0; i < 50; ++i) {
        CAPTURE(i);
        const std::string job = "job " + std::to_string(i);
        CHECK(news.stream.add_topics(job) == errc::ok);
        news.drain();
        say(server, job, "done " + std::to_string(i));
        CHECK(server.close_topic(job, {}, 10s) == errc::ok);
        news.drain();
        CHECK(server.subscribers(job) == 1); // it may be opened again
        server.tick(noon + (i + 1) * 5s);
        CHECK(server.metrics().topics <= 4);
    }
    CHECK(news.events().size() == 50);
    CHECK(news.stream.end() == stream_end::open);
    say(server, "news", "still here");
    news.drain();
    CHECK(news.events().back() == "still here");
}

TEST_CASE("the name of a closed topic is free in time though a reader never reads it to its end") {
    hub server(1, noon, {.heartbeat = {.interval = 0s}, .write_deadline = 0s, .max_topics = 3});
    client stuck(server, to({"job", "news"}));
    client alone(server, to({"job"}));
    for (client* each : {&stuck, &alone}) each->drain();
    say(server, "job", "old");
    CHECK(server.close_topic("job", {}, 10s) == errc::ok);
    CHECK(server.publish("job", {.data = "x"}).ec == errc::topic_closed);
    CHECK(client(server, to({"job"})).ec == errc::topic_closed);
    server.tick(noon + 10s + 250ms);
    CHECK(server.metrics().topics == 1);
    CHECK(say(server, "job", "new") == 2);
    client fresh(server, to({"job"}, {.start = start_point::earliest}));
    fresh.drain();
    CHECK(fresh.events() == texts{"new"});
    CHECK(stuck.drain() == drain_status::idle); // they get what they had come for, of the old one
    CHECK(stuck.events() == texts{"old"});
    CHECK(alone.drain() == drain_status::done);
    CHECK(alone.events() == texts{"old"});
    CHECK(server.subscribers("job") == 1);
    stuck.stream = {};
    alone.stream = {};
    fresh.drain();
    say(server, "job", "newer");
    fresh.drain();
    CHECK(fresh.events() == texts{"new", "newer"});
}

TEST_CASE(
    "a client that comes back to topics and tags that were forgotten meanwhile has no false gap") {
    // 200 users, one job a minute each, and nothing is kept for longer than that.
    hub server(1, noon, {.keep = {.age = 30s}, .keep_tagged = {.age = 30s}, .max_topics = 500});
    std::vector<std::string> ids(200, "1.0");
    std::size_t gaps = 0;
    for (int minute = 0; minute < 5; ++minute) {
        for (std::size_t user = 0; user < ids.size(); ++user) {
            server.tick(noon + minute * 1min + user * 200ms);
            const std::string name = "job of " + std::to_string(user);
            client back(server, to({name}, {.tag = name,
                                            .last_event_id = ids[user],
                                            .on_gap = ssekit::gap_policy::refuse}));
            if (back.ec != errc::ok) ++gaps;
            say(server, name, "job");
            CHECK(server.publish_to_tag(name, {.data = "mail"}).ec == errc::ok);
            back.drain();
            if (back.ec == errc::ok) CHECK(back.events() == texts{"job", "mail"});
            ids[user] = back.last_event_id();
        }
    }
    CHECK(gaps == 0);
    // Who did miss something is told so.
    client late(server, to({"job of 7"}, {.last_event_id = "1.1"}));
    CHECK(late.stream.resumption() == resumption::expired);
}

TEST_CASE("of forgotten topics so many are remembered as the hub is told") {
    for (const std::size_t most :
         {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
        CAPTURE(most);
        hub server(1, noon, {.keep = {.age = 10s}, .max_forgotten = most});
        for (const char* const name : {"a", "b", "c"}) say(server, name, "x"); // 1, 2, 3
        server.tick(noon + 11s);
        CHECK(server.metrics().topics == 0);
        const auto worth = [&](std::string_view name, std::string_view id) {
            return client(server, to({name}, {.last_event_id = id})).stream.resumption();
        };
        // Never silent: each loss is told, whatever is remembered.
        for (const char* const name : {"a", "b", "c"}) {
            CHECK(worth(name, "1.0") == resumption::expired);
        }
        CHECK(worth("a", "1.1") == (most >= 2 ? resumption::resumed : resumption::expired));
        CHECK(worth("c", "1.3") == resumption::resumed);
        CHECK(worth("never was", "1.0") == (most >= 3 ? resumption::resumed : resumption::expired));
        CHECK(worth("never was", "1.3") == resumption::resumed);
    }
}

TEST_CASE("what was told to all is lost to a topic that came later") {
    hub server(1, noon, {});
    say(server, "a", "1");
    CHECK(server.publish_to_all({.data = "2"}).offset == 2);
    client early(server, to({"b"}, {.last_event_id = "1.1"}));
    CHECK(early.stream.resumption() == resumption::expired);
    client late(server, to({"c"}, {.last_event_id = "1.2"}));
    CHECK(late.stream.resumption() == resumption::resumed);
}

TEST_CASE("what a forgotten topic had is lost to a later pattern that has what was told to all") {
    hub server(1, noon, {});
    for (const char* topic : {"x/1", "x/2"}) say(server, topic, topic);
    CHECK(server.publish_to_all({.data = "all"}).offset == 3);
    CHECK(server.forget_topic("x/1"));
    client late(server, {.patterns = "x/*", .last_event_id = "1.0"});
    CHECK(late.stream.resumption() == resumption::expired);
    client live(server, {.patterns = "x/*", .last_event_id = "1.3"});
    CHECK(live.stream.resumption() == resumption::resumed);
}

TEST_CASE("a topic or pattern that was kept by bounds of its own is kept as any again") {
    hub server(1, noon, {.keep = exactly(2)});
    CHECK(server.keep("a", exactly(4)) == errc::ok);
    CHECK(server.keep_pattern("x/*", exactly(4)) == errc::ok);
    CHECK(server.keep_pattern("a/**/b", {}) == errc::invalid_topic);
    for (int i = 1; i <= 8; ++i) say(server, i % 2 == 0 ? "a" : "x/" + std::to_string(i), "x");
    CHECK(server.metrics().topics == 6);
    client back(server, {.patterns = "x/*", .last_event_id = "1.0"});
    CHECK(back.stream.resumption() == resumption::resumed);
    back.drain();
    CHECK(back.events().size() == 4);
    back.stream = {};
    for (int i = 0; i < 2; ++i) { // safe to repeat
        server.keep_no_more("a");
        server.keep_no_more("nobody");
        server.keep_pattern_no_more("x/*");
        server.keep_pattern_no_more("y/*");
    }
    CHECK(server.metrics().topics == 5); // the pattern has no reader
    CHECK(server.metrics().log_bytes == 6 * std::string_view("id: 1.1\ndata: x\n\n").size());
}
