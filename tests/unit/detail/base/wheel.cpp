// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/wheel.hpp>

#include "support/dice.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <vector>

using namespace std::chrono_literals;
using ssekit::never;
using ssekit::time_point;
using ssekit::detail::wheel_slots;
using support::morning;

namespace {

constexpr auto slot = 10ms;
constexpr auto horizon = slot * static_cast<int>(wheel_slots - 1);

/// Rings of plain numbers, which tests can look into.
struct rings {
    using ring = std::list<int>;
    explicit rings(std::array<ring, wheel_slots + 1>& where) : all(&where) {}

    void push_back(std::size_t at, int item) { (*all)[at].push_back(item); }
    [[nodiscard]] bool empty(std::size_t at) const { return (*all)[at].empty(); }
    void move_back(std::size_t to, std::size_t from) {
        (*all)[to].splice((*all)[to].end(), (*all)[from]);
    }
    int pop_front(std::size_t at) {
        const int first = (*all)[at].front();
        (*all)[at].pop_front();
        return first;
    }

    std::array<ring, wheel_slots + 1>* all;
};

struct timers {
    std::array<rings::ring, wheel_slots + 1> contents;
    ssekit::detail::wheel<rings> wheel{slot, contents};
    std::map<int, time_point> due = {}; // what lies in the wheel

    void place(int item, time_point when, time_point now) {
        due[item] = when;
        wheel.place(item, when, now);
    }
    void take_out(int item) {
        for (rings::ring& ring : contents) ring.remove(item);
        due.erase(item);
    }
    /// Who is looked at and due. Who is not is placed again.
    std::vector<int> expire(time_point now) {
        std::vector<int> out;
        wheel.expire(now, [&](int item) {
            ++looks;
            const time_point when = due.at(item);
            if (when > now) return wheel.place(item, when, now);
            out.push_back(item);
            due.erase(item);
        });
        return out;
    }

    std::size_t looks = 0;
};

} // namespace

TEST_CASE("a wheel without items has no deadline and looks at nothing") {
    timers t;
    CHECK(t.wheel.next_deadline() == never);
    CHECK(t.expire(morning).empty());
    CHECK(t.wheel.next_deadline() == never);
    CHECK(t.wheel.slot_length() == slot);
}

TEST_CASE("an item within the horizon is looked at never early and at most a slot late") {
    for (auto now = morning; now < morning + 25ms; now += 3ms) {
        for (auto wait = 0ms; wait < horizon; wait += 7ms) {
            timers t;
            t.expire(now);
            t.place(1, now + wait, now);
            const time_point next = t.wheel.next_deadline();
            REQUIRE(next > now + wait);
            REQUIRE(next <= now + wait + slot);
            REQUIRE(t.expire(next - 1ns).empty());
            REQUIRE(t.looks == 0);
            REQUIRE(t.wheel.next_deadline() == next); // safe to repeat
            REQUIRE(t.expire(next) == std::vector{1});
            REQUIRE(t.wheel.next_deadline() == never);
        }
    }
}

TEST_CASE("what is past is looked at with the current slot") {
    timers t;
    t.expire(morning);
    t.place(1, morning - 1h, morning);
    t.place(2, time_point{}, morning);
    t.place(3, time_point{} - 5s, morning);
    CHECK(t.wheel.next_deadline() > morning);
    CHECK(t.wheel.next_deadline() <= morning + slot);
    CHECK(t.expire(morning).empty()); // or who places the past in `look` would never end
    CHECK(t.expire(morning + slot) == std::vector{1, 2, 3});
}

TEST_CASE("what lies beyond the horizon is looked at on the way and placed again") {
    for (const auto wait : {horizon, horizon + 1ms, horizon * 2, horizon * 10 + 3ms}) {
        timers t;
        t.expire(morning);
        t.place(1, morning + wait, morning);
        std::size_t turns = 0;
        std::vector<int> out;
        time_point now = morning;
        while (out.empty()) {
            REQUIRE(++turns < 20);
            REQUIRE(t.wheel.next_deadline() > now);
            now = t.wheel.next_deadline();
            out = t.expire(now);
        }
        CHECK(now > morning + wait);
        CHECK(now <= morning + wait + slot);
        CHECK(turns <= 1 + static_cast<std::size_t>(wait / horizon));
    }
}

TEST_CASE("a year of silence is one turn for an entry that is due and one look for another") {
    timers t;
    t.expire(morning);
    for (int i = 0; i < 100; ++i) t.place(i, morning + i * 1ms, morning);
    t.place(100, morning + 24h * 366 * 2, morning);
    const time_point late = morning + 24h * 366;
    std::vector<int> out = t.expire(late);
    CHECK(out.size() == 100);
    CHECK(t.looks == 101);
    CHECK(std::is_sorted(out.begin(), out.end())); // slot by slot
    CHECK(t.wheel.next_deadline() > late + horizon - slot);
    CHECK(t.expire(late).empty());
}

