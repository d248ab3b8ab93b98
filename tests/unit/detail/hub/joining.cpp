// SPDX-License-Identifier: MIT
//
// How streams come and go, and that all that they had is given back.
#include <ssekit/detail/hub/joining.hpp>
#include <ssekit/detail/hub/sequencing.hpp>

#include <ssekit/detail/hub/closing.hpp>

#include "support/allocations.hpp"
#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::resumption;
using ssekit::stream_end;
using ssekit::time_point;
using ssekit::detail::topic_kind;
using support::abc;
using support::bare_hub;
namespace sse = ssekit::detail;

namespace {

std::size_t count_of(const auto& slab) {
    std::size_t count = 0;
    slab.for_each([&](std::uint32_t) { ++count; });
    return count;
}

std::size_t prepare_in(bare_hub& hub, std::uint32_t s, std::span<std::string_view> slices) {
    ssekit::stream_end seen{};
    return sse::prepare(*hub, s, slices, seen);
}

} // namespace

TEST_CASE("seats, cursors, sides, sent events and frames are given back on leave") {
    bare_hub hub;
    std::size_t live = 0;
    for (int round = 0; round < 30; ++round) {
        const std::uint32_t s =
            hub.join({.topics = abc, .patterns = "x/*", .tag = "t", .throttle = 1s});
        REQUIRE(s != 0);
        CHECK(count_of(hub->cursors) == 4);
        CHECK(hub->topics[hub->topics.find(topic_kind::tag, "t")].readers == 1);
        for (int i = 0; i < 3; ++i) CHECK(sse::send(*hub, s, {.data = "sent"}) == errc::ok);
        CHECK(count_of(hub->sent) == 3);
        hub.leave(s);
        CHECK(count_of(hub->cursors) == 0);
        CHECK(count_of(hub->sent) == 0);
        CHECK(count_of(hub->streams) == 0);
        for (const auto kind : {topic_kind::name, topic_kind::pattern, topic_kind::tag}) {
            CHECK(hub->topics.size(kind) == 0);
        }
        CHECK(hub->open_streams == 0);
        CHECK(hub->all_streams == 0);
        CHECK(sse::next_deadline(*hub) == ssekit::never);
        if (round == 5) live = hub.memory.live();
    }
    CHECK(hub.memory.live() == live);
    CHECK(hub.end() == 0);
}

TEST_CASE("a hand in the middle of an event is given back on leave") {
    bare_hub hub;
    std::size_t live = 0;
    for (int round = 0; round < 300; ++round) {
        const std::uint32_t s = hub.join({.topics = "a"});
        std::array<std::string_view, 8> slices;
        CHECK(hub.say("a", "1").ec == errc::ok);
        REQUIRE(prepare_in(hub, s, slices) == 2);
        sse::consume(*hub, s, 1);         // the hand holds frames
        CHECK(hub->streams[s].hand == 1); // always the same one
        hub.leave(s);
        if (round == 20) live = hub.memory.live();
        CHECK(hub->topics.keep(hub->topics.find(topic_kind::name, "a"), nullptr, hub->clock.now) ==
              errc::ok);
        if (round == 0) {
            const ssekit::retention one{.events = 1};
            CHECK(sse::keep(*hub, topic_kind::name, "a", one) == errc::ok);
        }
    }
    CHECK(hub.memory.live() <= live + 1024 + 8); // the events that the topic keeps, no hands
    CHECK(hub.end() == 0);
}

TEST_CASE("a serial number that wraps is never zero and ids are not given twice") {
    bare_hub hub;
    hub->last_serial = ~std::uint32_t{0} - 1;
    const std::uint32_t a = hub.join({.topics = "a"});
    CHECK(hub->streams[a].serial == ~std::uint32_t{0});
    const std::uint32_t b = hub.join({.topics = "a"});
    CHECK(hub->streams[b].serial == 1);
    const std::uint64_t id = sse::public_id(*hub, b);
    CHECK(sse::find_stream(*hub, id) == b);
    hub.leave(b);
    CHECK(sse::find_stream(*hub, id) == 0);
    const std::uint32_t c = hub.join({.topics = "a"});
    CHECK(c == b); // the place is the same
    CHECK(sse::public_id(*hub, c) != id);
    hub.leave(a);
    hub.leave(c);
}

