// SPDX-License-Identifier: MIT
//
// The relay's threads over a journal in memory. What it decides is tested in detail/relay/, without
// threads; here whether all of it together keeps what it promises.
#include <ssekit/relay.hpp>

#include <ssekit/doorbell.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/client.hpp"
#include "support/dice.hpp"
#include "support/fake_journal.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_place;
using ssekit::event_target;
using ssekit::relay_options;
using ssekit::resumption;
using support::append_fault;
using support::client;
using support::fake_journal;
using support::fake_log;
using support::gap;
using support::texts;
using support::to;

using fake_relay = ssekit::relay<fake_journal>;
static_assert(!std::is_copy_constructible_v<fake_relay> &&
              !std::is_move_constructible_v<fake_relay>);

namespace {

constexpr ssekit::hub_options of_sequence{.ids = ssekit::event_ids::by_sequence};

/// Waits that no test notices.
relay_options quick(relay_options options = {}) {
    options.retry_min = 1ms;
    options.retry_max = 2ms;
    options.wait = 5ms;
    options.remind = 5ms;
    return options;
}

/// A process with a hub, a loop, and what its publishers have been told.
struct relay_node {
    explicit relay_node(fake_log& log, const relay_options& options = quick())
        : link(options, bell.waker(), log) {}

    /// Runs the loop until it is so. \returns whether it is.
    template <class Condition>
    bool until(Condition&& so) {
        const auto deadline = std::chrono::steady_clock::now() + 1min;
        while (!so()) {
            while (link.turn(server)) {
            }
            if (so()) return true;
            const auto now = std::chrono::steady_clock::now();
            if (now > deadline) return false;
            bell.wait_until(now + 5ms); // not all that a test looks at rings
        }
        return true;
    }
    bool until_ready() {
        return until([&] { return link.is_ready(); });
    }
    bool until_at(std::uint64_t offset) {
        return until([&] { return server.newest().offset >= offset; });
    }
    bool until_told(std::size_t count) {
        return until([&] { return told.size() >= count; });
    }
    errc publish(const event_target& target, std::string_view data,
                 ssekit::relay_publish_options options = {}) {
        options.done = [this](const ssekit::relay_outcome& outcome) noexcept {
            told.push_back(outcome);
            reasons.emplace_back(outcome.why);
        };
        return link.publish(target, {.data = data}, {}, options);
    }

    ssekit::doorbell bell;
    ssekit::hub server{7, support::morning, of_sequence};
    std::vector<ssekit::relay_outcome> told;
    std::vector<std::string> reasons;
    fake_relay link;
};

std::string entry_of(std::string_view topic, std::string_view data) {
    std::string out;
    CHECK(ssekit::append_entry(out, {topic, {.data = data}}) == errc::ok);
    return out;
}

} // namespace

TEST_CASE("what one node publishes comes to all, with the same id, and the publisher is told it") {
    fake_log log;
    relay_node one(log);
    relay_node other(log);
    REQUIRE(one.until_ready());
    REQUIRE(other.until_ready());
    client here(one.server, to({"a"}));
    client there(other.server, to({"a"}));
    CHECK(one.publish("a", "1") == errc::ok);
    REQUIRE(one.until_told(1));
    CHECK(other.publish({"a", "b"}, "2") == errc::ok);
    for (relay_node* each : {&one, &other}) REQUIRE(each->until_at(2));
    here.drain();
    there.drain();
    CHECK(here.events() == texts{"1", "2"});
    CHECK(there.events() == texts{"1", "2"});
    CHECK(here.last_event_id() == there.last_event_id());
    CHECK(one.told[0].ec == errc::ok);
    CHECK(one.told[0].id == event_place{log.term(), 1});
    CHECK(!one.told[0].repeated);
    // A client goes from one to the other, and gets what it has not had.
    const std::string id(ssekit::text_of(one.told[0].id).view());
    client hopped(other.server, to({"a"}, {.last_event_id = id}));
    hopped.drain();
    CHECK(hopped.stream.resumption() == resumption::resumed);
    CHECK(hopped.events() == texts{"2"});
    CHECK(one.link.metrics().stored == 1);
    CHECK(one.link.metrics().received == 2);
    CHECK(one.link.metrics().lag == 0);
}

