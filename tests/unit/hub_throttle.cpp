// SPDX-License-Identifier: MIT
//
// Subscribers that want news together and not too often.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/dice.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::framing;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::never;
using ssekit::stream_end;
using ssekit::time_point;
using support::bell;
using support::client;
using support::morning;
using support::say;
using support::texts;
using support::to;
using support::untimed;

namespace {

std::uint64_t tell(hub& server, std::string_view topic, std::string_view key,
                   std::string_view data) {
    return server.publish(topic, {.data = data}, key).offset;
}

/// Ticks at each deadline up to `until`, and drains whoever is reported.
void run(hub& server, client& reader, time_point until) {
    while (server.next_deadline() <= until) {
        server.tick(server.next_deadline());
        while (server.next_ready() != nullptr) reader.drain();
    }
    server.tick(until);
    while (server.next_ready() != nullptr) reader.drain();
}

} // namespace

TEST_CASE("the first event passes at once and later ones leave together when the window opens") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, {}, untimed);
        server.tick(morning);
        char user = 'x';
        client reader(server, to({"a"}, {.throttle = 1s, .framing = form, .user = &user}));
        CHECK(reader.drain() == drain_status::idle);
        tell(server, "a", "k", "1");
        CHECK(server.next_ready() == &user);
        CHECK(reader.drain() == drain_status::idle);
        CHECK(reader.events() == texts{"1"});

        time_point now = morning + 100ms;
        server.tick(now);
        tell(server, "a", "k", "2");
        tell(server, "a", "l", "3");
        tell(server, "a", "", "4");
        while (server.next_ready() != nullptr) reader.drain();
        CHECK(reader.drain() == drain_status::idle);
        CHECK(reader.events() == texts{"1"});
        while (server.next_ready() == nullptr) { // there may be looks on the way
            CHECK(reader.events() == texts{"1"});
            now = server.next_deadline();
            REQUIRE(now <= morning + 1s + 10ms);
            server.tick(now);
        }
        CHECK(now >= morning + 1s);
        reader.drain();
        CHECK(reader.events() == texts{"1", "2", "3", "4"});
        CHECK(server.next_ready() == nullptr);
    }
}

TEST_CASE("of each key only the newest leaves and the order between keys stays") {
    hub server(1, {}, untimed);
    server.tick(morning);
    char user = 'x';
    client reader(server, to({"a"}, {.throttle = 1s, .user = &user}));
    reader.drain();
    tell(server, "a", "k", "k0");
    reader.drain();
    for (const char* data : {"k1", "l1", "k2", "m1", "l2", "m2", "k3"}) {
        tell(server, "a", {data, 1}, data);
    }
    reader.drain();
    run(server, reader, morning + 2500ms);
    CHECK(reader.events() == texts{"k0", "l2", "m2", "k3"});
    CHECK(server.metrics().coalesced == 4);
    CHECK(server.next_deadline() == never);
}

TEST_CASE("events that were published before the first window are one batch") {
    hub server(1, {}, untimed);
    server.tick(morning);
    for (const char* data : {"1", "2"}) tell(server, "a", "k", data);
    tell(server, "a", "l", "3");
    client reader(server, to({"a"}, {.last_event_id = "1.0", .throttle = 1s}));
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.events() == texts{"2", "3"});
}

TEST_CASE("a batch that leaves slowly is not joined by what comes later") {
    hub server(1, {}, untimed);
    server.tick(morning);
    char user = 'x';
    client reader(server, to({"a"}, {.throttle = 1s, .user = &user}));
    reader.drain();
    tell(server, "a", "", "1");
    tell(server, "a", "", "2");
    CHECK(reader.drain_bytes(5) == drain_status::would_block);
    tell(server, "a", "", "3");
    server.tick(morning + 500ms);
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.events() == texts{"1", "2"});
    run(server, reader, morning + 1100ms);
    CHECK(reader.events() == texts{"1", "2", "3"});
}

