// SPDX-License-Identifier: MIT
//
// How an event gets into the logs: into all of its topics or into none.
#ifndef SSEKIT_DETAIL_HUB_PUBLISHING_HPP
#define SSEKIT_DETAIL_HUB_PUBLISHING_HPP

#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/hub/parting.hpp>
#include <ssekit/detail/hub/seats.hpp>
#include <ssekit/detail/hub/sent.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/detail/text/utf8.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_key.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/topic_list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns the event as a frame with the id that it gets, or why it gets none.
SSEKIT_INLINED [[nodiscard]] inline frame_result encode(hub_state& hub, const event_view& event,
                                                        const frame_label& label) noexcept {
    if (label.removes_key && label.key.empty()) return {frame(), errc::key_is_missing};
    if (const errc code = admit_to_hub(event); code != errc::ok) return {frame(), code};
    event_view numbered = event;
    const event_id_text id(hub.epoch_words, hub.last_offset + 1);
    switch (hub.options.ids) {
    case event_ids::by_sequence: return {frame(), errc::out_of_sequence};
    case event_ids::by_publisher: {
        const errc code = hub.ids.admit(event.id.value_or(std::string_view()));
        if (code != errc::ok) return {frame(), code};
        break;
    }
    case event_ids::by_hub:
        if (event.id) return {frame(), errc::id_is_assigned};
        numbered.id = id.view();
        break;
    case event_ids::none:
        if (event.id) return {frame(), errc::id_is_assigned};
        break;
    }
    return hub.encode(numbered, label);
}

[[nodiscard]] inline frame_label label_of(const topic_list& names, event_key key) noexcept {
    return {names.empty() ? std::string_view() : names[0], key.view(), key.removes()};
}

/// \returns why the topic cannot take the event, with nothing done.
SSEKIT_INLINED [[nodiscard]] inline errc make_room(hub_state& hub, std::uint32_t topic,
                                                   const frame& event) noexcept {
    if (hub.topics[topic].closed) return errc::topic_closed;
    const bool key = !event.label().key.empty();
    return hub.topics.reserve(topic, key, hub.clock.now) ? errc::ok : errc::out_of_memory;
}
[[nodiscard]] inline errc make_room_for_id(hub_state& hub, const frame& event) noexcept {
    const bool own = hub.options.ids == event_ids::by_publisher;
    return !own || hub.ids.reserve(event.id()) ? errc::ok : errc::out_of_memory;
}

inline void published(hub_state& hub, std::uint64_t offset) noexcept {
    hub.last_offset = offset;
    if (hub.options.ids == event_ids::by_publisher) hub.ids.add(offset);
    ++hub.metrics.published;
}

inline void append_to(hub_state& hub, std::uint32_t topic, const frame& event, std::uint64_t offset,
                      bool in_several) noexcept {
    hub.topics.append(topic, event, offset, hub.clock.now, in_several,
                      [&](std::uint32_t told) { report_idle(hub, told); });
}

// Not inlined, so that the usual case, one topic, has the registers.
[[nodiscard, gnu::noinline]] inline publish_result
append_to_several(hub_state& hub, topic_kind kind, const topic_list& names, const frame& event,
                  std::uint64_t offset) noexcept {
    errc code = names.empty() ? errc::invalid_topic : errc::ok;
    const auto for_each_there = [&](auto&& call) {
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (const std::uint32_t topic = hub.topics.find(kind, names[i])) call(topic);
        }
    };
    for (std::size_t i = 0; i < names.size() && code == errc::ok; ++i) {
        std::uint32_t topic = 0;
        code = claim(hub, kind, names[i], topic);
        if (code == errc::ok) code = make_room(hub, topic, event);
    }
    if (code == errc::ok) code = make_room_for_id(hub, event);
    if (code != errc::ok) {
        for_each_there(
            [&](std::uint32_t topic) { hub.topics.forget_if_unused(topic, hub.clock.now); });
        return {0, code};
    }
    for_each_there([&](std::uint32_t topic) { hub.topics.use(topic, hub.clock.now); });
    // One that is named twice, and keeps nothing, is gone when its name comes again.
    for_each_there([&](std::uint32_t topic) { append_to(hub, topic, event, offset, true); });
    published(hub, offset);
    return {offset, errc::ok};
}

