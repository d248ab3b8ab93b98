// SPDX-License-Identifier: MIT
//
// Publishers may give the ids, a database's or a broker's: clients come back with those.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

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
using ssekit::event_ids;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::resumption;
using ssekit::start_point;
using ssekit::time_point;
using support::client;
using support::exactly;
using support::gap;
using support::texts;
using support::to;

namespace {

/// The data is the id.
ssekit::publish_result put(hub& server, const ssekit::topic_list& topics, std::string_view id) {
    return server.publish(topics, {.id = id, .data = id});
}

} // namespace

TEST_CASE("every event brings an id of its own") {
    hub server(1, {}, {.ids = event_ids::by_publisher});
    client reader(server, to({"a"}, {.tag = "me"}));
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.socket.got == ":\n\n"); // there is no id to begin with
    CHECK(server.publish("a", {.data = "x"}).ec == errc::id_is_missing);
    CHECK(server.publish("a", {.id = "", .data = "x"}).ec == errc::id_is_missing);
    CHECK(server.publish("a", {.id = "1\n", .data = "x"}).ec == errc::unreturnable_id);
    CHECK(server.publish("a", {.id = "1"}).ec == errc::nothing_to_send);
    CHECK(server.publish_to_all({.data = "x"}).ec == errc::id_is_missing);
    CHECK(server.publish_to_tag("me", {.data = "x"}).ec == errc::id_is_missing);
    CHECK(server.metrics().published == 0);
    CHECK(put(server, "a", "41-0").offset == 1);
    CHECK(server.publish("a", {.id = "x y", .retry = 2s}).ec == errc::ok);
    CHECK(server.publish_to_tag("me", {.id = "7", .data = "tag"}).ec == errc::ok);
    CHECK(server.publish_to_all({.id = "all", .data = "broadcast"}).offset == 4);
    reader.drain();
    CHECK(reader.seen().ids == std::vector<std::string>{"41-0", "x y", "7", "all"});
    CHECK(reader.events() == texts{"41-0", "tag", "broadcast"});
    for (const auto& [id, rest] : {std::pair{"41-0", texts{"tag", "broadcast"}},
                                   {"x y", {"tag", "broadcast"}},
                                   {"7", {"broadcast"}},
                                   {"all", {}}}) {
        client back(server, to({"a"}, {.tag = "me", .last_event_id = id}));
        CHECK(back.stream.resumption() == resumption::resumed);
        back.drain();
        CHECK(back.events() == rest);
    }
}

TEST_CASE("a client comes back with the id of any event and gets the rest, or is told of a gap") {
    hub server(1, {}, {.keep = exactly(4), .ids = event_ids::by_publisher});
    const std::array<std::string_view, 6> ids = {"f", "e", "d", "c", "b", "a"};
    for (const std::string_view id : ids) CHECK(put(server, "a", id).ec == errc::ok);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        client back(server, to({"a"}, {.last_event_id = ids[i]}));
        back.drain();
        if (i < 1) { // what came after it has left the log
            CHECK(back.stream.resumption() == resumption::expired);
            CHECK(back.events() == texts{gap("expired"), "d", "c", "b", "a"});
            CHECK(back.socket.got.starts_with("id: e\nevent: gap\n")); // the last that has gone
        } else {
            CHECK(back.socket.got.starts_with("id: " + std::string(ids[i]) + "\n\n"));
            CHECK(back.stream.resumption() == resumption::resumed);
            CHECK(back.events() ==
                  texts(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1, ids.end()));
        }
    }
}

TEST_CASE("ids that nobody gave are unknown") {
    hub server(1, {}, {.ids = event_ids::by_publisher});
    CHECK(put(server, "a", "x").ec == errc::ok);
    for (const std::string_view id : {"1.1", "1.0", "y", "x ", "X", "\n", "."}) {
        client earliest(server, to({"a"}, {.last_event_id = id}));
        client live(server, to({"a"}, {.last_event_id = id, .on_gap = gap_policy::live}));
        for (client* each : {&earliest, &live}) {
            CHECK(each->stream.resumption() == resumption::unknown);
            each->drain();
            CHECK(each->last_event_id() == "x");
        }
        CHECK(earliest.events() == texts{gap("unknown"), "x"});
        CHECK(live.events() == texts{gap("unknown")});
        CHECK(client(server, to({"a"}, {.last_event_id = id, .on_gap = gap_policy::refuse})).ec ==
              errc::replay_refused);
    }
}

