// SPDX-License-Identifier: MIT
//
// What a stream is: an opening block, which is a gap event if something is missing, events,
// heartbeats where there are none, and at the end the farewell. `take_next` gives the frame that
// comes next; it is asked only when the frame before is in the subscriber's hand, so a heartbeat
// can not get inside an event.
#include <ssekit/hub.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_HUB_STREAM_HPP
#define SSEKIT_DETAIL_HUB_STREAM_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit {

// The further cursors hang on the side record.
inline hub::number hub::next_cursor(number self, number at) const noexcept {
    const record& here = records_[at];
    if (at != self) return here.extra;
    return here.has_side ? sides_[here.extra].further : 0;
}

inline std::uint32_t& hub::hand_of(record& self) noexcept {
    return self.has_side ? sides_[self.extra].hand : self.extra;
}

inline std::uint32_t hub::hand_of(const record& self) const noexcept {
    return self.has_side ? sides_[self.extra].hand : self.extra;
}

// Preconditions: the hand is empty. \returns false when there is no memory for one.
inline bool hub::give(record& self, frame first) noexcept {
    const std::uint32_t made = hands_.take();
    if (made == 0) return false;
    detail::hand& hand = hands_[hand_of(self) = made];
    hand.frames[hand.size++] = std::move(first);
    hand.since = now_coarse_;
    return true;
}

inline bool hub::has_events(number self) const noexcept {
    for (number at = self; at != 0; at = next_cursor(self, at)) {
        if (records_[at].position != topics_[records_[at].topic].log.end()) return true;
    }
    return false;
}

inline bool hub::has_closed_topics_only(number self) const noexcept {
    for (number at = self; at != 0; at = next_cursor(self, at)) {
        const topic& where = topics_[records_[at].topic];
        if (records_[at].position != where.log.end()) return false;
        if (!where.closed && where.kind != topic_kind::tag) return false;
    }
    return true;
}

inline bool hub::is_held(number self) const noexcept {
    const record& item = records_[self];
    if (!item.has_side || closing_) return false;
    return sides_[item.extra].throttle.count() > 0 && sides_[item.extra].window_opens > now_;
}

inline bool hub::is_done(const record& self) const noexcept {
    if (self.end() == stream_end::open) return false;
    if (is_abrupt(self.end())) return true;
    return hand_of(self) == 0 && (!self.chunked || self.terminated);
}

// What most subscribers are most of the time takes a few loads: an event waits, or nothing does.
inline frame hub::take_next(number self, record& item) noexcept {
    if (item.plain && !closing_) {
        const topic& where = topics_[item.topic];
        if (item.position == where.log.end()) {
            if (!item.heartbeat_due && !where.closed) return {};
        } else if (item.position >= where.log.begin()) {
            return hand_out(item, item, where.log);
        }
    }
    return take_rare(self, item);
}

// Not inlined, so that take_next needs few registers: 503 instructions a delivery instead of 580.
[[gnu::noinline]] inline frame hub::take_rare(number self, record& item) noexcept {
    if (item.end() == stream_end::open) {
        if (frame event = take_event(self, item)) return event;
    }
    if (item.end() == stream_end::open) {
        if (closing_) {
            if (frame last = take_farewell(self)) return last;
            end_stream(self, stream_end::closed);
        } else if (has_closed_topics_only(self)) {
            end_stream(self, stream_end::topic_closed);
        } else if (item.heartbeat_due) {
            item.heartbeat_due = 0;
            if (heartbeat_frame_) ++metrics_.heartbeats;
            return heartbeat_frame_;
        } else {
            return {};
        }
    }
    return take_terminator(item);
}

