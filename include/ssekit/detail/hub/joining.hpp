// SPDX-License-Identifier: MIT
//
// How a stream comes and goes. A new stream takes a seat at each topic, pattern and its tag; a
// Last-Event-ID becomes one offset, at which each reader finds its place in its own log; and the
// opening block is in its hand before anything else runs. So there is no moment between replay and
// live.
#ifndef SSEKIT_DETAIL_HUB_JOINING_HPP
#define SSEKIT_DETAIL_HUB_JOINING_HPP

#include <ssekit/detail/hub/ahead.hpp>
#include <ssekit/detail/hub/gaps.hpp>
#include <ssekit/detail/hub/history.hpp>
#include <ssekit/detail/hub/merge.hpp>
#include <ssekit/detail/hub/parting.hpp>
#include <ssekit/detail/hub/presence.hpp>
#include <ssekit/detail/hub/resume.hpp>
#include <ssekit/detail/hub/seats.hpp>
#include <ssekit/detail/hub/sent.hpp>
#include <ssekit/detail/hub/snapshot.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/stream.hpp>
#include <ssekit/detail/hub/take_over.hpp>
#include <ssekit/detail/hub/turn.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/topic_list.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: frees all that a stream has. Its number may be given again.
inline void leave(hub_state& hub, std::uint32_t stream) noexcept {
    subscriber& item = hub.streams[stream];
    const bool joined = item.serial != 0; // else subscribe has not come to its end
    if (joined && hub.closing && item.end() == stream_end::closed) {
        ++(item.is_done() ? hub.metrics.flushed : hub.metrics.cut);
    } else if (joined && item.end() == stream_end::open && is_leaving(hub, stream)) {
        ++hub.metrics.cut;
    }
    if (item.hand != 0) hub.hands.give_back(item.hand, hub.hands[item.hand]);
    unlink(hub_state::timer_links{&hub}, stream);
    leave_rings(hub, stream, item);
    leave_seats(hub, stream, item);
    hub.waiting.leave(stream);
    if (item.has_side) {
        forget_history(hub, stream);
        for (std::uint32_t at = hub.sides.of(stream).sent_first; at != 0;) {
            hub.sent.destroy(std::exchange(at, hub.sent[at].next));
        }
        hub.sides.destroy(stream);
    }
    hub.streams.destroy(stream);
    if (joined) --hub.all_streams;
}

/// Effects: everything but where the stream begins.
[[nodiscard]] inline errc settle(hub_state& hub, std::uint32_t stream,
                                 const subscribe_options& options, waker wake) noexcept {
    subscriber& item = hub.streams[stream];
    item.user = options.user;
    item.chunked = options.framing == framing::chunked;
    item.last_given = !item.chunked && hub.options.end_type.view().empty();
    item.lag_number = static_cast<std::uint8_t>(options.on_lag) & 7;
    item.plain = options.on_lag != lag_policy::coalesce;
    item.connected_at = item.last_progress = hub.clock.coarse_now;
    const bool ends = options.max_age || options.expires_at;
    if (wake || options.filter || options.throttle.count() > 0 || options.max_lag.is_set() ||
        options.heartbeat || ends) {
        side* const extra = side_of(hub, stream);
        if (extra == nullptr) return errc::out_of_memory;
        extra->wake = wake;
        extra->filter = options.filter;
        extra->lag.most = options.max_lag;
        if (options.on_lag == lag_policy::disconnect || options.on_lag == lag_policy::detach) {
            extra->lag.begins_through = hub.last_offset;
        }
        extra->lag.most.age =
            std::clamp(options.max_lag.age, std::chrono::milliseconds(-1), time_limits::longest);
        extra->throttle.length = time_limits::bounded(options.throttle);
        if (options.heartbeat) extra->heartbeat = time_limits::bounded(*options.heartbeat);
        if (options.max_age) {
            extra->expires = hub.clock.now + time_limits::bounded(*options.max_age);
        }
        if (options.expires_at) {
            extra->expires = (std::min)(extra->expires, *options.expires_at);
        }
    }
    const std::uint32_t leaving = next_to_give_way(hub, options.tag);
    errc code = read_all(hub, stream, topic_kind::name, options.topics, leaving);
    if (code == errc::ok) {
        code = read_all(hub, stream, topic_kind::pattern, options.patterns, leaving);
    }
    if (code == errc::ok && !options.tag.empty()) {
        code = read_all(hub, stream, topic_kind::tag, options.tag, leaving);
        if (code == errc::ok) {
            hub.sides.of(stream).tag = hub.topics.find(topic_kind::tag, options.tag);
        }
    }
    return code;
}