TEST_CASE("an id of a topic that a client does not read has its place as well") {
    hub server(1, {}, {.ids = event_ids::by_publisher});
    CHECK(put(server, "a", "x").ec == errc::ok);
    CHECK(put(server, "secret", "s").ec == errc::ok);
    CHECK(server.publish_to_tag("me", {.id = "t", .data = "t"}).ec == errc::ok);
    CHECK(put(server, "a", "y").ec == errc::ok);
    for (const std::string_view id : {"s", "t"}) {
        client back(server, to({"a"}, {.last_event_id = id}));
        CHECK(back.stream.resumption() == resumption::resumed);
        back.drain();
        CHECK(back.events() == texts{"y"});
    }
    client stranger(server, to({"a"}, {.last_event_id = "never"}));
    CHECK(stranger.stream.resumption() == resumption::unknown);
    stranger.drain();
    CHECK(stranger.events() == texts{gap("unknown"), "x", "y"});
    client both(server, to({"a", "secret"}, {.last_event_id = "x"}));
    both.drain();
    CHECK(both.events() == texts{"s", "y"});
    client tagged(server, to({"a"}, {.tag = "me", .last_event_id = "t"}));
    tagged.drain();
    CHECK(tagged.events() == texts{"y"});
    client pattern(server, {.patterns = "sec*", .last_event_id = "s"}); // a star within is a star
    CHECK(pattern.stream.resumption() == resumption::resumed);
    pattern.drain();
    CHECK(pattern.events().empty());
    client matching(server, {.patterns = "*", .last_event_id = "x"});
    matching.drain();
    CHECK(matching.events() == texts{"s", "y"});
}

TEST_CASE("the opening block carries the id of the last event that the stream does not bring") {
    hub server(1, {}, {.ids = event_ids::by_publisher, .retry = 1s});
    client empty(server, to({"a", "b"}));
    empty.drain();
    CHECK(empty.socket.got == "retry: 1000\n\n");
    CHECK(put(server, "a", "a1").ec == errc::ok);
    CHECK(put(server, "b", "b1").ec == errc::ok);
    CHECK(put(server, "c", "c1").ec == errc::ok);
    CHECK(put(server, "a", "a2").ec == errc::ok);
    const auto opening = [&](const ssekit::subscribe_options& options) {
        client reader(server, options);
        CHECK(reader.drain_one_frame());
        return reader.socket.got;
    };
    CHECK(opening(to({"a", "b"})) == "id: a2\nretry: 1000\n\n");
    CHECK(opening(to({"b", "new"})) == "id: b1\nretry: 1000\n\n"); // of others it learns nothing
    CHECK(opening({.patterns = "*"}) == "id: a2\nretry: 1000\n\n");
    CHECK(opening(to({"a"}, {.start = start_point::earliest})) == "retry: 1000\n\n");
    CHECK(opening(to({"a", "b"}, {.last_event_id = "a1"})) == "id: a1\nretry: 1000\n\n");
    CHECK(opening(to({"b", "a"}, {.last_event_id = "b1"})) == "id: b1\nretry: 1000\n\n");
    CHECK(opening(to({"a"}, {.last_event_id = "?"})).find("id:") == std::string::npos);
    CHECK(opening(to({"b"}, {.last_event_id = "?", .on_gap = gap_policy::live}))
              .starts_with("id: b1\n"));
}

