// SPDX-License-Identifier: MIT
//
// What proxies on the way say of an answer that they have made themselves. Each adds a member to
// the header Proxy-Status, with parameters, one of which is the type of the error.
// Spec: RFC 9209, 2; RFC 8941, 3.1.
#ifndef SSEKIT_DETAIL_HTTP_PROXY_STATUS_HPP
#define SSEKIT_DETAIL_HTTP_PROXY_STATUS_HPP

#include <ssekit/detail/http/text.hpp>

#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns whether a proxy says that this is its error.
[[nodiscard]] constexpr bool has_proxy_error(std::string_view proxy_status,
                                             std::string_view error) noexcept {
    while (!proxy_status.empty()) {
        std::string_view parameters = take_unquoted(proxy_status, ',');
        take_unquoted(parameters, ';'); // the proxy's name
        while (!parameters.empty()) {
            std::string_view value = trim(take_unquoted(parameters, ';'));
            if (take_until(value, '=') == "error" && value == error) return true;
        }
    }
    return false;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
