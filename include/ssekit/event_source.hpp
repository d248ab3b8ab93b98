// SPDX-License-Identifier: MIT
//
// The client: what an EventSource does, without the sockets. It says when to connect and with which
// request; its owner connects with whatever HTTP client there is and hands over what happens: the
// head of the response, bytes, the end, an error. Out come events.
//
//     for (;;) switch (source.poll(now)) {
//     case source_action::connect:    begin a transfer of source.request(); break;
//     case source_action::disconnect: end the transfer that there is; break;
//     case source_action::wait:       until something happens, or source.next_deadline(); break;
//     case source_action::stop:       source.end() says why; return;
//     }
//
// A stream that ends or breaks is asked for again, with the id of the last event, after the
// reconnection time that the server gave and, so that clients do not come back together, a random
// time of up to as much again. That doubles with each failure in a row; a stream that has brought
// events, or has stood for a while, makes the count begin again.
//
// Spec: HTML, 9.2.2 to 9.2.4 and 9.2.6; what goes beyond is off or said where it stands.
#ifndef SSEKIT_EVENT_SOURCE_HPP
#define SSEKIT_EVENT_SOURCE_HPP

#include <ssekit/detail/random.hpp>
#include <ssekit/http.hpp>
#include <ssekit/parser.hpp>
#include <ssekit/time.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ssekit {

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
    sdk,     ///< 408, 429, 500, 502, 503 and 504, after Retry-After if there is one
};

/// Why there will be no more events.
enum class source_end : std::uint8_t {
    open,              ///< there may be more
    closed,            ///< event_source::close
    bad_request,       ///< the URL is not http or https, or holds what no request may hold, as may
                       ///< the method or a header: nothing was sent
    no_content,        ///< 204: the server wants nobody to come back
    completed,         ///< the one answer to a request that is not repeated has come to its end
    bad_status,        ///< see `event_source::status`
    bad_media_type,    ///< 200, but no text/event-stream
    bad_redirect,      ///< without a place to go to, or more than `max_redirects`
    not_repeated,      ///< a request that is not repeated has failed
    too_many_failures, ///< `max_failures` in a row
};

/// \returns what it says in words. Lifetime: static.
[[nodiscard]] constexpr std::string_view message(source_end code) noexcept;

struct source_header {
    std::string name;
    std::string value;
};

class event_source;

/// Told of what the standard fires `open` and `error` for: a stream has begun, `state` is open; it
/// or an attempt was lost, `state` is connecting and `next_attempt` says when the next one will be;
/// or it is over, `state` is closed. Of the source it changes nothing, but it may close it.
struct source_hook {
    void (*call)(void* context, event_source& source) noexcept = nullptr;
    void* context = nullptr;
};

struct event_source_options {
    std::string method = "GET";
    std::string body = {};
    /// Sent with each request, an Accept or Cache-Control in the place of the usual one; but not a
    /// Last-Event-ID, which is known here. Authorization, Cookie and Proxy-Authorization stay with
    /// the first URL's origin: a redirect to another does not take them along.
    std::vector<source_header> headers = {};
    std::string last_event_id = {}; ///< from an earlier run

    status_policy on_status = status_policy::browser;
    /// Another request than GET may cost money or do things: it is sent once, unless this says that
    /// it may be repeated.
    bool repeat = false;

    std::chrono::milliseconds reconnection_time = std::chrono::seconds(1); ///< until a server says
    /// What a server may ask for at the least and at the most, by `retry` or by Retry-After.
    std::chrono::milliseconds min_delay = std::chrono::milliseconds(100);
    std::chrono::milliseconds max_delay = std::chrono::hours(1);
    std::chrono::milliseconds max_backoff = std::chrono::minutes(1); ///< what is added at the most
    /// A stream that has stood so long without an event counts as one that has succeeded.
    std::chrono::milliseconds healthy_after = std::chrono::minutes(1);
    /// Failures in a row, after which it gives up; zero: never.
    unsigned max_failures = 0;
    unsigned max_redirects = 20;
    /// For the head of the response to come; zero: for ever.
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(30);
    /// Without a byte, be it of a heartbeat; zero: for ever. Twice the server's heartbeat is good.
    std::chrono::milliseconds idle_timeout = {};

    source_hook on_change = {};
    parser_options parser = {};
    std::uint64_t seed = 1; ///< of the random spread; another one in each client
};

/// What to send. Lifetime: until the event source is told the next thing.
struct source_request {
    std::string_view method;
    std::string_view url;
    std::span<const header> headers;
    std::string_view body;
};

