// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/text.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace std::string_view_literals;
namespace detail = ssekit::detail;

namespace {

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) out.emplace_back(detail::take_unquoted(text, ','));
    return out;
}

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("http text: case counts nowhere but in ASCII letters") {
    CHECK(detail::equal_ignoring_case("aZ09-[", "Az09-["));
    CHECK_FALSE(detail::equal_ignoring_case("@", "`")); // the neighbours of 'A' and 'a'
    CHECK_FALSE(detail::equal_ignoring_case("[", "{")); // the neighbours of 'Z' and 'z'
    CHECK_FALSE(detail::equal_ignoring_case("a", "ab"));
    CHECK_FALSE(detail::equal_ignoring_case("\xC4", "\xE4"));
    CHECK(detail::is_letter('a'));
    CHECK(detail::is_letter('Z'));
    CHECK_FALSE(detail::is_letter('@'));
    CHECK_FALSE(detail::is_letter('['));
    CHECK_FALSE(detail::is_letter('`'));
    CHECK_FALSE(detail::is_letter('{'));
    CHECK(detail::is_digit('0'));
    CHECK(detail::is_digit('9'));
    CHECK_FALSE(detail::is_digit('/'));
    CHECK_FALSE(detail::is_digit(':'));
}

TEST_CASE("http text: white space is the space and the tab") {
    CHECK(detail::trim(" \ta b\t ") == "a b");
    CHECK(detail::trim("a") == "a");
    CHECK(detail::trim("\na\r") == "\na\r");
    const std::string_view blank = " \t";
    CHECK(detail::trim(blank).empty());
    CHECK(detail::trim(blank).data() == blank.data() + 2);
}

TEST_CASE("http text: what stands before a separator is taken with it") {
    std::string_view text = "a=b=";
    CHECK(detail::take_until(text, '=') == "a");
    CHECK(text == "b=");
    CHECK(detail::take_until(text, '=') == "b");
    CHECK(text == "");
    CHECK(detail::take_until(text, '=') == "");
    text = "ab";
    CHECK(detail::take_until(text, '=') == "ab");
    CHECK(text.empty());
}

TEST_CASE("http text: a separator inside a quoted string is none") {
    CHECK(split("a,b") == texts{"a", "b"});
    CHECK(split(",a,,") == texts{"", "a", ""});
    CHECK(split(R"(a;x="1,2",b)") == texts{R"(a;x="1,2")", "b"});
    CHECK(split(R"(a="\",",b)") == texts{R"(a="\",")", "b"});
    CHECK(split(R"(a="\\",b)") == texts{R"(a="\\")", "b"});
    CHECK(split(R"(a\,b)") == texts{R"(a\)", "b"}); // a backslash means nothing outside
    CHECK(split(R"(a,"b,c)") == texts{"a", R"("b,c)"});
    CHECK(split(R"(a="\)") == texts{R"(a="\)"}); // the end comes first
    const std::string_view part = std::string_view("\"\\,x").substr(0, 2);
    CHECK(split(part) == texts{"\"\\"});
}

TEST_CASE("http text: a hexadecimal digit is one in either case") {
    for (int i = 0; i < 16; ++i) {
        CHECK(detail::hex_value("0123456789abcdef"[i]) == i);
        CHECK(detail::hex_value("0123456789ABCDEF"[i]) == i);
    }
    for (const char c : {'/', ':', '@', 'G', '`', 'g', '\0', '\xFF'}) {
        CHECK(detail::hex_value(c) == -1);
    }
}

TEST_CASE("http text: a token is made of these characters and no others") {
    const std::string_view good = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (int c = 0; c < 256; ++c) {
        const char one = static_cast<char>(c);
        CAPTURE(c);
        CHECK(detail::is_token({&one, 1}) == (good.find(one) != good.npos));
    }
    CHECK_FALSE(detail::is_token(""));
    CHECK_FALSE(detail::is_token("a "));
    CHECK_FALSE(detail::is_token(" a"));
}

TEST_CASE("http text: a value holds no control character but the tab") {
    for (int c = 0; c < 256; ++c) {
        const char one = static_cast<char>(c);
        CAPTURE(c);
        const bool is_control = (c < 32 && c != 9) || c == 127;
        CHECK(detail::is_field_value({&one, 1}) == !is_control);
        CHECK(detail::has_no_space({&one, 1}) == (c > 32 && c != 127));
        CHECK(detail::is_ascii({&one, 1}) == (c < 128));
    }
    CHECK(detail::is_field_value(""));
    CHECK_FALSE(detail::is_field_value("ab\0"sv));
}

TEST_CASE("http text: a bearer token may end with equal signs, not consist of them") {
    CHECK(detail::is_bearer_token("a-._~+/9=="));
    CHECK_FALSE(detail::is_bearer_token(""));
    CHECK_FALSE(detail::is_bearer_token("=="));
    CHECK_FALSE(detail::is_bearer_token("a=b"));
    CHECK_FALSE(detail::is_bearer_token("a b"));
}
