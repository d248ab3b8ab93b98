// SPDX-License-Identifier: MIT
//
// How an event gets into the logs, and how those who wait for it are told.
#include <ssekit/hub.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_HUB_PUBLISH_HPP
#define SSEKIT_DETAIL_HUB_PUBLISH_HPP

#include <string_view>

namespace ssekit {

inline publish_result hub::publish(const topic_list& topics, const event_view& event,
                                   std::string_view key) noexcept {
    return publish(topic_kind::name, topics.names(), event, key);
}

inline publish_result hub::publish_to_tag(std::string_view tag, const event_view& event,
                                          std::string_view key) noexcept {
    return publish(topic_kind::tag, {&tag, 1}, event, key);
}

inline publish_result hub::publish(topic_kind kind, names topics, const event_view& event,
                                   std::string_view key) noexcept {
    const frame_label label{topics.empty() ? std::string_view() : topics[0], key};
    const auto [made, refused] = encode(event, label);
    if (refused != errc::ok) return {0, refused};
    return append(kind, topics, made, last_offset_ + 1);
}

inline publish_result hub::publish_to_all(const event_view& event, std::string_view key) noexcept {
    const frame_result made = encode(event, {{}, key});
    if (made.ec != errc::ok) return {0, made.ec};
    const auto for_each_open = [&](auto&& call) {
        topics_.for_each([&](number item) {
            if (topics_[item].kind != topic_kind::tag && !topics_[item].closed) call(item);
        });
    };
    bool room = true;
    for_each_open([&](number item) { room = room && make_room(item, !key.empty()); });
    if (!room) return {0, errc::out_of_memory};
    const std::uint64_t offset = last_offset_ + 1;
    for_each_open([&](number item) { append(item, made.frame, offset); });
    lost_through_ = offset; // to topics that are not there
    published(offset);
    return {offset, errc::ok};
}

inline publish_result hub::publish_sequenced(const topic_list& topics,
                                             const sequenced_event& event) noexcept {
    if (event.ec != errc::ok) return {0, event.ec};
    if (closing_) return {0, errc::closed};
    if (!event.frame || options_.ids != event_ids::by_sequence || event.epoch != epoch_number_ ||
        event.offset <= last_offset_) {
        return {0, errc::out_of_sequence};
    }
    return append(topic_kind::name, topics.names(), event.frame, event.offset);
}

inline publish_result hub::append(topic_kind kind, names topics, const frame& event,
                                  std::uint64_t offset) noexcept {
    number last = 0;
    const bool key = !event.label().key.empty();
    if (const errc code = make_room(kind, topics, key, last); code != errc::ok) return {0, code};
    if (offset != last_offset_ + 1) miss(offset - 1);
    for (const std::string_view name : topics.first(topics.size() - 1)) {
        append(topics_.find(kind, name), event, offset);
    }
    append(last, event, offset);
    published(offset);
    return {offset, errc::ok};
}

inline frame_result hub::encode(const event_view& event, const frame_label& label) const noexcept {
    if (closing_) return {frame(), errc::closed};
    if (!event.data && !event.retry) return {frame(), errc::nothing_to_send};
    if (options_.ids == event_ids::by_sequence) return {frame(), errc::out_of_sequence};
    if (options_.ids == event_ids::by_publisher) {
        if (!event.id || event.id->empty()) return {frame(), errc::id_is_missing};
        return frame::make(event, utf8_policy::pass_through, label);
    }
    if (event.id) return {frame(), errc::id_is_assigned};
    const auto id = id_of(last_offset_ + 1);
    event_view numbered = event;
    numbered.id = id.view();
    return frame::make(numbered, utf8_policy::pass_through, label);
}

// All topics are there and have room for one event more, or none has been made.
inline errc hub::make_room(topic_kind kind, names topics, bool key, number& last) noexcept {
    errc code = topics.empty() ? errc::invalid_topic : errc::ok;
    for (const std::string_view name : topics) {
        code = find_or_make(kind, name, last);
        if (code == errc::ok && topics_[last].closed) code = errc::topic_closed;
        if (code == errc::ok && !make_room(last, key)) code = errc::out_of_memory;
        if (code != errc::ok) break;
    }
    if (code == errc::ok) return code;
    for (const std::string_view name : topics) {
        if (const number made = topics_.find(kind, name)) forget_if_unused(made);
    }
    return code;
}

inline bool hub::make_room(number where, bool key) noexcept {
    const bool by_id = options_.ids == event_ids::by_publisher;
    if (!topics_[where].log.reserve(key, by_id)) return false;
    for (number at = topics_[where].feeds; at != 0; at = feeds_[at].next) {
        if (!topics_[feeds_[at].pattern].log.reserve(key, by_id)) return false;
    }
    return true;
}

inline void hub::append(number where, const frame& event, std::uint64_t offset) noexcept {
    topic& self = topics_[where];
    if (self.log.newest_offset() == offset) return; // named twice
    self.log.append(event, offset, now_, options_.ids == event_ids::by_publisher);
    if (self.log.next_expiry(0) != never && !detail::is_linked(topic_links{this}, where)) {
        time_topic(where);
    }
    report_idle(where);
    for (number at = self.feeds; at != 0; at = feeds_[at].next) {
        append(feeds_[at].pattern, event, offset);
    }
}

// What a sequence has numbered in between went to the others, and not to this hub.
inline void hub::miss(std::uint64_t through) noexcept {
    lost_through_ = lost_of_tags_ = through;
    topics_.for_each([&](number item) { topics_[item].log.set_lost_through(through); });
}

inline void hub::published(std::uint64_t offset) noexcept {
    last_offset_ = offset;
    ++metrics_.published;
}

inline void hub::report_idle(number where) noexcept {
    const queue_links links{this};
    const number parked = topic_head | where << 1;
    detail::splice_back(links, ready, parked);
    for (number at = links(parked | 1).next; at != (parked | 1); at = links(parked | 1).next) {
        detail::unlink(links, at);
        signal(records_[at].further ? records_[at].owner : at);
    }
}

inline void hub::signal(number self) noexcept {
    if (!records_[self].reported) report(self);
}

// Who is reported is parked nowhere.
inline void hub::report(number self) noexcept {
    record& item = records_[self];
    item.reported = 1;
    unlink_all(self);
    if (item.has_side && sides_[item.extra].wake) return sides_[item.extra].wake();
    detail::link_back(queue_links{this}, ready, self);
}

inline void hub::unlink_all(number self) noexcept {
    for (number at = self; at != 0; at = next_cursor(self, at)) {
        detail::unlink(queue_links{this}, at);
    }
}

inline void hub::park(number self, record& item) noexcept {
    item.reported = 0;
    const queue_links links{this};
    const number wakes = item.has_side && sides_[item.extra].wake ? 1 : 0;
    for (number at = self; at != 0; at = next_cursor(self, at)) {
        if (detail::is_linked(links, at)) detail::unlink(links, at);
        detail::link_back(links, topic_head | records_[at].topic << 1 | wakes, at);
    }
}

// Nothing to give now: wait at the topics, or for the throttle's window.
inline void hub::rest(number self, record& item) noexcept {
    if (!item.has_side || !is_held(self)) return park(self, item);
    item.reported = 0;
    unlink_all(self);
    held_.place(self, sides_[item.extra].window_opens, now_);
}

inline void hub::report_next_turn(number self) noexcept {
    record& item = records_[self];
    item.reported = 1;
    unlink_all(self);
    if (item.has_side && sides_[item.extra].wake) return sides_[item.extra].wake();
    detail::link_back(queue_links{this}, ready_next_turn, self);
}

inline bool hub::has_ready() const noexcept {
    return detail::is_linked(queue_links{const_cast<hub*>(this)}, ready);
}

inline void* hub::next_ready() noexcept {
    const queue_links links{this};
    while (detail::is_linked(links, ready)) {
        const number first = links(ready).next;
        const number self = records_[first].further ? records_[first].owner : first;
        record& item = records_[self];
        item.reported = 1;
        unlink_all(self);
        if (item.user != nullptr) return item.user;
    }
    return nullptr;
}

inline errc hub::send(number self, const event_view& event) noexcept {
    if (closing_ || records_[self].end() != stream_end::open) return errc::closed;
    if (event.id) return errc::id_is_assigned;
    if (!event.data && !event.retry) return errc::nothing_to_send;
    frame_result made = frame::make(event);
    if (made.ec != errc::ok) return made.ec;
    detail::side* const extra = side_of(self);
    if (extra == nullptr) return errc::out_of_memory;
    if (extra->sent_count >= options_.max_sent) return errc::queue_is_full;
    const number item = sent_.make(detail::sent_event{std::move(made.frame), last_offset_});
    if (item == 0) return errc::out_of_memory;
    (extra->sent_first == 0 ? extra->sent_first : sent_[extra->sent_last].next) = item;
    extra->sent_last = item;
    ++extra->sent_count;
    signal(self);
    return errc::ok;
}

} // namespace ssekit

#endif
