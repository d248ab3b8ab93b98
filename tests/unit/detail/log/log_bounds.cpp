// SPDX-License-Identifier: MIT
#include <ssekit/detail/log/log_bounds.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;
using ssekit::log_use;
using ssekit::never;
using ssekit::time_point;
using ssekit::detail::log_bounds;

namespace {

constexpr auto young = [] { return time_point::duration(0s); };
constexpr auto old = [] { return time_point::duration(3s); };

} // namespace

TEST_CASE("bounds are brought within what can be computed with, and a burst is never the smaller") {
    const log_bounds odd({.events = 0,
                          .bytes = 100,
                          .age = (std::chrono::milliseconds::max)(),
                          .burst = {.within = -1ms, .events = 0, .bytes = 1}});
    CHECK(odd.kept().events == 1);
    CHECK(odd.kept().age == 0ms);
    CHECK(odd.kept().burst.within == 0ms);
    CHECK(odd.kept().burst.events == 1);
    CHECK(odd.kept().burst.bytes == 100);
    CHECK(log_bounds({.age = -1h}).kept().age == -1ms);
}

TEST_CASE("while somebody reads, what is young may go beyond what is kept, up to a hard bound") {
    const log_bounds bounds({.events = 4, .bytes = 40, .burst = {2s, 8, 80}});
    for (const bool by_bytes : {false, true}) {
        const auto goes = [&](log_use use, std::size_t count, auto age) {
            return bounds.has_to_go(use, by_bytes ? 2 : count, by_bytes ? 10 * count : 1, age);
        };
        CHECK_FALSE(goes(log_use::idle, 4, old));
        CHECK(goes(log_use::idle, 5, young));
        CHECK_FALSE(goes(log_use::read, 5, young));
        CHECK(goes(log_use::read, 5, old));
        CHECK_FALSE(goes(log_use::read, 8, young));
        CHECK(goes(log_use::read, 9, young));
    }
    CHECK_FALSE(bounds.has_to_go(log_use::idle, 1, 1000, old)); // one alone may be large
    CHECK(log_bounds::least(log_use::idle) == 0);
    CHECK(log_bounds::least(log_use::read) == 1);
}

TEST_CASE("what is as old as the age has to go, and with a negative one everything") {
    const log_bounds aged({.age = 3s});
    CHECK_FALSE(aged.has_to_go(log_use::idle, 1, 1, young));
    CHECK(aged.has_to_go(log_use::idle, 1, 1, old));
    CHECK(log_bounds({.age = -1ms}).has_to_go(log_use::read, 1, 1, young));
    constexpr time_point then{1h};
    CHECK(aged.next_expiry(1, 1, then) == then + 3s);
    CHECK(log_bounds({.age = -1ms}).next_expiry(1, 1, then) == then);
    CHECK(log_bounds({}).next_expiry(1, 1, then) == never);
    CHECK(log_bounds({.events = 1, .burst = {2s, 8, 80}}).next_expiry(2, 2, then) == then + 2s);
}