TEST_CASE("at most one event of a key leaves in an interval and the newest of all in the end") {
    for (std::uint32_t seed = 0; seed < 25; ++seed) {
        CAPTURE(seed);
        support::dice dice(seed);
        hub server(1, {}, untimed);
        server.tick(morning);
        char user = 'x';
        const bool two = seed % 2 == 0;
        client reader(server, two ? to({"a", "b"}, {.throttle = 300ms, .user = &user})
                                  : to({"a"}, {.throttle = 300ms, .user = &user}));
        reader.drain();
        std::map<std::string, std::string> newest;
        std::map<std::string, time_point> last;
        texts unkeyed;
        std::size_t seen = 0;
        time_point now = morning;
        const bool fast = seed % 4 < 2;
        const auto look = [&] {
            while (server.next_ready() != nullptr) {
                reader.drain_bytes(fast ? support::everything : 1 + dice.below(200));
            }
            if (!fast && dice.one_in(3)) reader.drain();
            const texts events = reader.events();
            for (; seen < events.size(); ++seen) {
                if (events[seen][0] == '#') continue;
                const std::string key = events[seen].substr(0, 2);
                // To a slow client, what was in hand may leave late and the next in time.
                if (fast && last.contains(key)) CHECK(now - last[key] >= 300ms);
                last[key] = now;
            }
        };
        for (int i = 0; i < 300; ++i) {
            const std::string topic = two && dice.one_in(2) ? "b" : "a";
            const std::string key = topic + static_cast<char>('k' + dice.below(3));
            const bool keyed = !dice.one_in(8);
            const std::string data = (keyed ? key : "#") + std::to_string(i);
            tell(server, topic, keyed ? key : "", data);
            if (keyed) newest[key] = data;
            if (!keyed) unkeyed.push_back(data);
            now += std::chrono::milliseconds(dice.below(60));
            server.tick(now);
            look();
        }
        reader.drain();
        for (int i = 0; i < 3; ++i) run(server, reader, now += 301ms);
        reader.drain();

        std::map<std::string, std::string> got;
        texts got_unkeyed;
        int before = -1;
        for (const std::string& data : reader.events()) {
            const bool keyed = data[0] != '#';
            if (keyed) got[data.substr(0, 2)] = data;
            if (!keyed) got_unkeyed.push_back(data);
            const int number = std::stoi(data.substr(keyed ? 2 : 1));
            CHECK(number > before);
            before = number;
        }
        CHECK(got == newest);
        CHECK(got_unkeyed == unkeyed);
        CHECK(reader.last_event_id() == "1.300");
        CHECK(server.next_deadline() == never);
        const auto counts = server.metrics();
        CHECK(counts.coalesced + counts.delivered == 300);
        CHECK(counts.gaps == 0);
    }
}

TEST_CASE("windows are at least an interval apart for a client that keeps up") {
    hub server(1, {}, untimed);
    server.tick(morning);
    char user = 'x';
    client reader(server, to({"a"}, {.throttle = 1s, .user = &user}));
    reader.drain();
    std::vector<time_point> windows;
    std::size_t seen = 0;
    for (int i = 0; i < 1000; ++i) {
        const time_point now = morning + i * 10ms;
        tell(server, "a", "k", std::to_string(i));
        run(server, reader, now);
        if (reader.events().size() == seen) continue;
        CHECK(reader.events().size() == ++seen); // one event of the one key
        windows.push_back(now);
    }
    CHECK(windows.size() == 10);
    for (std::size_t i = 1; i < windows.size(); ++i) CHECK(windows[i] - windows[i - 1] >= 1s);
}

