// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/missed_events.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

using ssekit::frame;
using ssekit::detail::missed_events;
using ssekit::detail::topic;
using ssekit::detail::topic_kind;

namespace {

frame saying(std::string_view text) {
    return frame::make({.data = text}).frame;
}

} // namespace

TEST_CASE("a topic whose newest event is older than what is missed is to be told, once") {
    missed_events missed;
    topic a(topic_kind::name, {}, 0, ssekit::heap());
    CHECK_FALSE(missed.are_untold(a));
    missed.miss(5, saying("5"), saying("more"));
    CHECK(missed.through() == 5);
    REQUIRE(missed.are_untold(a));
    CHECK(missed.telling(a).wire() == "data: 5\n\n");
    REQUIRE(a.log.append_gap(missed.telling(a), 5, {}) == ssekit::errc::ok);
    CHECK_FALSE(missed.are_untold(a));
    topic newer(topic_kind::name, {}, 6, ssekit::heap());
    CHECK_FALSE(missed.are_untold(newer));
}

TEST_CASE("one that has not been told of what was missed before is told of more") {
    missed_events missed;
    topic told(topic_kind::name, {}, 5, ssekit::heap());
    topic quiet(topic_kind::pattern, {}, 2, ssekit::heap());
    missed.miss(5, saying("5"), saying("more than 5"));
    missed.miss(9, saying("9"), saying("more than 9"));
    CHECK(missed.telling(told).wire() == "data: 9\n\n");
    CHECK(missed.telling(quiet).wire() == "data: more than 9\n\n");
}

TEST_CASE("a tag is told, and a topic that is closed is not") {
    missed_events missed;
    missed.miss(5, saying("5"), saying("more"));
    const topic tag(topic_kind::tag, {}, 0, ssekit::heap());
    topic closed(topic_kind::name, {}, 0, ssekit::heap());
    closed.closed = true;
    CHECK(missed.are_untold(tag));
    CHECK_FALSE(missed.are_untold(closed));
}
