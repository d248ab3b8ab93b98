// SPDX-License-Identifier: MIT
//
// A client that has missed more than the ring keeps is fed from the log that has it: everything once
// and in order, or a gap where the log has lost something, with no moment between log and ring.
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/counted_memory.hpp"
#include "support/dice.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_place;
using ssekit::event_sequence;
using ssekit::event_target;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::resumption;
using ssekit::stream_end;
using support::client;
using support::exactly;
using support::gap;
using support::morning;
using support::texts;
using support::to;

namespace {

/// A log beyond the hub: every event, or the newest of them.
struct past {
    struct item {
        ssekit::sequenced_event event;
        std::string topic;
        bool tag = false;
    };
    event_sequence sequence{7};
    std::deque<item> all = {};
    std::uint64_t first = 1;

    const item& add(std::string_view topic, bool tag = false) {
        const std::string data = std::to_string(sequence.last() + 1);
        all.push_back({sequence.make(topic, {.data = data}), std::string(topic), tag});
        return all.back();
    }
    void trim(std::size_t keep) {
        while (all.size() > keep) all.pop_front(), ++first;
    }
    static event_target target(const item& of) {
        return of.tag ? event_target::to_tag(of.topic) : event_target(of.topic);
    }
    /// Feeds a page. \returns how many were taken.
    template <class Stream>
    std::size_t page(Stream& stream, std::size_t most) {
        std::size_t taken = 0;
        const std::optional<event_place> after = stream.needs();
        if (!after) return 0;
        for (const item& each : all) {
            if (each.event.offset <= after->offset) continue;
            if (taken == most || stream.feed(target(each), each.event) != errc::ok) break;
            ++taken;
        }
        return taken;
    }
};

hub_options ring_of(std::size_t events) {
    return {.keep = exactly(events),
            .keep_tagged = exactly(events),
            .ids = ssekit::event_ids::by_sequence,
            .heartbeat = {.interval = 15s, .jitter = 0}};
}
void bring(hub& to, const past::item& of) {
    CHECK(to.publish_sequenced(past::target(of), of.event).ec == errc::ok);
}
texts numbers(std::uint64_t from, std::uint64_t to) {
    texts out;
    for (; from <= to; ++from) out.push_back(std::to_string(from));
    return out;
}
ssekit::subscribe_options fetch(std::string_view id) {
    return {.topics = "a", .last_event_id = id, .on_gap = gap_policy::fetch};
}

} // namespace

TEST_CASE("what the ring has lost comes from the log, and then the ring goes on") {
    for (const std::size_t page : {1u, 3u, 7u, 100u, 5000u}) {
        CAPTURE(page);
        past log;
        hub server(7, morning, ring_of(5));
        for (int i = 0; i < 100; ++i) bring(server, log.add("a"));
        client reader(server, fetch("7.10"));
        CHECK(reader.stream.resumption() == resumption::resumed);
        CHECK(reader.stream.needs() == event_place{7, 10});
        CHECK(server.metrics().fetching == 1);
        reader.drain();
        CHECK(reader.socket.got == "id: 7.10\n\n");
        for (int turns = 0; reader.stream.needs() && turns < 1000; ++turns) {
            log.page(reader.stream, page);
            if (turns % 3 == 0) bring(server, log.add("a")); // meanwhile the ring goes on
            reader.drain();
        }
        CHECK_FALSE(reader.stream.needs());
        bring(server, log.add("a"));
        reader.drain();
        CHECK(reader.events() == numbers(11, log.sequence.last()));
        CHECK(server.metrics().fetching == 0);
        CHECK(server.metrics().fetches == 1);
        CHECK(server.metrics().fed + server.metrics().gaps >= 85);
        CHECK(server.metrics().gaps == 0);
        CHECK(server.metrics().delivered == reader.events().size());
        CHECK(reader.stream.feed("a", log.all.back().event) == errc::out_of_sequence);
    }
}

