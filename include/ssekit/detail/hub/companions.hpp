// SPDX-License-Identifier: MIT
//
// Events that are not kept, seen from the streams. They are in the log of their topic's companion,
// and a stream reads it by a cursor more, so they are merged with all else in the order of
// publishing.
//
// Publishing knows no streams: it makes a companion, and each stream finds it when it is next
// looked at. Companions are numbered as they are made. So a stream that has its cursors at all that
// were made up to one looks no further until there is a newer one, and that it reads from the
// beginning: it was there before. A stream that comes to a topic later begins at the end, because
// nothing is replayed.
//
// What goes before a stream has read it is no loss to be told of, only counted.
#ifndef SSEKIT_DETAIL_HUB_COMPANIONS_HPP
#define SSEKIT_DETAIL_HUB_COMPANIONS_HPP

#include <ssekit/detail/hub/choose.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/subscriber.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/time.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: the stream reads the companion, from the position on. \returns false without memory.
[[nodiscard]] inline bool read_companion(hub_state& hub, std::uint32_t stream,
                                         std::uint32_t companion, std::uint64_t from) noexcept {
    side* const extra = side_of(hub, stream);
    const std::uint32_t at = extra == nullptr ? 0 : hub.cursors.make();
    if (at == 0) return false;
    cursor& made = hub.cursors[at];
    made.queue = {at | cursor_bit, at | cursor_bit};
    made.tagged = {at, at};
    made.topic = companion;
    made.owner = stream;
    made.of_companion = true;
    made.position = from;
    made.next = std::exchange(extra->cursors, at);
    hub.topics.add_reader(companion);
    return true;
}

/// Effects: it reads it no more, if it does.
inline void leave_companion(hub_state& hub, std::uint32_t stream,
                            std::uint32_t companion) noexcept {
    if (companion == 0) return;
    std::uint32_t* to = &hub.sides.of(stream).cursors;
    while (*to != 0 && hub.cursors[*to].topic != companion) to = &hub.cursors[*to].next;
    if (*to == 0) return;
    const std::uint32_t gone = std::exchange(*to, hub.cursors[*to].next);
    hub.cursors.destroy(gone);
    hub.topics.remove_reader(companion, hub.clock.now);
}

/// Effects: `call(companion)` for each of the stream's topics that has one which the stream has not
/// found yet.
template <class Call>
void for_each_new_companion(hub_state& hub, std::uint32_t stream, Call&& call) noexcept {
    const subscriber& item = hub.streams[stream];
    const std::uint64_t found = item.has_side ? hub.sides.of(stream).companions : 0;
    if (found == hub.topics.companions_made()) return;
    for_each_seat(hub, item, stream, [&](std::uint32_t, std::uint32_t topic) {
        const std::uint32_t companion = hub.topics[topic].companion;
        if (companion != 0 && hub.topics[companion].made_as > found) call(companion);
    });
}
[[nodiscard]] inline bool has_new_companion(hub_state& hub, std::uint32_t stream) noexcept {
    bool found = false;
    for_each_new_companion(hub, stream, [&](std::uint32_t) { found = true; });
    return found;
}

/// Effects: the stream reads the companions of all its topics.
/// \returns false without memory, with nothing changed.
[[nodiscard]] inline bool read_companions(hub_state& hub, std::uint32_t stream) noexcept {
    const subscriber& item = hub.streams[stream];
    const std::uint32_t old = item.has_side ? hub.sides.of(stream).cursors : 0;
    bool whole = true;
    for_each_new_companion(hub, stream, [&](std::uint32_t companion) {
        whole = whole && read_companion(hub, stream, companion, 0);
    });
    if (!item.has_side) return whole;
    side& extra = hub.sides.of(stream);
    if (whole) extra.companions = hub.topics.companions_made();
    // New cursors stand at the front of the chain.
    while (!whole && extra.cursors != old) {
        leave_companion(hub, stream, hub.cursors[extra.cursors].topic);
    }
    return whole;
}

/// Effects: `call(log, position)` for each companion that the stream reads.
template <class Call>
void for_each_companion(hub_state& hub, std::uint32_t stream, Call&& call) noexcept {
    for_each_cursor(hub, hub.streams[stream], stream, [&](std::uint32_t, cursor& reader) {
        if (reader.of_companion) call(hub.topics[reader.topic].log, reader.position);
    });
}

/// \returns whether it is all read. Preconditions: the stream has a side record.
[[nodiscard]] inline bool has_read_companion(hub_state& hub, std::uint32_t stream,
                                             std::uint32_t companion) noexcept {
    if (companion == 0) return true;
    const event_log& asked = hub.topics[companion].log;
    bool read = false;
    for_each_companion(hub, stream, [&](const event_log& log, std::uint64_t position) {
        if (&log == &asked) read = position == log.end();
    });
    return read;
}

/// Effects: the stream goes on after what it can no longer get, which is counted: what has gone,
/// what is out of its bounds, and what is too old.
inline void pass_lost(hub_state& hub, std::uint32_t stream) noexcept {
    const time_point now = hub.clock.now;
    for_each_companion(hub, stream, [&](const event_log& log, std::uint64_t& position) {
        if (position == log.end()) return;
        const side& extra = hub.sides.of(stream);
        std::uint64_t next = within_bounds(log, position, extra.lag, extra.throttle, now);
        const std::chrono::milliseconds most = log.bounds().age;
        const auto is_old = [&](const event_log::entry& event) {
            return most.count() > 0 && now - event.published >= most;
        };
        while (next != log.end() && is_old(log[next])) ++next;
        hub.metrics.transient_lost += next - position;
        position = next;
    });
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
