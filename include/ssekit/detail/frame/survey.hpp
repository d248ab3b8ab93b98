// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_FRAME_SURVEY_HPP
#define SSEKIT_DETAIL_FRAME_SURVEY_HPP

#include <ssekit/detail/text/scan.hpp>

#include <cstddef>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns whether the bytes end with a blank line, so that what comes next is a block of its own.
[[nodiscard]] constexpr bool ends_block(std::string_view bytes) noexcept {
    const auto strip = [&bytes](char c) {
        const bool there = bytes.ends_with(c);
        if (there) bytes.remove_suffix(1);
        return there;
    };
    const bool ended = strip('\n') ? (strip('\r'), true) : strip('\r');
    return ended && (bytes.empty() || is_line_end(bytes.back()));
}

/// What a client makes of bytes that end with a blank line.
struct survey {
    bool has_id = false;
    bool has_data = false;
    bool has_retry = false;
    bool is_one_block = true; ///< nothing but blank lines comes after the first blank line

    constexpr explicit survey(std::string_view bytes) noexcept {
        const char* p = bytes.data();
        const char* const end = p + bytes.size();
        line_ends ends(p, end);
        for (bool over = false; p != end;) {
            const char* const line_end = ends.next();
            const std::string_view line(p, static_cast<std::size_t>(line_end - p));
            if (line.empty())
                over = true;
            else if (over)
                is_one_block = false;
            note(line.substr(0, line.find(':')));
            if (line_end == end) return;
            p = line_end + 1;
            if (*line_end == '\r' && p != end && *p == '\n') ends.skip(p++);
        }
    }

  private:
    constexpr void note(std::string_view name) noexcept {
        if (name == "id") has_id = true;
        if (name == "data") has_data = true;
        if (name == "retry") has_retry = true;
    }
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