TEST_CASE("a log that has lost the beginning is one gap, and the rest comes") {
    past log;
    hub server(7, {}, ring_of(5));
    for (int i = 0; i < 100; ++i) bring(server, log.add("a"));
    log.trim(30);
    client reader(server, fetch("7.10"));
    log.page(reader.stream, 1000);
    reader.drain();
    texts expected = {gap("expired")};
    for (const std::string& text : numbers(71, 100)) expected.push_back(text);
    CHECK(reader.events() == expected);
    CHECK(reader.socket.got.find(R"({"reason":"expired","from":"7.10","through":"7.70"})") !=
          std::string::npos);
    CHECK(server.metrics().gaps == 1);
}

TEST_CASE("a log that has nothing of it, or fails, is a gap, and the ring comes") {
    for (const bool some : {false, true}) {
        CAPTURE(some);
        past log;
        hub server(7, {}, ring_of(5));
        for (int i = 0; i < 100; ++i) bring(server, log.add("a"));
        client reader(server, fetch("7.10"));
        if (some) log.page(reader.stream, 2);
        CHECK(reader.stream.feed_no_more() == errc::ok);
        CHECK(reader.stream.feed_no_more() == errc::out_of_sequence);
        reader.drain();
        texts expected = some ? texts{"11", "12"} : texts{};
        expected.push_back(gap("expired"));
        for (const std::string& text : numbers(96, 100)) expected.push_back(text);
        CHECK(reader.events() == expected);
        CHECK(reader.last_event_id() == "7.100");
    }
}

TEST_CASE("a client cut off anywhere comes back with its id, and nothing is missing or twice") {
    support::dice random(7);
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        past log;
        hub server(7, morning, ring_of(4));
        const auto add = [&] {
            const std::size_t which = random.below(4);
            bring(server, which == 3 ? log.add("me", true)
                                     : log.add(std::string_view("abx").substr(which, 1)));
        };
        std::string id = "7.0";
        texts got;
        std::optional<client> reader;
        const auto come_back = [&] {
            if (reader) {
                id = reader->last_event_id().empty() ? id : reader->last_event_id();
                for (const auto& text : reader->events()) got.push_back(text);
            }
            reader.emplace(server, ssekit::subscribe_options{.topics = "a",
                                                             .patterns = "*",
                                                             .tag = "me",
                                                             .last_event_id = id,
                                                             .on_gap = gap_policy::fetch});
            REQUIRE(reader->ec == errc::ok);
        };
        for (int step = 0; step < 150; ++step) {
            switch (random.below(6)) {
            case 0:
            case 1: add(); break;
            case 2: come_back(); break;
            case 3:
                if (reader) log.page(reader->stream, 1 + random.below(6));
                break;
            case 4:
                if (reader) reader->drain_bytes(random.below(60));
                break;
            default:
                if (reader) reader->drain();
            }
            server.tick(morning + step * 1s);
        }
        come_back(); // it may have lagged in the ring
        for (int i = 0; i < 200 && reader->stream.needs(); ++i) {
            log.page(reader->stream, 50);
            reader->drain();
        }
        reader->drain();
        for (const auto& text : reader->events()) got.push_back(text);
        REQUIRE(got == numbers(1, log.sequence.last()));
        REQUIRE(server.metrics().gaps == 0);
    }
}

TEST_CASE("only what the stream reads is fed: topics, patterns, its tag, all, and what it wants") {
    hub server(7, {}, ring_of(1));
    event_sequence sequence(7);
    std::vector<std::pair<event_target, ssekit::sequenced_event>> log;
    const auto add = [&](const event_target& target, std::string_view key = {}) {
        const std::string data = std::to_string(sequence.last() + 1);
        log.emplace_back(target, sequence.make("", {.data = data}, key));
        CHECK(server.publish_sequenced(target, log.back().second).ec == errc::ok);
    };
    add("a"), add("b"), add("x/1"), add(event_target::to_tag("me")), add(event_target::to_tag("a"));
    add(event_target::to_all()), add("a", "dull"), add(ssekit::topic_list("b", "a"));
    log.emplace_back("a", sequence.mark());
    CHECK(server.publish_sequenced("a", log.back().second).ec == errc::ok);
    add("a"), add("x/1"), add(event_target::to_tag("me")), add("a");
    const auto wanted = [](void*, const ssekit::event_summary& event) noexcept {
        return event.key != "dull";
    };
    client reader(server, {.topics = "a",
                           .patterns = "x/*",
                           .tag = "me",
                           .last_event_id = "7.0",
                           .on_gap = gap_policy::fetch,
                           .filter = {wanted, nullptr}});
    for (const auto& [target, event] : log) {
        if (reader.stream.needs()) CHECK(reader.stream.feed(target, event) == errc::ok);
    }
    reader.drain();
    CHECK(reader.events() == texts{"1", "3", "4", "6", "8", "10", "11", "12", "13"});
    CHECK(server.metrics().filtered == 1);
}

