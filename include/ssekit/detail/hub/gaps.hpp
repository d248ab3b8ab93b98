// SPDX-License-Identifier: MIT
//
// Which events a gap event says are missing: those after one id and up to another. What is not
// known for certain is left out.
//
// A log knows the offsets of what it has, and of the newest event that has gone. Offsets grow by
// one at least from event to event. So where as many have gone as that one's offset says, there
// have been no others, and each is known by its position.
//
// Where publishers give ids they may be anybody's data, so only those of events are told that the
// stream's own topics have had.
#ifndef SSEKIT_DETAIL_HUB_GAPS_HPP
#define SSEKIT_DETAIL_HUB_GAPS_HPP

#include <ssekit/detail/hub/state.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/hub_options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns whether nothing but this log's events was published until the newest that has gone.
/// Preconditions: its first position was 0.
[[nodiscard]] inline bool has_gone_gapless(const event_log& log) noexcept {
    return log.newest_gone() == log.begin();
}

/// \returns the offset of the event before the position, 0 where there has been none; nullopt where
/// it is no longer known.
[[nodiscard]] inline std::optional<std::uint64_t> offset_before(const event_log& log,
                                                                std::uint64_t position) noexcept {
    if (position > log.begin()) return log[position - 1].offset;
    if (position == log.begin()) return log.newest_gone();
    if (has_gone_gapless(log)) return position;
    return std::nullopt;
}

/// What several logs have lost together, as offsets.
class lost_range {
  public:
    /// Effects: of this log as well, from one position to before another, which it has reached.
    void add(const event_log& log, std::uint64_t from, std::uint64_t to) noexcept {
        const auto before = offset_before(log, from);
        after_ = before && after_ ? std::optional((std::min)(*before, *after_)) : std::nullopt;
        through_ = (std::max)(through_, offset_before(log, to).value_or(0));
    }

    /// The ids, "" where one is not known.
    [[nodiscard]] wire_id from(const hub_state& hub) const noexcept {
        return after_ && through_ != 0 ? wire_id::of(hub, *after_) : wire_id::none(hub);
    }
    [[nodiscard]] wire_id through(const hub_state& hub) const noexcept {
        return through_ != 0 ? wire_id::of(hub, through_) : wire_id::none(hub);
    }

  private:
    std::optional<std::uint64_t> after_ = ~std::uint64_t{0};
    std::uint64_t through_ = 0;
};

/// \returns the id of the last event that a stream misses which begins after what its topics have
/// lost; "" where that is none of their own whose id is known.
/// \param live whether it does without what they have kept
[[nodiscard]] inline wire_id last_lost(hub_state& hub, std::uint32_t stream, bool live) noexcept {
    std::uint64_t lost = 0;
    std::uint64_t own = live ? newest_own(hub, stream, hub.last_offset) : 0;
    for_each_kept_reader(hub, hub.streams[stream], stream,
                         [&](const event_log& log, std::uint64_t) {
                             lost = (std::max)({lost, log.lost_through(), log.newest_gap()});
                             own = (std::max)(own, log.newest_gone());
                         });
    if (own >= lost) return wire_id::of(hub, own);
    return hub.options.ids == event_ids::by_publisher ? wire_id::none(hub) : wire_id::of(hub, lost);
}

/// Whether all that a stream may come back for is in one log. Of several logs one may bring newer
/// events before the hole of another one is told of, so an id says less there.
[[nodiscard]] inline bool has_one_log(hub_state& hub, std::uint32_t stream) noexcept {
    std::size_t logs = 0;
    for_each_kept_reader(hub, hub.streams[stream], stream,
                         [&](const event_log&, std::uint64_t) { ++logs; });
    return logs == 1;
}

/// \returns how many events such a stream misses of those after the offset; 0 where that is not
/// known.
/// Preconditions: some are lost.
[[nodiscard]] inline std::uint64_t count_lost(hub_state& hub, std::uint32_t stream,
                                              std::uint64_t seen, bool live) noexcept {
    const subscriber& item = hub.streams[stream];
    if (hub.options.ids == event_ids::by_sequence || item.on_lag() == lag_policy::coalesce) {
        return 0; // others have had some of them, or newer ones replace them
    }
    if (item.has_side) { // they may not be wanted
        const side& extra = hub.sides.of(stream);
        if (extra.filter || extra.throttle.is_set()) return 0;
    }
    if (!has_one_log(hub, stream)) return 0; // other topics may have had them
    const event_log& log = hub.topics[item.topic].log;
    if (log.lost_through() != log.newest_gone() || log.newest_gap() > seen) return 0;
    std::uint64_t gone = seen == 0 ? log.begin() : 0;
    if (seen != 0 && has_gone_gapless(log)) gone = log.newest_gone() - seen;
    return gone == 0 || !live ? gone : gone + log.size();
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
