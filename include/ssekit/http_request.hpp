// SPDX-License-Identifier: MIT
//
// What an event stream has to know of the request that asks for it. A server with an HTTP parser
// gives a request_view what that parser found; one without reads the head with `find_head` and
// `read_request`. `last_event_id` and `bearer_token` take out what decides which
// stream it is; stream_route.hpp says whether one may begin.
//
// A head is read strictly, as RFC 9110 and 9112 say: what two programs on its way could read as two
// different requests is not a request, and is answered with 400. No input does harm here: what is
// wrong with it is reported, and nothing else happens.
#ifndef SSEKIT_HTTP_REQUEST_HPP
#define SSEKIT_HTTP_REQUEST_HPP

#include <ssekit/detail/http/accept.hpp>
#include <ssekit/detail/http/head.hpp>
#include <ssekit/detail/http/query.hpp>
#include <ssekit/detail/http/target.hpp>
#include <ssekit/detail/http/text.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// The part of a request that matters here. Lifetime: views of what it was made of.
struct request_view {
    std::string_view method = "GET";
    /// Path and query, still percent-encoded; "*" or an authority where `path` is empty.
    std::string_view target = "/";
    /// Of several lines, the one that decides about event streams.
    std::optional<std::string_view> accept = {};
    std::optional<std::string_view> last_event_id = {};
    std::optional<std::string_view> authorization = {};
    std::optional<std::string_view> origin = {};
    std::optional<std::string_view> requested_method = {}; ///< Access-Control-Request-Method
    std::optional<std::string_view> content_type = {};     ///< of its body
    /// Host and perhaps port; those of an absolute target win. Spec: RFC 9112, 3.2.2.
    std::optional<std::string_view> host = {};
    bool is_http_1_0 = false; ///< the client does not understand chunked framing

