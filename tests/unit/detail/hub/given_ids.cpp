// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/given_ids.hpp>

#include "support/counted_memory.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

using ssekit::errc;
using ssekit::detail::given_ids;
using ssekit::detail::is_returnable;

namespace {

using order = bool (*)(std::string_view, std::string_view);
bool shorter_first(std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}
using ids = given_ids<order>;

void give(ids& known, std::string_view id, std::uint64_t offset) {
    REQUIRE(known.admit(id) == errc::ok);
    REQUIRE(known.reserve(id));
    known.add(offset);
}

} // namespace

TEST_CASE("an id can come back if a header field can hold it") {
    CHECK(is_returnable("7", 10));
    CHECK(is_returnable("a b\xC3\xA9\xFF", 10));
    CHECK(is_returnable("0123456789", 10));
    CHECK_FALSE(is_returnable("0123456789a", 10));
    CHECK_FALSE(is_returnable(" 7", 10));
    CHECK_FALSE(is_returnable("7 ", 10));
    CHECK_FALSE(is_returnable(" ", 10));
    for (int byte = 0; byte < 256; ++byte) {
        const char text[] = {'a', static_cast<char>(byte), 'b'};
        CHECK(is_returnable({text, 3}, 10) == (byte >= 0x20 && byte != 0x7f));
    }
}

TEST_CASE("an id is admitted once, and as long as it is remembered not again") {
    ids known(2, 10, nullptr, ssekit::heap());
    CHECK(known.admit("") == errc::id_is_missing);
    CHECK(known.admit("a\n") == errc::unreturnable_id);
    give(known, "a", 3);
    CHECK(known.admit("a") == errc::id_is_taken);
    give(known, "b", 5);
    give(known, "c", 9); // a goes
    CHECK(known.find("a") == 0);
    CHECK(known.find("b") == 5);
    CHECK(known.find("c") == 9);
    CHECK(known.admit("a") == errc::ok);
}

TEST_CASE("ids that have an order only grow") {
    ids known(10, 10, shorter_first, ssekit::heap());
    give(known, "9", 1);
    CHECK(known.admit("8") == errc::out_of_sequence);
    CHECK(known.admit("9") == errc::id_is_taken);
    give(known, "10", 2);
}

TEST_CASE("of ids without order only those that are remembered have a place") {
    ids known(2, 10, nullptr, ssekit::heap());
    CHECK_FALSE(known.locate("a").known);
    give(known, "b", 3);
    give(known, "a", 5);
    CHECK(known.locate("b").known);
    CHECK(known.locate("b").offset == 3);
    CHECK_FALSE(known.locate("aa").known);
    CHECK_FALSE(known.locate("aa").ahead);
}

TEST_CASE("of ids with an order every one has a place, but for those before the first") {
    ids known(2, 10, shorter_first, ssekit::heap());
    CHECK_FALSE(known.locate("5").known); // nothing has been given
    give(known, "10", 4);
    give(known, "20", 6);
    const auto at = [&](std::string_view id) { return known.locate(id); };
    CHECK_FALSE(at("5").known); // an earlier run may have given what came after it
    CHECK(at("10").offset == 4);
    CHECK(at("15").known);
    CHECK(at("15").offset == 4);
    CHECK(at("20").offset == 6);
    CHECK(at("21").ahead);
    CHECK_FALSE(at("21").known);
    give(known, "30", 8); // 10 goes
    CHECK_FALSE(at("5").known);
    CHECK_FALSE(at("10").known);
    CHECK_FALSE(at("15").known);
    CHECK(at("20").offset == 6);
    CHECK(at("25").offset == 6);
}

TEST_CASE("the id at an offset is told as long as it is remembered") {
    ids known(2, 10, nullptr, ssekit::heap());
    CHECK(known.id_at(0).empty());
    give(known, "a", 3);
    give(known, "b", 5);
    CHECK(known.id_at(3) == "a");
    CHECK(known.id_at(4).empty());
    CHECK(known.id_at(5) == "b");
    CHECK(known.id_at(6).empty());
    give(known, "c", 9);
    CHECK(known.id_at(3).empty());
    CHECK(known.id_at(9) == "c");
}

