// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/seats.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::detail::topic_kind;
using support::abc;
using support::bare_hub;
namespace sse = ssekit::detail;

namespace {

std::size_t readers(bare_hub& hub, topic_kind kind, std::string_view name) {
    const std::uint32_t found = hub->topics.find(kind, name);
    return found == 0 ? 0 : hub->topics[found].readers;
}
std::size_t tagged(bare_hub& hub, std::string_view tag) {
    std::size_t count = 0;
    sse::for_each_tagged(*hub, tag, [&](std::uint32_t) { ++count; });
    return count;
}

} // namespace

TEST_CASE("a source is told when its first reader comes and when the last one goes") {
    std::string told;
    const auto hook = [&told](std::string_view topic, bool listened) noexcept {
        told += (listened ? "+" : "-") + std::string(topic) + " ";
    };
    bare_hub hub({.on_topic = hook});
    const std::uint32_t one = hub.join({.topics = abc, .tag = "t"});
    CHECK(told == "+a +c +b "); // and nobody of the tag
    const std::uint32_t two = hub.join({.topics = "b", .patterns = "x/*"});
    CHECK(told == "+a +c +b +x/* ");
    hub.leave(one);
    CHECK(told == "+a +c +b +x/* -a -c ");
    CHECK(sse::evict(*hub, sse::public_id(*hub, two)));
    CHECK(told == "+a +c +b +x/* -a -c -b -x/* ");
    hub.leave(two);
    CHECK(told == "+a +c +b +x/* -a -c -b -x/* ");
}

TEST_CASE("a stream that was refused was never listening") {
    std::string told;
    const auto hook = [&told](std::string_view topic, bool) noexcept { told += topic; };
    bare_hub hub({.max_topics = 2, .on_topic = hook});
    CHECK(hub.join({.topics = abc}) == 0);
    CHECK(told.empty());
}

TEST_CASE("whoever has ended takes no place, before it has left") {
    bare_hub hub(
        {.max_subscribers = 1, .max_subscribers_per_topic = 1, .max_subscribers_per_tag = 1});
    const std::uint32_t first = hub.join({.topics = abc, .tag = "t"});
    CHECK(hub.join({.topics = "x"}) == 0);
    CHECK(sse::evict(*hub, sse::public_id(*hub, first)));
    CHECK(readers(hub, topic_kind::name, "a") == 0);
    CHECK(tagged(hub, "t") == 0);
    const std::uint32_t second = hub.join({.topics = abc, .tag = "t"}); // C12
    CHECK(second != 0);
    CHECK(tagged(hub, "t") == 1);
    hub.leave(first);
    CHECK(readers(hub, topic_kind::name, "a") == 1);
    CHECK(hub->open_streams == 1);
    hub.leave(second);
    CHECK(hub->open_streams == 0);
}

TEST_CASE("the readers of a tag are in its ring as long as they read, in their order") {
    bare_hub hub;
    std::array<std::uint32_t, 5> s{};
    for (std::uint32_t& one : s) one = hub.join({.topics = "a", .tag = "t"});
    hub.leave(s[1]);
    CHECK(sse::evict(*hub, sse::public_id(*hub, s[3])));
    std::string order;
    sse::for_each_tagged(*hub, "t", [&](std::uint32_t at) { order += std::to_string(at) + ";"; });
    CHECK(order == "1;3;5;");
    const std::uint32_t late = hub.join({.topics = "a", .tag = "t"});
    CHECK(tagged(hub, "t") == 4);
    for (const std::uint32_t one : {s[0], s[2], s[3], s[4], late}) hub.leave(one);
    CHECK(tagged(hub, "t") == 0);
    CHECK(hub.end() == 0);
}

TEST_CASE("the first reader that goes is replaced by one that is no tag, with its position") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = abc, .tag = "t"});
    hub.take(s);
    CHECK(hub.say("c", "1").ec == errc::ok);
    CHECK(hub.say("b", "2").ec == errc::ok);
    const std::uint32_t a = hub->topics.find(topic_kind::name, "a");
    CHECK(hub->streams[s].topic == a);
    CHECK(sse::stop_reading(*hub, s, a));
    CHECK(hub->topics.find(topic_kind::name, "a") == 0);
    CHECK(hub->topics[hub->streams[s].topic].kind == topic_kind::name);
    CHECK(hub.events(s) == "1 2"); // what waited there is still there
    CHECK(sse::stop_reading(*hub, s, hub->streams[s].topic));
    CHECK_FALSE(sse::stop_reading(*hub, s, hub->streams[s].topic)); // but for the tag the last
    CHECK(tagged(hub, "t") == 1);
    hub.leave(s);
    CHECK(hub.end() == 0);
}

TEST_CASE(
    "a closed topic that is read is left, the others go on, and the last one ends the stream") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = abc});
    hub.take(s);
    CHECK(hub.say("a", "1").ec == errc::ok);
    for (const std::string_view name : {"a", "b"}) {
        CHECK(sse::close_topic(*hub, name, {}, 10s) == errc::ok);
    }
    CHECK(readers(hub, topic_kind::name, "a") == 1); // not read yet
    CHECK(hub.events(s) == "1");
    CHECK(readers(hub, topic_kind::name, "a") == 1); // it may be opened again
    CHECK(hub.say("c", "2").ec == errc::ok);
    CHECK(hub.events(s) == "2");
    const std::uint32_t nameless = hub->topics.find(topic_kind::name, "a");
    for (int i = 0; i < 3; ++i) hub.wait(10s);
    CHECK(hub->topics[nameless].readers == 1); // as long as the stream has not looked
    CHECK(hub.events(s).empty());
    CHECK(readers(hub, topic_kind::name, "b") == 0);
    CHECK(hub->topics.find(topic_kind::name, "a") == 0); // C5
    CHECK(sse::close_topic(*hub, "c", {}, 10s) == errc::ok);
    hub.take(s);
    CHECK(hub->streams[s].end() == ssekit::stream_end::topic_closed);
    hub.leave(s);
}

TEST_CASE("a stream that names a topic twice, or in two ways, has one seat for each log") {
    bare_hub hub;
    const std::array<std::string_view, 3> twice = {"a", "b", "a"};
    const std::uint32_t s = hub.join({.topics = twice, .patterns = "a", .tag = "a"});
    CHECK(readers(hub, topic_kind::name, "a") == 1);
    CHECK(readers(hub, topic_kind::pattern, "a") == 1);
    CHECK(readers(hub, topic_kind::tag, "a") == 1);
    hub.take(s);
    CHECK(hub.say({"a", "b"}, "1").ec == errc::ok);
    CHECK(hub.events(s) == "1");
    hub.leave(s);
}
