// SPDX-License-Identifier: MIT
//
// Event streams for pages of other origins. A browser asks by `Origin`; the answer's headers allow
// the page to read. An EventSource made with `withCredentials` sends cookies, and then only a named
// origin works. A plain EventSource needs no preflight, not even to come back with its
// Last-Event-ID; fetch with an Authorization header does.
#ifndef SSEKIT_CORS_HPP
#define SSEKIT_CORS_HPP

#include <ssekit/header.hpp>
#include <ssekit/http_request.hpp>

#include <algorithm>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: borrows what it is made of.
struct cors_policy {
    /// Whole origins as browsers send them, `https://example.org`; or "*" for any.
    std::span<const std::string_view> origins = {};
    /// Cookies are sent and the page may read the answer. Never together with "*": an origin that
    /// only "*" allows is answered without.
    bool credentials = false;
    std::string_view methods = "GET, HEAD, OPTIONS";
    std::string_view headers = "Last-Event-ID, Authorization, Content-Type, Cache-Control";
    std::string_view max_age = "600"; ///< seconds that a browser keeps the answer to a preflight
};

/// Effects: calls `sink(header)` for each header that belongs in the answer to this request,
/// whatever its status: only Vary when the request does not come from an allowed origin. With a
/// `requested_method` it is a preflight; answer that with 204 and an empty body.
/// Spec: Fetch, 3.2. Lifetime: the header views the policy and the request.
template <class Sink>
constexpr void for_each_cors_header(const cors_policy& policy, const request_view& request,
                                    Sink&& sink) {
    const auto allows = [&](std::string_view origin) {
        return std::find(policy.origins.begin(), policy.origins.end(), origin) !=
               policy.origins.end();
    };
    const bool any = allows("*");
    const bool named = request.origin && *request.origin != "*" && allows(*request.origin);
    // Caches must not give one origin's answer to another.
    if (!policy.origins.empty() && (!any || policy.credentials)) {
        sink(header{"Vary", "Origin"});
    }
    if (!request.origin || (!any && !named)) return;
    const bool with_credentials = named && policy.credentials;
    sink(header{"Access-Control-Allow-Origin", named ? *request.origin : "*"});
    if (with_credentials) sink(header{"Access-Control-Allow-Credentials", "true"});
    if (request.method != "OPTIONS" || !request.requested_method) return;
    sink(header{"Access-Control-Allow-Methods", policy.methods});
    sink(header{"Access-Control-Allow-Headers", policy.headers});
    sink(header{"Access-Control-Max-Age", policy.max_age});
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
