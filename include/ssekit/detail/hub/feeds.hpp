// SPDX-License-Identifier: MIT
//
// How names feed patterns. A pattern has a log of its own, so whoever reads it is a cursor like any
// other; each name knows the patterns that it feeds, so publishing compares no texts. A pattern's
// log begins with what its names have kept.
#ifndef SSEKIT_DETAIL_HUB_FEEDS_HPP
#define SSEKIT_DETAIL_HUB_FEEDS_HPP

#include <ssekit/detail/base/memory.hpp>
#include <ssekit/detail/base/slab.hpp>
#include <ssekit/detail/hub/patterns.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/detail/hub/topic_names.hpp>
#include <ssekit/detail/log/newest_values.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/retention.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

class topic_feeds {
  public:
    using number = std::uint32_t;

    explicit topic_feeds(memory_resource* memory) noexcept : feeds_(memory) {}

    /// \returns false without memory.
    bool add(topic& name, number pattern) noexcept {
        const number made = feeds_.make(feed{pattern, name.feeds});
        if (made == 0) return false;
        name.feeds = made;
        return true;
    }
    void remove(topic& name, number pattern) noexcept {
        for (number* at = &name.feeds; *at != 0;) {
            const number here = *at;
            if (feeds_[here].pattern == pattern) {
                *at = feeds_[here].next;
                feeds_.destroy(here);
            } else {
                at = &feeds_[here].next;
            }
        }
    }
    void remove_all(topic& name) noexcept {
        for (number& at = name.feeds; at != 0;) {
            feeds_.destroy(std::exchange(at, feeds_[at].next));
        }
    }

    /// Effects: `call(pattern)` for each that the name feeds.
    template <class Call>
    void for_each(const topic& name, Call&& call) const noexcept {
        for (number at = name.feeds; at != 0; at = feeds_[at].next) call(feeds_[at].pattern);
    }

  private:
    struct feed {
        number pattern;
        number next;
    };

    slab<feed, 64> feeds_;
};

/// Effects: the log of a new pattern gets what others have kept, in the order of publishing, and
/// what they have lost is lost for it. The events count as being in several logs from now on.
/// \param for_each_log calls what it is given with each `event_log&`; called twice
/// \returns false without memory.
template <class ForEachLog>
[[nodiscard]] bool fill(event_log& to, ForEachLog&& for_each_log,
                        memory_resource& memory) noexcept {
    struct source {
        std::uint64_t offset;
        std::uint64_t position;
        event_log* log;
    };
    std::size_t count = 0;
    for_each_log([&](event_log& log) {
        count += log.size();
        to.set_lost_through(log.lost_through());
    });
    if (count == 0) return true;
    auto* const all = make_array<source>(memory, count);
    if (all == nullptr) return false;
    source* end = all;
    for_each_log([&](event_log& log) {
        for (std::uint64_t p = log.begin(); p != log.end(); ++p) *end++ = {log[p].offset, p, &log};
    });
    std::sort(all, end, [](const source& a, const source& b) { return a.offset < b.offset; });
    errc code = errc::ok;
    for (const source* at = all; at != end && code == errc::ok; ++at) {
        if (at != all && at[-1].offset == at->offset) continue;
        at->log->note_in_several(at->position);
        const event_log::entry& event = (*at->log)[at->position];
        code = event.tells_of_gap
                   ? to.append_gap(event.frame, event.offset, event.published)
                   : to.append(event.frame, event.offset, event.published, log_use::idle, true);
    }
    release_array(memory, all, count);
    return code == errc::ok;
}

/// Effects: calls `set_bounds()`; then the newest events of each key that a pattern keeps besides
/// are those that it had and those of all its names, as far as these bounds allow.
/// \param for_each_log as for `fill`
/// \returns false without memory, with nothing changed.
template <class ForEachLog, class SetBounds>
[[nodiscard]] bool fill_values(event_log& to, ForEachLog&& for_each_log, SetBounds&& set_bounds,
                               memory_resource& memory) noexcept {
    struct value {
        frame event;
        std::uint64_t offset = 0;
    };
    const auto for_each_value = [&](auto&& call) {
        const auto in = [&](const event_log& log) {
            for (std::uint64_t after = 0;;) {
                const newest_value found = log.newest_after(after);
                if (found.event == nullptr) return;
                call(*found.event, found.offset);
                after = found.offset;
            }
        };
        in(to);
        for_each_log(in);
    };
    std::size_t count = 0;
    for_each_value([&](const frame&, std::uint64_t) { ++count; });
    if (count == 0) {
        set_bounds();
        return true;
    }
    auto* const all = make_array<value>(memory, count);
    if (all == nullptr) return false;
    value* end = all;
    for_each_value([&](const frame& event, std::uint64_t offset) { *end++ = {event, offset}; });
    std::sort(all, end, [](const value& a, const value& b) { return a.offset < b.offset; });
    set_bounds();
    to.forget_values();
    for (const value* at = all; at != end; ++at) {
        if (at != all && at[-1].offset == at->offset) continue; // several logs have it
        to.add_value(at->event, at->offset);
    }
    release_array(memory, all, count);
    return true;
}

