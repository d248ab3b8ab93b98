// SPDX-License-Identifier: MIT
#include <ssekit/event_target.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::event_target;
using ssekit::target_kind;

TEST_CASE("a target is made of names, or says what it is") {
    const std::vector<std::string> many = {"a", "b", "c"};
    CHECK(event_target("a").kind() == target_kind::topics);
    CHECK(event_target("a").names()[0] == "a");
    CHECK(event_target("a", std::string_view("b")).names().size() == 2);
    CHECK(event_target(many).names().size() == 3);
    CHECK(event_target(ssekit::topic_list("x", "y")).names()[1] == "y");
    CHECK(event_target::to_tag("me").kind() == target_kind::tag);
    CHECK(event_target::to_tag("me").names()[0] == "me");
    CHECK(event_target::to_all().kind() == target_kind::all);
    CHECK(event_target::to_all().names().empty());
    CHECK(event_target::closing("a").keep_for() == 30s);
    CHECK(event_target::closing("a", 5ms).keep_for() == 5ms);
    static_assert(event_target::closing("a").kind() == target_kind::close);
}
