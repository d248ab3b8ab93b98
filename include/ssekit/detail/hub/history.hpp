// SPDX-License-Identifier: MIT
//
// History from below the ring: a stream whose client has missed more than the hub keeps is fed from
// the log that has it, by whoever reads that. The stream is in the hub from its first moment, with
// its seats, deadlines, heartbeats and limits; what it is fed leaves ahead of the ring.
//
// It goes over to the ring when it has given out all that it was fed, and none of its logs has lost
// anything after that. Its readers find their places in the same moment, so there is none between;
// and while it gives out what it was fed, the ring may move on: it is fed again then, and has not
// lagged. Offsets are dense: where one that is fed does not follow, the log has lost what lies
// between, and the stream tells it in that place.
#ifndef SSEKIT_DETAIL_HUB_HISTORY_HPP
#define SSEKIT_DETAIL_HUB_HISTORY_HPP

#include <ssekit/detail/hub/ahead.hpp>
#include <ssekit/detail/hub/choose.hpp>
#include <ssekit/detail/hub/patterns.hpp>
#include <ssekit/detail/hub/resume.hpp>
#include <ssekit/detail/hub/sent.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/event_sequence.hpp>
#include <ssekit/event_target.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns the stream's record, null where it is not fed.
[[nodiscard]] inline history_feed* history_of(const hub_state& hub, std::uint32_t stream) noexcept {
    const subscriber& item = hub.streams[stream];
    const std::uint32_t feed = item.has_side ? hub.sides.of(stream).history : 0;
    return feed == 0 ? nullptr : &hub.histories[feed];
}
[[nodiscard]] inline bool is_fetching(const hub_state& hub, std::uint32_t stream) noexcept {
    return history_of(hub, stream) != nullptr;
}

/// \returns the largest offset that one of the stream's logs has lost.
[[nodiscard]] inline std::uint64_t lost_to(const hub_state& hub, std::uint32_t stream) noexcept {
    std::uint64_t lost = 0;
    for_each_seat(hub, hub.streams[stream], stream, [&](std::uint32_t, std::uint32_t topic) {
        const event_log& log = hub.topics[topic].log;
        lost = (std::max)({lost, log.lost_through(), log.newest_gap()});
    });
    return lost;
}

/// Effects: the stream reads the ring from now on, or nothing.
inline void forget_history(hub_state& hub, std::uint32_t stream) noexcept {
    history_feed* const feed = history_of(hub, stream);
    if (feed == nullptr) return;
    while (feed->first != 0)
        hub.sent.destroy(std::exchange(feed->first, hub.sent[feed->first].next));
    --hub.metrics.fetching;
    hub.histories.destroy(std::exchange(hub.sides.of(stream).history, 0));
}

/// \returns after which place the stream needs history now, if it does.
[[nodiscard]] inline std::optional<event_place> need_of(const hub_state& hub,
                                                        std::uint32_t stream) noexcept {
    const history_feed* const feed = history_of(hub, stream);
    const bool open = hub.streams[stream].end() == stream_end::open;
    if (feed == nullptr || feed->over || !open || feed->count > hub.options.max_fed / 2 ||
        lost_to(hub, stream) <= feed->through) {
        return std::nullopt;
    }
    return event_place{hub.epoch_number, feed->through};
}

/// Effects: whoever feeds streams is told, once, if this one needs something.
inline void tell_need(hub_state& hub, std::uint32_t stream) noexcept {
    const auto after = need_of(hub, stream);
    if (!after || !hub.options.on_need) return;
    history_feed& feed = *history_of(hub, stream);
    if (std::exchange(feed.asked, true)) return;
    const std::uint64_t serial = hub.streams[stream].serial;
    hub.options.on_need({serial << 32 | stream, *after});
}

/// Effects: the stream is fed what came after the offset. \returns false without memory.
[[nodiscard]] inline bool begin_history(hub_state& hub, std::uint32_t stream,
                                        std::uint64_t seen) noexcept {
    side* const extra = side_of(hub, stream);
    const std::uint32_t made = extra == nullptr ? 0 : hub.histories.make();
    if (made == 0) return false;
    hub.histories[made].through = seen;
    hub.histories[made].stream = stream;
    extra->history = made;
    ++hub.metrics.fetching;
    return true;
}

