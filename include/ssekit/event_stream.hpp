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
#ifndef SSEKIT_EVENT_STREAM_HPP
#define SSEKIT_EVENT_STREAM_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_source.hpp>
#include <ssekit/time.hpp>

#include <concepts>
#include <cstddef>
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
    const event_view* next();

    /// How many events were dropped because of `parser_limits`, and why the last one was.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
    [[nodiscard]] errc last_error() const noexcept { return last_error_; }

    class iterator;
    /// Effects: waits for the first event.
    [[nodiscard]] iterator begin() { return iterator(*this); }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  private:
    event_source& source_;
    Transport& transport_;
    std::string_view input_ = {};
    bool has_begun_ = false;
    std::uint64_t dropped_ = 0;
    errc last_error_ = errc::ok;
};

// The argument is meant to be deduced.
template <class Transport>
event_stream(event_source&, Transport&) -> event_stream<Transport>;

/// An input iterator.
template <blocking_transport Transport>
class event_stream<Transport>::iterator {
  public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = event_view;
    using difference_type = std::ptrdiff_t;

    explicit iterator(event_stream& of) : of_(&of), event_(of.next()) {}

    [[nodiscard]] const event_view& operator*() const noexcept { return *event_; }
    [[nodiscard]] const event_view* operator->() const noexcept { return event_; }
    iterator& operator++() {
        event_ = of_->next();
        return *this;
    }
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept {
        return event_ == nullptr;
    }

  private:
    event_stream* of_;
    const event_view* event_;
};

template <blocking_transport Transport>
const event_view* event_stream<Transport>::next() {
    // If the source still knows of a transfer, it was another stream's and has ended with it.
    if (!std::exchange(has_begun_, true)) source_.receive_failure(transport_.now());
    bool was_away = true;
    for (;;) {
        const time_point now = transport_.now();
        if (const event_view* const event = source_.next(input_, now)) return event;
        if (source_.state() == ready_state::open && source_.error() != errc::ok) {
            ++dropped_;
            last_error_ = source_.error();
            continue;
        }
        // What arrived while the reader was busy does not count as silence of the server.
        const bool is_back = std::exchange(was_away, false);
        if (is_back && source_.state() == ready_state::open && source_.next_deadline() <= now) {
            input_ = transport_.wait(source_, now);
            continue;
        }
        switch (source_.poll(now)) {
        case source_action::stop: transport_.end(); return nullptr;
        case source_action::disconnect: transport_.end(); break;
        case source_action::connect: transport_.begin(source_); break;
        case source_action::wait:
            if (source_.state() == ready_state::closed) return nullptr;
            input_ = transport_.wait(source_, source_.next_deadline());
            continue;
        }
        input_ = {};
    }
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
