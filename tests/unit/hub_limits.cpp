// SPDX-License-Identifier: MIT
//
// Every size and duration at both ends of its range, and time at its wraps. Half of what this is
// worth shows only under -fsanitize=undefined.
#include <ssekit/hub.hpp>

#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::framing;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::lag_policy;
using ssekit::never;
using ssekit::stream_end;
using ssekit::subscribe_options;
using ssekit::time_point;
using std::chrono::milliseconds;
using support::client;
using support::morning;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr milliseconds ends_of_time[] = {
    0ms, 1ms, -1ms, milliseconds::max(), milliseconds::max() - 1ms, milliseconds::min()};
constexpr std::size_t most = (std::numeric_limits<std::size_t>::max)();
constexpr std::size_t ends_of_size[] = {0, 1, most, most - 1};

struct outcome {
    errc joined = errc::ok;
    texts events = {};
    std::size_t heartbeats = 0;
    stream_end end = stream_end::open;
    bool stuck_has_ended = false;
};

/// Two hours of a hub: an event before, one at once, one later, much silence, and its end. One
/// client reads, the other one's peer takes nothing.
outcome live(const hub_options& options, subscribe_options wanted = {},
             const ssekit::close_options& last = {}) {
    hub server(1, morning, options);
    outcome out;
    say(server, "a", "before");
    wanted.topics = "a";
    client reader(server, wanted);
    client stuck(server, wanted);
    out.joined = reader.ec;
    reader.drain();
    stuck.drain_bytes(3);
    say(server, "a", "at once");
    say(server, "b", "elsewhere");
    reader.drain();
    time_point now = morning;
    const auto turn = [&](milliseconds step) {
        now += step;
        server.tick(now);
        CHECK(server.next_deadline() >= now);
        reader.drain();
    };
    for (const milliseconds step : {milliseconds(1), milliseconds(20), milliseconds(2000)})
        turn(step);
    if (reader.ec == errc::ok) {
        static_cast<void>(reader.stream.send({.data = "sent"})); // the queue may have no room
        reader.drain();
    }
    say(server, "a", "later");
    for (int minute = 0; minute < 120; ++minute) turn(1min);
    CHECK(server.close_topic("b", {}, milliseconds::max()) != errc::closed);
    turn(1s);
    const errc closed = server.close(last);
    CHECK(closed == errc::ok);
    turn(1s);
    turn(1h);
    out.events = reader.events();
    out.heartbeats = reader.seen().comments.size();
    out.end = reader.stream.end();
    out.stuck_has_ended = stuck.stream.is_done();
    CHECK(reader.seen().errors.empty());
    return out;
}

const texts everything{"at once", "sent", "later"};

} // namespace

TEST_CASE("a hub works with every duration of its options at either end") {
    for (const milliseconds time : ends_of_time) {
        CAPTURE(time.count());
        const bool long_time = time > 1h;
        SUBCASE("retention::age") {
            const outcome seen = live({.keep = {.age = time}, .keep_tagged = {.age = time}});
            CHECK(seen.events == everything);
            CHECK(seen.end == stream_end::closed);
        }
        SUBCASE("burst_bound::within") {
            CHECK(live({.keep = {.burst = {.within = time}}}).events == everything);
        }
        SUBCASE("heartbeat_options::interval") {
            const outcome seen = live({.heartbeat = {.interval = time}});
            CHECK(seen.events == everything);
            CHECK((seen.heartbeats != 0) == (time == 1ms));
        }
        SUBCASE("write_deadline") {
            const outcome seen = live({.write_deadline = time});
            CHECK(seen.events == everything);
            // Less than zero has passed before it began; zero is never.
            CHECK(seen.stuck_has_ended == (time == 1ms || time < 0ms));
        }
        SUBCASE("max_age") {
            const outcome seen = live({.max_age = time});
            CHECK(seen.joined == (time <= 0ms ? errc::expired : errc::ok));
            if (long_time) CHECK(seen.events == everything);
            if (time == 1ms) CHECK(seen.end == stream_end::expired);
        }
        SUBCASE("retry and detach_retry") {
            const outcome seen = live({.retry = time, .detach_retry = time});
            CHECK(seen.events == everything);
            hub server(1, morning, {.detach_retry = time});
            client reader(server,
                          to({"a"}, {.on_lag = lag_policy::detach, .max_lag = {.events = 1}}));
            reader.drain();
            say(server, "a", "1");
            say(server, "a", "2");
            CHECK(reader.drain() == drain_status::done);
            REQUIRE(reader.seen().retries.size() == 1);
            CHECK(reader.seen().retries[0] >= 0);
        }
        SUBCASE("all of them") {
            const outcome seen = live({.keep = {.age = time, .burst = {.within = time}},
                                       .keep_tagged = {.age = time, .burst = {.within = time}},
                                       .heartbeat = {.interval = time},
                                       .write_deadline = time,
                                       .max_age = time,
                                       .retry = time,
                                       .detach_retry = time});
            CHECK(seen.joined == (time <= 0ms ? errc::expired : errc::ok));
        }
    }
}

