// SPDX-License-Identifier: MIT
//
// What a stream holds, what is refused, and what is counted. Bytes, replay, slow clients, wake-ups,
// heartbeats and closing have files of their own: hub_*.cpp.
#include <ssekit/hub.hpp>
#include <ssekit/writer.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::framing;
using ssekit::hub;
using ssekit::start_point;
using ssekit::stream_end;
using ssekit::time_point;
using support::client;
using support::exactly;
using support::gap;
using support::say;
using support::texts;
using support::to;

static_assert(ssekit::buffers_generator<ssekit::subscription>);
static_assert(!std::is_copy_constructible_v<ssekit::subscription>);
static_assert(std::is_nothrow_move_constructible_v<ssekit::subscription>);
static_assert(!std::is_copy_constructible_v<hub>);
static_assert(!std::is_move_constructible_v<hub>);

TEST_CASE("a stream is these bytes") {
    hub server(36 * 36 - 1, {}, {.retry = 2s});
    client raw(server, to({"a"}));
    client chunked(server, to({"a"}, {.framing = framing::chunked}));
    CHECK(raw.drain() == drain_status::idle);
    CHECK(raw.socket.got == "id: zz.0\nretry: 2000\n\n");
    CHECK(server.publish("a", {.type = "tick", .data = "1\n2"}).offset == 1);
    CHECK(raw.drain() == drain_status::idle);
    CHECK(raw.socket.got == "id: zz.0\nretry: 2000\n\n"
                            "id: zz.1\nevent: tick\ndata: 1\ndata: 2\n\n");
    CHECK(chunked.drain() == drain_status::idle);
    CHECK(chunked.socket.got == "16\r\nid: zz.0\nretry: 2000\n\n\r\n"
                                "26\r\nid: zz.1\nevent: tick\ndata: 1\ndata: 2\n\n\r\n");
    CHECK(server.id_of(1).view() == "zz.1");
    CHECK(chunked.last_event_id() == "zz.1");
}

TEST_CASE("an id is short and safe whatever the epoch") {
    for (const std::uint64_t epoch : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
        const hub server(epoch, {}, {});
        const auto id = server.id_of(~std::uint64_t{0});
        CHECK(id.view().size() <= 34);
        CHECK(id.view().ends_with(".18446744073709551615"));
        CHECK(id.view().find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz.") ==
              std::string_view::npos);
    }
    CHECK(hub(0, {}).id_of(0).view() == "0.0");
    CHECK(hub(~std::uint64_t{0}, {}).id_of(7).view() == "3w5e11264sgsf.7");
}

TEST_CASE("each subscriber sees each event of its topics once and in the order of publishing") {
    hub server(1, {}, {});
    client a(server, to({"a"}));
    client b(server, to({"b"}));
    client both(server, to({"a", "b"}));
    client all(server, to({"c", "b", "a"}));
    for (const auto& [topic, data] : {std::pair{"a"sv, "1"sv},
                                      {"b", "2"},
                                      {"b", "3"},
                                      {"a", "4"},
                                      {"c", "5"},
                                      {"nobody", "6"},
                                      {"a", "7"}}) {
        CHECK(server.publish(topic, {.data = data}).ec == errc::ok);
        if (data == "3") both.drain();
    }
    for (client* each : {&a, &b, &both, &all}) CHECK(each->drain() == drain_status::idle);
    CHECK(a.events() == texts{"1", "4", "7"});
    CHECK(b.events() == texts{"2", "3"});
    CHECK(both.events() == texts{"1", "2", "3", "4", "7"});
    CHECK(all.events() == texts{"1", "2", "3", "4", "5", "7"});
    CHECK(b.last_event_id() == "1.3");
}

TEST_CASE("a topic that is named twice is subscribed to once") {
    hub server(1, {}, {});
    client twice(server, to({"a", "b", "a", "a"}));
    CHECK(server.subscribers("a") == 1);
    CHECK(server.subscribers("b") == 1);
    CHECK(server.subscribers() == 1);
    twice.drain();
    say(server, "a", "1");
    twice.drain();
    CHECK(twice.events() == texts{"1"});
}

