// SPDX-License-Identifier: MIT
//
// Slow subscribers that only want the newest value of each key.
#include <ssekit/hub.hpp>

#include "support/client.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::framing;
using ssekit::hub;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::subscribe_options;
using support::client;
using support::exactly;
using support::gap;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr subscribe_options newest_only{.on_lag = lag_policy::coalesce};

/// The key is the first letter, "#" means none.
void tell(hub& server, std::string_view topic, std::string_view data) {
    say(server, topic, {.data = data}, data[0] == '#' ? "" : data.substr(0, 1));
}
void tell(hub& server, const texts& all) {
    for (const std::string& data : all) tell(server, "a", data);
}

} // namespace

TEST_CASE("a slow client sees the newest of each key in the order of publishing") {
    hub server(1, {}, {});
    client reader(server, to({"a"}, newest_only));
    client other(server, to({"a"}));
    for (client* each : {&reader, &other}) each->drain();
    const texts all{"k1", "l1", "#1", "k2", "m1", "#2", "l2", "m2", "k3"};
    tell(server, all);
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.events() == texts{"#1", "#2", "l2", "m2", "k3"});
    CHECK(reader.last_event_id() == "1.9");
    CHECK(server.metrics().coalesced == 4);
    CHECK(server.metrics().gaps == 0);
    CHECK(server.metrics().skipped == 0);
    other.drain();
    CHECK(other.events() == all); // who has another policy gets everything
    CHECK(server.metrics().coalesced == 4);
}

TEST_CASE("a client that keeps up gets every value") {
    hub server(1, {}, {});
    client reader(server, to({"a"}, newest_only));
    texts all;
    for (int i = 0; i < 20; ++i) {
        all.push_back("k" + std::to_string(i));
        tell(server, "a", all.back());
        reader.drain();
    }
    CHECK(reader.events() == all);
    CHECK(server.metrics().coalesced == 0);
}

TEST_CASE("an overflow that only dropped superseded events is no gap") {
    hub server(1, {}, {.keep = exactly(4)});
    client reader(server, to({"a"}, newest_only));
    reader.drain();
    for (int i = 0; i < 50; ++i) {
        tell(server, "a", "k" + std::to_string(i));
        tell(server, "a", "l" + std::to_string(i));
    }
    reader.drain();
    CHECK(reader.events() == texts{"k49", "l49"});
    CHECK(server.metrics().coalesced == 98);
    CHECK(server.metrics().gaps == 0);
}

TEST_CASE("an event that drops the one it supersedes from a full log is no gap") {
    for (std::size_t keys = 1; keys <= 5; ++keys) {
        CAPTURE(keys);
        hub server(1, {}, {.keep = exactly(keys)}); // room for one event of each key
        client reader(server, to({"a"}, newest_only));
        reader.drain();
        texts last;
        for (int round = 0; round < 10; ++round) {
            last.clear();
            for (std::size_t k = 0; k < keys; ++k) {
                last.push_back(static_cast<char>('a' + k) + std::to_string(round));
                tell(server, "a", last.back());
            }
        }
        reader.drain();
        CHECK(reader.events() == last);
        CHECK(server.metrics().gaps == 0);
        CHECK(server.metrics().coalesced == keys * 9);
    }
}

TEST_CASE(
    "an overflow that dropped anything else is a gap and then everything kept is newest only") {
    hub server(1, {}, {.keep = exactly(4)});
    client reader(server, to({"a"}, newest_only));
    reader.drain();
    tell(server, {"k1", "#1", "k2", "l1", "k3", "k4", "l2", "k5"});
    reader.drain();
    // Kept are k3, k4, l2 and k5.
    CHECK(reader.events() == texts{gap("lagged"), "l2", "k5"});
    CHECK(server.metrics().gaps == 1);
    CHECK(server.metrics().skipped == 4);
    CHECK(server.metrics().coalesced == 2);
    CHECK(server.metrics().skipped + server.metrics().coalesced + server.metrics().delivered == 8);

    tell(server, {"k6", "l3", "k7", "l4", "k8", "l5"});
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged"), "l2", "k5", "k8", "l5"});
}

