// SPDX-License-Identifier: MIT
//
// Requests of the Model Context Protocol over streamable HTTP: which answer each gets, as far as
// method and headers decide it. There is one endpoint, and two ages of the protocol:
//
//     2025-03-26 to 2025-11-25   POST brings a message, GET opens a stream or goes on with one that
//                                was cut (Last-Event-ID), DELETE ends the session
//     2026-07-28                 POST alone: no sessions, nothing is resumed; headers repeat what
//                                the body says
//
// A server asks twice. `judge_mcp_request` sees the head alone: it turns away what is not to be
// answered, and says what a GET or a DELETE is for. A POST's body the server reads with its own
// JSON library; it tells `judge_mcp_message` what it has found, and learns what the message is to
// get. Nothing is kept between calls: which sessions there are the server knows, and nobody else.
//
// Spec: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports and
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http, here
// "2025" and "2026" with the name of the section.
#ifndef SSEKIT_MCP_REQUEST_HPP
#define SSEKIT_MCP_REQUEST_HPP

#include <ssekit/detail/http/accept.hpp>
#include <ssekit/detail/http/encoded_value.hpp>
#include <ssekit/detail/http/text.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/request_guard.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// In the order of time, so that `<` means "earlier".
enum class mcp_revision : std::uint8_t { v2025_03_26, v2025_06_18, v2025_11_25, v2026_07_28 };

/// What each is called on the wire, in the same order.
inline constexpr std::array<std::string_view, 4> mcp_revision_names = {"2025-03-26", "2025-06-18",
                                                                       "2025-11-25", "2026-07-28"};

[[nodiscard]] constexpr std::string_view name_of(mcp_revision revision) noexcept {
    return mcp_revision_names[static_cast<std::size_t>(revision)];
}

/// \returns nullopt for a name that is not known.
[[nodiscard]] constexpr std::optional<mcp_revision>
find_mcp_revision(std::string_view name) noexcept {
    for (std::size_t i = 0; i < mcp_revision_names.size(); ++i) {
        if (mcp_revision_names[i] == name) return static_cast<mcp_revision>(i);
    }
    return std::nullopt;
}

/// Whether it knows `initialize`, sessions, GET and DELETE.
[[nodiscard]] constexpr bool has_mcp_sessions(mcp_revision revision) noexcept {
    return revision < mcp_revision::v2026_07_28;
}

/// \returns what to answer `initialize` with that asks for a revision by this name: the same where
/// there is one with sessions of that name, else the newest with sessions.
/// Spec: 2025, Lifecycle, "Version Negotiation".
[[nodiscard]] constexpr mcp_revision negotiate_mcp_revision(std::string_view asked) noexcept {
    const mcp_revision found = find_mcp_revision(asked).value_or(mcp_revision::v2025_11_25);
    return has_mcp_sessions(found) ? found : mcp_revision::v2025_11_25;
}

/// \returns whether a session may have this id: visible ASCII, and some of it.
/// Spec: 2025, "Session Management".
[[nodiscard]] constexpr bool is_mcp_session_id(std::string_view id) noexcept {
    for (const char c : id) {
        if (c <= ' ' || c > '~') return false;
    }
    return !id.empty();
}

/// \returns whether the header (Mcp-Name, Mcp-Param-*) repeats a value of the body, as it is or in
/// base64. Spec: 2026, "Value Encoding", "Server Validation".
[[nodiscard]] constexpr bool mcp_header_matches(std::string_view header,
                                                std::string_view value) noexcept {
    return detail::matches_value(header, value);
}

/// \returns whether both Host and, where there is one, Origin name this machine: localhost,
/// 127.0.0.1 or [::1], on any port. So no page of another site passes, under whatever name it
/// reaches the server ("DNS rebinding"). Spec: 2025, "Security Warning".
[[nodiscard]] constexpr bool is_local_request(const request_view& request) noexcept;

/// What matters of a request. Lifetime: views of what it was made of.
struct mcp_request {
    request_view http = {};
    std::optional<std::string_view> accept = {};           ///< all its lines, joined by ", "
    std::optional<std::string_view> protocol_version = {}; ///< MCP-Protocol-Version
    std::optional<std::string_view> session_id = {};       ///< MCP-Session-Id
    std::optional<std::string_view> method = {};           ///< Mcp-Method, of 2026-07-28
    std::optional<std::string_view> name = {};             ///< Mcp-Name, likewise
};

