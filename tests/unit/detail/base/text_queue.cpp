// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/text_queue.hpp>

#include "support/counted_memory.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

using ssekit::detail::text_queue;

namespace {

using pairs = std::deque<std::pair<std::string, int>>;

pairs all(const text_queue<int>& queue) {
    pairs out;
    queue.for_each([&](std::string_view text, int value) { out.emplace_back(text, value); });
    return out;
}

} // namespace

TEST_CASE("a queue under random use is a list of its texts in the order in which they came") {
    support::counted_memory memory;
    {
        support::dice dice(4);
        text_queue<int> queue(&memory);
        pairs model;
        for (int i = 0; i < 5000; ++i) {
            const std::string text = std::to_string(dice.below(40));
            const auto at = std::find_if(model.begin(), model.end(),
                                         [&](const auto& each) { return each.first == text; });
            const int* const found = queue.find(text);
            REQUIRE((found != nullptr) == (at != model.end()));
            if (found != nullptr) CHECK(*found == at->second);
            if (dice.one_in(5) && !model.empty()) {
                CHECK(queue.first_text() == model.front().first);
                CHECK(queue.first() == model.front().second);
                queue.drop_first();
                model.pop_front();
            } else if (found != nullptr) {
                queue.remove(text);
                model.erase(at);
            } else {
                REQUIRE(queue.add(text, i));
                model.emplace_back(text, i);
            }
            CHECK(queue.size() == model.size());
            if (i % 50 == 0) CHECK(all(queue) == model);
        }
    }
    CHECK(memory.live() == 0);
}

TEST_CASE("without memory a text does not come, and the others stay") {
    support::counted_memory memory;
    text_queue<int> queue(&memory);
    REQUIRE(queue.add("a", 1));
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 10);
        const std::string text(100, static_cast<char>('b' + grace));
        memory.grace = grace;
        const bool added = queue.add(text, 2);
        memory.grace = memory.unlimited;
        CHECK((queue.find(text) != nullptr) == added);
        CHECK(queue.size() == (added ? 2 : 1));
        CHECK(queue.first_text() == "a");
        if (added) break;
    }
}