TEST_CASE("a stream opens with the id to come back with, and gets what comes from then on") {
    bare_hub hub;
    CHECK(hub.say("a", "before").ec == errc::ok);
    const std::uint32_t s = hub.join({.topics = "a"});
    CHECK(hub.last.how == resumption::fresh);
    CHECK(hub.take(s) == "id: 1.1\n\n");
    CHECK(hub.say("a", "after").ec == errc::ok);
    CHECK(hub.take(s) == "id: 1.2\ndata: after\n\n");
    hub.leave(s);
}

TEST_CASE("a reader of several topics resumes each where its offset is") {
    bare_hub hub;
    for (const char* const data : {"1", "2", "3", "4", "5", "6"}) {
        CHECK(hub.say(abc[static_cast<std::size_t>(data[0]) % 3], data).ec == errc::ok);
    }
    const std::uint32_t s = hub.join({.topics = abc, .last_event_id = "1.3"});
    CHECK(hub.last.how == resumption::resumed);
    CHECK(hub.take(s).starts_with("id: 1.3\n\nid: 1.4\ndata: 4\n\n"));
    hub.leave(s);
    const std::uint32_t old = hub.join({.topics = abc, .last_event_id = "1.0"});
    CHECK(hub.events(old) == "1 2 3 4 5 6");
    hub.leave(old);
}

TEST_CASE("offsets near the end of their range are resumed from") {
    bare_hub hub;
    hub->last_offset = ~std::uint64_t{0} - 4;
    for (const char* const data : {"1", "2", "3"}) CHECK(hub.say("a", data).ec == errc::ok);
    CHECK(hub->last_offset == ~std::uint64_t{0} - 1);
    const std::uint32_t s = hub.join({.topics = "a", .last_event_id = "1.18446744073709551612"});
    CHECK(hub.last.how == resumption::resumed);
    CHECK(hub.events(s) == "2 3");
    const std::uint32_t ahead =
        hub.join({.topics = "a", .last_event_id = "1.18446744073709551615"});
    CHECK(hub.last.how == resumption::future);
    hub.leave(s);
    hub.leave(ahead);
}

TEST_CASE("positions through 2^32 and close to 2^64 are read like any others") {
    constexpr std::uint64_t starts[] = {(1ull << 32) - 5, (1ull << 31) - 5,
                                        ~std::uint64_t{0} - 200};
    for (const std::uint64_t first : starts) {
        bare_hub hub({.keep = {.events = 20}});
        const std::uint32_t s = hub.join({.topics = "a", .on_lag = ssekit::lag_policy::coalesce});
        const std::uint32_t plain = hub.join({.topics = "a"});
        // The seam: a log that begins there.
        ssekit::event_log& log = hub->topics[hub->topics.find(topic_kind::name, "a")].log;
        std::destroy_at(&log);
        std::construct_at(&log, ssekit::retention{.events = 20}, 0u, &hub.memory, first);
        hub->streams[s].position = hub->streams[plain].position = first;
        CHECK(hub.take(s).size() + hub.take(plain).size() > 0); // the opening blocks
        for (int i = 0; i < 100; ++i) {
            const std::string number = std::to_string(i);
            CHECK(hub.say("a", "k" + number, "key").ec == errc::ok);
            CHECK(hub.say("a", number).ec == errc::ok);
            CHECK(hub.events(plain) == "k" + number + " " + number);
            if (i % 5 == 4) CHECK(hub.events(s).ends_with("k" + number + " " + number));
        }
        CHECK(hub->metrics.coalesced == 80);
        CHECK(hub->metrics.skipped == 0);
        hub.leave(s);
        hub.leave(plain);
        CHECK(hub.end() == 0);
    }
}

