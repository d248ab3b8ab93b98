// SPDX-License-Identifier: MIT
//
// What a stream takes while it lives: events for it alone, and topics that come and go.
#include <ssekit/subscription.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/dice.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::framing;
using ssekit::hub;
using ssekit::stream_end;
using ssekit::time_point;
using support::bell;
using support::client;
using support::noon;
using support::say;
using support::texts;
using support::to;

namespace {

errc tell(client& reader, std::string_view data) {
    return reader.stream.send({.data = data});
}

} // namespace

TEST_CASE("an event for one stream stands behind what was published before and has no id") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, {}, {.retry = 1s});
        say(server, "a", "1");
        client reader(server, to({"a", "b"}, {.last_event_id = "1.0", .framing = form}));
        client other(server, to({"a"}));
        CHECK(reader.stream.send({.type = "hi", .data = "w1", .retry = 2s}) == errc::ok);
        CHECK(tell(reader, "w2") == errc::ok);
        say(server, "b", "2");
        CHECK(tell(reader, "w3") == errc::ok);
        reader.drain();
        CHECK(tell(reader, "w4") == errc::ok);
        reader.drain();
        CHECK(reader.body() == "id: 1.0\nretry: 1000\n\nid: 1.1\ndata: 1\n\n"
                               "event: hi\nretry: 2000\ndata: w1\n\ndata: w2\n\n"
                               "id: 1.2\ndata: 2\n\ndata: w3\n\ndata: w4\n\n");
        CHECK(reader.last_event_id() == "1.2");
        other.drain();
        CHECK(other.events().empty());
        CHECK(server.metrics().published == 2);
    }
}

TEST_CASE("events for one stream are bounded and refused as any") {
    hub server(1, {}, {.max_sent = 2});
    client reader(server, to({"a"}));
    for (int round = 0; round < 3; ++round) {
        CHECK(reader.stream.send({.id = "1", .data = "x"}) == errc::id_is_assigned);
        CHECK(reader.stream.send({}) == errc::nothing_to_send);
        CHECK(reader.stream.send({.type = "t"}) == errc::nothing_to_send);
        CHECK(reader.stream.send({.type = "\n", .data = "x"}) == errc::invalid_type);
        CHECK(tell(reader, "1") == errc::ok);
        CHECK(reader.stream.send({.retry = 1s}) == errc::ok);
        CHECK(tell(reader, "2") == errc::queue_is_full);
        CHECK(reader.drain() == drain_status::idle);
    }
    CHECK(reader.events() == texts{"1", "1", "1"});
    CHECK(reader.seen().retries.size() == 3);
    CHECK(tell(reader, "never read") == errc::ok); // and freed with the stream
    client gone(server, to({"a"}));
    CHECK(tell(gone, "never read") == errc::ok);
    gone.stream = {};
}

TEST_CASE("nothing is sent to a stream that has ended") {
    client none(*std::make_unique<hub>(1, ssekit::time_point()), to({"a"}));
    CHECK(tell(none, "x") == errc::closed);
    CHECK(none.stream.add_topics("b") == errc::closed);
    CHECK(ssekit::subscription().send({.data = "x"}) == errc::closed);
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    CHECK(tell(reader, "never read") == errc::ok);
    CHECK(server.evict(reader.stream.id()));
    CHECK(tell(reader, "x") == errc::closed);
    CHECK(reader.stream.add_topics("b") == errc::closed);
    CHECK(reader.stream.remove_topics("a") == errc::closed);
    CHECK(server.metrics().topics == 0);
    CHECK(reader.drain() == drain_status::done);
    CHECK(tell(reader, "x") == errc::closed);
}

TEST_CASE("the farewell stays the last event") {
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    CHECK(tell(reader, "1") == errc::ok);
    CHECK(server.close({.farewell = {.data = "bye"}}) == errc::ok);
    std::string_view slices[3];
    CHECK(reader.stream.prepare(slices) == 3); // the opening block, the event, the farewell
    static_cast<void>(tell(reader, "2"));
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events().back() == "bye");
}

TEST_CASE("an event for one stream wakes it once") {
    hub server(1, {}, {});
    bell rung;
    char user = 'x';
    client woken(server, to({"a", "b"}), rung.waker());
    client listed(server, to({"a", "b"}, {.user = &user}));
    for (int round = 0; round < 3; ++round) {
        for (client* each : {&woken, &listed}) CHECK(each->drain() == drain_status::idle);
        for (client* each : {&woken, &listed}) {
            CHECK(tell(*each, "1") == errc::ok);
            CHECK(tell(*each, "2") == errc::ok);
        }
        say(server, "b", "3");
        CHECK(rung.take() == 1);
        CHECK(server.next_ready() == &user);
        CHECK(server.next_ready() == nullptr);
    }
}

