// SPDX-License-Identifier: MIT
#include <ssekit/version.hpp>

#include <doctest/doctest.h>

TEST_CASE("versions compare in their natural order") {
    using ssekit::version_info;
    static_assert(version_info{0, 1, 9} < version_info{0, 2, 0});
    static_assert(version_info{0, 9, 9} < version_info{1, 0, 0});
    static_assert(version_info{1, 2, 3} == version_info{1, 2, 3});
    static_assert(ssekit::version ==
                  version_info{SSEKIT_VERSION_MAJOR, SSEKIT_VERSION_MINOR, SSEKIT_VERSION_PATCH});
    CHECK(&ssekit::version == &ssekit::SSEKIT_ABI::version);
}
