// SPDX-License-Identifier: MIT
//
// The headers of one request of an event source: the usual ones, those of its owner, which may
// replace the usual ones, and the Last-Event-ID.
// Spec: HTML, 9.2.2 and 9.2.3.
#ifndef SSEKIT_DETAIL_SOURCE_HEADERS_HPP
#define SSEKIT_DETAIL_SOURCE_HEADERS_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/source/redirects.hpp>
#include <ssekit/header.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: assigns to `out` views of what is passed in. Throws std::bad_alloc.
inline void collect_headers(std::vector<header>& out, std::span<const source_header> own,
                            const redirects& way, std::string_view last_event_id) {
    constexpr int usual = 2;
    out.assign({{"Accept", "text/event-stream"}, {"Cache-Control", "no-cache"}});
    for (const source_header& each : own) {
        if (equal_ignoring_case(each.name, "Last-Event-ID") || !way.may_travel(each)) continue;
        const auto same = std::find_if(out.begin(), out.begin() + usual, [&](const header& one) {
            return equal_ignoring_case(one.name, each.name);
        });
        if (same != out.begin() + usual) {
            same->value = each.value;
        } else {
            out.push_back({each.name, each.value});
        }
    }
    if (!last_event_id.empty()) out.push_back({"Last-Event-ID", last_event_id});
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
