// SPDX-License-Identifier: MIT
//
// A hub seen from above: its streams and topics, one by one and in numbers.
#ifndef SSEKIT_DETAIL_HUB_VIEW_HPP
#define SSEKIT_DETAIL_HUB_VIEW_HPP

#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/stream.hpp>
#include <ssekit/hub_metrics.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/topic_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// An id that is never given twice: the serial number, and where the stream is.
[[nodiscard]] inline std::uint64_t public_id(const hub_state& hub, std::uint32_t stream) noexcept {
    return std::uint64_t{hub.streams[stream].serial} << 32 | stream;
}

/// \returns the stream's number, 0 when it has gone.
[[nodiscard]] inline std::uint32_t find_stream(const hub_state& hub, std::uint64_t id) noexcept {
    const auto stream = static_cast<std::uint32_t>(id);
    if (stream == 0 || !hub.streams.contains(stream)) return 0;
    return public_id(hub, stream) == id ? stream : 0;
}

[[nodiscard]] inline bool is_open(const hub_state& hub, std::uint64_t id) noexcept {
    const std::uint32_t stream = find_stream(hub, id);
    return stream != 0 && hub.streams[stream].end() == stream_end::open;
}

[[nodiscard]] inline subscriber_info info(const hub_state& hub, std::uint32_t stream) noexcept {
    const subscriber& item = hub.streams[stream];
    subscriber_info out{};
    out.id = public_id(hub, stream);
    out.user = item.user;
    if (item.topic != 0) out.topic = hub.topics[item.topic].name();
    if (item.has_side && hub.sides.of(stream).tag != 0) {
        out.tag = hub.topics[hub.sides.of(stream).tag].name();
    }
    out.connected_at = hub.clock.exactly(item.connected_at);
    out.last_progress = hub.clock.exactly(item.last_progress);
    out.last_write = out.last_progress;
    if (item.hand != 0) {
        out.last_write = (std::max)(out.last_write, hub.clock.exactly(hub.hands[item.hand].since));
    }
    out.bytes = item.bytes();
    out.events = item.events;
    const auto lag = [&](const event_log& log, std::uint64_t position) {
        out.lag_events += log.end() - position;
        out.lag_bytes += log.bytes_from((std::max)(position, log.begin()));
    };
    if (item.topic != 0) lag(hub.topics[item.topic].log, item.position);
    for_each_cursor(hub, item, stream, [&](std::uint32_t, const cursor& reader) {
        lag(hub.topics[reader.topic].log, reader.position);
    });
    out.end = item.end();
    return out;
}

[[nodiscard]] inline topic_info info_of_topic(const hub_state& hub, std::uint32_t item) noexcept {
    const auto& self = hub.topics[item];
    return {self.name(),      self.readers,      self.log.size(),
            self.log.bytes(), self.log.values(), self.kind == topic_kind::pattern,
            self.closed};
}

/// \returns a topic, or else a pattern, of this name; 0 when there is neither.
[[nodiscard]] inline std::uint32_t find_readable(const hub_state& hub,
                                                 std::string_view name) noexcept {
    const std::uint32_t found = hub.topics.find(topic_kind::name, name);
    return found != 0 ? found : hub.topics.find(topic_kind::pattern, name);
}

/// \returns what a topic, or else a pattern, of this name is; its `name` is the one given.
[[nodiscard]] inline std::optional<topic_info> find_topic(const hub_state& hub,
                                                          std::string_view name) noexcept {
    const std::uint32_t found = find_readable(hub, name);
    if (found == 0) return std::nullopt;
    topic_info shown = info_of_topic(hub, found);
    shown.name = name;
    return shown;
}

[[nodiscard]] inline topic_room room_in(const hub_state& hub, std::string_view name) noexcept {
    const std::uint32_t found = find_readable(hub, name);
    if (found != 0) {
        const event_log& log = hub.topics[found].log;
        return {log.room_for_events(), log.room_for_bytes()};
    }
    const event_log none(hub.options.keep);
    return {none.room_for_events(), none.room_for_bytes()};
}

/// Effects: ends a stream, after what has been given out. \returns whether it was open.
[[nodiscard]] inline bool evict(hub_state& hub, std::uint64_t id) noexcept {
    if (!is_open(hub, id)) return false;
    const std::uint32_t stream = find_stream(hub, id);
    end_stream(hub, stream, stream_end::evicted);
    signal(hub, stream);
    return true;
}

/// Effects: `call(stream)` for each open stream with the tag; it may evict any stream.
template <class Call>
void for_each_tagged(const hub_state& hub, std::string_view tag, Call&& call) {
    // The ring is in the order of joining, so a serial number is a place in it even if the reader
    // that was there has gone.
    const auto next_after = [&](std::uint32_t at, std::uint32_t ring) {
        const std::uint32_t next = hub.cursors[at].tagged.next;
        return next == (hub_state::tag_head | ring) ? 0 : next;
    };
    const std::uint32_t first = hub.topics.find(topic_kind::tag, tag);
    if (first == 0) return;
    std::uint32_t at = hub.topics[first].tagged.next;
    while (at != 0) {
        const std::uint32_t stream = hub.cursors[at].owner;
        const std::uint32_t next = next_after(at, first);
        const std::uint64_t next_id = next == 0 ? 0 : public_id(hub, hub.cursors[next].owner);
        call(stream);
        at = next;
        if (next == 0 || is_open(hub, next_id)) continue;
        // The call has ended the next one: the first that joined after it, if any, is where to go
        // on.
        const std::uint32_t ring = hub.topics.find(topic_kind::tag, tag);
        if (ring == 0) return;
        const auto joined_after = [&](std::uint32_t reader) {
            const std::uint32_t serial = hub.streams[hub.cursors[reader].owner].serial;
            return static_cast<std::int32_t>(serial - static_cast<std::uint32_t>(next_id >> 32)) >
                   0;
        };
        at = hub.topics[ring].tagged.next;
        while (at != 0 && !joined_after(at)) at = next_after(at, ring);
    }
}

/// \returns the id to go on with for whoever knows what these topics have brought.
[[nodiscard]] inline wire_id cursor_for(const hub_state& hub, const topic_list& names) noexcept {
    std::uint64_t own = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::uint32_t found = hub.topics.find(topic_kind::name, names[i]);
        if (found != 0) own = (std::max)(own, hub.topics[found].log.newest_offset());
    }
    return wire_id::newest(hub, own);
}

[[nodiscard]] inline hub_metrics metrics(const hub_state& hub) noexcept {
    hub_metrics result = hub.metrics;
    result.subscribers = hub.open_streams;
    result.newest_offset = hub.last_offset;
    result.topics = hub.topics.size(topic_kind::name) + hub.topics.size(topic_kind::pattern);
    result.tags = hub.topics.size(topic_kind::tag);
    result.log_bytes = hub.topics.log_bytes();
    result.values = hub.topics.values().kept;
    result.values_gone = hub.topics.values().gone;
    result.topics_made_way = hub.topics.places().made_way();
    result.topics_timed_out = hub.topics.places().timed_out();
    return result;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
