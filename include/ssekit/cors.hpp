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
#include <ssekit/request_guard.hpp>

#include <algorithm>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: borrows what it is made of.
struct cors_policy {
    /// Origins as browsers send them, `https://example.org`; `https://*.example.org` for all below
    /// a domain; "null" for pages that have none; or "*" for any. See matches_origin.
    std::span<const std::string_view> origins = {};
    /// Cookies are sent and the page may read the answer. Never together with "*": an origin that
    /// only "*" allows is answered without.
    bool credentials = false;
    std::string_view methods = "GET, HEAD, OPTIONS";
    std::string_view headers = "Last-Event-ID, Authorization, Content-Type, Cache-Control";
    /// Further headers of the answer that a page may read, such as "Retry-After"; "": none.
    std::string_view exposed = {};
    std::string_view max_age = "600"; ///< seconds that a browser keeps the answer to a preflight
};

/// Effects: calls `sink(header)` for each header that belongs in the answer to this request,
/// whatever its status: only Vary when the request does not come from an allowed origin. With a
/// `requested_method` it is a preflight; answer that with 204 and an empty body.
/// Spec: Fetch, 3.2. Lifetime: the header views the policy and the request.
template <class Sink>
constexpr void for_each_cors_header(const cors_policy& policy, const request_view& request,
                                    Sink&& sink) {
    const auto names = [&](std::string_view each) {
        return each != "*" && matches_origin(each, *request.origin);
    };
    const auto& list = policy.origins;
    const bool any = std::find(list.begin(), list.end(), std::string_view("*")) != list.end();
    const bool named = request.origin && std::any_of(list.begin(), list.end(), names);
    // Caches must not give one origin's answer to another.
    if (!policy.origins.empty() && (!any || policy.credentials)) {
        sink(header{"Vary", "Origin"});
    }
    if (!request.origin || (!any && !named)) return;
    const bool with_credentials = named && policy.credentials;
    sink(header{"Access-Control-Allow-Origin", named ? *request.origin : "*"});
    if (with_credentials) sink(header{"Access-Control-Allow-Credentials", "true"});
    const bool preflight = request.method == "OPTIONS" && request.requested_method;
    if (!preflight && !policy.exposed.empty()) {
        sink(header{"Access-Control-Expose-Headers", policy.exposed});
    }
    if (!preflight) return;
    sink(header{"Access-Control-Allow-Methods", policy.methods});
    sink(header{"Access-Control-Allow-Headers", policy.headers});
    sink(header{"Access-Control-Max-Age", policy.max_age});
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
