// SPDX-License-Identifier: MIT
// The tests trust this reader to tell right JSON from wrong.
#include "support/json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace json = support::json;

TEST_CASE("right JSON is read") {
    const auto result = json::parse(" {\"a\" : [1, -2.5e+3, true, false, null],\r\n\t\"b\": "
                                    "{\"c\": \"x\"}, \"d\": [], \"e\": {}} ");
    REQUIRE_MESSAGE(result.document.has_value(), result.error);
    const json::value& document = *result.document;
    const auto& list = document.at("a").items;
    REQUIRE(list.size() == 5);
    CHECK(list[0].integer() == 1);
    CHECK(list[1].text == "-2.5e+3");
    CHECK(list[2].truth);
    CHECK(list[3].type == json::kind::boolean);
    CHECK_FALSE(list[3].truth);
    CHECK(list[4].is_null());
    CHECK(document.at("b").at("c").string() == "x");
    CHECK(document.at("d").items.empty());
    CHECK(document.find("f") == nullptr);
}

TEST_CASE("every escape of a string is read") {
    const auto result = json::parse(R"("\"\\\/\b\f\n\r\t\u0000\u00e4\u20AC\ud83d\uDC4D")");
    REQUIRE_MESSAGE(result.document.has_value(), result.error);
    CHECK(result.document->string() ==
          std::string("\"\\/\b\f\n\r\t\0\xC3\xA4\xE2\x82\xAC\xF0\x9F\x91\x8D", 18));
}

TEST_CASE("wrong JSON is refused with the place of the fault") {
    for (const std::string_view text : {"",
                                        " ",
                                        "x",
                                        "nul",
                                        "01",
                                        "-",
                                        "+1",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "0x1",
                                        "[",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "[1 2]",
                                        "{",
                                        "{1:2}",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{\"a\":1 \"b\":2}",
                                        "{\"a\":1,\"a\":2}",
                                        "\"",
                                        "\"\n\"",
                                        "\"\\",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u12g4\"",
                                        "\"\\ud800\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\udc00\"",
                                        "1 2",
                                        "[] x"}) {
        INFO(text);
        const auto result = json::parse(text);
        CHECK_FALSE(result.document.has_value());
        CHECK(result.error.find(" at byte ") != std::string::npos);
    }
    CHECK_FALSE(json::parse(std::string(1000, '[')).document.has_value());
    CHECK(json::parse("[1,]").error == "not a value at byte 3");
}

TEST_CASE("base64 is decoded and only the canonical form") {
    CHECK(json::decode_base64("") == "");
    CHECK(json::decode_base64("Zg==") == "f");
    CHECK(json::decode_base64("Zm8=") == "fo");
    CHECK(json::decode_base64("Zm9v") == "foo");
    CHECK(json::decode_base64("/+8A") == std::string("\xFF\xEF\0", 3));
    for (const std::string_view text :
         {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v=", "Zm 9", "Zg==Zg=="}) {
        INFO(text);
        CHECK_FALSE(json::decode_base64(text).has_value());
    }
}
