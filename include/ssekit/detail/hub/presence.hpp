// SPDX-License-Identifier: MIT
//
// Which tags are there, and who is told of it; presence_options.hpp says what counts.
//
// A change is told when all seats of the stream in question are taken, or free: what is published
// then wakes other streams, and never the one that comes or goes.
#ifndef SSEKIT_DETAIL_HUB_PRESENCE_HPP
#define SSEKIT_DETAIL_HUB_PRESENCE_HPP

#include <ssekit/detail/hub/object_text.hpp>
#include <ssekit/detail/hub/publishing.hpp>
#include <ssekit/detail/hub/seats.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event_key.hpp>
#include <ssekit/presence_options.hpp>
#include <ssekit/time.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: publishes that a tag has come, or gone. \returns why that is refused.
[[nodiscard]] inline errc publish_presence(hub_state& hub, const presence_options& options,
                                           std::string_view tag, bool present) noexcept {
    object_text text(hub.options.memory);
    const std::string_view data = text.add("tag", tag).add_flag("present", present).finish();
    if (data.empty()) return errc::out_of_memory;
    const std::string_view topic = options.topic;
    const event_key key = present ? event_key(tag) : removal_of(tag);
    return publish(hub, topic_kind::name, topic, {.type = options.type, .data = data}, key).ec;
}

/// Preconditions: presence is told.
inline void tell_presence(hub_state& hub, std::string_view tag, bool present) noexcept {
    const presence_options& options = *hub.options.presence;
    ++(present ? hub.metrics.presence_came : hub.metrics.presence_gone);
    if (options.on_change) options.on_change(tag, present);
    if (options.topic.empty()) return;
    const errc code = publish_presence(hub, options, tag, present);
    if (hub.metrics.refused_events.count(code) != errc::ok) ++hub.metrics.presence_lost;
}

/// Effects: the tag that has waited longest has gone. Preconditions: there is one.
inline void depart_first(hub_state& hub) noexcept {
    --hub.metrics.tags_present;
    tell_presence(hub, hub.leaving.first(), false);
    hub.leaving.drop_first();
}

/// Effects: those whose grace is over have gone.
inline void depart_due(hub_state& hub) noexcept {
    while (hub.leaving.next_deadline() <= hub.clock.now) depart_first(hub);
}

/// Effects: the last stream of the tag has ended.
inline void depart(hub_state& hub, std::string_view tag) noexcept {
    const std::chrono::milliseconds grace = time_limits::bounded(hub.options.presence->grace);
    if (grace.count() != 0 && !hub.closing) {
        if (hub.leaving.is_full()) {
            ++hub.metrics.presence_cut_short;
            depart_first(hub);
        }
        if (hub.leaving.add(tag, hub.clock.now + grace)) return;
        ++hub.metrics.presence_cut_short;
    }
    --hub.metrics.tags_present;
    if (!hub.closing) tell_presence(hub, tag, false);
}

/// Effects: a stream of the tag has come. Preconditions: it has its seats.
inline void arrive(hub_state& hub, std::uint32_t tag) noexcept {
    if (!hub.options.presence || hub.topics[tag].readers != 1) return;
    const std::string_view name = hub.topics[tag].name();
    if (hub.leaving.take(name)) {
        ++hub.metrics.presence_returned;
        return;
    }
    ++hub.metrics.tags_present;
    tell_presence(hub, name, true);
}

/// Effects: the stream reads nothing any more; if it was the last of its tag, the tag departs.
inline void leave_seats(hub_state& hub, std::uint32_t stream, const subscriber& item) noexcept {
    std::uint32_t tag = 0;
    if (item.has_side && item.seated && hub.options.presence) tag = hub.sides.of(stream).tag;
    if (tag == 0 || hub.topics[tag].readers != 1) return stand_up(hub, stream);
    ++hub.topics[tag].readers; // its name is there until that has been told
    stand_up(hub, stream);
    depart(hub, hub.topics[tag].name());
    hub.topics.remove_reader(tag, hub.clock.now);
}

/// Effects: nobody is waited for any more, and nothing is told of it: the hub closes.
inline void forget_departures(hub_state& hub) noexcept {
    hub.metrics.tags_present -= hub.leaving.size();
    hub.leaving.clear();
}

/// Whether a tag has a stream, or may come back.
[[nodiscard]] inline bool is_present(const hub_state& hub, std::string_view tag) noexcept {
    const std::uint32_t found = hub.topics.find(topic_kind::tag, tag);
    return (found != 0 && hub.topics[found].readers != 0) || hub.leaving.contains(tag);
}

/// Effects: `call(tag)` for each that is present.
template <class Call>
void for_each_present(const hub_state& hub, Call&& call) {
    hub.topics.for_each(topic_kind::tag, [&](std::uint32_t tag) {
        if (hub.topics[tag].readers != 0) call(hub.topics[tag].name());
    });
    hub.leaving.for_each(call);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