/// Effects: the event is in all of the topics, or in none, and none has been made.
SSEKIT_INLINED [[nodiscard]] inline publish_result append(hub_state& hub, topic_kind kind,
                                                          const topic_list& names,
                                                          const frame& event,
                                                          std::uint64_t offset) noexcept {
    if (names.size() != 1) return append_to_several(hub, kind, names, event, offset);
    std::uint32_t topic = 0;
    errc code = obtain(hub, kind, names[0], topic);
    if (code == errc::ok) code = make_room(hub, topic, event);
    if (code == errc::ok) code = make_room_for_id(hub, event);
    if (code != errc::ok) {
        if (topic != 0) hub.topics.forget_if_unused(topic, hub.clock.now);
        return {0, code};
    }
    append_to(hub, topic, event, offset, false);
    published(hub, offset);
    return {offset, errc::ok};
}

[[nodiscard]] inline publish_result publish(hub_state& hub, topic_kind kind,
                                            const topic_list& names, const event_view& event,
                                            event_key key) noexcept {
    if (is_shut(hub, kind, names)) return {0, errc::closed};
    const auto [made, refused] = encode(hub, event, label_of(names, key));
    if (refused != errc::ok) return {0, refused};
    return append(hub, kind, names, made, hub.last_offset + 1);
}

/// Effects: the same with an event that is encoded already.
[[nodiscard]] inline publish_result publish_frame(hub_state& hub, topic_kind kind,
                                                  const topic_list& names, const frame& event,
                                                  event_key key) noexcept {
    if (is_shut(hub, kind, names)) return {0, errc::closed};
    if (!event) return {0, errc::nothing_to_send};
    if (key.removes() && key.view().empty()) return {0, errc::key_is_missing};
    const event_id_text id(hub.epoch_words, hub.last_offset + 1);
    std::optional<std::string_view> given = id.view();
    switch (hub.options.ids) {
    case event_ids::by_sequence: return {0, errc::out_of_sequence};
    case event_ids::by_publisher:
        if (const errc code = hub.ids.admit(event.id()); code != errc::ok) return {0, code};
        given.reset(); // it has its own
        break;
    case event_ids::by_hub: break;
    case event_ids::none:
        if (const errc code = event.may_be_published(false); code != errc::ok) return {0, code};
        given.reset();
        break;
    }
    if (hub.options.utf8 != utf8_policy::pass_through && !is_utf8(event.wire())) {
        return {0, errc::malformed_utf8}; // what is encoded already cannot be replaced
    }
    const auto [made, refused] = event.numbered(given, label_of(names, key), hub.options.memory);
    if (refused != errc::ok) return {0, refused};
    return append(hub, kind, names, made, hub.last_offset + 1);
}

/// Effects: the event is in all topics and patterns that take events, or in none.
[[nodiscard]] inline publish_result append_to_all(hub_state& hub, const frame& event,
                                                  std::uint64_t offset) noexcept {
    const auto for_each_open = [&](auto&& call) {
        for (const topic_kind kind : {topic_kind::name, topic_kind::pattern}) {
            hub.topics.for_each(kind, [&](std::uint32_t topic) {
                if (!hub.topics[topic].closed) call(topic);
            });
        }
    };
    const bool key = !event.label().key.empty();
    bool room = make_room_for_id(hub, event) == errc::ok;
    for_each_open(
        [&](std::uint32_t topic) { room = room && hub.topics.reserve(topic, key, hub.clock.now); });
    if (!room) return {0, errc::out_of_memory};
    for_each_open([&](std::uint32_t topic) {
        hub.topics.append_one_of_all(topic, event, offset, hub.clock.now,
                                     [&](std::uint32_t where) { report_idle(hub, where); });
    });
    hub.topics.forgotten().went_to_all(offset);
    published(hub, offset);
    return {offset, errc::ok};
}

[[nodiscard]] inline publish_result publish_to_all(hub_state& hub, const event_view& event,
                                                   event_key key) noexcept {
    if (hub.closing) return {0, errc::closed};
    const frame_result made = encode(hub, event, label_of({}, key));
    if (made.ec != errc::ok) return {0, made.ec};
    return append_to_all(hub, made.frame, hub.last_offset + 1);
}

