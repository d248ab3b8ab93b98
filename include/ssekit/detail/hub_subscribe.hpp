// SPDX-License-Identifier: MIT
//
// How a stream comes and goes. A new subscriber takes a cursor for each topic, pattern and its tag;
// a Last-Event-ID becomes one offset, at which each cursor finds its place in its own log; and the
// opening block is in its hand before anybody else runs. So there is no moment between replay and
// live.
#include <ssekit/hub.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_HUB_SUBSCRIBE_HPP
#define SSEKIT_DETAIL_HUB_SUBSCRIBE_HPP

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

namespace ssekit {

inline hub::hub(std::uint64_t epoch, const hub_options& options) noexcept
    : options_(options), epoch_number_(epoch), epoch_(epoch),
      random_(options.heartbeat.seed + epoch),
      timers_(shortest_deadline(options) / (detail::wheel_slots / 2), timer_links{this}, head),
      held_(std::chrono::milliseconds(4), queue_links{this}, head),
      expiry_(std::chrono::milliseconds(250), topic_links{this}, head) {
    constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 366);
    for (auto* const time : {&options_.heartbeat.interval, &options_.write_deadline,
                             &options_.max_age, &options_.detach_retry}) {
        *time = std::clamp(*time, std::chrono::milliseconds(0), longest);
    }
    options_.heartbeat.jitter = std::min(options_.heartbeat.jitter, 100u);
    options_.max_age_jitter = std::min(options_.max_age_jitter, 50u);
    if (options_.retry && options_.retry->count() < 0) options_.retry.reset();
    const std::string_view beat = options_.heartbeat_type.view();
    heartbeat_frame_ =
        beat.empty() ? frame::comment("") : frame::make({.type = beat, .data = ""}).frame;
    for (number i = 0; i <= detail::wheel_slots; ++i) {
        timer_heads_[i] = held_heads_[i] = topic_heads_[i] = {head + i, head + i};
    }
    ready_heads_ = {{{ready, ready}, {ready_next_turn, ready_next_turn}}};
}

inline hub::~hub() {
    if (anchor_ == nullptr) return;
    anchor_->home = nullptr;
    if (anchor_->subscriptions == 0) delete anchor_;
}

inline time_point::duration hub::shortest_deadline(const hub_options& options) noexcept {
    std::chrono::milliseconds shortest = std::chrono::minutes(1);
    for (const auto time : {options.heartbeat.interval, options.write_deadline, options.max_age}) {
        if (time.count() > 0) shortest = std::min(shortest, time);
    }
    return shortest;
}

inline detail::link& hub::queue_links::operator()(number item) const noexcept {
    if (item < head) return self->records_[item].queue;
    if (item >= topic_head) {
        topic& at = self->topics_[(item - topic_head) >> 1];
        return (item & 1) != 0 ? at.parked_wakers : at.parked;
    }
    return item < ready ? self->held_heads_[item - head] : self->ready_heads_[item - ready];
}

inline detail::link& hub::timer_links::operator()(number item) const noexcept {
    if (item < head) return self->records_[item].timer;
    return item >= topic_head ? self->topics_[item - topic_head].readers
                              : self->timer_heads_[item - head];
}

inline detail::link& hub::topic_links::operator()(number item) const noexcept {
    return item < head ? self->topics_[item].timer : self->topic_heads_[item - head];
}

// ---- coming