    /// Empty where no resource is asked for: `OPTIONS *` and CONNECT.
    [[nodiscard]] constexpr std::string_view path() const noexcept {
        if (target.starts_with('?')) return "/";
        return target.starts_with('/') ? target.substr(0, target.find_first_of("?#")) : "";
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

/// \returns the head of a request at the front of what a connection has received, up to and
/// including its first blank line; an empty line before it, which old clients send, is part of it.
/// Lifetime: a view of `received`. Spec: RFC 9112, 2.1 and 2.2.
[[nodiscard]] constexpr head_result find_head(std::string_view received,
                                              const request_limits& limits = {}) noexcept;

/// \returns the request whose head this is; where it is not a request, one without a method, which
/// `stream_status` refuses. That is a head that does not follow the grammar to its last byte; one
/// without a Host in HTTP/1.1; with two of a header that may come once (Host, Authorization,
/// Origin, Last-Event-ID, Content-Type, Access-Control-Request-Method); or with two lengths of its
/// body.
/// Lifetime: views of `head`. Spec: RFC 9112, 2 to 6.
[[nodiscard]] constexpr request_view read_request(std::string_view head) noexcept;

/// The same from a server's own request, whose parser has checked the grammar.
/// \param find called with a header's name; returns what converts to a std::string_view, or an
/// optional of that, with several lines joined by ", ". An empty value counts as none. The version
/// is the caller's to add: `is_http_1_0`. Lifetime: what `find` returns must live on.
template <class FindHeader>
[[nodiscard]] constexpr request_view read_request(std::string_view method, std::string_view target,
                                                  FindHeader&& find);

/// \returns the value of the first header of that name in the head of a request or response,
/// without the white space around it; names compare without regard to case. Lines end as the first
/// one does, with CRLF or with LF alone; one that does not follow the grammar is skipped.
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
[[nodiscard]] constexpr bool percent_decode(std::string_view text, String& out);

/// \returns whether an Accept header, or its absence, allows text/event-stream.
/// Spec: RFC 9110, 12.5.1; the most specific range decides.
[[nodiscard]] constexpr bool accepts_event_stream(std::optional<std::string_view> accept) noexcept;

enum class id_source : std::uint8_t {
    /// What browsers send.
    header,
    /// Also `lastEventId`, `last-event-id` or `evs_last_event_id` in the query, where polyfills put
    /// it that cannot set headers; the header wins.
    header_or_query,
};

/// Effects: assigns to `out` the Last-Event-ID of a request, or clears it when there is none. One
/// that cannot be decoded stays as it came; the hub decides what it is worth.
template <class String>
constexpr void last_event_id(const request_view& request, String& out,
                             id_source source = id_source::header);

enum class token_source : std::uint8_t {
    header, ///< `Authorization: Bearer`
    /// Also `access_token` in the query, since an EventSource cannot set headers. Addresses end up
    /// in logs: give out tokens that live for a minute and are good for this stream alone.
    header_or_query,
};

enum class token_status : std::uint8_t {
    none,      ///< answer 401 with `WWW-Authenticate: Bearer`
    found,     ///< a library for JWT or the like says what it is worth
    malformed, ///< no token, two of them, or one that is too long: answer 400
};

/// Effects: assigns to `out` the bearer token of a request, or clears it. Spec: RFC 6750, 2.
template <class String>
[[nodiscard]] constexpr token_status bearer_token(const request_view& request, String& out,
                                                  token_source source = token_source::header,
                                                  const request_limits& limits = {});

// ---- how

constexpr head_result find_head(std::string_view received, const request_limits& limits) noexcept {
    const std::string_view within = received.substr(0, limits.head);
    // A blank line that ends with LF alone ends a head too, one that `read_request` then refuses,
    // so that its client does not have to time out.
    for (std::size_t at = within.find('\n', within.starts_with("\r\n") ? 2 : 0); at != within.npos;
         at = within.find('\n', at + 1)) {
        const std::string_view rest = within.substr(at + 1);
        const std::size_t blank = rest.starts_with("\r\n") ? 2 : rest.starts_with('\n') ? 1 : 0;
        if (blank != 0) return {head_status::complete, within.substr(0, at + 1 + blank)};
    }
    const bool full = received.size() >= limits.head;
    return {full ? head_status::too_long : head_status::incomplete, {}};
}

namespace detail {

struct single_field {
    std::string_view name;
    std::optional<std::string_view> request_view::*value;
};

// What a request_view takes of a request, except Accept, which may come in several lines.
inline constexpr single_field single_fields[] = {
    {"Last-Event-ID", &request_view::last_event_id},
    {"Authorization", &request_view::authorization},
    {"Origin", &request_view::origin},
    {"Access-Control-Request-Method", &request_view::requested_method},
    {"Content-Type", &request_view::content_type},
    {"Host", &request_view::host},
};

/// \returns false when it has come already.
constexpr bool take_field(request_view& out, const field_line& field) noexcept {
    if (equal_ignoring_case(field.name, "Accept")) {
        const int known = out.accept ? judge_accept(*out.accept).rank : 5;
        if (judge_accept(field.value).rank < known) out.accept = field.value;
    }
    for (const single_field& each : single_fields) {
        if (!equal_ignoring_case(field.name, each.name)) continue;
        if (out.*each.value) return false;
        out.*each.value = field.value;
    }
    return true;
}

/// Effects: an empty value counts as none; an absolute target is split.
/// \returns a request without a method when the target does not fit the method.
constexpr request_view finish_request(request_view out) noexcept {
    for (const single_field& each : single_fields) {
        if (out.*each.value && (out.*each.value)->empty()) (out.*each.value).reset();
    }
    if (out.accept && out.accept->empty()) out.accept.reset();
    const request_target target = read_target(out.method, out.target);
    if (!target.is_good) return {.method = {}};
    out.target = target.target;
    if (!target.host.empty()) out.host = target.host;
    return out;
}

} // namespace detail

template <class FindHeader>
constexpr request_view read_request(std::string_view method, std::string_view target,
                                    FindHeader&& find) {
    const auto value = [&](std::string_view name) -> std::optional<std::string_view> {
        return find(name);
    };
    request_view out{.method = method, .target = target, .accept = value("Accept")};
    for (const detail::single_field& each : detail::single_fields) {
        out.*each.value = value(each.name);
    }
    return detail::finish_request(out);
}

constexpr request_view read_request(std::string_view head) noexcept {
    constexpr std::string_view end = "\r\n";
    constexpr request_view no_request{.method = {}};
    if (head.starts_with(end)) head.remove_prefix(end.size());
    std::string_view line = detail::take_line(head, end);
    request_view out{.method = detail::take_until(line, ' '),
                     .target = detail::take_until(line, ' ')};
    // A later minor version is read as 1.1. Spec: RFC 9110, 2.5.
    const bool is_http_1 =
        line.size() == 8 && line.starts_with("HTTP/1.") && detail::is_digit(line[7]);
    if (!is_http_1 || !detail::is_token(out.method)) return no_request;
    if (!detail::is_ascii(out.target) || !detail::has_no_space(out.target)) return no_request;
    out.is_http_1_0 = line[7] == '0';

    detail::body_length length;
    do {
        if (head.empty()) return no_request; // its end is missing
        line = detail::take_line(head, end);
        if (line.empty()) break;
        const detail::field_line field = detail::read_field(line);
        if (!field.is_good || !detail::take_field(out, field)) return no_request;
        if (!length.take(field.name, field.value)) return no_request;
    } while (true);
    const bool has_host =
        out.host ? out.host->empty() || detail::is_host_field(*out.host) : out.is_http_1_0;
    if (!has_host || !length.is_good(out.is_http_1_0)) return no_request;
    return detail::finish_request(out);
}

constexpr std::optional<std::string_view> find_header(std::string_view head,
                                                      std::string_view name) noexcept {
    const std::string_view first = detail::take_until(head, '\n'); // the request or status line
    const bool has_cr = first.ends_with('\r');
    while (!head.empty()) {
        std::string_view line = detail::take_line(head, has_cr ? "\r\n" : "\n");
        if (!has_cr && line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) break;
        const detail::field_line field = detail::read_field(line);
        if (field.is_good && detail::equal_ignoring_case(field.name, name)) return field.value;
    }
    return std::nullopt;
}

constexpr std::optional<std::string_view> find_query(std::string_view target,
                                                     std::string_view name) noexcept {
    std::string_view query = detail::query_of(target);
    const std::string_view value = detail::take_parameter(query, name);
    return value.data() != nullptr ? std::optional(value) : std::nullopt;
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
    return detail::judge_accept(accept.value_or("")).allowed;
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
        std::string_view query = detail::query_of(request.target);
        for (std::string_view value;
             (value = detail::take_parameter(query, "access_token")).data() != nullptr;
             found = true) {
            const bool good = !found && value.size() <= limits.token;
            out.clear();
            if (!good || !percent_decode(value, out)) return out.clear(), token_status::malformed;
        }
    }
    if (!found) return token_status::none;
    if (detail::is_bearer_token({out.data(), out.size()})) return token_status::found;
    out.clear();
    return token_status::malformed;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
