// SPDX-License-Identifier: MIT
#include <ssekit/event_key.hpp>

#include <ssekit/frame.hpp>

#include <doctest/doctest.h>

#include <string>

using ssekit::event_key;
using ssekit::removal_of;

TEST_CASE("a key is made of whatever is a text, and sets a value") {
    static_assert(event_key().view().empty());
    static_assert(event_key("k").view() == "k");
    static_assert(!event_key("k").removes());
    const std::string text = "long enough to lie on the heap, as a key may";
    CHECK(event_key(text).view().data() == text.data());
}

TEST_CASE("the key of a removal says so, and a frame keeps that") {
    static_assert(removal_of("k").view() == "k");
    static_assert(removal_of("k").removes());
    for (const bool removes : {false, true}) {
        const auto made = ssekit::frame::make({.data = "x"}, ssekit::utf8_policy::pass_through,
                                              {"t", "k", removes});
        const auto again = made.frame.numbered("7", {"u", "l", removes});
        CHECK(made.frame.label().removes_key == removes);
        CHECK(again.frame.label().removes_key == removes);
        CHECK(again.frame.label().key == "l");
    }
}
