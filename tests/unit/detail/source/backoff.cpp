// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/backoff.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <set>

using namespace std::chrono_literals;
using ssekit::never;
using ssekit::time_point;
using ssekit::detail::delay_after;
using ssekit::detail::delay_bounds;
using ssekit::detail::delay_window;
using ssekit::detail::draw;
using ssekit::detail::has_come;
using ssekit::detail::later;
using ssekit::detail::random_sequence;
using std::chrono::milliseconds;

TEST_CASE("source backoff: later is a sum that stops at never") {
    CHECK(later(time_point(1h), 5ms) == time_point(1h + 5ms));
    CHECK(later(time_point(1h), 0ms) == time_point(1h));
    CHECK(later(time_point(1h), -1ms) == time_point(1h));
    CHECK(later(time_point(1h), milliseconds::min()) == time_point(1h));
    CHECK(later(time_point(1h), milliseconds::max()) == never);
    CHECK(later(time_point(-1h), 5ms) == time_point(-1h + 5ms));
    CHECK(later(time_point::min(), 0ms) == time_point::min());
    CHECK(later(time_point::min(), 1ms) == time_point::min() + 1ms);
    CHECK(later(time_point::min(), milliseconds::max()) == never);
    CHECK(later(never, 0ms) == never);
    CHECK(later(never, 1ms) == never);
    CHECK(later(never - 1ms, 1ms) == never);
    CHECK(later(never - 1ms, 2ms) == never);
    CHECK(later(never - 2ms, 1ms) == never - 1ms);
    CHECK(later(never - 1500us, 1ms) == never - 500us);
}

TEST_CASE("source backoff: a deadline comes when it is there, never does not") {
    CHECK(has_come(time_point(1h), time_point(1h)));
    CHECK(has_come(time_point(1h), time_point(2h)));
    CHECK_FALSE(has_come(time_point(1h), time_point(1h) - 1ns));
    CHECK_FALSE(has_come(never, never));
}

TEST_CASE("source backoff: what is added doubles with each failure, up to its bound") {
    const delay_bounds usual{.min = 100ms, .max = 1h, .max_spread = 1min};
    struct given {
        milliseconds asked;
        unsigned failures;
        delay_window window;
    };
    for (const given& one : std::initializer_list<given>{
             {1s, 0, {1s, 2s}},
             {1s, 1, {1s, 3s}},
             {1s, 5, {1s, 33s}},
             {1s, 6, {1s, 61s}},
             {1s, 4'294'967'295, {1s, 61s}},
             {0ms, 0, {100ms, 200ms}},
             {-1ms, 0, {100ms, 200ms}},
             {milliseconds::min(), 0, {100ms, 200ms}},
             {1min, 0, {1min, 2min}},
             {2min, 0, {2min, 3min}},
             {2min, 9, {2min, 3min}},
         }) {
        CAPTURE(one.asked.count());
        CAPTURE(one.failures);
        CHECK(delay_after(one.asked, one.failures, usual) == one.window);
    }
}

TEST_CASE("source backoff: the sum stays within its bound, and is spread there too") {
    const delay_bounds usual{.min = 100ms, .max = 1h, .max_spread = 1min};
    for (const milliseconds asked : std::initializer_list<milliseconds>{
             1h, 1h + 1ms, milliseconds::max() - 1ms, milliseconds::max()}) {
        CHECK(delay_after(asked, 0, usual) == delay_window{59min, 1h});
    }
    CHECK(delay_after(1h - 30s, 0, usual) == delay_window{59min, 1h});
    CHECK(delay_after(1h - 1min, 0, usual) == delay_window{59min, 1h});
    CHECK(delay_after(1h - 61s, 0, usual) == delay_window{1h - 61s, 1h - 1s});
    // A small bound: a sixteenth of it is left to chance.
    const delay_bounds small{.min = 100ms, .max = 1600ms, .max_spread = 1min};
    CHECK(delay_after(1600ms, 0, small) == delay_window{1500ms, 1600ms});
    CHECK(delay_after(1550ms, 9, small) == delay_window{1500ms, 1600ms});
    CHECK(delay_after(1s, 9, small) == delay_window{1s, 1600ms});
}

TEST_CASE("source backoff: any bounds give a window inside of them") {
    const std::initializer_list<milliseconds> all = {
        milliseconds::min(), -1ms, 0ms, 1ms, 15ms, 16ms, 1s, milliseconds::max() - 1ms,
        milliseconds::max()};
    for (const milliseconds asked : all) {
        for (const milliseconds min : all) {
            for (const milliseconds max : all) {
                for (const milliseconds spread : all) {
                    for (const unsigned failures : {0u, 1u, 63u, 64u, 4'294'967'295u}) {
                        const delay_window window =
                            delay_after(asked, failures, {min, max, spread});
                        const milliseconds most = (std::max)(max, 0ms);
                        REQUIRE(window.first >= (std::min)((std::max)(min, 0ms), most));
                        REQUIRE(window.first <= window.last);
                        REQUIRE(window.last <= most);
                        REQUIRE(window.last - window.first <= (std::max)(spread, 0ms));
                    }
                }
            }
        }
    }
    CHECK(delay_after(1s, 0, {.min = 5s, .max = 2s, .max_spread = 1s}) == delay_window{2s, 2s});
    CHECK(delay_after(1s, 0, {.min = 0ms, .max = 1h, .max_spread = 0ms}) == delay_window{1s, 1s});
    CHECK(delay_after(0ms, 3, {.min = 0ms, .max = 1h, .max_spread = 1s}) == delay_window{0ms, 8ms});
}

TEST_CASE("source backoff: chance draws both ends and what lies between them") {
    random_sequence random(1);
    std::set<milliseconds> seen;
    for (int i = 0; i < 200; ++i) seen.insert(draw({5ms, 9ms}, random));
    CHECK(seen == std::set<milliseconds>{5ms, 6ms, 7ms, 8ms, 9ms});
    CHECK(draw({5ms, 5ms}, random) == 5ms);
    const milliseconds far = draw({0ms, milliseconds::max()}, random);
    CHECK(far >= 0ms);
}