TEST_CASE("a held subscriber is not woken by publishes and once when its window opens") {
    hub server(1, {}, untimed);
    server.tick(morning);
    bell rings;
    char user = 'x';
    client woken(server, to({"a", "b"}, {.throttle = 1s}), rings.waker());
    client listed(server, to({"a", "b"}, {.throttle = 1s, .user = &user}));
    for (client* each : {&woken, &listed}) each->drain();
    for (int window = 0; window < 5; ++window) {
        CAPTURE(window);
        const time_point now = morning + window * 3s;
        server.tick(now);
        tell(server, "a", "k", "first");
        CHECK(rings.take() == 1);
        CHECK(server.next_ready() == &user);
        for (client* each : {&woken, &listed}) CHECK(each->drain() == drain_status::idle);
        int times = 0;
        for (int i = 0; i < 20; ++i) {
            tell(server, i % 2 == 0 ? "a" : "b", i % 3 == 0 ? "" : "k", std::to_string(i));
            times += rings.take();
            while (server.next_ready() != nullptr) ++times;
            for (client* each : {&woken, &listed}) CHECK(each->drain() == drain_status::idle);
        }
        CHECK(times == 0);
        server.tick(now + 1s + 10ms);
        CHECK(rings.take() == 1);
        CHECK(server.next_ready() == &user);
        CHECK(server.next_ready() == nullptr);
        for (client* each : {&woken, &listed}) CHECK(each->drain() == drain_status::idle);
        CHECK(woken.events() == listed.events());
        CHECK(woken.events().back() == "19");
    }
}

TEST_CASE("heartbeats still come for a stream that is held for long") {
    hub server(1, {}, {.heartbeat = {.interval = 15s, .jitter = 0}});
    server.tick(morning);
    char user = 'x';
    client reader(server, to({"a"}, {.throttle = 5min, .user = &user}));
    reader.drain();
    tell(server, "a", "k", "1");
    run(server, reader, morning);
    tell(server, "a", "k", "2");
    run(server, reader, morning + 290s);
    CHECK(reader.events() == texts{"1"});
    const std::size_t beats = reader.seen().comments.size();
    CHECK(beats >= 18);
    CHECK(beats <= 21);
    run(server, reader, morning + 301s);
    CHECK(reader.events() == texts{"1", "2"});
}

TEST_CASE("close releases the newest of each key at once") {
    hub server(1, {}, untimed);
    server.tick(morning);
    bell rings;
    client reader(server, to({"a"}, {.throttle = 1h}), rings.waker());
    reader.drain();
    tell(server, "a", "k", "0");
    reader.drain();
    tell(server, "a", "k", "1");
    reader.drain(); // it is held from here on
    for (const std::string_view data : {"2", "3"}) tell(server, "a", "k", data);
    tell(server, "a", "", "4");
    rings.take();
    CHECK(server.close({.farewell = {.data = "bye"}}) == ssekit::errc::ok);
    CHECK(rings.take() == 1);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"0", "3", "4", "bye"});
}

TEST_CASE("a closed topic lets its last events out when the window opens") {
    hub server(1, {}, untimed);
    server.tick(morning);
    char user = 'x';
    client reader(server, to({"a"}, {.throttle = 1s, .user = &user}));
    reader.drain();
    tell(server, "a", "k", "1");
    reader.drain();
    tell(server, "a", "k", "2");
    reader.drain();
    CHECK(server.close_topic("a", {.data = "last"}) == ssekit::errc::ok);
    run(server, reader, morning + 1100ms);
    CHECK(reader.events() == texts{"1", "2", "last"});
    CHECK(reader.stream.end() == stream_end::topic_closed);
    CHECK(reader.stream.is_done());
}

TEST_CASE("a stream that leaves or is evicted while it is held leaves nothing behind") {
    hub server(1, {}, untimed);
    server.tick(morning);
    char user = 'x';
    for (const bool evict : {false, true}) {
        client reader(server, to({"a", "b"}, {.throttle = 1s, .user = &user}));
        reader.drain();
        tell(server, "a", "k", "1");
        reader.drain();
        tell(server, "b", "k", "2");
        reader.drain();
        CHECK(server.next_deadline() != never);
        if (evict) {
            CHECK((server.evict(reader.stream.id()) && server.next_ready() == &user));
            CHECK(reader.drain() == drain_status::done);
            CHECK(reader.events() == texts{"1"});
        } else {
            reader.stream = {};
            server.tick(morning + 5s);
            CHECK(server.next_ready() == nullptr);
        }
        CHECK(server.next_deadline() == never);
    }
    server.tick(morning + 10s);
    CHECK(server.next_ready() == nullptr);
}

