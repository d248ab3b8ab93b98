// SPDX-License-Identifier: MIT
//
// A stream has a seat, that is a reader, at each of its topics. Its first reader is part of its
// record, the others are cursors. Seats count at the topics from the moment when the stream has
// begun until it ends, so that an ended stream takes no place. At the companion of a topic it has a
// reader besides, which is no seat; see companions.hpp.
#ifndef SSEKIT_DETAIL_HUB_SEATS_HPP
#define SSEKIT_DETAIL_HUB_SEATS_HPP

#include <ssekit/detail/hub/companions.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/topic_list.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

inline void make_rings(hub_state& hub, std::uint32_t topic) noexcept {
    hub.waiting.add_topic(topic);
    hub.topics[topic].tagged = {hub_state::tag_head | topic, hub_state::tag_head | topic};
}

/// \returns the topic's number, made if there is none; its rings are ready.
[[nodiscard]] inline errc obtain(hub_state& hub, topic_kind kind, std::string_view name,
                                 std::uint32_t& found) noexcept {
    found = hub.topics.find(kind, name);
    if (found != 0) return errc::ok;
    const errc code = hub.topics.obtain(kind, name, found, hub.clock.now);
    if (code == errc::ok) make_rings(hub, found);
    return code;
}

/// \returns the same for a call that names several: none of them goes for another one.
[[nodiscard]] inline errc claim(hub_state& hub, topic_kind kind, std::string_view name,
                                std::uint32_t& found) noexcept {
    const bool there = hub.topics.find(kind, name) != 0;
    const errc code = hub.topics.claim(kind, name, found, hub.clock.now);
    if (!there && found != 0) make_rings(hub, found);
    return code;
}

/// Effects: what may go goes, as far as a call has made more topics or tags than there may be.
inline void make_way(hub_state& hub) noexcept {
    hub.topics.make_way(topic_kind::name);
    hub.topics.make_way(topic_kind::tag);
}

/// \returns whether the stream has a reader at the topic.
[[nodiscard]] inline bool is_reading(hub_state& hub, std::uint32_t stream,
                                     std::uint32_t where) noexcept {
    bool found = false;
    for_each_seat(hub, hub.streams[stream], stream,
                  [&](std::uint32_t, std::uint32_t topic) { found = found || topic == where; });
    return found;
}

/// Effects: one more reader at the topic.
inline void sit_down(hub_state& hub, std::uint32_t reader, std::uint32_t where) noexcept {
    if (hub.topics[where].kind == topic_kind::tag) {
        const std::uint32_t at = reader & ~cursor_bit; // a tag is never the first topic
        link_back(hub_state::tag_links{&hub}, hub_state::tag_head | where, at);
    }
    hub.topics.add_reader(where);
}

/// Effects: one reader fewer. The topic may be forgotten.
inline void stand_up(hub_state& hub, std::uint32_t reader, std::uint32_t where) noexcept {
    hub.waiting.leave(reader);
    if (hub.topics[where].kind == topic_kind::tag) {
        unlink(hub_state::tag_links{&hub}, reader & ~cursor_bit);
    }
    hub.topics.remove_reader(where, hub.clock.now);
}

/// Effects: the stream reads nothing any more.
inline void stand_up(hub_state& hub, std::uint32_t stream) noexcept {
    subscriber& item = hub.streams[stream];
    const bool seated = item.seated;
    const auto free_seat = [&](std::uint32_t at) {
        const cursor& reader = hub.cursors[at];
        if (seated || reader.of_companion) return stand_up(hub, at | cursor_bit, reader.topic);
        hub.topics.forget_if_unused(reader.topic, hub.clock.now);
    };
    if (item.topic != 0) {
        // Its link stays where it is: the stream may be ready, to be told that it has ended.
        const std::uint32_t where = std::exchange(item.topic, 0);
        if (seated) hub.topics.remove_reader(where, hub.clock.now);
        if (!seated) hub.topics.forget_if_unused(where, hub.clock.now);
    }
    if (item.has_side) {
        side& extra = hub.sides.of(stream);
        extra.tag = 0;
        for (std::uint32_t at = std::exchange(extra.cursors, 0); at != 0;) {
            free_seat(at);
            hub.cursors.destroy(std::exchange(at, hub.cursors[at].next));
        }
    }
    if (seated) --hub.open_streams;
    item.seated = 0;
}

