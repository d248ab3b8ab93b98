// SPDX-License-Identifier: MIT
//
// How a stream ends: why is said once and counted once, and its places at the topics are free at
// once, while what it has in hand may still have to leave.
#ifndef SSEKIT_DETAIL_HUB_ENDING_HPP
#define SSEKIT_DETAIL_HUB_ENDING_HPP

#include <ssekit/detail/frame/growing_block.hpp>
#include <ssekit/detail/hub/companions.hpp>
#include <ssekit/detail/hub/object_text.hpp>
#include <ssekit/detail/hub/presence.hpp>
#include <ssekit/detail/hub/resume.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/framing.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/subscribe_options.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// What the last event of a stream calls it.
[[nodiscard]] constexpr std::string_view word_for(stream_end why) noexcept {
    constexpr std::string_view words[] = {"open",    "lagged",        "detached",     "stalled",
                                          "expired", "evicted",       "topic_closed", "closed",
                                          "cut",     "out_of_memory", "replaced"};
    return words[static_cast<std::size_t>(why)];
}

/// \returns the event {"reason":"expired"}, and the last chunk after it where the stream frames
/// chunks: in one frame, so that neither leaves without the other. Empty without memory.
[[nodiscard]] inline frame make_last_words(const hub_options& options, stream_end why,
                                           framing form) noexcept {
    object_text text(options.memory, options.order);
    frame event = text.add("reason", word_for(why)).event(options.end_type).frame;
    if (!event || form == framing::raw) return event;
    growing_block all(options.memory);
    const bool room = all.append(event.chunked()) && all.append("0\r\n\r\n");
    return room ? frame::verbatim(all.wire(), options.memory) : frame();
}

/// Effects: the stream gives out what it has in hand, if its end is not abrupt, and that is all.
inline void end_stream(hub_state& hub, std::uint32_t stream, stream_end why) noexcept {
    subscriber& item = hub.streams[stream];
    const bool counted = item.end() != stream_end::open && item.end() != stream_end::closed;
    item.set_end(why);
    // As long as bytes are under way, the write deadline counts.
    if (item.is_done()) unlink(hub_state::timer_links{&hub}, stream);
    if (!item.reported) leave_rings(hub, stream, item); // else it is in the ready ring, or nowhere
    leave_seats(hub, stream, item);
    if (counted) return;
    switch (why) {
    case stream_end::lagged: ++hub.metrics.lagged; break;
    case stream_end::detached: ++hub.metrics.detached; break;
    case stream_end::stalled: ++hub.metrics.stalled; break;
    case stream_end::expired: ++hub.metrics.expired; break;
    case stream_end::evicted: ++hub.metrics.evicted; break;
    case stream_end::topic_closed: ++hub.metrics.topic_closed; break;
    case stream_end::cut: ++hub.metrics.cut; break;
    case stream_end::replaced: ++hub.metrics.replaced; break;
    default: break;
    }
}

/// Effects: ends it in the middle of what it has in hand.
inline void break_off(hub_state& hub, std::uint32_t stream, stream_end why) noexcept {
    end_stream(hub, stream, why);
    report(hub, stream);
}

[[nodiscard]] inline bool has_events(hub_state& hub, std::uint32_t stream) noexcept {
    subscriber& item = hub.streams[stream];
    bool found = item.has_side &&
                 (!hub.sides.of(stream).values.is_whole() || hub.sides.of(stream).history != 0);
    for_each_reader(hub, item, stream, [&](const event_log& log, std::uint64_t& position) {
        found = found || position != log.end();
    });
    return found || has_new_companion(hub, stream);
}

/// \returns whether all its topics are closed, and read.
[[nodiscard]] inline bool has_closed_topics_only(hub_state& hub, std::uint32_t stream) noexcept {
    if (has_events(hub, stream)) return false;
    bool only = true;
    for_each_seat(hub, hub.streams[stream], stream, [&](std::uint32_t, std::uint32_t topic) {
        const auto& where = hub.topics[topic];
        only = only && (where.closed || where.kind == topic_kind::tag);
    });
    return only;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
