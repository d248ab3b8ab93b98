// SPDX-License-Identifier: MIT
//
// What the hub does by the time. Each subscriber lies in one wheel, at the earliest of what can
// come due for it: its heartbeat, the deadline of what it has in hand, its age. Whoever is looked
// at says when it wants to be looked at next, so nothing is done when bytes leave but to note the
// time.
#include <ssekit/hub.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_HUB_TURN_HPP
#define SSEKIT_DETAIL_HUB_TURN_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ssekit {

inline void hub::tick(time_point now) noexcept {
    now_ = std::max(now_, now);
    now_coarse_ = detail::coarse(now_);
    detail::splice_back(queue_links{this}, ready, ready_next_turn);
    timers_.expire(now_, [this](number self) {
        if (const time_point next = look(self); next != never) arm(self, next);
    });
    held_.expire(now_, [this](number self) {
        const time_point opens = sides_[records_[self].extra].window_opens;
        if (opens > now_) return held_.place(self, opens, now_);
        if (has_events(self) || has_closed_topics_only(self)) return signal(self);
        park(self, records_[self]);
    });
    expiry_.expire(now_, [this](number item) {
        topic& self = topics_[item];
        self.log.trim(now_, self.subscribers != 0 ? 1 : 0);
        time_topic(item);
        forget_if_unused(item);
    });
    if (now_ >= cut_at_) cut();
}

inline time_point hub::next_deadline() const noexcept {
    if (detail::is_linked(queue_links{const_cast<hub*>(this)}, ready_next_turn)) return now_;
    return std::min(
        {timers_.next_deadline(), held_.next_deadline(), expiry_.next_deadline(), cut_at_});
}

inline void hub::arm(number self, time_point due) noexcept {
    detail::unlink(timer_links{this}, self);
    timers_.place(self, due, now_);
}

// \returns when to look again.
inline time_point hub::look(number self) noexcept {
    record& item = records_[self];
    time_point next = item.end() == stream_end::open ? expiry_of(item) : never;
    if (next <= now_) {
        end_stream(self, stream_end::expired);
        signal(self);
        next = never;
    }
    if (is_done(item)) return never;
    const std::uint32_t held = hand_of(item);
    if (options_.write_deadline.count() > 0) {
        const auto since = held != 0 ? exactly(hands_[held].since) : now_;
        if (since + options_.write_deadline <= now_) {
            abort(self, stream_end::stalled);
            return never;
        }
        next = std::min(next, since + options_.write_deadline);
    }
    const time_point::duration patience = patience_of(item);
    if (patience.count() > 0 && item.end() == stream_end::open) {
        time_point due = exactly(item.last_progress) + patience;
        if (due <= now_) {
            // What is under way will break the silence, or nothing will. What waits to be read may
            // be unwanted; if an event leaves first, it takes the heartbeat's place.
            if (held == 0) {
                item.heartbeat_due = 1;
                signal(self);
            }
            due = now_ + patience;
        }
        next = std::min(next, due);
    }
    return next;
}

// Jitter comes from what is known of the stream anyway.
inline time_point hub::expiry_of(const record& self) const noexcept {
    if (self.has_side && sides_[self.extra].expires != time_point::min()) {
        return sides_[self.extra].expires;
    }
    if (options_.max_age.count() == 0) return never;
    const std::uint64_t percent =
        detail::random_sequence(self.owner).up_to(options_.max_age_jitter);
    const time_point::duration age = options_.max_age;
    return exactly(self.connected_at) + age - age / 100 * static_cast<std::int64_t>(percent);
}

// \returns the silence that is waited for, zero when there are no heartbeats.
inline time_point::duration hub::patience_of(const record& self) const noexcept {
    time_point::duration interval = options_.heartbeat.interval;
    if (self.has_side && sides_[self.extra].heartbeat.count() >= 0) {
        interval = sides_[self.extra].heartbeat;
    }
    if (interval.count() == 0) return interval;
    const std::uint64_t seed = std::uint64_t{self.owner} << 32 | self.last_progress;
    const std::uint64_t percent = detail::random_sequence(seed).up_to(options_.heartbeat.jitter);
    return std::max(interval - interval / 100 * static_cast<std::int64_t>(percent) -
                        timers_.slot_length(),
                    time_point::duration(1));
}