TEST_CASE("the id of an event that has gone still opens a stream of its topic") {
    hub server(1, time_point(12h), {.ids = event_ids::by_publisher, .max_ids = 2});
    CHECK(server.keep("a", {.age = 10s}) == errc::ok);
    CHECK(put(server, "a", "1").ec == errc::ok);
    CHECK(put(server, "a", "2").ec == errc::ok);
    CHECK(put(server, "b", "3").ec == errc::ok);
    server.tick(time_point(12h) + 11s);
    const auto opening = [&](const ssekit::subscribe_options& options) {
        client reader(server, options);
        reader.drain();
        return reader.socket.got;
    };
    CHECK(opening(to({"a"})) == "id: 2\n\n");
    CHECK(opening(to({"a"}, {.start = start_point::earliest})) == "id: 2\n\n");
    CHECK(opening(to({"a", "b"})) == "id: 3\n\n");
    CHECK(put(server, "b", "4").ec == errc::ok); // and "2" is no longer remembered
    CHECK(opening(to({"a"})) == ":\n\n");
    CHECK(opening(to({"a", "b"})) == "id: 4\n\n");
}

TEST_CASE("a client that misses nothing keeps the id that it came with") {
    hub server(1, time_point(12h),
               {.ids = event_ids::by_publisher,
                .id_less = ssekit::numeric_ids(),
                .heartbeat = {.interval = 1s}});
    CHECK(put(server, "a", "10").ec == errc::ok);
    CHECK(put(server, "secret", "20").ec == errc::ok);
    CHECK(put(server, "secret", "30").ec == errc::ok);
    // Of its topic or not, or of no event at all; in a plain stream, and in one that is not.
    for (const std::string id : {"10", "15", "20", "25"}) {
        for (const bool tagged : {false, true}) {
            CAPTURE(id);
            client back(server, to({"a"}, {.tag = tagged ? "me" : "", .last_event_id = id}));
            CHECK(back.stream.resumption() == resumption::resumed);
            back.drain();
            CHECK(back.socket.got == "id: " + id + "\n\n");
            server.tick(server.next_deadline() + 2s);
            back.drain();
            CHECK(back.seen().comments.size() == 1); // a heartbeat, which takes nobody back
            CHECK(back.last_event_id() == id);
        }
    }
    client changed(server, to({"a"}, {.last_event_id = "2\x7f"})); // no client is given that
    CHECK(changed.stream.resumption() == resumption::resumed);
    changed.drain();
    CHECK(changed.last_event_id() == "10");
}

TEST_CASE("an id that another event has is refused, whatever the topic") {
    hub server(1, {}, {.keep = exactly(1), .ids = event_ids::by_publisher});
    client reader(server, to({"a"}, {.tag = "me"}));
    CHECK(put(server, "a", "x").ec == errc::ok);
    CHECK(put(server, "a", "x").ec == errc::id_is_taken);
    CHECK(put(server, "b", "x").ec == errc::id_is_taken);
    CHECK(server.publish_to_tag("me", {.id = "x", .data = "1"}).ec == errc::id_is_taken);
    CHECK(server.publish_to_all({.id = "x", .data = "1"}).ec == errc::id_is_taken);
    CHECK(server.close_topic("a", {.id = "x", .data = "1"}) == errc::id_is_taken);
    CHECK(put(server, "a", "y").ec == errc::ok);
    CHECK(put(server, "b", "x").ec == errc::id_is_taken); // although the event itself has gone
    CHECK(server.metrics().published == 2);
    CHECK(server.metrics().topics == 1); // "b" has not been made
    CHECK(server.metrics().refused_events[errc::id_is_taken] == 6);
}

TEST_CASE("an id is free again once it is no longer remembered") {
    hub server(1, {}, {.ids = event_ids::by_publisher, .max_ids = 2});
    CHECK(put(server, "a", "1").ec == errc::ok);
    CHECK(put(server, "a", "2").ec == errc::ok);
    CHECK(put(server, "a", "1").ec == errc::id_is_taken);
    CHECK(put(server, "a", "3").ec == errc::ok); // "1" goes
    client forgotten(server, to({"a"}, {.last_event_id = "1"}));
    CHECK(forgotten.stream.resumption() == resumption::unknown);
    CHECK(put(server, "a", "1").ec == errc::ok);
    client back(server, to({"a"}, {.last_event_id = "3"}));
    CHECK(back.stream.resumption() == resumption::resumed);
    back.drain();
    CHECK(back.events() == texts{"1"});
}