TEST_CASE("each kind of target goes through the log") {
    fake_log log;
    relay_node node(log);
    REQUIRE(node.until_ready());
    client one(node.server, {.topics = "a", .tag = "me"});
    client two(node.server, to({"b"}));
    CHECK(node.publish(event_target::to_tag("me"), "tag") == errc::ok);
    CHECK(node.publish(event_target::to_all(), "all") == errc::ok);
    CHECK(node.publish({"a", "b"}, "both") == errc::ok);
    CHECK(node.publish(event_target::closing("a"), "last") == errc::ok);
    CHECK(node.link.publish(event_target::closing("b"), {}) == errc::ok);
    REQUIRE(node.until_at(5));
    one.drain();
    CHECK(two.drain() == ssekit::drain_status::done);
    CHECK(one.events() == texts{"tag", "all", "both", "last"});
    CHECK(two.events() == texts{"all", "both"});
    CHECK(node.server.find_topic("b")->closed);
    CHECK(node.link.metrics().received == 5);
}

TEST_CASE("nothing is published locally first: without the engine it waits, and is stored once") {
    fake_log log;
    relay_node node(log);
    REQUIRE(node.until_ready());
    log.go_away();
    REQUIRE(node.until([&] { return !node.link.health().connected; }));
    CHECK(node.link.health().ready);
    CHECK(node.link.health().error == "the engine is away");
    for (int i = 0; i < 3; ++i) CHECK(node.publish("a", std::to_string(i)) == errc::ok);
    CHECK(node.link.metrics().queue == 3);
    REQUIRE(node.until([&] { return node.link.metrics().failures > 10; }));
    CHECK(node.server.newest().offset == 0);
    CHECK(node.told.empty());
    log.come_back();
    REQUIRE(node.until_told(3));
    REQUIRE(node.until_at(3));
    CHECK(node.link.health().connected);
    CHECK(log.entries().size() == 3);
    CHECK(node.link.metrics().term_changes == 0);
}

TEST_CASE("a queue that is full refuses, and takes more when there is room") {
    fake_log log;
    log.go_away();
    relay_node node(log, quick({.max_queue = 2}));
    CHECK(node.publish("a", "1") == errc::ok);
    CHECK(node.publish("a", "2") == errc::ok);
    CHECK(node.publish("a", "3") == errc::queue_is_full);
    CHECK(node.link.metrics().queue_full == 1);
    log.come_back();
    REQUIRE(node.until_told(2));
    CHECK(node.publish("a", "3") == errc::ok);
    REQUIRE(node.until_told(3));
    CHECK(log.entries().size() == 3);
}

TEST_CASE("what cannot be an event is refused at once") {
    fake_log log;
    relay_node node(log);
    CHECK(node.link.publish("a", {.id = "5", .data = "x"}) == errc::id_is_assigned);
    CHECK(node.link.publish("a", {}) == errc::nothing_to_send);
    CHECK(node.link.publish("", {.data = "x"}) == errc::invalid_topic);
    CHECK(node.link.metrics().published == 0);
}

