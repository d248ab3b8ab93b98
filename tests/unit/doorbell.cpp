// SPDX-License-Identifier: MIT
#include <ssekit/doorbell.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <type_traits>

using ssekit::doorbell;
using ssekit::time_point;

static_assert(!std::is_copy_constructible_v<doorbell> && !std::is_move_constructible_v<doorbell>);

namespace {

/// Long enough that only a hang exceeds it.
time_point soon() {
    return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

} // namespace

TEST_CASE("a ring before the wait is not lost, and several are one") {
    doorbell bell;
    bell.ring();
    bell.waker()();
    CHECK(bell.wait_until(soon()));
    CHECK_FALSE(bell.wait_until(std::chrono::steady_clock::now()));
    bell.ring();
    bell.wait();
    CHECK_FALSE(bell.wait_until(std::chrono::steady_clock::now()));
}

TEST_CASE("a deadline that has passed ends the wait, and a ring counts none the less") {
    doorbell bell;
    for (const time_point passed : {std::chrono::steady_clock::now(), time_point(),
                                    time_point::min(), time_point(std::chrono::seconds(-1))}) {
        CHECK_FALSE(bell.wait_until(passed));
        bell.ring();
        CHECK(bell.wait_until(passed));
    }
}

TEST_CASE("a wait without end is ended by a ring from another thread") {
    for (const bool by_waker : {false, true}) {
        doorbell bell;
        std::atomic<bool> awake = false;
        std::thread sleeper([&] {
            CHECK(bell.wait_until(ssekit::never));
            awake = true;
            bell.wait();
        });
        by_waker ? bell.waker()() : bell.ring();
        while (!awake) std::this_thread::yield();
        bell.ring();
        sleeper.join();
    }
}

TEST_CASE("each side sees what the other did before it rang") {
    constexpr int turns = 1000;
    doorbell ping;
    doorbell pong;
    int ball = 0; // whose turn it is has it alone
    std::thread other([&] {
        for (int i = 0; i < turns; ++i) {
            ping.wait();
            ++ball;
            pong.ring();
        }
    });
    int wrong = 0;
    for (int i = 0; i < turns; ++i) {
        ++ball;
        ping.ring();
        if (!pong.wait_until(soon()) || ball != 2 * (i + 1)) ++wrong;
    }
    other.join();
    CHECK(wrong == 0);
}

TEST_CASE("whoever was woken by the last ring may destroy the bell") {
    for (int i = 0; i < 200; ++i) {
        auto bell = std::make_unique<doorbell>();
        std::thread ringer([last = bell->waker()] { last(); });
        bell->wait();
        bell.reset();
        ringer.join();
    }
}
