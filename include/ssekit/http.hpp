// SPDX-License-Identifier: MIT
//
// How to answer a request for an event stream in HTTP, as text: no sockets, no server. A server
// with response objects of its own takes `stream_headers` and `refusal_of`; one that writes bytes
// takes `response_head` or `append_response`, and asks `framing_for` which framing the client
// understands.
#ifndef SSEKIT_HTTP_HPP
#define SSEKIT_HTTP_HPP

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/header.hpp>
#include <ssekit/http_request.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// The headers of every response that is an event stream, whatever the HTTP version. no-store keeps
/// caches away, and no-transform what would compress; the others ask proxies to pass on each event
/// as it comes, nginx by its own name and all by the standard's. Spec: RFC 10036; RFC 9111, 5.2.2.
inline constexpr std::array<header, 4> stream_headers = {{
    {"Content-Type", "text/event-stream"},
    {"Cache-Control", "no-store, no-transform"},
    {"X-Accel-Buffering", "no"},
    {"Incremental", "?1"},
}};

/// For streams that stall behind a proxy that compresses whatever no-transform says: it says that
/// the answer is encoded already, with nothing. Add it to the head.
inline constexpr header identity_encoding{"Content-Encoding", "identity"};

/// \returns the framing of the stream that answers this request in HTTP/1: an HTTP/1.0 client does
/// not understand chunks. Spec: RFC 9112, 6.1.
[[nodiscard]] constexpr framing framing_for(const request_view& request) noexcept {
    return request.is_http_1_0 ? framing::raw : framing::chunked;
}

/// \returns the whole head of an HTTP/1.1 response that carries a stream in this framing: chunked,
/// or raw up to the end of the connection (which is what an HTTP/1.0 client needs). Send it at
/// once, before the first event. Lifetime: static.
[[nodiscard]] constexpr std::string_view response_head(framing form) noexcept {
    return form == framing::chunked ? "HTTP/1.1 200 OK\r\n"
                                      "Content-Type: text/event-stream\r\n"
                                      "Cache-Control: no-store, no-transform\r\n"
                                      "X-Accel-Buffering: no\r\n"
                                      "Incremental: ?1\r\n"
                                      "Transfer-Encoding: chunked\r\n"
                                      "\r\n"
                                    : "HTTP/1.1 200 OK\r\n"
                                      "Content-Type: text/event-stream\r\n"
                                      "Cache-Control: no-store, no-transform\r\n"
                                      "X-Accel-Buffering: no\r\n"
                                      "Incremental: ?1\r\n"
                                      "Connection: close\r\n"
                                      "\r\n";
}

/// Effects: appends the same with further headers, those of cors.hpp for example.
/// Preconditions: `is_valid_header` holds for each of `more`; nothing is checked.
template <class String>
constexpr void append_response_head(String& out, framing form, std::span<const header> more);

/// Effects: appends a whole HTTP/1.1 response that is no stream; without `body` where the status
/// forbids one. Preconditions: as above; `status` has three digits.
template <class String>
constexpr void append_response(String& out, int status, std::span<const header> more = {},
                               std::string_view body = {});

/// How to answer a client whose stream was refused.
struct refusal {
    int status;
    std::chrono::seconds retry_after; ///< for the Retry-After header; zero: none
};

/// \returns what `hub::subscribe` says, in terms of HTTP. 204 stops an EventSource from
/// reconnecting, and so does every error; soft_refusal.hpp has an answer that does not.
/// Spec: HTML, 9.2.3; RFC 9110, 15; RFC 6585, 4.
[[nodiscard]] constexpr refusal refusal_of(errc code) noexcept {
    using std::chrono::seconds;
    // Each code is named, and there is no default: a new one does not compile before it has a line.
    switch (code) {
    // The answer will be the same when the client asks again.
    case errc::topic_closed:
    case errc::replay_refused: return {204, seconds(0)};
    // The client has asked for what cannot be.
    case errc::invalid_topic: return {400, seconds(0)};
    case errc::no_such_topic: return {404, seconds(0)};
    // The client's permission has run out: it needs a new token, for instance.
    case errc::expired: return {403, seconds(0)};
    // This client has too many streams, or all clients together have.
    case errc::tag_is_full: return {429, seconds(30)};
    case errc::topic_is_full:
    case errc::too_many_topics:
    case errc::too_many_subscribers: return {503, seconds(30)};
    // The server is closing, or short of memory.
    case errc::closed:
    case errc::out_of_memory: return {503, seconds(5)};
    // No subscription is refused with these: they come from encoding, parsing and publishing.
    case errc::ok:
    case errc::invalid_id:
    case errc::invalid_type:
    case errc::invalid_retry:
    case errc::buffer_too_small:
    case errc::data_too_long:
    case errc::id_too_long:
    case errc::type_too_long:
    case errc::comment_too_long:
    case errc::incomplete:
    case errc::malformed_utf8:
    case errc::id_is_assigned:
    case errc::id_is_missing:
    case errc::out_of_sequence:
    case errc::label_too_long:
    case errc::queue_is_full:
    case errc::unfinished:
    case errc::not_one_event:
    case errc::id_is_taken:
    case errc::unreturnable_id:
    case errc::nothing_to_send:
    case errc::key_is_missing:
    case errc::malformed_id:
    case errc::in_doubt:
    case errc::not_stored: break;
    }
    return {500, seconds(0)};
}

/// \returns the name of a status, as far as event streams and their neighbours use it.
[[nodiscard]] constexpr std::string_view reason_phrase(int status) noexcept;

// ---- how

namespace detail {

template <class String>
constexpr void append_text(String& out, std::string_view text) {
    out.append(text.data(), text.size());
}

template <class String>
constexpr void append_status_line(String& out, int status) {
    append_text(out, "HTTP/1.1 ");
    append_text(out, decimal(static_cast<unsigned>(status)).view());
    append_text(out, " ");
    append_text(out, reason_phrase(status));
    append_text(out, "\r\n");
}

template <class String>
constexpr void append_headers(String& out, std::span<const header> headers) {
    for (const header& each : headers) {
        for (const std::string_view part :
             {each.name, std::string_view(": "), each.value, std::string_view("\r\n")}) {
            append_text(out, part);
        }
    }
}

/// Effects: ends the head, with the length of the body, and appends that.
template <class String>
constexpr void append_content(String& out, int status, std::string_view body) {
    const bool has_body = status >= 200 && status != 204 && status != 304; // Spec: RFC 9112, 6.3
    if (has_body) {
        append_text(out, "Content-Length: ");
        append_text(out, decimal(body.size()).view());
        append_text(out, "\r\n");
    }
    append_text(out, "\r\n");
    if (has_body) append_text(out, body);
}

} // namespace detail

template <class String>
constexpr void append_response_head(String& out, framing form, std::span<const header> more) {
    std::string_view head = response_head(form);
    head.remove_suffix(2);
    detail::append_text(out, head);
    detail::append_headers(out, more);
    detail::append_text(out, "\r\n");
}

template <class String>
constexpr void append_response(String& out, int status, std::span<const header> more,
                               std::string_view body) {
    detail::append_status_line(out, status);
    detail::append_headers(out, more);
    detail::append_content(out, status, body);
}

constexpr std::string_view reason_phrase(int status) noexcept {
    switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return status < 400 ? "Success" : "Error";
    }
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
