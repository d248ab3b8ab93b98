// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/parking.hpp>

#include "support/dice.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using ssekit::never;
using ssekit::time_point;
using ssekit::detail::link;
using ssekit::detail::parking;
using support::morning;

namespace {

constexpr std::uint32_t cursor_bit = 1u << 29; // as the hub has it: numbers up to 2^30

/// Readers and topics that are nothing but links.
struct places {
    struct links {
        places* self;
        ssekit::detail::link& item(std::uint32_t reader) const noexcept {
            return (reader & cursor_bit) == 0 ? self->readers[reader]
                                              : self->cursors[reader & ~cursor_bit];
        }
        ssekit::detail::link& idle_at(std::uint32_t topic, bool has_waker) const noexcept {
            return self->idle[topic][has_waker ? 1 : 0];
        }
    };
    places() : waiting(links{this}) {
        for (std::uint32_t i = 0; i < 20; ++i) {
            readers[i] = {i, i};
            cursors[i] = {i | cursor_bit, i | cursor_bit};
        }
    }
    std::string ready() {
        std::string out;
        while (const std::uint32_t first = waiting.first_ready()) {
            waiting.leave(first);
            out += out.empty() ? "" : " ";
            out += (first & cursor_bit) != 0 ? "c" + std::to_string(first & ~cursor_bit)
                                             : std::to_string(first);
        }
        return out;
    }
    /// `wake` as the hub does it: the reader leaves and is noted.
    auto note(std::string& out) {
        return [this, &out](std::uint32_t reader) {
            waiting.leave(reader);
            out += std::to_string(reader & ~cursor_bit) + ";";
        };
    }

    std::array<ssekit::detail::link, 20> readers{};
    std::array<ssekit::detail::link, 20> cursors{};
    std::map<std::uint32_t, std::array<ssekit::detail::link, 2>> idle;
    parking<links> waiting;
};

} // namespace

TEST_CASE("nobody is ready at first and nothing is due") {
    places p;
    CHECK_FALSE(p.waiting.has_ready());
    CHECK(p.waiting.first_ready() == 0);
    CHECK(p.waiting.next_deadline(morning) == never);
}

TEST_CASE("streams that are idle at a topic become ready in their order and the others stay") {
    places p;
    const std::uint32_t last_topic = (1u << 29) - 1; // the largest number of a slab
    for (const std::uint32_t topic : {1u, 2u, last_topic}) p.waiting.add_topic(topic);
    p.waiting.wait_idle(1, last_topic, false);
    p.waiting.wait_idle(2, 2, false);
    p.waiting.wait_idle(3 | cursor_bit, last_topic, false);
    std::string woken;
    p.waiting.wake_idle(last_topic, p.note(woken));
    CHECK(p.ready() == "1 c3");
    CHECK(woken.empty());
    p.waiting.wake_idle(1, p.note(woken));
    CHECK(p.ready().empty());
    CHECK(p.waiting.is_waiting(2));
    p.waiting.wake_idle(2, p.note(woken));
    CHECK(p.ready() == "2");
}

TEST_CASE("a stream with a waker is woken and is not ready") {
    places p;
    p.waiting.add_topic(1);
    p.waiting.wait_idle(1, 1, true);
    p.waiting.wait_idle(2, 1, false);
    p.waiting.wait_idle(3, 1, true);
    std::string woken;
    p.waiting.wake_idle(1, p.note(woken));
    CHECK(woken == "1;3;");
    CHECK(p.ready() == "2");
    p.waiting.wake_idle(1, p.note(woken));
    CHECK(woken == "1;3;");
}

TEST_CASE("a reader that has left is neither woken nor ready") {
    places p;
    p.waiting.add_topic(1);
    for (std::uint32_t i = 1; i <= 4; ++i) p.waiting.wait_idle(i, 1, i % 2 == 0);
    p.waiting.leave(1);
    p.waiting.leave(2);
    p.waiting.leave(2); // once more does no harm
    CHECK_FALSE(p.waiting.is_waiting(1));
    std::string woken;
    p.waiting.wake_idle(1, p.note(woken));
    CHECK(woken == "4;");
    CHECK(p.ready() == "3");
}

TEST_CASE("what waits for the next turn is due now and comes after what is ready") {
    places p;
    p.waiting.wait_next_turn(1, false);
    CHECK(p.waiting.next_deadline(morning) == morning);
    CHECK_FALSE(p.waiting.has_ready());
    p.waiting.wait_ready(2);
    std::string woken;
    p.waiting.begin_turn(p.note(woken));
    CHECK(p.ready() == "2 1");
    CHECK(p.waiting.next_deadline(morning) == never);
    p.waiting.wait_next_turn(3, true);
    CHECK(p.waiting.next_deadline(morning) == morning);
    p.waiting.begin_turn(p.note(woken));
    CHECK(woken == "3;");
    CHECK(p.ready().empty());
    CHECK(p.waiting.next_deadline(morning) == never);
}