TEST_CASE("a stream works with every duration of its options at either end") {
    for (const lag_policy policy :
         {lag_policy::disconnect, lag_policy::detach, lag_policy::skip_to_oldest,
          lag_policy::skip_to_newest, lag_policy::coalesce}) {
        for (const milliseconds time : ends_of_time) {
            CAPTURE(time.count());
            CAPTURE(static_cast<int>(policy));
            SUBCASE("lag_bound::age") {
                const outcome seen = live({}, {.on_lag = policy, .max_lag = {.age = time}});
                CHECK(seen.events == everything); // it keeps up, so each is the newest
            }
            SUBCASE("throttle") {
                const outcome seen = live({}, {.on_lag = policy, .throttle = time});
                if (time <= 1ms) CHECK(seen.events == everything);
                CHECK(seen.end == stream_end::closed);
                CHECK(seen.events.back() == "later"); // close lets it out
            }
            SUBCASE("heartbeat") {
                const outcome seen = live({}, {.on_lag = policy, .heartbeat = time});
                CHECK(seen.events == everything);
                CHECK((seen.heartbeats != 0) == (time == 1ms));
            }
            SUBCASE("max_age") {
                const outcome seen = live({}, {.on_lag = policy, .max_age = time});
                CHECK(seen.joined == (time <= 0ms ? errc::expired : errc::ok));
                if (time > 1ms) CHECK(seen.events == everything);
            }
        }
    }
}

TEST_CASE("a hub closes with every duration at either end") {
    for (const milliseconds time : ends_of_time) {
        CAPTURE(time.count());
        for (const milliseconds other : ends_of_time) {
            const outcome seen = live({}, {}, {.retry_min = time, .retry_max = other});
            CHECK(seen.end == stream_end::closed);
        }
        const outcome seen = live({.write_deadline = 0ms}, {}, {.deadline = time});
        CHECK(seen.stuck_has_ended == (time == 1ms || time < 0ms));
        for (const milliseconds keep_for : ends_of_time) {
            hub server(1, morning, {});
            say(server, "a", "1");
            CHECK(server.close_topic("a", {.data = "end"}, keep_for) == errc::ok);
            server.tick(morning + 1s);
            CHECK((server.publish("a", {.data = "x"}).ec == errc::ok) == (keep_for <= 1ms));
        }
    }
}

