// SPDX-License-Identifier: MIT
//
// What a hub's state makes of its options, and what costs the same however many tags there are.
#include <ssekit/detail/hub/state.hpp>

#include "support/bare_hub.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_ids;
using ssekit::detail::topic_kind;
using support::bare_hub;
namespace sse = ssekit::detail;

namespace {

/// The shortest of several times of a call: what it costs when nothing disturbs it.
template <class Call>
std::chrono::nanoseconds time_of(Call&& call) {
    auto best = std::chrono::nanoseconds::max();
    for (int i = 0; i < 30; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        call();
        best = std::min(best, std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin));
    }
    return best;
}

/// A hub with topics and tags that all keep an event.
void fill(bare_hub& hub, int topics, int tags) {
    for (int i = 0; i < topics; ++i) {
        REQUIRE(hub.say("n" + std::to_string(i), "x").ec == errc::ok);
    }
    for (int i = 0; i < tags; ++i) {
        REQUIRE(hub.say_to_tag("t" + std::to_string(i), "x").ec == errc::ok);
    }
}

} // namespace

TEST_CASE("options are brought within bounds that can be computed with") {
    constexpr auto most = (std::chrono::milliseconds::max)();
    const sse::hub_state hub(1, {},
                             {.heartbeat = {.interval = most, .jitter = ~0u},
                              .write_deadline = -1ms,
                              .max_age = most,
                              .max_age_jitter = ~0u,
                              .retry = -1ms,
                              .detach_retry = -5ms,
                              .memory = nullptr});
    CHECK(hub.limits.heartbeat == sse::time_limits::longest);
    CHECK(hub.limits.jitter == 100);
    CHECK(hub.limits.write == 1ms); // it has expired before it began: at once, not never
    CHECK(hub.limits.age == sse::time_limits::longest);
    CHECK(hub.limits.age_jitter == 50);
    CHECK_FALSE(hub.options.retry.has_value());
    CHECK(hub.options.detach_retry == ssekit::shortest_retry);
    CHECK(hub.options.memory == ssekit::heap());
}

TEST_CASE("a hub knows the time from its beginning") {
    bare_hub hub({.keep = {.age = 10s}, .max_age = 1h}, ssekit::time_point(1000h));
    const std::uint32_t s = hub.join({.topics = "a"});
    CHECK(hub.say("a", "1").ec == errc::ok);
    hub.wait(1s); // C17
    CHECK(hub.events(s) == "1");
    CHECK(hub->streams[s].end() == ssekit::stream_end::open);
    hub.leave(s);
}

TEST_CASE("a hub takes no memory but for two frames before it is used, and none of the heap") {
    bare_hub hub;
    CHECK(hub.memory.live() == 2); // the heartbeat and the last chunk
    CHECK(hub.end() == 0);
}

TEST_CASE("a hub whose memory fails again and again stays whole and gives all back") {
    for (std::uint32_t seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        bare_hub hub({.keep = {.events = 1 + random.below(6), .age = random.below(3) * 1s},
                      .keep_tagged = {.events = 2, .age = 2s},
                      .ids = random.one_in(3) ? event_ids::by_publisher : event_ids::by_hub,
                      .max_ids = 8,
                      .heartbeat = {.interval = 1s},
                      .write_deadline = 5s,
                      .max_topics = 12,
                      .max_tags = 4,
                      .max_forgotten = 3});
        std::vector<std::uint32_t> streams;
        constexpr std::string_view names[] = {"a/1", "a/2", "b/1", "b/2", "c"};
        constexpr std::string_view patterns[] = {"a/*", "**", "b/*", "c"};
        constexpr std::string_view tags[] = {"t", "u"};
        int ids = 0;
        for (int step = 0; step < 600; ++step) {
            hub.memory.grace =
                random.one_in(3) ? random.below(4) : support::counted_memory::unlimited;
            const bool by_publisher = hub->options.ids == event_ids::by_publisher;
            const std::string id = "i" + std::to_string(++ids);
            ssekit::event_view event{.data = "x"};
            if (by_publisher) event.id = id;
            const std::string_view key = random.one_in(2) ? "k" : "";
            errc code = errc::ok;
            switch (random.below(14)) {
            case 0:
            case 1: {
                ssekit::subscribe_options options{
                    .topics = random.pick(names),
                    .last_event_id = random.one_in(3) ? "1.3" : "",
                    .on_lag = static_cast<ssekit::lag_policy>(random.below(5)),
                    .throttle = random.one_in(4) ? 1s : 0s};
                if (random.one_in(2)) options.patterns = random.pick(patterns);
                if (random.one_in(2)) options.tag = random.pick(tags);
                const std::uint32_t s = hub.join(options);
                code = hub.last.ec;
                if (s != 0) streams.push_back(s);
                break;
            }
            case 2:
                if (streams.empty()) break;
                std::swap(streams[random.below(streams.size())], streams.back());
                hub.leave(streams.back());
                streams.pop_back();
                break;
            case 3: code = sse::publish_to_all(*hub, event, key).ec; break;
            case 4:
                code = sse::publish(*hub, topic_kind::tag, random.pick(tags), event, key).ec;
                break;
            case 5:
                code = sse::publish(*hub, topic_kind::name, {names[random.below(5)], names[0]},
                                    event, key)
                           .ec;
                break;
            case 6:
                code = sse::keep(*hub, topic_kind::name, random.pick(names), {.events = 2});
                break;
            case 7: sse::keep_no_more(*hub, topic_kind::name, random.pick(names)); break;
            case 8:
                code = sse::close_topic(*hub, random.pick(names),
                                        random.one_in(2) ? event : ssekit::event_view(), 1s);
                break;
            case 9:
            case 10: hub.wait(random.below(2000) * 1ms); break;
            case 11:
                if (!streams.empty()) {
                    code = sse::add_later(*hub, random.pick(streams),
                                          random.one_in(2) ? topic_kind::name : topic_kind::pattern,
                                          random.pick(names));
                }
                break;
            case 12:
                if (!streams.empty()) {
                    code = sse::remove(*hub, random.pick(streams), random.pick(names));
                }
                break;
            default:
                if (!streams.empty()) code = sse::send(*hub, random.pick(streams), {.data = "s"});
            }
            if (hub.memory.struck && code != errc::ok) hub.memory.struck = false;
            if (!streams.empty() && random.one_in(2)) hub.take(random.pick(streams));
            hub.memory.grace = support::counted_memory::unlimited;
            std::size_t open = 0;
            for (const std::uint32_t s : streams) {
                open += hub->streams[s].end() == ssekit::stream_end::open ? 1u : 0u;
            }
            REQUIRE(hub->open_streams == open);
            REQUIRE(hub->all_streams == streams.size());
            std::uint64_t bytes = 0;
            for (const auto kind : {topic_kind::name, topic_kind::pattern, topic_kind::tag}) {
                std::size_t count = 0;
                hub->topics.for_each(kind, [&](std::uint32_t at) {
                    ++count;
                    const sse::topic& here = hub->topics[at];
                    bytes += here.log.bytes();
                    REQUIRE(
                        (here.readers != 0 || here.log.size() != 0 || here.kept || here.closed));
                    REQUIRE(hub->topics.find(kind, here.name()) == at);
                });
                REQUIRE(count == hub->topics.size(kind));
            }
            REQUIRE(hub->topics.log_bytes() >= bytes); // closed ones live on without a name
        }
        for (const std::uint32_t s : streams) hub.leave(s);
        CHECK(hub.end() == 0);
    }
}