TEST_CASE("answers get lost, engines go away: each event is stored once, in its order, and told") {
    fake_log log;
    relay_node node(log, quick({.max_batch = 7}));
    support::dice dice(5);
    constexpr int events = 500;
    for (int i = 0; i < events; ++i) {
        if (dice.one_in(5)) {
            log.fail_append(dice.pick(
                std::vector<append_fault>{append_fault::unsent, append_fault::lost_ack,
                                          append_fault::halfway, append_fault::lost_query}));
        }
        if (dice.one_in(20)) log.go_away(1 + dice.below(3));
        CHECK(node.publish("a", std::to_string(i)) == errc::ok);
        if (dice.one_in(3)) node.link.turn(node.server);
    }
    REQUIRE(node.until_told(events));
    REQUIRE(node.until_at(events));
    const std::vector<std::string> entries = log.entries();
    REQUIRE(entries.size() == events);
    for (int i = 0; i < events; ++i) {
        CHECK(entries[std::size_t(i)] == entry_of("a", std::to_string(i)));
    }
    for (const ssekit::relay_outcome& each : node.told) CHECK(each.ec == errc::ok);
    const ssekit::relay_metrics counts = node.link.metrics();
    CHECK(counts.stored + counts.repeated == events);
    CHECK(counts.repeated > 0);
    CHECK(counts.retried > 0);
    CHECK(counts.received == events);
}

TEST_CASE("an event that the engine refuses is told, and those after it are stored") {
    fake_log log;
    log.refuse("bad");
    relay_node node(log);
    for (const char* data : {"good", "a bad one", "fine"})
        CHECK(node.publish("a", data) == errc::ok);
    REQUIRE(node.until_told(3));
    CHECK(node.told[1].ec == errc::not_stored);
    CHECK(node.reasons[1] == "the engine does not take it");
    CHECK(node.told[2].ec == errc::ok);
    CHECK(log.entries().size() == 2);
    CHECK(node.link.metrics().not_stored == 1);
}

TEST_CASE("a request that is repeated, on whatever node, is one event") {
    fake_log log;
    relay_node one(log);
    relay_node other(log);
    CHECK(one.publish("a", "x", {.once = "request 7"}) == errc::ok);
    REQUIRE(one.until_told(1));
    CHECK(other.publish("a", "x", {.once = "request 7"}) == errc::ok);
    REQUIRE(other.until_told(1));
    CHECK(other.told[0].ec == errc::ok);
    CHECK(other.told[0].repeated);
    CHECK(other.told[0].id == one.told[0].id);
    CHECK(log.entries().size() == 1);
}

TEST_CASE("where the engine has lost its end, streams are told, and none gets anything twice") {
    fake_log log;
    relay_node node(log);
    REQUIRE(node.until_ready());
    client reader(node.server, to({"a"}));
    for (int i = 0; i < 5; ++i) CHECK(node.publish("a", std::to_string(i)) == errc::ok);
    REQUIRE(node.until_at(5));
    reader.drain();
    const std::string old_id = reader.last_event_id();
    log.roll_back(2);
    REQUIRE(node.until([&] { return node.server.newest().epoch == log.term(); }));
    CHECK(node.publish("a", "new") == errc::ok);
    REQUIRE(node.until_told(6));
    REQUIRE(node.until_at(4));
    reader.drain();
    CHECK(reader.events() == texts{"0", "1", "2", "3", "4", gap("missed"), "new"});
    CHECK(node.told.back().id == event_place{log.term(), 4});
    CHECK(node.link.metrics().term_changes == 1);
    client late(node.server, to({"a"}, {.last_event_id = old_id}));
    CHECK(late.stream.resumption() == resumption::unknown);
}

TEST_CASE("what is in doubt when the log is lost is told so, and is not sent again") {
    fake_log log;
    relay_node node(log);
    REQUIRE(node.until_ready());
    log.fail_append(append_fault::lost_ack);
    // The engine goes away with the answer, and comes back without the event.
    CHECK(node.publish("a", "1") == errc::ok);
    REQUIRE(node.until([&] { return log.entries().size() == 1 || !node.told.empty(); }));
    if (node.told.empty()) log.erase();
    REQUIRE(node.until_told(1));
    // Either the answer came first, or nobody knows; never is it stored a second time.
    const bool doubtful = node.told[0].ec == errc::in_doubt;
    CHECK((doubtful || node.told[0].ec == errc::ok));
    CHECK(node.publish("a", "2") == errc::ok);
    REQUIRE(node.until_told(2));
    CHECK(node.told[1].ec == errc::ok);
    const std::vector<std::string> entries = log.entries();
    CHECK(std::count(entries.begin(), entries.end(), entry_of("a", "1")) <= 1);
}

