// SPDX-License-Identifier: MIT
#ifndef SSEKIT_EVENT_SOURCE_OPTIONS_HPP
#define SSEKIT_EVENT_SOURCE_OPTIONS_HPP

#include <ssekit/content_decoder.hpp>
#include <ssekit/header.hpp>
#include <ssekit/parser.hpp>
#include <ssekit/source_answer.hpp>
#include <ssekit/waker.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ssekit::inline SSEKIT_ABI {

/// `EventSource.readyState`.
enum class ready_state : std::uint8_t { connecting, open, closed };

enum class source_action : std::uint8_t {
    wait,       ///< until bytes come, or `next_deadline`
    connect,    ///< begin the transfer of `request`; there is no other
    disconnect, ///< end the transfer that there is, and drop what still comes of it
    stop,       ///< it is over, see `end`
};

/// Which answers besides 200 are worth another try.
enum class status_policy : std::uint8_t {
    browser, ///< none, as the standard says
    sdk,     ///< 408, 409, 425, 429 and 5xx but 501 and 505, after Retry-After if
             ///< there is one
};

/// Which requests may be sent again. One that has effects, or costs money, may not without being
/// told so, unless nothing of it was sent: a connection that was refused is tried again with each.
enum class repeat_policy : std::uint8_t {
    reads,        ///< GET, HEAD and QUERY; another one is sent once. Spec: RFC 9110, 9.2.2
    until_stream, ///< whatever the method, until a stream has begun, and never after that
    always,
};

/// How far a request has got that was not answered.
enum class request_reach : std::uint8_t {
    unknown, ///< the server may have acted on it
    unsent,  ///< nothing of it was sent: there was no connection
};

/// What a proxy on the way says of a refusal that is its own, not the server's.
/// Spec: RFC 10036, 4; RFC 9209, 2.3.
enum class proxy_refusal : std::uint8_t {
    none,
    incremental,      ///< it does not pass on answers as they come, and so never a stream
    connection_limit, ///< it has as many as it takes: later there may be room
};

/// Why there will be no more events.
enum class source_end : std::uint8_t {
    open,              ///< there may be more
    closed,            ///< event_source::close, or it was moved from
    bad_request,       ///< the URL is not http or https, or holds what no request may hold, as may
                       ///< the method, a header or the last event ID: nothing was sent
    no_content,        ///< 204: the server asks not to come back
    completed,         ///< the one answer to a request that is not repeated has come to its end, or
                       ///< the event has come that `is_last` knows
    bad_status,        ///< see `event_source::status`
    bad_media_type,    ///< 200, but no text/event-stream, or in a coding that nothing takes off
    bad_redirect,      ///< without a place to go to, more than `max_redirects`, or with a body to
                       ///< another origin
    not_repeated,      ///< a request that is not repeated has failed
    too_many_failures, ///< `max_failures` in a row
    cut_short,     ///< a request that is not repeated: the answer has ended, or broken off, before
                   ///< the event that `is_last` knows
    not_passed_on, ///< a proxy on the way says proxy_refusal::incremental: poll instead
    answered,      ///< by no stream, and that is wanted: see answer_verdict::whole
    answer_too_long, ///< the same, but its body goes beyond `max_answer_body`
};

/// \returns what it says in words. Lifetime: static.
[[nodiscard]] constexpr std::string_view message(source_end code) noexcept {
    switch (code) {
    case source_end::open: return "there may be more";
    case source_end::closed: return "closed";
    case source_end::bad_request: return "the URL, the method or a header cannot be sent";
    case source_end::no_content: return "the server asks not to come back";
    case source_end::completed: return "the answer is complete";
    case source_end::bad_status: return "the server answers with an error";
    case source_end::bad_media_type: return "the answer is no event stream";
    case source_end::bad_redirect: return "a redirect leads nowhere";
    case source_end::not_repeated: return "the request has failed, and may not be repeated";
    case source_end::too_many_failures: return "too many failures in a row";
    case source_end::cut_short: return "the answer has broken off before its end";
    case source_end::not_passed_on: return "a proxy on the way does not pass on streams";
    case source_end::answered: return "the answer is whole, and no stream";
    case source_end::answer_too_long: return "the answer is no stream, and too long";
    }
    return "unknown end";
}

class event_source;

/// Told of what the standard fires `open` and `error` for: a stream has begun, `state` is open; it
/// or an attempt was lost, `state` is connecting and `next_attempt` says when the next one will be;
/// or it is over, `state` is closed. It may close the source, but not change it otherwise.
using source_hook = callback<void(event_source&)>;

/// Called before each attempt to connect, not where a redirect is followed: the moment for a fresh
/// token, see `event_source::set_header`, or another URL. It may take its time.
/// \returns false when there is nothing to connect with now: as a failed connection, it is tried
/// again later.
using request_hook = callback<bool(event_source&)>;

