// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_TEXT_LINE_SPLITTER_HPP
#define SSEKIT_DETAIL_TEXT_LINE_SPLITTER_HPP

#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/text/scan.hpp>

#include <cstddef>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Calls `on_text(std::string_view)` for the text between line ends and `on_break()` for each CR,
/// LF or CRLF. `after_cr` carries a CRLF over to the next call when the text is cut inside it.
template <class OnText, class OnBreak>
SSEKIT_INLINED constexpr void split_lines(std::string_view text, bool& after_cr, OnText&& on_text,
                                          OnBreak&& on_break) {
    if (text.empty()) return;
    const char* p = text.data();
    const char* const end = p + text.size();
    if (after_cr && *p == '\n') ++p;
    after_cr = false;
    line_ends ends(p, end);
    for (;;) {
        const char* const line_end = ends.next();
        if (line_end != p) on_text(std::string_view(p, static_cast<std::size_t>(line_end - p)));
        if (line_end == end) return;
        on_break();
        p = line_end + 1;
        if (*line_end != '\r') continue;
        if (p == end) {
            after_cr = true;
        } else if (*p == '\n') {
            ends.skip(p);
            ++p;
        }
    }
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
