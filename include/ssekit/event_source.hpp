// SPDX-License-Identifier: MIT
//
// The client: what an EventSource does, without the sockets. It says when to connect and with which
// request; its owner connects with whatever HTTP client there is and hands over what happens: the
// connection, the head of the response, bytes, the end, an error. Out come events, and the body of
// an answer that is no stream.
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

#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/detail/source/headers.hpp>
#include <ssekit/detail/source/machine.hpp>
#include <ssekit/detail/source/open_sink.hpp>
#include <ssekit/detail/source/state.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/header.hpp>
#include <ssekit/parser.hpp>
#include <ssekit/source_answer.hpp>
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

namespace ssekit::inline SSEKIT_ABI {

/// Thread safety: as an int. It can be moved at any moment except within a callback; a source that
/// was moved from is closed and asks for nothing.
class event_source : public detail::source_machine<event_source> {
  public:
    /// \param url http or https, absolute; a fragment is left out. A user and a password in it are
    /// sent as an Authorization of the Basic scheme, unless the options have one. Throws
    /// std::bad_alloc.
    explicit event_source(std::string_view url, event_source_options options = {});

    // ---- what its owner does

    /// \returns what to do at this time; connect, disconnect and stop once each, then wait.
    /// Throws std::bad_alloc, and then may be called again.
    [[nodiscard]] source_action poll(time_point now);
    /// When `poll` should be called at the latest, if nothing happens before; time_point() means at
    /// once, and `never` never.
    [[nodiscard]] time_point next_deadline() const noexcept {
        const bool has_news = is_over_ || reader_.is_ending();
        return has_news && state_.is_open() ? time_point() : state_.next_deadline();
    }
    /// Preconditions: `poll` has just said connect.
    [[nodiscard]] source_request request() const noexcept { return request_.view(options_); }

    /// Effects: connects at the next `poll` where it would have waited, and counts failures from
    /// none again: the network is back. A connection that there is stays.
    void connect_now() noexcept;
    /// Effects: no more events and no more requests. May be called at any moment, also from within
    /// a callback.
    void close() noexcept { finish(source_end::closed); }

    // ---- what the next attempt to connect will be; a transfer that is under way is not changed

    /// \returns false, with nothing changed, when nothing can be sent there. Throws std::bad_alloc.
    bool set_url(std::string_view url) { return request_.set_url(url); }
    /// Replaces the headers of that name, and keeps their place if they are secret.
    /// \returns false, with nothing changed, when no request may hold it. Throws std::bad_alloc.
    bool set_header(std::string_view name, std::string_view value, bool is_secret = false) {
        return detail::set_header(options_.headers, name, value, is_secret);
    }
    void remove_header(std::string_view name) noexcept {
        detail::remove_header(options_.headers, name);
    }
    void set_body(std::string body) noexcept { options_.body = std::move(body); }
    /// \returns as `parser::set_last_event_id`, and errc::unreturnable_id when no header can carry
    /// it; then nothing has changed. An empty one is none.
    errc set_last_event_id(std::string_view id) noexcept;
    /// As if a server had set it.
    void set_retry(std::chrono::milliseconds time) noexcept { reader_.parser().set_retry(time); }

    // ---- what has happened

    /// The connection is there, and the request is being sent: from here on `answer_timeout`
    /// counts. A library that cannot tell leaves the whole to `connect_timeout`.
    void receive_connected(time_point now) noexcept;

    /// The head of the response is there.
    /// \param find called with a header's name; returns what converts to an optional string_view.
    /// \returns whether its body is wanted: then it belongs to `next` or `receive`. Else `poll`
    /// says what to do. Throws std::bad_alloc.
    template <class FindHeader>
    bool receive_head(int status, FindHeader&& find, time_point now);
    /// The same at any moment.
    [[nodiscard]] bool wants_body() const noexcept { return state_.takes_body(); }

    /// Whether the options have a decoder. If not, and the library takes off no content coding
    /// either, a body in one is nothing that can be read: its Content-Type is better not found.
    [[nodiscard]] bool has_decoder() const noexcept { return options_.decoder != nullptr; }

    /// Nobody could listen for so long, because a hook or the reader was at work: whatever is
    /// awaited of the peer gets as much more time.
    void receive_pause(std::chrono::milliseconds time) noexcept;

    /// Bytes of the body, without transfer coding, and without content coding unless the options
    /// have a decoder. As `parser::next`; nullptr as well when the source is not open.
    [[nodiscard]] const event_view* next(std::string_view& input, time_point now) noexcept;

    /// The same for a sink, with any of the members that `feed` knows, or a callable instead of
    /// on_event. Each may call `close`, and nothing is called after that; on_event and on_error may
    /// return false to stop.
    /// \returns how many bytes were taken: all of them, unless it was closed or stopped.
    template <class Sink>
    std::size_t receive(std::string_view input, Sink&& sink, time_point now);

