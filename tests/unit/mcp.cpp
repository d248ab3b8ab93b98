// SPDX-License-Identifier: MIT
#include <ssekit/mcp.hpp>

#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/testing/recorder.hpp>
#include <ssekit/writer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::mcp_hub_options;
using ssekit::mcp_revision;
using ssekit::read_mcp_event_id;

namespace {

const ssekit::time_point start{};

std::string text_of(std::uint64_t stream, std::uint64_t number) {
    std::string out;
    ssekit::append_mcp_event_id(out, {.stream = stream, .number = number});
    return out;
}

/// A hub of a revision, whose streams are those of requests.
struct server {
    explicit server(mcp_revision revision) : hub(1, start, mcp_hub_options(revision)) {}

    ssekit::hub hub;

    ssekit::subscription stream(std::string_view topic, std::string_view last_event_id = {}) {
        auto [stream, refused] = hub.subscribe({.topics = topic,
                                                .tag = topic,
                                                .last_event_id = last_event_id,
                                                .start = ssekit::start_point::earliest});
        REQUIRE(refused == errc::ok);
        return std::move(stream);
    }
    void publish(std::string_view topic, const ssekit::event_view& event) {
        REQUIRE(hub.publish(topic, event).ec == errc::ok);
    }
};

std::string read(ssekit::subscription& stream) {
    ssekit::testing::recorder client;
    static_cast<void>(drain(stream, client));
    return client.bytes;
}

} // namespace

TEST_CASE("an event's id names its stream and its place there") {
    // Spec: 2025-11-25, "Resumability and Redelivery", 1.
    CHECK(text_of(7, 3) == "7.3");
    constexpr std::uint64_t most = (std::numeric_limits<std::uint64_t>::max)();
    for (const std::uint64_t stream : {std::uint64_t{0}, std::uint64_t{1}, most}) {
        for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{10}, most}) {
            const auto id = read_mcp_event_id(text_of(stream, number));
            REQUIRE(id);
            CHECK(id->stream == stream);
            CHECK(id->number == number);
        }
    }
    for (const std::string_view other :
         {"", ".", "7", "7.", ".3", "7.3.", "7.3.1", "+7.3", "7.+3", "-7.3", "07.3", "7.03", "a.b",
          "7,3", " 7.3", "7.3 ", "18446744073709551616.0", "0.18446744073709551616"}) {
        CAPTURE(other);
        CHECK_FALSE(read_mcp_event_id(other));
    }
}

TEST_CASE("2025-11-25: a stream begins with a reconnection time and its priming event") {
    // Spec: 2025-11-25, "Sending Messages to the Server", 6.
    server mcp(mcp_revision::v2025_11_25);
    mcp.publish("calls/7", ssekit::mcp_priming_event("7.0"));
    auto stream = mcp.stream("calls/7");
    CHECK(read(stream) == "retry: 1000\n\nid: 7.0\ndata: \n\n");
    CHECK(ssekit::has_mcp_priming(mcp_revision::v2025_11_25));
}

TEST_CASE("2025-11-25: the stream of a call, from its priming event to its result") {
    const auto check = [](errc code) { REQUIRE(code == errc::ok); };
    const std::string progress = R"({"jsonrpc":"2.0","method":"notifications/progress"})";
    const std::string result = R"({"jsonrpc":"2.0","id":1,"result":{}})";
    // [streams]
    ssekit::hub hub(ssekit::new_epoch(), std::chrono::steady_clock::now(),
                    ssekit::mcp_hub_options(ssekit::mcp_revision::v2025_11_25));
    check(hub.publish("calls/7", ssekit::mcp_priming_event("7.0")).ec);
    auto [stream, refused] = hub.subscribe({.topics = "calls/7",
                                            .tag = "calls/7", // who resumes it takes it over
                                            .start = ssekit::start_point::earliest});
    check(refused);
    check(hub.publish("calls/7", {.id = "7.1", .data = progress}).ec);
    check(hub.close_topic("calls/7", {.id = "7.2", .data = result}, 1min)); // time to come back
    // [streams]
    CHECK(read(stream) == "retry: 1000\n\nid: 7.0\ndata: \n\nid: 7.1\ndata: " + progress +
                              "\n\nid: 7.2\ndata: " + result + "\n\n");
    CHECK(stream.is_done());
}

