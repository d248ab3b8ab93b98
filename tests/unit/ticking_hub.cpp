// SPDX-License-Identifier: MIT
#include <ssekit/ticking_hub.hpp>

#include <ssekit/doorbell.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/testing/recorder.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

using ssekit::doorbell;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::ticking_hub;
using ssekit::time_point;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

static_assert(std::is_base_of_v<ssekit::shared_hub, ticking_hub>);
static_assert(!std::is_copy_constructible_v<ticking_hub> &&
              !std::is_move_constructible_v<ticking_hub>);

namespace {

/// Long enough that only a hang exceeds it.
time_point in_a_while() {
    return steady_clock::now() + 1min;
}

ssekit::shared_subscription subscribe(ticking_hub& hub, doorbell& bell,
                                      ssekit::subscribe_options options = {}) {
    options.topics = "news";
    auto [stream, refused] = hub.subscribe(options, bell.waker());
    REQUIRE(refused == errc::ok);
    ssekit::testing::recorder socket;
    REQUIRE(ssekit::drain(stream, socket) == drain_status::idle);
    return std::move(stream);
}

} // namespace

TEST_CASE("a ticking hub knows the time from its first moment") {
    const time_point before = steady_clock::now();
    ticking_hub hub(ssekit::new_epoch(), {.max_age = 1h});
    doorbell bell;
    const ssekit::shared_subscription stream = subscribe(hub, bell);
    const auto connected = hub.with([id = stream.id()](ssekit::hub& all) {
        const auto info = all.find_subscriber(id);
        return info ? info->connected_at : time_point();
    });
    CHECK(connected >= before - 20ms); // times are right to within 17 ms
    CHECK(stream.end() == ssekit::stream_end::open);
}

TEST_CASE("a ticking hub does what comes due, though nobody else calls it") {
    ticking_hub hub(ssekit::new_epoch(), {.heartbeat = {.interval = 20ms}});
    doorbell bell;
    ssekit::shared_subscription stream = subscribe(hub, bell);
    ssekit::testing::recorder socket;
    while (socket.bytes != ":\n\n:\n\n") {
        REQUIRE(bell.wait_until(in_a_while()));
        REQUIRE(ssekit::drain(stream, socket) == drain_status::idle);
    }
}

TEST_CASE("a ticking hub wakes up for what is due earlier than it has expected") {
    // Its own look around, once a second, would be in time as well: but not forty times in a row.
    ticking_hub hub(ssekit::new_epoch());
    const time_point begin = steady_clock::now();
    for (int i = 0; i < 40; ++i) {
        doorbell bell;
        const ssekit::shared_subscription stream = subscribe(hub, bell, {.max_age = 20ms});
        REQUIRE(bell.wait_until(in_a_while()));
        CHECK(stream.end() == ssekit::stream_end::expired);
    }
    CHECK(steady_clock::now() - begin < 30s);
}

TEST_CASE("a ticking hub that dies cuts its streams, and waits for nobody") {
    doorbell bell;
    ssekit::shared_subscription stream;
    {
        ticking_hub hub(ssekit::new_epoch());
        stream = subscribe(hub, bell);
        REQUIRE(hub.publish("news", {.data = "x"}).ec == errc::ok);
        REQUIRE(bell.wait_until(in_a_while()));
    }
    REQUIRE(bell.wait_until(in_a_while()));
    ssekit::testing::recorder socket;
    CHECK(ssekit::drain(stream, socket) == drain_status::cut);
    CHECK(socket.bytes.empty());
}

TEST_CASE("hubs come and go, with and without something due") {
    for (int i = 0; i < 100; ++i) {
        ticking_hub hub(ssekit::new_epoch(), {.heartbeat = {.interval = 1ms}});
        doorbell bell;
        const ssekit::shared_subscription stream = subscribe(hub, bell);
        if (i % 2 != 0) bell.wait();
    }
}
