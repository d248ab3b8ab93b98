// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/tuning.hpp>

#include <doctest/doctest.h>

#include <string_view>

#define SSEKIT_TEXT_OF(name) #name
#define SSEKIT_TEXT(name) SSEKIT_TEXT_OF(name)

TEST_CASE("the kind of code stands in the name of the namespace") {
    const std::string_view name = SSEKIT_TEXT(SSEKIT_ABI);
    CHECK(name.starts_with(
        "v" SSEKIT_TEXT(SSEKIT_VERSION_MAJOR) "_" SSEKIT_TEXT(SSEKIT_VERSION_MINOR) "_"));
    CHECK(name.ends_with("_small") == ssekit::detail::for_size);
    constexpr std::string_view kinds[] = {"portable", "sse2", "avx2", "neon"};
    CHECK(name.find(kinds[SSEKIT_VECTORS]) != std::string_view::npos);
#if defined(__OPTIMIZE_SIZE__)
    CHECK(ssekit::detail::for_size);
#else
    CHECK_FALSE(ssekit::detail::for_size);
#endif
}
