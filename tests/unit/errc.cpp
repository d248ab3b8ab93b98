// SPDX-License-Identifier: MIT
#include <ssekit/errc.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string_view>

using ssekit::errc;

TEST_CASE("each error has a text, all texts differ, and there are no holes between them") {
    // That none of the enumerators is left out is the compiler's business: -Wswitch.
    std::set<std::string_view> texts;
    int last = -1;
    for (int code = 0; code < 256; ++code) {
        const std::string_view text = ssekit::message(static_cast<errc>(code));
        if (text == "unknown") continue;
        CAPTURE(code);
        CHECK(code == last + 1);
        CHECK(texts.insert(text).second);
        CHECK(text.size() < 72);
        last = code;
    }
    CHECK(static_cast<errc>(last) == errc::not_stored);
    static_assert(ssekit::message(errc::ok) == "ok");
}

TEST_CASE("texts are true wherever the error is used") {
    CHECK(ssekit::message(errc::invalid_topic).find("no topic") != std::string_view::npos);
    CHECK(ssekit::message(errc::invalid_topic).find("pattern") != std::string_view::npos);
    CHECK(ssekit::message(errc::nothing_to_send).find("neither") == std::string_view::npos);
}
