// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/temporary_text.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using ssekit::detail::temporary_text;

TEST_CASE("text that owns its bytes is temporary unless it has a name") {
    static_assert(temporary_text<std::string>);
    static_assert(temporary_text<const std::string>);
    static_assert(!temporary_text<std::string&>);
    static_assert(!temporary_text<const std::string&>);
    static_assert(!temporary_text<std::string_view>);
    static_assert(!temporary_text<const char*>);
    static_assert(!temporary_text<const char(&)[3]>);
    static_assert(!temporary_text<int>);
    CHECK(true);
}
