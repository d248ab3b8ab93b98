// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_HUB_PATTERNS_HPP
#define SSEKIT_DETAIL_HUB_PATTERNS_HPP

#include <ssekit/version.hpp>

#include <cstddef>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// "*" stands for one segment between slashes, and "**" at the end for one or more.
[[nodiscard]] constexpr bool is_pattern(std::string_view text) noexcept {
    for (;;) {
        const std::size_t slash = text.find('/');
        if (text.substr(0, slash) == "**") return slash == text.npos;
        if (slash == text.npos) return true;
        text.remove_prefix(slash + 1);
    }
}

[[nodiscard]] constexpr bool matches(std::string_view pattern, std::string_view name) noexcept {
    for (;;) {
        const std::size_t pattern_end = pattern.find('/');
        const std::size_t name_end = name.find('/');
        const std::string_view wanted = pattern.substr(0, pattern_end);
        if (wanted == "**") return true;
        if (wanted != "*" && wanted != name.substr(0, name_end)) return false;
        if (pattern_end == pattern.npos || name_end == name.npos) return pattern_end == name_end;
        pattern.remove_prefix(pattern_end + 1);
        name.remove_prefix(name_end + 1);
    }
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
