// SPDX-License-Identifier: MIT
//
// What a hub does with the events of a sequence that it shares with others, where each has its
// place already. Each offset comes to exactly one end here:
//
//   had     it is in the logs of its topics
//   nobody  it is nobody's event here, a mark for instance: no stream misses it
//   lost    it has not come, and will not: all streams are told, each once, in its place
//
// A jump in the offsets makes lost what lies between. What this hub refuses by itself is nobody's
// where nobody here reads it; a topic that it has no room for is remembered as one whose events are
// gone, so that its clients are told when there is room. Any other refusal leaves the offset open:
// the next event makes a jump.
#ifndef SSEKIT_DETAIL_HUB_SEQUENCING_HPP
#define SSEKIT_DETAIL_HUB_SEQUENCING_HPP

#include <ssekit/detail/hub/parting.hpp>
#include <ssekit/detail/hub/publishing.hpp>
#include <ssekit/detail/hub/resume.hpp>
#include <ssekit/detail/hub/seats.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/detail/log/event_ids.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/event_sequence.hpp>
#include <ssekit/event_target.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Whether the place is one of the hub's sequence, and after all that it has had.
[[nodiscard]] inline bool is_new(const hub_state& hub, const event_place& at) noexcept {
    return hub.options.ids == event_ids::by_sequence && at.epoch == hub.epoch_number &&
           at.offset > hub.last_offset;
}

/// Effects: the offsets after the newest and through this one are lost. Each topic's streams are
/// told with its next event, or when they are next looked at. Complexity: O(1).
/// \returns errc::ok; out_of_memory, with nothing changed.
[[nodiscard]] inline errc miss(hub_state& hub, std::uint64_t through) noexcept {
    if (through <= hub.last_offset) return errc::ok;
    const event_id_text id(hub.epoch_words, through);
    const event_id_text last(hub.epoch_words, hub.last_offset);
    const auto telling = [&](std::string_view from) {
        return make_gap(hub.options, "missed", {0, from, id.view()}, {.id = id.view()}).frame;
    };
    frame told = telling(last.view());
    frame told_of_more = telling({});
    if (!told || !told_of_more) return errc::out_of_memory;
    hub.topics.missed().miss(through, std::move(told), std::move(told_of_more));
    hub.metrics.lost_offsets += through - hub.last_offset;
    hub.last_offset = through;
    return errc::ok;
}

/// Effects: the offset is nobody's event.
inline void pass_over(hub_state& hub, std::uint64_t offset) noexcept {
    hub.last_offset = offset;
    ++hub.metrics.passed_offsets;
}

/// Effects: makes lost what the sequence has before the event and this hub has not, as far as it
/// was meant to come here. \returns errc::ok; out_of_memory, with nothing changed.
[[nodiscard]] inline errc miss_before(hub_state& hub, const sequenced_event& event) noexcept {
    const std::uint64_t before = event.offset - 1;
    const errc code = miss(hub, (std::min)(event.previous.value_or(before), before));
    if (code != errc::ok) return code;
    hub.metrics.passed_offsets += before - hub.last_offset;
    hub.last_offset = before;
    return errc::ok;
}

/// Effects: see hub::skip.
[[nodiscard]] inline errc skip(hub_state& hub, const event_place& at) noexcept {
    if (!is_new(hub, at)) return errc::out_of_sequence;
    const errc code = miss(hub, at.offset - 1);
    if (code == errc::ok) pass_over(hub, at.offset);
    return code;
}

/// Effects: all topics that somebody reads tell of what is lost, now. Where there is no memory for
/// it they do so later.
inline void tell_of_loss(hub_state& hub) noexcept {
    for (const topic_kind kind : {topic_kind::name, topic_kind::pattern, topic_kind::tag}) {
        hub.topics.for_each(kind, [&](std::uint32_t topic) {
            if (hub.topics[topic].readers == 0) return;
            static_cast<void>(hub.topics.note_gap(
                topic, hub.clock.now, [&](std::uint32_t where) { report_idle(hub, where); }));
        });
    }
}

/// Effects: see hub::lose.
[[nodiscard]] inline errc lose(hub_state& hub, const event_place& through) noexcept {
    if (!is_new(hub, through)) return errc::out_of_sequence;
    const errc code = miss(hub, through.offset);
    if (code == errc::ok) tell_of_loss(hub);
    return code;
}

