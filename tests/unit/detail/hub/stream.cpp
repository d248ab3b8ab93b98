// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/sequencing.hpp>
#include <ssekit/detail/hub/stream.hpp>

#include "support/bare_hub.hpp"

#include <ssekit/event_sequence.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::lag_policy;
using ssekit::stream_end;
using support::ab;
using support::bare_hub;
using support::keep_two;
namespace sse = ssekit::detail;

namespace {

std::size_t hands_in_use(bare_hub& hub) {
    std::size_t count = 0;
    hub->streams.for_each([&](std::uint32_t s) { count += hub->streams[s].hand != 0 ? 1u : 0u; });
    return count;
}

} // namespace

TEST_CASE("an event that is newer in one of a stream's topics replaces the one that both have") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = ab, .on_lag = lag_policy::coalesce});
    hub.take(s);
    CHECK(hub.say({"a", "b"}, "old", "k").ec == errc::ok);
    CHECK(hub.say("b", "new", "k").ec == errc::ok); // superseded in b alone
    CHECK(hub.events(s) == "new");
    CHECK(hub.say({"b", "a"}, "old", "k").ec == errc::ok);
    CHECK(hub.say("a", "new", "k").ec == errc::ok);
    CHECK(hub.events(s) == "new");
    CHECK(hub->metrics.coalesced == 2);
    hub.leave(s);
}

TEST_CASE("an event is not replaced by one that the filter rejects") {
    const auto unkeyed = [](const ssekit::event_summary& e) noexcept { return e.type != "no"; };
    for (const bool throttled : {false, true}) {
        bare_hub hub;
        const std::uint32_t s =
            hub.join({.topics = "a",
                      .on_lag = throttled ? lag_policy::disconnect : lag_policy::coalesce,
                      .filter = unkeyed,
                      .throttle = throttled ? 1ms : 0ms});
        hub.take(s);
        CHECK(hub.say("a", "wanted", "k").ec == errc::ok);
        CHECK(sse::publish(*hub, sse::topic_kind::name, "a", {.type = "no", .data = "x"}, "k").ec ==
              errc::ok);
        CHECK(hub.events(s) == "wanted"); // C3
        CHECK(hub->metrics.filtered == 1);
        hub.leave(s);
    }
}

TEST_CASE("what was begun is brought to its end when a stream ends, and then the last chunk") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a", .framing = ssekit::framing::chunked});
    hub.take(s);
    CHECK(hub.say_each("a", "12"));
    std::string_view slice;
    REQUIRE(hub.prepare_one(s, slice) == 1);
    const std::string first(slice);
    sse::consume(*hub, s, 3);
    CHECK(sse::evict(*hub, sse::public_id(*hub, s)));
    CHECK_FALSE(hub->streams[s].is_done());
    CHECK(hub.take(s) == first.substr(3) + "0\r\n\r\n");
    CHECK(hub->streams[s].is_done());
    CHECK(hub.take(s).empty());
    hub.leave(s);
}

TEST_CASE("a hand is in use only while bytes are under way") {
    bare_hub hub;
    std::array<std::uint32_t, 50> s{};
    for (std::uint32_t& one : s) one = hub.join({.topics = "a"});
    CHECK(hands_in_use(hub) == 50); // the opening blocks
    for (const std::uint32_t one : s) hub.take(one);
    CHECK(hands_in_use(hub) == 0);
    const std::size_t before = hub.memory.allocations;
    for (int round = 0; round < 20; ++round) {
        CHECK(hub.say_each("a", "1"));
        for (const std::uint32_t one : s) CHECK(hub.events(one) == "1");
        CHECK(hands_in_use(hub) == 0);
    }
    CHECK(hub.memory.allocations - before < 20 + 5); // the frames, the ring
    for (const std::uint32_t one : s) hub.leave(one);
}

TEST_CASE("a stream that finds no memory ends abruptly and the others go on") {
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 20);
        bare_hub hub({.keep = keep_two});
        const std::uint32_t other = hub.join({.topics = "a"});
        const std::uint32_t s = hub.join({.topics = "a", .on_lag = lag_policy::skip_to_oldest});
        std::array<std::uint32_t, 6> full{}; // so that no hand is left in the pool
        for (std::uint32_t& one : full) one = hub.join({.topics = "b"});
        hub.take(s);
        std::string_view slice;
        const std::uint32_t last = hub.join({.topics = "b"});
        CHECK(hub.say_each("a", "123"));
        hub.memory.grace = grace;
        const std::size_t given = hub.prepare_one(s, slice);
        const bool struck = hub.memory.struck;
        hub.memory.grace = support::counted_memory::unlimited;
        CHECK(given == (struck ? 0 : 1));
        CHECK((hub->streams[s].end() == stream_end::out_of_memory) == struck);
        CHECK(hub->streams[s].is_done() == struck);
        hub.take(other); // it has lagged
        CHECK(hub->streams[other].end() == stream_end::lagged);
        hub.leave(s), hub.leave(other), hub.leave(last);
        for (const std::uint32_t one : full) hub.leave(one);
        CHECK(hub.end() == 0);
        if (!struck) break;
    }
}

TEST_CASE("bytes that a stream has sent are counted with their carry") {
    bare_hub hub;
    const std::uint32_t s = hub.join({.topics = "a"});
    hub.take(s);
    const std::uint64_t begin = hub->streams[s].bytes();
    hub->streams[s].count_bytes((std::uint64_t{1} << 32) - 5 - begin);
    CHECK(hub.say_each("a", "1"));
    CHECK(hub.take(s).size() == 17);
    CHECK(hub->streams[s].bytes() == (std::uint64_t{1} << 32) + 12);
    hub.leave(s);
}

TEST_CASE("the id advances where nothing is delivered, and with a topic that has a type as well") {
    for (const bool typed : {false, true}) {
        ssekit::hub_options options;
        if (typed) options.heartbeat_type = "beat";
        bare_hub hub(options);
        const std::uint32_t s = hub.join({.topics = "a"});
        hub.take(s);
        CHECK(hub.say_each("b", "123"));
        hub.wait(16s);
        CHECK(hub.take(s) == (typed ? "id: 1.3\nevent: beat\ndata: \n\n" : "id: 1.3\n:\n\n"));
        CHECK(hub.say_each("a", "4"));
        CHECK(hub.events(s) == "4");
        hub.wait(16s);
        CHECK(hub.take(s) == (typed ? "event: beat\ndata: \n\n" : ":\n\n")); // it has the newest
        hub.leave(s);
    }
}

TEST_CASE("a heartbeat's id does not pass over what the stream has not been told is missing") {
    bare_hub hub({.ids = ssekit::event_ids::by_sequence});
    const auto bring = [&](std::uint64_t offset) {
        const auto made = ssekit::event_sequence(1, offset - 1).make("a", {.data = "x"});
        CHECK(sse::publish_sequenced(*hub, "a", made).ec == errc::ok);
    };
    const std::uint32_t s = hub.join({.topics = "q"});
    hub.take(s);
    bring(1);
    hub.wait(16s); // a heartbeat is due
    bring(9);
    const std::string got = hub.take(s);
    const bool told = got.find("missed") != std::string::npos;
    CHECK((told || got.find("1.9") == std::string::npos));
    hub.leave(s);
}
