// SPDX-License-Identifier: MIT
//
// Several logs as one sequence in the order of offsets. A reader has a position in each of its
// logs; `each(call)` calls `call(log, position)` for all of them, and the functions here find what
// comes next, pass it, and count what is missing. An event that several of the logs have is one
// event.
//
// What a log has let go, or what a bound forbids to read, is a hole. Where events have gone it
// stands at the last of them, so whatever else is older comes first: a client that comes back from
// before it is told that they are gone. Where another log still brings that last one, the hole goes
// first: its id would say that nothing is missing. Where the log still has all of it, a hole stands
// at the first, so that nothing newer leaves before the stream has been told, and after the event
// there that another log brings. A hole counts only what no other log brings.
#ifndef SSEKIT_DETAIL_HUB_MERGE_HPP
#define SSEKIT_DETAIL_HUB_MERGE_HPP

#include <ssekit/event_log.hpp>

#include <algorithm>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// What comes next of a log, in the order of what stands at one offset.
enum class next_kind : std::uint8_t {
    gone, ///< a hole: the log has let events go
    event,
    out_of_bounds, ///< a hole: the log has them, and a bound forbids to read them
};

/// What comes next of one log, or of several.
struct next_item {
    const event_log* log = nullptr; ///< null: nothing
    std::uint64_t* position = nullptr;
    std::uint64_t target = 0; ///< where reading may go on; after `*position` in a hole
    std::uint64_t offset = 0; ///< of the event, or where the hole stands
    next_kind kind = next_kind::event;

    [[nodiscard]] bool is_hole() const noexcept { return kind != next_kind::event; }
    [[nodiscard]] const event_log::entry& event() const noexcept { return (*log)[target]; }

    /// Whether both are holes that are told of together.
    [[nodiscard]] bool stands_with(const next_item& other) const noexcept {
        return is_hole() && offset == other.offset && kind == other.kind;
    }
};

/// \param earliest `earliest(log, position)`: from where on the log may be read, at or after both
/// the position and log.begin(), and before log.end()
/// \returns what comes next of one log.
/// Preconditions: the position is not at its end.
template <class Earliest>
[[nodiscard]] next_item next_in(const event_log& log, std::uint64_t& position,
                                Earliest&& earliest) noexcept {
    const std::uint64_t target = earliest(log, position);
    if (position < log.begin()) {
        return {&log, &position, target, log.newest_gone(), next_kind::gone};
    }
    const next_kind kind = target == position ? next_kind::event : next_kind::out_of_bounds;
    return {&log, &position, target, log[position].offset, kind};
}

/// \returns the item with the smallest offset; of several the first by its kind.
template <class Each, class Earliest>
[[nodiscard]] next_item next_of(Each&& each, Earliest&& earliest) noexcept {
    next_item first;
    each([&](const event_log& log, std::uint64_t& position) {
        if (position == log.end()) return;
        const next_item here = next_in(log, position, earliest);
        if (first.log == nullptr || here.offset < first.offset ||
            (here.offset == first.offset && here.kind < first.kind)) {
            first = here;
        }
    });
    return first;
}

/// Effects: moves each position on that stands at the event of this offset.
template <class Each>
void pass(Each&& each, std::uint64_t offset) noexcept {
    each([&](const event_log& log, std::uint64_t& position) {
        if (position >= log.begin() && position != log.end() && log[position].offset == offset) {
            ++position;
        }
    });
}

/// Effects: moves each position to after the event of this offset, where it has not passed it.
template <class Each>
void pass_through(Each&& each, std::uint64_t offset) noexcept {
    each([&](const event_log& log, std::uint64_t& position) {
        if (position >= log.begin() || log.lost_through() <= offset) {
            position = (std::max)(position, log.after(offset));
        }
    });
}

/// \returns the offset before which nothing is left to read: of the event, or of the last known,
/// that is just before what comes next; `newest` when nothing does.
template <class Each>
[[nodiscard]] std::uint64_t read_through(Each&& each, std::uint64_t newest) noexcept {
    each([&](const event_log& log, std::uint64_t& position) {
        if (position < log.begin()) {
            newest = 0; // somewhere before what is lost
        } else if (position != log.end()) {
            newest = (std::min)(newest, log[position].offset - 1);
        }
    });
    return newest;
}

/// How many events a reader misses.
struct missing {
    std::uint64_t events = 0;
    bool exact = true; ///< else there may be fewer, even none
};