TEST_CASE("what may wait is bounded by events and bytes, and asked for when half has left") {
    past log;
    hub_options options = ring_of(2);
    struct asked {
        std::vector<ssekit::history_need> all = {};
    } needs;
    options.max_fed = 10;
    options.on_need = {[](void* self, const ssekit::history_need& need) noexcept {
                           static_cast<asked*>(self)->all.push_back(need);
                       },
                       &needs};
    hub server(7, {}, options);
    for (int i = 0; i < 100; ++i) bring(server, log.add("a"));
    support::bell woken;
    client reader(server, fetch("7.0"), woken.waker());
    REQUIRE(needs.all.size() == 1);
    CHECK(needs.all[0].stream == reader.stream.id());
    CHECK(needs.all[0].after == event_place{7, 0});
    reader.drain();
    const int before = woken.rings;
    CHECK(log.page(reader.stream, 1000) == 10);
    CHECK(woken.rings == before + 1);
    CHECK(reader.stream.feed("a", log.all[10].event) == errc::queue_is_full);
    CHECK_FALSE(reader.stream.needs());
    const std::size_t asked_before = needs.all.size();
    for (int i = 0; i < 4; ++i) CHECK(reader.drain_one_frame());
    CHECK_FALSE(reader.stream.needs());
    CHECK(reader.drain_one_frame());
    CHECK(reader.stream.needs() == event_place{7, 10});
    CHECK(needs.all.size() == asked_before + 1);
    reader.drain();
    CHECK(needs.all.size() == asked_before + 1); // once until it is fed
    std::size_t shown = 0;
    server.for_each_need([&](const ssekit::history_need& need) {
        ++shown;
        CHECK(need.after == event_place{7, 10});
        CHECK(need.stream == reader.stream.id());
    });
    CHECK(shown == 1);
    CHECK(server.feed(reader.stream.id(), "a", log.all[10].event) == errc::ok);
    CHECK(server.feed(0, "a", log.all[10].event) == errc::closed);
    CHECK(server.feed(12345, "a", log.all[10].event) == errc::closed);

    hub_options narrow = ring_of(2);
    narrow.max_fed_bytes = 40; // two events of 19 bytes
    hub second(7, {}, narrow);
    for (const auto& each : log.all) bring(second, each);
    client other(second, fetch("7.10"));
    CHECK(log.page(other.stream, 1000) == 2);
    narrow.max_fed_bytes = 0;
    hub third(7, {}, narrow);
    for (const auto& each : log.all) bring(third, each);
    client last(third, fetch("7.10"));
    CHECK(log.page(last.stream, 1000) == 1); // one may be larger than all
}

TEST_CASE("a stream that is fed has its heartbeats, with the id that it has come to") {
    past log;
    hub server(7, morning, ring_of(2));
    for (int i = 0; i < 50; ++i) bring(server, log.add(i < 2 ? "a" : i < 48 ? "b" : "a"));
    for (int i = 0; i < 10; ++i) bring(server, log.add("a"));
    client reader(server, fetch("7.1"));
    reader.drain();
    server.tick(morning + 16s);
    reader.drain();
    CHECK(reader.heartbeats() == 1);
    CHECK(reader.last_event_id() == "7.1");
    log.page(reader.stream, 20);
    reader.drain();
    CHECK(reader.events() == texts{"2"});
    server.tick(morning + 40s);
    reader.drain();
    CHECK(reader.heartbeats() == 2);
    CHECK(reader.last_event_id() == "7.21"); // it need not be fed those again
    server.tick(morning + 60s);
    reader.drain();
    CHECK(reader.heartbeats() == 3);
    CHECK(reader.stream.feed_through({7, 55}) == errc::ok); // those of its topics were left out
    CHECK(reader.stream.needs() == event_place{7, 55});
    CHECK(reader.stream.feed_through({7, 54}) == errc::out_of_sequence);
    CHECK(reader.stream.feed_through({8, 99}) == errc::out_of_sequence);
    CHECK(reader.stream.feed_through({7, 58}) == errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{"2", "59", "60"});
}