TEST_CASE("a held event of two topics survives the loss of one of them") {
    hub server(1, {}, untimed);
    server.tick(morning);
    client reader(server, to({"a", "b"}, {.throttle = 1s}));
    tell(server, "a", "", "1");
    reader.drain();
    constexpr std::string_view both[] = {"a", "b"};
    say(server, both, {.data = "2"});
    reader.drain();
    CHECK(reader.stream.remove_topics("a") == ssekit::errc::ok);
    server.tick(morning + 2s);
    reader.drain();
    CHECK(reader.events() == texts{"1", "2"});
}

TEST_CASE("what a throttle holds back is no lag, however much it is") {
    for (const bool by_bound : {false, true}) {
        for (const auto policy : {ssekit::lag_policy::disconnect, ssekit::lag_policy::detach}) {
            CAPTURE(by_bound);
            hub server(1, morning,
                       {.keep = by_bound ? ssekit::retention() : support::exactly(3),
                        .heartbeat = {.interval = 0s},
                        .write_deadline = 0s});
            char user = 'x';
            client reader(server, to({"a"}, {.on_lag = policy,
                                             .max_lag = {.events = by_bound ? 3u : 0u},
                                             .throttle = 1s,
                                             .user = &user}));
            reader.drain();
            tell(server, "a", "", "0");
            reader.drain();
            for (int i = 1; i <= 10; ++i) tell(server, "a", "", std::to_string(i));
            run(server, reader, morning + 1100ms);
            CHECK(reader.stream.end() == stream_end::open);
            CHECK(reader.events().front() == "0");
            CHECK(reader.events().back() == "10");
            // What the log had to let go is a gap, what is there comes whole.
            const std::size_t lost = by_bound ? 0 : 7;
            CHECK(reader.events().size() == 11 - lost + (lost != 0 ? 1 : 0));
            CHECK(server.metrics().skipped == lost);
        }
    }
}

TEST_CASE("a stream that is asked while its window is shut is not behind") {
    for (const bool by_bound : {false, true}) {
        CAPTURE(by_bound);
        hub server(1, morning,
                   {.keep = by_bound ? ssekit::retention() : support::exactly(3),
                    .heartbeat = {.interval = 15s, .jitter = 0}});
        char user = 'x';
        client reader(server, to({"a"}, {.max_lag = {.events = by_bound ? 3u : 0u},
                                         .throttle = 1min,
                                         .user = &user}));
        reader.drain();
        tell(server, "a", "", "0");
        reader.drain();
        for (int i = 1; i <= 10; ++i) tell(server, "a", "", std::to_string(i));
        CHECK(reader.drain() == drain_status::idle); // unreported
        CHECK(reader.stream.send({.data = "for you"}) == ssekit::errc::ok);
        run(server, reader, morning + 50s); // heartbeats
        CHECK(reader.stream.end() == stream_end::open);
        run(server, reader, morning + 61s);
        CHECK(reader.stream.end() == stream_end::open);
        REQUIRE(reader.events().size() > 2);
        CHECK(reader.events().back() == "for you"); // after what was published before
        CHECK(reader.events()[reader.events().size() - 2] == "10");
    }
}

TEST_CASE("a throttled stream that the log leaves behind between windows has a gap and goes on") {
    hub server(1, morning, {.keep = support::exactly(3), .heartbeat = {.interval = 0s}});
    char user = 'x';
    client reader(server, to({"a"}, {.throttle = 1s, .user = &user}));
    reader.drain();
    server.tick(morning + 5s);
    for (int i = 0; i < 10; ++i) tell(server, "a", "", "x"); // no window has let them out
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.stream.end() == stream_end::open);
    CHECK(server.metrics().gaps == 1);
}

TEST_CASE("a closed topic that has been read is read no more by a throttled stream either") {
    hub server(1, morning, untimed);
    char user = 'x';
    client reader(server, to({"a", "b"}, {.throttle = 1s, .user = &user}));
    reader.drain();
    tell(server, "a", "", "1");
    reader.drain();
    CHECK(server.close_topic("a", {.data = "last"}, 2s) == ssekit::errc::ok);
    run(server, reader, morning + 10s);
    CHECK(reader.events() == texts{"1", "last"});
    CHECK(server.subscribers("a") == 0);
    CHECK(reader.stream.end() == stream_end::open);
}
