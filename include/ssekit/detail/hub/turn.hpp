// SPDX-License-Identifier: MIT
//
// What the time brings. Each stream lies in one wheel, at the earliest of what can come due for it:
// its heartbeat, the deadline of what it has in hand, the end of its life. A stream that is looked
// at says when it wants to be looked at next, so nothing is done when bytes leave but to note the
// time.
#ifndef SSEKIT_DETAIL_HUB_TURN_HPP
#define SSEKIT_DETAIL_HUB_TURN_HPP

#include <ssekit/detail/hub/deadlines.hpp>
#include <ssekit/detail/hub/parting.hpp>
#include <ssekit/detail/hub/presence.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/stream.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

[[nodiscard]] inline time_point expiry_of(const hub_state& hub, std::uint32_t stream) noexcept {
    const subscriber& item = hub.streams[stream];
    const time_point own = item.has_side ? hub.sides.of(stream).expires : never;
    const time_point began = hub.clock.exactly(item.connected_at);
    return (std::min)(own, end_of_life(hub.limits, began, item.serial));
}

/// \returns how long the stream may be silent; zero: for ever.
[[nodiscard]] inline time_point::duration silence_of(const hub_state& hub,
                                                     std::uint32_t stream) noexcept {
    const subscriber& item = hub.streams[stream];
    time_point::duration interval = hub.limits.heartbeat;
    if (item.has_side && hub.sides.of(stream).heartbeat.count() >= 0) {
        interval = hub.sides.of(stream).heartbeat;
    }
    return silence(interval, hub.limits.jitter, item.serial, item.last_progress,
                   hub.timers.slot_length());
}

/// Effects: if the hub knows that events are missing, and the stream's topics do not, they tell it.
inline void note_gaps(hub_state& hub, std::uint32_t stream) noexcept {
    for_each_seat(hub, hub.streams[stream], stream, [&](std::uint32_t, std::uint32_t topic) {
        static_cast<void>(hub.topics.note_gap( // without memory the next look tries again
            topic, hub.clock.now, [&](std::uint32_t where) { report_idle(hub, where); }));
    });
}

/// Effects: does what is due for the stream. \returns when to look again.
[[nodiscard]] inline time_point look(hub_state& hub, std::uint32_t stream) noexcept {
    subscriber& item = hub.streams[stream];
    const time_point now = hub.clock.now;
    time_point next = item.end() == stream_end::open ? expiry_of(hub, stream) : never;
    if (next <= now) {
        end_stream(hub, stream, stream_end::expired);
        signal(hub, stream);
        next = never;
    }
    if (item.is_done()) return never;
    if (hub.limits.write.count() > 0) {
        const time_point since =
            item.hand != 0 ? hub.clock.exactly(hub.hands[item.hand].since) : now;
        if (since + hub.limits.write <= now) {
            break_off(hub, stream, stream_end::stalled);
            return never;
        }
        next = (std::min)(next, since + hub.limits.write);
    }
    const time_point::duration patience = silence_of(hub, stream);
    if (patience.count() > 0 && item.end() == stream_end::open) {
        time_point due = hub.clock.exactly(item.last_progress) + patience;
        if (due <= now) {
            note_gaps(hub, stream);
            // What is under way will break the silence, or nothing will. What waits to be read may
            // be unwanted; if an event leaves first, it takes the heartbeat's place.
            if (item.hand == 0) {
                item.heartbeat_due = 1;
                signal(hub, stream);
            }
            due = now + patience;
        }
        next = (std::min)(next, due);
    }
    return next;
}

inline void arm(hub_state& hub, std::uint32_t stream, time_point due) noexcept {
    unlink(hub_state::timer_links{&hub}, stream);
    hub.timers.place(stream, due, hub.clock.now);
}

/// Effects: ends every stream in the middle of what it has in hand.
inline void cut(hub_state& hub) noexcept {
    hub.begin_closing();
    hub.cut_at = never;
    forget_departures(hub);
    hub.streams.for_each([&](std::uint32_t stream) {
        if (!hub.streams[stream].is_done()) break_off(hub, stream, stream_end::cut);
    });
}

inline void tick(hub_state& hub, time_point to) noexcept {
    hub.clock.advance(to);
    const time_point now = hub.clock.now;
    hub.waiting.begin_turn([&](std::uint32_t stream) {
        hub.waiting.leave(stream);
        hub.sides.of(stream).wake();
    });
    hub.timers.expire(now, [&](std::uint32_t stream) {
        if (const time_point next = look(hub, stream); next != never) arm(hub, stream, next);
    });
    hub.waiting.release_held(now, [&](std::uint32_t stream) {
        throttle_window& window = hub.sides.of(stream).throttle;
        if (window.opens > now) return hub.waiting.hold(stream, window.opens, now);
        if (has_events(hub, stream) || has_closed_topics_only(hub, stream) ||
            is_leaving(hub, stream)) {
            return signal(hub, stream);
        }
        leave_closed_topics(hub, stream);
        park(hub, stream, hub.streams[stream]);
    });
    hub.topics.expire(now, [&](std::uint32_t topic) { report_idle(hub, topic); });
    depart_due(hub);
    if (now >= hub.cut_at) cut(hub);
}

[[nodiscard]] inline time_point next_deadline(const hub_state& hub) noexcept {
    return (std::min)({hub.timers.next_deadline(), hub.waiting.next_deadline(hub.clock.now),
                       hub.topics.next_deadline(), hub.leaving.next_deadline(), hub.cut_at});
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
