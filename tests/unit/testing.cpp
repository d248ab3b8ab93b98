// SPDX-License-Identifier: MIT
#include <ssekit/testing/event_collector.hpp>
#include <ssekit/testing/recorder.hpp>

#include <ssekit/hub.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using ssekit::drain_status;
using ssekit::testing::collected_event;
using ssekit::testing::event_collector;
using ssekit::testing::events_of;

TEST_CASE("a recorder takes everything, in order") {
    ssekit::testing::recorder out;
    const std::array<std::string_view, 3> slices = {"a", "", "bc"};
    const auto [bytes, status] = out.write_some(slices);
    CHECK(bytes == 3);
    CHECK(status == ssekit::io_status::ready);
    CHECK(out.bytes == "abc");
}

TEST_CASE("a recorder fills up, empties, and closes") {
    ssekit::hub hub(1, {}, {});
    auto [stream, refused] = hub.subscribe({.topics = "t"});
    REQUIRE(refused == ssekit::errc::ok);
    ssekit::testing::recorder out{.room = 12};
    CHECK(hub.publish("t", {.data = "one"}).ec == ssekit::errc::ok);
    CHECK(drain(stream, out) == drain_status::would_block);
    CHECK(out.bytes == "id: 1.0\n\nid:");
    CHECK(drain(stream, out) == drain_status::would_block);
    out.room = 1000;
    CHECK(drain(stream, out) == drain_status::idle);
    CHECK(out.bytes == "id: 1.0\n\nid: 1.1\ndata: one\n\n");
    CHECK(hub.publish("t", {.data = "two"}).ec == ssekit::errc::ok);
    out.closed = true;
    CHECK(drain(stream, out) == drain_status::closed);
    CHECK(out.bytes.size() == 28);
}

TEST_CASE("a collector sees what a page sees, however the bytes come") {
    constexpr std::string_view body =
        "retry: 1000\nid: 1\n\n: hello\nevent: a\ndata: x\ndata: y\n\n"
        "data: z\nid: 2\n\ndata: cut";
    const std::vector<collected_event> expected = {{"a", "x\ny", "1"}, {"message", "z", "2"}};
    for (std::size_t at = 0; at <= body.size(); ++at) {
        event_collector seen;
        seen.feed(body.substr(0, at));
        seen.feed(body.substr(at));
        CHECK(seen.events == expected);
        CHECK(seen.comments == std::vector<std::string>{" hello"});
        CHECK(seen.errors.empty());
        CHECK(seen.last_event_id() == "2");
        CHECK(seen.retry() == std::chrono::seconds(1));
        CHECK(!seen.finish());
    }
    CHECK(events_of(body) == expected);
    CHECK(events_of("").empty());
}

TEST_CASE("a collector keeps what a limit says") {
    event_collector seen;
    seen.feed("data: a\nid: " + std::string(70'000, 'x') + "\n\ndata: b\n\n");
    CHECK(seen.errors == std::vector<ssekit::errc>{ssekit::errc::id_too_long});
    REQUIRE(seen.events.size() == 1);
    CHECK(seen.events[0].data == "b");
    CHECK(seen.finish());
}
