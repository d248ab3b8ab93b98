// SPDX-License-Identifier: MIT
#include <ssekit/hub_options.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using ssekit::lag_bound;
using ssekit::topic_list;

namespace {

std::vector<std::string> names(const topic_list& topics) {
    return {topics.names().begin(), topics.names().end()};
}

} // namespace

TEST_CASE("a list of topics is one name or several") {
    const std::string text = "text";
    const std::array<std::string_view, 2> array{"a", "b"};
    const std::vector<std::string_view> several{"c", "d", "e"};
    CHECK(names("literal") == std::vector<std::string>{"literal"});
    CHECK(names(text) == std::vector<std::string>{"text"});
    CHECK(names(std::string_view("view")) == std::vector<std::string>{"view"});
    CHECK(names(array) == std::vector<std::string>{"a", "b"});
    CHECK(names(several) == std::vector<std::string>{"c", "d", "e"});
    CHECK(names(std::span(several).first(1)) == std::vector<std::string>{"c"});
    CHECK(names(topic_list()).empty());
    CHECK(names("") == std::vector<std::string>{""}); // a name, which the hub refuses
}

TEST_CASE("a copy of a list of topics names the same") {
    const topic_list first = "one";
    const topic_list second = first;
    CHECK(names(second) == names(first));
    CHECK(second.names().data() != first.names().data()); // a view of its own
    static_assert(!std::is_convertible_v<int, topic_list>);
}

TEST_CASE("a bound is set when any part of it is") {
    CHECK_FALSE(lag_bound().is_set());
    CHECK(lag_bound{.events = 1}.is_set());
    CHECK(lag_bound{.bytes = 1}.is_set());
    CHECK(lag_bound{.age = 1ms}.is_set());
    CHECK_FALSE(lag_bound{.age = -1ms}.is_set());
}