TEST_CASE("topics may be given one or several") {
    hub server(1, {}, {});
    const std::string one = "a";
    const std::array<std::string_view, 2> several{"a", "b"};
    const std::vector<std::string_view> more{"a", "b", "c"};
    const client by_literal(server, {.topics = "a"});
    const client by_string(server, {.topics = one});
    const client by_array(server, {.topics = several});
    const client by_vector(server, {.topics = more});
    CHECK(server.subscribers("a") == 4);
    CHECK(server.subscribers("b") == 2);
    CHECK(server.subscribers("c") == 1);
}

TEST_CASE("events without data and with any data pass through") {
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    reader.drain();
    CHECK(server.publish("a", {.retry = 7s}).ec == errc::ok);
    CHECK(server.publish("a", {.data = ""}).ec == errc::ok);
    CHECK(server.publish("a", {.data = "\0\xff: id: 3\n\ndata"sv}).ec == errc::ok);
    const std::string large(1'000'000, 'x');
    CHECK(server.publish("a", {.data = large}).ec == errc::ok);
    reader.drain();
    const auto seen = reader.seen();
    REQUIRE(seen.events.size() == 3);
    CHECK(seen.retries == std::vector<std::int64_t>{7000});
    CHECK(seen.events[0].data.empty());
    CHECK(seen.events[1].data == "\0\xef\xbf\xbd: id: 3\n\ndata"sv);
    CHECK(seen.events[2].data == large);
    CHECK(seen.last_event_id == "1.4");
}

TEST_CASE("an event that is refused leaves no trace") {
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    reader.drain();
    const auto refused = [&](std::string_view topic, const ssekit::event_view& event) {
        const auto [offset, code] = server.publish(topic, event);
        CHECK(offset == 0);
        return code;
    };
    for (const std::string_view topic : {"a"sv, "new"sv}) {
        CHECK(refused(topic, {.id = "1", .data = "x"}) == errc::id_is_assigned);
        CHECK(refused(topic, {.id = "", .data = "x"}) == errc::id_is_assigned);
        CHECK(refused(topic, {}) == errc::nothing_to_send);
        CHECK(refused(topic, {.type = "t"}) == errc::nothing_to_send);
        CHECK(refused(topic, {.type = "t\n", .data = "x"}) == errc::invalid_type);
        CHECK(refused(topic, {.data = "x", .retry = -1ms}) == errc::invalid_retry);
    }
    CHECK(refused("", {.data = "x"}) == errc::invalid_topic);
    CHECK(server.metrics().published == 0);
    CHECK(server.metrics().topics == 1); // "new" has not been made
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.events().empty());
    CHECK(say(server, "a", "x") == 1); // no offset was spent
}

TEST_CASE("limits hold") {
    SUBCASE("of subscribers") {
        hub server(1, {}, {.max_subscribers = 2});
        std::optional<client> first(std::in_place, server, to({"a"}));
        const client second(server, to({"a"}));
        CHECK(client(server, to({"a"})).ec == errc::too_many_subscribers);
        first.reset();
        CHECK(client(server, to({"a"})).ec == errc::ok);
    }
    SUBCASE("of topics") {
        hub server(1, {}, {.max_topics = 2});
        CHECK(server.keep("a", {}) == errc::ok);
        const client reader(server, to({"b"}));
        CHECK(server.publish("c", {.data = "1"}).ec == errc::too_many_topics);
        CHECK(client(server, to({"a", "c"})).ec == errc::too_many_topics);
        CHECK(client(server, to({"a", "b", "a"})).ec == errc::too_many_topics);
        CHECK(client(server, to({"a", "b"})).ec == errc::ok);
        CHECK(server.publish("b", {.data = "1"}).ec == errc::ok);
        CHECK(server.metrics().topics == 2);
    }
    SUBCASE("of the length of a topic") {
        hub server(1, {}, {.max_topic_length = 3});
        CHECK(server.publish("abc", {.data = "1"}).ec == errc::ok);
        CHECK(server.publish("abcd", {.data = "1"}).ec == errc::invalid_topic);
        CHECK(client(server, to({"abcd"})).ec == errc::invalid_topic);
        CHECK(client(server, to({""})).ec == errc::invalid_topic);
        CHECK(client(server, to({})).ec == errc::invalid_topic);
        CHECK(client(server, to({"new", "abcd"})).ec == errc::invalid_topic);
        CHECK(server.metrics().topics == 1);
        CHECK(server.subscribers() == 0);
    }
}