TEST_CASE("what is refused leaves nothing behind") {
    bare_hub hub({.max_subscribers = 2,
                  .max_subscribers_per_topic = 1,
                  .max_subscribers_per_tag = 1,
                  .max_topics = 5});
    const std::uint32_t first = hub.join({.topics = "a", .tag = "t"});
    REQUIRE(first != 0);
    const std::size_t topics = hub->topics.size(topic_kind::name);
    const std::array<std::string_view, 3> full = {"x", "y", "a"};
    const std::array<std::string_view, 3> invalid = {"x", "y", ""};
    const std::array<std::string_view, 6> many = {"1", "2", "3", "4", "5", "6"};
    const std::array<std::string_view, 5> some = {"1", "2", "3", "4", "5"};
    const auto refused = [&](errc code, const ssekit::subscribe_options& options) {
        CHECK(hub.join(options) == 0);
        CHECK(hub.last.ec == code);
        CHECK(hub->topics.size(topic_kind::name) == topics);
        CHECK(hub->topics.size(topic_kind::pattern) == 0);
        CHECK(hub->topics.size(topic_kind::tag) == 1);
        CHECK(count_of(hub->streams) == 1);
        CHECK(count_of(hub->cursors) == 1);
        CHECK(hub->open_streams == 1);
        CHECK(hub->all_streams == 1);
        CHECK(hub->metrics.accepted == 1);
    };
    refused(errc::topic_is_full, {.topics = full});
    refused(errc::invalid_topic, {.topics = invalid});
    refused(errc::invalid_topic, {.topics = "x", .patterns = "**/a"});
    refused(errc::invalid_topic, {.tag = "u"});
    refused(errc::too_many_topics, {.topics = many});
    refused(errc::too_many_topics, {.topics = some});
    refused(errc::tag_is_full, {.topics = "x", .tag = "t"});
    refused(errc::expired, {.topics = "x", .max_age = 0ms});
    refused(errc::expired, {.topics = "x", .max_age = (std::chrono::milliseconds::min)()});
    refused(errc::expired, {.topics = "x", .expires_at = hub->clock.now});
    refused(errc::replay_refused,
            {.topics = "x", .last_event_id = "?", .on_gap = ssekit::gap_policy::refuse});
    const std::uint32_t second = hub.join({.topics = "x"});
    REQUIRE(second != 0);
    CHECK(hub.join({.topics = "y"}) == 0);
    CHECK(hub.last.ec == errc::too_many_subscribers);
    hub.leave(second);
    hub.leave(first);
    CHECK(hub.end() == 0);
}

TEST_CASE("a topic that is closed and has nothing to replay is refused and stays as it was") {
    bare_hub hub;
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(sse::close_topic(*hub, "a", {}, 30s) == errc::ok);
    CHECK(hub.join({.topics = "a"}) == 0);
    CHECK(hub.last.ec == errc::topic_closed);
    const std::uint32_t s = hub.join({.topics = "a", .last_event_id = "1.0"});
    REQUIRE(s != 0);
    CHECK(hub.events(s) == "1");
    CHECK(hub->streams[s].end() == stream_end::topic_closed);
    CHECK(hub->open_streams == 0);
    CHECK(hub->all_streams == 1);
    hub.leave(s);
}

TEST_CASE("of several ends of a stream's life the earliest counts, and a far one does no harm") {
    constexpr auto longest = (std::chrono::milliseconds::max)();
    bare_hub hub({.heartbeat = {.interval = 0ms}, .write_deadline = 0ms});
    const time_point begin = hub->clock.now;
    const auto end_of = [&](const ssekit::subscribe_options& options) {
        const std::uint32_t s = hub.join(options);
        REQUIRE(s != 0);
        const time_point end = sse::expiry_of(*hub, s);
        hub.leave(s);
        return end;
    };
    CHECK(end_of({.topics = "a"}) == ssekit::never);
    CHECK(end_of({.topics = "a", .max_age = 5s}) == begin + 5s);
    CHECK(end_of({.topics = "a", .max_age = 5s, .expires_at = begin + 3s}) == begin + 3s);
    CHECK(end_of({.topics = "a", .max_age = 2s, .expires_at = begin + 3s}) == begin + 2s);
    CHECK(end_of({.topics = "a", .max_age = longest}) == begin + 366 * 24h);
    CHECK(end_of({.topics = "a", .expires_at = ssekit::never}) == ssekit::never);
}

