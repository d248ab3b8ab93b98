// SPDX-License-Identifier: MIT
//
// The query of a request target, parameter by parameter, still percent-encoded.
#ifndef SSEKIT_DETAIL_HTTP_QUERY_HPP
#define SSEKIT_DETAIL_HTTP_QUERY_HPP

#include <ssekit/detail/http/text.hpp>

#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

[[nodiscard]] constexpr std::string_view query_of(std::string_view target) noexcept {
    target = take_until(target, '#');
    take_until(target, '?');
    return target;
}

/// Takes parameters off the front of `query` up to and including the next one of that name.
/// \returns its value, a view of nothing if there is none.
[[nodiscard]] constexpr std::string_view take_parameter(std::string_view& query,
                                                        std::string_view name) noexcept {
    while (!query.empty()) {
        std::string_view value = take_until(query, '&');
        if (take_until(value, '=') == name) return value;
    }
    return {};
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
