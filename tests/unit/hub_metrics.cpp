// SPDX-License-Identifier: MIT
//
// Every counter moves when what it counts has happened, and at no other time.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::event_summary;
using ssekit::framing;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::hub_metrics;
using ssekit::hub_options;
using ssekit::lag_policy;
using ssekit::never;
using ssekit::stream_end;
using ssekit::time_point;
using support::bell;
using support::client;
using support::exactly;
using support::morning;
using support::say;
using support::say_numbers;
using support::texts;
using support::to;
using support::untimed;

namespace {

constexpr std::size_t small_event = std::string_view("id: 1.1\ndata: 1\n\n").size();

/// What has changed since the last question, "accepted+1 topics-1"; in the order of the header.
/// Bytes and max_lag are left out: they have tests of their own.
class changes {
  public:
    explicit changes(const hub& server) : hub_(&server), last_(server.metrics()) {}

    std::string operator()() {
        constexpr std::pair<const char*, std::uint64_t hub_metrics::*> counters[] = {
            {"subscribers", &hub_metrics::subscribers},
            {"topics", &hub_metrics::topics},
            {"tags", &hub_metrics::tags},
            {"accepted", &hub_metrics::accepted},
            {"refused", &hub_metrics::refused},
            {"published", &hub_metrics::published},
            {"delivered", &hub_metrics::delivered},
            {"heartbeats", &hub_metrics::heartbeats},
            {"gaps", &hub_metrics::gaps},
            {"skipped", &hub_metrics::skipped},
            {"coalesced", &hub_metrics::coalesced},
            {"filtered", &hub_metrics::filtered},
            {"lagged", &hub_metrics::lagged},
            {"detached", &hub_metrics::detached},
            {"stalled", &hub_metrics::stalled},
            {"expired", &hub_metrics::expired},
            {"evicted", &hub_metrics::evicted},
            {"replaced", &hub_metrics::replaced},
            {"topic_closed", &hub_metrics::topic_closed},
            {"flushed", &hub_metrics::flushed},
            {"cut", &hub_metrics::cut},
        };
        const hub_metrics now = hub_->metrics();
        std::string out;
        for (const auto& [name, counter] : counters) {
            const auto moved = static_cast<std::int64_t>(now.*counter - last_.*counter);
            if (moved == 0) continue;
            out += (out.empty() ? "" : " ") + std::string(name) + (moved > 0 ? "+" : "") +
                   std::to_string(moved);
        }
        last_ = now;
        return out;
    }

  private:
    const hub* hub_;
    hub_metrics last_;
};

} // namespace

TEST_CASE("a new hub counts nothing") {
    const hub_metrics none = hub(1, {}).metrics();
    CHECK(none.topics + none.accepted + none.refused + none.bytes + none.max_lag == 0);
}

TEST_CASE("streams and topics and tags are counted as they come and go") {
    hub server(1, {}, {.max_subscribers = 3, .max_topics = 4});
    changes moved(server);
    auto first = std::make_unique<client>(server, to({"a", "b"}, {.tag = "t"}));
    CHECK(moved() == "subscribers+1 topics+2 tags+1 accepted+1");
    constexpr std::string_view rooms[] = {"room/*"};
    auto second =
        std::make_unique<client>(server, ssekit::subscribe_options{.patterns = rooms, .tag = "t"});
    CHECK(moved() == "subscribers+1 topics+1 accepted+1");
    CHECK(client(server, {}).ec == errc::invalid_topic);
    CHECK(moved() == "refused+1");
    CHECK(client(server, to({"c", "d"})).ec == errc::too_many_topics);
    CHECK(moved() == "refused+1");
    CHECK(client(server, to({"a"}, {.last_event_id = "?", .on_gap = gap_policy::refuse})).ec ==
          errc::replay_refused);
    CHECK(moved() == "refused+1");
    say(server, "b", "kept");
    CHECK(moved() == "published+1");
    first.reset();
    CHECK(moved() == "subscribers-1 topics-1"); // b has an event
    second.reset();
    CHECK(moved() == "subscribers-1 topics-1 tags-1");
    CHECK(server.close() == errc::ok);
    CHECK(client(server, to({"a"})).ec == errc::closed);
    CHECK(moved() == "refused+1");
}

