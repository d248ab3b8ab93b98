// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/topic.hpp>

#include <doctest/doctest.h>

using ssekit::log_use;
using ssekit::detail::topic;
using ssekit::detail::topic_kind;

TEST_CASE("a topic is in use as long as it has readers") {
    topic item(topic_kind::name, {.events = 2}, 7, ssekit::heap());
    CHECK(item.use() == log_use::idle);
    item.readers = 1;
    CHECK(item.use() == log_use::read);
    item.readers = 0;
    CHECK(item.use() == log_use::idle);
}

TEST_CASE("a new topic is open, has its bounds and knows what is lost of it") {
    topic item(topic_kind::tag, {.events = 2}, 7, ssekit::heap());
    CHECK(item.kind == topic_kind::tag);
    CHECK(item.log.bounds().events == 2);
    CHECK(item.log.lost_through() == 7);
    CHECK_FALSE(item.closed);
    CHECK_FALSE(item.kept);
    CHECK(item.has_name);
    CHECK(item.forget_at == ssekit::never);
    REQUIRE(item.text.assign("user/7", *ssekit::heap()));
    CHECK(item.name() == "user/7");
}