TEST_CASE(
    "topics that are added begin with the next event and those that are removed end at once") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a", .tag = "t"});
    CHECK(hub.take(s).size() > 0);
    CHECK(hub.say("b", "old").ec == errc::ok);
    CHECK(sse::add_later(*hub, s, topic_kind::name, {"b", "a", "b"}) == errc::ok);
    CHECK(sse::add_later(*hub, s, topic_kind::pattern, "c/*") == errc::ok);
    CHECK(count_of(hub->cursors) == 3);
    CHECK(hub.say("b", "1").ec == errc::ok);
    CHECK(hub.say("c/1", "2").ec == errc::ok);
    CHECK(hub.say("a", "3").ec == errc::ok);
    CHECK(hub.say_to_tag("t", "4").ec == errc::ok);
    CHECK(hub.events(s) == "1 2 3 4");
    CHECK(sse::remove(*hub, s, "a") == errc::ok); // the first: another takes its place
    CHECK(hub.say("a", "5").ec == errc::ok);
    CHECK(hub.say("b", "6").ec == errc::ok);
    CHECK(hub.say("c/1", "7").ec == errc::ok);
    CHECK(hub.events(s) == "6 7");
    CHECK(sse::remove(*hub, s, {"b", "c/*"}) == errc::invalid_topic); // none would be left
    CHECK(hub.say_to_tag("t", "8").ec == errc::ok);
    CHECK(hub.events(s) == "8");
    hub.leave(s);
    CHECK(count_of(hub->cursors) == 0);
    CHECK(hub.end() == 0);
}

TEST_CASE("topics that cannot all be added leave those before them added and counted") {
    bare_hub hub({.max_subscribers_per_topic = 1});
    const std::uint32_t other = hub.join({.topics = "full"});
    const std::uint32_t s = hub.join({.topics = "a"});
    CHECK(sse::add_later(*hub, s, topic_kind::name, {"b", "full", "c"}) == errc::topic_is_full);
    CHECK(hub->topics[hub->topics.find(topic_kind::name, "b")].readers == 1);
    CHECK(hub->topics[hub->topics.find(topic_kind::name, "full")].readers == 1);
    CHECK(hub->topics.find(topic_kind::name, "c") == 0);
    hub.leave(s);
    hub.leave(other);
    CHECK(hub->topics.size(topic_kind::name) == 0);
}

TEST_CASE("without memory no stream begins, nothing is half done, and the next one begins") {
    std::size_t failures = 0;
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 100);
        bare_hub hub({.retry = 5s});
        CHECK(hub.say("a", "1").ec == errc::ok);
        const std::size_t topics = hub->topics.size(topic_kind::name);
        hub.memory.grace = grace;
        const std::uint32_t s = hub.join({.topics = abc,
                                          .patterns = "x/*",
                                          .tag = "t",
                                          .last_event_id = "1.0",
                                          .throttle = 0ms});
        const bool struck = hub.memory.struck;
        hub.memory.grace = support::counted_memory::unlimited;
        CHECK((s == 0) == struck);
        CHECK(hub.last.ec == (struck ? errc::out_of_memory : errc::ok));
        CHECK(hub->open_streams == (struck ? 0 : 1));
        if (struck) {
            ++failures;
            CHECK(hub->topics.size(topic_kind::name) == topics);
            CHECK(hub->topics.size(topic_kind::pattern) == 0);
            CHECK(hub->topics.size(topic_kind::tag) == 0);
            CHECK(count_of(hub->streams) == 0);
            CHECK(count_of(hub->cursors) == 0);
        }
        const std::uint32_t again = hub.join({.topics = abc, .tag = "t", .last_event_id = "1.0"});
        REQUIRE(again != 0);
        CHECK(hub.say_to_tag("t", "2").ec == errc::ok);
        CHECK(hub.events(again) == "1 2");
        hub.leave(again);
        if (s != 0) hub.leave(s);
        CHECK(hub.end() == 0);
        if (!struck) break;
    }
    CHECK(failures >= 10);
}

