// SPDX-License-Identifier: MIT
#include <ssekit/heartbeat.hpp>

#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using ssekit::heartbeat;
using ssekit::heartbeat_options;
using ssekit::never;
using ssekit::time_point;
using support::morning;

namespace {

/// Expires everything up to `end`, each time just when `next_deadline` says.
/// `on_silence(entry, now)`.
template <class OnSilence>
void run(heartbeat& wheel, time_point end, OnSilence&& on_silence) {
    while (wheel.next_deadline() <= end) {
        const time_point now = wheel.next_deadline();
        wheel.expire(now, [&](heartbeat::entry& item) { on_silence(item, now); });
        REQUIRE(wheel.next_deadline() > now); // or the loop would spin
    }
}

std::size_t due(heartbeat& wheel, time_point now) {
    return wheel.expire(now, [](heartbeat::entry&) {});
}

/// When a lone entry that was armed at `morning` is due for the first time.
std::chrono::nanoseconds first_silence(heartbeat& wheel, heartbeat::entry& item) {
    std::optional<std::chrono::nanoseconds> silence;
    wheel.arm(item, morning);
    run(wheel, wheel.next_deadline() + 1h, [&](heartbeat::entry& heard, time_point now) {
        CHECK(&heard == &item);
        if (!silence) silence = now - morning;
        heartbeat::cancel(item);
    });
    REQUIRE(silence);
    return *silence;
}

} // namespace

TEST_CASE("nothing is due when nothing is armed") {
    heartbeat wheel;
    CHECK(wheel.next_deadline() == never);
    CHECK(due(wheel, morning) == 0);
    CHECK(due(wheel, never) == 0);
    CHECK(wheel.next_deadline() == never);

    heartbeat::entry item;
    CHECK_FALSE(item.armed());
    heartbeat::touch(item, morning);
    heartbeat::cancel(item);
    CHECK_FALSE(item.armed());
    CHECK(wheel.next_deadline() == never);
}

TEST_CASE("silence is never longer than the interval nor much shorter") {
    for (const std::chrono::milliseconds interval :
         {1ms, 2ms, 3ms, 31ms, 32ms, 33ms, 100ms, 999ms, 15'000ms, 60'000ms, 86'400'000ms}) {
        for (const unsigned jitter : {0u, 10u, 100u}) {
            CAPTURE(interval.count());
            CAPTURE(jitter);
            heartbeat wheel({.interval = interval, .jitter = jitter});
            heartbeat::entry item;
            time_point last = morning;
            std::size_t count = 0;
            wheel.arm(item, morning);
            const std::chrono::nanoseconds all = interval;
            run(wheel, morning + 20 * interval, [&](heartbeat::entry&, time_point now) {
                ++count;
                CHECK(now - last <= all);
                // No earlier than the jitter and the width of two slots say.
                CHECK(now - last >= all - all * jitter / 100 - all / 16);
                last = now;
            });
            CHECK(count >= 20);
            if (jitter == 0) CHECK(count <= 22);
        }
    }
}

TEST_CASE("activity postpones and costs no more than a store") {
    static_assert(noexcept(heartbeat::touch(std::declval<heartbeat::entry&>(), morning)));
    heartbeat wheel({.interval = 1s, .jitter = 0});
    heartbeat::entry item;
    wheel.arm(item, morning);
    time_point active = morning;
    std::optional<time_point> heard;
    for (int i = 1; i <= 100; ++i) {
        run(wheel, morning + i * 100ms, [&](heartbeat::entry&, time_point now) { heard = now; });
        active = morning + i * 100ms;
        const time_point before = wheel.next_deadline();
        heartbeat::touch(item, active);
        CHECK(wheel.next_deadline() == before); // the wheel has not been touched
    }
    CHECK_FALSE(heard);
    run(wheel, active + 1s, [&](heartbeat::entry&, time_point now) { heard = now; });
    REQUIRE(heard);
    CHECK(*heard > active + 900ms);
}