inline subscribe_result hub::subscribe(const subscribe_options& options, waker wake) noexcept {
    ++metrics_.refused; // unless it comes to its end
    if (closing_) return {{}, errc::closed};
    if (subscriber_count_ >= options_.max_subscribers) return {{}, errc::too_many_subscribers};
    if (options.topics.names().empty() && options.patterns.names().empty()) {
        return {{}, errc::invalid_topic};
    }
    if (anchor_ == nullptr) anchor_ = new (std::nothrow) detail::anchor{this};
    const number self = anchor_ == nullptr ? 0 : records_.make();
    if (self == 0) return {{}, errc::out_of_memory};
    records_[self].queue = records_[self].timer = {self, self};
    subscription made(anchor_, self); // leaves again, unless it is handed out
    resumption how = resumption::fresh;
    errc code = settle(self, options, wake);
    if (code == errc::ok) {
        code = position(self, options, how);
        const bool gap = how > resumption::resumed;
        if (gap && options.on_gap == gap_policy::refuse) code = errc::replay_refused;
        if (code == errc::ok && has_closed_topics_only(self)) code = errc::topic_closed;
        if (code == errc::ok) code = open(self, options, how);
    }
    if (code != errc::ok) return {{}, code};
    made.resumption_ = how;
    record& item = records_[self];
    item.owner = ++last_serial_ != 0 ? last_serial_ : ++last_serial_;
    for (number at = self; at != 0; at = next_cursor(self, at)) arrive(at);
    ++subscriber_count_;
    ++metrics_.accepted;
    --metrics_.refused;
    if (const time_point first = look(self); first != never) arm(self, first);
    return {std::move(made), errc::ok};
}

// Everything but where it begins.
inline errc hub::settle(number self, const subscribe_options& options, waker wake) noexcept {
    record& item = records_[self];
    item.user = options.user;
    item.chunked = options.framing == framing::chunked;
    item.lag_number = static_cast<std::uint8_t>(options.on_lag) & 7;
    item.plain = options.on_lag != lag_policy::coalesce;
    item.connected_at = item.last_progress = now_coarse_;
    if (wake || options.filter.wants != nullptr || options.throttle.count() > 0 ||
        options.max_lag.is_set() || options.heartbeat || options.max_age) {
        constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 366);
        detail::side* const extra = side_of(self);
        if (extra == nullptr) return errc::out_of_memory;
        extra->wake = wake;
        extra->filter = options.filter;
        extra->max_lag = options.max_lag;
        extra->max_lag.age = std::min(extra->max_lag.age, longest);
        extra->throttle = std::min(options.throttle, longest);
        if (options.heartbeat) {
            extra->heartbeat =
                std::clamp(*options.heartbeat, std::chrono::milliseconds(0), longest);
        }
        if (options.max_age) {
            extra->expires =
                options.max_age->count() > 0 ? now_ + std::min(*options.max_age, longest) : never;
        }
    }
    errc code = add(self, topic_kind::name, options.topics.names());
    if (code == errc::ok) code = add(self, topic_kind::pattern, options.patterns.names());
    if (code == errc::ok && !options.tag.empty()) {
        code = add(self, topic_kind::tag, {&options.tag, 1});
        if (code == errc::ok) sides_[item.extra].tag = topics_.find(topic_kind::tag, options.tag);
    }
    return code;
}

inline detail::side* hub::side_of(number self) noexcept {
    record& item = records_[self];
    if (!item.has_side) {
        const std::uint32_t made = sides_.make();
        if (made == 0) return nullptr;
        sides_[made].hand = std::exchange(item.extra, made);
        item.has_side = 1;
        item.plain = 0;
    }
    return &sides_[item.extra];
}

// A cursor for each topic that the subscriber does not read yet, at the end of its log.
inline errc hub::add(number self, topic_kind kind, names topics) noexcept {
    if (topics.size() > options_.max_topics) return errc::too_many_topics;
    for (const std::string_view name : topics) {
        number where = 0;
        if (const errc code = find_or_make(kind, name, where); code != errc::ok) return code;
        bool there = false;
        for (number at = self; at != 0; at = next_cursor(self, at)) {
            there = there || records_[at].topic == where;
        }
        if (there) continue;
        const errc code = read(self, where);
        if (code == errc::ok) continue;
        forget_if_unused(where);
        return code;
    }
    return errc::ok;
}

inline errc hub::read(number self, number where) noexcept {
    const topic& log_owner = topics_[where];
    const bool tag = log_owner.kind == topic_kind::tag;
    const std::size_t most =
        tag ? options_.max_subscribers_per_tag : options_.max_subscribers_per_topic;
    if (log_owner.subscribers >= most) return tag ? errc::tag_is_full : errc::topic_is_full;
    number at = self;
    if (records_[self].topic != 0) {
        detail::side* const extra = side_of(self);
        at = extra == nullptr ? 0 : records_.make();
        if (at == 0) return errc::out_of_memory;
        record& made = records_[at];
        made.queue = made.timer = {at, at};
        made.further = 1;
        made.owner = self;
        made.extra = std::exchange(extra->further, at);
    }
    records_[at].topic = where;
    records_[at].position = log_owner.log.end();
    return errc::ok;
}

