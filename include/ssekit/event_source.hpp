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
// A stream that ends or breaks is requested again, with the id of the last event, after the
// reconnection time that the server gave plus a random time of up to as much again, so that clients
// do not come back together. That random part doubles with each failure in a row; a stream that has
// brought an event with text, or has lasted for a while, starts the count again.
//
// Spec: HTML, 9.2.2 to 9.2.4 and 9.2.6; what goes beyond the standard is off by default, or
// documented where it is declared.
#ifndef SSEKIT_EVENT_SOURCE_HPP
#define SSEKIT_EVENT_SOURCE_HPP

#include <ssekit/detail/base/random.hpp>
#include <ssekit/detail/base/short_text.hpp>
#include <ssekit/detail/http/date.hpp>
#include <ssekit/detail/source/answer.hpp>
#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/detail/source/headers.hpp>
#include <ssekit/detail/source/open_sink.hpp>
#include <ssekit/detail/source/redirects.hpp>
#include <ssekit/detail/source/state.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/header.hpp>
#include <ssekit/parser.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ssekit::inline SSEKIT_ABI {

/// Thread safety: as an int. It can be moved at any moment except within a callback; a source that
/// was moved from is closed and asks for nothing.
class event_source {
  public:
    /// \param url http or https, absolute; a fragment is left out. Throws std::bad_alloc.
    explicit event_source(std::string_view url, event_source_options options = {});

    // ---- what its owner does

    /// \returns what to do at this time; connect, disconnect and stop once each, then wait.
    /// Throws std::bad_alloc, and then may be called again.
    [[nodiscard]] source_action poll(time_point now);
    /// When `poll` should be called at the latest, if nothing happens before; time_point() means at
    /// once, and `never` never.
    [[nodiscard]] time_point next_deadline() const noexcept {
        return is_over_ && state_.is_open() ? time_point() : state_.next_deadline();
    }
    /// Preconditions: `poll` has just said connect.
    [[nodiscard]] source_request request() const noexcept;

    // ---- what has happened

    /// The head of the response is there.
    /// \param find called with a header's name; returns what converts to an optional string_view.
    /// \returns whether it is a stream: then its body belongs to `next` or `receive`. Else `poll`
    /// says what to do. Throws std::bad_alloc.
    template <class FindHeader>
    bool receive_head(int status, FindHeader&& find, time_point now);

    /// Bytes of the body, without transfer or content coding. As `parser::next`; nullptr as well
    /// when the source is not open.
    [[nodiscard]] const event_view* next(std::string_view& input, time_point now) noexcept;

    /// The same for a sink, with any of the members that `feed` knows, or a callable instead of
    /// on_event. Each may call `close`, and nothing is called after that; on_event and on_error may
    /// return false to stop.
    /// \returns how many bytes were taken: all of them, unless it was closed or stopped.
    template <class Sink>
    std::size_t receive(std::string_view input, Sink&& sink, time_point now);

    /// The response has ended as it should, or the connection has failed at any stage; also for
    /// what follows `disconnect`, if its owner reports that, which then changes nothing.
    /// \param why what the library says of it, for `failure`; longer than 255 bytes it is cut off
    void receive_end(time_point now) noexcept { lose(now, true, "the response has ended"); }
    void receive_failure(time_point now, std::string_view why = "no connection") noexcept {
        lose(now, false, why);
    }

    /// Effects: no more events and no more requests. May be called at any moment, also from within
    /// a callback.
    void close() noexcept { finish(source_end::closed); }

    // ---- what there is to know

    [[nodiscard]] ready_state state() const noexcept { return state_.ready(); }
    [[nodiscard]] source_end end() const noexcept { return state_.end(); }
    /// Of the last response; 0 before the first.
    [[nodiscard]] int status() const noexcept { return status_; }
    /// What a proxy has said of the newest answer.
    [[nodiscard]] ssekit::proxy_refusal proxy_refusal() const noexcept { return proxy_refusal_; }
    /// When it will connect, or was to, if it is not connected.
    [[nodiscard]] time_point next_attempt() const noexcept { return state_.due(); }
    /// It is kept through reconnections. Lifetime: until the next call that is not const.
    [[nodiscard]] std::string_view last_event_id() const noexcept {
        return parser_.last_event_id();
    }
    /// The reconnection time that a server has set, as it came; the options say how it is used. It
    /// is kept through reconnections.
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry() const noexcept {
        return parser_.retry();
    }
    /// The URL that the stream came from, after all redirects. Lifetime: as above.
    [[nodiscard]] std::string_view url() const noexcept { return way_.url(); }
    [[nodiscard]] unsigned failures() const noexcept { return failures_; } ///< in a row
    /// Why the newest connection came to its end, or to nothing: the library's words, or which time
    /// was over; empty while there is no more to say than `end` and `status` do. Lifetime: until
    /// the next call that is not const.
    [[nodiscard]] std::string_view failure() const noexcept { return failure_.view(); }
    /// Whether the last connection was lost inside an event, which was dropped.
    [[nodiscard]] bool was_cut() const noexcept { return was_cut_; }
    [[nodiscard]] errc error() const noexcept { return parser_.error(); } ///< as parser::error
    [[nodiscard]] std::uint64_t error_offset() const noexcept { return parser_.error_offset(); }

