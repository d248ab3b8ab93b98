// SPDX-License-Identifier: MIT
#include <ssekit/detail/parser/utf8_stream.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using ssekit::detail::utf8_stream;

namespace {

struct seen {
    std::string text = {};
    std::vector<std::uint64_t> malformed_at = {};
    bool stops = false;
};

struct into {
    seen& out;
    void text(std::string_view piece) const { out.text += piece; }
    bool malformed(std::uint64_t offset) const {
        out.malformed_at.push_back(offset);
        out.text += '?';
        return !out.stops;
    }
};

} // namespace

TEST_CASE("a text in pieces is decoded as the whole text, wherever it is cut") {
    const std::string_view text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xFFz\xE2\x82q\xF0\x9F";
    const std::string expected = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80?z?q?";
    for (std::size_t a = 0; a <= text.size(); ++a) {
        for (std::size_t b = a; b <= text.size(); ++b) {
            utf8_stream stream;
            seen out;
            stream.write(text.substr(0, a), 100, into{out});
            stream.write(text.substr(a, b - a), 100 + a, into{out});
            stream.write(text.substr(b), 100 + b, into{out});
            CHECK(stream.is_waiting());
            stream.finish(100 + text.size(), into{out});
            CHECK_FALSE(stream.is_waiting());
            REQUIRE(out.text == expected);
            REQUIRE(out.malformed_at == std::vector<std::uint64_t>{110, 112, 115});
        }
    }
}

TEST_CASE("what is malformed may be the end of it") {
    utf8_stream stream;
    seen out{.stops = true};
    stream.write("ab\xFFzz", 0, into{out});
    CHECK(out.text == "ab?");
    stream.write("\xE2\x82", 0, into{out});
    stream.clear();
    stream.finish(2, into{out});
    CHECK(out.text == "ab?");
}
