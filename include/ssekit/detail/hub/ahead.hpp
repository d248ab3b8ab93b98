// SPDX-License-Identifier: MIT
//
// Streams whose clients are ahead of this hub: another hub of the sequence has brought them events
// that are still to come here, so they wait for their offset. If the sequence never gets there,
// because the id was made up or the log has lost its tail, they would wait for ever. So the reader
// of the log says now and then how far it has got. A stream that waits for an offset that is not
// there, and was waiting already when the log was asked, is told.
//
// The log is asked after the last of these calls has returned, so what counts is whether the stream
// was there at that call.
#ifndef SSEKIT_DETAIL_HUB_AHEAD_HPP
#define SSEKIT_DETAIL_HUB_AHEAD_HPP

#include <ssekit/detail/hub/ending.hpp>
#include <ssekit/detail/hub/resume.hpp>
#include <ssekit/detail/hub/sent.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: the stream waits for what comes after the offset. \returns false without memory.
[[nodiscard]] inline bool wait_for(hub_state& hub, std::uint32_t stream,
                                   std::uint64_t offset) noexcept {
    side* const extra = side_of(hub, stream);
    if (extra == nullptr) return false;
    extra->seen = offset;
    extra->seen_at = hub.ahead.asked;
    hub.ahead.farthest = (std::max)(hub.ahead.farthest, offset);
    return true;
}

/// Effects: the stream goes on with the next event, after a gap event with the id to go on from.
inline void wait_no_more(hub_state& hub, std::uint32_t stream) noexcept {
    side& extra = hub.sides.of(stream);
    extra.seen = 0;
    const event_id_text id(hub.epoch_words, hub.last_offset);
    frame told = make_gap(hub.options, word_for(resumption::future), {}, {.id = id.view()}).frame;
    // What has come meanwhile was passed over, for the client seemed to have it.
    for_each_reader(hub, hub.streams[stream], stream,
                    [](const event_log& log, std::uint64_t& at) { at = log.end(); });
    extra.told_through = hub.last_offset;
    if (!told || !queue(hub, extra, std::move(told))) {
        return break_off(hub, stream, stream_end::out_of_memory);
    }
    ++hub.metrics.gaps;
    signal(hub, stream);
}

/// Effects: see hub::note_newest.
[[nodiscard]] inline errc note_newest(hub_state& hub, const event_place& at) noexcept {
    if (hub.options.ids != event_ids::by_sequence || at.epoch != hub.epoch_number) {
        return errc::out_of_sequence;
    }
    streams_ahead& ahead = hub.ahead;
    const std::uint64_t newest = (std::max)(at.offset, hub.last_offset);
    ahead.newest = newest;
    if (ahead.farthest > newest) {
        ahead.farthest = 0;
        hub.streams.for_each([&](std::uint32_t stream) {
            const subscriber& item = hub.streams[stream];
            if (item.end() != stream_end::open || !item.has_side) return;
            const side& extra = hub.sides.of(stream);
            if (extra.seen > newest && extra.seen_at != ahead.asked) {
                return wait_no_more(hub, stream);
            }
            ahead.farthest = (std::max)(ahead.farthest, extra.seen);
        });
    }
    ++ahead.asked;
    return errc::ok;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
