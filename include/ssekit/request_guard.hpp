// SPDX-License-Identifier: MIT
//
// Which pages may ask at all. A browser on a private network can be made to send requests to a
// server there by any page that it visits, under a name that the page's owner lets point to that
// server ("DNS rebinding"). Such a request has the page's Origin, and that name as its Host. So a
// server that trusts its network checks both, and answers 403 before it does anything else.
//
// This is another question than that of cors.hpp, which says what a page may read of the answer.
#ifndef SSEKIT_REQUEST_GUARD_HPP
#define SSEKIT_REQUEST_GUARD_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/http_request.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// \returns whether an origin is the one that is named, or, for `https://*.example.org`, of any
/// host below that domain, not of the domain itself. The port has to be the same. "null", which is
/// what sandboxed pages and local files send, is matched by "null" alone; "*" matches all else.
/// Spec: RFC 6454, 6.1 and 7.
[[nodiscard]] constexpr bool matches_origin(std::string_view named,
                                            std::string_view origin) noexcept;

/// \returns whether a Host is the one that is named: without a port in the name, on any port; and
/// for `*.example.org` any host below that domain. Upper and lower case are the same.
/// Spec: RFC 9110, 7.2.
[[nodiscard]] constexpr bool matches_host(std::string_view named, std::string_view host) noexcept;

/// Lifetime: borrows what it is made of.
struct request_guard {
    /// As matches_origin has them; empty: any.
    std::span<const std::string_view> origins = {};
    /// Whether a request without Origin passes: those of programs, and a browser's for a page's own
    /// server by GET.
    bool without_origin = true;
    /// As matches_host has them; empty: any. An HTTP/1.0 request without Host passes only then.
    std::span<const std::string_view> hosts = {};

    /// \returns whether the request may be answered; else the answer is 403.
    [[nodiscard]] constexpr bool admits(const request_view& request) const noexcept {
        const auto is_host = [&](std::string_view name) {
            return matches_host(name, request.host.value_or(""));
        };
        const auto is_origin = [&](std::string_view name) {
            return matches_origin(name, *request.origin);
        };
        if (!hosts.empty() && std::none_of(hosts.begin(), hosts.end(), is_host)) return false;
        if (!request.origin) return without_origin;
        return origins.empty() || std::any_of(origins.begin(), origins.end(), is_origin);
    }
};

// ---- how

namespace detail {

/// \returns whether `name` is `text`, or `text` after one "*." of the name is the end of it, with
/// something before.
[[nodiscard]] constexpr bool matches_below(std::string_view name, std::string_view text) noexcept {
    if (!name.starts_with("*.")) return equal_ignoring_case(name, text);
    name.remove_prefix(1); // ".example.org"
    return text.size() > name.size() && text[0] != '.' &&
           equal_ignoring_case(text.substr(text.size() - name.size()), name);
}

/// \returns where the port begins, with its colon; the size where there is none.
[[nodiscard]] constexpr std::size_t port_of(std::string_view host) noexcept {
    const std::size_t colon = host.rfind(':');
    const std::size_t bracket = host.rfind(']'); // the colons of an IPv6 address are within
    if (colon == host.npos || (bracket != host.npos && colon < bracket)) return host.size();
    return colon;
}

} // namespace detail

constexpr bool matches_origin(std::string_view named, std::string_view origin) noexcept {
    if (origin == "null" || named == "*") return named == origin || origin != "null";
    const std::size_t name_at = named.find("://");
    const std::size_t host_at = origin.find("://");
    if (name_at != host_at || name_at == named.npos) return named == origin;
    return named.substr(0, name_at) == origin.substr(0, host_at) &&
           detail::matches_below(named.substr(name_at + 3), origin.substr(host_at + 3));
}

constexpr bool matches_host(std::string_view named, std::string_view host) noexcept {
    if (host.empty()) return false;
    const bool any_port = detail::port_of(named) == named.size();
    if (any_port) host = host.substr(0, detail::port_of(host));
    return detail::matches_below(named, host);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
