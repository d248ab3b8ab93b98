// SPDX-License-Identifier: MIT
//
// Which connections have been silent for too long? One wheel (detail/base/wheel.hpp) answers for
// any number of connections.
//
// Activity is the common case and must cost nothing, so it only stores the time; the entry stays in
// the slot where it is. When that slot is over, the entry is either due or moves to the slot of its
// real deadline. So every entry is looked at about once per interval, however busy it is.
//
// Deadlines are jittered towards earlier, by a cheap sequence that starts at `seed`: connections
// that all heard the same event would otherwise all be due in the same millisecond.
#ifndef SSEKIT_HEARTBEAT_HPP
#define SSEKIT_HEARTBEAT_HPP

#include <ssekit/detail/base/jitter.hpp>
#include <ssekit/detail/base/list.hpp>
#include <ssekit/detail/base/random.hpp>
#include <ssekit/detail/base/wheel.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI {

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
          jitter_((std::min)(options.jitter, 100u)), random_(options.seed),
          wheel_(interval_ / (detail::wheel_slots / 2)) {} // half the wheel spans an interval

    /// Effects: watches the entry from now on, or anew if it is watched already. O(1).
    void arm(entry& item, time_point now) noexcept {
        cancel(item);
        start(item, now);
        wheel_.place(item, item.quiet_since_ + item.patience_, now);
    }

    /// Effects: there was activity. One store; safe on an entry that is not armed.
    static void touch(entry& item, time_point now) noexcept { item.quiet_since_ = now; }

    /// Effects: stops watching the entry. O(1); safe to repeat.
    static void cancel(entry& item) noexcept { item.unlink(); }

    /// Effects: calls `on_silence(entry&)` for each entry that has been silent for its time, and
    /// watches it anew from `now`. `on_silence` may arm, touch, cancel or destroy any entry.
    /// \returns how many were due.
    /// Complexity: O(entries whose slots have come), each about once an interval.
    template <class OnSilence>
    std::size_t expire(time_point now, OnSilence&& on_silence);

    /// \returns when `expire` is worth calling next, `never` when nothing is armed. It moves only
    /// later by activity, so an early call is harmless; it may be earlier after `arm`.
    [[nodiscard]] time_point next_deadline() const noexcept { return wheel_.next_deadline(); }

  private:
    static constexpr std::chrono::milliseconds shortest{1};
    static constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 366);

    class rings {
      public:
        void push_back(std::size_t ring, entry& item) noexcept { rings_[ring].link_back(item); }
        [[nodiscard]] bool empty(std::size_t ring) const noexcept { return rings_[ring].empty(); }
        void move_back(std::size_t to, std::size_t from) noexcept {
            rings_[to].splice_back(rings_[from]);
        }
        entry& pop_front(std::size_t ring) noexcept {
            entry& first = rings_[ring].front();
            first.unlink();
            return first;
        }

      private:
        std::array<detail::list<entry>, detail::wheel_slots + 1> rings_;
    };

    void start(entry& item, time_point now) noexcept {
        item.quiet_since_ = now;
        item.patience_ =
            detail::patience(interval_, random_.up_to_few(jitter_), wheel_.slot_length());
    }

    time_point::duration interval_;
    unsigned jitter_;
    detail::random_sequence random_;
    detail::wheel<rings> wheel_;
};

template <class OnSilence>
std::size_t heartbeat::expire(time_point now, OnSilence&& on_silence) {
    std::size_t due = 0;
    wheel_.expire(now, [&](entry& item) {
        const bool silent = item.quiet_since_ + item.patience_ <= now;
        if (silent) start(item, now);
        wheel_.place(item, item.quiet_since_ + item.patience_, now);
        if (!silent) return;
        ++due;
        on_silence(item);
    });
    return due;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
