// SPDX-License-Identifier: MIT
//
// Which owners are told that there is something to read, and which readers wait. A reported stream
// waits nowhere but in the ready ring; one that has given out everything waits at all its topics,
// and each of them may wake it. Streams without waker and user are never reported and wait nowhere.
#ifndef SSEKIT_DETAIL_HUB_WAITING_HPP
#define SSEKIT_DETAIL_HUB_WAITING_HPP

#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/hub/state.hpp>

#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

[[nodiscard]] inline std::uint32_t stream_of(const hub_state& hub, std::uint32_t reader) noexcept {
    return (reader & cursor_bit) == 0 ? reader : hub.cursors[reader & ~cursor_bit].owner;
}

SSEKIT_INLINED [[nodiscard]] inline bool has_waker(const hub_state& hub, const subscriber& item,
                                                   std::uint32_t stream) noexcept {
    return item.has_side && hub.sides.of(stream).wake;
}

inline void leave_with_cursors(hub_state& hub, std::uint32_t stream) noexcept {
    for_each_cursor(hub, hub.streams[stream], stream,
                    [&](std::uint32_t at, const cursor&) { hub.waiting.leave(at | cursor_bit); });
}
SSEKIT_INLINED inline void leave_rings(hub_state& hub, std::uint32_t stream,
                                       const subscriber& item) noexcept {
    hub.waiting.leave(stream);
    if (item.has_side) leave_with_cursors(hub, stream);
}

/// Effects: tells the owner, now.
inline void report(hub_state& hub, std::uint32_t stream) noexcept {
    subscriber& item = hub.streams[stream];
    item.reported = 1;
    leave_rings(hub, stream, item);
    if (has_waker(hub, item, stream)) return hub.sides.of(stream).wake();
    if (item.user != nullptr) hub.waiting.wait_ready(stream);
}

/// Effects: tells the owner if it has not been told since the stream was idle.
inline void signal(hub_state& hub, std::uint32_t stream) noexcept {
    if (!hub.streams[stream].reported) report(hub, stream);
}

inline void report_next_turn(hub_state& hub, std::uint32_t stream) noexcept {
    subscriber& item = hub.streams[stream];
    item.reported = 1;
    leave_rings(hub, stream, item);
    const bool wakes = has_waker(hub, item, stream);
    if (wakes || item.user != nullptr) hub.waiting.wait_next_turn(stream, wakes);
}

/// Effects: tells the owners of the streams that are idle at the topic.
inline void report_idle(hub_state& hub, std::uint32_t topic) noexcept {
    hub.waiting.wake_idle(topic, [&](std::uint32_t reader) {
        hub.waiting.leave(reader);
        signal(hub, stream_of(hub, reader));
    });
}

inline void park_with_cursors(hub_state& hub, std::uint32_t stream,
                              const subscriber& item) noexcept {
    const bool wakes = has_waker(hub, item, stream);
    if (!wakes && item.user == nullptr) return;
    for_each_seat(hub, item, stream, [&](std::uint32_t reader, std::uint32_t topic) {
        hub.waiting.leave(reader);
        hub.waiting.wait_idle(reader, topic, wakes);
    });
}

/// Effects: the stream is idle until one of its topics gets an event.
SSEKIT_INLINED inline void park(hub_state& hub, std::uint32_t stream, subscriber& item) noexcept {
    item.reported = 0;
    if (item.has_side) return park_with_cursors(hub, stream, item);
    if (item.user == nullptr || item.topic == 0) return;
    hub.waiting.leave(stream);
    hub.waiting.wait_idle(stream, item.topic, false);
}

/// Effects: the stream is idle until its throttle opens. What is published meanwhile is held back.
inline void hold(hub_state& hub, std::uint32_t stream, subscriber& item) noexcept {
    item.reported = 0;
    leave_rings(hub, stream, item);
    hub.waiting.hold(stream, hub.sides.of(stream).throttle.opens, hub.clock.now);
}

/// \returns the user of the first stream that is ready, which is not ready then; null for none.
[[nodiscard]] inline void* next_ready(hub_state& hub) noexcept {
    const std::uint32_t reader = hub.waiting.first_ready();
    if (reader == 0) return nullptr;
    const std::uint32_t stream = stream_of(hub, reader);
    subscriber& item = hub.streams[stream];
    item.reported = 1;
    leave_rings(hub, stream, item);
    return item.user;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