inline frame hub::take_event(number self, record& item) noexcept {
    detail::side* const extra = item.has_side ? &sides_[item.extra] : nullptr;
    const bool throttled = extra != nullptr && extra->throttle.count() > 0;
    const bool newest_only = throttled || item.on_lag() == lag_policy::coalesce;
    for (;;) {
        // What comes next in the order of publishing; several topics may have it.
        record* first = nullptr;
        std::uint64_t offset = 0;
        bool superseded = false;
        for (number c = self; c != 0; c = next_cursor(self, c)) {
            record& at = records_[c];
            const event_log& log = topics_[at.topic].log;
            // Another hub of the sequence has brought these: who is behind in them lags in nothing.
            if (extra != nullptr && extra->seen != 0 &&
                (at.position >= log.begin() || log.lost_through() <= extra->seen)) {
                at.position = std::max(at.position, log.after(extra->seen));
            }
            if (at.position == log.end()) continue;
            metrics_.max_lag = std::max(metrics_.max_lag, log.end() - at.position);
            if (const std::uint64_t target = within_bounds(item, at); target != at.position) {
                frame instead;
                if (catch_up(self, at, target, instead)) return instead;
            }
            const event_log::entry& event = log[at.position];
            if (first == nullptr || event.offset < offset) {
                first = &at;
                offset = event.offset;
                superseded = event.superseded != 0;
            } else if (event.offset == offset) {
                superseded = superseded || event.superseded != 0;
            }
        }
        if (extra != nullptr && extra->sent_first != 0) {
            if (frame sent = take_sent(*extra, first == nullptr ? ~std::uint64_t{0} : offset)) {
                item.heartbeat_due = 0;
                return sent;
            }
        }
        if (first == nullptr) return {};
        const event_log& log = topics_[first->topic].log;
        if (newest_only && superseded) {
            pass(self, offset);
            ++metrics_.coalesced;
        } else if (extra != nullptr && !wants(*extra, log[first->position])) {
            pass(self, offset);
            ++metrics_.filtered;
        } else if (throttled && !closing_ && !lets_through(*extra, offset)) {
            return {};
        } else {
            frame out = hand_out(item, *first, log);
            pass(self, offset);
            return out;
        }
    }
}

// Moves each cursor on that stands at the event of this offset.
inline void hub::pass(number self, std::uint64_t offset) noexcept {
    for (number c = self; c != 0; c = next_cursor(self, c)) {
        record& at = records_[c];
        const event_log& log = topics_[at.topic].log;
        if (at.position != log.end() && log[at.position].offset == offset) ++at.position;
    }
}

inline frame hub::hand_out(record& self, record& at, const event_log& log) noexcept {
    metrics_.max_lag = std::max(metrics_.max_lag, log.end() - at.position);
    ++metrics_.delivered;
    ++self.events;
    self.heartbeat_due = 0;
    const std::uint64_t position = at.position;
    ++at.position;
    return log[position].frame;
}

// \returns where the reader may stand at the earliest; the newest event is always within bounds.
inline std::uint64_t hub::within_bounds(const record& self, const record& at) const noexcept {
    const event_log& log = topics_[at.topic].log;
    std::uint64_t target = std::max(at.position, log.begin());
    if (!self.has_side || !sides_[self.extra].max_lag.is_set()) return target;
    const lag_bound& most = sides_[self.extra].max_lag;
    const std::uint64_t newest = log.end() - 1;
    if (most.events != 0 && log.end() - target > most.events) target = log.end() - most.events;
    if (most.bytes != 0) {
        const std::uint64_t all = log.bytes_ever();
        target = log.first_where(target, [&](const event_log::entry& event) {
            return all - event.bytes_before <= most.bytes;
        });
    }
    if (most.age.count() > 0) {
        target = log.first_where(target, [&](const event_log::entry& event) {
            return now_ - event.published <= most.age;
        });
    }
    return std::min(target, newest);
}