TEST_CASE("what is sent to a throttled stream waits with what was published before") {
    hub server(1, {}, {});
    server.tick(noon);
    char user = 'x';
    client reader(server, to({"a"}, {.throttle = 10s, .user = &user}));
    say(server, "a", "1");
    reader.drain();
    CHECK(tell(reader, "at once") == errc::ok);
    CHECK(server.next_ready() == &user);
    reader.drain();
    say(server, "a", "2");
    CHECK(tell(reader, "later") == errc::ok);
    say(server, "a", "3");
    reader.drain();
    CHECK(reader.events() == texts{"1", "at once"});
    server.tick(noon + 11s);
    CHECK(server.next_ready() == &user);
    reader.drain();
    CHECK(reader.events() == texts{"1", "at once", "2", "later", "3"});
}

TEST_CASE("an event for one stream changes nothing about heartbeats and closing") {
    hub server(1, {}, {.heartbeat = {.interval = 15s}});
    server.tick(noon);
    client reader(server, to({"a"}));
    reader.drain();
    CHECK(tell(reader, "1") == errc::ok);
    reader.drain();
    server.tick(noon + 20s);
    reader.drain();
    CHECK(server.metrics().heartbeats == 1);
    CHECK(tell(reader, "2") == errc::ok);
    CHECK(server.close_topic("a", {.data = "end"}) == errc::ok);
    CHECK(tell(reader, "3") == errc::ok);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"1", "2", "end", "3"});
}

TEST_CASE("a stream that ends while it waits to be reported is reported") {
    hub server(1, {}, {.max_age = 1h, .max_age_jitter = 0});
    server.tick(noon);
    char users[] = "ab";
    client sent(server, to({"a"}, {.user = &users[0]}));
    client expiring(server, to({"a"}, {.user = &users[1]}));
    for (client* each : {&sent, &expiring}) each->drain();
    CHECK(tell(sent, "1") == errc::ok);
    CHECK(server.evict(sent.stream.id()));
    CHECK(server.next_ready() == &users[0]);
    CHECK(sent.drain() == drain_status::done);
    expiring.stream.reschedule();
    server.tick(noon + 2h);
    CHECK(expiring.stream.end() == stream_end::expired);
    CHECK(server.next_ready() == &users[1]);
}

TEST_CASE("topics that are added bring the next event and each event once") {
    constexpr std::array<std::string_view, 3> more = {"b", "a", "b"};
    constexpr std::array<std::string_view, 2> both = {"a", "b"};
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    say(server, "a", "1");
    say(server, "b", "before");
    CHECK(server.publish(both, {.data = "3"}).ec == errc::ok);
    CHECK(reader.stream.add_topics(more) == errc::ok);
    CHECK(reader.stream.add_topics("b") == errc::ok);
    CHECK(server.subscribers("a") == 1);
    CHECK(server.subscribers("b") == 1);
    CHECK(server.publish(both, {.data = "4"}).ec == errc::ok);
    say(server, "b", "5");
    reader.drain();
    CHECK(reader.stream.add_topics("c") == errc::ok);
    say(server, "c", "6");
    say(server, "a", "7");
    reader.drain();
    CHECK(reader.events() == texts{"1", "3", "4", "5", "6", "7"});
    CHECK(reader.stream.add_topics("") == errc::invalid_topic);
    CHECK(reader.stream.add_patterns("**/x") == errc::invalid_topic);
    CHECK(server.metrics().topics == 3);
}

TEST_CASE("topics may be removed but for the last") {
    for (const std::string_view gone : {"a", "b", "c"}) {
        for (const bool in_hand : {false, true}) {
            hub server(1, {}, {});
            client reader(server, to({"a", "b", "c"}, {.tag = "me"}));
            if (in_hand) reader.drain_bytes(3);
            if (!in_hand) reader.drain();
            CHECK(reader.stream.remove_topics("never read") == errc::ok);
            say(server, gone, "unread");
            CHECK(reader.stream.remove_topics(gone) == errc::ok);
            CHECK(reader.stream.remove_topics(gone) == errc::ok);
            CHECK(server.subscribers(gone) == 0);
            texts expected;
            for (const std::string_view name : {"c", "b", "a"}) {
                say(server, name, name);
                if (name != gone) expected.emplace_back(name);
            }
            reader.drain();
            CHECK(reader.events() == expected);
            constexpr std::array<std::string_view, 3> all = {"a", "b", "c"};
            CHECK(reader.stream.remove_topics(all) == errc::invalid_topic);
            CHECK(reader.stream.add_topics(gone) == errc::ok);
            reader.drain();
            say(server, gone, "again");
            reader.drain();
            CHECK(reader.events().back() == "again");
        }
    }
}

TEST_CASE("a stream that could not remove its last topic is still woken") {
    constexpr std::array<std::string_view, 2> both = {"a", "b"};
    hub server(1, {}, {});
    bell rung;
    char user = 'x';
    client listed(server, to({"a", "b"}, {.user = &user}));
    client woken(server, to({"a", "b"}), rung.waker());
    for (client* each : {&listed, &woken}) {
        each->drain();
        CHECK(each->stream.remove_topics(both) == errc::invalid_topic);
    }
    say(server, "b", "1");
    CHECK(server.next_ready() == &user);
    CHECK(rung.take() == 1);
}

