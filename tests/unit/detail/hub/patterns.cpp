// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/patterns.hpp>

#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using ssekit::detail::is_pattern;
using ssekit::detail::matches;

namespace {

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == '/') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

bool naive_is_pattern(std::string_view text) {
    const std::vector<std::string> parts = split(text);
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        if (parts[i] == "**") return false;
    }
    return true;
}

bool naive_matches(std::string_view pattern, std::string_view name) {
    const std::vector<std::string> wanted = split(pattern);
    const std::vector<std::string> parts = split(name);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (i >= parts.size()) return false;
        if (wanted[i] == "**") return true;
        if (wanted[i] != "*" && wanted[i] != parts[i]) return false;
    }
    return wanted.size() == parts.size();
}

} // namespace

TEST_CASE("one star stands for one segment and two at the end for one or more") {
    CHECK(matches("a/*", "a/b"));
    CHECK(matches("a/*", "a/"));
    CHECK_FALSE(matches("a/*", "a"));
    CHECK_FALSE(matches("a/*", "a/b/c"));
    CHECK(matches("a/**", "a/b"));
    CHECK(matches("a/**", "a/b/c"));
    CHECK_FALSE(matches("a/**", "a"));
    CHECK_FALSE(matches("a/**", "ab/c"));
    CHECK(matches("**", "anything/at/all"));
    CHECK(matches("*/b", "a/b"));
    CHECK_FALSE(matches("*/b", "a/c"));
    CHECK(matches("*", "a"));
    CHECK_FALSE(matches("*", "a/b"));
}

TEST_CASE("a star within a segment is a letter") {
    CHECK(matches("a*", "a*"));
    CHECK_FALSE(matches("a*", "ab"));
    CHECK_FALSE(matches("***", "ab"));
    CHECK(is_pattern("a**/b"));
}

TEST_CASE("a pattern without stars matches its own text alone") {
    CHECK(is_pattern("a/b"));
    CHECK(matches("a/b", "a/b"));
    CHECK_FALSE(matches("a/b", "a/b/"));
    CHECK_FALSE(matches("a/b", "a"));
}

TEST_CASE("two stars stand nowhere but at the end") {
    CHECK(is_pattern("**"));
    CHECK(is_pattern("a/**"));
    CHECK_FALSE(is_pattern("**/a"));
    CHECK_FALSE(is_pattern("a/**/b"));
    CHECK_FALSE(is_pattern("**/"));
}

TEST_CASE("patterns match as a naive comparison of segments says") {
    support::dice random(1);
    constexpr std::string_view parts[] = {"a", "b", "*", "**", "", "/", "/", "/", "ab", "a*"};
    for (int round = 0; round < 20000; ++round) {
        std::string pattern, name;
        for (std::size_t n = random.below(7); n > 0; --n) pattern += random.pick(parts);
        for (std::size_t n = random.below(7); n > 0; --n) name += random.pick(parts);
        CAPTURE(pattern);
        CAPTURE(name);
        REQUIRE(is_pattern(pattern) == naive_is_pattern(pattern));
        if (is_pattern(pattern)) REQUIRE(matches(pattern, name) == naive_matches(pattern, name));
    }
}