    /// The response has ended as it should, or the connection has failed at any stage; also for
    /// what follows `disconnect`, if its owner reports that, which then changes nothing. After the
    /// end `next` or `receive` is called once more, without input: see `deliver_unfinished`.
    /// \param why what the library says of it, for `failure`; longer than 255 bytes it is cut off
    /// \param reached how far the request has got: one that never left may always be sent again
    void receive_end(time_point now) noexcept;
    void receive_failure(time_point now, std::string_view why = "no connection",
                         request_reach reached = request_reach::unknown) noexcept;

    // ---- what there is to know

    [[nodiscard]] ready_state state() const noexcept { return state_.ready(); }
    [[nodiscard]] source_end end() const noexcept { return state_.end(); }
    /// Of the newest answer; 0 before the first.
    [[nodiscard]] int status() const noexcept { return answer_.status(); }
    /// A header of the newest answer, if it has it and `keep_headers` names it. Lifetime: until the
    /// next call that is not const.
    [[nodiscard]] std::optional<std::string_view>
    answer_header(std::string_view name) const noexcept {
        return answer_.find(name);
    }
    /// The body of the newest answer, if that is no stream. Lifetime: as above.
    [[nodiscard]] std::string_view answer_body() const noexcept { return answer_.body(); }
    /// Whether that is all of it: neither longer than `max_answer_body`, nor late, nor cut off.
    [[nodiscard]] bool is_answer_whole() const noexcept { return answer_.is_whole(); }
    /// What a proxy has said of the newest answer.
    [[nodiscard]] ssekit::proxy_refusal proxy_refusal() const noexcept { return answer_.refusal(); }
    /// When it will connect, or was to, if it is not connected.
    [[nodiscard]] time_point next_attempt() const noexcept { return state_.due(); }
    /// It is kept through reconnections. Lifetime: as above.
    [[nodiscard]] std::string_view last_event_id() const noexcept {
        return reader_.parser().last_event_id();
    }
    /// Whether a header brings that id to the server as it is. If not, it is not sent.
    [[nodiscard]] bool id_can_travel() const noexcept {
        return detail::can_travel(last_event_id());
    }
    /// The reconnection time that a server has set, as it came; the options say how it is used. It
    /// is kept through reconnections.
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry() const noexcept {
        return reader_.parser().retry();
    }
    /// The URL that the stream came from, after all redirects, without a user. Lifetime: as above.
    [[nodiscard]] std::string_view url() const noexcept { return request_.url(); }
    [[nodiscard]] unsigned failures() const noexcept { return attempts_.failures(); } ///< in a row
    /// Why the newest connection came to its end, or to nothing: the library's words, or which time
    /// was over; empty while there is no more to say than `end` and `status` do. Lifetime: as
    /// above.
    [[nodiscard]] std::string_view failure() const noexcept { return failure_.view(); }
    /// Whether the last connection was lost inside an event, which was dropped.
    [[nodiscard]] bool was_cut() const noexcept { return was_cut_; }
    /// What stopped the last call of `next`, or the first error of the last `receive`, and where in
    /// the body it is, as the parser says.
    [[nodiscard]] errc error() const noexcept { return reader_.error(); }
    [[nodiscard]] std::uint64_t error_offset() const noexcept { return reader_.error_offset(); }
    /// How many events were dropped because of `parser_limits` or malformed UTF-8, and why the last
    /// one was.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return reader_.dropped(); }
    [[nodiscard]] errc last_drop() const noexcept { return reader_.last_drop(); }

  private:
    /// What open_sink wants to know, and tells.
    struct watcher {
        event_source& of;
        time_point now;
        [[nodiscard]] bool is_open() const noexcept { return of.state_.is_open(); }
        [[nodiscard]] bool is_over() const noexcept { return of.is_over_; }
        void note_event(const event_view& event) const noexcept { of.note(event, now); }
        void note_error(errc code, std::uint64_t at) const noexcept {
            of.reader_.note(code, at);
            of.attempts_.make_progress();
        }
        void note_piece() const noexcept { of.attempts_.make_progress(); }
    };