TEST_CASE("events are counted once as published and for each subscriber as delivered") {
    hub server(1, {}, {});
    client one(server, to({"a", "b"}, {.tag = "t"}));
    client two(server, to({"b"}));
    for (client* each : {&one, &two}) each->drain();
    changes moved(server);
    constexpr std::array<std::string_view, 2> both{"a", "b"};
    say(server, both, {.data = "1"});
    CHECK(server.publish_to_tag("t", {.data = "2"}).ec == errc::ok);
    CHECK(server.publish_to_all({.data = "3"}).ec == errc::ok);
    CHECK(moved() == "published+3"); // delivered when they are handed over
    for (client* each : {&one, &two}) each->drain();
    CHECK(moved() == "delivered+5");
    CHECK(server.publish("a", {}).ec == errc::nothing_to_send);
    CHECK(server.publish("a", {.type = "\n", .data = "x"}).ec == errc::invalid_type);
    CHECK(server.publish("a", {.id = "1", .data = "x"}).ec == errc::id_is_assigned);
    for (client* each : {&one, &two}) each->drain();
    CHECK(moved().empty());
}

TEST_CASE("what is refused is counted by its reason") {
    hub server(1, morning, {.max_topics = 1, .max_topic_length = 4, .max_sent = 1});
    client reader(server, to({"a"}));
    const auto streams = [&](errc code) { return server.metrics().refused_streams[code]; };
    const auto events = [&](errc code) { return server.metrics().refused_events[code]; };
    for (int i = 0; i < 2; ++i) {
        CHECK(client(server, to({"b"})).ec == errc::too_many_topics);
        CHECK(client(server, to({"a"}, {.max_age = 0s})).ec == errc::expired);
        CHECK(client(server, {}).ec == errc::invalid_topic);
        CHECK(server.publish("b", {.data = "x"}).ec == errc::too_many_topics);
        CHECK(server.publish("a", {}).ec == errc::nothing_to_send);
        CHECK(server.publish("a", ssekit::frame()).ec == errc::nothing_to_send);
        CHECK(server.publish_to_tag("", {.data = "x"}).ec == errc::invalid_topic);
        CHECK(server.publish_to_all({.id = "1", .data = "x"}).ec == errc::id_is_assigned);
        CHECK(server.publish_sequenced("a", {}).ec == errc::out_of_sequence);
        CHECK(server.close_topic("12345") == errc::invalid_topic);
    }
    CHECK(reader.stream.send({.data = "x"}) == errc::ok);
    CHECK(reader.stream.send({.data = "x"}) == errc::queue_is_full);
    CHECK(streams(errc::too_many_topics) == 2);
    CHECK(streams(errc::expired) == 2);
    CHECK(streams(errc::invalid_topic) == 2);
    CHECK(streams(errc::ok) == 0);
    CHECK(server.metrics().refused == 6);
    CHECK(events(errc::too_many_topics) == 2);
    CHECK(events(errc::nothing_to_send) == 4);
    CHECK(events(errc::invalid_topic) == 4);
    CHECK(events(errc::id_is_assigned) == 2);
    CHECK(events(errc::out_of_sequence) == 2);
    CHECK(events(errc::queue_is_full) == 1);
    CHECK(events(errc::ok) == 0);
    CHECK(static_cast<std::size_t>(errc::nothing_to_send) < ssekit::refusal_counts::reasons);
}

TEST_CASE("bytes are those that writers have consumed") {
    hub server(1, {}, {});
    client raw(server, to({"a"}));
    client chunked(server, to({"a"}, {.framing = framing::chunked}));
    say(server, "a", "1");
    CHECK(server.metrics().bytes == 0);
    for (std::size_t i = 0; i < 10; ++i) {
        raw.drain_bytes(3);
        chunked.drain_bytes(4);
        CHECK(server.metrics().bytes == raw.socket.got.size() + chunked.socket.got.size());
    }
    CHECK(server.close({.farewell = {.data = "bye"}}) == errc::ok);
    for (client* each : {&raw, &chunked}) CHECK(each->drain() == drain_status::done);
    CHECK(server.metrics().bytes == raw.socket.got.size() + chunked.socket.got.size());
}

