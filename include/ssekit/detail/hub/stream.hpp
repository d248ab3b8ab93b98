// SPDX-License-Identifier: MIT
//
// What a stream gives out next. It is asked only when the frame before is in the stream's hand, so
// a heartbeat cannot get inside an event.
//
//   state            gives out                                    until
//   open, fetching   what it is fed, and what is sent between     it reaches its logs
//                    it, heartbeats: history.hpp
//   open             events of its topics, sent events between    end_stream
//                    them, heartbeats where there are none
//   open, leaving    what is left of those, its reconnection      farewell given: closed
//                    time, the farewell: parting.hpp
//   ended, proper    the event of `end_type`, if any, and the     done
//                    last chunk, where it frames chunks
//   ended, abrupt    nothing: what is in the hand is the last,    done
//                    or is left behind (subscriber::breaks_off)
//
// A stream that has ended reads nothing any more, and its places at the topics are free.
#ifndef SSEKIT_DETAIL_HUB_STREAM_HPP
#define SSEKIT_DETAIL_HUB_STREAM_HPP

#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/hub/choose.hpp>
#include <ssekit/detail/hub/companions.hpp>
#include <ssekit/detail/hub/crossing.hpp>
#include <ssekit/detail/hub/ending.hpp>
#include <ssekit/detail/hub/history.hpp>
#include <ssekit/detail/hub/merge.hpp>
#include <ssekit/detail/hub/parting.hpp>
#include <ssekit/detail/hub/seats.hpp>
#include <ssekit/detail/hub/sent.hpp>
#include <ssekit/detail/hub/snapshot.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

[[nodiscard]] inline frame hand_out(hub_state& hub, subscriber& item, const event_log& log,
                                    std::uint64_t position) noexcept {
    hub.metrics.max_lag = (std::max)(hub.metrics.max_lag, log.end() - position);
    ++hub.metrics.delivered;
    ++item.events;
    item.heartbeat_due = 0;
    return log[position].frame;
}

/// \returns the next event or sent event, or what stands in its place; empty for nothing now.
[[nodiscard]] inline frame take_event(hub_state& hub, std::uint32_t stream,
                                      subscriber& item) noexcept {
    const bool all_have_ids = hub.topics.companions_made() == 0;
    if (!all_have_ids) {
        if (!read_companions(hub, stream)) {
            end_stream(hub, stream, stream_end::out_of_memory);
            return {};
        }
        pass_lost(hub, stream);
    }
    side* const extra = item.has_side ? &hub.sides.of(stream) : nullptr;
    const bool throttled = extra != nullptr && extra->throttle.is_set();
    const bool newest_only = throttled || item.on_lag() == lag_policy::coalesce;
    const auto each = [&](auto&& call) { for_each_reader(hub, item, stream, call); };
    const auto earliest = [&](const event_log& log, std::uint64_t position) {
        hub.metrics.max_lag = (std::max)(hub.metrics.max_lag, log.end() - position);
        return extra == nullptr
                   ? (std::max)(position, log.begin())
                   : within_bounds(log, position, extra->lag, extra->throttle, hub.clock.now);
    };
    for (;;) {
        // Another hub of the sequence has brought these: a stream is not behind in them.
        if (extra != nullptr && extra->seen != 0) {
            pass_through(each, extra->seen);
            if (hub.last_offset >= extra->seen) extra->seen = 0;
        }
        const next_item next = next_of(each, earliest);
        if (extra != nullptr) {
            const bool last = next.log == nullptr;
            if (frame sent = take_sent(hub, *extra, last, next.offset)) {
                item.heartbeat_due = 0;
                return sent;
            }
        }
        if (next.log == nullptr) return {};
        if (next.is_hole()) {
            // What waits for the window is not looked at before.
            if (throttled && next.offset > extra->throttle.through &&
                hub.clock.now < extra->throttle.opens && !is_leaving(hub, stream)) {
                return {};
            }
            frame instead = cross(hub, stream, next, newest_only, earliest);
            if (instead) item.heartbeat_due = 0;
            if (instead || item.end() != stream_end::open) return instead;
            continue;
        }
        const event_log::entry& event = next.event();
        if (event.tells_of_gap) {
            const bool told =
                extra != nullptr && next.offset != 0 && next.offset <= extra->told_through;
            frame telling = event.frame;
            pass(each, next.offset);
            if (told) continue; // by another of its topics
            if (extra != nullptr) extra->told_through = next.offset;
            ++hub.metrics.gaps;
            item.heartbeat_due = 0;
            return telling;
        }
        const event_filter filter = extra != nullptr ? extra->filter : event_filter();
        bool replaced = false;
        if (newest_only) {
            each([&](const event_log& log, std::uint64_t& position) {
                replaced = replaced || (position >= log.begin() && position != log.end() &&
                                        log[position].offset == next.offset &&
                                        is_replaced(log, position, filter));
            });
        }
        if (!wants(filter, event)) {
            ++hub.metrics.filtered;
        } else if (replaced) {
            ++hub.metrics.coalesced;
        } else if (throttled && !is_leaving(hub, stream) &&
                   !extra->throttle.lets_through(next.offset, hub.last_offset, hub.clock.now)) {
            return {};
        } else {
            frame out = hand_out(hub, item, *next.log, *next.position);
            // What has no id does not move the client on.
            if (extra != nullptr && (all_have_ids || !out.id().empty())) {
                extra->told_through = next.offset;
            }
            pass(each, next.offset);
            return out;
        }
        pass(each, next.offset);
    }
}

