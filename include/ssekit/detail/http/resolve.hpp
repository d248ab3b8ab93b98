// SPDX-License-Identifier: MIT
//
// Where a reference leads: the Location of a redirect. Anything but an http or https URL leads
// nowhere.
// Spec: RFC 3986, 5.2 and 5.3.
#ifndef SSEKIT_DETAIL_HTTP_RESOLVE_HPP
#define SSEKIT_DETAIL_HTTP_RESOLVE_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/http/url.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: appends an absolute path, in which "." and ".." are followed. Spec: RFC 3986, 5.2.4.
/// Preconditions: `path` is empty or begins with a slash.
inline void append_without_dots(std::string& out, std::string_view path) {
    const std::size_t root = out.size();
    while (!path.empty()) {
        path.remove_prefix(1); // the slash
        const std::string_view segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        if (segment == "..") {
            const std::size_t last = out.rfind('/');
            out.resize(last == out.npos || last < root ? root : last);
        } else if (segment != ".") {
            out.append("/").append(segment);
            continue;
        }
        if (path.empty()) out += '/';
    }
    if (out.size() == root) out += '/';
}

/// Effects: appends what a relative reference without an authority means there.
inline void append_relative(std::string& out, const url_parts& base, std::string_view reference) {
    const std::string_view path = reference.substr(0, reference.find('?'));
    out.append(base.scheme).append("://").append(base.authority);
    if (path.empty()) {
        out.append(base.path).append(reference.empty() ? base.query : reference);
        return;
    }
    if (!path.starts_with('/')) {
        const std::size_t last = base.path.rfind('/');
        out.append(last == base.path.npos ? "/" : base.path.substr(0, last + 1));
    }
    out.append(reference);
}

/// \returns the absolute URL that `reference` means in a resource at `base`; "" when that is not an
/// http or https URL, or holds what no URL may hold. One such thing is a backslash in a path:
/// browsers take it for a slash, so that what looks like a path may be another host.
[[nodiscard]] inline std::string resolve_url(std::string_view base, std::string_view reference) {
    reference = reference.substr(0, reference.find('#'));
    if (!has_no_space(reference)) return {};
    if (reference.substr(0, reference.find('?')).find('\\') != reference.npos) return {};
    const url_parts from = split_url(base);
    std::string whole;
    if (!scheme_of(reference).empty()) {
        whole = reference; // whatever follows: "https:path" has no host
    } else if (reference.starts_with("//")) {
        whole.append(from.scheme).append(":").append(reference);
    } else {
        append_relative(whole, from, reference);
    }
    const url_parts parts = split_url(whole);
    if (!is_http(parts)) return {};
    std::string out;
    out.append(parts.scheme).append("://").append(parts.authority);
    append_without_dots(out, parts.path);
    return out.append(parts.query);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