TEST_CASE("bytes of logs are counted in each log that holds them") {
    hub server(1, {}, {.keep = exactly(2)});
    client reader(server, to({"a", "b"}));
    constexpr std::string_view all[] = {"**"};
    client pattern(server, {.patterns = all});
    CHECK(server.metrics().log_bytes == 0);
    say(server, "a", "1");
    CHECK(server.metrics().log_bytes == 2 * small_event);
    say(server, "b", "2");
    CHECK(server.metrics().log_bytes == 4 * small_event);
    say(server, "b", "3");
    CHECK(server.metrics().log_bytes == 5 * small_event); // the pattern's log keeps two
    pattern.stream = {};
    CHECK(server.metrics().log_bytes == 3 * small_event);
}

TEST_CASE("gaps and what was skipped are counted") {
    hub server(1, {}, {.keep = exactly(2)});
    client ends(server, to({"a"}));
    client detached(server, to({"a"}, {.on_lag = lag_policy::detach}));
    client oldest(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    client newest(server, to({"a"}, {.on_lag = lag_policy::skip_to_newest}));
    for (client* each : {&ends, &detached, &oldest, &newest}) each->drain();
    changes moved(server);
    say_numbers(server, "a", 1, 5);
    CHECK(moved() == "published+5");
    ends.drain();
    CHECK(moved() == "subscribers-1 lagged+1");
    detached.drain();
    CHECK(moved() == "subscribers-1 detached+1");
    oldest.drain();
    CHECK(moved() == "delivered+2 gaps+1 skipped+3");
    newest.drain();
    CHECK(moved() == "delivered+1 gaps+1 skipped+4");
    client lost(server, to({"a"}, {.last_event_id = "?"}));
    CHECK(moved() == "subscribers+1 accepted+1 gaps+1");
    lost.drain();
    CHECK(moved() == "delivered+2");
}

TEST_CASE("coalesced and filtered events are counted and not delivered") {
    hub server(1, {}, untimed);
    server.tick(morning);
    bool (*const nothing)(void*, const event_summary&) noexcept =
        [](void*, const event_summary&) noexcept { return false; };
    client newest(server, to({"a"}, {.on_lag = lag_policy::coalesce}));
    client picky(server, to({"a"}, {.filter = {nothing, nullptr}}));
    client held(server, to({"a"}, {.throttle = 100ms}));
    for (client* each : {&newest, &picky, &held}) each->drain();
    for (int i = 0; i < 3; ++i) say(server, "a", {.data = "x"}, "k");
    changes moved(server);
    newest.drain();
    CHECK(moved() == "delivered+1 coalesced+2");
    picky.drain();
    CHECK(moved() == "filtered+3");
    held.drain();
    CHECK(moved() == "delivered+1 coalesced+2");
}

TEST_CASE("the largest lag is remembered whatever the policy makes of it") {
    for (const lag_policy policy :
         {lag_policy::disconnect, lag_policy::detach, lag_policy::skip_to_oldest,
          lag_policy::skip_to_newest, lag_policy::coalesce}) {
        CAPTURE(static_cast<int>(policy));
        hub server(1, {}, {.keep = exactly(10)});
        client reader(server, to({"a"}, {.on_lag = policy}));
        reader.drain();
        CHECK(server.metrics().max_lag == 0);
        say_numbers(server, "a", 1, 4);
        reader.drain();
        CHECK(server.metrics().max_lag == 4);
        say_numbers(server, "a", 1, 2);
        reader.drain();
        CHECK(server.metrics().max_lag == 4);
        say_numbers(server, "a", 1, 30); // more than the log holds
        reader.drain();
        CHECK(server.metrics().max_lag == 30);
    }
}

TEST_CASE("heartbeats are counted when they are handed over") {
    hub server(1, {}, {.heartbeat = {.interval = 15s}});
    server.tick(morning);
    client reader(server, to({"a"}));
    reader.drain();
    changes moved(server);
    server.tick(morning + 16s);
    CHECK(moved().empty());
    reader.drain();
    CHECK(moved() == "heartbeats+1");
    server.tick(morning + 32s);
    say(server, "a", "1"); // in place of one
    reader.drain();
    CHECK(moved() == "published+1 delivered+1");
}

TEST_CASE("each end of a stream is counted once") {
    hub server(1, {}, {.heartbeat = {.interval = 0s}, .write_deadline = 30s});
    server.tick(morning);
    client stalled(server, to({"a"}));
    client expired(server, to({"a"}, {.max_age = 10s}));
    client evicted(server, to({"a"}));
    client topic_closed(server, to({"b"}));
    for (client* each : {&expired, &evicted, &topic_closed}) each->drain();
    changes moved(server);
    CHECK(server.evict(evicted.stream.id()));
    CHECK_FALSE(server.evict(evicted.stream.id()));
    CHECK(moved() == "subscribers-1 evicted+1");
    server.tick(morning + 12s);
    CHECK(moved() == "subscribers-1 expired+1");
    server.tick(morning + 1min);
    CHECK(moved() == "subscribers-1 topics-1 stalled+1"); // nobody reads a any more
    CHECK(server.close_topic("b") == errc::ok);
    CHECK(moved().empty());
    topic_closed.drain();
    CHECK(moved() == "subscribers-1 topic_closed+1");
    for (client* each : {&stalled, &expired, &evicted, &topic_closed}) {
        CHECK(each->drain() == (each == &stalled ? drain_status::cut : drain_status::done));
        each->drain();
    }
    CHECK(moved().empty());
    CHECK(server.close({.deadline = 1s}) == errc::ok);
    server.tick(morning + 2min);
    CHECK(moved() == "topics-1"); // b in its time; the streams were over before
    for (client* each : {&stalled, &expired, &evicted}) each->stream = {};
    CHECK(moved().empty()); // their places were free
}

TEST_CASE("after a close each stream is flushed or cut") {
    hub server(1, {}, untimed);
    client quick(server, to({"a"}));
    client torn(server, to({"a"}));
    client gone(server, to({"a"}));
    client chunked(server, to({"a"}, {.framing = framing::chunked}));
    for (client* each : {&quick, &torn, &gone, &chunked}) each->drain();
    changes moved(server);
    CHECK(server.close({.farewell = {.data = "bye"}}) == errc::ok);
    CHECK(moved().empty());
    torn.drain_bytes(3);
    CHECK(moved() == "subscribers-1"); // all that it will ever get is under way
    for (client* each : {&quick, &chunked}) {
        each->drain();
        CHECK(moved() == "subscribers-1");
        each->stream = {};
        CHECK(moved() == "flushed+1");
    }
    torn.stream = {};
    CHECK(moved() == "cut+1");
    gone.stream = {};
    CHECK(moved() == "subscribers-1 topics-1 cut+1");
}

TEST_CASE("a stream that still has bytes at the deadline of a close is cut") {
    hub server(1, {}, untimed);
    server.tick(morning);
    bell rings;
    char user = 'x';
    client quick(server, to({"a"}));
    client stuck(server, to({"a"}), rings.waker());
    client slow(server, to({"a"}, {.framing = framing::chunked, .user = &user}));
    client gone(server, to({"a"}));
    for (client* each : {&quick, &stuck, &slow, &gone}) each->drain();
    CHECK(server.close({.farewell = {.data = "bye"}, .deadline = 5s}) == errc::ok);
    CHECK(server.next_deadline() <= morning + 5s);
    CHECK(quick.drain() == drain_status::done);
    CHECK(server.next_ready() == &user);
    rings.take();
    stuck.drain_bytes(0);
    slow.drain_bytes(20);
    gone.stream = {};
    server.tick(morning + 5s - 1ms);
    CHECK_FALSE(stuck.stream.is_done());
    server.tick(morning + 5s);
    for (client* each : {&stuck, &slow}) {
        CHECK(each->stream.is_done());
        CHECK(each->stream.end() == stream_end::cut);
        CHECK(each->drain() == drain_status::cut);
    }
    CHECK(rings.take() == 1);
    CHECK(server.next_ready() == &user);
    CHECK(server.next_ready() == nullptr);
    CHECK(quick.stream.end() == stream_end::closed);
    CHECK(quick.events() == texts{"bye"});
    for (client* each : {&quick, &stuck, &slow}) each->stream = {};
    CHECK(server.metrics().flushed == 1);
    CHECK(server.metrics().cut == 3);
    CHECK(server.next_deadline() == never);
}
