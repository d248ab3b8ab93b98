// SPDX-License-Identifier: MIT
//
// What goes on while a hub closes, and how a stream takes leave of it.
//
// A topic that was named as unfinished takes events until it is closed, and a stream that has put
// off its leaving goes on as long as it reads such a topic. Everything else leaves: it reads what
// there is, is told its reconnection time, then the farewell, and ends. A stream that has put it
// off and ends for a reason of its own takes leave in the same way.
//
//   parting       what comes next
//   none          the reconnection time, if there is one
//   put_off       the same, once it is leaving
//   retry_told    the farewell, if there is one
//   told          the end
#ifndef SSEKIT_DETAIL_HUB_PARTING_HPP
#define SSEKIT_DETAIL_HUB_PARTING_HPP

#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/subscriber.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/topic_list.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Whether it takes events even while the hub closes.
[[nodiscard]] inline bool is_unfinished(const topic& where) noexcept {
    return where.unfinished && !where.closed;
}

/// \returns whether the stream reads an unfinished topic. Its tag alone keeps no stream.
[[nodiscard]] inline bool reads_unfinished(hub_state& hub, std::uint32_t stream) noexcept {
    bool found = false;
    for_each_seat(hub, hub.streams[stream], stream, [&](std::uint32_t, std::uint32_t topic) {
        const auto& where = hub.topics[topic];
        found = found || (is_unfinished(where) && where.kind != topic_kind::tag);
    });
    return found;
}

/// Whether the hub closes and the stream ends once it has read what there is.
[[nodiscard]] inline bool is_leaving(hub_state& hub, std::uint32_t stream) noexcept {
    if (!hub.closing) return false;
    return hub.streams[stream].parting() != parting::put_off || !reads_unfinished(hub, stream);
}

// Not inlined, so that publishing stays small.
[[nodiscard, gnu::noinline]] inline bool are_unfinished(const hub_state& hub, topic_kind kind,
                                                        const topic_list& names) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i) {
        bool found = false; // of the topic itself, or of a pattern that it feeds
        hub.topics.for_each_fed(kind, names[i], [&](std::uint32_t topic) {
            found = found || hub.topics[topic].unfinished;
        });
        if (!found) return false;
    }
    return !names.empty();
}
/// Whether the hub closes and one of these takes no more events. A closed topic that was unfinished
/// refuses them by itself.
[[nodiscard]] inline bool is_shut(const hub_state& hub, topic_kind kind,
                                  const topic_list& names) noexcept {
    return hub.closing && !are_unfinished(hub, kind, names);
}

/// Whether a stream may read one of these topics, perhaps by a pattern.
[[nodiscard]] inline bool is_read(const hub_state& hub, const topic_list& names) noexcept {
    bool read = hub.topics.size(topic_kind::pattern) != 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::uint32_t found = hub.topics.find(topic_kind::name, names[i]);
        read = read || (found != 0 && hub.topics[found].readers != 0);
    }
    return read;
}

/// \returns what a stream that is leaving is told next, empty when it has been told all.
[[nodiscard]] inline frame take_farewell(hub_state& hub, subscriber& item) noexcept {
    if (item.parting() < parting::retry_told && hub.retry_max.count() > 0) {
        item.set_parting(parting::retry_told);
        frame told = hub.say({.retry = draw_retry(hub, hub.retry_min, hub.retry_max)}).frame;
        if (told) return told;
    }
    if (item.parting() == parting::told) return {};
    item.set_parting(parting::told);
    return hub.farewell;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