TEST_CASE("a held stream is looked at once the time has come, and may be held on") {
    places p;
    p.waiting.hold(1, morning + 100ms, morning);
    p.waiting.hold(2, morning + 10s, morning); // beyond the wheel
    std::string looked;
    const auto due = p.waiting.next_deadline(morning);
    CHECK(due > morning + 100ms - 4ms);
    CHECK(due <= morning + 104ms);
    p.waiting.release_held(morning + 99ms, p.note(looked));
    CHECK(looked.empty());
    p.waiting.release_held(morning + 104ms, p.note(looked));
    CHECK(looked == "1;");
    // The horizon is looked at, and whoever looks holds on.
    time_point now = morning;
    int looks = 0;
    for (; looked == "1;" && now < morning + 20s; now += 50ms) {
        p.waiting.release_held(now, [&](std::uint32_t reader) {
            ++looks;
            CHECK_FALSE(p.waiting.is_waiting(reader));
            if (now < morning + 10s) return p.waiting.hold(reader, morning + 10s, now);
            looked += "2;";
        });
    }
    CHECK(looked == "1;2;");
    CHECK(now <= morning + 10s + 100ms);
    CHECK(looks < 100);
    CHECK(p.waiting.next_deadline(now) == never);
}

TEST_CASE("a held stream can leave") {
    places p;
    p.waiting.hold(1, morning + 100ms, morning);
    p.waiting.leave(1);
    std::string looked;
    p.waiting.release_held(morning + 1h, p.note(looked));
    CHECK(looked.empty());
    CHECK(p.waiting.next_deadline(morning) == never);
}

TEST_CASE("a reader is in one ring or none whatever is done with it, as a naive model has it") {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        places p;
        for (std::uint32_t topic = 1; topic <= 3; ++topic) p.waiting.add_topic(topic);
        enum { nowhere, ready, next_turn, next_turn_waker, held, idle }; // idle + 2 * topic + waker
        std::map<std::uint32_t, std::uint32_t> model;
        std::vector<std::uint32_t> order; // of the ready ones
        const auto leave = [&](std::uint32_t reader) {
            p.waiting.leave(reader);
            model[reader] = nowhere;
            std::erase(order, reader);
        };
        for (int step = 0; step < 3000; ++step) {
            const auto number = static_cast<std::uint32_t>(1 + random.below(9));
            const std::uint32_t reader = random.one_in(2) ? number : number | cursor_bit;
            const auto topic = static_cast<std::uint32_t>(1 + random.below(3));
            const bool waker = random.one_in(2);
            switch (random.below(8)) {
            case 0: leave(reader); break;
            case 1:
                leave(reader);
                p.waiting.wait_idle(reader, topic, waker);
                model[reader] = idle + 2 * topic + (waker ? 1 : 0);
                break;
            case 2:
                leave(reader);
                p.waiting.wait_ready(reader);
                model[reader] = ready;
                order.push_back(reader);
                break;
            case 3:
                leave(reader);
                p.waiting.wait_next_turn(reader, waker);
                model[reader] = waker ? next_turn_waker : next_turn;
                break;
            case 4:
                leave(reader);
                p.waiting.hold(reader, morning + 1h, morning);
                model[reader] = held;
                break;
            case 5: {
                std::size_t woken = 0;
                p.waiting.wake_idle(topic, [&](std::uint32_t r) {
                    REQUIRE(model[r] == idle + 2 * topic + 1);
                    leave(r);
                    ++woken;
                });
                for (auto& [r, where] : model) {
                    REQUIRE(where != idle + 2 * topic + 1);
                    if (where == idle + 2 * topic) where = ready;
                }
                break;
            }
            case 6:
                p.waiting.begin_turn([&](std::uint32_t r) {
                    REQUIRE(model[r] == next_turn_waker);
                    leave(r);
                });
                for (auto& [r, where] : model) {
                    REQUIRE(where != next_turn_waker);
                    if (where == next_turn) where = ready;
                }
                break;
            default: {
                std::size_t count = 0;
                for (const auto& [r, where] : model) count += where == ready ? 1 : 0;
                REQUIRE(p.waiting.has_ready() == (count != 0));
                while (const std::uint32_t first = p.waiting.first_ready()) {
                    REQUIRE(model[first] == ready);
                    leave(first);
                    --count;
                }
                REQUIRE(count == 0);
            }
            }
            for (const auto& [r, where] : model) {
                REQUIRE(p.waiting.is_waiting(r) == (where != nowhere));
            }
        }
    }
}