TEST_CASE("an id that no client could bring back in a header is refused") {
    hub server(1, {}, {.ids = event_ids::by_publisher, .max_id_length = 8});
    using namespace std::string_view_literals;
    for (const std::string_view id : {" a"sv, "a "sv, " "sv, "\ta"sv, "a\tb"sv, "a\x01"sv,
                                      "a\x7f"sv, "a\0b"sv, "\n"sv, "a\r"sv, "123456789"sv}) {
        CHECK(put(server, "a", id).ec == errc::unreturnable_id);
    }
    for (const std::string_view id : {"a b"sv, "12345678"sv, "\xc3\xa9"sv, "~"sv, "!"sv}) {
        CHECK(put(server, "a", id).ec == errc::ok);
        client back(server, to({"a"}, {.last_event_id = id}));
        CHECK(back.stream.resumption() == resumption::resumed);
    }
    CHECK(server.metrics().refused_events[errc::unreturnable_id] == 11);
    hub none(1, {}, {.ids = event_ids::by_publisher, .max_id_length = 0});
    CHECK(put(none, "a", "1").ec == errc::unreturnable_id);
    hub usual(1, {}, {.ids = event_ids::by_publisher});
    CHECK(put(usual, "a", std::string(1024, 'x')).ec == errc::ok);
    CHECK(put(usual, "a", std::string(1025, 'x')).ec == errc::unreturnable_id);
}

TEST_CASE("ids that have an order only grow, and any id between two has its place") {
    hub server(1, {},
               {.keep = exactly(3),
                .ids = event_ids::by_publisher,
                .id_less = ssekit::numeric_ids(),
                .max_ids = 4});
    CHECK(put(server, "a", "9").ec == errc::ok);
    CHECK(put(server, "a", "10").ec == errc::ok); // as numbers, not as texts
    CHECK(put(server, "a", "9").ec == errc::id_is_taken);
    CHECK(put(server, "a", "8").ec == errc::out_of_sequence);
    const auto worth = [&](std::string_view id) {
        client back(server, to({"a"}, {.last_event_id = id}));
        back.drain();
        return std::pair(back.stream.resumption(), back.events());
    };
    CHECK(worth("11") == std::pair(resumption::future, texts{gap("future"), "9", "10"}));
    for (const std::string_view id : {"20", "30", "40"}) CHECK(put(server, "a", id).ec == errc::ok);
    CHECK(worth("35") == std::pair(resumption::resumed, texts{"40"}));
    CHECK(worth("30") == std::pair(resumption::resumed, texts{"40"}));
    CHECK(worth("39") == std::pair(resumption::resumed, texts{"40"}));
    CHECK(worth("15") == std::pair(resumption::resumed, texts{"20", "30", "40"}));
    CHECK(worth("10") == std::pair(resumption::resumed, texts{"20", "30", "40"}));
    CHECK(worth("9") == std::pair(resumption::unknown, texts{gap("unknown"), "20", "30", "40"}));
    CHECK(worth("41").first == resumption::future);
}

TEST_CASE("an id is expired when another topic has lost what came behind it") {
    hub server(1, {}, {.ids = event_ids::by_publisher});
    CHECK(server.keep("busy", exactly(1)) == errc::ok);
    CHECK(put(server, "slow", "s1").ec == errc::ok);
    CHECK(put(server, "busy", "b1").ec == errc::ok);
    client complete(server, to({"slow", "busy"}, {.last_event_id = "s1"}));
    CHECK(complete.stream.resumption() == resumption::resumed);
    CHECK(put(server, "busy", "b2").ec == errc::ok);
    CHECK(put(server, "slow", "s2").ec == errc::ok);
    client behind(server, to({"slow", "busy"}, {.last_event_id = "s1"}));
    CHECK(behind.stream.resumption() == resumption::expired);
    behind.drain();
    CHECK(behind.events() == texts{gap("expired"), "b2", "s2"});
    client alone(server, to({"slow"}, {.last_event_id = "s1"}));
    CHECK(alone.stream.resumption() == resumption::resumed);
}

