// SPDX-License-Identifier: MIT
//
// Into all topics or into none: also without memory, and with events that a sequence has numbered.
#include <ssekit/detail/hub/publishing.hpp>
#include <ssekit/detail/hub/sequencing.hpp>

#include "support/allocations.hpp"
#include "support/bare_hub.hpp"

#include <ssekit/event_sequence.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_ids;
using ssekit::detail::topic_kind;
using support::bare_hub;
namespace sse = ssekit::detail;

namespace {

/// The event with this offset, as its sequence makes it.
ssekit::sequenced_event numbered(std::uint64_t offset, std::string_view topic,
                                 std::uint64_t epoch = 1) {
    return ssekit::event_sequence(epoch, offset - 1).make(topic, {.data = std::to_string(offset)});
}
errc bring(bare_hub& hub, std::uint64_t offset, std::string_view topic) {
    return sse::publish_sequenced(*hub, topic, numbered(offset, topic)).ec;
}
// How many of the missing ones a stream would have got is not known.
constexpr std::string_view missed = R"(gap:{"reason":"missed"})";

} // namespace

TEST_CASE("an event goes to all of its topics once, and one that is refused to none") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "b"});
    hub.take(s);
    CHECK(hub.say({"a", "b", "a"}, "1").offset == 1);
    CHECK(hub->topics[hub->topics.find(topic_kind::name, "a")].log.size() == 1);
    CHECK(hub.say({"b", "new", ""}, "2").ec == errc::invalid_topic);
    CHECK(hub->topics.find(topic_kind::name, "new") == 0);
    CHECK(sse::close_topic(*hub, "closed", {}, 30s) == errc::ok);
    CHECK(hub.say({"b", "new", "closed"}, "3").ec == errc::topic_closed);
    CHECK(hub->topics.find(topic_kind::name, "new") == 0);
    CHECK(hub.say({}, "4").ec == errc::invalid_topic);
    CHECK(hub->last_offset == 1);
    CHECK(hub->metrics.published == 1);
    CHECK(hub.events(s) == "1");
    hub.leave(s);
}

TEST_CASE("topics, keys and events that cannot be are refused before anything is done") {
    bare_hub hub;
    const std::string long_text(0x10000, 'k');
    CHECK(hub.say("a", "1", long_text).ec == errc::label_too_long);
    CHECK(hub.say(long_text, "1").ec == errc::label_too_long);
    CHECK(sse::publish(*hub, topic_kind::name, "a", {}, {}).ec == errc::nothing_to_send);
    CHECK(sse::publish(*hub, topic_kind::name, "a", {.id = "7", .data = "1"}, {}).ec ==
          errc::id_is_assigned);
    CHECK(sse::publish(*hub, topic_kind::name, "a", {.type = "a\nb", .data = "1"}, {}).ec ==
          errc::invalid_type);
    CHECK(hub->topics.size(topic_kind::name) == 0);
    CHECK(hub->last_offset == 0);
    CHECK(hub.end() == 0);
}

TEST_CASE("what goes to all goes to each open topic and pattern and to no tag") {
    bare_hub hub;
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(hub.say_to_tag("t", "2").ec == errc::ok);
    CHECK(sse::close_topic(*hub, "closed", {}, 30s) == errc::ok);
    const std::uint32_t s = hub.join({.patterns = "x/*"});
    hub.take(s);
    CHECK(sse::publish_to_all(*hub, {.data = "3"}, {}).offset == 3);
    CHECK(hub->topics[hub->topics.find(topic_kind::name, "a")].log.size() == 2);
    CHECK(hub->topics[hub->topics.find(topic_kind::tag, "t")].log.size() == 1);
    CHECK(hub->topics[hub->topics.find(topic_kind::name, "closed")].log.size() == 0);
    CHECK(hub.events(s) == "3");
    hub.leave(s);
}

