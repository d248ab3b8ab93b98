// SPDX-License-Identifier: MIT
#include <ssekit/frame_label.hpp>

#include <ssekit/frame.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using ssekit::frame;
using ssekit::frame_label;

TEST_CASE("a label that is not given is about nothing, and removes nothing") {
    static_assert(frame_label().topic.empty() && frame_label().key.empty());
    static_assert(!frame_label().removes_key);
    const frame plain = frame::make({.data = "x"}).frame;
    CHECK(plain.label().topic.empty());
    CHECK(plain.label().key.empty());
    CHECK_FALSE(plain.label().removes_key);
}

TEST_CASE("a frame has its own copy of its label, which is never sent") {
    std::string topic = "a topic that is long enough to lie on the heap";
    std::string key = "and a key of the same kind";
    const frame made =
        frame::make({.data = "x"}, ssekit::utf8_policy::pass_through, {topic, key, true}).frame;
    const std::string told = topic, kept = key;
    topic.assign(topic.size(), '?');
    key.assign(key.size(), '?');
    CHECK(made.label().topic == told);
    CHECK(made.label().key == kept);
    CHECK(made.label().removes_key);
    CHECK(made.wire() == "data: x\n\n");
    CHECK(made.chunked().find("topic") == std::string_view::npos);
}
