// SPDX-License-Identifier: MIT
//
// How a subscription gives out bytes. What `take_next` has given is in the subscriber's hand until
// it is consumed; a hand is taken from the hub's pool with the first frame and goes back with the
// last.
#include <ssekit/hub.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_SUBSCRIPTION_RUN_HPP
#define SSEKIT_DETAIL_SUBSCRIPTION_RUN_HPP

#include <ssekit/detail/subscriber.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit {

inline subscription::~subscription() {
    if (self_ == nullptr) return;
    if (self_->home != nullptr) self_->home->leave(*self_);
    delete self_;
}

inline std::size_t subscription::prepare(std::span<std::string_view> slices) noexcept {
    if (self_ == nullptr || self_->home == nullptr || slices.empty()) return 0;
    detail::subscriber& self = *self_;
    hub& home = *self.home;
    if (self.in_hand == nullptr) {
        frame first = home.take_next(self);
        if (!first) {
            if (self.end == stream_end::open) home.park(self);
            return 0;
        }
        self.in_hand = home.hands_.take();
        if (self.in_hand == nullptr) {
            home.end_stream(self, stream_end::out_of_memory);
            return 0;
        }
        self.in_hand->frames[self.in_hand->size++] = std::move(first);
    }
    detail::hand& hand = *self.in_hand;
    std::size_t count = 0;
    for (std::size_t i = hand.first; count != slices.size(); ++i) {
        if (i == hand.size) {
            if (hand.size == hand.capacity) break;
            frame more = home.take_next(self);
            if (!more) break;
            hand.frames[hand.size++] = std::move(more);
        }
        slices[count++] = hand.frames[i].in(self.form);
    }
    slices[0].remove_prefix(hand.offset);
    return count;
}

inline void subscription::consume(std::size_t bytes) noexcept {
    if (bytes == 0 || self_ == nullptr || self_->home == nullptr) return;
    detail::subscriber& self = *self_;
    hub& home = *self.home;
    home.metrics_.bytes += bytes;
    heartbeat::touch(self, home.now_);
    detail::hand* const hand = self.in_hand;
    while (hand != nullptr && hand->first != hand->size) {
        const std::size_t left = hand->frames[hand->first].in(self.form).size() - hand->offset;
        if (bytes < left) {
            hand->offset += bytes;
            return;
        }
        bytes -= left;
        hand->offset = 0;
        hand->frames[hand->first++] = {};
    }
    if (hand != nullptr) home.hands_.give_back(std::exchange(self.in_hand, nullptr));
}

inline bool subscription::is_done() const noexcept {
    return self_ == nullptr || (self_->end != stream_end::open && self_->in_hand == nullptr);
}

inline void subscription::reschedule() noexcept {
    if (self_ == nullptr || self_->home == nullptr || is_done()) return;
    if (self_->wake) {
        self_->wake();
    } else {
        self_->home->ready_next_turn_.push_back(self_->cursors[0]);
    }
    self_->reported = true;
}

inline resumption subscription::resumption() const noexcept {
    return self_ == nullptr ? ssekit::resumption::fresh : self_->how;
}

inline stream_end subscription::end() const noexcept {
    return self_ == nullptr ? stream_end::closed : self_->end;
}

} // namespace ssekit

#endif
