// SPDX-License-Identifier: MIT
//
// How the hub works. A stream is, in this order: an opening block, which is a gap event if
// something is missing, events, heartbeats where there are none, and at the end the farewell.
// `take_next` gives the frame that comes next; it is asked only when the frame before is in the
// subscriber's hand, so a heartbeat can not get inside an event.
#include <ssekit/hub.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_HUB_RUN_HPP
#define SSEKIT_DETAIL_HUB_RUN_HPP

#include <ssekit/detail/subscriber.hpp>

#include <algorithm>
#include <new>

namespace ssekit {

inline hub::hub(std::uint64_t epoch, const hub_options& options) noexcept
    : options_(options), epoch_(epoch), random_(options.heartbeat.seed + epoch),
      heartbeat_(options.heartbeat) {
    if (options_.retry && options_.retry->count() < 0) options_.retry.reset();
}

inline hub::~hub() {
    while (!subscribers_.empty()) {
        subscriber& self = subscribers_.front();
        leave(self);
        self.home = nullptr;
        if (self.end == stream_end::open) self.end = stream_end::closed;
    }
}

// ---- subscribing

inline subscribe_result hub::subscribe(const subscribe_options& options, waker wake) noexcept {
    if (closing_) return {{}, errc::closed};
    if (subscriber_count_ >= options_.max_subscribers) return {{}, errc::too_many_subscribers};
    auto* const self = new (std::nothrow) subscriber;
    if (self == nullptr) return {{}, errc::out_of_memory};
    subscription made(self); // leaves again, unless it is handed out
    self->home = this;
    self->user = options.user;
    self->wake = wake;
    self->form = options.framing;
    self->on_lag = options.on_lag;
    errc code = join(*self, options.topics.names());
    if (code == errc::ok) {
        self->how = position(*self, options);
        const bool gap = self->how > resumption::resumed;
        code = gap && options.on_gap == gap_policy::refuse ? errc::replay_refused : open(*self);
    }
    if (code != errc::ok) return {{}, code};
    subscribers_.push_back(*self);
    ++subscriber_count_;
    if (options_.heartbeat.interval.count() > 0) heartbeat_.arm(*self, now_);
    return {std::move(made), errc::ok};
}

inline errc hub::join(subscriber& self, std::span<const std::string_view> topics) noexcept {
    if (topics.empty()) return errc::invalid_topic;
    if (topics.size() > options_.max_topics) return errc::too_many_topics;
    self.cursors = new (std::nothrow) detail::cursor[topics.size()];
    if (self.cursors == nullptr) return errc::out_of_memory;
    for (const std::string_view name : topics) {
        topic* found = nullptr;
        if (const errc code = find_or_make(name, found); code != errc::ok) return code;
        const bool twice = std::ranges::any_of(
            self.all_cursors(), [&](const detail::cursor& c) { return c.where == found; });
        if (twice) continue;
        detail::cursor& made = self.cursors[self.cursor_count++];
        made.owner = &self;
        made.where = found;
        ++found->cursors;
    }
    return errc::ok;
}

inline errc hub::find_or_make(std::string_view name, topic*& found) noexcept {
    found = topics_.find(name);
    if (found != nullptr) return errc::ok;
    if (name.empty() || name.size() > options_.max_topic_length) return errc::invalid_topic;
    if (topics_.size() >= options_.max_topics) return errc::too_many_topics;
    found = topics_.insert(name, options_.keep);
    return found != nullptr ? errc::ok : errc::out_of_memory;
}

inline void hub::forget_if_unused(topic& item) noexcept {
    if (item.cursors == 0 && item.log.end() == 0) topics_.erase(item);
}

inline resumption hub::position(subscriber& self, const subscribe_options& options) const noexcept {
    resumption how = resumption::fresh;
    std::uint64_t seen = 0;
    if (!options.last_event_id.empty()) {
        const auto id = detail::parse_id(options.last_event_id);
        if (!id) {
            how = resumption::malformed;
        } else if (id->epoch != epoch_.view()) {
            how = resumption::unknown;
        } else if (id->offset > last_offset_) {
            how = resumption::future;
        } else {
            seen = id->offset;
            const bool lost = std::ranges::any_of(self.all_cursors(), [&](const detail::cursor& c) {
                return c.where->log.lost_through() > seen;
            });
            how = lost ? resumption::expired : resumption::resumed;
        }
    }
    const bool live = how == resumption::fresh     ? options.start == start_point::live
                      : how == resumption::resumed ? false
                                                   : options.on_gap == gap_policy::live;
    for (detail::cursor& c : self.all_cursors()) {
        c.next = live ? c.where->log.end() : c.where->log.after(seen);
    }
    return how;
}

// The opening block carries the id of the last event that this stream will not bring, without data,
// so that a client which is cut off before the first event still comes back to the right place. A
// gap goes in the same block: in one of its own it could be cut off behind the id, and then the
// next stream would resume from there as if nothing were missing.
inline errc hub::open(subscriber& self) noexcept {
    std::uint64_t before = last_offset_;
    for (const detail::cursor& c : self.all_cursors()) {
        const event_log& log = c.where->log;
        if (c.next != log.end()) before = std::min(before, log[c.next].offset - 1);
    }
    const auto id = id_of(before);
    const event_view head{.id = id.view(), .retry = options_.retry};
    constexpr std::string_view reasons[] = {"", "", "malformed", "unknown", "expired", "future"};
    const std::string_view reason = reasons[static_cast<std::size_t>(self.how)];
    auto [opening, code] = reason.empty() ? frame::make(head) : gap_frame(reason, 0, head);
    self.opening = std::move(opening);
    return code;
}

inline void hub::leave(subscriber& self) noexcept {
    if (self.in_hand != nullptr) hands_.give_back(std::exchange(self.in_hand, nullptr));
    for (detail::cursor& c : self.all_cursors()) {
        c.unlink();
        --c.where->cursors;
        forget_if_unused(*c.where);
    }
    self.cursor_count = 0;
    heartbeat::cancel(self);
    detail::list_node<subscriber>& node = self;
    if (!node.linked()) return; // subscribe has not come to its end
    node.unlink();
    --subscriber_count_;
}

// ---- publishing and reporting

inline publish_result hub::publish(const topic_list& topics, const event_view& event) noexcept {
    if (closing_) return {0, errc::closed};
    if (event.id) return {0, errc::id_is_assigned};
    if (!event.data && !event.retry) return {0, errc::nothing_to_send};
    const std::uint64_t offset = last_offset_ + 1;
    const auto id = id_of(offset);
    event_view numbered = event;
    numbered.id = id.view();
    const auto [made, refused] = frame::make(numbered);
    if (refused != errc::ok) return {0, refused};
    const std::span<const std::string_view> names = topics.names();
    if (const errc code = make_room(names); code != errc::ok) return {0, code};

    for (const std::string_view name : names) {
        topic& where = *topics_.find(name);
        if (where.log.newest_offset() == offset) continue; // named twice
        where.log.append(made, offset, now_);
        next_trim_ = std::min(next_trim_, where.log.next_expiry());
        report_idle(where);
    }
    last_offset_ = offset;
    ++metrics_.published;
    return {offset, errc::ok};
}

// All topics are there and have room for one event more, or none has been made.
inline errc hub::make_room(std::span<const std::string_view> topics) noexcept {
    errc code = topics.empty() ? errc::invalid_topic : errc::ok;
    for (const std::string_view name : topics) {
        topic* where = nullptr;
        code = find_or_make(name, where);
        if (code == errc::ok && !where->log.reserve()) code = errc::out_of_memory;
        if (code != errc::ok) break;
    }
    if (code == errc::ok) return code;
    for (const std::string_view name : topics) {
        if (topic* const made = topics_.find(name)) forget_if_unused(*made);
    }
    return code;
}

inline void hub::report_idle(topic& where) noexcept {
    ready_.splice_back(where.parked);
    while (!where.parked_wakers.empty()) {
        detail::cursor& c = where.parked_wakers.front();
        c.unlink();
        signal(*c.owner);
    }
}

inline void hub::signal(subscriber& self) noexcept {
    if (std::exchange(self.reported, true)) return;
    if (self.wake) {
        self.wake();
    } else {
        ready_.push_back(self.cursors[0]);
    }
}

inline void hub::park(subscriber& self) noexcept {
    self.reported = false;
    for (detail::cursor& c : self.all_cursors()) {
        (self.wake ? c.where->parked_wakers : c.where->parked).push_back(c);
    }
}

inline void* hub::next_ready() noexcept {
    while (!ready_.empty()) {
        subscriber& self = *ready_.front().owner;
        self.reported = true;
        for (detail::cursor& c : self.all_cursors()) c.unlink();
        if (self.user != nullptr) return self.user;
    }
    return nullptr;
}

inline void hub::tick(time_point now) noexcept {
    now_ = now;
    ready_.splice_back(ready_next_turn_);
    if (options_.heartbeat.interval.count() > 0) {
        heartbeat_.expire(now, [this](heartbeat::entry& item) {
            auto& self = static_cast<subscriber&>(item);
            // What is under way or waits to be read will break the silence, or nothing will.
            if (self.in_hand != nullptr || self.opening || self.has_events()) return;
            self.heartbeat_due = true;
            signal(self);
        });
    }
    if (now < next_trim_) return;
    next_trim_ = never;
    topics_.for_each([&](topic& item) {
        item.log.trim(now);
        next_trim_ = std::min(next_trim_, item.log.next_expiry());
    });
}

inline time_point hub::next_deadline() const noexcept {
    if (!ready_next_turn_.empty()) return now_;
    return std::min(heartbeat_.next_deadline(), next_trim_);
}

inline void hub::close(const close_options& options) noexcept {
    if (std::exchange(closing_, true)) return;
    close_ = options;
    close_.farewell.id.reset(); // clients would come back with it, and the hub gives the ids
    if (options.farewell.data) farewell_ = frame::make(close_.farewell).frame;
    close_.farewell = {}; // its views are the caller's
    for (subscriber* s = subscribers_.empty() ? nullptr : &subscribers_.front(); s != nullptr;
         s = subscribers_.after(*s)) {
        if (s->end == stream_end::open) signal(*s);
    }
}

// ---- one stream

inline frame hub::take_next(subscriber& self) noexcept {
    if (self.end != stream_end::open) return {};
    if (self.opening) {
        if (self.how > resumption::resumed) ++metrics_.gaps;
        return std::exchange(self.opening, {});
    }
    if (frame event = take_event(self); event || self.end != stream_end::open) return event;
    if (closing_) return take_farewell(self);
    if (!std::exchange(self.heartbeat_due, false) || !heartbeat_frame_) return {};
    ++metrics_.heartbeats;
    return heartbeat_frame_;
}

inline frame hub::take_event(subscriber& self) noexcept {
    detail::cursor* first = nullptr;
    std::uint64_t offset = 0;
    for (detail::cursor& c : self.all_cursors()) {
        const event_log& log = c.where->log;
        if (c.next == log.end()) continue;
        if (c.next < log.begin()) return catch_up(self, c);
        const std::uint64_t here = log[c.next].offset;
        if (first == nullptr || here < offset) {
            first = &c;
            offset = here;
        } else if (here == offset) {
            ++c.next; // the same event, published to several topics
        }
    }
    if (first == nullptr) return {};
    ++metrics_.delivered;
    self.heartbeat_due = false;
    return first->where->log[first->next++].frame;
}

inline frame hub::catch_up(subscriber& self, detail::cursor& at) noexcept {
    const event_log& log = at.where->log;
    if (self.on_lag == lag_policy::disconnect) {
        ++metrics_.lagged;
        return end_stream(self, stream_end::lagged);
    }
    const bool oldest = self.on_lag == lag_policy::skip_to_oldest;
    const std::uint64_t target = oldest ? log.begin() : log.end() - 1;
    frame gap = gap_frame("lagged", target - at.next, {}).frame;
    if (!gap) return end_stream(self, stream_end::out_of_memory);
    at.next = target;
    ++metrics_.gaps;
    return gap;
}

inline frame hub::take_farewell(subscriber& self) noexcept {
    if (!std::exchange(self.retry_told, true) && close_.retry_max.count() > 0) {
        const auto spread = static_cast<std::uint64_t>(
            std::max(close_.retry_max - close_.retry_min, std::chrono::milliseconds(0)).count());
        const auto extra = static_cast<std::int64_t>(random_.up_to(spread));
        frame told =
            frame::make({.retry = close_.retry_min + std::chrono::milliseconds(extra)}).frame;
        if (told) return told;
    }
    if (!std::exchange(self.farewell_told, true) && farewell_) return farewell_;
    return end_stream(self, stream_end::closed);
}

inline frame hub::end_stream(subscriber& self, stream_end why) noexcept {
    self.end = why;
    heartbeat::cancel(self);
    for (detail::cursor& c : self.all_cursors()) c.unlink();
    return self.form == framing::chunked ? last_chunk_ : frame();
}

// {"reason":"lagged","missed":12}; the number only where it is known.
inline frame_result hub::gap_frame(std::string_view reason, std::uint64_t missed,
                                   event_view head) noexcept {
    frame_builder block;
    head.type = options_.gap_type.view();
    data_writer data(block, head);
    data.write("{\"reason\":\"").write(reason).write("\"");
    if (missed != 0) data.write(",\"missed\":").write(detail::decimal(missed).view());
    data.write("}");
    data.finish();
    return block.build();
}

// ---- asking

inline std::size_t hub::subscribers(std::string_view name) const noexcept {
    const topic* const found = topics_.find(name);
    return found == nullptr ? 0 : found->cursors;
}

inline hub_metrics hub::metrics() const noexcept {
    hub_metrics result = metrics_;
    result.subscribers = subscriber_count_;
    result.topics = topics_.size();
    topics_.for_each([&](const topic& item) { result.log_bytes += item.log.bytes(); });
    return result;
}

} // namespace ssekit

#endif