    [[nodiscard]] bool hear(std::string_view& bytes, time_point now) noexcept;
    void keep(std::string_view& bytes, time_point now) noexcept;
    void note(const event_view& event, time_point now) noexcept;
    void break_off(time_point now) noexcept;
};

// ---- how: requests

inline event_source::event_source(std::string_view url, event_source_options options)
    : source_machine(url, std::move(options)) {
    const bool is_good =
        request_.is_sound(options_) && set_last_event_id(options_.last_event_id) == errc::ok;
    if (!is_good) state_.finish(source_end::bad_request);
}

inline errc event_source::set_last_event_id(std::string_view id) noexcept {
    if (validate_id(id) == errc::ok && !detail::can_travel(id)) return errc::unreturnable_id;
    return reader_.parser().set_last_event_id(id);
}

inline void event_source::connect_now() noexcept {
    if (state_.phase() != detail::source_phase::waiting) return;
    options_.initial_delay = {};
    attempts_.forget_failures();
    state_.wait_until(time_point());
}

inline source_action event_source::poll(time_point now) {
    begin(now);
    if (is_over_) finish(source_end::completed);
    if (reader_.is_ending()) {
        lose(now, detail::source_loss::in_order, "the response has ended");
    }
    if (state_.is_late(now)) be_late(now);
    const source_action action = state_.next(now);
    if (action != source_action::connect) return action;
    if (!request_.has_led_on() && !prepare(now)) {
        // It may be due again at once, but not within one call.
        return state_.phase() == detail::source_phase::closed ? state_.next(now)
                                                              : source_action::wait;
    }
    request_.prepare(options_, last_event_id());
    is_connected_ = false;
    state_.connect(deadline(now, options_.connect_timeout));
    return action;
}

// ---- how: what has happened

inline void event_source::receive_connected(time_point now) noexcept {
    if (state_.phase() != detail::source_phase::connecting || !state_.has_transfer()) return;
    is_connected_ = true;
    state_.put_off(deadline(now, options_.answer_timeout));
}

inline void event_source::receive_pause(milliseconds time) noexcept {
    if (!state_.has_transfer()) return;
    event_due_ = detail::later(event_due_, time);
    state_.put_off(detail::later(state_.due(), time));
}

template <class FindHeader>
bool event_source::receive_head(int status, FindHeader&& find, time_point now) {
    if (state_.phase() != detail::source_phase::connecting || !state_.has_transfer()) return false;
    auto found = [&find](std::string_view name) -> std::optional<std::string_view> {
        return find(name);
    };
    take_head(answer_head(status, found), now);
    return wants_body();
}

inline void event_source::receive_end(time_point now) noexcept {
    if (!state_.has_transfer()) return;
    if (state_.takes_body() && !reader_.is_complete()) {
        return receive_failure(now, "the content coding has no end");
    }
    if (state_.phase() == detail::source_phase::answered) {
        return conclude(now, body_end::whole, "");
    }
    const bool delivers = options_.deliver_unfinished && state_.is_open() && !is_over_;
    if (delivers && reader_.has_unfinished()) return; // which `poll` concludes
    lose(now, detail::source_loss::in_order, "the response has ended");
}

inline void event_source::receive_failure(time_point now, std::string_view why,
                                          request_reach reached) noexcept {
    if (!state_.has_transfer()) return;
    if (state_.phase() == detail::source_phase::answered) {
        return conclude(now, body_end::broken, why);
    }
    const bool is_unsent = reached == request_reach::unsent;
    lose(now, is_unsent ? detail::source_loss::unsent : detail::source_loss::broken, why);
}

// ---- how: bodies

/// \returns whether there may be events in what has come.
inline bool event_source::hear(std::string_view& bytes, time_point now) noexcept {
    reader_.forget_error();
    if (is_over_) finish(source_end::completed);
    if (state_.phase() == detail::source_phase::answered) keep(bytes, now);
    if (!state_.is_open()) return false;
    if (!bytes.empty()) put_off(now);
    return true;
}

inline void event_source::keep(std::string_view& bytes, time_point now) noexcept {
    bool fits = true;
    reader_.copy_to(bytes, [&](std::string_view part) {
        fits = answer_.take(part, options_.max_answer_body);
        return fits;
    });
    bytes = {};
    if (fits && !reader_.is_broken()) return;
    state_.drop_transfer();
    conclude(now, fits ? body_end::broken : body_end::too_long,
             fits ? "the content coding is broken" : "");
}

inline void event_source::note(const event_view& event, time_point now) noexcept {
    if (detail::is_progress(event)) attempts_.make_progress();
    is_over_ = options_.is_last && options_.is_last(event);
    event_due_ = deadline(now, options_.event_timeout);
    put_off(now);
}

inline const event_view* event_source::next(std::string_view& input, time_point now) noexcept {
    if (!hear(input, now)) return nullptr;
    const event_view* const event = reader_.next(input, options_.on_comment);
    if (event != nullptr) note(*event, now);
    // A feed whose events are too large for us is alive all the same.
    if (reader_.error() != errc::ok) attempts_.make_progress();
    if (reader_.is_broken()) break_off(now);
    return event;
}

template <class Sink>
std::size_t event_source::receive(std::string_view input, Sink&& sink, time_point now) {
    using plain = std::remove_reference_t<Sink>;
    detail::check_sink<plain>();
    const std::size_t size = input.size();
    if (!hear(input, now)) return size - input.size();
    detail::open_sink checked{sink, watcher{*this, now}};
    reader_.feed_into(input, checked);
    if (reader_.is_broken()) break_off(now);
    if (is_over_) finish(source_end::completed);
    return size - input.size();
}

inline void event_source::break_off(time_point now) noexcept {
    if (!state_.is_open()) return; // closed by a callback
    lose(now, detail::source_loss::broken, "the content coding is broken");
    state_.drop_transfer();
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