TEST_CASE("each entry is looked at about once an interval however busy it is") {
    heartbeat wheel({.interval = 1s, .jitter = 0});
    heartbeat::entry item;
    wheel.arm(item, morning);
    std::size_t looks = 0;
    time_point now = morning;
    for (; now < morning + 60s; now += 1ms) {
        heartbeat::touch(item, now);
        if (wheel.next_deadline() > now) continue;
        CHECK(due(wheel, now) == 0);
        ++looks;
    }
    CHECK(looks >= 57);
    CHECK(looks <= 66);
}

TEST_CASE("jitter spreads entries that were armed in the same moment") {
    heartbeat wheel({.interval = 10s, .jitter = 50});
    std::vector<heartbeat::entry> items(1000);
    for (heartbeat::entry& item : items) wheel.arm(item, morning);
    std::map<time_point, std::size_t> turns;
    run(wheel, morning + 10s, [&](heartbeat::entry& item, time_point now) {
        ++turns[now];
        heartbeat::cancel(item);
    });
    CHECK(turns.size() >= 14); // of the 16 slots in half an interval
    std::size_t all = 0;
    for (const auto& [when, count] : turns) {
        CHECK(count < 150);
        all += count;
    }
    CHECK(all == items.size());
    CHECK(turns.begin()->first >= morning + 10s - 5s - 700ms);
}

TEST_CASE("the same seed gives the same deadlines and another seed others") {
    const auto silences = [](std::uint64_t seed) {
        heartbeat wheel({.interval = 100s, .jitter = 50, .seed = seed});
        std::vector<std::chrono::nanoseconds> out;
        heartbeat::entry item;
        for (int i = 0; i < 20; ++i) out.push_back(first_silence(wheel, item));
        return out;
    };
    CHECK(silences(7) == silences(7));
    CHECK(silences(7) != silences(8));
}

TEST_CASE("a silent entry is watched anew from the moment that it was heard") {
    heartbeat wheel({.interval = 1s, .jitter = 0});
    heartbeat::entry item;
    wheel.arm(item, morning);
    CHECK(due(wheel, morning + 5s) == 1);
    CHECK(item.armed());
    CHECK(due(wheel, morning + 5s) == 0);
    CHECK(due(wheel, morning + 5s + 900ms) == 0);
    CHECK(due(wheel, morning + 6s) == 1);
}

TEST_CASE("arming again begins anew") {
    heartbeat wheel({.interval = 1s, .jitter = 0});
    heartbeat::entry item;
    wheel.arm(item, morning);
    wheel.arm(item, morning + 500ms);
    CHECK(item.armed());
    CHECK(due(wheel, morning + 1s) == 0);
    CHECK(due(wheel, morning + 1500ms) == 1);
}

TEST_CASE("a cancelled entry is never due and may be armed again") {
    heartbeat wheel({.interval = 1s, .jitter = 0});
    heartbeat::entry item;
    wheel.arm(item, morning);
    heartbeat::cancel(item);
    heartbeat::cancel(item);
    CHECK_FALSE(item.armed());
    CHECK(wheel.next_deadline() == never);
    heartbeat::touch(item, morning + 500ms);
    CHECK(due(wheel, morning + 10s) == 0);
    wheel.arm(item, morning + 10s);
    CHECK(wheel.next_deadline() <= morning + 11s);
    CHECK(due(wheel, morning + 11s) == 1);
}

TEST_CASE("an entry leaves the wheel when it dies") {
    heartbeat wheel({.interval = 1s, .jitter = 0});
    heartbeat::entry stays;
    wheel.arm(stays, morning);
    {
        heartbeat::entry dies;
        wheel.arm(dies, morning);
    }
    CHECK(due(wheel, morning + 1s) == 1);
    static_assert(!std::is_copy_constructible_v<heartbeat::entry>);
    static_assert(!std::is_move_constructible_v<heartbeat::entry>);
}