TEST_CASE("a log that is trimmed while the node is away costs a gap that says what is lost") {
    fake_log log;
    relay_node node(log);
    REQUIRE(node.until_ready());
    client reader(node.server, to({"a"}));
    CHECK(node.publish("a", "1") == errc::ok);
    REQUIRE(node.until_at(1));
    log.go_away();
    REQUIRE(node.until([&] { return !node.link.health().connected; }));
    for (int i = 2; i <= 50; ++i) log.write(entry_of("a", std::to_string(i)));
    log.trim(3);
    log.come_back();
    REQUIRE(node.until_at(50));
    reader.drain();
    CHECK(reader.events() == texts{"1", gap("missed"), "48", "49", "50"});
    CHECK(node.link.metrics().lost == 46);
}

TEST_CASE("what somebody else has written is skipped and counted, and what follows arrives") {
    fake_log log;
    relay_node node(log);
    REQUIRE(node.until_ready());
    client reader(node.server, to({"a"}));
    log.write("");
    log.write("{\"no\": \"entry\"}");
    log.write(std::string("\1\1\1\1\0\xff\xff", 7) + "a");
    log.write(entry_of("a", "1"));
    log.write(entry_of(std::string(2000, 'n'), "a name that is too long for this hub"));
    log.write(std::string(100000, '\1'));
    log.write(entry_of("a", "2"));
    REQUIRE(node.until_at(7));
    reader.drain();
    CHECK(reader.events() == texts{"1", "2"}); // and no gap
    const ssekit::relay_metrics counts = node.link.metrics();
    CHECK(counts.not_records == 1);
    CHECK(counts.newer == 1);
    CHECK(counts.malformed == 2);
    CHECK(counts.not_taken == 1);
    CHECK(counts.received == 2);
}

TEST_CASE("a node that starts fills its ring before it is ready") {
    fake_log log;
    for (int i = 1; i <= 100; ++i) log.write(entry_of("a", std::to_string(i)));
    relay_node node(log, quick({.ring = 10, .page = 3, .turn_records = 1}));
    bool early = false;
    REQUIRE(node.until([&] {
        const bool ready = node.link.is_ready();
        early = early || (ready && node.server.newest().offset < 100);
        return ready;
    }));
    CHECK(!early);
    CHECK(node.link.health().ready);
    const std::string epoch(ssekit::text_of({log.term(), 95}).view());
    client back(node.server, to({"a"}, {.last_event_id = epoch}));
    back.drain();
    CHECK(back.events() == texts{"96", "97", "98", "99", "100"});
    const std::string before(ssekit::text_of({log.term(), 89}).view());
    client older(node.server, to({"a"}, {.last_event_id = before}));
    CHECK(older.stream.resumption() == resumption::expired);

    fake_log away;
    away.go_away();
    relay_node alone(away);
    REQUIRE(alone.until([&] { return alone.link.metrics().failures > 3; }));
    CHECK(!alone.link.is_ready());
    away.come_back();
    CHECK(alone.until_ready()); // an empty log has nothing to wait for
}

TEST_CASE("one turn has bounds, in records and in bytes, and says whether there is more") {
    fake_log log;
    for (int i = 1; i <= 100; ++i) log.write(entry_of("a", std::string(100, 'x')));
    relay_node few(log, quick({.turn_records = 10}));
    relay_node small(log, quick({.turn_records = 1000, .turn_bytes = 250}));
    for (relay_node* each : {&few, &small}) {
        const std::uint64_t most = each == &few ? 10 : 3;
        std::uint64_t at = 0;
        bool more = true;
        const auto deadline = std::chrono::steady_clock::now() + 1min;
        while (at < 100 && std::chrono::steady_clock::now() < deadline) {
            if (!more) each->bell.wait_until(std::chrono::steady_clock::now() + 5ms);
            more = each->link.turn(each->server);
            CHECK(each->server.newest().offset <= at + most);
            at = each->server.newest().offset;
        }
        CHECK(at == 100);
    }
}

