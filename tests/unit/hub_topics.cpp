// SPDX-License-Identifier: MIT
//
// The life of a topic: kept, closed, forgotten, and read by streams that change their mind.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
using support::gap;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr time_point noon{12h};
constexpr std::array<std::string_view, 2> a_and_b = {"a", "b"};

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
    hub server(1);
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
    CHECK(server.publish(a_and_b, {.data = "x"}).ec == errc::topic_closed);
    CHECK(say(server, "b", "3") == 3);
    both.drain();
    CHECK(both.events() == texts{"1", "error:lost", "3"});
    CHECK(server.metrics().topic_closed == 2);
    CHECK(server.close_topic("b") == errc::ok);
    CHECK(both.drain() == drain_status::done);
    CHECK(both.events() == texts{"1", "error:lost", "3"});
}

TEST_CASE("a source may end quietly and twice") {
    hub server(1);
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
        hub server(1);
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

TEST_CASE("who comes back to a closed topic gets what it missed or is refused") {
    hub server(1);
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
    CHECK(server.subscribers() == 3);
}

TEST_CASE("a closed topic is forgotten in time and may be used again") {
    hub server(1);
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
    SUBCASE("when its streams go later") {
        server.tick(noon + 11s);
        CHECK(server.metrics().topics == 1);
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
    hub server(1);
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
    hub server(1);
    CHECK(server.close_topic("a", {.id = "x", .data = "end"}) == errc::id_is_assigned);
    CHECK(server.close_topic("a", {.type = "\n", .data = "end"}) == errc::invalid_type);
    CHECK(server.metrics().topics == 0);
    client reader(server, to({"b"}));
    CHECK(server.close_topic("b", {.type = "\n", .data = "end"}) == errc::invalid_type);
    CHECK(reader.drain() == drain_status::idle);
    CHECK(say(server, "b", "1") == 1);
    server.close();
    CHECK(server.close_topic("c") == errc::closed);
    CHECK(server.metrics().topics == 1);
}

TEST_CASE("a topic may be kept by bounds of its own") {
    hub server(1, {.keep = {.events = 2, .age = 1s}});
    server.tick(noon);
    CHECK(server.keep("many", {.events = 5}) == errc::ok);
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
    CHECK(server.keep("many", {.events = 1}) == errc::ok);
    CHECK(kept("many") == 1);
}

TEST_CASE("a topic without readers and events is forgotten but its loss is not") {
    hub server(1, {.keep = {.age = 10s}});
    server.tick(noon);
    std::optional<client> reader(std::in_place, server, to({"a", "empty"}));
    say(server, "a", "1");
    reader->drain();
    say(server, "b", "2");
    server.tick(noon + 11s);
    CHECK(server.metrics().topics == 2); // the newest event stays while somebody reads
    reader.reset();
    CHECK(server.metrics().topics == 1);
    CHECK(server.next_deadline() <= noon + 11s + 250ms);
    server.tick(noon + 12s);
    CHECK(server.metrics().topics == 0);
    CHECK(server.metrics().log_bytes == 0);
    client behind(server, to({"b"}, {.last_event_id = "1.1"}));
    behind.drain();
    CHECK(behind.events() == texts{gap("expired")});
    client complete(server, to({"b"}, {.last_event_id = "1.2"}));
    CHECK(complete.stream.resumption() == resumption::resumed);
}

TEST_CASE("topics are shown one by one") {
    hub server(1);
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
    hub server(1, {.max_subscribers_per_topic = 2, .on_topic = ear.hook()});
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
    hub server(1, {.max_subscribers_per_topic = 1, .max_topics = 3});
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