TEST_CASE("a callback may arm or touch or cancel or destroy any entry") {
    struct action {
        const char* name;
        void (*act)(heartbeat&, std::vector<std::unique_ptr<heartbeat::entry>>&, std::size_t);
        bool silences; // the other is not due any more
    };
    const action actions[] = {
        {"cancel", [](auto&, auto& all, std::size_t i) { heartbeat::cancel(*all[i]); }, true},
        {"destroy", [](auto&, auto& all, std::size_t i) { all[i].reset(); }, true},
        {"touch", [](auto&, auto& all, std::size_t i) { heartbeat::touch(*all[i], morning + 5s); },
         true},
        {"arm", [](auto& wheel, auto& all, std::size_t i) { wheel.arm(*all[i], morning + 5s); },
         true},
    };
    for (const action& what : actions) {
        for (std::size_t victim = 0; victim < 4; ++victim) {
            CAPTURE(what.name);
            CAPTURE(victim);
            heartbeat wheel({.interval = 1s, .jitter = 0});
            std::vector<std::unique_ptr<heartbeat::entry>> all;
            for (int i = 0; i < 4; ++i) {
                all.push_back(std::make_unique<heartbeat::entry>());
                wheel.arm(*all.back(), morning + i * 10ms);
            }
            std::vector<heartbeat::entry*> heard;
            heartbeat::entry* const other = all[victim].get();
            const std::size_t count = wheel.expire(morning + 5s, [&](heartbeat::entry& item) {
                heard.push_back(&item);
                if (heard.size() == 1) what.act(wheel, all, victim);
            });
            CHECK(count == heard.size());
            // Only the entry that was heard first may be both heard and dealt with.
            CHECK(count == (heard[0] == other ? 4 : 3));
            CHECK(std::ranges::count(heard, other) == (heard[0] == other ? 1 : 0));
            std::size_t later = due(wheel, morning + 6s);
            const bool gone = all[victim] == nullptr || !all[victim]->armed();
            CHECK(later == (gone ? 3 : 4));
        }
    }
}

TEST_CASE("many entries with random activity are heard as a naive model says") {
    for (const unsigned jitter : {0u, 10u, 100u}) {
        CAPTURE(jitter);
        constexpr std::chrono::nanoseconds interval = 15s;
        constexpr auto slots = interval / 16; // two of them
        heartbeat wheel({.interval = 15s, .jitter = jitter});
        struct connection : heartbeat::entry {
            time_point quiet_since;
        };
        std::vector<connection> all(200);
        std::multimap<time_point, connection*> must; // the latest moment for each armed one
        const auto forget = [&](connection& item) {
            std::erase_if(must, [&](const auto& pair) { return pair.second == &item; });
        };
        const auto active = [&](connection& item, time_point now) {
            forget(item);
            item.quiet_since = now;
            must.emplace(now + interval, &item);
        };
        std::mt19937 random(42 + jitter);
        std::size_t heard = 0;
        time_point now = morning;
        while (now < morning + 3h) {
            now += std::chrono::milliseconds(random() % 1000);
            while (wheel.next_deadline() <= now) {
                const time_point at = wheel.next_deadline();
                wheel.expire(at, [&](heartbeat::entry& entry) {
                    auto& item = static_cast<connection&>(entry);
                    const std::chrono::nanoseconds silence = at - item.quiet_since;
                    REQUIRE(silence <= interval);
                    REQUIRE(silence >= interval - interval * jitter / 100 - slots);
                    active(item, at);
                    ++heard;
                });
                REQUIRE(wheel.next_deadline() > at);
                REQUIRE((must.empty() || must.begin()->first > at));
            }
            REQUIRE(wheel.next_deadline() <= (must.empty() ? never : must.begin()->first));
            REQUIRE((wheel.next_deadline() == never) == must.empty());
            connection& item = all[random() % (now < morning + 2h ? all.size() : 20)];
            switch (random() % 8) {
            case 0:
                heartbeat::cancel(item);
                forget(item);
                break;
            case 1:
                wheel.arm(item, now);
                active(item, now);
                break;
            default:
                heartbeat::touch(item, now);
                if (item.armed()) active(item, now);
            }
        }
        CHECK(heard > 1000);
    }
}

