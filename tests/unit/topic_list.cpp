// SPDX-License-Identifier: MIT
#include <ssekit/topic_list.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using ssekit::kept_topic_list;
using ssekit::topic_list;

namespace {

std::string joined(const topic_list& list) {
    std::string out;
    for (std::size_t i = 0; i < list.size(); ++i) out += (i == 0 ? "" : " ") + std::string(list[i]);
    return out;
}

struct named {
    std::string text;
    operator std::string_view() const { return text; } // NOLINT(google-explicit-constructor)
};

template <class T>
constexpr bool keeps = std::is_constructible_v<kept_topic_list, T>;
template <class T>
constexpr bool keeps_assigned = std::is_assignable_v<kept_topic_list&, T>;

} // namespace

TEST_CASE("a list is made of one name, of several in braces, or of a container of them") {
    CHECK(joined({}).empty());
    CHECK(topic_list().empty());
    CHECK(joined("a") == "a");
    CHECK(joined(std::string("a")) == "a");
    CHECK(joined({"a", "b"}) == "a b");
    CHECK(joined({std::string("a"), "b", std::string_view("c")}) == "a b c");
    CHECK(joined({"1", "2", "3", "4", "5", "6", "7", "8"}) == "1 2 3 4 5 6 7 8");
    CHECK(joined(std::vector<std::string>{"a", "b", "c"}) == "a b c");
    CHECK(joined(std::vector<const char*>{"a", "b"}) == "a b");
    CHECK(joined(std::vector<std::string>()).empty());
    CHECK(joined(std::array<std::string_view, 2>{"a", "b"}) == "a b");
    const char* const plain[] = {"a", "b"};
    CHECK(joined(plain) == "a b");
    const std::vector<named> names = {{"x"}, {"y"}};
    CHECK(joined(names) == "x y");
    CHECK(joined(named{"z"}) == "z");
    CHECK(joined(std::span(names)) == "x y");
    const std::vector<std::string> many(1000, "n");
    CHECK(topic_list(many).size() == 1000);
    CHECK(topic_list(many)[999] == "n");
}

TEST_CASE("an empty name is a name, and whoever takes it says what it thinks of it") {
    CHECK(topic_list("").size() == 1);
    CHECK(topic_list("")[0].empty());
}

TEST_CASE("what is no name and no container of names makes no list") {
    CHECK_FALSE(std::is_constructible_v<topic_list, int>);
    CHECK_FALSE(std::is_constructible_v<topic_list, std::vector<int>>);
    CHECK_FALSE(std::is_constructible_v<topic_list, std::list<std::string>>); // no array
}

TEST_CASE("an option keeps what stays and refuses what is gone at the end of the line") {
    CHECK(keeps<const char(&)[2]>);
    CHECK(keeps<const char*>);
    CHECK(keeps<std::string&>);
    CHECK(keeps<const std::string&>);
    CHECK(keeps<std::string_view>);
    CHECK(keeps<std::vector<std::string>&>);
    CHECK(keeps<const std::array<std::string_view, 2>&>);
    CHECK(keeps<std::span<const std::string>>); // borrowed
    CHECK(keeps<topic_list>);
    CHECK_FALSE(keeps<std::string>);
    CHECK_FALSE(keeps<const std::string>);
    CHECK_FALSE(keeps<std::vector<std::string>>);
    CHECK_FALSE(keeps<std::array<std::string_view, 2>>);
    CHECK_FALSE(keeps<named>);
    CHECK_FALSE(std::is_constructible_v<kept_topic_list, std::string, const char*>);
    CHECK_FALSE(std::is_constructible_v<kept_topic_list, const char*, std::string>);
    CHECK(std::is_constructible_v<kept_topic_list, const char*, std::string&>);
    CHECK_FALSE(keeps_assigned<std::string>);
    CHECK_FALSE(keeps_assigned<std::vector<std::string>>);
    CHECK(keeps_assigned<std::string&>);
    CHECK(keeps_assigned<const char*>);
}

TEST_CASE("an option refuses a temporary built-in array too") {
    CHECK_FALSE(keeps<const char* const(&&)[2]>);
    CHECK_FALSE(keeps<std::string(&&)[2]>);
}

TEST_CASE("a list that is kept shows what it was made of") {
    std::vector<std::string> names = {"a", "b"};
    kept_topic_list kept = names;
    CHECK(joined(kept) == "a b");
    names[1] = "c";
    CHECK(joined(kept) == "a c"); // it borrows
    kept = "x";
    CHECK(joined(kept) == "x");
    kept = {"x", "y"};
    CHECK(joined(kept) == "x y");
    kept = {};
    CHECK(kept.empty());
    const kept_topic_list copy = kept;
    CHECK(copy.empty());
}