/// Thread safety: as an int.
class event_source {
  public:
    /// \param url http or https, absolute; a fragment is left out. Throws std::bad_alloc.
    explicit event_source(std::string_view url, event_source_options options = {});

    // ---- what its owner does

    /// \returns what to do at this time; connect, disconnect and stop once each, then wait.
    /// Throws std::bad_alloc.
    [[nodiscard]] source_action poll(time_point now);
    /// When `poll` should be called at the latest, if nothing happens before; time_point() is at
    /// once, `never` never.
    [[nodiscard]] time_point next_deadline() const noexcept;
    /// Preconditions: `poll` has just said connect.
    [[nodiscard]] source_request request() const noexcept;

    // ---- what has happened

    /// The head of the response is there.
    /// \param find called with a header's name; gives what converts to an optional string_view.
    /// \returns whether it is a stream: then its body belongs to `next` or `receive`. Else `poll`
    /// says what to do.
    template <class FindHeader>
    bool receive_head(int status, FindHeader&& find, time_point now);

    /// Bytes of the body, without transfer or content coding. As `parser::next`; nullptr as well
    /// when the source is not open.
    const event_view* next(std::string_view& input, time_point now) noexcept;

    /// The same for a sink: a callable, or what has `on_event(const event_view&)` and perhaps
    /// `on_error(errc, std::uint64_t)`. It may call `close`, and nothing is called after that.
    template <class Sink>
    void receive(std::string_view input, Sink&& sink, time_point now);

    /// The response has ended as it should, or the connection has failed at any stage; also what
    /// follows `disconnect` if its owner reports that, which then changes nothing.
    void receive_end(time_point now) noexcept { lose(now, true); }
    void receive_failure(time_point now) noexcept { lose(now, false); }

    /// Effects: no more events, no more requests. At any moment, also from within a callback.
    void close() noexcept { finish(source_end::closed); }

    // ---- what there is to know

    [[nodiscard]] ready_state state() const noexcept;
    [[nodiscard]] source_end end() const noexcept { return end_; }
    /// Of the last response; 0 before the first.
    [[nodiscard]] int status() const noexcept { return status_; }
    /// When it will connect, or was to, if it is not connected.
    [[nodiscard]] time_point next_attempt() const noexcept { return due_; }
    /// Goes on through reconnections. Lifetime: until the source is told the next thing.
    [[nodiscard]] std::string_view last_event_id() const noexcept {
        return parser_.last_event_id();
    }
    /// The URL that the stream came from, behind all redirects. Lifetime: as above.
    [[nodiscard]] std::string_view url() const noexcept {
        return redirected_.empty() ? first_url_ : redirected_;
    }
    [[nodiscard]] unsigned failures() const noexcept { return failures_; } ///< in a row
    /// The last connection was lost inside of an event, which was dropped.
    [[nodiscard]] bool was_cut() const noexcept { return was_cut_; }
    [[nodiscard]] errc error() const noexcept { return parser_.error(); } ///< as parser::error
    [[nodiscard]] std::uint64_t error_offset() const noexcept { return parser_.error_offset(); }

  private:
    enum class phase : std::uint8_t { waiting, connecting, open, closed };

    [[nodiscard]] bool is_sound() const noexcept;
    void build_request();
    void redirect(std::string_view location, time_point now);
    void lose(time_point now, bool in_order,
              std::chrono::milliseconds at_least = std::chrono::milliseconds(0)) noexcept;
    void finish(source_end why) noexcept;
    void tell() noexcept {
        if (options_.on_change.call != nullptr) {
            options_.on_change.call(options_.on_change.context, *this);
        }
    }
    [[nodiscard]] bool may_repeat() const noexcept {
        return options_.repeat || options_.method == "GET" || options_.method == "HEAD";
    }
    [[nodiscard]] std::chrono::milliseconds delay() noexcept;

    event_source_options options_;
    std::string first_url_;
    std::string redirected_ = {};
    bool without_body_ = false; // a redirect has made a GET of it
    bool abroad_ = false;       // a redirect has left the first URL's origin
    parser parser_;
    std::vector<header> headers_; // of the request

    phase phase_ = phase::waiting;
    source_end end_ = source_end::open;
    bool disconnect_ = false;
    bool stopped_ = false;
    bool was_cut_ = false;
    bool progress_ = false; // since the connection was made
    int status_ = 0;
    unsigned failures_ = 0;
    unsigned redirects_ = 0;
    time_point due_ = {}; // to connect, or when waiting for the peer is over
    time_point opened_ = {};
    detail::random_sequence random_;
};

} // namespace ssekit

#include <ssekit/detail/event_source_run.hpp>

#endif