/// \returns a heartbeat with this id.
[[nodiscard]] inline frame make_heartbeat(const hub_options& options,
                                          std::string_view id) noexcept {
    const event_type type = options.heartbeat_type;
    if (!type.view().empty()) {
        const event_view beat = {.id = id, .type = type, .data = options.heartbeat_data};
        return frame::make(beat, options.order, {}, options.memory).frame;
    }
    frame_builder block(options.memory);
    for (const std::string_view part : {std::string_view("id: "), id, std::string_view("\n"),
                                        std::string_view(heartbeat_comment)}) {
        block.append(part.data(), part.size());
    }
    return block.build().frame;
}

/// \returns a heartbeat, with the id to come back with where the hub has gone on and this stream
/// has got nothing: one frame serves all that are due at the same offset.
[[nodiscard]] inline frame take_heartbeat(hub_state& hub, std::uint32_t stream,
                                          subscriber& item) noexcept {
    if (hub.heartbeat) ++hub.metrics.heartbeats;
    if (!hub.options.heartbeat_id || hub.options.ids == event_ids::none || hub.last_offset == 0) {
        return hub.heartbeat;
    }
    side* const extra = item.has_side ? &hub.sides.of(stream) : nullptr;
    if (is_fetching(hub, stream)) {
        const auto id = id_while_fetching(hub, stream);
        return id ? make_heartbeat(hub.options, id->view()) : hub.heartbeat;
    }
    bool knows = has_events(hub, stream); // then its next event brings an id
    if (extra != nullptr) {
        // The client may be further on, by another hub.
        knows = knows || (std::max)(extra->told_through, extra->seen) >= hub.last_offset;
    } else if (item.on_lag() != lag_policy::coalesce) {
        knows = knows || hub.topics[item.topic].log.newest_offset() == hub.last_offset;
    }
    for_each_seat(hub, item, stream, [&](std::uint32_t, std::uint32_t topic) {
        knows = knows || hub.topics.has_untold_gap(topic); // it may not come to know what is after
    });
    const bool for_all = hub.options.ids != event_ids::by_publisher;
    if (!for_all) { // the last event that it was given has brought the newest id of its topics
        knows = knows || extra == nullptr ||
                newest_own(hub, stream, hub.last_offset) <= extra->told_through;
    }
    if (knows) return hub.heartbeat;
    if (!for_all || !hub.heartbeat_with_id || hub.heartbeat_offset != hub.last_offset) {
        const wire_id id(hub, stream, hub.last_offset);
        if (id.view().empty()) return hub.heartbeat;
        hub.heartbeat_with_id = make_heartbeat(hub.options, id.view());
        hub.heartbeat_offset = hub.last_offset;
    }
    if (!hub.heartbeat_with_id) return hub.heartbeat;
    if (extra != nullptr) extra->told_through = hub.last_offset;
    return hub.heartbeat_with_id;
}

/// \returns what a proper end gives out last, in one frame that all share which end so.
[[nodiscard]] inline frame take_last(hub_state& hub, std::uint32_t stream,
                                     subscriber& item) noexcept {
    if (item.last_given || is_abrupt(item.end())) return {};
    item.last_given = 1;
    const event_type type = hub.options.end_type;
    if (type.view().empty()) return item.chunked ? hub.last_chunk : frame();
    last_words& said = hub.said_last;
    if (!said.frame || said.why != item.end() || said.form != item.form()) {
        said.frame = make_last_words(hub.options, item.end(), item.form());
        said.why = item.end();
        said.form = item.form();
    }
    if (!said.frame) end_stream(hub, stream, stream_end::out_of_memory);
    return said.frame;
}