/// \param find as read_request takes it
template <class FindHeader>
[[nodiscard]] constexpr mcp_request read_mcp_request(const request_view& http, FindHeader&& find) {
    const auto value = [&](std::string_view name) -> std::optional<std::string_view> {
        const std::optional<std::string_view> found = find(name);
        return found ? std::optional(detail::trim(*found)) : std::nullopt;
    };
    return {.http = http,
            .accept = value("Accept"),
            .protocol_version = value("MCP-Protocol-Version"),
            .session_id = value("MCP-Session-Id"),
            .method = value("Mcp-Method"),
            .name = value("Mcp-Name")};
}

/// What a server offers. Lifetime: borrows what `guard` does.
struct mcp_policy {
    mcp_revision oldest = mcp_revision::v2025_03_26;
    mcp_revision newest = mcp_revision::v2026_07_28;
    /// Requests have to be local. A server for others says false, and names itself in `guard`.
    bool is_local = true;
    request_guard guard = {};
    bool has_sessions = true;    ///< else no id is asked for, and DELETE gets 405
    bool has_get_streams = true; ///< else GET does
    bool has_delete = true;      ///< else DELETE does
};

/// Codes of JSON-RPC, and of MCP. Spec: JSON-RPC 2.0, 5.1; MCP 2026-07-28, "Error Codes".
enum class mcp_error : int {
    none = 0,
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    header_mismatch = -32020,
    missing_capability = -32021,
    unsupported_revision = -32022, ///< its data: {"supported": [...], "requested": "..."}
};

enum class mcp_step : std::uint8_t {
    refuse,        ///< with `status`, `error` and `allow`
    read_message,  ///< of a POST, and ask judge_mcp_message
    begin_session, ///< the message is `initialize`: answer with a new MCP-Session-Id
    answer,        ///< a request: with JSON, or a stream that ends with the response
    accept,        ///< a notification or a response: 202 without a body
    listen,        ///< GET: a stream for what belongs to no request
    resume,        ///< GET: the stream that its Last-Event-ID is of, from there on
    end_session,   ///< DELETE: then 204; 404 to all that comes with its id later
};

struct mcp_verdict {
    mcp_step step = mcp_step::refuse;
    int status = 200;
    mcp_error error = mcp_error::none;
    std::string_view allow = {}; ///< with 405, for the Allow header
    mcp_revision revision = mcp_revision::v2025_03_26;

    [[nodiscard]] constexpr bool is_refused() const noexcept { return step == mcp_step::refuse; }
};

/// \returns what becomes of a request, as far as its head says:
///
/// | 403 | the policy does not admit it          | 2025 "Security Warning", 2026 "Security" |
/// | 405 | another method: `allow` names those   | 2025 "Listening", 2026 "Earlier ..."     |
/// | 400 | a revision that is not offered        | "Protocol Version Header"                |
/// | 400 | GET or DELETE without a session's id, | 2025 "Session Management"                |
/// |     | or an id that no session has          |                                          |
/// | 406 | GET that takes no event streams; POST | 2025 "Sending", "Listening"              |
/// |     | that does not take JSON and streams   |                                          |
/// | 415 | POST of another type than JSON        | RFC 9110, 15.5.16                        |
///
/// A request that names no revision is of the oldest one that is offered, if that has sessions, as
/// `initialize` is; later the session's own revision counts. Where none with sessions is offered it
/// is refused with mcp_error::header_mismatch. In 2026-07-28 GET and DELETE get 405, and a
/// session's id and a Last-Event-ID mean nothing. The answer to OPTIONS, if pages of other origins
/// are to ask, is that of cors.hpp: give it before.
[[nodiscard]] constexpr mcp_verdict judge_mcp_request(const mcp_request& request,
                                                      const mcp_policy& policy = {}) noexcept;

enum class mcp_kind : std::uint8_t {
    request,      ///< it has an id and a method
    notification, ///< a method alone
    response,     ///< neither: `result` or `error`
};

/// What a server's JSON library has found in the body. Lifetime: views of that.
struct mcp_message {
    mcp_kind kind = mcp_kind::request;
    std::string_view method = {};
    /// params.name, or params.uri for resources/read.
    std::optional<std::string_view> name = {};
    /// params._meta["io.modelcontextprotocol/protocolVersion"]
    std::optional<std::string_view> protocol_version = {};
    /// params._meta["io.modelcontextprotocol/clientCapabilities"] is an object.
    bool has_capabilities = false;
};