inline void hub::arrive(number cursor) noexcept {
    topic& where = topics_[records_[cursor].topic];
    if (where.kind == topic_kind::tag) {
        detail::link_back(timer_links{this}, topic_head | records_[cursor].topic, cursor);
    }
    if (where.subscribers++ == 0) told(where, true);
}

// ---- where it begins

inline errc hub::position(number self, const subscribe_options& options, resumption& how) noexcept {
    const std::uint64_t seen = seen_offset(self, options.last_event_id, how);
    if (how == resumption::resumed) {
        for (number at = self; at != 0; at = next_cursor(self, at)) {
            if (topics_[records_[at].topic].log.lost_through() > seen) how = resumption::expired;
        }
    }
    const bool live = how == resumption::fresh     ? options.start == start_point::live
                      : how == resumption::resumed ? false
                                                   : options.on_gap == gap_policy::live;
    for (number at = self; at != 0; at = next_cursor(self, at)) {
        record& item = records_[at];
        const event_log& log = topics_[item.topic].log;
        item.position = live ? log.end() : log.after(seen);
    }
    if (seen <= last_offset_) return errc::ok;
    detail::side* const extra = side_of(self);
    if (extra == nullptr) return errc::out_of_memory;
    extra->seen = seen;
    return errc::ok;
}

inline std::uint64_t hub::seen_offset(number self, std::string_view id,
                                      resumption& how) const noexcept {
    if (id.empty()) return 0;
    how = resumption::resumed;
    if (options_.ids == event_ids::by_publisher) {
        // Only in the topics of this subscriber: of others it learns nothing.
        std::uint64_t seen = 0;
        for (number at = self; at != 0; at = next_cursor(self, at)) {
            seen = std::max(seen, topics_[records_[at].topic].log.find_id(id));
        }
        if (seen == 0) how = resumption::unknown;
        return seen;
    }
    const auto parsed = detail::parse_id(id);
    if (!parsed) {
        how = resumption::malformed;
    } else if (parsed->epoch != epoch_.view()) {
        how = resumption::unknown;
    } else if (parsed->offset > last_offset_ && options_.ids != event_ids::by_sequence) {
        how = resumption::future;
    } else {
        return parsed->offset;
    }
    return 0;
}

// The opening block carries the id of the last event that this stream will not bring, without data,
// so that a client which is cut off before the first event still comes back to the right place. A
// gap goes in the same block: in one of its own it could be cut off behind the id, and then the
// next stream would resume from there as if nothing were missing.
inline errc hub::open(number self, const subscribe_options& options, resumption how) noexcept {
    std::uint64_t before = last_offset_;
    if (records_[self].has_side) before = std::max(before, sides_[records_[self].extra].seen);
    for (number at = self; at != 0; at = next_cursor(self, at)) {
        const event_log& log = topics_[records_[at].topic].log;
        const std::uint64_t next = records_[at].position;
        if (next != log.end()) before = std::min(before, log[next].offset - 1);
    }
    const auto id = id_of(before);
    event_view first{.id = id.view(), .retry = options_.retry};
    frame newest; // keeps the id in memory
    if (options_.ids == event_ids::by_publisher) {
        first.id.reset();
        std::uint64_t best = 0;
        for (number at = self; at != 0; at = next_cursor(self, at)) {
            const event_log& log = topics_[records_[at].topic].log;
            const std::uint64_t behind = log.after(before);
            if (behind == log.begin() || log[behind - 1].offset <= best) continue;
            best = log[behind - 1].offset;
            newest = log[behind - 1].frame;
            first.id = newest.id();
        }
        if (how == resumption::resumed) first.id = options.last_event_id;
    }
    constexpr std::string_view reasons[] = {"", "", "malformed", "unknown", "expired", "future"};
    const std::string_view reason = reasons[static_cast<std::size_t>(how)];
    if (reason.empty() && !first.id && !first.retry) return errc::ok;
    auto [opening, code] = reason.empty() ? frame::make(first) : gap_frame(reason, 0, first);
    if (code != errc::ok) return code;
    if (!give(records_[self], std::move(opening))) return errc::out_of_memory;
    if (!reason.empty()) ++metrics_.gaps;
    return errc::ok;
}

