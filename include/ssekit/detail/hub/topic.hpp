// SPDX-License-Identifier: MIT
//
// What there is of a topic: its log, its name, and its readers. A topic_store keeps them.
#ifndef SSEKIT_DETAIL_HUB_TOPIC_HPP
#define SSEKIT_DETAIL_HUB_TOPIC_HPP

#include <ssekit/detail/base/links.hpp>
#include <ssekit/detail/base/owned_text.hpp>
#include <ssekit/detail/base/slab.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/retention.hpp>
#include <ssekit/time.hpp>
#include <ssekit/waker.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

enum class topic_kind : std::uint8_t {
    name,
    pattern,
    tag,
    companion, ///< has no name; see topic::companion
};

struct topic {
    topic(topic_kind what, const retention& keep, std::uint64_t lost_through,
          memory_resource* memory) noexcept
        : log(keep, lost_through, memory), kind(what) {}

    [[nodiscard]] std::string_view name() const noexcept { return text.view(); }
    [[nodiscard]] log_use use() const noexcept {
        return readers == 0 ? log_use::idle : log_use::read;
    }

    /// Whether it is closed for good: its name may be given to another.
    [[nodiscard]] bool is_over(time_point now) const noexcept { return closed && now >= forget_at; }
    /// Whether it may make way for another.
    [[nodiscard]] bool may_go() const noexcept { return has_name && readers == 0 && !kept; }

    event_log log;
    owned_text text;
    topic_kind kind;
    bool closed = false;       // takes no more events
    bool unfinished = false;   // takes events while the hub closes; see parting.hpp
    bool kept = false;         // has been given bounds of its own, and stays while nobody reads it
    bool has_name = true;      // can be found
    bool claimed = false;      // see idle_topics
    std::uint8_t gave_way = 0; // how often in a row streams of the tag have; see take_over.hpp
    std::uint32_t readers = 0;
    std::uint32_t feeds = 0; // the first of the patterns that it feeds
    time_point forget_at = never;
    time_point looked_at = never; // when the wheel gives it out; never: it is not in the wheel
    link kin{};                   // ring: of its kind
    link timer{};                 // in the wheel of what expires
    link unused{};                // ring: of the topics that may go, see idle_topics
    time_point used_at{};         // when it came there
    time_point gave_way_at{};     // when a stream of the tag gave way last
    // For its readers; the store does not look at them.
    link idle{};        // ring: readers that wait for the hub's ready list
    link idle_wakers{}; // ring: readers that wait for wakers of their own
    link tagged{};      // ring: all readers of a tag
    // What has the events that are not kept; 0: there have been none. The topic counts as a reader
    // of its companion, so this stays until the last reader of the topic has gone.
    std::uint32_t companion = 0;
    std::uint64_t made_as = 0; // of a companion: its number in the order of making
};

/// Few in a page, for a small device has few.
using topic_slab = slab<topic, 4>;

struct topic_limits {
    retention keep;
    retention keep_tagged;
    retention keep_transient;
    std::size_t topics;
    std::size_t tags;
    std::size_t name_length;
    std::size_t forgotten;
    time_point::duration keep_idle;                                   ///< zero: no bound
    callback<void(std::string_view name, bool listened_to)> on_topic; ///< of names and patterns
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