TEST_CASE("a stream that waits to be reported and removes its first topic is reported") {
    hub server(1, {}, {});
    char user = 'x';
    client reader(server, to({"a", "b"}, {.user = &user}));
    reader.drain();
    CHECK(tell(reader, "1") == errc::ok);
    CHECK(reader.stream.remove_topics("a") == errc::ok);
    CHECK(server.next_ready() == &user);
}

TEST_CASE("a stream that changes its topics gets each event once and is always woken") {
    // A naive model: what waits to be read, and through which subscriptions.
    struct waiting {
        std::string text;
        std::set<std::string_view> through;
    };
    constexpr std::array<std::string_view, 4> names = {"x/1", "x/2", "y", "z"};
    constexpr std::array<std::string_view, 2> patterns = {"x/*", "**"};
    for (std::uint32_t seed = 1; seed <= 600; ++seed) {
        CAPTURE(seed);
        support::dice dice(seed);
        hub server(1, {}, {.max_sent = 1000});
        bell rung;
        char user = 'x';
        const bool wakes = seed % 2 == 0;
        std::set<std::string_view> reads = {"y"};
        std::vector<waiting> unread;
        texts expected;
        client reader(server, to({"y"}, {.user = wakes ? nullptr : &user}),
                      wakes ? rung.waker() : ssekit::waker());
        reader.drain();
        for (int i = 0; i < 40; ++i) {
            const std::string text = std::to_string(i);
            const std::string_view name = names[dice.below(4)];
            const std::string_view any = dice.below(3) == 0 ? patterns[dice.below(2)] : name;
            switch (dice.below(6)) {
            case 0: {
                const std::array<std::string_view, 2> two = {name, names[dice.below(4)]};
                CHECK(server.publish(two, {.data = text}).ec == errc::ok);
                waiting event{text, {"**", two[0], two[1]}};
                if (two[0][0] == 'x' || two[1][0] == 'x') event.through.insert("x/*");
                std::erase_if(event.through, [&](auto each) { return !reads.contains(each); });
                if (!event.through.empty()) unread.push_back(event);
                break;
            }
            case 1:
                CHECK((any == name ? reader.stream.add_topics(any)
                                   : reader.stream.add_patterns(any)) == errc::ok);
                reads.insert(any);
                break;
            case 2: {
                const bool last = reads.size() == 1 && reads.contains(any);
                CHECK(reader.stream.remove_topics(any) == (last ? errc::invalid_topic : errc::ok));
                if (last) break;
                reads.erase(any);
                std::erase_if(unread, [&](waiting& event) {
                    return event.through.erase(any) != 0 && event.through.empty();
                });
                break;
            }
            case 3:
                CHECK(tell(reader, text) == errc::ok);
                unread.push_back({text, {"sent"}});
                break;
            default: // the owner drains when it is told, and only then
                if (wakes ? rung.take() != 0 : server.next_ready() != nullptr) {
                    CHECK(reader.drain() == drain_status::idle);
                    for (const waiting& event : unread) expected.push_back(event.text);
                    unread.clear();
                }
                REQUIRE(unread.empty());
                REQUIRE(reader.events() == expected);
            }
        }
    }
}

TEST_CASE("assigning to a subscription ends the old stream at once") {
    hub server(1, {}, {.max_subscribers = 2});
    ssekit::subscription stream = server.subscribe({.topics = "a"}).subscription;
    ssekit::subscription other = server.subscribe({.topics = "b"}).subscription;
    const std::uint64_t old = stream.id();
    stream = std::move(other);
    CHECK(server.subscriptions() == 1);
    CHECK_FALSE(server.find_subscriber(old));
    CHECK(server.subscribers("a") == 0);
    CHECK(server.subscribers("b") == 1);
    CHECK_FALSE(other); // NOLINT(bugprone-use-after-move): it holds nothing, not the old stream
    ssekit::subscription& self = stream;
    stream = std::move(self);
    CHECK(server.subscriptions() == 1);
    stream = {};
    CHECK(server.subscriptions() == 0);
}

TEST_CASE("an end that was seen stays what it was when the hub has gone, and no other is proper") {
    std::optional<hub> server(std::in_place, 1, ssekit::time_point());
    client seen(*server, to({"a"}));
    client unseen(*server, to({"a"}));
    client open(*server, to({"a"}));
    client torn(*server, to({"a"}));
    for (client* each : {&seen, &unseen, &open}) each->drain();
    CHECK(torn.drain_bytes(3) == drain_status::would_block);
    for (client* each : {&seen, &unseen, &torn}) CHECK(server->evict(each->stream.id()));
    CHECK(seen.drain() == drain_status::done);
    server.reset();
    CHECK(seen.stream.end() == stream_end::evicted);
    CHECK_FALSE(seen.stream.is_abrupt());
    CHECK(seen.drain() == drain_status::done);
    for (client* each : {&unseen, &open, &torn}) {
        CHECK(each->stream.end() == stream_end::cut);
        CHECK(each->stream.is_abrupt());
        CHECK(each->drain() == drain_status::cut);
    }
    CHECK(ssekit::subscription().end() == stream_end::closed); // there never was a stream
    CHECK_FALSE(ssekit::subscription().is_abrupt());
}