// What is between the reader and `target` is lost to it. \returns whether that ends or interrupts
// the stream: with the frame `instead`, if there is one.
inline bool hub::catch_up(number self, record& at, std::uint64_t target, frame& instead) noexcept {
    const event_log& log = topics_[at.topic].log;
    switch (records_[self].on_lag()) {
    case lag_policy::disconnect: end_stream(self, stream_end::lagged); return true;
    case lag_policy::detach:
        instead = frame::make({.retry = options_.detach_retry}).frame;
        end_stream(self, stream_end::detached);
        return true;
    case lag_policy::skip_to_newest: target = log.end() - 1; break;
    case lag_policy::skip_to_oldest: break;
    case lag_policy::coalesce: {
        bool lost = log.values_kept_from() > at.position;
        for (std::uint64_t p = std::max(at.position, log.begin()); p < target; ++p) {
            lost = lost || !log[p].superseded;
        }
        if (lost) break;
        metrics_.coalesced += target - at.position;
        at.position = target;
        return false;
    }
    }
    const std::uint64_t missed = target - at.position;
    instead = gap_frame("lagged", missed, {}).frame;
    if (!instead) {
        end_stream(self, stream_end::out_of_memory);
        return true;
    }
    at.position = target;
    metrics_.skipped += missed;
    ++metrics_.gaps;
    return true;
}

inline frame hub::take_sent(detail::side& extra, std::uint64_t before) noexcept {
    const std::uint32_t first = extra.sent_first;
    if (sent_[first].after >= before) return {};
    frame out = std::move(sent_[first].frame);
    extra.sent_first = sent_[first].next;
    --extra.sent_count;
    sent_.destroy(first);
    return out;
}

inline bool hub::wants(const detail::side& extra, const event_log::entry& event) const noexcept {
    if (extra.filter.wants == nullptr) return true;
    const frame_label label = event.frame.label();
    return extra.filter.wants(extra.filter.context,
                              {label.topic, event.frame.type(), label.key, event.offset});
}

// A window lets through what had been published when it opened.
inline bool hub::lets_through(detail::side& extra, std::uint64_t offset) noexcept {
    if (offset <= extra.window_offset) return true;
    if (now_ < extra.window_opens) return false;
    extra.window_opens = now_ + extra.throttle;
    extra.window_offset = last_offset_;
    return true;
}

inline frame hub::take_farewell(number self) noexcept {
    record& item = records_[self];
    if (!item.retry_told && close_.retry_max.count() > 0) {
        item.retry_told = 1;
        const auto spread = static_cast<std::uint64_t>(
            std::max(close_.retry_max - close_.retry_min, std::chrono::milliseconds(0)).count());
        const auto extra = static_cast<std::int64_t>(random_.up_to(spread));
        frame told =
            frame::make({.retry = close_.retry_min + std::chrono::milliseconds(extra)}).frame;
        if (told) return told;
    }
    if (item.farewell_told) return {};
    item.farewell_told = 1;
    return farewell_;
}

inline frame hub::take_terminator(record& self) noexcept {
    if (!self.chunked || self.terminated || is_done(self)) return {};
    self.terminated = 1;
    return last_chunk_;
}

inline void hub::end_stream(number self, stream_end why) noexcept {
    record& item = records_[self];
    const bool counted = item.end() != stream_end::open && item.end() != stream_end::closed;
    item.set_end(why);
    // As long as bytes are under way, the write deadline counts.
    if (is_done(item)) detail::unlink(timer_links{this}, self);
    if (!item.reported) unlink_all(self); // else it is in the ready list, or nowhere
    if (counted) return;
    switch (why) {
    case stream_end::lagged: ++metrics_.lagged; break;
    case stream_end::detached: ++metrics_.detached; break;
    case stream_end::stalled: ++metrics_.stalled; break;
    case stream_end::expired: ++metrics_.expired; break;
    case stream_end::evicted: ++metrics_.evicted; break;
    case stream_end::topic_closed: ++metrics_.topic_closed; break;
    case stream_end::cut: ++metrics_.cut; break;
    default: break;
    }
}

// {"reason":"lagged","missed":12}; the number only where it is known.
inline frame_result hub::gap_frame(std::string_view reason, std::uint64_t missed,
                                   event_view opening) noexcept {
    frame_builder block;
    opening.type = options_.gap_type.view();
    data_writer data(block, opening);
    data.write("{\"reason\":\"").write(reason).write("\"");
    if (missed != 0) data.write(",\"missed\":").write(detail::decimal(missed).view());
    data.write("}");
    data.finish();
    return block.build();
}

} // namespace ssekit

#endif
