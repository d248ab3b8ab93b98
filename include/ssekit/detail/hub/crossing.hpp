// SPDX-License-Identifier: MIT
//
// What becomes of a stream at a hole in its logs: what it loses there is counted, and then it goes
// on after the hole, with a gap event where anything is lost, or ends, as its policy says.
#ifndef SSEKIT_DETAIL_HUB_CROSSING_HPP
#define SSEKIT_DETAIL_HUB_CROSSING_HPP

#include <ssekit/detail/hub/choose.hpp>
#include <ssekit/detail/hub/ending.hpp>
#include <ssekit/detail/hub/gaps.hpp>
#include <ssekit/detail/hub/merge.hpp>
#include <ssekit/detail/hub/resume.hpp>
#include <ssekit/detail/hub/snapshot.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/subscribe_options.hpp>

#include <algorithm>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: the stream goes on after the hole, and after all that stand where it stands, or ends.
/// \param earliest as next_in says
/// \returns what it gives out in their place: a gap event, or the last words; empty for nothing.
template <class Earliest>
[[nodiscard]] frame cross(hub_state& hub, std::uint32_t stream, const next_item& hole,
                          bool newest_only, Earliest&& earliest) noexcept {
    subscriber& item = hub.streams[stream];
    side* const extra = item.has_side ? &hub.sides.of(stream) : nullptr;
    const event_filter filter = extra != nullptr ? extra->filter : event_filter();
    const auto each = [&](auto&& call) { for_each_kept_reader(hub, item, stream, call); };
    const auto lost_in = [&](const next_item& at, auto&& others) {
        const event_log& log = *at.log;
        // Only the newest of each key: where they are all there, nothing is lost but what they
        // replace.
        missing gone{(std::max)(*at.position, log.begin()) - *at.position,
                     !filter && !(newest_only && log.had_keys())};
        const bool replaced = newest_only && !filter && log.values_kept_from() <= *at.position;
        if (gone.events == 0 || replaced) gone = {0, true};
        const std::uint64_t added_after = extra != nullptr ? extra->added_after : 0;
        return missing_in(at, others, gone, added_after,
                          [&](const event_log& of, std::uint64_t position) {
                              return wants(filter, of[position]) &&
                                     !(newest_only && is_replaced(of, position, filter));
                          });
    };
    const auto each_here = [&](auto&& call) {
        each([&](const event_log& log, std::uint64_t& position) {
            if (position == log.end()) return;
            const next_item at = next_in(log, position, earliest);
            if (at.stands_with(hole)) call(at);
        });
    };
    const auto each_after_holes = [&](auto&& call) {
        each([&](const event_log& log, std::uint64_t& position) {
            if (position == log.end()) return call(log, position);
            const next_item at = next_in(log, position, earliest);
            std::uint64_t after = at.stands_with(hole) ? at.target : position;
            call(log, after);
        });
    };
    bool to_newest = false; // where the holes take nothing, nothing is skipped either
    if (item.on_lag() == lag_policy::skip_to_newest) {
        each_here([&](const next_item& at) {
            to_newest = to_newest || lost_in(at, each_after_holes).events != 0;
        });
    }
    const bool held_back = extra != nullptr && extra->throttle.excuses(hole.offset, hub.clock.now);
    const bool to_values = item.on_lag() == lag_policy::newest_of_each_key;
    // One gap tells of all that are missing here: what another hole counts, this one does not.
    missing lost;
    lost_range range;
    std::uint64_t ended = 0;
    each_here([&](next_item at) {
        if (to_newest) at.target = at.log->end() - 1;
        lost = both(lost, lost_in(at, each));
        ended += ending_in(at, each);
        range.add(*at.log, *at.position, at.target);
        *at.position = at.target;
    });
    frame out;
    switch (act_on(lost, item.on_lag(), held_back)) {
    case hole_action::none:
        (newest_only ? hub.metrics.coalesced : hub.metrics.filtered) += ended;
        break;
    case hole_action::gap: {
        if (to_values) { // what is not the newest of its key is passed over to the ends of the logs
            each([&](const event_log& log, std::uint64_t& position) {
                if (position != log.end()) range.add(log, position, log.end());
            });
        }
        const wire_id from = range.from(hub);
        const wire_id through = range.through(hub);
        out =
            make_gap(hub.options, "lagged",
                     {lost.exact && !to_values ? lost.events : 0, from.view(), through.view()}, {})
                .frame;
        if (!out) {
            end_stream(hub, stream, stream_end::out_of_memory);
            return out;
        }
        hub.metrics.skipped += lost.events;
        ++hub.metrics.gaps;
        if (to_values && !begin_snapshot(hub, stream)) {
            end_stream(hub, stream, stream_end::out_of_memory);
        }
        break;
    }
    case hole_action::end: end_stream(hub, stream, stream_end::lagged); break;
    case hole_action::detach:
        out = hub.say({.retry = hub.options.detach_retry}).frame;
        end_stream(hub, stream, stream_end::detached);
        break;
    }
    return out;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
