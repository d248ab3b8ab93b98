// SPDX-License-Identifier: MIT
//
// The four forms of a request target. A server usually gets the first, has to accept the second,
// and has to recognise the others:
//
//   origin     /path?query             as most requests have it
//   absolute   http://host/path?query  as a request to a proxy has it
//   authority  host:port               CONNECT alone
//   asterisk   *                       OPTIONS alone
//
// Spec: RFC 9112, 3.2.
#ifndef SSEKIT_DETAIL_HTTP_TARGET_HPP
#define SSEKIT_DETAIL_HTTP_TARGET_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/http/url.hpp>

#include <cstddef>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// The value of Host: a host and perhaps a port. Spec: RFC 9110, 7.2.
[[nodiscard]] constexpr bool is_host_field(std::string_view text) noexcept {
    const host_and_port where = split_host(text);
    return is_ascii(text) && is_host(where.host) && is_port(where.port);
}

struct request_target {
    bool is_good = false;
    std::string_view target = {}; // "/path?query" or "?query" of the first two; the others whole
    std::string_view host = {};   // of the absolute form
};

/// Does not look for bytes that a target may not hold.
[[nodiscard]] constexpr request_target read_target(std::string_view method,
                                                   std::string_view text) noexcept {
    if (method == "CONNECT") return {is_host_field(text) && !split_host(text).port.empty(), text};
    if (text.starts_with('/')) return {true, text};
    if (text == "*") return {method == "OPTIONS", text};
    const url_parts url = split_url(text);
    const bool has_user = url.authority.find('@') != url.authority.npos; // Spec: RFC 9110, 4.2.4
    if (!is_http(url) || has_user) return {};
    const std::size_t begin = url.scheme.size() + 3 + url.authority.size();
    const std::string_view rest = text.substr(begin);
    return {true, rest.starts_with('/') || rest.starts_with('?') ? rest : "/", url.authority};
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
