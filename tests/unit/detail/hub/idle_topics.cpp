// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/idle_topics.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

using namespace std::chrono_literals;
using ssekit::never;
using ssekit::time_point;
using ssekit::detail::idle_topics;
using ssekit::detail::topic;
using ssekit::detail::topic_kind;
using ssekit::detail::topic_slab;

namespace {

struct box {
    std::uint32_t make() {
        const std::uint32_t made =
            topics.make(topic_kind::name, ssekit::retention{}, std::uint64_t{0}, ssekit::heap());
        topics[made].unused = {made, made};
        return made;
    }

    topic_slab topics;
    idle_topics idle{topics};
};

} // namespace

TEST_CASE("the topic that was used longest ago is the first") {
    box b;
    const std::uint32_t x = b.make(), y = b.make(), z = b.make();
    CHECK(b.idle.first() == 0);
    CHECK(b.idle.first_used_at() == never);
    b.idle.use(x, time_point(1s));
    b.idle.use(y, time_point(2s));
    b.idle.use(z, time_point(3s));
    CHECK(b.idle.first() == x);
    CHECK(b.idle.first_used_at() == time_point(1s));
    b.idle.use(x, time_point(4s));
    CHECK(b.idle.first() == y);
    CHECK(b.idle.size() == 3);
    b.idle.leave(y);
    b.idle.leave(y);
    CHECK_FALSE(b.idle.contains(y));
    CHECK(b.idle.first() == z);
    b.idle.leave(z);
    b.idle.leave(x);
    CHECK(b.idle.size() == 0);
    CHECK(b.idle.first() == 0);
}

TEST_CASE("a claim counts once, keeps the place, and ends with the next use") {
    box b;
    const std::uint32_t x = b.make(), y = b.make(), z = b.make();
    b.idle.use(x, time_point(1s));
    b.idle.use(y, time_point(2s));
    for (int i = 0; i < 2; ++i) b.idle.claim(x);
    b.idle.claim(z); // it is not here
    CHECK(b.idle.unclaimed() == 1);
    for (int i = 0; i < 2; ++i) b.idle.release(x);
    CHECK(b.idle.unclaimed() == 2);
    CHECK(b.idle.first() == x);
    b.idle.claim(x);
    b.idle.use(x, time_point(3s));
    CHECK(b.idle.unclaimed() == 2);
    b.idle.claim(x);
    b.idle.leave(x);
    CHECK(b.idle.unclaimed() == 1);
    b.idle.use(x, time_point(4s));
    CHECK(b.idle.unclaimed() == 2);
}