/// \returns the id of a heartbeat for a stream that has been given all it was fed: of events that
/// it did not want there may have been many.
[[nodiscard]] inline std::optional<event_id_text> id_while_fetching(hub_state& hub,
                                                                    std::uint32_t stream) noexcept {
    const history_feed& feed = *history_of(hub, stream);
    side& extra = hub.sides.of(stream);
    if (feed.first != 0 || feed.through <= extra.told_through) return std::nullopt;
    extra.told_through = feed.through;
    return event_id_text(hub.epoch_words, feed.through);
}

/// \returns whether what goes to the target is for the reader of this topic.
[[nodiscard]] inline bool is_for(const topic& where, const event_target& target) noexcept {
    if (target.kind() == target_kind::all) return where.kind != topic_kind::tag;
    if ((target.kind() == target_kind::tag) != (where.kind == topic_kind::tag)) return false;
    bool found = false;
    for (std::size_t i = 0; i < target.names().size(); ++i) {
        const std::string_view name = target.names()[i];
        found = found || (where.kind == topic_kind::pattern ? matches(where.name(), name)
                                                            : where.name() == name);
    }
    return found;
}

/// \returns whether the stream reads the event: it came to one of its topics, and not before the
/// stream did.
[[nodiscard]] inline bool reads(const hub_state& hub, std::uint32_t stream,
                                const event_target& target, std::uint64_t offset) noexcept {
    bool found = false;
    const auto look = [&](std::uint32_t topic, std::uint64_t position) {
        const auto& where = hub.topics[topic];
        const event_log& log = where.log;
        // Where the log has it no more, nobody knows; what came before was not lost.
        const bool to_come = offset <= log.lost_through() || log.after(offset) > position;
        found = found || (to_come && is_for(where, target));
    };
    const subscriber& item = hub.streams[stream];
    if (item.topic != 0) look(item.topic, item.position);
    for_each_cursor(hub, item, stream, [&](std::uint32_t, const cursor& reader) {
        if (!reader.of_companion) look(reader.topic, reader.position);
    });
    return found;
}

/// Effects: adds the frame to what the stream is fed. \returns false without memory.
[[nodiscard]] inline bool add_history(hub_state& hub, history_feed& feed, const frame& event,
                                      std::uint64_t offset, bool tells_of_gap) noexcept {
    const std::uint32_t item = hub.sent.make(sent_event{event, offset, 0, tells_of_gap});
    if (item == 0) return false;
    (feed.first == 0 ? feed.first : hub.sent[feed.last].next) = item;
    feed.last = item;
    ++feed.count;
    feed.bytes += event.wire().size();
    return true;
}

/// Effects: what comes after the newest that was fed and through this one is not to be had: the
/// stream tells it in its place. \returns false without memory, and nothing has changed.
[[nodiscard]] inline bool add_hole(hub_state& hub, history_feed& feed,
                                   std::uint64_t through) noexcept {
    const event_id_text from(hub.epoch_words, feed.through);
    const event_id_text id(hub.epoch_words, through);
    const frame telling = make_gap(hub.options, word_for(resumption::expired),
                                   {0, from.view(), id.view()}, {.id = id.view()})
                              .frame;
    if (!telling || !add_history(hub, feed, telling, through, true)) return false;
    feed.through = through;
    return true;
}

/// Effects: the stream goes on with what its logs have after what it was fed.
inline void go_over(hub_state& hub, std::uint32_t stream) noexcept {
    const std::uint64_t through = history_of(hub, stream)->through;
    for_each_kept_reader(
        hub, hub.streams[stream], stream,
        [&](const event_log& log, std::uint64_t& at) { at = (std::max)(at, log.after(through)); });
    if (through > hub.last_offset) static_cast<void>(wait_for(hub, stream, through));
    forget_history(hub, stream);
}

