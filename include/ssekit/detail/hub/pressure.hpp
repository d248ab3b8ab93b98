// SPDX-License-Identifier: MIT
//
// How near a topic's readers are to losing something. A reader is a position in a log, so how far
// it is behind is a subtraction, and what it would lose by one event more lies between where it may
// read on now and where it might then.
//
// A topic does not know its readers, so these questions walk over all streams: they cost who asks
// them, and nobody else.
#ifndef SSEKIT_DETAIL_HUB_PRESSURE_HPP
#define SSEKIT_DETAIL_HUB_PRESSURE_HPP

#include <ssekit/detail/hub/choose.hpp>
#include <ssekit/detail/hub/merge.hpp>
#include <ssekit/detail/hub/patterns.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/view.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/topic_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

[[nodiscard]] inline std::uint64_t position_of(const hub_state& hub,
                                               std::uint32_t reader) noexcept {
    return (reader & cursor_bit) == 0 ? hub.streams[reader].position
                                      : hub.cursors[reader & ~cursor_bit].position;
}

/// Effects: `call(const reader_lag&)` for each reader of the topic, or else pattern, of this name.
template <class Call>
void for_each_reader_of(const hub_state& hub, std::string_view name, Call&& call) {
    const std::uint32_t topic = find_readable(hub, name);
    if (topic == 0) return;
    const event_log& log = hub.topics[topic].log;
    hub.streams.for_each([&](std::uint32_t stream) {
        bool reads = false;
        std::uint64_t position = 0;
        for_each_seat(hub, hub.streams[stream], stream,
                      [&](std::uint32_t reader, std::uint32_t where) {
                          if (where != topic) return;
                          reads = true;
                          position = position_of(hub, reader);
                      });
        if (!reads) return; // the call may end the stream, so it comes after the walk
        const reader_lag shown{public_id(hub, stream), hub.streams[stream].user,
                               log.end() - position,
                               log.bytes_from((std::max)(position, log.begin()))};
        call(shown);
    });
}

/// \returns the reader that is furthest behind; nullopt where there is none.
[[nodiscard]] inline std::optional<reader_lag> slowest_reader(const hub_state& hub,
                                                              std::string_view name) noexcept {
    std::optional<reader_lag> slowest;
    for_each_reader_of(hub, name, [&](const reader_lag& reader) {
        if (!slowest || reader.events > slowest->events) slowest = reader;
    });
    return slowest;
}

/// Whether an event that is published to these names gets into the log.
[[nodiscard]] inline bool gets_into(const topic& where, const topic_list& names) noexcept {
    if (!where.has_name || where.kind == topic_kind::tag) return false;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const bool same = where.kind == topic_kind::name ? where.name() == names[i]
                                                         : matches(where.name(), names[i]);
        if (same) return true;
    }
    return false;
}

/// Whether the stream would lose an event that it can still get, see hub::would_lag.
[[nodiscard]] inline bool would_lose(const hub_state& hub, std::uint32_t stream,
                                     const topic_list& names, std::size_t bytes) noexcept {
    subscriber& item = hub.streams[stream];
    const side* const extra = item.has_side ? &hub.sides.of(stream) : nullptr;
    const lag_limit limit = extra != nullptr ? extra->lag : lag_limit();
    const throttle_window throttle = extra != nullptr ? extra->throttle : throttle_window();
    const event_filter filter = extra != nullptr ? extra->filter : event_filter();
    const bool newest_only = throttle.is_set() || item.on_lag() == lag_policy::coalesce;
    const time_point now = hub.clock.now;
    const auto counts = [&](const event_log& log, std::uint64_t position) {
        return wants(filter, log[position]) && !(newest_only && is_replaced(log, position, filter));
    };
    const auto first_now = [&](const event_log& log, std::uint64_t position) {
        // Another hub of the sequence has brought these.
        if (extra != nullptr && extra->seen != 0) {
            position = (std::max)(position, log.after(extra->seen));
        }
        return position == log.end() ? position
                                     : within_bounds(log, position, limit, throttle, now);
    };
    const auto first_then = [&](const topic& where, std::uint64_t position) {
        const std::uint64_t from = first_now(where.log, position);
        if (from == where.log.end() || !gets_into(where, names)) return from;
        return within_bounds(where.log, from, limit, throttle, now,
                             log_reach(where.log, bytes, now));
    };
    const auto each_then = [&](auto&& call) {
        for_each_seat(hub, item, stream, [&](std::uint32_t reader, std::uint32_t at) {
            const topic& where = hub.topics[at];
            std::uint64_t position = first_then(where, position_of(hub, reader));
            call(where.log, position);
        });
    };
    bool loses = false;
    for_each_seat(hub, item, stream, [&](std::uint32_t reader, std::uint32_t at) {
        const topic& where = hub.topics[at];
        const std::uint64_t position = position_of(hub, reader);
        if (loses || position == where.log.end()) return;
        std::uint64_t from = first_now(where.log, position);
        const next_item hole{&where.log, &from, first_then(where, position)};
        if (hole.target == from) return;
        const std::uint64_t added_after = extra != nullptr ? extra->added_after : 0;
        loses = missing_in(hole, each_then, {}, added_after, counts).events != 0;
    });
    return loses;
}

/// \returns how many streams would; 0 where the event would be refused.
[[nodiscard]] inline std::size_t would_lag(const hub_state& hub, const topic_list& names,
                                           std::size_t bytes) noexcept {
    if (hub.closing) return 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::uint32_t found = hub.topics.find(topic_kind::name, names[i]);
        if (found != 0 && hub.topics[found].closed) return 0;
    }
    // More than any log has room for, and little enough to be added to what there has ever been.
    bytes = (std::min)(bytes, (std::numeric_limits<std::size_t>::max)() / 2);
    std::size_t count = 0;
    hub.streams.for_each([&](std::uint32_t stream) {
        if (would_lose(hub, stream, names, bytes)) ++count;
    });
    return count;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
