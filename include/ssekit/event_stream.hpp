// SPDX-License-Identifier: MIT
//
// An event source over a transport that blocks, as a range that waits for the next event:
//
//     for (const ssekit::event_view& event : ssekit::event_stream(source, transport)) ...
//
// It reconnects by itself, and ends when the source has ended, see `event_source::end`. Leaving a
// loop ends its transfer; another loop over the same source begins with a new connection, which
// asks for what followed the last event.
//
// A loop over `items` also sees that an event was dropped, or that nothing has come for a while:
//
//     for (const ssekit::stream_item& item : stream.items(std::chrono::seconds(1))) ...
//
// blocking_transport: t is a value of the type, s an event_source, d a time_point
//
// | expression   | type             | semantics                                                   |
// |--------------|------------------|-------------------------------------------------------------|
// | t.now()      | time_point       | the time by the clock of the deadlines                      |
// | t.begin(s)   | void             | begins a transfer of s.request(), there is none; what fails |
// |              |                  | is told later                                               |
// | t.end()      | void             | ends the transfer, if there is one                          |
// | t.wait(s, d) | std::string_view | waits until something comes of the transfer, if there is    |
// |              |                  | one, but not beyond d; tells s of a head, an end, a failure |
// |              |                  | and returns bytes of a body that is a stream. They stay     |
// |              |                  | where they are until the next call of begin, end or wait.   |
//
// Where the library can tell that it is connected, the transport calls `receive_connected`.
#ifndef SSEKIT_EVENT_STREAM_HPP
#define SSEKIT_EVENT_STREAM_HPP

#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/detail/source/pull_range.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_source.hpp>
#include <ssekit/stream_item.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

// clang-format off
template <class T>
concept blocking_transport =
    requires(T& t, event_source& source, time_point until) {
        { t.now() } -> std::same_as<time_point>;
        t.begin(source);
        t.end();
        { t.wait(source, until) } -> std::same_as<std::string_view>;
    };
// clang-format on

/// Lifetime: borrows both. Thread safety: as an int, and `next` blocks.
template <blocking_transport Transport>
class event_stream {
  public:
    event_stream(event_source& source, Transport& transport) noexcept
        : source_(source), transport_(transport) {}
    event_stream(const event_stream&) = delete;
    event_stream& operator=(const event_stream&) = delete;
    ~event_stream() { transport_.end(); }

    /// Waits for the next event. Throws whatever the transport throws.
    /// \returns nullptr when there will be none. Lifetime: until the next call.
    const event_view* next() {
        for (;;) {
            const stream_item item = next_item();
            if (item.kind == item_kind::event || item.kind == item_kind::end) return item.event;
        }
    }
    /// Waits for the next event, or for one that was dropped, but not beyond `until`: then the
    /// item is quiet. Throws whatever the transport throws.
    stream_item next_item(time_point until = never);

    /// How many events the source has dropped, and why the last one was.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return source_.dropped(); }
    [[nodiscard]] errc last_error() const noexcept { return source_.last_drop(); }

    /// Effects: waits for the first event.
    /// \returns an input iterator.
    [[nodiscard]] auto begin() { return detail::pull_iterator(take_event{this}); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

    /// \returns an input range of what `next_item` returns, up to the end of the stream. Lifetime:
    /// borrows the stream.
    /// \param quiet_after how long to wait for each; zero: for ever
    [[nodiscard]] auto items(std::chrono::milliseconds quiet_after = {}) & {
        return detail::pull_range(take_item{this, quiet_after});
    }
    /// Of a stream that would be gone before the loop begins: name it first.
    void items(std::chrono::milliseconds quiet_after = {}) && = delete;

  private:
    struct take_event {
        event_stream* of;
        const event_view* operator()() const { return of->next(); }
    };
    struct take_item {
        event_stream* of;
        std::chrono::milliseconds quiet_after;
        const stream_item* operator()() const {
            const bool waits = quiet_after == std::chrono::milliseconds(0);
            const time_point now = of->transport_.now();
            of->item_ = of->next_item(waits ? never : detail::later(now, quiet_after));
            return of->item_.kind == item_kind::end ? nullptr : &of->item_;
        }
    };

    event_source& source_;
    Transport& transport_;
    std::string_view input_ = {};
    stream_item item_ = {};      // of `items`
    time_point left_at_ = never; // to the reader
    bool has_begun_ = false;
};

// The argument is meant to be deduced.
template <class Transport>
event_stream(event_source&, Transport&) -> event_stream<Transport>;

template <blocking_transport Transport>
stream_item event_stream<Transport>::next_item(time_point until) {
    // If the source still knows of a transfer, it was another stream's and has ended with it.
    if (!std::exchange(has_begun_, true)) source_.receive_failure(transport_.now());
    bool was_away = left_at_ != never;
    for (;;) {
        const time_point now = transport_.now();
        // What the reader does in between is no silence of the server.
        if (std::exchange(was_away, false)) source_.receive_pause(detail::between(left_at_, now));
        left_at_ = now;
        if (const event_view* const event = source_.next(input_, now)) {
            return {.kind = item_kind::event, .event = event};
        }
        if (source_.error() == errc::comment_too_long) continue;
        if (source_.error() != errc::ok) {
            return {.kind = item_kind::dropped, .error = source_.error()};
        }
        switch (source_.poll(now)) {
        case source_action::stop: transport_.end(); return {};
        case source_action::disconnect: transport_.end(); break;
        case source_action::connect: // perhaps after a hook that has taken its time
            source_.receive_pause(detail::between(now, transport_.now()));
            transport_.begin(source_);
            break;
        case source_action::wait:
            if (source_.state() == ready_state::closed) return {};
            if (until <= now) return {.kind = item_kind::quiet};
            input_ = transport_.wait(source_, (std::min)(source_.next_deadline(), until));
            continue;
        }
        input_ = {};
    }
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
