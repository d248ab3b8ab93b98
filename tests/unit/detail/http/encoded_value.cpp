// SPDX-License-Identifier: MIT
#include <ssekit/detail/http/encoded_value.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>

using ssekit::detail::is_base64_of;
using ssekit::detail::matches_value;

TEST_CASE("http encoded value: base64 is that of RFC 4648, with its padding") {
    struct given {
        std::string_view bytes;
        std::string_view text;
    };
    for (const given& one : std::initializer_list<given>{// Spec: RFC 4648, 10
                                                         {"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"},
                                                         {"\xFB\xFF\xBE", "+/++"},
                                                         {{"\0\0", 2}, "AAA="}}) {
        CAPTURE(one.text);
        CHECK(is_base64_of(one.text, one.bytes));
        for (std::size_t at = 0; at < one.text.size(); ++at) { // any other letter is wrong
            std::string other(one.text);
            other[at] = other[at] == 'A' ? 'B' : 'A';
            CHECK_FALSE(is_base64_of(other, one.bytes));
            CHECK_FALSE(is_base64_of(other.erase(at), one.bytes));
        }
        CHECK_FALSE(is_base64_of(std::string(one.text) + "=", one.bytes));
        CHECK_FALSE(is_base64_of(std::string(one.text) + "====", one.bytes));
    }
    CHECK_FALSE(is_base64_of("Zh==", "f")); // bits of the padding that are not zero
}

TEST_CASE("http encoded value: a header is compared as it is, or decoded between its marks") {
    static_assert(matches_value("us-west1", "us-west1"));
    static_assert(matches_value("a b\tc", "a b\tc"));
    static_assert(!matches_value("us-west1", "US-WEST1"));
    static_assert(matches_value("", ""));
    // The examples of MCP 2026-07-28, "Value Encoding".
    CHECK(matches_value("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, \xE4\xB8\x96\xE7\x95\x8C"));
    CHECK(matches_value("=?base64?IHBhZGRlZCA=?=", " padded "));
    CHECK(matches_value("=?base64?bGluZTEKbGluZTI=?=", "line1\nline2"));
    CHECK(matches_value("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="));
    CHECK(matches_value("=?base64?"
                        "?=",
                        ""));
    CHECK(matches_value("=?base64?SGVsbG8=?=", "Hello"));
    for (const std::string_view wrong :
         {"=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "=?base64?SGVsbG8=?= ", "SGVsbG8="}) {
        CHECK_FALSE(matches_value(wrong, "Hello"));
    }
    // Without one of its marks it is text, and with both never.
    static_assert(matches_value("=?base64?SGVsbG8=", "=?base64?SGVsbG8="));
    static_assert(matches_value("SGVsbG8=?=", "SGVsbG8=?="));
    static_assert(matches_value("=?base64?=", "=?base64?="));
    static_assert(!matches_value("=?base64?literal?=", "=?base64?literal?="));
    static_assert(!matches_value("=?BASE64?SGVsbG8=?=", "Hello"));
}

TEST_CASE("http encoded value: what had to be encoded does not match as it is") {
    for (const std::string_view raw :
         std::initializer_list<std::string_view>{"\xC3\xBC", "a\nb", "a\x7F", {"\0", 1}}) {
        CHECK_FALSE(matches_value(raw, raw));
    }
}