TEST_CASE("without memory topics are added as far as it goes and nothing is lost") {
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 100);
        bare_hub hub;
        const std::uint32_t s = hub.join({.topics = "a"});
        hub.take(s);
        hub.memory.grace = grace;
        const errc code = sse::add_later(*hub, s, topic_kind::name, {"b", "c"});
        const bool struck = hub.memory.struck;
        hub.memory.grace = support::counted_memory::unlimited;
        CHECK(code == (struck ? errc::out_of_memory : errc::ok));
        CHECK(sse::add_later(*hub, s, topic_kind::name, {"b", "c"}) == errc::ok);
        for (const char* const topic : {"a", "b", "c"}) CHECK(hub.say(topic, topic).ec == errc::ok);
        CHECK(hub.events(s) == "a b c");
        CHECK(count_of(hub->cursors) == 2);
        hub.leave(s);
        CHECK(hub.end() == 0);
        if (!struck) break;
    }
}

TEST_CASE("all of a hub's memory comes from the resource that it is told of") {
    const support::failing_allocations heap(0); // what is asked of the heap fails, and shows
    bare_hub hub({.retry = 1s});
    const std::uint32_t s = hub.join({.topics = abc, .patterns = "a/*", .tag = "t"});
    hub.take(s);
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(hub.say_to_tag("t", "2").ec == errc::ok);
    CHECK(sse::send(*hub, s, {.data = "3"}) == errc::ok);
    CHECK(sse::publish_to_all(*hub, {.data = "4"}, "k").ec == errc::ok);
    CHECK(sse::close(*hub, {.farewell = {.data = "bye"}, .retry_max = 5s}) == errc::ok);
    std::array<std::string_view, 32> slices;
    CHECK(prepare_in(hub, s, slices) == 6);
    CHECK_FALSE(heap.struck());
    hub.leave(s);
}

TEST_CASE("a heartbeat with an id is made in that memory as well") {
    const support::failing_allocations heap(0);
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    CHECK(hub.say("b", "1").ec == errc::ok);
    hub.wait(16s);
    std::string_view slice;
    CHECK(prepare_in(hub, s, {&slice, 1}) == 1);
    CHECK(slice == "id: 1.1\n:\n\n");
    hub.leave(s);
    CHECK_FALSE(heap.struck());
}

TEST_CASE("whoever asks for what a topic keeps is not told of what it has missed before") {
    bare_hub hub({.ids = ssekit::event_ids::by_sequence});
    ssekit::event_sequence elsewhere(1, 1);
    const auto second = elsewhere.make("b", {.data = "2"});
    const std::uint32_t s = hub.join({.topics = "a"});
    CHECK(sse::publish_sequenced(*hub, "b", second).ec == errc::ok); // nobody has brought 1
    const std::uint32_t fresh = hub.join({.topics = "a", .start = ssekit::start_point::earliest});
    CHECK(hub->topics[hub->topics.find(topic_kind::name, "a")].log.newest_gap() == 1);
    CHECK(hub.events(fresh) == "");
    const std::uint32_t lost = hub.join({.topics = "a", .last_event_id = "?"});
    CHECK(hub.events(lost) == R"(gap:{"reason":"malformed"})");
    hub.leave(fresh), hub.leave(lost);
    CHECK(sse::close_topic(*hub, "a", {}, 1h) == errc::ok);
    CHECK(hub.join({.topics = "a", .start = ssekit::start_point::earliest}) == 0);
    CHECK(hub.last.ec == errc::topic_closed); // there is nothing to read
    CHECK(hub.join({.topics = "a", .last_event_id = "?"}) == 0);
    CHECK(hub.last.ec == errc::topic_closed);
    hub.leave(s);
}
