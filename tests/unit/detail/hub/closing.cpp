// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/closing.hpp>

#include "support/bare_hub.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::detail::parting;
using support::bare_hub;
namespace sse = ssekit::detail;

TEST_CASE("what is unfinished is marked at the topics and at the streams that read them") {
    bare_hub hub;
    const std::uint32_t both = hub.join({.topics = support::ab});
    const std::uint32_t second = hub.join({.topics = "b"});
    const std::uint32_t tagged = hub.join({.topics = "c", .tag = "t"});
    const auto is_tagged = [](const ssekit::subscriber_info& stream) noexcept {
        return stream.tag == "t";
    };
    CHECK(sse::close(*hub, {.unfinished = "a", .is_unfinished = is_tagged}) == errc::ok);
    CHECK(hub->streams[both].parting() == parting::put_off);
    CHECK(hub->streams[second].parting() == parting::none);
    CHECK(hub->streams[tagged].parting() == parting::put_off);
    const auto marked = [&](sse::topic_kind kind, std::string_view name) {
        return hub->topics[hub->topics.find(kind, name)].unfinished;
    };
    CHECK(marked(sse::topic_kind::name, "a"));
    CHECK_FALSE(marked(sse::topic_kind::name, "b"));
    CHECK(marked(sse::topic_kind::name, "c"));
    CHECK(marked(sse::topic_kind::tag, "t"));
    for (const std::uint32_t each : {both, second, tagged}) hub.leave(each);
    CHECK(hub.end() == 0);
}

TEST_CASE("the filter is asked for streams that are open, once each") {
    static int asked = 0;
    asked = 0;
    bare_hub hub;
    const std::uint32_t open = hub.join({.topics = "a"});
    const std::uint32_t ended = hub.join({.topics = "a"});
    CHECK(sse::evict(*hub, sse::public_id(*hub, ended)));
    const auto count = [](const ssekit::subscriber_info&) noexcept { return ++asked == 0; };
    CHECK(sse::close(*hub, {.is_unfinished = count}) == errc::ok);
    CHECK(sse::close(*hub, {.is_unfinished = count}) == errc::ok);
    CHECK(asked == 1);
    for (const std::uint32_t each : {open, ended}) hub.leave(each);
}

TEST_CASE("without memory for the farewell a hub does not close, and has marked nothing") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.memory.grace = 0;
    CHECK(sse::close(*hub, {.farewell = {.data = "bye"}, .unfinished = "a"}) ==
          errc::out_of_memory);
    hub.memory.grace = hub.memory.unlimited;
    CHECK_FALSE(hub->closing);
    CHECK(hub->streams[s].parting() == parting::none);
    hub.leave(s);
}