/// Effects: the new name feeds the patterns that match it. \returns false without memory.
[[nodiscard]] inline bool feed_patterns(topic_feeds& feeds, const topic_names& all,
                                        const topic_slab& topics, std::uint32_t name) noexcept {
    bool fed = true;
    all.for_each(topic_kind::pattern, [&](std::uint32_t other) {
        if (fed && matches(topics[other].name(), topics[name].name())) {
            fed = feeds.add(topics[name], other);
        }
    });
    return fed;
}

/// Effects: `call(topic&)` for each name that matches the pattern.
template <class Call>
void for_each_match(const topic_names& all, const topic_slab& topics, std::uint32_t pattern,
                    Call&& call) noexcept {
    all.for_each(topic_kind::name, [&](std::uint32_t other) {
        if (matches(topics[pattern].name(), topics[other].name())) call(topics[other]);
    });
}

/// Effects: the names that match the new pattern feed it, and it has what they have kept.
/// \returns false without memory.
[[nodiscard]] inline bool feed_pattern(topic_feeds& feeds, const topic_names& all,
                                       const topic_slab& topics, std::uint32_t pattern,
                                       memory_resource& memory) noexcept {
    topics[pattern].log.tell_topics_apart();
    bool fed = true;
    for_each_match(all, topics, pattern,
                   [&](topic& name) { fed = fed && feeds.add(name, pattern); });
    const auto for_each_log = [&](auto&& call) {
        for_each_match(all, topics, pattern, [&](topic& name) { call(name.log); });
    };
    event_log& log = topics[pattern].log;
    if (!fed || !fill(log, for_each_log, memory)) return false;
    const auto keep_bounds = [] {};
    return !log.keeps_values() || fill_values(log, for_each_log, keep_bounds, memory);
}

/// Effects: the pattern keeps other bounds for the newest events of each key, and has those of its
/// names. \returns false without memory, and nothing has changed.
[[nodiscard]] inline bool keep_values(const topic_names& all, const topic_slab& topics,
                                      std::uint32_t pattern, const value_bound& values,
                                      time_point now, memory_resource& memory) noexcept {
    topic& self = topics[pattern];
    const auto for_each_log = [&](auto&& call) {
        for_each_match(all, topics, pattern, [&](topic& name) { call(name.log); });
    };
    const auto set_bounds = [&] {
        retention with = self.log.bounds();
        with.values = values;
        self.log.set_retention(with, now, self.use());
    };
    return fill_values(self.log, for_each_log, set_bounds, memory);
}

/// Effects: nothing feeds the pattern any more.
inline void starve(topic_feeds& feeds, const topic_names& all, const topic_slab& topics,
                   std::uint32_t pattern) noexcept {
    all.for_each(topic_kind::name,
                 [&](std::uint32_t other) { feeds.remove(topics[other], pattern); });
}

/// Effects: a topic that has just been made feeds patterns, or is fed by names, as it matches.
/// \returns false without memory; then leave_feeds is to be called.
[[nodiscard]] inline bool join_feeds(topic_feeds& feeds, const topic_names& all,
                                     const topic_slab& topics, std::uint32_t made,
                                     memory_resource& memory) noexcept {
    switch (topics[made].kind) {
    case topic_kind::name: return feed_patterns(feeds, all, topics, made);
    case topic_kind::pattern: return feed_pattern(feeds, all, topics, made, memory);
    default: return true;
    }
}
/// Effects: the topic feeds nothing any more, and nothing feeds it.
inline void leave_feeds(topic_feeds& feeds, const topic_names& all, const topic_slab& topics,
                        std::uint32_t where) noexcept {
    feeds.remove_all(topics[where]);
    if (topics[where].kind == topic_kind::pattern) starve(feeds, all, topics, where);
}

/// Effects: `call(number)` for each topic and pattern that an event for the name goes to. The topic
/// need not be there.
template <class Call>
void for_each_fed(const topic_feeds& feeds, const topic_names& all, const topic_slab& topics,
                  topic_kind kind, std::string_view name, Call&& call) noexcept {
    if (const std::uint32_t found = all.find(kind, name)) {
        call(found);
        return feeds.for_each(topics[found], call);
    }
    if (kind != topic_kind::name) return;
    all.for_each(topic_kind::pattern, [&](std::uint32_t pattern) {
        if (matches(topics[pattern].name(), name)) call(pattern);
    });
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