  private:
    using milliseconds = std::chrono::milliseconds;

    void begin(time_point now) noexcept;
    [[nodiscard]] bool is_sound() const noexcept;
    [[nodiscard]] bool take_last_event_id() noexcept;
    void lose(time_point now, bool in_order, std::string_view why,
              milliseconds at_least = {}) noexcept;
    [[nodiscard]] std::string_view what_is_late(time_point now) const noexcept;
    void finish(source_end why) noexcept {
        if (state_.finish(why)) tell();
    }
    void tell() noexcept {
        if (options_.on_change) options_.on_change(*this);
    }
    /// \returns whether there may be events in what has come.
    [[nodiscard]] bool hear(std::string_view bytes, time_point now) noexcept {
        if (is_over_) finish(source_end::completed);
        if (!state_.is_open()) return false;
        if (!bytes.empty()) put_off(now);
        return true;
    }
    void put_off(time_point now) noexcept {
        state_.put_off((std::min)(event_due_, deadline(now, options_.idle_timeout)));
    }
    void note(const event_view& event, time_point now) noexcept {
        progress_ = progress_ || detail::is_progress(event);
        is_over_ = options_.is_last && options_.is_last(event);
        event_due_ = deadline(now, options_.event_timeout);
        put_off(now);
    }
    [[nodiscard]] static time_point deadline(time_point now, milliseconds timeout) noexcept {
        return timeout == milliseconds(0) ? never : detail::later(now, timeout);
    }
    [[nodiscard]] bool may_repeat() const noexcept {
        switch (options_.repeat) {
        case repeat_policy::always: return true;
        case repeat_policy::until_stream: return !has_streamed_;
        default: break;
        }
        const std::string_view method = options_.method;
        return method == "GET" || method == "HEAD" || method == "QUERY";
    }
    [[nodiscard]] bool body_may_go() const noexcept {
        return options_.body_may_travel || !way_.is_abroad() || way_.is_without_body() ||
               options_.body.empty();
    }
    [[nodiscard]] milliseconds delay(milliseconds at_least) noexcept;

    event_source_options options_;
    parser parser_;
    detail::source_state state_;
    detail::redirects way_;
    std::vector<header> headers_; // of the request
    detail::random_sequence random_;

    bool has_begun_ = false; // it has been told a time
    bool was_cut_ = false;
    bool progress_ = false; // since the connection was made
    bool has_streamed_ = false;
    bool is_over_ = false; // the last event has been given out
    time_point event_due_ = never;
    int status_ = 0;
    ssekit::proxy_refusal proxy_refusal_ = ssekit::proxy_refusal::none;
    unsigned failures_ = 0;
    detail::short_text failure_;
};

// ---- how

inline event_source::event_source(std::string_view url, event_source_options options)
    : options_(std::move(options)), parser_(options_.parser), way_(url.substr(0, url.find('#'))),
      random_(options_.seed) {
    if (!is_sound() || !take_last_event_id()) state_.finish(source_end::bad_request);
}

// No part of what was asked for can become a request of its own.
inline bool event_source::is_sound() const noexcept {
    for (const source_header& each : options_.headers) {
        if (!is_valid_header({each.name, each.value})) return false;
    }
    return detail::is_token(options_.method) && detail::has_no_space(way_.url()) &&
           detail::is_http(detail::split_url(way_.url()));
}

inline bool event_source::take_last_event_id() noexcept {
    const std::string_view id = options_.last_event_id;
    if (id.empty()) return true;
    if (validate_id(id) != errc::ok || !detail::is_field_value(id)) return false;
    // Without a line end in it, it is one value, and the parser says what it makes of it.
    for (std::string_view part : {std::string_view("id: "), id, std::string_view("\n\n")}) {
        if (parser_.next(part) != nullptr || parser_.error() != errc::ok) return false;
    }
    return parser_.last_event_id() == id;
}

inline void event_source::begin(time_point now) noexcept {
    if (std::exchange(has_begun_, true)) return;
    const auto count = static_cast<std::uint64_t>(now.time_since_epoch().count());
    if (options_.seed == 0) random_ = detail::random_sequence(count);
    if (state_.phase() == detail::source_phase::waiting) {
        state_.wait_until(detail::later(now, options_.initial_delay));
    }
}

inline source_action event_source::poll(time_point now) {
    begin(now);
    if (is_over_) finish(source_end::completed);
    if (state_.is_late(now)) {
        lose(now, false, what_is_late(now));
        state_.drop_transfer();
    }
    const source_action action = state_.next(now);
    if (action == source_action::connect) {
        detail::collect_headers(headers_, options_.headers, way_, parser_.last_event_id());
        state_.connect(deadline(now, options_.connect_timeout));
    }
    return action;
}