TEST_CASE("one publish to many idle streams allocates what it does for one") {
    constexpr std::size_t plain = 10000, with_wakers = 1000;
    bare_hub hub;
    int user = 0;
    support::rung bell;
    for (std::size_t i = 0; i < plain; ++i) {
        REQUIRE(hub.join({.topics = "a", .user = &user}) != 0);
    }
    std::vector<std::uint32_t> woken;
    for (std::size_t i = 0; i < with_wakers; ++i) {
        woken.push_back(hub.join({.topics = "a"}, bell.waker()));
        REQUIRE(woken.back() != 0);
    }
    hub->streams.for_each([&](std::uint32_t s) { hub.take(s); });
    CHECK(hub.say("a", "first").ec == errc::ok); // the log's ring
    hub->streams.for_each([&](std::uint32_t s) { hub.take(s); });
    bell.times = 0;
    const std::size_t before = hub.memory.allocations;
    const support::allocation_watch watch;
    CHECK(hub.say("a", "second").ec == errc::ok);
    const std::size_t made = hub.memory.allocations - before;
    CHECK(made == 1); // the frame
    // Its place in the test's own table is one more, and the table may grow.
    if (support::counts_allocations) CHECK(watch.allocations() <= 3);
    CHECK(bell.times == with_wakers);
    std::size_t ready = 0;
    while (sse::next_ready(*hub) != nullptr) ++ready;
    CHECK(ready == plain);
    // Nor does reading it.
    hub.events(1);
    const std::size_t reading = hub.memory.allocations;
    hub->streams.for_each(
        [&](std::uint32_t s) { CHECK(hub.events(s) == (s == 1 ? "" : "second")); });
    CHECK(hub.memory.allocations == reading);
    hub->streams.for_each([&](std::uint32_t s) { hub.leave(s); });
    CHECK(hub.end() == 0);
}

TEST_CASE("each publication without memory changes nothing, and the next one arrives") {
    struct way {
        ssekit::hub_options options;
        std::function<errc(bare_hub&)> publish;
        std::string_view arrives;
    };
    const way ways[] = {
        {{},
         [](bare_hub& h) {
             return h.say({"a", "new", "other"}, "x").ec;
         },
         "x"},
        {{},
         [](bare_hub& h) {
             return h.say({"new", "a"}, "x", "key").ec;
         },
         "x"},
        {{}, [](bare_hub& h) { return h.say_to_tag("t", "x").ec; }, "x"},
        {{}, [](bare_hub& h) { return sse::publish_to_all(*h, {.data = "x"}, "key").ec; }, "x"},
        {{.ids = event_ids::by_publisher},
         [](bare_hub& h) {
             return sse::publish(*h, topic_kind::name, {"a", "new"}, {.id = "i9", .data = "x"}, "k")
                 .ec;
         },
         "x"},
        {{},
         [](bare_hub& h) {
             const ssekit::frame made = ssekit::frame::make({.data = "x"}).frame;
             return sse::publish_frame(*h, topic_kind::name, {"a", "new"}, made, "key").ec;
         },
         "x"},
        {{}, [](bare_hub& h) { return sse::send(*h, 1, {.data = "x"}); }, "x"},
        {{}, [](bare_hub& h) { return sse::keep(*h, topic_kind::name, "new", {.events = 1}); }, ""},
        {{}, [](bare_hub& h) { return sse::keep(*h, topic_kind::pattern, "*", {}); }, ""},
    };
    for (const way& one : ways) {
        CAPTURE(&one - ways);
        std::size_t failures = 0;
        for (std::size_t grace = 0;; ++grace) {
            CAPTURE(grace);
            REQUIRE(grace < 100);
            bare_hub hub(one.options);
            const std::uint32_t s = hub.join({.topics = "a", .patterns = "a/*", .tag = "t"});
            REQUIRE(s == 1);
            hub.take(s);
            const auto names = hub->topics.size(topic_kind::name);
            const auto patterns = hub->topics.size(topic_kind::pattern);
            const auto tags = hub->topics.size(topic_kind::tag);
            hub.memory.grace = grace;
            errc code = one.publish(hub);
            const bool struck = hub.memory.struck;
            hub.memory.grace = support::counted_memory::unlimited;
            CHECK(code == (struck ? errc::out_of_memory : errc::ok));
            if (struck) {
                ++failures;
                CHECK(hub->topics.size(topic_kind::name) == names);
                CHECK(hub->topics.size(topic_kind::pattern) == patterns);
                CHECK(hub->topics.size(topic_kind::tag) == tags);
                CHECK(hub->topics.log_bytes() == 0);
                CHECK(hub->last_offset == 0);
                CHECK(hub->metrics.published == 0);
                CHECK(hub.events(s).empty());
                code = one.publish(hub);
                CHECK(code == errc::ok);
            }
            CHECK(hub.events(s) == one.arrives);
            hub.leave(s);
            CHECK(hub.end() == 0);
            if (!struck) break;
        }
        CHECK(failures >= 1);
    }
}

TEST_CASE("closing a topic with a last word that finds no memory changes nothing") {
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 100);
        bare_hub hub;
        const std::uint32_t s = hub.join({.patterns = "a/*"});
        hub.take(s);
        hub.memory.grace = grace;
        const errc code = sse::close_topic(*hub, "a/1", {.data = "x"}, 30s);
        const bool struck = hub.memory.struck;
        hub.memory.grace = support::counted_memory::unlimited;
        CHECK(code == (struck ? errc::out_of_memory : errc::ok));
        CHECK(hub->topics.size(topic_kind::name) == (struck ? 0 : 1));
        if (struck) CHECK(sse::close_topic(*hub, "a/1", {.data = "x"}, 30s) == errc::ok);
        CHECK(hub.events(s) == "x");
        hub.leave(s);
        CHECK(hub.end() == 0);
        if (!struck) break;
    }
}