TEST_CASE("a topic may have any bytes for its name") {
    hub server(1, {}, {});
    const std::vector<std::string_view> names{"\0"sv, "\0\0"sv, "a\nb", "\xff", " ", "a", "A"};
    std::list<client> readers;
    for (const std::string_view name : names) readers.emplace_back(server, to({name}));
    for (const std::string_view name : names)
        say(server, name, "to " + std::to_string(name.size()));
    std::size_t i = 0;
    for (client& reader : readers) {
        reader.drain();
        CHECK(reader.events() == texts{"to " + std::to_string(names[i++].size())});
    }
}

TEST_CASE("very many topics are told apart") {
    hub server(1, {}, {.max_topics = 5000});
    std::vector<std::string> names;
    for (int i = 0; i < 5000; ++i) names.push_back("topic " + std::to_string(i));
    for (const std::string& name : names) REQUIRE(say(server, name, name) != 0);
    CHECK(server.metrics().topics == 5000);
    for (std::size_t i = 0; i < names.size(); i += 97) {
        client reader(server, to({names[i]}, {.start = start_point::earliest}));
        reader.drain();
        CHECK(reader.events() == texts{names[i]});
    }
}

TEST_CASE("a topic that only subscribers have made vanishes with the last of them") {
    hub server(1, {}, {.max_topics = 2});
    {
        const client first(server, to({"a", "b"}));
        {
            const client second(server, to({"a"}));
            CHECK(server.metrics().topics == 2);
        }
        CHECK(server.metrics().topics == 2);
        CHECK(server.subscribers("a") == 1);
        say(server, "b", "1");
    }
    CHECK(server.metrics().topics == 1); // "b" has history
    CHECK(server.subscribers("a") == 0);
    client back(server, to({"b", "c"}, {.start = start_point::earliest}));
    back.drain();
    CHECK(back.events() == texts{"1"});
}

TEST_CASE("a publish is enough for a topic with no subscriber to have a history") {
    hub server(1, {}, {});
    CHECK(say(server, "a", "1") == 1);
    CHECK(say(server, "a", "2") == 2);
    client live(server, to({"a"}));
    client late(server, to({"a"}, {.start = start_point::earliest}));
    live.drain();
    late.drain();
    CHECK(live.events().empty());
    CHECK(live.last_event_id() == "1.2");
    CHECK(late.events() == texts{"1", "2"});
}

TEST_CASE("a subscription moves and swaps and leaves as a pointer does") {
    hub server(1, {}, {});
    client a(server, to({"a"}));
    client b(server, to({"b"}));
    ssekit::subscription moved = std::move(a.stream);
    CHECK_FALSE(a.stream); // NOLINT(bugprone-use-after-move)
    CHECK(moved);
    CHECK(server.subscribers() == 2);
    a.stream = std::move(moved);
    CHECK(a.stream);
    ssekit::subscription& self = a.stream;
    a.stream = std::move(self);
    CHECK(a.stream);
    std::swap(a.stream, b.stream);
    say(server, "a", "to a");
    b.drain();
    CHECK(b.events() == texts{"to a"});
    a.stream = {};
    b.stream = {};
    CHECK(server.subscribers() == 0);
}

