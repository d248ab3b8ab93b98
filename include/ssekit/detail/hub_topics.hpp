// SPDX-License-Identifier: MIT
//
// How the hub keeps its topics: made when they are first named, fed to the patterns that match
// them, forgotten when nobody reads them and nothing is kept. Forgetting is remembered as one
// offset: who comes back from before it may have missed something, and is told so.
#include <ssekit/hub.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_HUB_TOPICS_HPP
#define SSEKIT_DETAIL_HUB_TOPICS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

namespace ssekit {

inline errc hub::find_or_make(topic_kind kind, std::string_view name, number& found) noexcept {
    found = topics_.find(kind, name);
    return found != 0 ? errc::ok : make_topic(kind, name, found);
}

inline errc hub::make_topic(topic_kind kind, std::string_view name, number& made) noexcept {
    if (name.empty() || name.size() > options_.max_topic_length) return errc::invalid_topic;
    if (kind == topic_kind::pattern && !detail::is_pattern(name)) return errc::invalid_topic;
    const bool tag = kind == topic_kind::tag;
    const std::size_t there =
        tag ? topics_.size(kind)
            : topics_.size(topic_kind::name) + topics_.size(topic_kind::pattern);
    if (there >= (tag ? options_.max_tags : options_.max_topics)) return errc::too_many_topics;
    made = topics_.insert(kind, name, tag ? options_.keep_tagged : options_.keep,
                          tag ? lost_of_tags_ : lost_through_);
    if (made == 0) return errc::out_of_memory;

    topic& item = topics_[made];
    const number parked = topic_head | made << 1;
    item.parked = {parked, parked};
    item.parked_wakers = {parked | 1, parked | 1};
    item.readers = {topic_head | made, topic_head | made};
    item.timer = {made, made};
    bool fed = true;
    if (kind == topic_kind::name && topics_.size(topic_kind::pattern) != 0) {
        topics_.for_each([&](number other) {
            if (topics_[other].kind == topic_kind::pattern) fed = fed && feed_from(made, other);
        });
    } else if (kind == topic_kind::pattern) {
        item.log.tell_topics_apart();
        fed = feed_pattern(made) && fill_pattern(made);
    }
    if (fed) return errc::ok;
    forget_if_unused(made);
    made = 0;
    return errc::out_of_memory;
}

// \returns false when there is no memory.
inline bool hub::feed_from(number name, number pattern) noexcept {
    topic& from = topics_[name];
    if (!detail::matches(topics_[pattern].name(), from.name())) return true;
    const number made = feeds_.make(detail::feed{pattern, from.feeds});
    if (made == 0) return false;
    from.feeds = made;
    return true;
}

inline bool hub::feed_pattern(number pattern) noexcept {
    bool fed = true;
    topics_.for_each([&](number other) {
        if (topics_[other].kind == topic_kind::name) fed = fed && feed_from(other, pattern);
    });
    return fed;
}

// A pattern's log begins with what its topics have kept, in the order of publishing.
inline bool hub::fill_pattern(number pattern) noexcept {
    struct found {
        std::uint64_t offset;
        std::uint64_t position;
        number where;
    };
    topic& to = topics_[pattern];
    std::size_t count = 0;
    std::uint64_t lost = 0;
    const auto for_each_source = [&](auto&& call) {
        topics_.for_each([&](number other) {
            for (number at = topics_[other].feeds; at != 0; at = feeds_[at].next) {
                if (feeds_[at].pattern == pattern) call(other, topics_[other].log);
            }
        });
    };
    for_each_source([&](number, const event_log& log) {
        count += log.size();
        lost = std::max(lost, log.lost_through());
    });
    to.log.set_lost_through(lost);
    if (count == 0) return true;
    found* const all = new (std::nothrow) found[count];
    if (all == nullptr) return false;
    found* end = all;
    for_each_source([&](number where, const event_log& log) {
        for (std::uint64_t p = log.begin(); p != log.end(); ++p) *end++ = {log[p].offset, p, where};
    });
    std::sort(all, end, [](const found& a, const found& b) { return a.offset < b.offset; });
    errc code = errc::ok;
    for (const found* at = all; at != end && code == errc::ok; ++at) {
        if (at != all && at[-1].offset == at->offset) continue;
        const event_log::entry& event = topics_[at->where].log[at->position];
        const bool by_id = options_.ids == event_ids::by_publisher;
        code = to.log.append(event.frame, event.offset, event.published, by_id);
    }
    delete[] all;
    time_topic(pattern);
    return code == errc::ok;
}

inline void hub::starve_pattern(number pattern) noexcept {
    topics_.for_each([&](number other) {
        for (number* at = &topics_[other].feeds; *at != 0;) {
            const number here = *at;
            if (feeds_[here].pattern == pattern) {
                *at = feeds_[here].next;
                feeds_.destroy(here);
            } else {
                at = &feeds_[here].next;
            }
        }
    });
}

inline void hub::forget_if_unused(number item) noexcept {
    topic& gone = topics_[item];
    if (gone.subscribers != 0) return;
    if (gone.kind == topic_kind::pattern) {
        starve_pattern(item); // what it holds can be made again
    } else if (gone.closed) {
        if (now_ < gone.forget_at) return;
    } else if (gone.log.size() != 0 || gone.kept) {
        return;
    }
    if (gone.kind != topic_kind::pattern && gone.log.end() != 0) {
        std::uint64_t& lost = gone.kind == topic_kind::tag ? lost_of_tags_ : lost_through_;
        lost = std::max(lost, gone.log.newest_offset());
    }
    while (gone.feeds != 0) {
        const number feed = gone.feeds;
        gone.feeds = feeds_[feed].next;
        feeds_.destroy(feed);
    }
    detail::unlink(topic_links{this}, item);
    topics_.erase(item);
}

// While it is read the newest event stays, because the log is also the queue.
inline void hub::time_topic(number item) noexcept {
    topic& self = topics_[item];
    const bool read = self.subscribers != 0;
    const time_point due =
        std::min(self.log.next_expiry(read ? 1 : 0), read ? never : self.forget_at);
    detail::unlink(topic_links{this}, item);
    if (due != never) expiry_.place(item, due - expiry_.slot_length(), now_);
}

inline void hub::told(const topic& where, bool listened_to) const noexcept {
    if (options_.on_topic.call == nullptr || where.kind == topic_kind::tag) return;
    options_.on_topic.call(options_.on_topic.context, where.name(), listened_to);
}

inline errc hub::keep(std::string_view name, const retention& bounds) noexcept {
    number found = 0;
    if (const errc code = find_or_make(topic_kind::name, name, found); code != errc::ok)
        return code;
    topics_[found].kept = true;
    topics_[found].log.set_retention(bounds, now_);
    time_topic(found);
    return errc::ok;
}

inline errc hub::close_topic(std::string_view name, const event_view& last,
                             std::chrono::milliseconds keep_for) noexcept {
    if (closing_) return errc::closed;
    number found = 0;
    if (const errc code = find_or_make(topic_kind::name, name, found); code != errc::ok)
        return code;
    if (topics_[found].closed) return errc::ok;
    if (last.data) {
        const errc code = publish(topic_kind::name, {&name, 1}, last, {}).ec;
        if (code != errc::ok) {
            found = topics_.find(topic_kind::name, name);
            if (found != 0) forget_if_unused(found);
            return code;
        }
    }
    auto& self = topics_[found];
    self.closed = true;
    self.forget_at =
        now_ + std::clamp<std::chrono::milliseconds>(keep_for, std::chrono::milliseconds(0),
                                                     std::chrono::hours(24 * 366));
    report_idle(found);
    time_topic(found);
    return errc::ok;
}

template <class Call>
void hub::for_each_topic(Call&& call) const {
    topics_.for_each([&](number item) {
        const topic& self = topics_[item];
        if (self.kind == topic_kind::tag) return;
        const topic_info shown{self.name(),
                               self.subscribers,
                               self.log.size(),
                               self.log.bytes(),
                               self.kind == topic_kind::pattern,
                               self.closed};
        call(shown);
    });
}

inline std::size_t hub::subscribers(std::string_view name) const noexcept {
    number found = topics_.find(topic_kind::name, name);
    if (found == 0) found = topics_.find(topic_kind::pattern, name);
    return found == 0 ? 0 : topics_[found].subscribers;
}

inline std::size_t hub::subscribers_with_tag(std::string_view tag) const noexcept {
    const number found = topics_.find(topic_kind::tag, tag);
    return found == 0 ? 0 : topics_[found].subscribers;
}

} // namespace ssekit

#endif