TEST_CASE("an id on the wire is the hub's, or that of an event of the stream's own topics") {
    bare_hub numbered;
    const std::uint32_t any = numbered.join({.topics = "a"});
    CHECK(sse::wire_id(*numbered, any, 7).view() == "1.7");
    numbered.leave(any);

    bare_hub given({.ids = event_ids::by_publisher});
    const std::uint32_t reader = given.join({.topics = "a"});
    const auto publish = [&](std::string_view topic, std::string_view id) {
        return sse::publish(*given, topic_kind::name, topic, {.id = id, .data = "x"}, {}).ec;
    };
    CHECK(sse::wire_id(*given, reader, 7).view().empty());
    CHECK(publish("a", "i1") == errc::ok);
    CHECK(publish("b", "i2") == errc::ok);
    CHECK(sse::wire_id(*given, reader, 7).view() == "i1"); // of others it learns nothing
    CHECK(sse::wire_id(*given, reader, 0).view().empty());
    given.leave(reader);
}

TEST_CASE(
    "metrics, new names, what goes to all and a jump cost the same however many tags there are") {
    bare_hub few({.max_topics = 5000}), many({.max_topics = 5000});
    fill(few, 1000, 10);
    fill(many, 1000, 100000);
    // A walk over the tags would be thousands of times as much; the factor leaves room for caches.
    constexpr int factor = 40;
    const auto compare = [&](auto&& call) {
        const auto one = time_of([&] { call(few); });
        const auto other = time_of([&] { call(many); });
        CHECK(other < one * factor + 20us);
    };
    compare([](bare_hub& hub) { CHECK(sse::metrics(*hub).topics >= 1000); });
    int names = 0;
    compare([&](bare_hub& hub) {
        CHECK(hub.say("new" + std::to_string(++names), "x").ec == errc::ok);
    });
    compare(
        [](bare_hub& hub) { CHECK(sse::publish_to_all(*hub, {.data = "x"}, {}).ec == errc::ok); });
    compare([](bare_hub& hub) {
        const std::uint32_t s = hub.join({.topics = "n1", .patterns = "z/*"});
        hub.leave(s);
    });
    compare([](bare_hub& hub) { // a jump
        hub->topics.missed().miss(++hub->last_offset, hub->last_chunk, hub->last_chunk);
        CHECK(hub->topics.has_untold_gap(hub->topics.find(topic_kind::name, "n1")));
    });
    compare([](bare_hub& hub) { CHECK(hub.say("n1", "x").ec == errc::ok); });
    compare([](bare_hub& hub) { hub.wait(1ms); });
    compare([](bare_hub& hub) { static_cast<void>(sse::next_deadline(*hub)); });
}

TEST_CASE("the readers of one tag are found without a look at the others") {
    bare_hub few, many;
    const auto join_all = [](bare_hub& hub, int count) {
        for (int i = 0; i < count; ++i) {
            const std::string tag = "t" + std::to_string(i);
            REQUIRE(hub.join({.topics = "a", .tag = tag}) != 0);
        }
    };
    join_all(few, 10);
    join_all(many, 20000);
    const auto walk = [](bare_hub& hub) {
        int count = 0;
        sse::for_each_tagged(*hub, "t7", [&](std::uint32_t) { ++count; });
        CHECK(count == 1);
    };
    CHECK(time_of([&] { walk(many); }) < time_of([&] { walk(few); }) * 40 + 20us);
}