inline time_point hub::exactly(detail::coarse_time then) const noexcept {
    return now_ - (now_coarse_ - then) * detail::coarse_step;
}

inline void hub::abort(number self, stream_end why) noexcept {
    end_stream(self, why);
    report(self);
}

inline void hub::close(const close_options& options) noexcept {
    if (std::exchange(closing_, true)) return;
    close_ = options;
    close_.farewell.id.reset(); // clients would come back with it, and the hub gives the ids
    if (options.farewell.data) farewell_ = frame::make(close_.farewell).frame;
    close_.farewell = {}; // its views are the caller's
    if (options.deadline.count() > 0) {
        cut_at_ = now_ + std::min<std::chrono::milliseconds>(options.deadline,
                                                             std::chrono::hours(24 * 366));
    }
    records_.for_each([this](number self) {
        if (!records_[self].further && records_[self].end() == stream_end::open) signal(self);
    });
}

inline void hub::cut() noexcept {
    closing_ = true;
    cut_at_ = never;
    records_.for_each([this](number self) {
        const record& item = records_[self];
        if (!item.further && !is_done(item)) abort(self, stream_end::cut);
    });
}

inline hub_metrics hub::metrics() const noexcept {
    hub_metrics result = metrics_;
    result.subscribers = subscriber_count_;
    result.topics = topics_.size(topic_kind::name) + topics_.size(topic_kind::pattern);
    result.tags = topics_.size(topic_kind::tag);
    topics_.for_each([&](number item) { result.log_bytes += topics_[item].log.bytes(); });
    return result;
}

// ---- seen from above

inline subscriber_info hub::info(number self) const noexcept {
    const record& item = records_[self];
    subscriber_info out{};
    out.id = std::uint64_t{item.owner} << 32 | self;
    out.user = item.user;
    out.topic = topics_[item.topic].name();
    if (item.has_side && sides_[item.extra].tag != 0) {
        out.tag = topics_[sides_[item.extra].tag].name();
    }
    out.connected_at = exactly(item.connected_at);
    out.last_progress = exactly(item.last_progress);
    const std::uint32_t held = hand_of(item);
    out.last_write =
        held == 0 ? out.last_progress : std::max(out.last_progress, exactly(hands_[held].since));
    out.bytes = item.bytes();
    out.events = item.events;
    for (number at = self; at != 0; at = next_cursor(self, at)) {
        const event_log& log = topics_[records_[at].topic].log;
        const std::uint64_t next = records_[at].position;
        out.lag_events += log.end() - next;
        out.lag_bytes += log.bytes_from(std::max(next, log.begin()));
    }
    out.end = item.end();
    return out;
}

template <class Call>
void hub::for_each_subscriber(Call&& call) const {
    records_.for_each([&](number self) {
        if (records_[self].further) return;
        const subscriber_info shown = info(self);
        call(shown);
    });
}

template <class Call>
void hub::for_each_subscriber_with_tag(std::string_view tag, Call&& call) const {
    const number found = topics_.find(topic_kind::tag, tag);
    if (found == 0) return;
    const timer_links links{const_cast<hub*>(this)};
    const number ring = topic_head | found;
    for (number at = links(ring).next; at != ring; at = links(at).next) {
        const subscriber_info shown = info(records_[at].owner);
        call(shown);
    }
}

inline std::optional<subscriber_info> hub::find_subscriber(std::uint64_t id) const noexcept {
    const auto self = static_cast<number>(id);
    if (!records_.contains(self) || records_[self].further) return std::nullopt;
    if (records_[self].owner != id >> 32) return std::nullopt;
    return info(self);
}

inline bool hub::evict(std::uint64_t id) noexcept {
    const auto found = find_subscriber(id);
    if (!found || found->end != stream_end::open) return false;
    const auto self = static_cast<number>(id);
    end_stream(self, stream_end::evicted);
    signal(self);
    return true;
}

} // namespace ssekit

#endif