TEST_CASE("an overflow by bytes that only dropped superseded events is no gap") {
    hub server(1, {}, {.keep = support::exactly({.bytes = 60})}); // two of them
    client reader(server, to({"a"}, newest_only));
    reader.drain();
    for (char c = '0'; c <= '9'; ++c) tell(server, "a", std::string("k") + c);
    reader.drain();
    CHECK(reader.events() == texts{"k9"});
    CHECK(server.metrics().coalesced == 9);
}

TEST_CASE("what is in hand is never replaced") {
    for (const framing form : {framing::raw, framing::chunked}) {
        for (std::size_t cut = 0; cut < 60; ++cut) {
            CAPTURE(cut);
            hub server(1, {}, {.keep = exactly(2)});
            client reader(server, to({"a"}, {.on_lag = lag_policy::coalesce, .framing = form}));
            tell(server, {"k1"});
            CHECK(reader.drain_bytes(cut) != drain_status::done);
            tell(server, {"k2", "k3", "k4"});
            CHECK(reader.drain() == drain_status::idle);
            CHECK(reader.seen().errors.empty());
            CHECK(reader.events() == texts{"k1", "k4"});
            if (form == framing::chunked) CHECK(support::dechunk(reader.socket.got).intact);
        }
    }
}

TEST_CASE("a client that comes back with its id gets the newest of each key behind it") {
    hub server(1, {}, {});
    tell(server, {"k1", "l1", "k2"});
    client reader(server, to({"a"}, {.last_event_id = "1.1", .on_lag = lag_policy::coalesce}));
    CHECK(reader.stream.resumption() == resumption::resumed);
    tell(server, {"k3", "m1"});
    reader.drain();
    CHECK(reader.events() == texts{"l1", "k3", "m1"});
    const std::string id = reader.last_event_id();
    CHECK(id == "1.5");
    reader.stream = {};
    tell(server, {"k4", "k5"});
    client again(server, to({"a"}, {.last_event_id = id, .on_lag = lag_policy::coalesce}));
    again.drain();
    CHECK(again.events() == texts{"k5"});
}

TEST_CASE("several topics coalesce each on its own and are merged by offset") {
    hub server(1, {}, {});
    client reader(server, to({"a", "b"}, newest_only));
    reader.drain();
    for (int i = 1; i <= 3; ++i) {
        tell(server, "a", "k" + std::to_string(i));
        tell(server, "b", "l" + std::to_string(i));
        tell(server, "b", "m" + std::to_string(i));
    }
    tell(server, "a", "n1");
    reader.drain();
    CHECK(reader.events() == texts{"k3", "l3", "m3", "n1"});
    CHECK(server.metrics().coalesced == 6);
}

TEST_CASE("one event in several topics is one event") {
    hub server(1, {}, {});
    client reader(server, to({"a", "b"}, newest_only));
    reader.drain();
    constexpr std::array<std::string_view, 2> both{"a", "b"};
    for (const std::string_view data : {"1", "2", "3"}) {
        say(server, both, {.data = data}, "k");
    }
    reader.drain();
    CHECK(reader.events() == texts{"3"});
    const auto counts = server.metrics();
    CHECK(counts.published == 3);
    CHECK(counts.delivered == 1);
    CHECK(counts.coalesced == 2); // events that a subscriber did not get, not places in logs
}

TEST_CASE("a key of one topic does not replace the same key of another that a pattern reads") {
    hub server(1, {}, {});
    client names(server, to({"room/1", "room/2"}, newest_only));
    constexpr std::string_view rooms[] = {"room/*"};
    client pattern(server, {.patterns = rooms, .on_lag = lag_policy::coalesce});
    for (client* each : {&names, &pattern}) each->drain();
    for (const std::string_view data : {"t1", "t2"}) {
        tell(server, "room/1", data);
        tell(server, "room/2", data);
    }
    for (client* each : {&names, &pattern}) {
        each->drain();
        CHECK(each->events() == texts{"t2", "t2"});
    }
}