/// \returns what a message gets whose request is to be read, in a session's revision where there
/// is a session, else that of the first verdict:
///
/// | 400 | invalid_request  | no session's id, and not `initialize` | 2025 "Session Management" |
/// | 400 | invalid_params   | `_meta` lacks revision, capabilities  | 2026 Overview, "_meta"    |
/// | 400 | header_mismatch  | a header is missing or says otherwise | 2026 "Server Validation"  |
/// | 400 | invalid_request  | a response: nothing was asked         | 2026 "Sending Messages"   |
/// | 404 | method_not_found | the revision has done away with it    | 2026 "Protocol Version"   |
///
/// It knows nothing of which sessions there are (404 for one that has ended), or of which other
/// methods the server has: see mcp_error_status. In 2025-03-26 a body may be an array of messages;
/// each is judged alone.
[[nodiscard]] constexpr mcp_verdict judge_mcp_message(const mcp_request& request,
                                                      const mcp_message& message,
                                                      mcp_revision revision,
                                                      const mcp_policy& policy = {}) noexcept;

/// \returns the status of an answer that is a JSON-RPC error: in 2026-07-28 the errors of the
/// protocol have one of their own; before, all that is known of the request is in the body.
/// Spec: 2026 "Protocol Version Header", "Server Validation".
[[nodiscard]] constexpr int mcp_error_status(mcp_revision revision, mcp_error error) noexcept {
    if (error == mcp_error::parse_error || error == mcp_error::invalid_request) return 400;
    if (has_mcp_sessions(revision)) return 200;
    switch (error) {
    case mcp_error::method_not_found: return 404;
    case mcp_error::header_mismatch:
    case mcp_error::missing_capability:
    case mcp_error::unsupported_revision: return 400;
    default: return 200;
    }
}

// ---- how

namespace detail {

constexpr bool is_local_host(std::string_view host) noexcept {
    for (const std::string_view name : {"localhost", "127.0.0.1", "[::1]"}) {
        if (matches_host(name, host)) return true;
    }
    return false;
}

constexpr mcp_verdict refuse_mcp(mcp_revision revision, int status,
                                 mcp_error error = mcp_error::invalid_request,
                                 std::string_view allow = {}) noexcept {
    return {mcp_step::refuse, status, error, allow, revision};
}

constexpr bool is_json_type(std::string_view type) noexcept {
    return equal_ignoring_case(trim(take_until(type, ';')), "application/json");
}

constexpr bool ends_sessions(const mcp_policy& policy) noexcept {
    return policy.has_sessions && policy.has_delete;
}

/// \returns whether an id is missing, or none that a session can have.
constexpr bool lacks_session(const mcp_request& request, const mcp_policy& policy) noexcept {
    return policy.has_sessions && !is_mcp_session_id(request.session_id.value_or(""));
}

constexpr std::string_view allowed_methods(const mcp_policy& policy, bool sessions) noexcept {
    if (!sessions || (!policy.has_get_streams && !ends_sessions(policy))) return "POST";
    if (!ends_sessions(policy)) return "GET, POST";
    return policy.has_get_streams ? "GET, POST, DELETE" : "POST, DELETE";
}

constexpr bool is_gone_from_2026(std::string_view method) noexcept {
    for (const std::string_view gone : {"initialize", "ping", "logging/setLevel",
                                        "resources/subscribe", "resources/unsubscribe"}) {
        if (method == gone) return true;
    }
    return false;
}

constexpr bool needs_name(std::string_view method) noexcept {
    return method == "tools/call" || method == "resources/read" || method == "prompts/get";
}

constexpr mcp_error check_stateless(const mcp_request& request,
                                    const mcp_message& message) noexcept {
    if (!message.protocol_version || !message.has_capabilities) return mcp_error::invalid_params;
    if (!request.protocol_version || *request.protocol_version != *message.protocol_version) {
        return mcp_error::header_mismatch;
    }
    if (!request.method || *request.method != message.method) return mcp_error::header_mismatch;
    if (needs_name(message.method) && message.name &&
        (!request.name || !matches_value(*request.name, *message.name))) {
        return mcp_error::header_mismatch;
    }
    return is_gone_from_2026(message.method) ? mcp_error::method_not_found : mcp_error::none;
}

} // namespace detail

