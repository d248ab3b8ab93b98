// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/head.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::string_view_literals;
using ssekit::detail::body_length;
using ssekit::detail::read_field;
using ssekit::detail::take_line;

namespace {

using fields = std::vector<std::pair<std::string_view, std::string_view>>;

bool is_good(const fields& lines, bool is_http_1_0 = false) {
    body_length length;
    for (const auto& [name, value] : lines) {
        if (!length.take(name, value)) return false;
    }
    return length.is_good(is_http_1_0);
}

} // namespace

TEST_CASE("http head: a line ends with the whole of its end") {
    std::string_view rest = "a\nb\rc\r\n\r\nd";
    CHECK(take_line(rest, "\r\n") == "a\nb\rc");
    CHECK(take_line(rest, "\r\n") == "");
    CHECK(take_line(rest, "\r\n") == "d");
    CHECK(rest.empty());
}

TEST_CASE("http head: a field is a token, a colon at once, and a value") {
    for (const std::string_view good : {"a:b", "a: b", "a:\tb \t", "!#$%&'*+-.^_`|~9Z:b"}) {
        CAPTURE(good);
        CHECK(read_field(good).is_good);
        CHECK(read_field(good).value == "b");
        CHECK(read_field(good).name == good.substr(0, good.find(':')));
    }
    CHECK(read_field("a:").is_good);
    CHECK(read_field("a:").value == "");
    CHECK(read_field("a: b: c").value == "b: c");
    CHECK(read_field("a: \xC3\xBC").is_good);
    for (const std::string_view bad :
         {""sv, "a"sv, ":"sv, ": b"sv, "a : b"sv, " a: b"sv, "\ta: b"sv, "a\t: b"sv, "a b: c"sv,
          "(a): b"sv, "\xC3\xBC: b"sv, "a: b\nc: d"sv, "a: b\rc"sv, "a: b\r"sv, "a: \0"sv,
          "a: \x01"sv, "a: \x7F"sv}) {
        CAPTURE(std::string(bad));
        CHECK_FALSE(read_field(bad).is_good);
    }
}

TEST_CASE("http head: the length of a body is said once") {
    CHECK(is_good({}));
    CHECK(is_good({{"Accept", "*/*"}}));
    CHECK(is_good({{"content-length", "0"}}));
    CHECK(is_good({{"Content-Length", "5"}, {"Content-Length", "5"}}));
    CHECK(is_good({{"Transfer-Encoding", "chunked"}}));
    CHECK(is_good({{"transfer-encoding", "gzip, Chunked"}}));
    CHECK(is_good({{"Transfer-Encoding", "gzip"}, {"Transfer-Encoding", "chunked"}}));
    for (const fields& bad : std::initializer_list<fields>{
             {{"Content-Length", ""}},
             {{"Content-Length", "+5"}},
             {{"Content-Length", "-5"}},
             {{"Content-Length", "0x5"}},
             {{"Content-Length", "5 5"}},
             {{"Content-Length", "5, 5"}},
             {{"Content-Length", "5"}, {"Content-Length", "6"}},
             {{"Content-Length", "5"}, {"Content-Length", "05"}},
             {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}},
             {{"Transfer-Encoding", "chunked"}, {"Content-Length", "5"}},
             {{"Transfer-Encoding", ""}},
             {{"Transfer-Encoding", "identity"}},
             {{"Transfer-Encoding", "chunked, gzip"}},
             {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "gzip"}},
             {{"Transfer-Encoding", "xchunked"}},
         }) {
        CAPTURE(std::string(bad.front().second));
        CHECK_FALSE(is_good(bad));
    }
    CHECK_FALSE(is_good({{"Transfer-Encoding", "chunked"}}, true));
    CHECK(is_good({{"Content-Length", "5"}}, true));
}
