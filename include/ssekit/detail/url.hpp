// SPDX-License-Identifier: MIT
//
// As much of URLs as following a redirect takes: where a reference leads, and whether two URLs have
// the same origin. Nothing is decoded, and what is no http or https URL leads nowhere.
// Spec: RFC 3986, 5.2 and 5.3.
#ifndef SSEKIT_DETAIL_URL_HPP
#define SSEKIT_DETAIL_URL_HPP

#include <ssekit/detail/http_text.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ssekit::detail {

struct url_parts {
    std::string_view scheme; // without the colon
    std::string_view host;
    std::string_view port;
    std::string_view authority; // with user, host and port
    std::string_view path;      // up to the query
    std::string_view query;     // with its '?'
};

/// \returns parts without a scheme when `url` is not absolute.
[[nodiscard]] constexpr url_parts split_url(std::string_view url) noexcept {
    url_parts out{};
    url = url.substr(0, url.find('#'));
    const std::size_t colon = url.find("://");
    if (colon == url.npos || !consists_of(url.substr(0, colon), "+-.")) return out;
    out.scheme = url.substr(0, colon);
    url.remove_prefix(colon + 3);
    out.authority = url.substr(0, url.find_first_of("/?"));
    url.remove_prefix(out.authority.size());
    out.path = url.substr(0, url.find('?'));
    out.query = url.substr(out.path.size());
    out.host = out.authority.substr(out.authority.find('@') + 1); // npos + 1 is the beginning
    const std::size_t bracket = out.host.find(']');
    const std::size_t port = out.host.find(':', bracket == out.host.npos ? 0 : bracket);
    if (port != out.host.npos) {
        out.port = out.host.substr(port + 1);
        out.host = out.host.substr(0, port);
    }
    return out;
}

/// An empty one means the scheme's own.
[[nodiscard]] constexpr bool is_port(std::string_view text) noexcept {
    std::uint32_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + static_cast<std::uint32_t>(c - '0');
        if (value > 65535) return false;
    }
    return true;
}

[[nodiscard]] constexpr bool is_http(const url_parts& url) noexcept {
    const bool scheme =
        equal_ignoring_case(url.scheme, "http") || equal_ignoring_case(url.scheme, "https");
    return scheme && !url.host.empty() && is_port(url.port);
}

[[nodiscard]] constexpr std::string_view port_of(const url_parts& url) noexcept {
    if (!url.port.empty()) return url.port;
    return equal_ignoring_case(url.scheme, "https") ? "443" : "80";
}

/// Spec: HTML, 7.1.1 "Origins": scheme, host and port.
[[nodiscard]] constexpr bool same_origin(std::string_view a, std::string_view b) noexcept {
    const url_parts one = split_url(a);
    const url_parts two = split_url(b);
    return is_http(one) && equal_ignoring_case(one.scheme, two.scheme) &&
           equal_ignoring_case(one.host, two.host) && port_of(one) == port_of(two);
}

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

/// Nor control characters: whether it may stand in the first line of a request.
[[nodiscard]] constexpr bool has_no_space(std::string_view url) noexcept {
    for (const char c : url) {
        if (static_cast<unsigned char>(c) <= ' ' || c == '\x7F') return false;
    }
    return true;
}

/// \returns the absolute URL that `reference` means in a resource at `base`; "" when it is none of
/// http or https, or holds what no URL may hold.
[[nodiscard]] inline std::string resolve_url(std::string_view base, std::string_view reference) {
    if (!has_no_space(reference)) return {};
    const url_parts from = split_url(base);
    const std::size_t slashes = reference.find("://");
    const bool absolute = slashes != reference.npos &&
                          reference.substr(0, slashes).find_first_of("/?#") == reference.npos;
    std::string whole;
    if (absolute) {
        whole = reference;
    } else if (reference.starts_with("//")) {
        whole.append(from.scheme).append(":").append(reference);
    } else {
        reference = reference.substr(0, reference.find('#'));
        const std::string_view path = reference.substr(0, reference.find('?'));
        whole.append(from.scheme).append("://").append(from.authority);
        if (path.empty()) {
            whole.append(from.path);
            whole.append(reference.empty() ? from.query : reference);
        } else if (path.starts_with('/')) {
            whole.append(reference);
        } else {
            const std::size_t last = from.path.rfind('/');
            whole.append(last == from.path.npos ? "/" : from.path.substr(0, last + 1));
            whole.append(reference);
        }
    }
    const url_parts parts = split_url(whole);
    if (!is_http(parts)) return {};
    std::string out;
    out.append(parts.scheme).append("://").append(parts.authority);
    append_without_dots(out, parts.path);
    return out.append(parts.query);
}

} // namespace ssekit::detail

#endif