inline source_request event_source::request() const noexcept {
    const bool is_bare = way_.is_without_body();
    return {.method = is_bare ? std::string_view("GET") : options_.method,
            .url = way_.url(),
            .headers = headers_,
            .body = is_bare ? std::string_view() : options_.body};
}

template <class FindHeader>
bool event_source::receive_head(int status, FindHeader&& find, time_point now) {
    if (state_.phase() != detail::source_phase::connecting || !state_.has_transfer()) return false;
    const auto value = [&](std::string_view name) {
        const std::optional<std::string_view> found = find(name);
        return found.value_or(std::string_view());
    };
    status_ = status;
    failure_ = {};
    proxy_refusal_ = detail::judge_proxy(value("Proxy-Status"));
    const detail::source_answer answer =
        detail::judge_answer(status, value("Content-Type"), options_.on_status);
    if (answer == detail::source_answer::stream) {
        progress_ = false;
        has_streamed_ = true;
        way_.arrive();
        parser_.reconnect();
        event_due_ = deadline(now, options_.event_timeout);
        state_.open(now, (std::min)(event_due_, deadline(now, options_.idle_timeout)));
        tell();
        return state_.is_open();
    }
    state_.drop_transfer();
    switch (answer) {
    case detail::source_answer::redirect:
        if (way_.follow(status, value("Location"), options_.method, options_.max_redirects) &&
            body_may_go()) {
            state_.wait_until(now);
        } else {
            finish(source_end::bad_redirect);
        }
        break;
    case detail::source_answer::again:
        lose(now, false, "",
             detail::retry_after(value("Retry-After"), value("Date"))
                 .value_or(std::chrono::seconds(0)));
        break;
    case detail::source_answer::no_content: finish(source_end::no_content); break;
    case detail::source_answer::bad_media_type: finish(source_end::bad_media_type); break;
    default:
        finish(status == 501 && proxy_refusal_ == ssekit::proxy_refusal::incremental
                   ? source_end::not_passed_on
                   : source_end::bad_status);
    }
    return false;
}

inline const event_view* event_source::next(std::string_view& input, time_point now) noexcept {
    if (!hear(input, now)) return nullptr;
    const event_view* const event = parser_.next(input);
    if (event != nullptr) note(*event, now);
    return event;
}

template <class Sink>
std::size_t event_source::receive(std::string_view input, Sink&& sink, time_point now) {
    using plain = std::remove_reference_t<Sink>;
    if constexpr (!std::invocable<plain&, const event_view&>) detail::check_sink<plain>();
    if (!hear(input, now)) return 0;
    const auto noted = [this, now](const event_view& event) noexcept { note(event, now); };
    const std::size_t taken =
        feed(parser_, input, detail::open_sink{sink, state_, progress_, is_over_, noted});
    if (is_over_) finish(source_end::completed);
    return taken;
}

// The connection is gone, or will not come about.
inline void event_source::lose(time_point now, bool in_order, std::string_view why,
                               milliseconds at_least) noexcept {
    const bool was_open = state_.is_open();
    if (!was_open && state_.phase() != detail::source_phase::connecting) return;
    failure_ = detail::short_text(why);
    was_cut_ = was_open && parser_.finish() == errc::incomplete;
    state_.wait_until(never); // from here on there is no transfer
    if (is_over_) return finish(source_end::completed);
    if (!may_repeat()) {
        const bool ended = was_open && in_order;
        if (was_open && options_.is_last) return finish(source_end::cut_short);
        return finish(ended ? source_end::completed : source_end::not_repeated);
    }
    const time_point healthy = detail::later(state_.opened(), options_.healthy_after);
    if (was_open && (progress_ || detail::has_come(healthy, now))) failures_ = 0;
    if (options_.max_failures != 0 && failures_ == options_.max_failures) {
        return finish(source_end::too_many_failures);
    }
    const milliseconds wait = delay(at_least);
    if (failures_ + 1 != 0) ++failures_;
    way_.begin_again();
    state_.wait_until(detail::later(now, wait));
    tell();
}

inline std::string_view event_source::what_is_late(time_point now) const noexcept {
    if (!state_.is_open()) return "no answer in time";
    return detail::has_come(event_due_, now) ? "no event in time" : "no byte in time";
}

inline std::chrono::milliseconds event_source::delay(milliseconds at_least) noexcept {
    const milliseconds asked =
        (std::max)(parser_.retry().value_or(options_.reconnection_time), at_least);
    const detail::delay_bounds bounds{
        .min = options_.min_delay, .max = options_.max_delay, .max_spread = options_.max_backoff};
    return detail::draw(detail::delay_after(asked, failures_, bounds), random_);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
