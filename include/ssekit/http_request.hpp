// SPDX-License-Identifier: MIT
//
// What an event stream has to know of the request that asks for it. A server with an HTTP parser
// gives a request_view what that parser found; one without reads the head with `find_head` and
// `read_request`. Then `stream_status` says whether a stream may begin, and `last_event_id` and
// `bearer_token` take out what decides which. Whatever a request holds, nothing here fails but by
// saying so.
#ifndef SSEKIT_HTTP_REQUEST_HPP
#define SSEKIT_HTTP_REQUEST_HPP

#include <ssekit/detail/http_text.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>

namespace ssekit {

/// The part of a request that matters here. Lifetime: views of what it was made of.
struct request_view {
    std::string_view method = "GET";
    std::string_view target = "/"; ///< path and query, still percent-encoded
    std::optional<std::string_view> accept = {};
    std::optional<std::string_view> last_event_id = {};
    std::optional<std::string_view> authorization = {};
    std::optional<std::string_view> origin = {};
    std::optional<std::string_view> requested_method = {}; ///< Access-Control-Request-Method

    [[nodiscard]] constexpr std::string_view path() const noexcept {
        return target.substr(0, target.find_first_of("?#"));
    }
};

/// What may come from outside, in bytes. A Last-Event-ID has no bound of its own: one that is too
/// long is malformed, and what follows is the hub's gap policy.
struct request_limits {
    std::size_t head = 16 << 10;
    std::size_t token = 8 << 10;
};

enum class head_status : std::uint8_t {
    incomplete, ///< read more
    complete,
    too_long, ///< answer 431 and close
};

struct head_result {
    head_status status;
    std::string_view head; ///< with the blank line at its end, when it is complete
};

/// \returns the head of a request at the front of what a connection has received.
/// Lifetime: a view of `received`. Spec: RFC 9112, 2.1.
[[nodiscard]] constexpr head_result find_head(std::string_view received,
                                              const request_limits& limits = {}) noexcept;

/// \returns the request whose head this is; where it is no request, one without a method, which
/// `stream_status` refuses. Lifetime: views of `head`.
[[nodiscard]] constexpr request_view read_request(std::string_view head) noexcept;

/// The same from a server's own request.
/// \param find called with a header's name; gives what converts to a std::string_view, or an
/// optional of that. An empty value counts as none. Lifetime: what `find` gives lives on.
template <class FindHeader>
[[nodiscard]] constexpr request_view read_request(std::string_view method, std::string_view target,
                                                  FindHeader&& find);

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

/// \returns whether an Accept header, or its absence, allows text/event-stream.
/// Spec: RFC 9110, 12.5.1; the most specific range decides.
[[nodiscard]] constexpr bool accepts_event_stream(std::optional<std::string_view> accept) noexcept;

/// \returns how a request for an event stream is answered:
///
/// | 200 | with a stream; after HEAD with its head alone                  |
/// | 204 | it is OPTIONS: `for_each_cors_header` says what to answer with |
/// | 400 | it is no request                                               |
/// | 405 | another method: send `Allow: GET, HEAD, OPTIONS`               |
/// | 406 | it does not accept event streams                               |
/// | 431 | its Authorization is too long                                  |
///
/// A stream that answers POST, as those of language models do, leaves the method to its server:
/// set it to GET before.
[[nodiscard]] constexpr int stream_status(const request_view& request,
                                          const request_limits& limits = {}) noexcept;

enum class id_source : std::uint8_t {
    /// What browsers send.
    header,
    /// Also `lastEventId`, `last-event-id` or `evs_last_event_id` in the query, where polyfills put
    /// it that can not set headers; the header wins.
    header_or_query,
};

/// Effects: assigns to `out` the Last-Event-ID of a request, or clears it when there is none. One
/// that is not decodable stays as it came: what it is worth, the hub decides.
template <class String>
constexpr void last_event_id(const request_view& request, String& out,
                             id_source source = id_source::header);

enum class token_source : std::uint8_t {
    header, ///< `Authorization: Bearer`
    /// Also `access_token` in the query, since an EventSource can not set headers. Addresses end up
    /// in logs: give out tokens that live for a minute and are good for this stream alone.
    header_or_query,
};

enum class token_status : std::uint8_t {
    none,      ///< answer 401 with `WWW-Authenticate: Bearer`
    found,     ///< what it is worth is for a library for JWT or the like to say
    malformed, ///< no token, two of them, or one that is too long: answer 400
};

/// Effects: assigns to `out` the bearer token of a request, or clears it. Spec: RFC 6750, 2.
template <class String>
constexpr token_status bearer_token(const request_view& request, String& out,
                                    token_source source = token_source::header,
                                    const request_limits& limits = {});

// ---- how

constexpr head_result find_head(std::string_view received, const request_limits& limits) noexcept {
    const std::string_view within = received.substr(0, limits.head);
    const std::size_t end = within.find("\r\n\r\n");
    if (end != within.npos) return {head_status::complete, within.substr(0, end + 4)};
    const bool full = received.size() >= limits.head;
    return {full ? head_status::too_long : head_status::incomplete, {}};
}

template <class FindHeader>
constexpr request_view read_request(std::string_view method, std::string_view target,
                                    FindHeader&& find) {
    const auto value = [&](std::string_view name) -> std::optional<std::string_view> {
        const std::optional<std::string_view> found = find(name);
        return found && !found->empty() ? found : std::nullopt;
    };
    return {.method = method,
            .target = target,
            .accept = value("Accept"),
            .last_event_id = value("Last-Event-ID"),
            .authorization = value("Authorization"),
            .origin = value("Origin"),
            .requested_method = value("Access-Control-Request-Method")};
}

constexpr request_view read_request(std::string_view head) noexcept {
    std::string_view line = head.substr(0, head.find("\r\n"));
    const std::string_view method = detail::take_until(line, ' ');
    const std::string_view target = detail::take_until(line, ' ');
    const bool good = detail::is_token(method) && detail::is_target(target) &&
                      (line == "HTTP/1.1" || line == "HTTP/1.0");
    if (!good) return {.method = {}};
    return read_request(method, target,
                        [&](std::string_view name) { return find_header(head, name); });
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

constexpr int stream_status(const request_view& request, const request_limits& limits) noexcept {
    if (request.method.empty()) return 400;
    if (request.authorization && request.authorization->size() > limits.token) return 431;
    if (request.method == "OPTIONS") return 204;
    if (request.method != "GET" && request.method != "HEAD") return 405;
    return accepts_event_stream(request.accept) ? 200 : 406;
}

template <class String>
constexpr void last_event_id(const request_view& request, String& out, id_source source) {
    std::optional<std::string_view> value = request.last_event_id;
    out.clear();
    if (!value && source == id_source::header_or_query) {
        for (const std::string_view name : {"lastEventId", "last-event-id", "evs_last_event_id"}) {
            value = find_query(request.target, name);
            if (!value) continue;
            if (percent_decode(*value, out)) return;
            out.clear();
            break;
        }
    }
    if (value) out.append(value->data(), value->size());
}

template <class String>
constexpr token_status bearer_token(const request_view& request, String& out, token_source source,
                                    const request_limits& limits) {
    out.clear();
    bool found = false;
    if (std::string_view value = request.authorization.value_or("");
        detail::equal_ignoring_case(detail::take_until(value, ' '), "Bearer")) {
        value = detail::trim(value);
        if (value.size() > limits.token) return token_status::malformed;
        out.append(value.data(), value.size());
        found = true;
    }
    if (source == token_source::header_or_query) {
        if (const auto value = find_query(request.target, "access_token")) {
            const bool good = !found && value->size() <= limits.token;
            out.clear();
            if (!good || !percent_decode(*value, out)) return out.clear(), token_status::malformed;
            found = true;
        }
    }
    if (!found) return token_status::none;
    if (detail::is_bearer_token({out.data(), out.size()})) return token_status::found;
    out.clear();
    return token_status::malformed;
}

} // namespace ssekit

#endif