constexpr bool is_local_request(const request_view& request) noexcept {
    if (!detail::is_local_host(request.host.value_or(""))) return false;
    if (!request.origin) return true;
    const std::size_t scheme = request.origin->find("://");
    return scheme != std::string_view::npos &&
           detail::is_local_host(request.origin->substr(scheme + 3));
}

constexpr mcp_verdict judge_mcp_request(const mcp_request& request,
                                        const mcp_policy& policy) noexcept {
    const std::string_view method = request.http.method;
    const bool is_get = method == "GET" || method == "HEAD";
    mcp_revision revision = mcp_revision::v2025_03_26;
    if ((policy.is_local && !is_local_request(request.http)) ||
        !policy.guard.admits(request.http)) {
        return detail::refuse_mcp(revision, 403);
    }
    if (method.empty()) return detail::refuse_mcp(revision, 400);
    const bool has_old = has_mcp_sessions(policy.oldest);
    std::optional<mcp_revision> named;
    if (request.protocol_version) {
        named = find_mcp_revision(*request.protocol_version);
    } else if (has_old) {
        named = policy.oldest; // `initialize` never says it
    }
    const bool offered = named && *named >= policy.oldest && *named <= policy.newest;
    revision = named.value_or(policy.newest);
    // What is not offered is no reason to have other methods.
    const bool sessions = offered ? has_mcp_sessions(revision) : has_old;
    const bool is_here = method == "POST" || (sessions && is_get && policy.has_get_streams) ||
                         (sessions && method == "DELETE" && detail::ends_sessions(policy));
    if (!is_here) {
        return detail::refuse_mcp(revision, 405, mcp_error::invalid_request,
                                  detail::allowed_methods(policy, sessions));
    }
    if (!offered) {
        return detail::refuse_mcp(revision, 400,
                                  request.protocol_version ? mcp_error::unsupported_revision
                                                           : mcp_error::header_mismatch);
    }
    const bool takes_stream = detail::judge_accept(request.accept.value_or("")).allowed;
    const bool takes_json =
        detail::judge_accept(request.accept.value_or(""), detail::json_ranges).allowed;
    if (method == "POST") {
        if (!detail::is_json_type(request.http.content_type.value_or(""))) {
            return detail::refuse_mcp(revision, 415);
        }
        if (!takes_stream || !takes_json) return detail::refuse_mcp(revision, 406);
        return {mcp_step::read_message, 200, mcp_error::none, {}, revision};
    }
    if (is_get && !takes_stream) return detail::refuse_mcp(revision, 406);
    if (detail::lacks_session(request, policy)) {
        return detail::refuse_mcp(revision, 400);
    }
    const mcp_step step = !is_get                      ? mcp_step::end_session
                          : request.http.last_event_id ? mcp_step::resume
                                                       : mcp_step::listen;
    return {step, 200, mcp_error::none, {}, revision};
}

constexpr mcp_verdict judge_mcp_message(const mcp_request& request, const mcp_message& message,
                                        mcp_revision revision, const mcp_policy& policy) noexcept {
    if (!has_mcp_sessions(revision)) {
        // No header of a notification is asked for. Spec: 2026, "Sending Messages".
        if (message.kind == mcp_kind::response) return detail::refuse_mcp(revision, 400);
        if (message.kind == mcp_kind::notification) {
            return {mcp_step::accept, 202, mcp_error::none, {}, revision};
        }
        const mcp_error wrong = detail::check_stateless(request, message);
        if (wrong != mcp_error::none) {
            return detail::refuse_mcp(revision, wrong == mcp_error::method_not_found ? 404 : 400,
                                      wrong);
        }
        return {mcp_step::answer, 200, mcp_error::none, {}, revision};
    }
    if (message.kind == mcp_kind::request && message.method == "initialize") {
        return {mcp_step::begin_session, 200, mcp_error::none, {}, revision};
    }
    if (detail::lacks_session(request, policy)) {
        return detail::refuse_mcp(revision, 400);
    }
    if (message.kind != mcp_kind::request) {
        return {mcp_step::accept, 202, mcp_error::none, {}, revision};
    }
    return {mcp_step::answer, 200, mcp_error::none, {}, revision};
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
