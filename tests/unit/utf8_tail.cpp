// SPDX-License-Identifier: MIT
#include <ssekit/utf8_tail.hpp>

#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using ssekit::utf8_tail;
using ssekit::detail::is_utf8;

namespace {

/// What comes out for each token, and at the end.
std::vector<std::string> through(const std::vector<std::string>& tokens) {
    utf8_tail tail;
    std::vector<std::string> out;
    for (const std::string& token : tokens) {
        const auto [held, rest] = tail.next(token);
        out.push_back(std::string(held) + std::string(rest));
    }
    out.emplace_back(tail.finish());
    return out;
}

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("a character comes out when it is whole, wherever it was cut") {
    CHECK(through({"a", "b"}) == strings{"a", "b", ""});
    CHECK(through({"caf\xC3", "\xA9 au lait"}) == strings{"caf", "\xC3\xA9 au lait", ""});
    CHECK(through({"\xE2", "\x82", "\xAC", "!"}) == strings{"", "", "\xE2\x82\xAC", "!", ""});
    CHECK(through({"x\xF0\x9F", "\x98", "\x80y"}) == strings{"x", "", "\xF0\x9F\x98\x80y", ""});
    CHECK(through({"\xE2\x82\xAC"}) == strings{"\xE2\x82\xAC", ""}); // it is whole
    CHECK(through({"\xC3", "", "\xA9"}) == strings{"", "", "\xC3\xA9", ""});
}

TEST_CASE("what never becomes whole comes out at the end") {
    CHECK(through({"x\xE2\x82"}) == strings{"x", "\xE2\x82"});
    utf8_tail tail;
    CHECK(tail.next("\xE2").rest.empty());
    CHECK(tail.size() == 1);
    CHECK(tail.finish() == "\xE2");
    CHECK(tail.finish().empty());
    CHECK(tail.next("\x82").rest == "\x82"); // of a text that begins anew
}

TEST_CASE("what is malformed in itself is not held back") {
    CHECK(through({"\xFF"}) == strings{"\xFF", ""});
    CHECK(through({"\x82\xAC"}) == strings{"\x82\xAC", ""});
    CHECK(through({"\xE0\x80"}) == strings{"\xE0\x80", ""}); // overlong
    CHECK(through({"\xED\xA0"}) == strings{"\xED\xA0", ""}); // half of a surrogate pair
    // The character breaks off, and another begins in its place.
    CHECK(through({"\xE2\x82", "z"}) == strings{"", "\xE2\x82z", ""});
    CHECK(through({"\xE2\x82", "\xC3"}) == strings{"", "\xE2\x82", "\xC3"});
    CHECK(through({"\xF0", "\xF0\x9F", "\x98\x80"}) == strings{"", "\xF0", "\xF0\x9F\x98\x80", ""});
}

TEST_CASE(
    "every byte comes out once and in order, and no piece ends in a character that is whole") {
    support::dice dice(7);
    const std::string_view alphabet[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    const std::string_view bad[] = {"\xFF", "\x80", "\xE2", "\xF0\x9F"};
    for (int round = 0; round < 3000; ++round) {
        const bool well_formed = round % 2 == 0;
        std::string text;
        for (int i = 0; i < 12; ++i) {
            const bool right = well_formed || dice.below(4) != 0;
            text += right ? alphabet[dice.below(4)] : bad[dice.below(4)];
        }
        strings tokens;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = dice.below(4);
            tokens.push_back(text.substr(at, size));
            at += size;
        }
        std::string all;
        for (const std::string& piece : through(tokens)) {
            CHECK((!well_formed || is_utf8(piece)));
            all += piece;
        }
        REQUIRE(all == text);
    }
}
