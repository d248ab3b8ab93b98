// SPDX-License-Identifier: MIT
//
// What a server decides for each address where it has a stream: which methods it answers, whether
// Accept matters, which pages may ask, what they may read, which headers go with every answer. It
// is said once, as a stream_route, and holds for streams and refusals alike.
#ifndef SSEKIT_STREAM_ROUTE_HPP
#define SSEKIT_STREAM_ROUTE_HPP

#include <ssekit/cors.hpp>
#include <ssekit/detail/http/text.hpp>
#include <ssekit/header.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/request_guard.hpp>

#include <cstdint>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// The methods of a stream that is read, as the header Allow has them. Spec: RFC 9110, 10.2.1.
inline constexpr std::string_view stream_methods = "GET, HEAD, OPTIONS";

/// Which requests are refused when their Accept does not allow text/event-stream.
enum class accept_rule : std::uint8_t {
    of_reads, ///< GET and HEAD; the SDKs of language models POST with application/json alone
    of_all,
    of_none,
};

/// Lifetime: borrows what it is made of.
struct stream_route {
    /// The methods, as the header Allow has them. Empty: any, because the server's own router has
    /// chosen by method.
    std::string_view allow = stream_methods;
    accept_rule accept = accept_rule::of_reads;
    request_guard guard = {};             ///< who is not admitted gets 403
    cors_policy cors = {};                ///< what pages of other origins may do
    std::span<const header> headers = {}; ///< of every answer, besides
    request_limits limits = {};
};

/// \returns how a request for an event stream is answered:
///
/// | 200 | with a stream; after HEAD with its head alone               |
/// | 204 | it is OPTIONS: `for_each_route_header` has what belongs to it |
/// | 400 | it is no request, or asks for no resource, or it is a QUERY that does not say of what
///         type its body is                                           |
/// | 403 | the route's guard does not admit it                         |
/// | 405 | another method                                              |
/// | 406 | it does not accept event streams                            |
/// | 431 | its Authorization is too long                               |
///
/// Spec: RFC 9110, 9 and 15; RFC 10008, 2 for QUERY.
[[nodiscard]] constexpr int stream_status(const request_view& request,
                                          const stream_route& route = {}) noexcept;

/// Effects: calls `sink(header)` for each header that the route adds to an answer of this status:
/// Allow, those of cors.hpp, and its own. Lifetime: the header views the route and the request.
/// Spec: RFC 9110, 10.2.1 and 15.5.6.
template <class Sink>
constexpr void for_each_route_header(const stream_route& route, const request_view& request,
                                     int status, Sink&& sink) {
    const bool tells_methods = status == 405 || request.method == "OPTIONS";
    if (tells_methods && !route.allow.empty()) sink(header{"Allow", route.allow});
    for_each_cors_header(route.cors, request, sink);
    for (const header& each : route.headers) sink(each);
}

// ---- how

namespace detail {

[[nodiscard]] constexpr bool is_listed(std::string_view list, std::string_view name) noexcept {
    while (!list.empty()) {
        if (trim(take_until(list, ',')) == name) return true;
    }
    return false;
}

} // namespace detail

constexpr int stream_status(const request_view& request, const stream_route& route) noexcept {
    const std::string_view method = request.method;
    if (method.empty()) return 400;
    if (!route.guard.admits(request)) return 403;
    if (request.authorization && request.authorization->size() > route.limits.token) return 431;
    const bool allowed = route.allow.empty() || detail::is_listed(route.allow, method);
    if (method == "OPTIONS") return allowed ? 204 : 405;
    if (!allowed) return 405;
    if (request.path().empty()) return 400; // CONNECT
    if (method == "QUERY" && !request.content_type) return 400;
    const bool reads = method == "GET" || method == "HEAD";
    const bool matters =
        route.accept == accept_rule::of_reads ? reads : route.accept == accept_rule::of_all;
    return !matters || accepts_event_stream(request.accept) ? 200 : 406;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