// ---- going

inline void hub::depart(number cursor) noexcept {
    const number where = records_[cursor].topic;
    topic& left = topics_[where];
    detail::unlink(queue_links{this}, cursor);
    if (left.kind == topic_kind::tag) detail::unlink(timer_links{this}, cursor);
    if (--left.subscribers == 0) {
        told(left, false);
        time_topic(where);
    }
    forget_if_unused(where);
}

inline void hub::leave(number self) noexcept {
    record& item = records_[self];
    const bool joined = item.owner != 0; // else subscribe has not come to its end
    if (joined && closing_ && item.end() == stream_end::closed) {
        ++(is_done(item) ? metrics_.flushed : metrics_.cut);
    } else if (joined && closing_ && item.end() == stream_end::open) {
        ++metrics_.cut;
    }
    if (const number held = hand_of(item)) hands_.give_back(held);
    detail::unlink(timer_links{this}, self);
    for (number at = self, next = 0; at != 0; at = next) {
        next = next_cursor(self, at);
        if (joined) {
            depart(at);
        } else if (records_[at].topic != 0) {
            forget_if_unused(records_[at].topic);
        }
        if (at != self) records_.destroy(at);
    }
    if (item.has_side) {
        detail::side& extra = sides_[item.extra];
        for (number at = extra.sent_first; at != 0;)
            sent_.destroy(std::exchange(at, sent_[at].next));
        sides_.destroy(item.extra);
    }
    detail::unlink(queue_links{this}, self);
    records_.destroy(self);
    if (joined) --subscriber_count_;
}

inline errc hub::add_later(number self, topic_kind kind, names topics) noexcept {
    if (closing_ || records_[self].end() != stream_end::open) return errc::closed;
    for (const std::string_view name : topics) {
        const number found = topics_.find(kind, name);
        if (found != 0 && topics_[found].closed) return errc::topic_closed;
    }
    const number old = records_[self].has_side ? sides_[records_[self].extra].further : 0;
    const errc code = add(self, kind, topics);
    // New cursors stand at the front of the chain.
    for (number at = next_cursor(self, self); at != old; at = next_cursor(self, at)) arrive(at);
    signal(self); // so that it is parked at all of them
    return code;
}

inline errc hub::remove(number self, names topics) noexcept {
    if (closing_ || records_[self].end() != stream_end::open) return errc::closed;
    errc code = errc::ok;
    for (const std::string_view name : topics) {
        for (const topic_kind kind : {topic_kind::name, topic_kind::pattern}) {
            const number where = topics_.find(kind, name);
            if (where != 0 && !stop_reading(self, where)) code = errc::invalid_topic;
        }
        if (code != errc::ok) break;
    }
    signal(self); // so that it is parked where it reads now
    return code;
}

// \returns false when the subscriber reads nothing else but perhaps its tag.
inline bool hub::stop_reading(number self, number where) noexcept {
    record& item = records_[self];
    if (item.topic != where && !item.has_side) return true;
    number* link = item.has_side ? &sides_[item.extra].further : nullptr;
    const auto is_tag = [&](number at) {
        return topics_[records_[at].topic].kind == topic_kind::tag;
    };
    const bool first = item.topic == where;
    // The first cursor is the subscriber itself: it takes the place of a further one.
    while (link != nullptr && *link != 0 &&
           (first ? is_tag(*link) : records_[*link].topic != where)) {
        link = &records_[*link].extra;
    }
    if (link == nullptr || *link == 0) return !first;
    const number gone = *link;
    record& further = records_[gone];
    if (first) {
        if (!item.reported) detail::unlink(queue_links{this}, self);
        item.topic = std::exchange(further.topic, where);
        item.position = further.position;
    }
    *link = further.extra;
    depart(gone);
    records_.destroy(gone);
    return true;
}

} // namespace ssekit

#endif
