// SPDX-License-Identifier: MIT
//
// A new epoch in place: the log that the hub's events come from has lost some that were published,
// or is another one, so offsets mean something else from now on. Nothing of the old epoch is left
// in the hub, whose topics, streams and owners stay. Each stream gets what it has in hand, then a
// gap event with an id of the new epoch; events of the old one that it had not been given are among
// what the gap stands for. Ids of the old epoch are resumption::unknown.
//
// The gap is an entry of each log that is read, the first of the new epoch, so that it costs one
// frame for all streams. Its offset is that after which the epoch begins, which may be 0.
#ifndef SSEKIT_DETAIL_HUB_EPOCHS_HPP
#define SSEKIT_DETAIL_HUB_EPOCHS_HPP

#include <ssekit/detail/hub/ending.hpp>
#include <ssekit/detail/hub/history.hpp>
#include <ssekit/detail/hub/resume.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/detail/log/event_ids.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>

#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: what the stream knows of offsets is of the new epoch.
inline void move_to_epoch(hub_state& hub, std::uint32_t stream, std::uint64_t last) noexcept {
    subscriber& item = hub.streams[stream];
    forget_history(hub, stream);
    bool told = true;
    for_each_reader(hub, item, stream, [&](const event_log& log, std::uint64_t& at) {
        at = log.begin();
        told = told && log.size() != 0;
    });
    if (item.has_side) {
        side& extra = hub.sides.of(stream);
        extra.seen = extra.added_after = extra.told_through = 0;
        extra.values = {};
        extra.lag.begins_through = last;
        extra.throttle.through = last;
        // What was sent to it comes first: an id in it is of the old epoch.
        for (std::uint32_t at = extra.sent_first; at != 0; at = hub.sent[at].next) {
            hub.sent[at].after = 0;
        }
    }
    if (!told) return break_off(hub, stream, stream_end::out_of_memory);
    signal(hub, stream);
}

/// Effects: see hub::begin_epoch.
[[nodiscard]] inline errc begin_epoch(hub_state& hub, const event_place& begins) noexcept {
    if (hub.options.ids != event_ids::by_sequence || begins.epoch == hub.epoch_number) {
        return errc::out_of_sequence;
    }
    const epoch_text words(begins.epoch);
    const event_id_text id(words, begins.offset);
    const frame telling =
        make_gap(hub.options, "missed", {0, {}, id.view()}, {.id = id.view()}).frame;
    if (!telling) return errc::out_of_memory;
    hub.epoch_number = begins.epoch;
    hub.epoch_words = words;
    hub.last_offset = begins.offset;
    hub.ahead = {};
    hub.heartbeat_with_id = {};
    hub.heartbeat_offset = 0;
    ++hub.metrics.epochs;
    hub.topics.begin_anew(telling, begins.offset, hub.clock.now);
    hub.streams.for_each([&](std::uint32_t stream) {
        if (hub.streams[stream].end() == stream_end::open) {
            move_to_epoch(hub, stream, begins.offset);
        }
    });
    return errc::ok;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