// Not inlined, so that take_next needs few registers: 503 instructions a delivery instead of 580.
[[gnu::noinline]] inline frame take_rare(hub_state& hub, std::uint32_t stream,
                                         subscriber& item) noexcept {
    bool fetching = false;
    if (item.end() == stream_end::open && item.has_side) {
        if (hub.sides.of(stream).history != 0) {
            if (frame past = take_history(hub, stream, item)) return past;
            fetching = is_fetching(hub, stream); // it has gone over otherwise
        }
        if (frame value = take_value(hub, stream, item)) return value;
    }
    if (item.end() == stream_end::open && !fetching) {
        if (frame event = take_event(hub, stream, item)) return event;
    }
    if (item.end() == stream_end::open) {
        if (is_leaving(hub, stream)) {
            if (frame last = take_farewell(hub, item)) return last;
            end_stream(hub, stream, stream_end::closed);
        } else if (has_closed_topics_only(hub, stream)) {
            end_stream(hub, stream, stream_end::topic_closed);
        } else if (item.heartbeat_due) {
            item.heartbeat_due = 0;
            return take_heartbeat(hub, stream, item);
        } else {
            return {};
        }
    } else if (item.parting() == parting::put_off || item.parting() == parting::retry_told) {
        if (!is_abrupt(item.end())) {
            if (frame last = take_farewell(hub, item)) return last;
        }
    }
    return take_last(hub, stream, item);
}

/// \returns the next frame of a plain stream whose topic has no companion. What most of them are
/// most of the time takes a few loads: an event waits, or nothing does.
SSEKIT_INLINED [[nodiscard]] inline frame take_plain(hub_state& hub, std::uint32_t stream,
                                                     subscriber& item) noexcept {
    const topic& where = hub.topics[item.topic];
    if (item.position == where.log.end()) {
        if (!item.heartbeat_due && !where.closed) return {};
    } else if (item.position >= where.log.begin() && !where.log[item.position].tells_of_gap) {
        return hand_out(hub, item, where.log, item.position++);
    }
    return take_rare(hub, stream, item);
}

// Not inlined, so that a hub that is not unusual does not pay for it.
[[gnu::noinline]] inline frame take_unusual(hub_state& hub, std::uint32_t stream,
                                            subscriber& item) noexcept {
    const bool other = hub.closing || hub.topics[item.topic].companion != 0;
    return other ? take_rare(hub, stream, item) : take_plain(hub, stream, item);
}

/// \returns the next frame, empty for nothing now.
SSEKIT_INLINED [[nodiscard]] inline frame take_next(hub_state& hub, std::uint32_t stream,
                                                    subscriber& item) noexcept {
    if (!item.plain) return take_rare(hub, stream, item);
    return hub.unusual ? take_unusual(hub, stream, item) : take_plain(hub, stream, item);
}

/// Effects: nothing to give now: waits at the topics, or for the throttle's window.
SSEKIT_INLINED inline void rest(hub_state& hub, std::uint32_t stream, subscriber& item) noexcept {
    if (item.has_side) {
        if (is_fetching(hub, stream)) return park(hub, stream, item);
        leave_closed_topics(hub, stream);
        const throttle_window& window = hub.sides.of(stream).throttle;
        if (window.is_set() && window.opens > hub.clock.now && !is_leaving(hub, stream)) {
            return hold(hub, stream, item);
        }
    }
    park(hub, stream, item);
}

/// As the concept buffers_generator says. When it returns 0 the stream waits, or has ended.
/// \param seen the end of the stream, once nothing will leave any more
[[nodiscard]] inline std::size_t prepare(hub_state& hub, std::uint32_t stream,
                                         std::span<std::string_view> slices,
                                         stream_end& seen) noexcept {
    if (slices.empty()) return 0;
    subscriber& item = hub.streams[stream];
    hand* held = nullptr;
    if (item.hand == 0) {
        frame first = take_next(hub, stream, item);
        if (!first) {
            if (item.end() == stream_end::open) {
                rest(hub, stream, item);
            } else {
                leave_rings(hub, stream, item); // there is nothing more to report
                seen = item.end();
            }
            return 0;
        }
        held = hub.hands.take(std::move(first), hub.clock.coarse_now, item.hand);
        if (held == nullptr) {
            end_stream(hub, stream, stream_end::out_of_memory);
            return 0;
        }
    } else if (item.is_done()) {
        seen = item.end(); // broken off
        return 0;
    } else {
        held = &hub.hands[item.hand];
    }
    return held->show(slices, item.form(), [&] { return take_next(hub, stream, item); });
}

SSEKIT_INLINED inline void consume(hub_state& hub, std::uint32_t stream,
                                   std::size_t bytes) noexcept {
    if (bytes == 0) return;
    subscriber& item = hub.streams[stream];
    hub.metrics.bytes += bytes;
    item.count_bytes(bytes);
    item.last_progress = hub.clock.coarse_now;
    if (item.hand == 0) return;
    hand& held = hub.hands[item.hand];
    held.since = hub.clock.coarse_now;
    if (!held.consume(bytes, item.form())) return;
    hub.hands.give_back(std::exchange(item.hand, 0), held);
    if (item.is_done()) unlink(hub_state::timer_links{&hub}, stream);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