[[nodiscard]] inline resume_point seen_by(const hub_state& hub, std::string_view id) noexcept {
    if (hub.options.ids == event_ids::none) {
        return {id.empty() ? resumption::fresh : resumption::unknown};
    }
    if (hub.options.ids != event_ids::by_publisher) {
        const bool sequence = hub.options.ids == event_ids::by_sequence;
        return resume_from(id, hub.epoch_words, (std::max)(hub.last_offset, hub.ahead.newest),
                           sequence ? hub.options.max_ahead : 0);
    }
    if (id.empty()) return {};
    const auto place = hub.ids.locate(id);
    if (place.ahead) return {resumption::future};
    return {place.known ? resumption::resumed : resumption::unknown, place.offset};
}

[[nodiscard]] constexpr start_point begin_after_gap(gap_policy policy) noexcept {
    switch (policy) {
    case gap_policy::fetch:
    case gap_policy::earliest: return start_point::earliest;
    case gap_policy::newest_of_each_key: return start_point::newest_of_each_key;
    default: return start_point::live;
    }
}

/// Effects: puts each reader where the stream begins. \returns what the id was worth.
[[nodiscard]] inline resume_point position(hub_state& hub, std::uint32_t stream,
                                           const subscribe_options& options) noexcept {
    resume_point from = seen_by(hub, options.last_event_id);
    subscriber& item = hub.streams[stream];
    if (from.how == resumption::resumed) {
        for_each_kept_reader(hub, item, stream, [&](const event_log& log, std::uint64_t&) {
            if ((std::max)(log.lost_through(), log.newest_gap()) > from.seen) {
                from.how = resumption::expired;
            }
        });
    }
    if (from.how == resumption::expired && options.on_gap == gap_policy::fetch &&
        hub.options.ids == event_ids::by_sequence) {
        from.how = resumption::resumed; // nothing is missing yet
        from.fetches = true;
    }
    from.begin = from.how == resumption::fresh ? options.start : begin_after_gap(options.on_gap);
    if (from.how == resumption::resumed) from.begin = start_point::earliest;
    const bool live = from.begin != start_point::earliest;
    for_each_kept_reader(hub, item, stream, [&](const event_log& log, std::uint64_t& at) {
        at = live ? log.end() : log.after(from.seen);
        // What is missing before the first event the opening block tells, or nobody has asked for.
        while (from.how != resumption::resumed && at != log.end() && log[at].tells_of_gap) ++at;
    });
    return from;
}

/// Effects: the stream will say when it has given out what it begins with.
/// \returns false without memory.
[[nodiscard]] inline bool queue_caught_up(hub_state& hub, std::uint32_t stream,
                                          const resume_point& from) noexcept {
    const event_type type = hub.options.caught_up_type;
    if (type.view().empty()) return true;
    side* const extra = side_of(hub, stream);
    if (extra == nullptr) return false;
    const wire_id id(hub, stream, (std::max)(hub.last_offset, from.seen));
    event_view event;
    if (!id.view().empty()) event.id = id.view();
    frame made = make_caught_up(hub.options, event).frame;
    return made && queue(hub, *extra, std::move(made));
}