/// Effects: see hub::begin_at.
[[nodiscard]] inline errc begin_at(hub_state& hub, std::uint64_t last) noexcept {
    if (hub.options.ids != event_ids::by_sequence || hub.last_offset > last) {
        return errc::out_of_sequence;
    }
    const std::uint64_t lost = hub.metrics.lost_offsets;
    const errc code = miss(hub, last);
    hub.metrics.lost_offsets = lost; // it has never been meant to have them
    if (code == errc::ok) tell_of_loss(hub);
    return code;
}

/// Effects: an event that no topic here could take is nobody's, and the names are remembered as
/// those of topics that have lost it.
/// \returns false, with nothing changed, where one of them is there, perhaps by a pattern.
inline bool pass_over_unread(hub_state& hub, topic_kind kind, const topic_list& names,
                             std::uint64_t offset) noexcept {
    bool there = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!hub.topics.may_be_named(names[i])) continue; // nobody can ever read it
        hub.topics.for_each_fed(kind, names[i], [&](std::uint32_t) { there = true; });
    }
    if (there) return false;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (hub.topics.may_be_named(names[i])) {
            hub.topics.forgotten().lose(kind, names[i], offset);
        }
    }
    pass_over(hub, offset);
    return true;
}

/// \returns the kind of topic that the target's names are of.
[[nodiscard]] inline topic_kind kind_of(const event_target& target) noexcept {
    return target.kind() == target_kind::tag ? topic_kind::tag : topic_kind::name;
}

[[nodiscard]] inline bool is_shut(const hub_state& hub, const event_target& target) noexcept {
    if (target.kind() == target_kind::all) return hub.closing;
    return is_shut(hub, kind_of(target), target.names());
}
/// Whether a stream may read what goes there.
[[nodiscard]] inline bool target_is_read(const hub_state& hub,
                                         const event_target& target) noexcept {
    switch (target.kind()) {
    case target_kind::all: return hub.open_streams != 0;
    case target_kind::tag: {
        const std::uint32_t tag = hub.topics.find(topic_kind::tag, target.names()[0]);
        return tag != 0 && hub.topics[tag].readers != 0;
    }
    default: return is_read(hub, target.names());
    }
}

/// Effects: closes the topic of target_kind::close, after its last event.
[[nodiscard]] inline errc close_after_last(hub_state& hub, const event_target& target) noexcept {
    std::uint32_t found = 0;
    const errc code = obtain(hub, topic_kind::name, target.names()[0], found);
    if (code == errc::ok) close_found(hub, found, target.keep_for());
    return code;
}

/// Effects: see hub::publish_sequenced.
[[nodiscard]] inline publish_result publish_sequenced(hub_state& hub, const event_target& target,
                                                      const sequenced_event& event) noexcept {
    const event_place at{event.epoch, event.offset};
    if (is_shut(hub, target)) {
        // A mark, and what nobody reads, is missed by no stream that goes on.
        const bool mark = event.ec == errc::ok && !event.frame;
        const bool follows =
            is_new(hub, at) && event.previous.value_or(event.offset - 1) <= hub.last_offset;
        if (follows && (mark || !target_is_read(hub, target))) hub.last_offset = event.offset;
        return {0, errc::closed};
    }
    if (event.ec != errc::ok) return {0, event.ec};
    if (!is_new(hub, at)) return {0, errc::out_of_sequence};
    const bool closes = target.kind() == target_kind::close;
    if (!event.frame) { // a mark
        if (const errc code = miss_before(hub, event); code != errc::ok) return {0, code};
        pass_over(hub, event.offset);
        const errc code = closes ? close_after_last(hub, target) : errc::ok;
        return {code == errc::ok ? event.offset : 0, code};
    }
    if (const errc code = miss_before(hub, event); code != errc::ok) return {0, code};
    const topic_kind kind = kind_of(target);
    const topic_list& names = target.names();
    if (target.kind() == target_kind::all) return append_to_all(hub, event.frame, event.offset);
    const publish_result done = append(hub, kind, names, event.frame, event.offset);
    switch (done.ec) {
    case errc::ok:
        if (closes) static_cast<void>(close_after_last(hub, target)); // else it keeps nothing
        break;
    case errc::topic_closed: // misses nothing
        if (names.size() == 1) pass_over(hub, event.offset);
        break;
    case errc::invalid_topic:
    case errc::too_many_topics: pass_over_unread(hub, kind, names, event.offset); break;
    default: break;
    }
    return done;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
