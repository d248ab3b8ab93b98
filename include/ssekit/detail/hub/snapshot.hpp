// SPDX-License-Identifier: MIT
//
// A stream that begins with the newest event of each key, or goes on with it after a gap. Its
// readers stand at the ends of their logs from the first moment, so what is published meanwhile
// comes after, whole. What the stream gives out until then is all that is the newest of its key and
// was published before that moment, in the order of publishing, each once. Its place among these is
// the offset of the last one. What is replaced meanwhile is passed over: the newer one comes later.
#ifndef SSEKIT_DETAIL_HUB_SNAPSHOT_HPP
#define SSEKIT_DETAIL_HUB_SNAPSHOT_HPP

#include <ssekit/detail/hub/choose.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/log/newest_values.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>

#include <algorithm>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns the next event of the snapshot, whether or not the stream's filter wants it.
/// Preconditions: the stream has a side record.
[[nodiscard]] inline newest_value next_value(const hub_state& hub, std::uint32_t stream,
                                             const snapshot& at) noexcept {
    newest_value first;
    const auto look = [&](std::uint32_t topic) {
        const newest_value here = hub.topics[topic].log.newest_after(at.given, at.place);
        if (here.event == nullptr || here.offset > at.through) return;
        if (first.event == nullptr || here.offset < first.offset) first = here;
    };
    const subscriber& item = hub.streams[stream];
    if (item.topic != 0) look(item.topic);
    for_each_cursor(hub, item, stream, [&](std::uint32_t, const cursor& reader) {
        if (!reader.of_companion && !reader.after_snapshot) look(reader.topic);
    });
    return first;
}

/// Effects: passes over what the stream's filter does not want.
/// \returns the next event that it wants; where there is none the snapshot is whole.
/// Preconditions: the stream has a side record.
[[nodiscard]] inline newest_value next_wanted(hub_state& hub, std::uint32_t stream) noexcept {
    side& extra = hub.sides.of(stream);
    for (;;) {
        const newest_value next = next_value(hub, stream, extra.values);
        if (next.event == nullptr) {
            extra.values = {};
            return {};
        }
        if (wants(extra.filter, *next.event, next.offset)) return next;
        extra.values.given = next.offset;
        extra.values.place = next.place;
        ++hub.metrics.filtered;
    }
}

/// Effects: the stream gives out the newest event of each key, and then what is published from now
/// on. \returns false without memory.
[[nodiscard]] inline bool begin_snapshot(hub_state& hub, std::uint32_t stream) noexcept {
    side* const extra = side_of(hub, stream);
    if (extra == nullptr) return false;
    for_each_kept_reader(
        hub, hub.streams[stream], stream,
        [](const event_log& log, std::uint64_t& position) { position = log.end(); });
    for_each_cursor(hub, hub.streams[stream], stream,
                    [](std::uint32_t, cursor& reader) { reader.after_snapshot = false; });
    ++hub.metrics.snapshots;
    extra->values = {.through = hub.last_offset};
    static_cast<void>(next_wanted(hub, stream)); // one that has nothing to give is whole at once
    return true;
}

/// \returns the next event of the snapshot; empty once it is whole.
/// Preconditions: the stream has a side record.
[[nodiscard]] inline frame take_value(hub_state& hub, std::uint32_t stream,
                                      subscriber& item) noexcept {
    side& extra = hub.sides.of(stream);
    if (extra.values.is_whole()) return {};
    const auto [event, offset, place] = next_wanted(hub, stream);
    if (event == nullptr) return {};
    extra.values.given = offset;
    extra.values.place = place;
    extra.told_through = offset; // a heartbeat tells what the snapshot has brought besides
    ++hub.metrics.delivered;
    ++item.events;
    item.heartbeat_due = 0;
    return *event;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