/// Effects: an event for this stream alone, after what has been published.
[[nodiscard]] inline errc send(hub_state& hub, std::uint32_t stream,
                               const event_view& event) noexcept {
    if (hub.streams[stream].end() != stream_end::open || is_leaving(hub, stream)) {
        return errc::closed;
    }
    if (event.id) return errc::id_is_assigned;
    if (const errc code = admit_to_hub(event); code != errc::ok) return code;
    frame_result made = hub.encode(event);
    if (made.ec != errc::ok) return made.ec;
    side* const extra = side_of(hub, stream);
    if (extra == nullptr) return errc::out_of_memory;
    if (extra->sent_count >= hub.options.max_sent) return errc::queue_is_full;
    if (!queue(hub, *extra, std::move(made.frame))) return errc::out_of_memory;
    signal(hub, stream);
    return errc::ok;
}

/// Effects: the topic or pattern has bounds of its own.
[[nodiscard]] inline errc keep(hub_state& hub, topic_kind kind, std::string_view name,
                               const retention& bounds) noexcept {
    std::uint32_t found = 0;
    errc code = obtain(hub, kind, name, found);
    if (code == errc::ok) code = hub.topics.keep(found, &bounds, hub.clock.now);
    if (code != errc::ok && found != 0) hub.topics.forget_if_unused(found, hub.clock.now);
    return code;
}
inline void keep_no_more(hub_state& hub, topic_kind kind, std::string_view name) noexcept {
    const std::uint32_t found = hub.topics.find(kind, name);
    // Without memory a pattern's own bounds stay.
    if (found != 0) static_cast<void>(hub.topics.keep(found, nullptr, hub.clock.now));
}

/// Effects: the topic takes no more events, unless it is closed already.
inline void close_found(hub_state& hub, std::uint32_t topic,
                        std::chrono::milliseconds keep_for) noexcept {
    if (hub.topics[topic].closed) return;
    hub.topics.close(topic, hub.clock.now + time_limits::bounded(keep_for), hub.clock.now);
    report_idle(hub, topic);
}

/// Effects: takes no more events for the topic; see hub::close_topic.
[[nodiscard]] inline errc close_topic(hub_state& hub, std::string_view name, const event_view& last,
                                      std::chrono::milliseconds keep_for) noexcept {
    if (is_shut(hub, topic_kind::name, name)) return errc::closed;
    std::uint32_t found = 0;
    if (const errc code = obtain(hub, topic_kind::name, name, found); code != errc::ok) {
        return code;
    }
    if (hub.topics[found].closed) return errc::ok;
    if (last.data) {
        const errc code = publish(hub, topic_kind::name, name, last, {}).ec;
        if (code != errc::ok) {
            found = hub.topics.find(topic_kind::name, name); // publish may have let it go
            if (found != 0) hub.topics.forget_if_unused(found, hub.clock.now);
            return code;
        }
        // What nobody reads and keeps nothing has gone with the event.
        if (obtain(hub, topic_kind::name, name, found) != errc::ok) return errc::ok;
    }
    close_found(hub, found, keep_for);
    return errc::ok;
}

/// Effects: the topic takes events again; see hub::reopen_topic.
[[nodiscard]] inline errc reopen_topic(hub_state& hub, std::string_view name) noexcept {
    if (hub.closing) return errc::closed;
    const std::uint32_t found = hub.topics.find(topic_kind::name, name);
    if (found == 0) return errc::no_such_topic;
    const topic& where = hub.topics[found];
    if (!where.closed) return errc::ok;
    if (hub.clock.now >= where.forget_at) return errc::no_such_topic; // the next tick forgets it
    hub.topics.reopen(found, hub.clock.now);
    return errc::ok;
}

/// Effects: the name is free at once, and the topic's readers end, or go on with their others.
/// \returns whether there was one.
inline bool forget_topic(hub_state& hub, std::string_view name) noexcept {
    const std::uint32_t found = hub.topics.find(topic_kind::name, name);
    if (found == 0) return false;
    const bool read = hub.topics[found].readers != 0;
    hub.topics.forget(found);
    if (read) report_idle(hub, found);
    return true;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