TEST_CASE("what waits for the loop has a bound, and the rest waits in the log") {
    fake_log log;
    for (int i = 1; i <= 1000; ++i) log.write(entry_of("a", std::string(1000, 'x')));
    relay_node node(log, quick({.ring = 1000, .page = 10, .max_inbox_bytes = 50'000}));
    // The loop does nothing for as long as the reader would need for all of it.
    const auto lags = [&] { return node.link.metrics().lag; };
    for (int i = 0; i < 1000 && lags() == 0; ++i)
        node.bell.wait_until(std::chrono::steady_clock::now() + 1ms);
    CHECK(lags() == 1000);
    REQUIRE(node.until_at(1000));
    REQUIRE(node.until([&] { return lags() == 0; }));
    CHECK(node.link.metrics().received == 1000);
}

TEST_CASE("a stream that has missed more than the hub keeps gets it from the log, without a gap") {
    fake_log log;
    for (int i = 1; i <= 3000; ++i) log.write(entry_of(i % 3 == 0 ? "a" : "b", std::to_string(i)));
    relay_node node(log, quick({.ring = 10, .page = 100, .turn_records = 50}));
    REQUIRE(node.until_ready());
    const std::string id(ssekit::text_of({log.term(), 30}).view());
    client back(node.server, to({"a"}, {.last_event_id = id, .on_gap = ssekit::gap_policy::fetch}));
    CHECK(back.stream.resumption() == resumption::resumed);
    log.go_away(2); // which it waits for
    int live = 3000;
    REQUIRE(node.until([&] {
        if (live < 3100) log.write(entry_of("a", std::to_string(++live)));
        back.drain();
        return live == 3100 && back.last_event_id().ends_with(".3100");
    }));
    texts expected;
    for (int i = 33; i <= 3000; i += 3) expected.push_back(std::to_string(i));
    for (int i = 3001; i <= 3100; ++i) expected.push_back(std::to_string(i));
    CHECK(back.events() == expected);
    CHECK(node.link.metrics().history_pages >= 29);
    CHECK(node.server.metrics().gaps == 0);

    // What the log does not have either is told, in its place.
    log.trim(600);
    client older(node.server,
                 to({"a"}, {.last_event_id = id, .on_gap = ssekit::gap_policy::fetch}));
    REQUIRE(node.until([&] {
        older.drain();
        return older.last_event_id().ends_with(".3100");
    }));
    CHECK(older.events()[0] == gap("expired"));
    CHECK(older.events()[1] == "2502");
    CHECK(older.events().size() == 1 + 167 + 100);
}

TEST_CASE("an id from beyond the end of the log is told, also where nothing happens") {
    fake_log log;
    relay_node node(log);
    REQUIRE(node.until_ready());
    const std::string id(ssekit::text_of({log.term(), 1000}).view());
    client ahead(node.server, to({"a"}, {.last_event_id = id}));
    ahead.drain();
    CHECK(ahead.events().empty());
    REQUIRE(node.until([&] {
        ahead.drain();
        return !ahead.events().empty();
    }));
    CHECK(ahead.events() == texts{gap("future")});
}

TEST_CASE("a log that loses its end and keeps its term is not followed") {
    fake_log log;
    relay_node node(log);
    REQUIRE(node.until_ready());
    CHECK(node.publish("a", "1") == errc::ok);
    REQUIRE(node.until_at(1));
    log.roll_back_silently(1);
    REQUIRE(node.until([&] { return !node.link.health().connected; }));
    CHECK(node.link.health().error == "the log has lost its end and has no other term");
    log.write(entry_of("a", "another 1")); // which has the id of the first
    log.write(entry_of("a", "another 2"));
    REQUIRE(node.until([&] { return node.link.metrics().failures > 10; }));
    CHECK(node.server.newest().offset == 1);
    log.roll_back(0); // the operator gives it another term
    CHECK(node.until([&] { return node.server.newest().epoch == log.term(); }));
}

TEST_CASE("the log is trimmed to what it has to keep") {
    fake_log log;
    relay_node node(log, quick({.max_batch = 5, .keep = 40}));
    for (int i = 1; i <= 200; ++i) CHECK(node.publish("a", std::to_string(i)) == errc::ok);
    REQUIRE(node.until_told(200));
    REQUIRE(node.until([&] { return log.entries().size() <= 50; }));
    CHECK(log.entries().size() >= 40);
    REQUIRE(node.until_at(200));
}

TEST_CASE(
    "closed, a relay still stores what it has; stopped, it says what has become of the rest") {
    fake_log log;
    {
        relay_node node(log, quick({.gather = 1min})); // which does not hold up the end
        for (int i = 0; i < 50; ++i) CHECK(node.publish("a", "x") == errc::ok);
        node.link.close();
        CHECK(node.publish("a", "late") == errc::closed);
        REQUIRE(node.until([&] { return node.link.is_flushed(); }));
        CHECK(node.told.size() == 50);
        CHECK(log.entries().size() == 50);
    }
    log.go_away();
    relay_node node(log);
    for (int i = 0; i < 3; ++i) CHECK(node.publish("a", "x") == errc::ok);
    node.link.stop();
    node.link.stop();
    CHECK(!node.link.is_flushed());
    while (node.link.turn(node.server)) {
    }
    REQUIRE(node.told.size() == 3);
    for (const ssekit::relay_outcome& each : node.told) CHECK(each.ec == errc::closed);
    CHECK(node.link.is_flushed());
    CHECK(node.publish("a", "late") == errc::closed);
}

TEST_CASE("the waker is fired once until there is nothing more to do") {
    std::atomic<int> rings = 0;
    const ssekit::waker wake([](void* self) noexcept { ++*static_cast<std::atomic<int>*>(self); },
                             &rings);
    fake_log log;
    fake_relay link(quick({.page = 1}), wake, log);
    ssekit::hub server(7, support::morning, of_sequence);
    int idle = 0; // turns after which there was nothing more to do
    for (int i = 1; i <= 100; ++i) {
        log.write(entry_of("a", "x"));
        CHECK(link.publish("a", {.data = "y"}) == errc::ok);
        if (i % 10 == 0) idle += !link.turn(server);
        CHECK(rings <= idle + 1);
    }
    int answered = -1;
    const auto deadline = std::chrono::steady_clock::now() + 1min;
    while (server.newest().offset < 200 && std::chrono::steady_clock::now() < deadline) {
        if (rings == answered) { // nothing is missed: it will be fired
            std::this_thread::yield();
            continue;
        }
        answered = rings;
        while (link.turn(server)) {
        }
        ++idle;
    }
    CHECK(server.newest().offset == 200);
    CHECK(rings <= idle + 1);
}

TEST_CASE("a shared hub is served as well, and publishers may be on any thread") {
    fake_log log;
    ssekit::doorbell bell;
    ssekit::shared_hub server(7, support::morning, of_sequence);
    ssekit::relay<fake_journal> link(quick(), bell.waker(), log);
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 100; ++i) {
                while (link.publish("a", {.data = "x"}) != errc::ok) std::this_thread::yield();
            }
        });
    }
    while (server.newest().offset < 300) {
        while (link.turn(server)) {
        }
        bell.wait_until(std::chrono::steady_clock::now() + 5ms);
    }
    for (std::thread& each : threads) each.join();
    CHECK(log.entries().size() == 300);
}
