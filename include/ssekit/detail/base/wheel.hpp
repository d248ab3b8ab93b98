// SPDX-License-Identifier: MIT
//
// A timer wheel of 64 slots for any number of items. An item lies in the slot of the time at which
// it is to be looked at; the look says when the next one is due. So a deadline that moves later
// costs nothing: the item is looked at too early, once, and goes to its new slot. With a bit for
// each slot that is not empty, finding the next deadline takes a few instructions.
//
// `Rings` links the items: rings 0 to 63 are the slots, ring 64 holds what is being looked at.
#ifndef SSEKIT_DETAIL_BASE_WHEEL_HPP
#define SSEKIT_DETAIL_BASE_WHEEL_HPP

#include <ssekit/time.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

inline constexpr std::size_t wheel_slots = 64;

template <class Rings>
class wheel {
  public:
    template <class... Arguments>
    explicit wheel(time_point::duration slot_length, Arguments&&... for_rings) noexcept
        : slot_length_((std::max)(slot_length, time_point::duration(2))),
          rings_(std::forward<Arguments>(for_rings)...) {}

    /// How much later than asked for an item may be looked at.
    [[nodiscard]] time_point::duration slot_length() const noexcept { return slot_length_; }

    /// Effects: the item, which is in no ring, is looked at once the slot of `due` is over. If
    /// `due` has passed, that is the current slot; if it lies beyond the wheel's horizon, the last
    /// one.
    template <class Item>
    void place(Item&& item, time_point due, time_point now) noexcept {
        if (occupied_ == 0) turn_ = (std::max)(turn_, turn_of(now));
        const std::int64_t last = turn_ + static_cast<std::int64_t>(wheel_slots - 1);
        const std::size_t ring = ring_of(std::clamp(turn_of(due), turn_, last));
        rings_.push_back(ring, item);
        occupied_ |= std::uint64_t{1} << ring;
    }

    /// Effects: calls `look(item)` for each item whose slot is over, in no ring at that moment;
    /// `look` places it anew, or does not. It may take any item out of any ring.
    template <class Look>
    void expire(time_point now, Look&& look) {
        const std::int64_t present = turn_of(now); // its slot is not over yet
        const std::int64_t last = (std::min)(present, turn_ + std::int64_t{wheel_slots});
        for (; turn_ < last; ++turn_) {
            const std::uint64_t bit = std::uint64_t{1} << ring_of(turn_);
            if ((occupied_ & bit) == 0) continue;
            occupied_ &= ~bit;
            rings_.move_back(wheel_slots, ring_of(turn_));
        }
        turn_ = (std::max)(turn_, present);
        while (!rings_.empty(wheel_slots)) look(rings_.pop_front(wheel_slots));
    }

    /// \returns when `expire` is worth calling next, `never` when no item is placed.
    [[nodiscard]] time_point next_deadline() const noexcept {
        // A rotation; the type that std::rotr shifts by differs between standard libraries.
        const std::size_t here = ring_of(turn_);
        const std::uint64_t behind = occupied_ << ((wheel_slots - here) % wheel_slots);
        for (std::uint64_t bits = occupied_ >> here | behind; bits != 0; bits &= bits - 1) {
            const std::int64_t turn = turn_ + std::countr_zero(bits);
            if (!rings_.empty(ring_of(turn))) return time_of(turn + 1);
        }
        return never;
    }

  private:
    // Turn 0 begins at the clock's zero. As a slot has two ticks or more, half the range of a turn
    // goes beyond the earliest and the latest time.
    std::int64_t turn_of(time_point time) const noexcept {
        const std::int64_t ticks = time.time_since_epoch().count();
        const std::int64_t slot = slot_length_.count();
        if (ticks < 0) [[unlikely]]
            return (ticks + 1) / slot - 1;
        return ticks / slot;
    }
    time_point time_of(std::int64_t turn) const noexcept { return time_point(slot_length_ * turn); }
    static std::size_t ring_of(std::int64_t turn) noexcept {
        return static_cast<std::size_t>(turn) % wheel_slots;
    }

    time_point::duration slot_length_;
    std::int64_t turn_ = (std::numeric_limits<std::int64_t>::min)() / 2; // what is looked at next
    std::uint64_t occupied_ = 0; // bit s: slot s may hold items, unless they have been taken out
    Rings rings_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