/// Effects: a reader at the end of the topic's log, which does not count yet, and one at the end of
/// its companion's, if it has one.
/// Preconditions: the stream reads the companions of its topics: read_companions().
/// \param leaving a stream that gives up its places for this one; 0 for none
/// \returns errc::ok, topic_is_full, tag_is_full, out_of_memory.
[[nodiscard]] inline errc read(hub_state& hub, std::uint32_t stream, std::uint32_t where,
                               std::uint32_t leaving) noexcept {
    topic& owner = hub.topics[where];
    const bool tag = owner.kind == topic_kind::tag;
    const std::size_t most =
        tag ? hub.options.max_subscribers_per_tag : hub.options.max_subscribers_per_topic;
    if (owner.readers >= most && (leaving == 0 || !is_reading(hub, leaving, where))) {
        return tag ? errc::tag_is_full : errc::topic_is_full;
    }
    if (!hub.topics.note_gap(where, hub.clock.now,
                             [&](std::uint32_t topic) { report_idle(hub, topic); })) {
        return errc::out_of_memory;
    }
    if (hub.options.by_interest && owner.readers == 0) {
        owner.log.set_lost_through(hub.last_offset); // or may be: it was not read
    }
    if (owner.companion != 0) {
        const std::uint64_t end = hub.topics[owner.companion].log.end();
        if (!read_companion(hub, stream, owner.companion, end)) return errc::out_of_memory;
        hub.sides.of(stream).companions = hub.topics.companions_made();
    }
    subscriber& item = hub.streams[stream];
    if (item.topic == 0) {
        item.topic = where;
        item.position = owner.log.end();
        return errc::ok;
    }
    side* const extra = side_of(hub, stream);
    const std::uint32_t at = extra == nullptr ? 0 : hub.cursors.make();
    if (at == 0) {
        leave_companion(hub, stream, owner.companion);
        return errc::out_of_memory;
    }
    cursor& made = hub.cursors[at];
    made.queue = {at | cursor_bit, at | cursor_bit};
    made.tagged = {at, at};
    made.topic = where;
    made.owner = stream;
    made.position = owner.log.end();
    made.next = std::exchange(extra->cursors, at);
    return errc::ok;
}

/// Effects: a reader for each topic that the stream does not read yet.
[[nodiscard]] inline errc read_all(hub_state& hub, std::uint32_t stream, topic_kind kind,
                                   const topic_list& names, std::uint32_t leaving = 0) noexcept {
    if (names.size() > hub.options.max_topics) return errc::too_many_topics;
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::uint32_t where = 0;
        if (const errc code = claim(hub, kind, names[i], where); code != errc::ok) return code;
        if (is_reading(hub, stream, where)) continue;
        if (const errc code = read(hub, stream, where, leaving); code != errc::ok) {
            hub.topics.forget_if_unused(where, hub.clock.now);
            return code;
        }
    }
    return errc::ok;
}

/// Effects: the stream stops reading this topic.
/// \returns false, with nothing changed, when it reads nothing else, except perhaps its tag.
inline bool stop_reading(hub_state& hub, std::uint32_t stream, std::uint32_t where) noexcept {
    subscriber& item = hub.streams[stream];
    const bool first = item.topic == where;
    if (!item.has_side) return !first;
    const auto is_further = [&](std::uint32_t at) {
        const topic_kind kind = hub.topics[hub.cursors[at].topic].kind;
        return kind == topic_kind::name || kind == topic_kind::pattern;
    };
    side& extra = hub.sides.of(stream);
    // The first reader is the stream itself: it takes the place of the oldest cursor.
    std::uint32_t* to = nullptr;
    for (std::uint32_t* at = &extra.cursors; *at != 0; at = &hub.cursors[*at].next) {
        if (first ? is_further(*at) : hub.cursors[*at].topic == where) to = at;
    }
    if (to == nullptr) return !first;
    const std::uint32_t gone = *to;
    cursor& further = hub.cursors[gone];
    if (first) {
        if (!item.reported) hub.waiting.leave(stream);
        item.topic = std::exchange(further.topic, where);
        item.position = further.position;
        if (further.after_snapshot) extra.values = {}; // so are all that are left
    }
    *to = further.next;
    leave_companion(hub, stream, hub.topics[where].companion);
    stand_up(hub, gone | cursor_bit, where);
    hub.cursors.destroy(gone);
    return true;
}

/// Effects: the stream stops reading topics that are closed for good and that it has read to the
/// end, if it has others. As long as a topic has its name it may be opened again.
inline void leave_closed_topics(hub_state& hub, std::uint32_t stream) noexcept {
    for (;;) {
        std::uint32_t over = 0;
        subscriber& item = hub.streams[stream];
        const auto look = [&](std::uint32_t topic, std::uint64_t position) {
            const auto& where = hub.topics[topic];
            if (!where.has_name && position == where.log.end() &&
                has_read_companion(hub, stream, where.companion)) {
                over = topic;
            }
        };
        if (item.topic != 0) look(item.topic, item.position);
        for_each_cursor(hub, item, stream, [&](std::uint32_t, const cursor& reader) {
            if (!reader.of_companion) look(reader.topic, reader.position);
        });
        if (over == 0 || !stop_reading(hub, stream, over)) return;
    }
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