TEST_CASE("a bound of none remembers one") {
    ids known(0, 10, nullptr, ssekit::heap());
    give(known, "a", 1);
    CHECK(known.find("a") == 1);
    give(known, "b", 2);
    CHECK(known.find("a") == 0);
    CHECK(known.find("b") == 2);
}

TEST_CASE("an id that is reserved and not added changes nothing that can be seen") {
    support::counted_memory memory;
    {
        ids known(2, 100, nullptr, &memory);
        give(known, "a", 1);
        give(known, "b", 2);
        REQUIRE(known.reserve("never added"));
        CHECK(known.find("a") == 1);
        CHECK(known.find("never added") == 0);
        CHECK(known.admit("never added") == errc::ok);
        give(known, "c", 3);
        CHECK(known.find("never added") == 0);
        CHECK(known.find("c") == 3);
    }
    CHECK(memory.live() == 0);
}

TEST_CASE("without memory nothing changes and later the id is added") {
    for (std::size_t grace = 0;; ++grace) {
        support::counted_memory memory;
        bool reserved = false;
        {
            ids known(1000, 100, nullptr, &memory);
            for (unsigned i = 1; i <= 16; ++i) give(known, "id" + std::to_string(i), 10 + i);
            memory.grace = grace;
            reserved = known.reserve("new");
            memory.grace = support::counted_memory::unlimited;
            CHECK(reserved == !memory.struck);
            CHECK(known.find("id1") == 11);
            CHECK(known.find("id16") == 26);
            CHECK(known.find("new") == 0);
            give(known, "new", 30);
            CHECK(known.find("new") == 30);
        }
        CHECK(memory.live() == 0);
        if (reserved) break;
        REQUIRE(grace < 10);
    }
}

TEST_CASE("ids that have gone take no memory") {
    support::counted_memory memory;
    ids known(8, 100, nullptr, &memory);
    for (std::uint64_t i = 1; i <= 100; ++i) give(known, "id" + std::to_string(i), i);
    const std::size_t blocks = memory.live();
    const std::size_t bytes = memory.live_bytes;
    for (std::uint64_t i = 101; i <= 5000; ++i) give(known, "id" + std::to_string(i), i);
    CHECK(memory.live() == blocks);
    CHECK(memory.live_bytes < bytes + 9 * 8); // the ids are longer
}

TEST_CASE("ids are remembered and located as a naive list has them") {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        support::dice random(seed);
        const bool ordered = random.one_in(2);
        const std::size_t most = 1 + random.below(40);
        ids known(most, 10, ordered ? shorter_first : nullptr, ssekit::heap());
        std::deque<std::pair<std::string, std::uint64_t>> model;
        std::uint64_t offset = (1ull << 32) - 50; // through the 32 bits
        std::uint64_t value = 10;
        for (int step = 0; step < 400; ++step) {
            offset += random.below(3) + 1;
            value += random.below(4) + 1;
            const std::string id = std::to_string(value);
            give(known, id, offset);
            model.emplace_back(id, offset);
            if (model.size() > most) {
                model.pop_front();
            }
            const std::uint64_t asked = random.below(static_cast<std::size_t>(value) + 5);
            const std::string text = std::to_string(asked);
            const auto is = [&](const auto& m) { return m.first == text; };
            const auto found = std::find_if(model.begin(), model.end(), is);
            REQUIRE(known.find(text) == (found == model.end() ? 0 : found->second));
            const ids::place place = known.locate(text);
            if (found != model.end()) {
                REQUIRE(place.known);
                REQUIRE(place.offset == found->second);
            } else if (!ordered) {
                REQUIRE_FALSE(place.known);
            } else {
                std::uint64_t before = 0;
                bool first = true;
                for (const auto& [given, at] : model) {
                    if (!shorter_first(given, text)) break;
                    before = at;
                    first = false;
                }
                REQUIRE(place.ahead == shorter_first(model.back().first, text));
                REQUIRE(place.known == (!place.ahead && !first)); // before the first
                if (place.known) REQUIRE(place.offset == before);
            }
        }
    }
}
