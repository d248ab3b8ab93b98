// SPDX-License-Identifier: MIT
#include <ssekit/source_answer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::answer_decision;
using ssekit::answer_head;
using ssekit::answer_hook;
using ssekit::answer_verdict;

TEST_CASE("source answer: a hook sees the status, and the headers that it asks for") {
    int asked = 0;
    auto find = [&asked](std::string_view name) -> std::optional<std::string_view> {
        ++asked;
        return name == "A" ? std::optional<std::string_view>("1") : std::nullopt;
    };
    const answer_head head(429, find);
    CHECK(asked == 0); // nothing is looked up that nobody wants
    CHECK(head.status() == 429);
    CHECK(head.find("A") == "1");
    CHECK(head.find("B") == std::nullopt);
    CHECK(asked == 2);
}

TEST_CASE("source answer: a decision is the usual one unless something is said, and then at once") {
    auto find = [](std::string_view) { return std::optional<std::string_view>(); };
    const answer_hook usual = [](const answer_head&) noexcept { return answer_decision(); };
    CHECK(usual(answer_head(500, find)).verdict == answer_verdict::usual);
    CHECK(usual(answer_head(500, find)).wait == 0ms);
    const answer_hook busy = [](const answer_head& head) noexcept -> answer_decision {
        return {head.status() == 529 ? answer_verdict::retry : answer_verdict::fail, 5s};
    };
    CHECK(busy(answer_head(529, find)).verdict == answer_verdict::retry);
    CHECK(busy(answer_head(529, find)).wait == 5s);
    CHECK(busy(answer_head(400, find)).verdict == answer_verdict::fail);
}