TEST_CASE("an item that wants to be looked at later goes to its new slot once") {
    timers t;
    t.expire(morning);
    t.place(1, morning + 50ms, morning);
    t.due[1] = morning + 200ms; // as activity does it: nothing but a store
    CHECK(t.expire(morning + 60ms).empty());
    CHECK(t.looks == 1);
    CHECK(t.wheel.next_deadline() > morning + 200ms);
    CHECK(t.wheel.next_deadline() <= morning + 210ms);
    CHECK(t.expire(morning + 210ms) == std::vector{1});
    CHECK(t.looks == 2);
}

TEST_CASE("items that are taken out are not looked at and leave no deadline") {
    timers t;
    t.expire(morning);
    for (int i = 0; i < 3; ++i) t.place(i, morning + 50ms, morning);
    t.place(3, morning + 100ms, morning);
    for (int i = 0; i < 3; ++i) t.take_out(i);
    CHECK(t.wheel.next_deadline() > morning + 100ms);
    t.take_out(3);
    CHECK(t.wheel.next_deadline() == never);
    CHECK(t.expire(morning + 1s).empty());
    CHECK(t.looks == 0);
    t.place(4, morning + 1s + 50ms, morning + 1s);
    CHECK(t.expire(morning + 1s + 60ms) == std::vector{4});
}

TEST_CASE("look may take out and place whatever it likes") {
    timers t;
    t.expire(morning);
    for (int i = 0; i < 6; ++i) t.place(i, morning + 5ms, morning);
    t.place(6, morning + 100ms, morning);
    const time_point now = morning + 20ms;
    std::vector<int> looked;
    t.wheel.expire(now, [&](int item) {
        looked.push_back(item);
        if (item == 0) t.take_out(1);                // about to be looked at
        if (item == 2) t.take_out(6);                // in another slot
        if (item == 3) t.place(7, now - 1s, now);    // new and past
        if (item == 4) t.place(4, now, now);         // itself, at once
        if (item == 5) t.place(5, now + 300ms, now); // itself, later
    });
    CHECK(looked == std::vector{0, 2, 3, 4, 5});
    CHECK(t.wheel.next_deadline() > now);
    CHECK(t.wheel.next_deadline() <= now + slot);
    looked.clear();
    t.wheel.expire(t.wheel.next_deadline(), [&](int item) { looked.push_back(item); });
    CHECK(looked == std::vector{7, 4});
    CHECK(t.wheel.next_deadline() > now + 300ms);
}

TEST_CASE("time that runs backwards looks at nothing") {
    timers t;
    t.expire(morning);
    t.place(1, morning + 50ms, morning);
    const time_point next = t.wheel.next_deadline();
    CHECK(t.expire(morning - 1h).empty());
    CHECK(t.expire(time_point{}).empty());
    CHECK(t.expire(time_point{} - 1h).empty());
    CHECK(t.wheel.next_deadline() == next);
    CHECK(t.expire(next) == std::vector{1});
}

TEST_CASE("a wheel keeps every promise through any life") {
    for (std::uint32_t seed = 0; seed < 30; ++seed) {
        CAPTURE(seed);
        support::dice dice(seed);
        timers t;
        time_point now = morning;
        t.expire(now);
        int made = 0;
        for (int step = 0; step < 1000; ++step) {
            const auto some = std::chrono::milliseconds(dice.below(dice.one_in(20) ? 3000 : 400));
            switch (dice.below(4)) {
            case 0:
            case 1: t.place(made++, now + some, now); break;
            case 2:
                if (!t.due.empty()) t.take_out(t.due.begin()->first);
                break;
            default: {
                // To the deadline, past it, or not so far.
                const time_point next = t.wheel.next_deadline();
                if (next != never && dice.one_in(2)) {
                    now = next;
                } else {
                    now += some / 4;
                }
                const auto before = t.due;
                for (const int item : t.expire(now)) REQUIRE(before.at(item) <= now);
                for (const auto& [item, when] : t.due) REQUIRE(when + slot > now);
            }
            }
            REQUIRE((t.wheel.next_deadline() == never) == t.due.empty());
        }
    }
}

TEST_CASE("a slot is never shorter than two ticks of the clock") {
    std::array<rings::ring, wheel_slots + 1> contents;
    ssekit::detail::wheel<rings> wheel(0ns, contents);
    CHECK(wheel.slot_length() == 2ns);
    wheel.place(1, morning, morning);
    CHECK(wheel.next_deadline() == morning + 2ns);
}

TEST_CASE("turns are counted from the earliest time to the latest") {
    for (const time_point now : {(time_point::min)(), time_point(-3ns), time_point(-2ns),
                                 time_point(), never - 2ns * static_cast<int>(wheel_slots)}) {
        std::array<rings::ring, wheel_slots + 1> contents;
        ssekit::detail::wheel<rings> wheel(0ns, contents);
        wheel.place(1, now + 7ns, now);
        wheel.place(2, never, now);
        const time_point first = wheel.next_deadline();
        CHECK(first > now + 7ns);
        CHECK(first <= now + 9ns);
        std::vector<int> seen;
        const auto look = [&seen](int item) { seen.push_back(item); };
        wheel.expire(first - 1ns, look);
        CHECK(seen.empty());
        wheel.expire(first, look);
        CHECK(seen == std::vector{1});
        CHECK(wheel.next_deadline() > first);
        wheel.expire(never, look);
        CHECK(seen == std::vector{1, 2});
    }
}
