// SPDX-License-Identifier: MIT
#include <ssekit/presence_options.hpp>

#include <ssekit/hub_options.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <type_traits>

using ssekit::presence_options;

TEST_CASE("presence is told only where it is asked for, and then with a grace") {
    static_assert(!ssekit::hub_options().presence);
    constexpr presence_options usual;
    static_assert(!usual.on_change);
    static_assert(usual.topic.empty()); // no events
    static_assert(usual.type.view() == "presence");
    static_assert(usual.grace == std::chrono::seconds(10));
}

TEST_CASE("the topic is a text that lasts, and no temporary string") {
    static_assert(std::is_assignable_v<decltype(presence_options::topic)&, const std::string&>);
    static_assert(!std::is_assignable_v<decltype(presence_options::topic)&, std::string&&>);
    const std::string room = "room";
    const presence_options options{.topic = room};
    CHECK(options.topic.data() == room.data());
}

TEST_CASE("the hook is called with the tag, and whether it is there") {
    std::string told;
    const ssekit::presence_hook hook = [&told](std::string_view tag, bool present) noexcept {
        told += (present ? "+" : "-") + std::string(tag);
    };
    hook("ann", true);
    hook("ann", false);
    CHECK(told == "+ann-ann");
}
