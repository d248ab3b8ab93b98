// SPDX-License-Identifier: MIT
//
// A timer wheel of 64 slots for any number of items. An item lies in the slot of the time at which
// it wants to be looked at; whoever looks says when the next time is. So a deadline that moves
// later costs nothing: the item is looked at too early, once, and goes to its new slot. A bit for
// each slot that is not empty makes the next deadline a few instructions.
//
// `Rings` links the items: rings 0 to 63 are the slots, ring 64 holds what is being looked at.
#ifndef SSEKIT_DETAIL_WHEEL_HPP
#define SSEKIT_DETAIL_WHEEL_HPP

#include <ssekit/time.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ssekit::detail {

inline constexpr std::size_t wheel_slots = 64;

template <class Rings>
class wheel {
  public:
    template <class... Arguments>
    explicit wheel(time_point::duration slot_length, Arguments&&... for_rings) noexcept
        : slot_length_(std::max(slot_length, time_point::duration(1))),
          rings_(std::forward<Arguments>(for_rings)...) {}

    /// How much later than asked for an item may be looked at.
    [[nodiscard]] time_point::duration slot_length() const noexcept { return slot_length_; }

    /// Effects: the item, which is in no ring, is looked at once the slot of `due` is over. What is
    /// past comes with the current slot; what lies beyond the wheel's horizon, at the horizon.
    template <class Item>
    void place(Item&& item, time_point due, time_point now) noexcept {
        if (occupied_ == 0) turn_ = std::max(turn_, turn_of(now));
        const std::uint64_t turn = std::clamp(turn_of(due), turn_, turn_ + wheel_slots - 1);
        rings_.push_back(turn % wheel_slots, item);
        occupied_ |= std::uint64_t{1} << (turn % wheel_slots);
    }

    /// Effects: calls `look(item)` for each item whose slot is over, in no ring at that moment;
    /// `look` places it anew, or does not. It may take any item out of any ring.
    template <class Look>
    void expire(time_point now, Look&& look) {
        const std::uint64_t present = turn_of(now); // its slot is not over yet
        const std::uint64_t last = std::min(present, turn_ + wheel_slots);
        for (; turn_ < last; ++turn_) {
            const std::uint64_t bit = std::uint64_t{1} << (turn_ % wheel_slots);
            if ((occupied_ & bit) == 0) continue;
            occupied_ &= ~bit;
            rings_.move_back(wheel_slots, turn_ % wheel_slots);
        }
        turn_ = std::max(turn_, present);
        while (!rings_.empty(wheel_slots)) look(rings_.pop_front(wheel_slots));
    }

    /// \returns when `expire` is worth calling next, `never` when no item is placed.
    [[nodiscard]] time_point next_deadline() const noexcept {
        // A rotation; the type that std::rotr shifts by differs between standard libraries.
        const std::uint64_t here = turn_ % wheel_slots;
        const std::uint64_t behind = occupied_ << ((wheel_slots - here) % wheel_slots);
        for (std::uint64_t bits = occupied_ >> here | behind; bits != 0; bits &= bits - 1) {
            const std::uint64_t turn = turn_ + static_cast<std::uint64_t>(std::countr_zero(bits));
            if (!rings_.empty(turn % wheel_slots)) return time_of(turn + 1);
        }
        return never;
    }

  private:
    std::uint64_t turn_of(time_point time) const noexcept {
        const auto since = time.time_since_epoch();
        if (since.count() <= 0) return 0;
        return static_cast<std::uint64_t>(since / slot_length_);
    }
    time_point time_of(std::uint64_t turn) const noexcept {
        return time_point(slot_length_ * static_cast<std::int64_t>(turn));
    }

    time_point::duration slot_length_;
    std::uint64_t turn_ = 0;     // the slot that is looked at next, counted since time began
    std::uint64_t occupied_ = 0; // bit s: slot s may hold items, unless they have been taken out
    Rings rings_;
};

} // namespace ssekit::detail

#endif
