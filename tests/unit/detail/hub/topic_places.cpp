// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/topic_names.hpp>
#include <ssekit/detail/hub/topic_places.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::never;
using ssekit::time_point;
using ssekit::detail::topic;
using ssekit::detail::topic_kind;
using ssekit::detail::topic_limits;
using ssekit::detail::topic_names;
using ssekit::detail::topic_places;
using ssekit::detail::topic_slab;

namespace {

struct placed_topics {
    explicit placed_topics(time_point::duration keep_idle = {})
        : places(topics, names,
                 topic_limits{.keep = {},
                              .keep_tagged = {},
                              .keep_transient = {.events = 3},
                              .topics = 3,
                              .tags = 1,
                              .name_length = 8,
                              .forgotten = 0,
                              .keep_idle = keep_idle,
                              .on_topic = {}}) {}

    std::uint32_t make(topic_kind kind, std::string_view name) {
        const std::uint32_t made =
            topics.make(kind, ssekit::retention{}, std::uint64_t{0}, ssekit::heap());
        topics[made].kin = topics[made].unused = {made, made};
        REQUIRE(topics[made].text.assign(name, *ssekit::heap()));
        REQUIRE(names.reserve(kind));
        names.insert(made);
        return made;
    }
    void forget(std::uint32_t where) {
        places.idle(topics[where].kind).leave(where);
        names.erase(where);
        topics.destroy(where);
    }

    topic_slab topics;
    topic_names names{topics, ssekit::heap()};
    topic_places places;
};

} // namespace

TEST_CASE("each kind has names of its own, in the order of making") {
    placed_topics b;
    const std::uint32_t x = b.make(topic_kind::name, "x");
    const std::uint32_t tag = b.make(topic_kind::tag, "x");
    const std::uint32_t y = b.make(topic_kind::name, "y");
    CHECK(b.names.find(topic_kind::name, "x") == x);
    CHECK(b.names.find(topic_kind::tag, "x") == tag);
    CHECK(b.names.find(topic_kind::pattern, "x") == 0);
    CHECK(b.names.size(topic_kind::name) == 2);
    std::string seen;
    b.names.for_each(topic_kind::name, [&](std::uint32_t at) {
        seen += b.topics[at].name();
        if (at == x) b.forget(x); // it may
    });
    CHECK(seen == "xy");
    CHECK(b.names.find(topic_kind::name, "x") == 0);
    CHECK(b.names.find(topic_kind::name, "y") == y);
    b.forget(tag);
    CHECK(b.names.size(topic_kind::tag) == 0);
}

TEST_CASE("names and patterns share their places, and as many more may be made as may go") {
    placed_topics b;
    const std::uint32_t x = b.make(topic_kind::name, "x");
    b.make(topic_kind::pattern, "*");
    CHECK(b.places.has_room(topic_kind::name));
    b.make(topic_kind::name, "y");
    CHECK_FALSE(b.places.has_room(topic_kind::name));
    CHECK_FALSE(b.places.has_room(topic_kind::pattern));
    CHECK(b.places.has_room(topic_kind::tag));
    b.places.idle(topic_kind::name).use(x, time_point(1s));
    CHECK(b.places.has_room(topic_kind::pattern));
    CHECK(b.places.too_many(topic_kind::name) == 0);
    b.make(topic_kind::name, "z");
    CHECK_FALSE(b.places.has_room(topic_kind::name));
    CHECK_FALSE(b.places.claim(topic_kind::name, x)); // it has to go for z
    CHECK(b.places.too_many(topic_kind::name) == x);
    b.forget(x);
    CHECK(b.places.too_many(topic_kind::name) == 0);
    CHECK(b.places.made_way() == 1);
}

TEST_CASE("what has been idle for its time has to go, and nothing where there is no bound") {
    for (const bool bound : {true, false}) {
        placed_topics b(bound ? time_point::duration(10s) : time_point::duration(0));
        const std::uint32_t x = b.make(topic_kind::name, "x");
        const std::uint32_t t = b.make(topic_kind::tag, "t");
        CHECK(b.places.next_deadline() == never);
        b.places.idle(topic_kind::tag).use(t, time_point(1s));
        b.places.idle(topic_kind::name).use(x, time_point(2s));
        CHECK(b.places.next_deadline() == (bound ? time_point(11s) : never));
        CHECK(b.places.too_old(time_point(11s) - 1ns) == 0);
        CHECK(b.places.too_old(time_point(11s)) == (bound ? t : 0));
        if (!bound) continue;
        b.forget(t);
        CHECK(b.places.too_old(time_point(11s)) == 0);
        CHECK(b.places.too_old(time_point(1h)) == x);
        CHECK(b.places.timed_out() == 2);
    }
}