TEST_CASE("a stream that is fed stalls, expires and leaves like any other") {
    past log;
    hub_options options = ring_of(2);
    options.write_deadline = 10s;
    hub server(7, morning, options);
    for (int i = 0; i < 50; ++i) bring(server, log.add("a"));
    client stalled(server, fetch("7.1"));
    ssekit::subscribe_options old = fetch("7.1");
    old.max_age = 5s;
    client expires(server, old);
    for (client* each : {&stalled, &expires}) each->drain();
    for (client* each : {&stalled, &expires}) log.page(each->stream, 10);
    stalled.drain_bytes(3);
    server.tick(morning + 6s);
    expires.drain();
    CHECK(expires.stream.end() == stream_end::expired);
    CHECK(expires.stream.feed("a", log.all[20].event) == errc::closed);
    CHECK_FALSE(expires.stream.needs());
    server.tick(morning + 30s);
    CHECK(stalled.stream.end() == stream_end::stalled);
    client leaves(server, fetch("7.1"));
    log.page(leaves.stream, 3);
    CHECK(server.close({.farewell = {.data = "bye"}}) == errc::ok);
    leaves.drain();
    CHECK(leaves.events() == texts{"2", "3", "4", "bye"}); // and comes back with 7.4
    CHECK(leaves.last_event_id() == "7.4");
    CHECK(leaves.stream.end() == stream_end::closed);
    client* const gone[] = {&stalled, &expires, &leaves};
    for (client* each : gone) each->stream = {};
    CHECK(server.metrics().fetching == 0);
}

TEST_CASE("what is sent to a stream that is fed keeps its place, and so does the caught-up event") {
    past log;
    hub_options options = ring_of(2);
    options.caught_up_type = "now";
    hub server(7, {}, options);
    for (int i = 0; i < 6; ++i) bring(server, log.add("a"));
    client reader(server, fetch("7.1"));
    CHECK(reader.stream.send({.data = "note"}) == errc::ok);
    for (int i = 0; i < 4; ++i) bring(server, log.add("a")); // the ring has 9 and 10
    log.page(reader.stream, 100);
    reader.drain();
    CHECK(reader.events() ==
          texts{"2", "3", "4", "5", "6", "now:{\"cursor\":\"7.6\"}", "note", "7", "8", "9", "10"});
    CHECK(reader.last_event_id() == "7.10");
}

TEST_CASE("a topic that closes, or is forgotten, while its reader is fed ends it in the end") {
    for (const bool forget : {false, true}) {
        CAPTURE(forget);
        past log;
        hub server(7, {}, ring_of(2));
        for (int i = 0; i < 20; ++i) bring(server, log.add("a"));
        client reader(server, fetch("7.1"));
        if (forget) CHECK(server.forget_topic("a"));
        if (!forget) CHECK(server.close_topic("a") == errc::ok);
        reader.drain();
        CHECK(reader.stream.end() == stream_end::open);
        log.page(reader.stream, 100);
        reader.drain();
        CHECK(reader.events() == numbers(2, 20));
        CHECK(reader.stream.end() == stream_end::topic_closed);
    }
}

TEST_CASE("a log that is ahead of the hub brings nothing twice, and one that begins anew a gap") {
    past log;
    hub server(7, {}, ring_of(2));
    for (int i = 0; i < 20; ++i) bring(server, log.add("a"));
    for (int i = 0; i < 5; ++i) log.add("a"); // have not come to the hub
    client reader(server, fetch("7.1"));
    const std::optional<event_place> after = reader.stream.needs();
    REQUIRE(after);
    for (const auto& each : log.all) {
        if (each.event.offset < 2 || each.event.offset > 17) continue;
        CHECK(reader.stream.feed("a", each.event) == errc::ok);
    }
    CHECK(reader.stream.feed_through({7, 25}) == errc::ok);
    for (std::size_t i = 20; i < 25; ++i) bring(server, log.all[i]);
    bring(server, log.add("a"));
    reader.drain();
    texts expected = numbers(2, 17);
    expected.push_back("26"); // the owner has said that it needs none of 18 to 25
    CHECK(reader.events() == expected);

    client other(server, fetch("7.1"));
    log.page(other.stream, 5);
    CHECK(server.begin_epoch({8, 0}) == errc::ok);
    CHECK(other.stream.feed("a", log.all[10].event) == errc::out_of_sequence);
    other.drain();
    CHECK(other.events() == texts{gap("missed")});
    CHECK(other.last_event_id() == "8.0");
    CHECK(server.metrics().fetching == 0);
}