TEST_CASE("2025-11-25: a stream is resumed where it was cut, and brings nothing of another") {
    // Spec: 2025-11-25, "Resumability and Redelivery", 2.
    server mcp(mcp_revision::v2025_11_25);
    mcp.publish("calls/7", ssekit::mcp_priming_event("7.0"));
    mcp.publish("calls/8", ssekit::mcp_priming_event("8.0"));
    auto cut = mcp.stream("calls/7");
    mcp.publish("calls/7", {.id = "7.1", .data = "a"});
    mcp.publish("calls/8", {.id = "8.1", .data = "b"});
    mcp.publish("calls/7", {.id = "7.2", .data = "c"});
    auto back = mcp.stream("calls/7", "7.1");
    CHECK(back.resumption() == ssekit::resumption::resumed);
    // Its first block repeats the id in a form that clients remember, should it bring nothing else.
    CHECK(read(back) == "id: 7.1\nretry: 1000\ndata: \n\nid: 7.2\ndata: c\n\n");
    // No message goes to two streams. Spec: "Multiple Connections", 2.
    CHECK(cut.end() == ssekit::stream_end::replaced);
    REQUIRE(mcp.hub.close_topic("calls/7", {.id = "7.3", .data = "result"}, 60s) == errc::ok);
    CHECK(read(back) == "id: 7.3\ndata: result\n\n");
    CHECK(back.is_done());
    auto late = mcp.stream("calls/7", "7.2"); // within its minute
    CHECK(read(late) == "id: 7.2\nretry: 1000\ndata: \n\nid: 7.3\ndata: result\n\n");
    CHECK(late.is_done());
}

TEST_CASE("2025-11-25: a connection may be closed early, in order, and the stream goes on") {
    // Spec: 2025-11-25, "Sending Messages to the Server", 6.
    server mcp(mcp_revision::v2025_11_25);
    mcp.publish("calls/7", ssekit::mcp_priming_event("7.0"));
    auto stream = mcp.stream("calls/7");
    static_cast<void>(read(stream));
    CHECK(mcp.hub.evict(stream.id()));
    CHECK(stream.is_done());
    CHECK_FALSE(stream.is_abrupt());
    mcp.publish("calls/7", {.id = "7.1", .data = "a"});
    auto back = mcp.stream("calls/7", "7.0");
    CHECK(read(back) == "id: 7.0\nretry: 1000\ndata: \n\nid: 7.1\ndata: a\n\n");
}

TEST_CASE("2025-03-26 and 2025-06-18: ids, but no event without a message") {
    for (const mcp_revision revision : {mcp_revision::v2025_03_26, mcp_revision::v2025_06_18}) {
        CHECK_FALSE(ssekit::has_mcp_priming(revision));
        server mcp(revision);
        auto stream = mcp.stream("calls/7");
        mcp.publish("calls/7", {.id = "7.0", .data = "a"});
        mcp.publish("calls/7", {.id = "7.1", .data = "b"});
        CHECK(read(stream) == "retry: 1000\n\nid: 7.0\ndata: a\n\nid: 7.1\ndata: b\n\n");
        auto back = mcp.stream("calls/7", "7.0");
        CHECK(read(back) == "id: 7.0\nretry: 1000\n\nid: 7.1\ndata: b\n\n");
    }
}

TEST_CASE("2026-07-28: no ids, no reconnection time, and a first byte all the same") {
    // Spec: 2026-07-28, "Receiving Messages".
    CHECK_FALSE(ssekit::has_mcp_priming(mcp_revision::v2026_07_28));
    server mcp(mcp_revision::v2026_07_28);
    auto stream = mcp.stream("calls/7");
    mcp.publish("calls/7", {.data = "a"});
    CHECK(read(stream) == ":\n\ndata: a\n\n");
}

TEST_CASE("all else is as it was given") {
    const auto options =
        mcp_hub_options(mcp_revision::v2025_11_25, {.max_age = 5min, .retry = 300ms});
    CHECK(options.retry == 300ms);
    CHECK(options.max_age == 5min);
    CHECK(mcp_hub_options(mcp_revision::v2026_07_28, {.retry = 7ms}).retry == 7ms);
    CHECK_FALSE(mcp_hub_options(mcp_revision::v2026_07_28).retry);
}