TEST_CASE("a clock that jumps makes each entry due once and no more") {
    for (const std::chrono::nanoseconds jump :
         {std::chrono::nanoseconds(16s), 31s + 0ns, 32s + 0ns, 1h + 0ns, 24h * 365 * 50 + 0ns}) {
        CAPTURE(jump.count());
        heartbeat wheel({.interval = 15s});
        std::vector<heartbeat::entry> items(100);
        for (heartbeat::entry& item : items) wheel.arm(item, morning);
        CHECK(due(wheel, morning + jump) == 100);
        CHECK(due(wheel, morning + jump) == 0);
        CHECK(wheel.next_deadline() > morning + jump);
        CHECK(wheel.next_deadline() <= morning + jump + 15s);
        CHECK(due(wheel, morning + jump + 15s) == 100);
    }
}

TEST_CASE("a clock that stands still or goes back makes nothing due") {
    heartbeat wheel({.interval = 15s});
    heartbeat::entry item;
    wheel.arm(item, morning);
    for (int i = 0; i < 3; ++i) CHECK(due(wheel, morning) == 0);
    CHECK(due(wheel, morning - 1h) == 0);
    CHECK(due(wheel, time_point{}) == 0);
    CHECK(due(wheel, time_point(-1h)) == 0);
    CHECK(due(wheel, morning + 15s) == 1);
    wheel.arm(item, morning - 1h);
    CHECK(due(wheel, morning + 15s + 1ms) == 0);
    CHECK(due(wheel, morning + 31s) == 1);
}

TEST_CASE("activity that lies ahead of the clock counts from its own time") {
    heartbeat wheel({.interval = 15s, .jitter = 0});
    heartbeat::entry item;
    wheel.arm(item, morning);
    const time_point ahead = morning + 10min;
    heartbeat::touch(item, ahead);
    std::vector<time_point> heard;
    run(wheel, ahead + 15s, [&](heartbeat::entry&, time_point now) { heard.push_back(now); });
    REQUIRE(heard.size() == 1);
    CHECK(heard[0] > ahead + 14s);
}

TEST_CASE("an entry that is armed long after the last expire is due in time") {
    heartbeat wheel({.interval = 15s, .jitter = 0});
    heartbeat::entry first;
    wheel.arm(first, morning);
    heartbeat::entry second;
    const time_point late = morning + 10h;
    wheel.arm(second, late); // nobody has called expire in between
    CHECK(wheel.next_deadline() <= morning + 15s);
    CHECK(due(wheel, late) == 1);
    CHECK(due(wheel, late + 15s) == 2);
}

TEST_CASE("an interval that is out of range is as near as can be") {
    for (const std::chrono::milliseconds interval : {0ms, -5ms, std::chrono::milliseconds::min()}) {
        heartbeat wheel({.interval = interval, .jitter = 1000});
        heartbeat::entry item;
        const auto silence = first_silence(wheel, item);
        CHECK(silence > 0ns);
        CHECK(silence <= 1ms);
    }
    for (const std::chrono::milliseconds interval :
         {std::chrono::milliseconds(24h * 365 * 10), std::chrono::milliseconds::max()}) {
        for (const unsigned jitter : {0u, 100u}) {
            heartbeat wheel({.interval = interval, .jitter = jitter});
            heartbeat::entry item;
            wheel.arm(item, morning);
            CHECK(wheel.next_deadline() > morning);
            CHECK(due(wheel, morning) == 0);
            if (jitter == 0) CHECK(due(wheel, morning + 24h * 300) == 0);
        }
    }
}
