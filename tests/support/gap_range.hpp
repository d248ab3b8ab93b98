// SPDX-License-Identifier: MIT
//
// What a gap event says without its range, which only the tests of ranges look at.
#ifndef SSEKIT_TESTS_SUPPORT_GAP_RANGE_HPP
#define SSEKIT_TESTS_SUPPORT_GAP_RANGE_HPP

#include <algorithm>
#include <cstddef>
#include <string>

namespace support {

/// {"reason":"lagged","missed":2,"from":"1.4","through":"1.6"} becomes
/// {"reason":"lagged","missed":2}, and one that has expired {"reason":"expired"}; what is no gap
/// stays.
[[nodiscard]] inline std::string without_range(std::string data) {
    if (!data.starts_with("{\"reason\":")) return data;
    std::size_t at = std::min(data.find(",\"from\":"), data.find(",\"through\":"));
    if (data.starts_with("{\"reason\":\"expired\"")) at = data.find(',');
    if (at != data.npos) data.replace(at, data.npos, "}");
    return data;
}

} // namespace support

#endif