/// Called with the text of a comment, what stands after the colon, whatever bytes those are. It may
/// not call the source.
using comment_hook = callback<void(std::string_view)>;

/// Whether an event is the last one of its protocol, such as "[DONE]": an end of the bytes says too
/// little, since proxies end in order what has broken off. It never calls the source.
using last_event = callback<bool(const event_view&)>;

/// Any duration is allowed, up to both ends of its type. Unless stated otherwise, a negative one
/// counts as zero, and one that reaches beyond the range of the clock never passes.
struct event_source_options {
    std::string method = "GET";
    std::string body = {};
    /// Whether a redirect that keeps method and body may take the body to another origin. If not,
    /// it leads nowhere: source_end::bad_redirect.
    bool body_may_travel = false;
    /// Sent with each request; an Accept or Cache-Control replaces the usual one. Not a
    /// Last-Event-ID, which is known here. Authorization, Cookie and Proxy-Authorization stay with
    /// the first URL's origin, and so does what `source_header::is_secret`: a redirect to another
    /// origin does not take them along.
    std::vector<source_header> headers = {};
    /// From an earlier run. One that no stream can have given under `parser` (with a CR, LF or NUL,
    /// beyond the limit, not UTF-8 where that matters), or that no header can carry (with another
    /// control character, or white space at an edge), is a bad request.
    std::string last_event_id = {};

    request_hook before_request = {};

    status_policy on_status = status_policy::browser;
    repeat_policy repeat = repeat_policy::reads;
    answer_hook on_answer = {};
    /// Headers of answers to keep for `event_source::answer_header`, streams' as well: a session
    /// id, for instance.
    std::vector<std::string> keep_headers = {};
    /// Bytes to keep for `event_source::answer_body` of an answer that is no stream; what follows
    /// is not read.
    std::size_t max_answer_body = std::size_t{64} << 10;
    /// Takes off a coding that the HTTP library does not: its codings are asked for. Null: none is.
    content_decoder* decoder = nullptr;

    /// Where it is given, its event ends the source, source_end::completed: the connection is
    /// closed and nothing more is awaited.
    last_event is_last = {};
    /// Whether an event without its blank line is delivered where a response ends in order. The
    /// standard drops it, because nobody knows whether it is whole; some servers forget the line
    /// after their last event.
    bool deliver_unfinished = false;
    /// Told of comments by `event_source::next`, and so by `event_stream`; a sink has a member of
    /// this name.
    comment_hook on_comment = {};

    std::chrono::milliseconds initial_delay = {}; ///< before the first request
    std::chrono::milliseconds reconnection_time = std::chrono::seconds(1); ///< until a server says
    /// The least that a server may ask for, by `retry` or by Retry-After.
    std::chrono::milliseconds min_delay = std::chrono::milliseconds(100);
    /// The longest wait, whatever the server asks for and chance adds; of both bounds it wins.
    std::chrono::milliseconds max_delay = std::chrono::hours(1);
    std::chrono::milliseconds max_backoff = std::chrono::minutes(1); ///< the most that is added
    /// A stream that has lasted this long without an event counts as a success.
    std::chrono::milliseconds healthy_after = std::chrono::minutes(1);
    /// Failures in a row, after which it gives up; zero: never.
    unsigned max_failures = 0;
    unsigned max_redirects = 20;
    /// How long to wait for a connection: the look-up of its name, TCP, a proxy, TLS. Zero: for
    /// ever; less than zero: it is late at once.
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(30);
    /// How long to wait, once connected, for the head of the response: a language model that reads
    /// a long prompt takes its time. Zero and less as above.
    std::chrono::milliseconds answer_timeout = std::chrono::minutes(5);
    /// How long to wait for the body of an answer that is no stream. Zero and less as above.
    std::chrono::milliseconds body_timeout = std::chrono::seconds(10);
    /// How long to wait for a byte, even of a heartbeat; zero: for ever; less than zero: it is late
    /// at once. Twice the server's heartbeat is a good value.
    std::chrono::milliseconds idle_timeout = {};
    /// How long to wait for an event, whatever comments come meanwhile; from the head of the
    /// response on. Zero and less as above.
    std::chrono::milliseconds event_timeout = {};

    source_hook on_change = {};
    parser_options parser = {};
    /// Seed of the random spread: the same seed gives the same waits. Zero: taken from the time of
    /// the first `poll`, which differs from client to client.
    std::uint64_t seed = 0;
};

/// What to send. Lifetime: until the next call of the source that is not const.
struct source_request {
    std::string_view method;
    std::string_view url;
    std::span<const header> headers;
    std::string_view body;
    /// A redirect has led to another origin: credentials that the HTTP library was given, such as a
    /// password, a token, a cookie or a client certificate, are not for this one.
    bool is_abroad = false;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