/// \returns the next of what the stream was fed, or what was sent to it before that; empty where it
/// has to be fed first, and where it has gone over.
[[nodiscard]] inline frame take_history(hub_state& hub, std::uint32_t stream,
                                        subscriber& item) noexcept {
    history_feed& feed = *history_of(hub, stream);
    side& extra = hub.sides.of(stream);
    const std::uint64_t lost = feed.first == 0 ? lost_to(hub, stream) : 0;
    if (feed.first == 0 && lost > feed.through) {
        if (!feed.over) {
            tell_need(hub, stream);
            return {};
        }
        if (!add_hole(hub, feed, lost)) return {}; // without memory, later
    }
    if (feed.first == 0) {
        go_over(hub, stream);
        return {};
    }
    item.heartbeat_due = 0;
    if (frame sent = take_sent(hub, extra, false, hub.sent[feed.first].after)) return sent;
    sent_event& past = hub.sent[feed.first];
    frame out = std::move(past.frame);
    extra.told_through = past.after;
    if (past.tells_of_gap) {
        ++hub.metrics.gaps;
    } else {
        ++hub.metrics.delivered;
        ++hub.metrics.fed;
        ++item.events;
    }
    --feed.count;
    feed.bytes -= out.wire().size();
    hub.sent.destroy(std::exchange(feed.first, past.next));
    tell_need(hub, stream);
    return out;
}

/// \returns the record of a stream that may be fed now, or why there is none.
[[nodiscard]] inline errc may_feed(const hub_state& hub, std::uint32_t stream,
                                   history_feed*& feed) noexcept {
    if (stream == 0 || hub.streams[stream].end() != stream_end::open) return errc::closed;
    feed = history_of(hub, stream);
    return feed == nullptr || feed->over ? errc::out_of_sequence : errc::ok;
}

/// Effects: the owner is told, if there is something to give out, or the stream goes over.
inline void has_been_fed(hub_state& hub, std::uint32_t stream, const history_feed& feed) noexcept {
    if (feed.first != 0 || lost_to(hub, stream) <= feed.through) return signal(hub, stream);
    tell_need(hub, stream);
}

/// Effects: see subscription::feed.
[[nodiscard]] inline errc feed(hub_state& hub, std::uint32_t stream, const event_target& target,
                               const sequenced_event& event) noexcept {
    history_feed* feed = nullptr;
    if (const errc code = may_feed(hub, stream, feed); code != errc::ok) return code;
    if (event.ec != errc::ok) return event.ec;
    if (event.epoch != hub.epoch_number || event.offset <= feed->through) {
        return errc::out_of_sequence;
    }
    const std::size_t size = event.frame ? event.frame.wire().size() : 0;
    const bool wanted = event.frame && reads(hub, stream, target, event.offset);
    const bool full = feed->count >= hub.options.max_fed ||
                      (feed->count != 0 && feed->bytes + size > hub.options.max_fed_bytes);
    if (wanted && full) return errc::queue_is_full;
    feed->asked = false;
    if (event.offset != feed->through + 1 && !add_hole(hub, *feed, event.offset - 1)) {
        return errc::out_of_memory;
    }
    if (wanted && !wants(hub.sides.of(stream).filter, event.frame, event.offset)) {
        ++hub.metrics.filtered;
    } else if (wanted && !add_history(hub, *feed, event.frame, event.offset, false)) {
        return errc::out_of_memory;
    }
    feed->through = event.offset;
    has_been_fed(hub, stream, *feed);
    return errc::ok;
}

/// Effects: see subscription::feed_through.
[[nodiscard]] inline errc feed_through(hub_state& hub, std::uint32_t stream,
                                       const event_place& through) noexcept {
    history_feed* feed = nullptr;
    if (const errc code = may_feed(hub, stream, feed); code != errc::ok) return code;
    if (through.epoch != hub.epoch_number || through.offset < feed->through) {
        return errc::out_of_sequence;
    }
    feed->asked = false;
    feed->through = through.offset;
    has_been_fed(hub, stream, *feed);
    return errc::ok;
}

/// Effects: see subscription::feed_no_more.
[[nodiscard]] inline errc feed_no_more(hub_state& hub, std::uint32_t stream) noexcept {
    history_feed* feed = nullptr;
    if (const errc code = may_feed(hub, stream, feed); code != errc::ok) return code;
    feed->over = true;
    signal(hub, stream);
    return errc::ok;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