TEST_CASE("an id that a publisher gives is spent with its event and not before") {
    bare_hub hub({.ids = event_ids::by_publisher});
    const auto give = [&](std::string_view id, const ssekit::topic_list& topics) {
        return sse::publish(*hub, topic_kind::name, topics, {.id = id, .data = id}, {}).ec;
    };
    CHECK(give("a", "") == errc::invalid_topic);
    CHECK(give("a", "x") == errc::ok);
    CHECK(give("a", "y") == errc::id_is_taken); // C9
    CHECK(give("b ", "y") == errc::unreturnable_id);
    CHECK(give("b", "y") == errc::ok);
    CHECK(hub->ids.find("b") == 2);
    const std::array<std::string_view, 2> xy = {"x", "y"};
    const std::uint32_t s = hub.join({.topics = xy, .last_event_id = "a"});
    CHECK(hub.last.how == ssekit::resumption::resumed);
    CHECK(hub.take(s) == "id: a\n\nid: b\ndata: b\n\n");
    hub.leave(s);
}

TEST_CASE("a sequence's events come at their offsets and nothing older or foreign does") {
    bare_hub hub({.ids = event_ids::by_sequence});
    CHECK(bring(hub, 1, "a") == errc::ok);
    CHECK(bring(hub, 1, "a") == errc::out_of_sequence);
    CHECK(sse::publish_sequenced(*hub, "a", numbered(2, "a", 2)).ec == errc::out_of_sequence);
    CHECK(sse::publish_sequenced(*hub, "a", {}).ec == errc::out_of_sequence);
    CHECK(hub.say("a", "x").ec == errc::out_of_sequence);
    CHECK(bring(hub, ~std::uint64_t{0} - 1, "a") == errc::ok);
    CHECK(bring(hub, ~std::uint64_t{0}, "a") == errc::ok);
    CHECK(bring(hub, ~std::uint64_t{0}, "a") == errc::out_of_sequence);
    CHECK(hub->last_offset == ~std::uint64_t{0});
}

TEST_CASE("a jump in the sequence is told to the topic at once and to others when it is quiet") {
    bare_hub hub({.ids = event_ids::by_sequence});
    const std::uint32_t a = hub.join({.topics = "a"}), b = hub.join({.topics = "b"});
    hub.take(a), hub.take(b);
    CHECK(bring(hub, 90, "a") == errc::ok); // 1 to 89 are missing as well
    CHECK(hub.events(a) == std::string(missed) + " 90");
    CHECK(bring(hub, 500, "a") == errc::ok);
    CHECK(hub.events(a) == std::string(missed) + " 500");
    CHECK(hub.events(b).empty());
    hub.wait(16s);
    CHECK(hub.take(b).starts_with("id: 1.499\nevent: gap\n"));
    CHECK(hub->metrics.gaps == 3);
    hub.leave(a), hub.leave(b);
}

TEST_CASE("a jump in the sequence is told to the readers of patterns") {
    bare_hub hub({.ids = event_ids::by_sequence});
    const std::uint32_t s = hub.join({.patterns = "**"});
    hub.take(s);
    CHECK(bring(hub, 1, "a") == errc::ok);
    CHECK(bring(hub, 9, "a") == errc::ok);
    CHECK(hub.events(s) == "1 " + std::string(missed) + " 9");
    hub.leave(s);
}

TEST_CASE("a jump is told to a stream once, whatever it reads besides") {
    for (const bool tag : {false, true}) {
        bare_hub hub({.ids = event_ids::by_sequence});
        const std::array<std::string_view, 2> aq = {"a", "q"};
        ssekit::subscribe_options options{.topics = aq};
        if (tag) options = {.topics = "a", .tag = "t"};
        const std::uint32_t s = hub.join(options);
        hub.take(s);
        CHECK(bring(hub, 1, "a") == errc::ok);
        CHECK(bring(hub, 9, "a") == errc::ok);
        CHECK(hub.events(s) == "1 " + std::string(missed) + " 9");
        hub.wait(16s);
        CHECK(hub.take(s).find("1.8") == std::string::npos); // the client has 1.9
        hub.leave(s);
    }
}

TEST_CASE("a gap tells of all that is missing where it says how much") {
    bare_hub hub({.ids = event_ids::by_sequence});
    const std::uint32_t s = hub.join({.topics = "q"});
    hub.take(s);
    for (const std::uint64_t offset : {1u, 5u, 10u}) CHECK(bring(hub, offset, "a") == errc::ok);
    hub.wait(16s);
    const std::string told = hub.events(s);
    CHECK(told == missed);
    hub.leave(s);
}