TEST_CASE("a hub works with every size of its options at either end") {
    for (const std::size_t size : ends_of_size) {
        CAPTURE(size);
        SUBCASE("what is kept") {
            const ssekit::retention keep{
                .events = size, .bytes = size, .burst = {.events = size, .bytes = size}};
            const outcome seen = live({.keep = keep, .keep_tagged = keep});
            CHECK(seen.events == everything);
            hub server(1, morning, {.keep = keep});
            CHECK(server.room("a").events >= (size == 0 ? 1 : size));
            CHECK(server.room("a").bytes == size);
        }
        SUBCASE("max_subscribers") {
            hub server(1, morning, {.max_subscribers = size});
            const client first(server, to({"a"}));
            const client second(server, to({"a"}));
            CHECK(first.ec == (size == 0 ? errc::too_many_subscribers : errc::ok));
            CHECK(second.ec == (size <= 1 ? errc::too_many_subscribers : errc::ok));
        }
        SUBCASE("max_subscribers_per_topic and per_tag") {
            hub server(1, morning, {.max_subscribers_per_topic = size});
            const client first(server, to({"a"}));
            const client second(server, to({"b", "a"}));
            CHECK(first.ec == (size == 0 ? errc::topic_is_full : errc::ok));
            CHECK(second.ec == (size <= 1 ? errc::topic_is_full : errc::ok));
            CHECK(server.subscribers("b") == (size <= 1 ? 0 : 1));
            hub tagging(1, morning, {.max_subscribers_per_tag = size});
            const client one(tagging, to({"a"}, {.tag = "t"}));
            const client two(tagging, to({"a"}, {.tag = "t"}));
            CHECK(one.ec == (size == 0 ? errc::tag_is_full : errc::ok));
            CHECK(two.ec == (size <= 1 ? errc::tag_is_full : errc::ok));
            CHECK(client(tagging, to({"a"})).ec == errc::ok);
        }
        SUBCASE("max_topics and max_tags") {
            hub server(1, morning, {.max_topics = size, .max_tags = size});
            CHECK(server.publish("a", {.data = "1"}).ec ==
                  (size == 0 ? errc::too_many_topics : errc::ok));
            CHECK(server.publish("b", {.data = "1"}).ec ==
                  (size == 0 ? errc::too_many_topics : errc::ok));
            CHECK(server.metrics().topics == (std::min<std::size_t>)(size, 2)); // a makes way
            CHECK(server.keep("b", {}) == (size == 0 ? errc::too_many_topics : errc::ok));
            CHECK(server.publish("c", {.data = "1"}).ec ==
                  (size <= 1 ? errc::too_many_topics : errc::ok));
            CHECK(server.publish_to_tag("a", {.data = "1"}).ec ==
                  (size == 0 ? errc::too_many_topics : errc::ok));
            CHECK(server.publish_to_tag("b", {.data = "1"}).ec ==
                  (size == 0 ? errc::too_many_topics : errc::ok));
            CHECK(server.metrics().tags == (std::min<std::size_t>)(size, 2));
        }
        SUBCASE("max_topic_length") {
            hub server(1, morning, {.max_topic_length = size});
            CHECK(server.publish("a", {.data = "1"}).ec ==
                  (size == 0 ? errc::invalid_topic : errc::ok));
            CHECK(server.publish("ab", {.data = "1"}).ec ==
                  (size <= 1 ? errc::invalid_topic : errc::ok));
            const std::string too_long(0x10000, 'x');
            CHECK(server.publish(too_long, {.data = "1"}).ec != errc::ok);
            CHECK(server.publish("a", {.data = "1"}, too_long).ec == errc::label_too_long);
        }
        SUBCASE("max_forgotten") {
            hub server(1, morning, {.keep = {.age = 1s}, .max_forgotten = size});
            for (const char* const name : {"a", "b", "c"}) say(server, name, "1");
            server.tick(morning + 2s);
            client back(server, to({"b"}, {.last_event_id = "1.1"}));
            CHECK(back.stream.resumption() == ssekit::resumption::expired);
        }
        SUBCASE("max_sent") {
            hub server(1, morning, {.max_sent = size});
            client reader(server, to({"a"}));
            CHECK(reader.stream.send({.data = "1"}) ==
                  (size == 0 ? errc::queue_is_full : errc::ok));
            CHECK(reader.stream.send({.data = "2"}) ==
                  (size <= 1 ? errc::queue_is_full : errc::ok));
        }
        SUBCASE("max_ids and max_id_length") {
            hub server(
                1, morning,
                {.ids = ssekit::event_ids::by_publisher, .max_ids = size, .max_id_length = 2});
            for (const char* const id : {"1", "2", "3"}) {
                CHECK(server.publish("a", {.id = id, .data = id}).ec == errc::ok);
            }
            client back(server, to({"a"}, {.last_event_id = "3"})); // the newest at the least
            CHECK(back.stream.resumption() == ssekit::resumption::resumed);
            CHECK((client(server, to({"a"}, {.last_event_id = "2"})).stream.resumption() ==
                   ssekit::resumption::resumed) == (size > 1));
            hub lengths(1, morning,
                        {.ids = ssekit::event_ids::by_publisher, .max_id_length = size});
            CHECK(lengths.publish("a", {.id = "1", .data = "x"}).ec ==
                  (size == 0 ? errc::unreturnable_id : errc::ok));
            CHECK(lengths.publish("a", {.id = "12", .data = "x"}).ec ==
                  (size <= 1 ? errc::unreturnable_id : errc::ok));
        }
        SUBCASE("max_lag") {
            const outcome seen = live({}, {.on_lag = lag_policy::skip_to_oldest,
                                           .max_lag = {.events = size, .bytes = size}});
            CHECK(seen.events == everything);
        }
    }
}

TEST_CASE("percentages above their range count as its end") {
    for (const unsigned percent : {0u, 1u, 50u, 100u, 101u, ~0u}) {
        CAPTURE(percent);
        const outcome seen = live({.heartbeat = {.interval = 15s, .jitter = percent},
                                   .max_age = 10h,
                                   .max_age_jitter = percent});
        CHECK(seen.heartbeats >= 119);         // one in each of the turns, which are a minute apart
        CHECK(seen.end == stream_end::closed); // half of ten hours is more than two
        CHECK(seen.events == everything);
    }
}

