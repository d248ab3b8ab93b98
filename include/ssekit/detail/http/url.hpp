// SPDX-License-Identifier: MIT
//
// As much of URLs as a request and a redirect need: the parts, and whether two URLs have the same
// origin. Nothing is decoded.
// Spec: RFC 3986, 3.
#ifndef SSEKIT_DETAIL_HTTP_URL_HPP
#define SSEKIT_DETAIL_HTTP_URL_HPP

#include <ssekit/detail/http/text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns what stands before the first colon, if that makes a scheme; else a view of nothing.
/// Spec: RFC 3986, 3.1.
[[nodiscard]] constexpr std::string_view scheme_of(std::string_view reference) noexcept {
    const std::size_t colon = reference.find(':');
    if (colon == reference.npos) return {};
    const std::string_view scheme = reference.substr(0, colon);
    return consists_of(scheme, "+-.") && is_letter(scheme[0]) ? scheme : std::string_view();
}

struct host_and_port {
    std::string_view host; // with its brackets, if it has some
    std::string_view port; // without the colon
    bool has_colon;
};

[[nodiscard]] constexpr host_and_port split_host(std::string_view text) noexcept {
    const std::size_t bracket = text.find(']');
    const std::size_t colon = text.find(':', bracket == text.npos ? 0 : bracket);
    if (colon == text.npos) return {text, {}, false};
    return {text.substr(0, colon), text.substr(colon + 1), true};
}

/// A name, or an IPv6 address in brackets; names of other scripts pass as they are.
/// Spec: RFC 3986, 3.2.2.
[[nodiscard]] constexpr bool is_host(std::string_view text) noexcept {
    if (text.starts_with('[')) {
        return text.ends_with(']') && consists_of(text.substr(1, text.size() - 2), ":.");
    }
    constexpr std::string_view others = "-._~%!$&'()*+,;=";
    for (const char c : text) {
        const bool is_foreign = static_cast<unsigned char>(c) > 0x7F;
        if (!is_foreign && !consists_of({&c, 1}, others)) return false;
    }
    return !text.empty();
}

/// An empty one means the scheme's own.
[[nodiscard]] constexpr bool is_port(std::string_view text) noexcept {
    std::uint32_t value = 0;
    for (const char c : text) {
        if (!is_digit(c)) return false;
        value = value * 10 + static_cast<std::uint32_t>(c - '0');
        if (value > 65535) return false;
    }
    return true;
}

struct url_parts {
    std::string_view scheme; // without the colon
    std::string_view host;
    std::string_view port;
    std::string_view authority; // with user, host and port
    std::string_view path;      // up to the query
    std::string_view query;     // with its '?'
};

/// \returns parts without a scheme when `url` is not absolute, or has no authority.
[[nodiscard]] constexpr url_parts split_url(std::string_view url) noexcept {
    url_parts out{};
    url = url.substr(0, url.find('#'));
    const std::string_view scheme = scheme_of(url);
    if (scheme.empty() || !url.substr(scheme.size()).starts_with("://")) return out;
    out.scheme = scheme;
    url.remove_prefix(scheme.size() + 3);
    out.authority = url.substr(0, url.find_first_of("/?"));
    url.remove_prefix(out.authority.size());
    out.path = url.substr(0, url.find('?'));
    out.query = url.substr(out.path.size());
    // npos + 1 is the beginning. With two '@' a host with an '@' is left, which is not a host.
    const host_and_port where = split_host(out.authority.substr(out.authority.find('@') + 1));
    out.host = where.host;
    out.port = where.port;
    return out;
}

[[nodiscard]] constexpr bool is_http(const url_parts& url) noexcept {
    const bool scheme =
        equal_ignoring_case(url.scheme, "http") || equal_ignoring_case(url.scheme, "https");
    return scheme && is_host(url.host) && is_port(url.port);
}

/// Preconditions: it is http or https.
[[nodiscard]] constexpr std::string_view port_of(const url_parts& url) noexcept {
    if (url.port.empty()) return equal_ignoring_case(url.scheme, "https") ? "443" : "80";
    return url.port.substr((std::min)(url.port.find_first_not_of('0'), url.port.size() - 1));
}

/// Spec: HTML, 7.1.1 "Origins": scheme, host and port.
[[nodiscard]] constexpr bool same_origin(std::string_view a, std::string_view b) noexcept {
    const url_parts one = split_url(a);
    const url_parts two = split_url(b);
    return is_http(one) && is_http(two) && equal_ignoring_case(one.scheme, two.scheme) &&
           equal_ignoring_case(one.host, two.host) && port_of(one) == port_of(two);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
