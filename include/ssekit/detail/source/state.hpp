// SPDX-License-Identifier: MIT
//
// The five phases of an event source, and what its owner is told to do in each:
//
// | phase      | until                              | then                                      |
// |------------|------------------------------------|-------------------------------------------|
// | waiting    | the moment to connect              | connect: connecting                       |
// | connecting | the head of a response             | open; answered, if it is no stream;       |
// |            |                                    | waiting, for a redirect; or closed        |
// | open       | the end of the stream              | waiting, or closed                        |
// | answered   | the end of the body                | waiting, or closed                        |
// | closed     | -                                  | stop, once                                |
//
// A transfer that is under way when its phase ends is ended by one disconnect before anything else.
// This part knows neither HTTP nor events.
#ifndef SSEKIT_DETAIL_SOURCE_STATE_HPP
#define SSEKIT_DETAIL_SOURCE_STATE_HPP

#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/time.hpp>

#include <cstdint>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

enum class source_phase : std::uint8_t { waiting, connecting, open, answered, closed };

class source_state {
  public:
    source_state() noexcept = default;
    /// Only one of the two goes on: the one that was moved from is closed and has said so.
    source_state(source_state&& from) noexcept : source_state() { take(from); }
    source_state& operator=(source_state&& from) noexcept {
        take(from);
        return *this;
    }
    ~source_state() = default;

    [[nodiscard]] source_phase phase() const noexcept { return phase_; }
    [[nodiscard]] source_end end() const noexcept { return end_; }
    /// To connect, or when waiting for the peer is over.
    [[nodiscard]] time_point due() const noexcept { return due_; }
    [[nodiscard]] time_point opened() const noexcept { return opened_; }
    [[nodiscard]] bool is_open() const noexcept { return phase_ == source_phase::open; }
    /// Whether the bytes of a body are wanted.
    [[nodiscard]] bool takes_body() const noexcept {
        return phase_ == source_phase::open || phase_ == source_phase::answered;
    }
    /// No disconnect is about to be said.
    [[nodiscard]] bool has_transfer() const noexcept {
        return (phase_ == source_phase::connecting || takes_body()) && !disconnect_;
    }
    [[nodiscard]] bool is_late(time_point now) const noexcept {
        return has_transfer() && has_come(due_, now);
    }
    [[nodiscard]] ready_state ready() const noexcept {
        if (is_open()) return ready_state::open;
        return phase_ == source_phase::closed ? ready_state::closed : ready_state::connecting;
    }
    [[nodiscard]] time_point next_deadline() const noexcept {
        const bool is_over = phase_ == source_phase::closed;
        if (disconnect_ || (is_over && !stopped_)) return time_point();
        return is_over ? never : due_;
    }

    /// \returns what to do now; `connect` is to be followed by the function of that name.
    [[nodiscard]] source_action next(time_point now) noexcept {
        if (std::exchange(disconnect_, false)) return source_action::disconnect;
        if (phase_ == source_phase::closed) {
            return std::exchange(stopped_, true) ? source_action::wait : source_action::stop;
        }
        const bool is_due = phase_ == source_phase::waiting && has_come(due_, now);
        return is_due ? source_action::connect : source_action::wait;
    }
    void connect(time_point deadline) noexcept { enter(source_phase::connecting, deadline); }
    void open(time_point now, time_point deadline) noexcept {
        opened_ = now;
        enter(source_phase::open, deadline);
    }
    /// The head of an answer that is no stream.
    void answer(time_point deadline) noexcept { enter(source_phase::answered, deadline); }
    /// A sign of life.
    void put_off(time_point deadline) noexcept { due_ = deadline; }
    void wait_until(time_point due) noexcept { enter(source_phase::waiting, due); }
    /// The transfer is no longer of use.
    void drop_transfer() noexcept { disconnect_ = true; }
    /// \returns false when it was over already.
    bool finish(source_end why) noexcept {
        if (phase_ == source_phase::closed) return false;
        disconnect_ = disconnect_ || phase_ != source_phase::waiting;
        end_ = why;
        enter(source_phase::closed, never);
        return true;
    }

  private:
    void enter(source_phase next, time_point due) noexcept {
        phase_ = next;
        due_ = due;
    }
    void take(source_state& from) noexcept {
        phase_ = std::exchange(from.phase_, source_phase::closed);
        end_ = std::exchange(from.end_, source_end::closed);
        disconnect_ = std::exchange(from.disconnect_, false);
        stopped_ = std::exchange(from.stopped_, true);
        due_ = std::exchange(from.due_, never);
        opened_ = from.opened_;
    }

    source_phase phase_ = source_phase::waiting;
    source_end end_ = source_end::open;
    bool disconnect_ = false; // to be said
    bool stopped_ = false;    // said
    time_point due_ = {};
    time_point opened_ = {};
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