TEST_CASE("nothing that a model keeps is ever missing") {
    for (std::uint32_t seed = 0; seed < 40; ++seed) {
        CAPTURE(seed);
        support::dice dice(seed);
        hub server(1, {}, {.keep = exactly(4 + dice.below(12))});
        client reader(server, to({"a"}, newest_only));
        std::map<char, std::string> newest;
        const std::size_t keys = 1 + dice.below(6);
        for (int i = 0; i < 300; ++i) {
            const char key = dice.one_in(10) ? '#' : static_cast<char>('a' + dice.below(keys));
            const std::string data = key + std::to_string(i);
            tell(server, "a", data);
            if (key != '#') newest[key] = data;
            if (dice.one_in(6)) reader.drain_bytes(dice.below(150));
            if (dice.one_in(30)) reader.drain();
        }
        reader.drain();
        std::map<char, std::string> got;
        int before = -1;
        for (const std::string& data : reader.events()) {
            if (data.starts_with("gap:")) continue;
            if (data[0] != '#') got[data[0]] = data;
            const int number = std::stoi(data.substr(1));
            CHECK(number > before);
            before = number;
        }
        // A key that a gap has swallowed may be older at the client, which was told.
        const auto counts = server.metrics();
        CHECK(counts.delivered + counts.coalesced + counts.skipped == 300);
        if (counts.gaps == 0) CHECK(got == newest);
        CHECK(reader.seen().errors.empty());
        CHECK(reader.last_event_id() == "1.300");
    }
}

TEST_CASE("a held client that is cut off comes back with its id and gets the newest") {
    hub server(1, {}, {});
    server.tick(ssekit::time_point(10h));
    client reader(server, to({"a"}, {.throttle = 1s}));
    tell(server, "a", "k1");
    reader.drain();
    for (const std::string_view data : {"k2", "k3"}) tell(server, "a", data);
    reader.drain();
    const std::string id = reader.last_event_id();
    reader.stream = {};
    client again(server, to({"a"}, {.last_event_id = id, .throttle = 1s}));
    again.drain();
    CHECK(again.events() == texts{"k3"});
}

TEST_CASE("events that two topics let go for a newer one are neither lost nor a gap") {
    hub server(1, {}, {.keep = exactly(2)});
    client reader(server, to({"a", "b"}, newest_only));
    reader.drain();
    for (const std::string_view data : {"1", "2", "3", "4", "5", "6"}) {
        say(server, {"a", "b"}, {.data = data}, "k");
    }
    reader.drain();
    CHECK(reader.events() == texts{"6"});
    const auto counts = server.metrics();
    CHECK(counts.delivered == 1);
    CHECK(counts.coalesced == 5);
    CHECK(counts.gaps == 0);
}

TEST_CASE("an event that several topics let go is counted once however many of them there are") {
    for (const std::size_t count : {3u, 40u, 100u}) { // some more than a log remembers
        CAPTURE(count);
        hub server(1, {}, {.keep = exactly(2)});
        client reader(server,
                      {.topics = {"a", "b"}, .patterns = {"**"}, .on_lag = lag_policy::coalesce});
        reader.drain();
        for (std::size_t i = 0; i < count; ++i) say(server, {"a", "b"}, {.data = "x"}, "k");
        reader.drain();
        const auto counts = server.metrics();
        CHECK(counts.delivered == 1);
        CHECK(counts.coalesced == count - 1);
        CHECK(counts.gaps == 0);
    }
}

TEST_CASE("what one topic lets go and another brings is neither coalesced nor filtered") {
    hub server(1, {}, {});
    CHECK(server.keep("a", exactly(1)) == ssekit::errc::ok);
    client reader(server, to({"a", "b"}, newest_only));
    client other(server, to({"a", "b"}));
    for (client* each : {&reader, &other}) each->drain();
    for (const std::string_view data : {"1", "2"}) say(server, {"a", "b"}, {.data = data}, "k");
    say(server, "a", {.data = "3"}, "k");
    for (client* each : {&reader, &other}) each->drain();
    CHECK(reader.events() == texts{"2", "3"});
    CHECK(other.events() == texts{"1", "2", "3"});
    const auto counts = server.metrics();
    CHECK(counts.coalesced == 1);
    CHECK(counts.filtered == 0);
    CHECK(counts.gaps == 0);
}
