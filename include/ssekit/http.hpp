// SPDX-License-Identifier: MIT
//
// How an event stream is answered in HTTP, as text: no sockets, no server. A server with response
// objects of its own takes `stream_headers` and `refusal_of`; one that writes bytes takes
// `response_head` or `append_response`.
#ifndef SSEKIT_HTTP_HPP
#define SSEKIT_HTTP_HPP

#include <ssekit/detail/decimal.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/http_request.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

namespace ssekit {

struct header {
    std::string_view name;
    std::string_view value;
};

/// What every response that is an event stream carries, whatever the HTTP version. no-store keeps
/// caches away, the last one keeps nginx and its kin from holding events back.
inline constexpr std::array<header, 3> stream_headers = {{
    {"Content-Type", "text/event-stream"},
    {"Cache-Control", "no-store"},
    {"X-Accel-Buffering", "no"},
}};

/// \returns the whole head of an HTTP/1.1 response that carries a stream in this framing: chunked,
/// or raw up to the end of the connection (which is what an HTTP/1.0 client needs). Send it at
/// once, before the first event. Lifetime: static.
[[nodiscard]] constexpr std::string_view response_head(framing form) noexcept {
    return form == framing::chunked ? "HTTP/1.1 200 OK\r\n"
                                      "Content-Type: text/event-stream\r\n"
                                      "Cache-Control: no-store\r\n"
                                      "X-Accel-Buffering: no\r\n"
                                      "Transfer-Encoding: chunked\r\n"
                                      "\r\n"
                                    : "HTTP/1.1 200 OK\r\n"
                                      "Content-Type: text/event-stream\r\n"
                                      "Cache-Control: no-store\r\n"
                                      "X-Accel-Buffering: no\r\n"
                                      "Connection: close\r\n"
                                      "\r\n";
}

/// Effects: appends the same with further headers, those of cors.hpp for example.
/// Preconditions: what `more` holds is fit for a header; nothing is checked.
template <class String>
constexpr void append_response_head(String& out, framing form, std::span<const header> more);

/// Effects: appends a whole HTTP/1.1 response that is no stream.
/// Preconditions: as above.
template <class String>
constexpr void append_response(String& out, int status, std::span<const header> more = {},
                               std::string_view body = {});

/// How to answer a client whose stream was refused.
struct refusal {
    int status;
    std::chrono::seconds retry_after; ///< for the Retry-After header; zero: none
};

/// \returns what `hub::subscribe` has to say in terms of HTTP. 204 is what ends the reconnecting of
/// an EventSource. Spec: HTML, 9.2.3; RFC 9110, 15; RFC 6585, 4.
[[nodiscard]] constexpr refusal refusal_of(errc code) noexcept {
    using std::chrono::seconds;
    switch (code) {
    case errc::topic_closed:
    case errc::replay_refused: return {204, seconds(0)};
    case errc::invalid_topic: return {400, seconds(0)};
    case errc::tag_is_full: return {429, seconds(30)};
    case errc::topic_is_full:
    case errc::too_many_topics:
    case errc::too_many_subscribers: return {503, seconds(30)};
    case errc::closed:
    case errc::out_of_memory: return {503, seconds(5)};
    default: return {500, seconds(0)};
    }
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
constexpr void append_headers(String& out, std::span<const header> headers) {
    for (const header& each : headers) {
        for (const std::string_view part :
             {each.name, std::string_view(": "), each.value, std::string_view("\r\n")}) {
            append_text(out, part);
        }
    }
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
    detail::append_text(out, "HTTP/1.1 ");
    detail::append_text(out, detail::decimal(static_cast<unsigned>(status)).view());
    detail::append_text(out, " ");
    detail::append_text(out, reason_phrase(status));
    detail::append_text(out, "\r\n");
    detail::append_headers(out, more);
    if (status != 204) { // which has no body. Spec: RFC 9110, 8.6
        detail::append_text(out, "Content-Length: ");
        detail::append_text(out, detail::decimal(body.size()).view());
        detail::append_text(out, "\r\n");
    }
    detail::append_text(out, "\r\n");
    if (status != 204) detail::append_text(out, body);
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

} // namespace ssekit

#endif
