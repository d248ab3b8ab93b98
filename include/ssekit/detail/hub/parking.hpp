// SPDX-License-Identifier: MIT
//
// Where readers wait. Numbers only: a reader is in one ring at a time, or in none.
//
//   idle at a topic    until it gets an event; those with wakers of their own in a second ring
//   held               until a time, its throttle's
//   ready              until `next_ready` is asked
//   next turn          until `tick`; those with wakers of their own in a second ring
//
// `Links` gives `item(number)`, the link of a reader, and `idle_at(topic, has_waker)`, the head of
// a ring at a topic; the other heads are here.
#ifndef SSEKIT_DETAIL_HUB_PARKING_HPP
#define SSEKIT_DETAIL_HUB_PARKING_HPP

#include <ssekit/detail/base/links.hpp>
#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/base/wheel.hpp>
#include <ssekit/time.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

template <class Links>
class parking {
  public:
    using number = std::uint32_t;

    explicit parking(Links links) noexcept
        : links_(links), held_(std::chrono::milliseconds(4), all{this}, head) {
        for (number i = 0; i < heads_.size(); ++i) heads_[i] = {head + i, head + i};
    }
    parking(const parking&) = delete;
    parking& operator=(const parking&) = delete;

    /// Effects: makes the rings of a new topic.
    void add_topic(number topic) noexcept {
        links_.idle_at(topic, false) = {idle_head(topic, false), idle_head(topic, false)};
        links_.idle_at(topic, true) = {idle_head(topic, true), idle_head(topic, true)};
    }

    /// Effects: the reader waits nowhere. Safe to repeat.
    SSEKIT_INLINED void leave(number reader) noexcept {
        link& self = links_.item(reader);
        if (self.next != reader) unlink(at(), reader, self);
    }
    [[nodiscard]] bool is_waiting(number reader) noexcept { return is_linked(at(), reader); }

    /// Preconditions, as for all that follow: the reader waits nowhere.
    SSEKIT_INLINED void wait_idle(number reader, number topic, bool has_waker) noexcept {
        link_back(at(), idle_head(topic, has_waker), links_.idle_at(topic, has_waker), reader,
                  links_.item(reader));
    }
    void wait_ready(number reader) noexcept { link_back(at(), ready, reader); }
    void wait_next_turn(number reader, bool has_waker) noexcept {
        link_back(at(), has_waker ? next_turn_wakers : next_turn, reader);
    }
    void hold(number reader, time_point until, time_point now) noexcept {
        held_.place(reader, until, now);
    }

    /// Effects: the readers that are idle at the topic become ready; `wake(reader)` is called for
    /// each that has a waker, and takes it out of all rings. Complexity: O(1 + wakers).
    template <class Wake>
    SSEKIT_INLINED void wake_idle(number topic, Wake&& wake) noexcept {
        splice_back(at(), ready, idle_head(topic, false));
        const number ring = idle_head(topic, true);
        for (number first = at()(ring).next; first != ring; first = at()(ring).next) wake(first);
    }

    /// Effects: what waited for this turn is ready, or woken by `wake(reader)` as above.
    template <class Wake>
    void begin_turn(Wake&& wake) noexcept {
        splice_back(at(), ready, next_turn);
        for (number first = at()(next_turn_wakers).next; first != next_turn_wakers;
             first = at()(next_turn_wakers).next) {
            wake(first);
        }
    }

    /// Effects: `look(reader)`, which waits nowhere then, for each whose time has come.
    template <class Look>
    void release_held(time_point now, Look&& look) noexcept {
        held_.expire(now, look);
    }

    [[nodiscard]] bool has_ready() const noexcept { return heads_[ready - head].next != ready; }
    /// \returns the first that is ready, 0 when none is. It stays where it is.
    [[nodiscard]] number first_ready() const noexcept {
        return has_ready() ? heads_[ready - head].next : 0;
    }

    /// \returns when `begin_turn` or `release_held` is worth calling next.
    [[nodiscard]] time_point next_deadline(time_point now) const noexcept {
        const bool next = heads_[next_turn - head].next != next_turn ||
                          heads_[next_turn_wakers - head].next != next_turn_wakers;
        return next ? now : held_.next_deadline();
    }

  private:
    // Numbers with the first bit are heads: of the wheel, of the rings here, of rings at topics.
    static constexpr number head = 1u << 31;
    static constexpr number ready = head + wheel_slots + 1;
    static constexpr number next_turn = ready + 1;
    static constexpr number next_turn_wakers = ready + 2;
    static constexpr number first_idle = head | 1u << 30;
    static constexpr number idle_head(number topic, bool has_waker) noexcept {
        return first_idle | topic << 1 | (has_waker ? 1u : 0u);
    }

    struct all {
        parking* self;
        SSEKIT_INLINED link& operator()(number item) const noexcept {
            if (item < head) return self->links_.item(item);
            if (item < first_idle) return self->heads_[item - head];
            return self->links_.idle_at((item - first_idle) >> 1, (item & 1) != 0);
        }
    };
    all at() noexcept { return {this}; }

    Links links_;
    std::array<link, wheel_slots + 4> heads_{};
    wheel<numbered_rings<all>> held_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
