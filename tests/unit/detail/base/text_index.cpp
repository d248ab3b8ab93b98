// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/text_index.hpp>

#include "support/allocations.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

using ssekit::detail::text_index;

/// An index, the texts it is asked about, and what it should say.
struct checked_index {
    [[nodiscard]] auto at() const {
        return [this](std::uint32_t position) { return std::string_view(texts.at(position)); };
    }

    bool put(const std::string& text) {
        if (!index.reserve()) return false;
        texts.push_back(text);
        const auto position = static_cast<std::uint32_t>(texts.size() - 1);
        if (std::uint32_t* const old = index.find(text, at())) {
            REQUIRE(model.contains(text));
            REQUIRE(*old == model.at(text));
            *old = position;
        } else {
            REQUIRE_FALSE(model.contains(text));
            index.insert(text, position);
        }
        model[text] = position;
        return true;
    }
    void erase(const std::string& text) {
        index.erase(text, model.at(text));
        model.erase(text);
    }
    void check(const std::string& text) const {
        const std::uint32_t* const found = index.find(text, at());
        const auto expected = model.find(text);
        REQUIRE((found != nullptr) == (expected != model.end()));
        if (found != nullptr) REQUIRE(*found == expected->second);
    }
    text_index index;
    std::vector<std::string> texts;
    std::unordered_map<std::string, std::uint32_t> model;
};

} // namespace

TEST_CASE("an index that is new finds nothing and forgets nothing") {
    text_index index;
    const auto nobody = [](std::uint32_t) -> std::string_view {
        FAIL("asked for a text that is not there");
        return {};
    };
    CHECK(index.find("x", nobody) == nullptr);
    CHECK(index.find("", nobody) == nullptr);
    index.erase("x", 0);
    REQUIRE(index.reserve());
    CHECK(index.find("x", nobody) == nullptr);
    index.erase("x", 0);
}

TEST_CASE("an index does as a map does whatever happens") {
    for (std::uint32_t seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        support::dice dice(seed);
        const std::size_t names = seed % 4 == 0 ? 8 : seed % 4 == 1 ? 60 : 400; // few are crowded
        checked_index both;
        for (std::size_t step = 0; step < 4000; ++step) {
            const std::string text = "key " + std::to_string(dice.below(names));
            const std::size_t what = dice.below(10);
            if (what < 5) {
                REQUIRE(both.put(text));
            } else if (what < 9) {
                if (both.model.contains(text)) both.erase(text);
            }
            both.check(text);
            if (step % 100 == 0) {
                for (std::size_t i = 0; i < names; ++i) both.check("key " + std::to_string(i));
            }
        }
    }
}

TEST_CASE("what was displaced is found after any of its neighbours has gone") {
    // 8 of 16 places are taken, so runs of neighbours are certain over so many sets of texts.
    for (std::size_t set = 0; set < 300; ++set) {
        for (std::size_t gone = 0; gone < 8; ++gone) {
            checked_index both;
            std::vector<std::string> texts;
            for (std::size_t i = 0; i < 8; ++i) {
                texts.push_back(std::to_string(set) + "/" + std::to_string(i));
                REQUIRE(both.put(texts.back()));
            }
            both.erase(texts[gone]);
            for (const std::string& text : texts) both.check(text);
            REQUIRE(both.put(texts[gone]));
            for (const std::string& text : texts) both.check(text);
        }
    }
}

TEST_CASE("a text is forgotten only from the position that it has") {
    checked_index both;
    REQUIRE(both.put("k")); // 0
    REQUIRE(both.put("k")); // 1 takes its place
    both.index.erase("k", 0);
    both.check("k");
    both.index.erase("other", 1);
    both.check("k");
    both.erase("k");
    both.check("k");
    both.index.erase("k", 1); // safe to repeat
    both.check("k");
}

TEST_CASE("a log that turns for long leaves no trace in its index") {
    // As a log of 5 events does it: the newest in, the oldest out; the index never grows.
    checked_index both;
    const auto key = [](std::size_t i) { return "k" + std::to_string(i); };
    for (std::size_t i = 0; i < 5; ++i) REQUIRE(both.put(key(i)));
    const support::allocation_watch watch;
    const bool counted = support::counts_allocations;
    std::size_t grown = 0;
    for (std::size_t i = 5; i < 5000; ++i) {
        both.erase(key(i - 5));
        const std::size_t before = watch.bytes();
        REQUIRE(both.index.reserve());
        grown += watch.bytes() - before;
        REQUIRE(both.put(key(i)));
        both.check(key(i - 5));
        for (std::size_t j = i - 4; j <= i; ++j) both.check(key(j));
    }
    if (counted) CHECK(grown == 0);
}

TEST_CASE("empty texts and texts with every byte are texts") {
    checked_index both;
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    for (const std::string& text :
         {std::string(), std::string(1, '\0'), std::string(2, '\0'), all}) {
        both.check(text);
        REQUIRE(both.put(text));
        both.check(text);
    }
    both.erase(std::string(1, '\0'));
    for (const std::string& text :
         {std::string(), std::string(1, '\0'), std::string(2, '\0'), all}) {
        both.check(text);
    }
}

TEST_CASE("an index that finds no memory keeps what it has and goes on when there is some") {
    if (!support::counts_allocations) return;
    for (std::size_t grace = 0; grace < 4; ++grace) {
        CAPTURE(grace);
        checked_index both;
        both.texts.reserve(1000);
        std::size_t taken = 0;
        {
            const support::failing_allocations few(grace);
            while (taken < 100 && both.put(std::to_string(taken))) ++taken;
            CHECK(few.struck());
        }
        CHECK(taken == (grace == 0 ? 0 : std::size_t{8} << (grace - 1)));
        for (std::size_t i = 0; i < 100; ++i) both.check(std::to_string(i));
        for (std::size_t i = taken; i < 100; ++i) REQUIRE(both.put(std::to_string(i)));
        for (std::size_t i = 0; i < 100; ++i) both.check(std::to_string(i));
    }
}