/// Effects: the opening block is in the stream's hand.
[[nodiscard]] inline errc open(hub_state& hub, std::uint32_t stream, const resume_point& from,
                               const subscribe_options& options) noexcept {
    subscriber& item = hub.streams[stream];
    std::uint64_t before =
        read_through([&](auto&& call) { for_each_kept_reader(hub, item, stream, call); },
                     (std::max)(hub.last_offset, from.seen));
    if (from.fetches) before = from.seen;
    const bool has_snapshot = item.has_side && !hub.sides.of(stream).values.is_whole();
    if (item.has_side) hub.sides.of(stream).told_through = has_snapshot ? 0 : before;
    std::string_view brought = options.last_event_id;
    if (!is_returnable(brought, hub.options.max_id_length)) brought = {};
    // Where nothing is missing after it, it stays.
    const bool resumed = from.how == resumption::resumed;
    const wire_id id(hub, stream, before, resumed ? brought : std::string_view());
    event_view first{.retry = hub.options.retry};
    // With an id a client that is cut off now would come back after what it has not got.
    if (!id.view().empty() && !has_snapshot) first.id = id.view();
    const bool gap = from.how > resumption::resumed;
    const bool verdict = hub.options.opening == opening_form::verdict;
    if (has_snapshot && !gap && !verdict && !first.retry) return errc::ok; // an event is first
    const bool live = from.begin != start_point::earliest;
    const bool newest = from.begin == start_point::newest_of_each_key; // how many is not counted
    const bool expired = from.how == resumption::expired;
    const wire_id through = expired ? last_lost(hub, stream, live) : wire_id::none(hub);
    missing_words lost;
    if (expired) {
        const std::string_view after = has_one_log(hub, stream) ? brought : std::string_view();
        lost = {newest ? 0 : count_lost(hub, stream, from.seen, live), after, through.view()};
    }
    const auto make = [&]() -> frame_result {
        if (verdict) return make_verdict(hub.options, from.how, lost, first);
        if (gap) return make_gap(hub.options, word_for(from.how), lost, first);
        if (first.id && hub.options.opening == opening_form::empty_data) first.data = "";
        // Some proxies and browsers hold the head back until a byte of the body comes.
        if (!first.id && !first.retry) return {hub.say_nothing(), errc::ok};
        return hub.say(first);
    };
    auto [opening, code] = make();
    if (code != errc::ok) return code;
    if (!opening) return errc::out_of_memory;
    if (hub.hands.take(std::move(opening), hub.clock.coarse_now, item.hand) == nullptr) {
        return errc::out_of_memory;
    }
    if (gap) ++hub.metrics.gaps;
    return errc::ok;
}

struct joined {
    std::uint32_t stream = 0;           ///< 0 where ec is not errc::ok
    resumption how = resumption::fresh; ///< fresh where it was not looked at
    errc ec = errc::ok;
};

/// \returns why a stream with these options cannot begin, before anything is done.
[[nodiscard]] inline errc admit(const hub_state& hub, const subscribe_options& options) noexcept {
    if (hub.closing) return errc::closed;
    const std::size_t leaving = next_to_give_way(hub, options.tag) != 0 ? 1 : 0;
    if (hub.open_streams - leaving >= hub.options.max_subscribers) {
        return errc::too_many_subscribers;
    }
    if (options.topics.empty() && options.patterns.empty()) return errc::invalid_topic;
    const bool over = (hub.options.max_age && hub.options.max_age->count() <= 0) ||
                      (options.max_age && options.max_age->count() <= 0) ||
                      (options.expires_at && *options.expires_at <= hub.clock.now);
    if (over) return errc::expired;
    for (std::size_t i = 0; options.must_exist && i < options.topics.size(); ++i) {
        if (hub.topics.find(topic_kind::name, options.topics[i]) == 0) return errc::no_such_topic;
    }
    return errc::ok;
}

