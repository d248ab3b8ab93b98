// SPDX-License-Identifier: MIT
//
// How a subscription gives out bytes. What `take_next` has given is in the subscriber's hand until
// it is consumed; a hand is taken with the first frame and goes back with the last.
#include <ssekit/hub.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_SUBSCRIPTION_RUN_HPP
#define SSEKIT_DETAIL_SUBSCRIPTION_RUN_HPP

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit {

inline subscription::~subscription() {
    if (anchor_ == nullptr) return;
    if (anchor_->home != nullptr) anchor_->home->leave(number_);
    if (--anchor_->subscriptions == 0 && anchor_->home == nullptr) delete anchor_;
}

inline std::size_t subscription::prepare(std::span<std::string_view> slices) noexcept {
    if (home() == nullptr || slices.empty()) return 0;
    hub& at = *anchor_->home;
    detail::record& self = at.records_[number_];
    if (at.hand_of(self) == 0) {
        frame first = at.take_next(number_, self);
        if (!first) {
            if (self.end() == stream_end::open) {
                at.rest(number_, self);
            } else {
                at.unlink_all(number_); // there is nothing more to report
            }
            return 0;
        }
        if (!at.give(self, std::move(first))) {
            at.end_stream(number_, stream_end::out_of_memory);
            return 0;
        }
    } else if (at.is_done(self)) {
        return 0; // aborted
    }
    detail::hand& hand = at.hands_[at.hand_of(self)];
    const framing form = self.form();
    std::size_t count = 0;
    for (std::size_t i = hand.first; count != slices.size(); ++i) {
        if (i == hand.size) {
            if (hand.size == hand.capacity) break;
            frame more = at.take_next(number_, self);
            if (!more) break;
            hand.frames[hand.size++] = std::move(more);
        }
        slices[count++] = hand.frames[i].in(form);
    }
    slices[0].remove_prefix(hand.offset);
    return count;
}

inline void subscription::consume(std::size_t bytes) noexcept {
    if (bytes == 0 || home() == nullptr) return;
    hub& at = *anchor_->home;
    detail::record& self = at.records_[number_];
    std::uint32_t& held = at.hand_of(self);
    at.metrics_.bytes += bytes;
    self.count_bytes(bytes);
    self.last_progress = at.now_coarse_;
    if (held == 0) return;
    detail::hand& hand = at.hands_[held];
    hand.since = at.now_coarse_;
    const framing form = self.form();
    while (hand.first != hand.size) {
        const std::size_t left = hand.frames[hand.first].in(form).size() - hand.offset;
        if (bytes < left) {
            hand.offset += bytes;
            return;
        }
        bytes -= left;
        hand.offset = 0;
        hand.frames[hand.first++] = {};
    }
    at.hands_.give_back(std::exchange(held, 0));
    if (at.is_done(self)) detail::unlink(hub::timer_links{&at}, number_);
}

inline bool subscription::is_done() const noexcept {
    return home() == nullptr || anchor_->home->is_done(anchor_->home->records_[number_]);
}

inline void subscription::reschedule() noexcept {
    if (is_done()) return;
    anchor_->home->report_next_turn(number_);
}

inline errc subscription::send(const event_view& event) noexcept {
    return home() == nullptr ? errc::closed : anchor_->home->send(number_, event);
}

inline errc subscription::add_topics(const topic_list& names) noexcept {
    if (home() == nullptr) return errc::closed;
    return anchor_->home->add_later(number_, detail::topic_kind::name, names.names());
}

inline errc subscription::add_patterns(const topic_list& patterns) noexcept {
    if (home() == nullptr) return errc::closed;
    return anchor_->home->add_later(number_, detail::topic_kind::pattern, patterns.names());
}

inline errc subscription::remove_topics(const topic_list& names) noexcept {
    return home() == nullptr ? errc::closed : anchor_->home->remove(number_, names.names());
}

inline stream_end subscription::end() const noexcept {
    return home() == nullptr ? stream_end::closed : anchor_->home->records_[number_].end();
}

inline std::uint64_t subscription::id() const noexcept {
    return home() == nullptr ? 0 : anchor_->home->info(number_).id;
}

} // namespace ssekit

#endif