TEST_CASE("an id is found through whatever the event was published to") {
    hub server(1, {}, {.ids = event_ids::by_publisher});
    constexpr std::array<std::string_view, 2> both = {"x/1", "x/2"};
    CHECK(put(server, both, "1").ec == errc::ok);
    CHECK(put(server, "x/2", "2").ec == errc::ok);
    std::optional<client> other(std::in_place, server, ssekit::subscribe_options{.patterns = "**"});
    CHECK(put(server, both, "3").ec == errc::ok);
    for (int i = 0; i < 2; ++i) {
        for (const char* const pattern : {"x/*", "**", "x/1", "*/2"}) {
            client back(server, {.patterns = pattern, .last_event_id = "1"});
            CHECK(back.stream.resumption() == resumption::resumed);
            back.drain();
            CHECK(back.events() ==
                  (std::string_view(pattern) == "x/1" ? texts{"3"} : texts{"2", "3"}));
            CHECK(back.last_event_id() == "3");
        }
        other.reset();
    }
}

TEST_CASE("an id outlives its topic, and says what was lost since") {
    hub server(1, time_point(12h), {.keep = {.age = 10s}, .ids = event_ids::by_publisher});
    CHECK(put(server, "a", "1").ec == errc::ok);
    CHECK(put(server, "a", "2").ec == errc::ok);
    server.tick(time_point(12h) + 11s);
    CHECK(server.metrics().topics == 0);
    client behind(server, to({"a"}, {.last_event_id = "1"}));
    CHECK(behind.stream.resumption() == resumption::expired);
    client whole(server, to({"a"}, {.last_event_id = "2"}));
    CHECK(whole.stream.resumption() == resumption::resumed);
    CHECK(put(server, "a", "1").ec == errc::id_is_taken);
}

TEST_CASE("a topic is closed with an event that has an id as well") {
    hub server(1, {}, {.ids = event_ids::by_publisher});
    client reader(server, to({"a"}));
    CHECK(server.close_topic("a", {.data = "end"}) == errc::id_is_missing);
    CHECK(reader.drain() == drain_status::idle);
    CHECK(server.close_topic("a", {.id = "9", .data = "end"}) == errc::ok);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.last_event_id() == "9");
    CHECK(client(server, to({"a"}, {.last_event_id = "9"})).ec == errc::topic_closed);
}

TEST_CASE("many ids come and go") {
    hub server(1, {}, {.keep = exactly(50), .ids = event_ids::by_publisher, .max_ids = 60});
    const auto id_of = [](std::size_t i) { return std::to_string(i * 7919 % 1000); };
    for (std::size_t i = 0; i < 1000; ++i) {
        CHECK(put(server, "a", id_of(i)).ec == errc::ok);
        if (i % 97 != 0) continue;
        for (std::size_t back = 0; back <= i && back < 70; ++back) {
            const std::string id = id_of(i - back);
            const client found(server, to({"a"}, {.last_event_id = id}));
            CHECK(found.stream.resumption() == (back <= 50  ? resumption::resumed
                                                : back < 60 ? resumption::expired
                                                            : resumption::unknown));
        }
    }
}

TEST_CASE("after a restart an ordered id from before is no proof that nothing was missed") {
    hub server(2, {}, {.ids = event_ids::by_publisher, .id_less = ssekit::numeric_ids()});
    client early(server, to({"a"}, {.last_event_id = "990"}));
    CHECK(early.stream.resumption() == resumption::unknown);
    CHECK(put(server, "a", "1000").ec == errc::ok); // 991 to 999 went to the run before
    client late(server, to({"a"}, {.last_event_id = "990"}));
    CHECK(late.stream.resumption() == resumption::unknown);
    late.drain();
    CHECK(late.events() == texts{gap("unknown"), "1000"});
    client has_it(server, to({"a"}, {.last_event_id = "1000"}));
    CHECK(has_it.stream.resumption() == resumption::resumed);
}
