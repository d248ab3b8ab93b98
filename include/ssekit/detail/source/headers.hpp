// SPDX-License-Identifier: MIT
//
// The headers of one request of an event source: the usual ones, those of its owner, which may
// replace the usual ones, and the Last-Event-ID, if a header can carry it.
// Spec: HTML, 9.2.2 and 9.2.3.
#ifndef SSEKIT_DETAIL_SOURCE_HEADERS_HPP
#define SSEKIT_DETAIL_SOURCE_HEADERS_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/source/redirects.hpp>
#include <ssekit/header.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Whether a header brings it to a server as it is: no control characters, and no white space at
/// its edges, which does not count there. Spec: RFC 9110, 5.5.
[[nodiscard]] constexpr bool can_travel(std::string_view id) noexcept {
    return is_field_value(id) && trim(id).size() == id.size();
}

inline void remove_header(std::vector<source_header>& headers, std::string_view name) noexcept {
    std::erase_if(headers, [name](const source_header& each) {
        return equal_ignoring_case(each.name, name);
    });
}

/// Effects: takes the place of those of that name, and is secret if one of them was.
/// \returns false, with nothing changed, when no request may hold it. Throws std::bad_alloc, and
/// then nothing has changed.
[[nodiscard]] inline bool set_header(std::vector<source_header>& headers, std::string_view name,
                                     std::string_view value, bool is_secret) {
    if (!is_valid_header({name, value})) return false;
    for (const source_header& each : headers) {
        if (equal_ignoring_case(each.name, name)) is_secret = is_secret || each.is_secret;
    }
    source_header made{std::string(name), std::string(value), is_secret};
    headers.reserve(headers.size() + 1);
    remove_header(headers, name);
    headers.push_back(std::move(made));
    return true;
}

/// Effects: assigns to `out` views of what is passed in. Throws std::bad_alloc.
/// \param codings for Accept-Encoding; "" for none of its own
inline void collect_headers(std::vector<header>& out, std::span<const source_header> own,
                            const redirects& way, std::string_view last_event_id,
                            std::string_view codings = {}) {
    const auto is_given = [own](std::string_view name) {
        return std::any_of(own.begin(), own.end(), [name](const source_header& each) {
            return equal_ignoring_case(each.name, name);
        });
    };
    constexpr int usual = 2;
    out.assign({{"Accept", "text/event-stream"}, {"Cache-Control", "no-cache"}});
    if (!codings.empty() && !is_given("Accept-Encoding")) {
        out.push_back({"Accept-Encoding", codings});
    }
    if (!way.credentials().empty() && !is_given("Authorization")) {
        out.push_back({"Authorization", way.credentials()});
    }
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
    if (!last_event_id.empty() && can_travel(last_event_id))
        out.push_back({"Last-Event-ID", last_event_id});
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