// ---- wraps

namespace {

// A record keeps its times in steps of 2^24 ns, modulo 2^32 of them: they wrap at these.
constexpr std::chrono::nanoseconds wrap{std::int64_t{1} << 56};

/// How long before a wrap a hub begins.
constexpr milliseconds before[] = {0ms, 1ms, 16ms, 17ms, 33ms, 10s, 14s, 15s, 16s, 29s, 59s};

} // namespace

TEST_CASE("heartbeats come in their time across each wrap") {
    for (const int wraps : {1, 2, 30}) {
        for (const milliseconds lead : before) {
            CAPTURE(wraps);
            CAPTURE(lead.count());
            const time_point begin = time_point(wrap * wraps) - lead;
            hub server(1, begin,
                       {.heartbeat = {.interval = 15s, .jitter = 0}, .write_deadline = 0s});
            char user = 'x';
            client reader(server, to({"a"}, {.user = &user}));
            reader.drain();
            time_point last = begin;
            for (int i = 0; i < 6; ++i) {
                while (server.next_ready() == nullptr) {
                    const time_point next = server.next_deadline();
                    REQUIRE(next <= last + 15s + 17ms); // not too late
                    server.tick(next);
                    if (server.has_ready()) {
                        CHECK(next > last + 13s); // not too early
                        last = next;
                    }
                }
                reader.drain();
            }
            CHECK(reader.seen().comments.size() == 6);
            const auto shown = *server.find_subscriber(reader.stream.id());
            CHECK(shown.connected_at > begin - 17ms);
            CHECK(shown.connected_at < begin + 17ms);
            CHECK(shown.last_progress > last - 17ms);
            CHECK(shown.last_progress < last + 17ms);
        }
    }
}

TEST_CASE("a deadline for writing and the end of a life are kept across each wrap") {
    for (const framing form : {framing::raw, framing::chunked}) {
        for (const milliseconds lead : before) {
            CAPTURE(lead.count());
            const time_point begin = time_point(wrap) - lead;
            hub server(1, begin,
                       {.heartbeat = {.interval = 0s},
                        .write_deadline = 30s,
                        .max_age = 40s,
                        .max_age_jitter = 0});
            client stuck(server, to({"a"}, {.framing = form}));
            client old(server, to({"a"}, {.framing = form}));
            client own(server, to({"a"}, {.max_age = 20s, .framing = form}));
            for (client* each : {&old, &own}) each->drain();
            stuck.drain_bytes(3);
            std::optional<time_point> stalled, expired, expired_own;
            for (time_point now = begin; now < begin + 1min;) {
                now = std::min(server.next_deadline(), now + 100ms);
                server.tick(now);
                if (!stalled && stuck.stream.is_done()) stalled = now;
                if (!expired && old.stream.end() != stream_end::open) expired = now;
                if (!expired_own && own.stream.end() != stream_end::open) expired_own = now;
            }
            REQUIRE((stalled && expired && expired_own));
            CHECK(stuck.stream.end() == stream_end::stalled);
            CHECK(*stalled >= begin + 30s - 17ms);
            CHECK(*stalled <= begin + 32s);
            CHECK(*expired >= begin + 40s - 17ms);
            CHECK(*expired <= begin + 42s);
            CHECK(*expired_own >= begin + 20s);
            CHECK(*expired_own <= begin + 22s);
        }
    }
}

TEST_CASE("throttles and retention and forgetting know no wrap") {
    for (const milliseconds lead : before) {
        CAPTURE(lead.count());
        const time_point begin = time_point(wrap) - lead;
        hub server(1, begin,
                   {.keep = {.age = 20s}, .heartbeat = {.interval = 0s}, .write_deadline = 0s});
        char user = 'x';
        client reader(server, to({"a"}, {.throttle = 30s, .user = &user}));
        reader.drain();
        say(server, "a", "1");
        say(server, "b", "x");
        reader.drain();
        say(server, "a", "2");
        reader.drain();
        server.tick(begin + 19s);
        CHECK(server.metrics().topics == 2);
        CHECK(reader.events() == texts{"1"});
        server.tick(begin + 21s);
        CHECK(server.metrics().topics == 1);
        server.tick(begin + 31s);
        CHECK(server.next_ready() == &user);
        reader.drain();
        CHECK(reader.events() == texts{"1", "2"});
        server.tick(begin + 62s); // the window that the second one has opened
        CHECK(server.next_deadline() == never);
    }
}