TEST_CASE("an empty subscription is done and takes every call") {
    ssekit::subscription nothing;
    std::array<std::string_view, 2> slices;
    CHECK_FALSE(nothing);
    CHECK(nothing.prepare(slices) == 0);
    nothing.consume(7);
    nothing.reschedule();
    CHECK(nothing.is_done());
    CHECK(nothing.end() == stream_end::closed);
    CHECK(nothing.resumption() == ssekit::resumption::fresh);
}

TEST_CASE("a subscription may outlive its hub and is done then") {
    std::optional<hub> server(std::in_place, 1, ssekit::time_point());
    client parked(*server, to({"a"}));
    client ready(*server, to({"a", "b"}));
    client in_hand(*server, to({"a"}));
    client fresh(*server, to({"a"}));
    for (client* each : {&parked, &ready, &in_hand}) each->drain();
    say(*server, "b", "1");
    say(*server, "a", "2");
    in_hand.drain_bytes(3);
    server.reset();
    for (client* each : {&parked, &ready, &in_hand, &fresh}) {
        CHECK(each->stream.is_done());
        CHECK(each->stream.is_abrupt()); // what had been published may be lost
        CHECK(each->stream.end() == stream_end::cut);
        CHECK(each->drain() == drain_status::cut);
        each->stream.reschedule();
        each->stream.consume(1);
    }
}

TEST_CASE("one may unsubscribe at any moment") {
    for (std::size_t bytes = 0; bytes < 80; ++bytes) {
        for (const bool reported : {false, true}) {
            hub server(1, {}, {});
            int user = 0;
            client stays(server, to({"a", "b"}));
            stays.drain();
            {
                client leaves(server, to({"a", "b"}, {.user = &user}));
                if (bytes > 0) leaves.drain();
                say(server, "a", "1");
                say(server, "b", "2");
                if (reported) static_cast<void>(server.next_ready());
                leaves.drain_bytes(bytes);
                CHECK(server.subscribers() == 2);
            }
            CHECK(server.subscribers() == 1);
            CHECK(server.next_ready() == nullptr);
            say(server, "a", "3");
            server.tick(time_point(1h));
            stays.drain();
            CHECK(stays.events() == texts{"1", "2", "3"});
        }
    }
}

TEST_CASE("metrics count what they say") {
    hub server(1, {}, {.keep = exactly(2), .heartbeat = {.interval = 1s}});
    server.tick(time_point(1h));
    client a(server, to({"a", "b"}));
    client b(server, to({"a"}, {.on_lag = ssekit::lag_policy::skip_to_oldest}));
    client c(server, to({"a"}));
    a.drain();
    b.drain();
    for (const std::string_view data : {"1", "2", "3"}) say(server, "a", data);
    a.drain(); // lagged
    b.drain(); // a gap and two events
    CHECK(b.events() == texts{gap("lagged", 1), "2", "3"});
    server.tick(time_point(2h));
    b.drain(); // a heartbeat
    auto now = server.metrics();
    CHECK(now.subscribers == 1); // the others have lagged, and stalled
    CHECK(server.subscriptions() == 3);
    CHECK(now.topics == 1);
    CHECK(now.log_bytes == 2 * "id: 1.2\ndata: 2\n\n"sv.size());
    CHECK(now.published == 3);
    CHECK(now.delivered == 2);
    CHECK(now.bytes == a.socket.got.size() + b.socket.got.size());
    CHECK(now.heartbeats == 1);
    CHECK(now.gaps == 1);
    CHECK(now.lagged == 1);
    client late(server, to({"a"}, {.last_event_id = "1.0"}));
    late.drain();
    CHECK(late.events() == texts{gap("expired"), "2", "3"});
    CHECK(server.metrics().gaps == 2);
    for (client* each : {&a, &b, &c, &late}) each->stream = {};
    now = server.metrics();
    CHECK(now.subscribers == 0);
    CHECK(now.topics == 1);
    CHECK(now.delivered == 4);
}