TEST_CASE("fetch is like earliest for ids that no log resumes, and where the ring has it all") {
    past log;
    hub server(7, {}, ring_of(2));
    for (int i = 0; i < 20; ++i) bring(server, log.add("a"));
    for (const std::string_view id : {"8.1", "?", "7.99999"}) {
        client reader(server, fetch(id));
        CHECK_FALSE(reader.stream.needs());
        reader.drain();
        CHECK(reader.events().size() == 3);
        CHECK(reader.events()[0].starts_with("gap:"));
    }
    client whole(server, fetch("7.18"));
    CHECK_FALSE(whole.stream.needs());
    whole.drain();
    CHECK(whole.events() == texts{"19", "20"});
    CHECK(server.metrics().fetches == 0);
    hub own(7, {}, {.keep = exactly(1)});
    for (int i = 0; i < 3; ++i) CHECK(own.publish("a", {.data = "x"}).ec == errc::ok);
    client plain(own, fetch("7.1"));
    CHECK_FALSE(plain.stream.needs());
    plain.drain();
    CHECK(plain.events() == texts{gap("expired"), "x"});
}

TEST_CASE("without memory an event is fed again, and nothing is lost or doubled") {
    past log;
    for (std::size_t grace = 0;; ++grace) {
        CAPTURE(grace);
        support::counted_memory memory;
        past log_here;
        std::size_t refused = 0;
        {
            hub_options options = ring_of(2);
            options.memory = &memory;
            hub server(7, {}, options);
            for (int i = 0; i < 30; ++i) bring(server, log_here.add("a"));
            log_here.trim(25);
            memory.grace = grace;
            std::optional<client> reader;
            reader.emplace(server, fetch("7.1"));
            while (reader->ec == errc::out_of_memory && refused < 1000) {
                memory.grace = ++refused;
                reader.emplace(server, fetch("7.1"));
            }
            for (int turns = 0; reader->stream.needs() && turns < 1000; ++turns) {
                if (log_here.page(reader->stream, 100) == 0) memory.grace = ++refused;
            }
            memory.grace = support::counted_memory::unlimited;
            reader->drain();
            texts expected = {gap("expired")};
            for (const auto& text : numbers(6, 30)) expected.push_back(text);
            CHECK(reader->events() == expected);
        }
        CHECK(memory.live() == 0);
        if (refused == 0) break;
    }
}

TEST_CASE("a thread of its own may feed the streams of a shared hub") {
    past log;
    ssekit::shared_hub server(7, {}, ring_of(2));
    for (int i = 0; i < 20; ++i) {
        const auto& each = log.add("a");
        CHECK(server.publish_sequenced("a", each.event).ec == errc::ok);
    }
    auto made = server.subscribe(fetch("7.1"));
    CHECK(made.subscription.resumption() == resumption::resumed);
    std::vector<ssekit::history_need> needs;
    server.for_each_need([&](const ssekit::history_need& need) { needs.push_back(need); });
    REQUIRE(needs.size() == 1);
    CHECK(server.feed(needs[0].stream, "a", log.all[1].event) == errc::ok);
    CHECK(log.page(made.subscription, 3) == 3);
    CHECK(made.subscription.feed_through({7, 6}) == errc::ok);
    CHECK(server.feed_through(needs[0].stream, {7, 7}) == errc::ok);
    CHECK(server.feed_no_more(needs[0].stream) == errc::ok);
    CHECK(made.subscription.feed_no_more() == errc::out_of_sequence);
    CHECK_FALSE(made.subscription.needs());
}
