// SPDX-License-Identifier: MIT
//
// The few things of HTTP that event streams need, as text in and text out: no sockets, no server.
#ifndef SSEKIT_HTTP_HPP
#define SSEKIT_HTTP_HPP

#include <ssekit/errc.hpp>
#include <ssekit/frame.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
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

/// How to answer a client whose stream was refused.
struct refusal {
    int status;
    std::chrono::seconds retry_after; ///< for the Retry-After header; zero: none
};

/// \returns what `hub::subscribe` has to say in terms of HTTP. 204 is what ends the reconnecting of
/// an EventSource. Spec: HTML, 9.2.3; RFC 9110, 15; RFC 6585, 4.
[[nodiscard]] constexpr refusal refusal_of(errc code) noexcept;

/// \returns the value of the first header of that name in the head of a request or response,
/// without the white space around it; names compare without regard to case.
/// Lifetime: a view of `head`. Spec: RFC 9110, 5.1 and 5.5.
[[nodiscard]] constexpr std::optional<std::string_view> find_header(std::string_view head,
                                                                    std::string_view name) noexcept;

/// \returns the value of the first parameter of that name in the query of a request target, still
/// percent-encoded. Lifetime: a view of `target`.
[[nodiscard]] constexpr std::optional<std::string_view> find_query(std::string_view target,
                                                                   std::string_view name) noexcept;

/// Effects: appends `text` to `out` with %XX and '+' decoded.
/// \returns false at a '%' without two hexadecimal digits; `out` then holds what came before.
template <class String>
constexpr bool percent_decode(std::string_view text, String& out);

enum class id_source : std::uint8_t {
    /// What browsers send.
    header,
    /// Also `lastEventId`, `last-event-id` or `evs_last_event_id` in the query, where polyfills put
    /// it that can not set headers; the header wins.
    header_or_query,
};

/// Effects: assigns to `out` the Last-Event-ID of a request, empty when there is none or when it is
/// not decodable. What it is worth, the hub decides.
/// \param head the request line and the headers.
template <class String>
constexpr void last_event_id(std::string_view head, String& out,
                             id_source source = id_source::header);

/// \returns whether an Accept header, or its absence, allows text/event-stream.
/// Spec: RFC 9110, 12.5.1; the most specific range decides.
[[nodiscard]] constexpr bool accepts_event_stream(std::optional<std::string_view> accept) noexcept;

// ---- how

namespace detail {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

constexpr std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view space = " \t";
    const std::size_t first = text.find_first_not_of(space);
    if (first == text.npos) return text.substr(text.size()); // empty, yet a view of `text`
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// Takes what stands before the next `separator` off the front of `text`, and the separator too.
constexpr std::string_view take_until(std::string_view& text, char separator) noexcept {
    const std::size_t at = text.find(separator);
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + 1);
    return taken;
}

constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Whether the parameters of a media range refuse it: q=0, q=0.0 ...
constexpr bool has_zero_quality(std::string_view parameters) noexcept {
    while (!parameters.empty()) {
        const std::string_view parameter = trim(take_until(parameters, ';'));
        if (parameter.size() < 2 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
        return parameter.substr(2).find_first_not_of("0.") == parameter.npos;
    }
    return false;
}

} // namespace detail

constexpr refusal refusal_of(errc code) noexcept {
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

constexpr std::optional<std::string_view> find_header(std::string_view head,
                                                      std::string_view name) noexcept {
    detail::take_until(head, '\n'); // the request or status line
    while (!head.empty()) {
        std::string_view line = detail::take_until(head, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) break;
        const std::size_t colon = line.find(':');
        if (colon == line.npos) continue;
        if (detail::equal_ignoring_case(line.substr(0, colon), name)) {
            return detail::trim(line.substr(colon + 1));
        }
    }
    return std::nullopt;
}

constexpr std::optional<std::string_view> find_query(std::string_view target,
                                                     std::string_view name) noexcept {
    target = detail::take_until(target, '#');
    detail::take_until(target, '?');
    while (!target.empty()) {
        std::string_view value = detail::take_until(target, '&');
        if (detail::take_until(value, '=') == name) return value;
    }
    return std::nullopt;
}

template <class String>
constexpr bool percent_decode(std::string_view text, String& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
            continue;
        }
        if (text.size() - i < 3) return false;
        const int high = detail::hex_value(text[i + 1]);
        const int low = detail::hex_value(text[i + 2]);
        if (high < 0 || low < 0) return false;
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
    }
    return true;
}

template <class String>
constexpr void last_event_id(std::string_view head, String& out, id_source source) {
    out.clear();
    if (const auto value = find_header(head, "Last-Event-ID")) {
        out.append(value->data(), value->size());
        return;
    }
    if (source == id_source::header) return;
    std::string_view line = detail::take_until(head, '\n');
    detail::take_until(line, ' ');
    const std::string_view target = detail::take_until(line, ' ');
    for (const std::string_view name : {"lastEventId", "last-event-id", "evs_last_event_id"}) {
        const auto value = find_query(target, name);
        if (!value) continue;
        if (!percent_decode(*value, out)) out.clear();
        return;
    }
}

constexpr bool accepts_event_stream(std::optional<std::string_view> accept) noexcept {
    if (!accept || detail::trim(*accept).empty()) return true;
    constexpr std::string_view ranges[] = {"text/event-stream", "text/*", "*/*"};
    std::size_t best = std::size(ranges);
    bool allowed = false;
    while (!accept->empty()) {
        std::string_view item = detail::take_until(*accept, ',');
        const std::string_view range = detail::trim(detail::take_until(item, ';'));
        for (std::size_t i = 0; i < best; ++i) {
            if (!detail::equal_ignoring_case(range, ranges[i])) continue;
            best = i;
            allowed = !detail::has_zero_quality(item);
            break;
        }
    }
    return allowed;
}

} // namespace ssekit

#endif