/// \returns what two holes take, the first of which has been crossed before the second was counted.
/// What is not exact may be the same events.
[[nodiscard]] inline missing both(const missing& a, const missing& b) noexcept {
    if (a.exact && b.exact) return {a.events + b.events, true};
    return {(std::max)(a.events, b.events), false};
}

/// Effects: `call(log, position)` for each log but that of the hole.
template <class Each, class Call>
void for_each_other(const next_item& hole, Each&& each, Call&& call) noexcept {
    each([&](const event_log& other, std::uint64_t& position) {
        if (&other != hole.log) call(other, position);
    });
}

/// \returns whether the log has the event of this offset at the position or after it.
[[nodiscard]] inline bool has_from(const event_log& log, std::uint64_t from,
                                   std::uint64_t offset) noexcept {
    const std::uint64_t found = log.after(offset - 1);
    return found >= from && found != log.end() && log[found].offset == offset;
}

/// \returns what the hole takes from the reader.
/// \param gone how many of the events that the log no longer has count, and how sure that is
/// \param added_after a log may have been added after this offset: of what is older it has brought
/// nothing, perhaps
/// \param counts `counts(log, position)`: whether the reader would have got the event, which the
/// log still has, by all that this log knows
template <class Each, class Counts>
[[nodiscard]] missing missing_in(const next_item& hole, Each&& each, missing gone,
                                 std::uint64_t added_after, Counts&& counts) noexcept {
    const event_log& log = *hole.log;
    if (gone.events != 0) {
        // What has gone here has come from another log, if that has it.
        if (log.shared_known_from() > *hole.position) gone.exact = false;
        log.for_each_shared_gone(*hole.position, [&](std::uint64_t offset) {
            bool came = false;
            bool may_have_come = false;
            for_each_other(hole, each, [&](const event_log& other, std::uint64_t position) {
                const bool has = has_from(other, other.begin(), offset);
                came = came || (has && (offset > added_after || has_from(other, position, offset)));
                may_have_come = may_have_come || has || other.lost_through() >= offset;
            });
            if (came) --gone.events;
            if (!came && may_have_come) gone.exact = false;
        });
    }
    for (std::uint64_t p = (std::max)(*hole.position, log.begin()); p < hole.target; ++p) {
        const event_log::entry& lost = log[p];
        if (lost.tells_of_gap) gone = {gone.events + 1, false};
        bool taken = !lost.tells_of_gap && counts(log, p);
        bool unclear = false;
        if (lost.in_several && taken) {
            for_each_other(hole, each, [&](const event_log& other, std::uint64_t from) {
                const std::uint64_t at = other.after(lost.offset - 1);
                if (at == other.end() || other[at].offset != lost.offset) return;
                const bool to_come = at >= from;
                if (!to_come && counts(other, at)) return; // else that one log says so is enough
                if (to_come || lost.offset > added_after) taken = false;
                unclear = true;
            });
        }
        if (taken) gone = {gone.events + 1, gone.exact && !unclear};
    }
    return gone;
}

/// \returns how many events end in the hole: what another log brings is in none, and what several
/// have let go is in the first that is crossed. Of events that no log remembers the other logs have
/// had the same.
template <class Each>
[[nodiscard]] std::uint64_t ending_in(const next_item& hole, Each&& each) noexcept {
    const event_log& log = *hole.log;
    std::uint64_t count = hole.target - *hole.position;
    log.for_each_shared_gone(*hole.position, [&](std::uint64_t offset) {
        bool elsewhere = false;
        for_each_other(hole, each, [&](const event_log& other, std::uint64_t position) {
            elsewhere = elsewhere || has_from(other, other.begin(), offset) ||
                        other.has_let_go(offset, position);
        });
        if (elsewhere) --count;
    });
    if (const std::uint64_t known = log.shared_known_from(); known > *hole.position) {
        bool counted = false;
        for_each_other(hole, each, [&](const event_log& other, std::uint64_t position) {
            counted = counted ||
                      (other.shared_known_from() != 0 && position >= other.shared_known_from());
        });
        if (counted) count -= known - *hole.position;
    }
    for (std::uint64_t p = (std::max)(*hole.position, log.begin()); p < hole.target; ++p) {
        bool elsewhere = false;
        if (log[p].in_several) {
            for_each_other(hole, each, [&](const event_log& other, std::uint64_t from) {
                elsewhere = elsewhere || has_from(other, from, log[p].offset);
            });
        }
        if (elsewhere) --count;
    }
    return count;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