/// Effects: see hub::subscribe.
[[nodiscard]] inline joined join(hub_state& hub, const subscribe_options& options,
                                 waker wake) noexcept {
    if (const errc code = admit(hub, options); code != errc::ok) return {.ec = code};
    if (!hub.make_frames()) return {.ec = errc::out_of_memory}; // where the hub found none
    const std::uint32_t stream = hub.streams.make();
    if (stream == 0) return {.ec = errc::out_of_memory};
    subscriber& item = hub.streams[stream];
    item.queue = item.timer = {stream, stream};
    resume_point from;
    errc code = settle(hub, stream, options, wake);
    if (code == errc::ok) {
        from = position(hub, stream, options);
        const bool gap = from.how > resumption::resumed;
        if (gap && options.on_gap == gap_policy::refuse) code = errc::replay_refused;
    }
    if (code == errc::ok && from.seen > hub.last_offset) {
        if (!wait_for(hub, stream, from.seen)) code = errc::out_of_memory;
    }
    if (code == errc::ok && from.fetches && !begin_history(hub, stream, from.seen)) {
        code = errc::out_of_memory;
    }
    if (code == errc::ok && from.begin == start_point::newest_of_each_key) {
        if (!begin_snapshot(hub, stream)) code = errc::out_of_memory;
    }
    if (code == errc::ok && has_closed_topics_only(hub, stream)) code = errc::topic_closed;
    if (code == errc::ok && !queue_caught_up(hub, stream, from)) code = errc::out_of_memory;
    if (code == errc::ok) code = open(hub, stream, from, options);
    if (code != errc::ok) {
        leave(hub, stream);
        return {.how = from.how, .ec = code};
    }
    item.serial = ++hub.last_serial != 0 ? hub.last_serial : ++hub.last_serial;
    item.seated = 1;
    const std::uint32_t leaving = next_to_give_way(hub, options.tag);
    for_each_seat(hub, item, stream,
                  [&](std::uint32_t reader, std::uint32_t topic) { sit_down(hub, reader, topic); });
    ++hub.open_streams;
    if (leaving != 0) give_way(hub, leaving); // now that the tag has another stream
    make_way(hub);
    ++hub.all_streams;
    ++hub.metrics.accepted;
    if (from.fetches) {
        ++hub.metrics.fetches;
        tell_need(hub, stream);
    }
    // Where another one has given way for it, the tag was there.
    if (leaving == 0 && !options.tag.empty()) arrive(hub, hub.sides.of(stream).tag);
    if (const time_point first = look(hub, stream); first != never) arm(hub, stream, first);
    return {stream, from.how, errc::ok};
}

/// Effects: the stream reads these as well, from the next event on.
[[nodiscard]] inline errc add_later(hub_state& hub, std::uint32_t stream, topic_kind kind,
                                    const topic_list& names) noexcept {
    if (hub.closing || hub.streams[stream].end() != stream_end::open) return errc::closed;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::uint32_t found = hub.topics.find(kind, names[i]);
        if (found != 0 && hub.topics[found].closed) return errc::topic_closed;
    }
    if (!read_companions(hub, stream)) return errc::out_of_memory;
    const subscriber& item = hub.streams[stream];
    const std::uint32_t old = item.has_side ? hub.sides.of(stream).cursors : 0;
    const errc code = read_all(hub, stream, kind, names);
    // New cursors stand at the front of the chain.
    for (std::uint32_t at = item.has_side ? hub.sides.of(stream).cursors : 0; at != old;
         at = hub.cursors[at].next) {
        if (hub.cursors[at].of_companion) continue;
        sit_down(hub, at | cursor_bit, hub.cursors[at].topic);
        hub.cursors[at].after_snapshot = true;
        hub.sides.of(stream).added_after = hub.last_offset;
    }
    make_way(hub);
    signal(hub, stream); // so that it waits at all of them
    return code;
}

/// Effects: see subscription::expire_at. What fails leaves no stream that lives too long.
[[nodiscard]] inline errc expire_at(hub_state& hub, std::uint32_t stream,
                                    time_point when) noexcept {
    if (hub.streams[stream].end() != stream_end::open) return errc::closed;
    side* const extra = side_of(hub, stream);
    if (extra == nullptr) {
        break_off(hub, stream, stream_end::out_of_memory);
        return errc::out_of_memory;
    }
    extra->expires = when;
    const time_point next = look(hub, stream);
    if (next != never) arm(hub, stream, next);
    const stream_end end = hub.streams[stream].end();
    if (end == stream_end::open) return errc::ok;
    return end == stream_end::expired ? errc::expired : errc::closed;
}

/// Effects: the stream stops reading these, names or patterns.
[[nodiscard]] inline errc remove(hub_state& hub, std::uint32_t stream,
                                 const topic_list& names) noexcept {
    if (hub.closing || hub.streams[stream].end() != stream_end::open) return errc::closed;
    errc code = errc::ok;
    for (std::size_t i = 0; i < names.size() && code == errc::ok; ++i) {
        for (const topic_kind kind : {topic_kind::name, topic_kind::pattern}) {
            const std::uint32_t where = hub.topics.find(kind, names[i]);
            if (where != 0 && !stop_reading(hub, stream, where)) code = errc::invalid_topic;
        }
    }
    signal(hub, stream); // so that it waits where it reads now
    return code;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