TEST_CASE("an event that a closed topic does not take is missing to nobody else") {
    bare_hub hub({.ids = event_ids::by_sequence});
    const std::uint32_t s = hub.join({.topics = "y"});
    hub.take(s);
    CHECK(bring(hub, 1, "y") == errc::ok);
    CHECK(sse::close_topic(*hub, "x", {}, 30s) == errc::ok);
    CHECK(bring(hub, 2, "x") == errc::topic_closed);
    CHECK(bring(hub, 3, "y") == errc::ok);
    CHECK(hub.events(s) == "1 3");
    hub.leave(s);
}

TEST_CASE("a topic that was closed before a jump misses nothing") {
    bare_hub hub({.ids = event_ids::by_sequence});
    CHECK(bring(hub, 1, "y") == errc::ok);
    CHECK(bring(hub, 2, "x") == errc::ok);
    CHECK(sse::close_topic(*hub, "x", {}, 30s) == errc::ok);
    CHECK(bring(hub, 9, "y") == errc::ok);
    const std::uint32_t s = hub.join({.topics = "x", .last_event_id = "1.1"});
    CHECK(hub.last.how == ssekit::resumption::resumed);
    CHECK(hub.events(s) == "2");
    hub.leave(s);
}

TEST_CASE("an event of a sequence that finds no memory makes no topic") {
    for (std::size_t grace = 0;; ++grace) {
        bare_hub hub({.ids = event_ids::by_sequence});
        hub.memory.grace = grace;
        const errc code = bring(hub, 9, "new");
        const bool struck = hub.memory.struck;
        hub.memory.grace = support::counted_memory::unlimited;
        CHECK(code == (struck ? errc::out_of_memory : errc::ok));
        CHECK(hub->topics.size(topic_kind::name) == (struck ? 0 : 1));
        if (!struck) break;
    }
}

TEST_CASE("an event for one stream leaves after the last offset there is") {
    bare_hub hub({.ids = event_ids::by_sequence});
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    CHECK(bring(hub, ~std::uint64_t{0}, "b") == errc::ok);
    CHECK(sse::send(*hub, s, {.data = "x"}) == errc::ok);
    CHECK(hub.events(s) == "x");
    hub.leave(s);
}

TEST_CASE("events for one stream leave after what was published before and are bounded") {
    bare_hub hub({.max_sent = 2});
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(sse::send(*hub, s, {.data = "s1"}) == errc::ok);
    CHECK(hub.say("a", "2").ec == errc::ok);
    CHECK(sse::send(*hub, s, {.data = "s2"}) == errc::ok);
    CHECK(sse::send(*hub, s, {.data = "s3"}) == errc::queue_is_full);
    CHECK(sse::send(*hub, s, {.id = "7", .data = "s"}) == errc::id_is_assigned);
    CHECK(sse::send(*hub, s, {.type = "t"}) == errc::nothing_to_send);
    CHECK(hub.events(s) == "1 s1 2 s2");
    CHECK(sse::send(*hub, s, {.data = "s4"}) == errc::ok);
    CHECK(hub.events(s) == "s4");
    hub.leave(s);
    CHECK(hub.end() == 0);
}

TEST_CASE("a topic that is closed with a last word takes no more and is forgotten in its time") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    CHECK(hub.say("a", "1").ec == errc::ok);
    CHECK(sse::close_topic(*hub, "a", {.data = "last"}, 30s) == errc::ok);
    CHECK(sse::close_topic(*hub, "a", {.data = "again"}, 30s) == errc::ok);
    CHECK(hub.say("a", "2").ec == errc::topic_closed);
    CHECK(hub.events(s) == "1 last");
    CHECK(hub->streams[s].end() == ssekit::stream_end::topic_closed);
    hub.wait(29s);
    CHECK(hub.say("a", "2").ec == errc::topic_closed);
    hub.wait(1s);
    hub.wait(1s);
    CHECK(hub.say("a", "2").ec == errc::ok);
    hub.leave(s);
}

TEST_CASE("a topic that is kept for a time without end, or for none at all, is closed so") {
    bare_hub hub;
    CHECK(sse::close_topic(*hub, "a", {}, (std::chrono::milliseconds::max)()) == errc::ok);
    CHECK(sse::close_topic(*hub, "b", {}, (std::chrono::milliseconds::min)()) == errc::ok);
    hub.wait(1s);
    hub.wait(1s);
    CHECK(hub->topics.find(topic_kind::name, "a") != 0);
    CHECK(hub->topics.find(topic_kind::name, "b") == 0);
}
