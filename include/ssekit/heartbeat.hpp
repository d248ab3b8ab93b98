// SPDX-License-Identifier: MIT
//
// Who has been silent for too long? One wheel of 64 slots answers for any number of connections.
//
// Activity is the common case and must cost nothing, so it only stores the time; the entry stays in
// the slot where it is. When that slot is over, the entry is either due or moves to the slot of its
// real deadline. Every entry is so looked at about once an interval however busy it is. A bit for
// each slot that is not empty makes the next deadline a few instructions.
//
// Deadlines are jittered towards earlier, by a cheap sequence that starts at `seed`: connections
// that all heard the same event would otherwise all be due in the same millisecond.
#ifndef SSEKIT_HEARTBEAT_HPP
#define SSEKIT_HEARTBEAT_HPP

#include <ssekit/detail/list.hpp>
#include <ssekit/detail/random.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ssekit {

struct heartbeat_options {
    /// The longest silence, if `expire` is called at `next_deadline`; more than a year counts as a
    /// year. Proxies commonly cut a connection after 30 to 60 s of it.
    std::chrono::milliseconds interval = std::chrono::seconds(15);
    /// How much earlier an entry may fall due, in percent of the interval, 0 to 100.
    unsigned jitter = 10;
    std::uint64_t seed = 1;
};

/// Watches entries for silence. Thread safety: as an int.
class heartbeat {
  public:
    /// One connection: a member or base of whatever stands for it. Leaves the wheel when it dies.
    class entry : private detail::list_node<entry> {
      public:
        [[nodiscard]] bool armed() const noexcept { return linked(); }

      private:
        friend class heartbeat;
        friend class detail::list<entry>;
        time_point quiet_since_{};
        time_point::duration patience_{}; // the interval less this entry's jitter and one slot
    };

    /// Preconditions: options.interval > 0.
    explicit heartbeat(const heartbeat_options& options = {}) noexcept
        : interval_(std::clamp(options.interval, shortest, longest)),
          slot_length_(interval_ / (slot_count / 2)), jitter_(std::min(options.jitter, 100u)),
          random_(options.seed) {}

    /// Effects: watches the entry from now on, or anew if it is watched already. O(1).
    void arm(entry& item, time_point now) noexcept {
        start(item, now);
        place(item, now);
    }

    /// Effects: there was activity. One store; safe on an entry that is not armed.
    static void touch(entry& item, time_point now) noexcept { item.quiet_since_ = now; }

    /// Effects: watches the entry no more. O(1); safe to repeat.
    static void cancel(entry& item) noexcept { item.unlink(); }

    /// Effects: calls `on_silence(entry&)` for each entry that has been silent for its time, and
    /// watches it anew from `now`. `on_silence` may arm, touch, cancel or destroy any entry.
    /// \returns how many were due.
    /// Complexity: O(entries whose slots have come), each about once an interval.
    template <class OnSilence>
    std::size_t expire(time_point now, OnSilence&& on_silence);

    /// \returns when `expire` is worth calling next, `never` when nothing is armed. It moves only
    /// later by activity, so an early call is harmless; it may be earlier after `arm`.
    [[nodiscard]] time_point next_deadline() const noexcept {
        const auto here = static_cast<int>(turn_ % slot_count);
        for (std::uint64_t bits = std::rotr(occupied_, here); bits != 0; bits &= bits - 1) {
            const std::uint64_t turn = turn_ + static_cast<std::uint64_t>(std::countr_zero(bits));
            if (!slots_[turn % slot_count].empty()) return time_of(turn + 1);
        }
        return never;
    }

  private:
    static constexpr std::uint64_t slot_count = 64;
    static constexpr std::chrono::milliseconds shortest{1};
    static constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 366);

    void start(entry& item, time_point now) noexcept {
        const auto early = interval_ / 100 * static_cast<std::int64_t>(random_.up_to(jitter_));
        item.quiet_since_ = now;
        item.patience_ = std::max(interval_ - early - slot_length_, time_point::duration(1));
    }

    // Into the slot in which the deadline lies; one that is past comes with the current slot, one
    // beyond the wheel's horizon is looked at when the horizon is reached.
    void place(entry& item, time_point now) noexcept {
        if (occupied_ == 0) turn_ = std::max(turn_, turn_of(now));
        const std::uint64_t due = turn_of(item.quiet_since_ + item.patience_);
        const std::uint64_t turn = std::clamp(due, turn_, turn_ + slot_count - 1);
        slots_[turn % slot_count].push_back(item);
        occupied_ |= std::uint64_t{1} << (turn % slot_count);
    }

    std::uint64_t turn_of(time_point time) const noexcept {
        const auto since = time.time_since_epoch();
        if (since.count() <= 0) return 0;
        return static_cast<std::uint64_t>(since / slot_length_);
    }
    time_point time_of(std::uint64_t turn) const noexcept {
        return time_point(slot_length_ * static_cast<std::int64_t>(turn));
    }

    time_point::duration interval_;
    time_point::duration slot_length_; // half the wheel spans an interval
    unsigned jitter_;
    detail::random_sequence random_;
    std::uint64_t turn_ = 0;     // the slot that is looked at next, counted since time began
    std::uint64_t occupied_ = 0; // bit s: slot s may hold entries, unless they have been cancelled
    std::array<detail::list<entry>, slot_count> slots_;
};

template <class OnSilence>
std::size_t heartbeat::expire(time_point now, OnSilence&& on_silence) {
    std::size_t due = 0;
    const std::uint64_t present = turn_of(now); // its slot is not over yet
    const std::uint64_t last = std::min(present, turn_ + slot_count);
    detail::list<entry> moved;
    for (; turn_ < last; ++turn_) {
        const std::uint64_t bit = std::uint64_t{1} << (turn_ % slot_count);
        if ((occupied_ & bit) == 0) continue;
        occupied_ &= ~bit;
        moved.splice_back(slots_[turn_ % slot_count]);
    }
    turn_ = std::max(turn_, present);
    while (!moved.empty()) {
        entry& item = moved.front();
        const bool silent = item.quiet_since_ + item.patience_ <= now;
        if (silent) start(item, now);
        place(item, now);
        if (!silent) continue;
        ++due;
        on_silence(item);
    }
    return due;
}

} // namespace ssekit

#endif
