// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/topic_expiry.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <vector>

using namespace std::chrono_literals;
using ssekit::frame;
using ssekit::never;
using ssekit::time_point;
using ssekit::detail::topic_expiry;
using ssekit::detail::topic_kind;
using ssekit::detail::topic_slab;

namespace {

struct dated_topics {
    explicit dated_topics(ssekit::retention keep) : bounds(keep) {}

    std::uint32_t make() {
        const std::uint32_t made =
            topics.make(topic_kind::name, bounds, std::uint64_t{0}, ssekit::heap());
        topics[made].timer = {made, made};
        return made;
    }
    std::vector<std::uint32_t> due(time_point now) {
        std::vector<std::uint32_t> out;
        expiry.expire(now, [&](std::uint32_t where) { out.push_back(where); });
        return out;
    }

    ssekit::retention bounds;
    topic_slab topics{ssekit::heap()};
    topic_expiry expiry{topics};
};

constexpr time_point began{1h};

} // namespace

TEST_CASE("a topic is due when its oldest event is too old, not before a slot of that") {
    dated_topics b({.age = 10s});
    const std::uint32_t where = b.make();
    b.expiry.schedule(where, began);
    CHECK(b.expiry.next_deadline() == never); // it has nothing
    REQUIRE(b.topics[where].log.append(frame::make({.data = "x"}).frame, 1, began) ==
            ssekit::errc::ok);
    b.expiry.schedule(where, began);
    CHECK(b.topics[where].looked_at == began + 10s);
    CHECK(b.due(began + 9s).empty());
    CHECK(b.expiry.next_deadline() <= began + 10s);
    CHECK(b.due(began + 10s) == std::vector<std::uint32_t>{where});
    CHECK(b.expiry.next_deadline() == never); // until it is scheduled again
}

TEST_CASE("a closed topic is due when its time is over, as long as it has its name") {
    dated_topics b({});
    const std::uint32_t named = b.make(), nameless = b.make(), forgotten = b.make();
    for (const std::uint32_t where : {named, nameless, forgotten}) {
        b.topics[where].forget_at = began + 5s;
        b.topics[where].has_name = where != nameless;
        b.expiry.schedule(where, began);
    }
    b.expiry.forget(forgotten);
    CHECK(b.due(began + 5s) == std::vector<std::uint32_t>{named});
}
