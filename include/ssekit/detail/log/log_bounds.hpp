// SPDX-License-Identifier: MIT
//
// When a log lets its oldest event go. While somebody reads the log, a burst may go beyond what is
// kept otherwise; see retention.hpp.
#ifndef SSEKIT_DETAIL_LOG_LOG_BOUNDS_HPP
#define SSEKIT_DETAIL_LOG_LOG_BOUNDS_HPP

#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/retention.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace ssekit::inline SSEKIT_ABI::detail {

class log_bounds {
  public:
    explicit log_bounds(const retention& keep) noexcept : keep_(sane(keep)) {}

    [[nodiscard]] const retention& kept() const noexcept { return keep_; }

    /// How many events stay whatever their age and size.
    [[nodiscard]] static std::size_t least(log_use use) noexcept {
        return use == log_use::read ? 1 : 0;
    }
    /// The hard bounds.
    [[nodiscard]] std::size_t most_events(log_use use) const noexcept {
        return bursts(use) ? keep_.burst.events : keep_.events;
    }
    [[nodiscard]] std::size_t most_bytes(log_use use) const noexcept {
        return bursts(use) ? keep_.burst.bytes : keep_.bytes;
    }

    /// \returns whether the oldest of so many events, with so many bytes in all, has to go.
    /// \param age `age()`: the time since that one was published, asked only where it matters
    template <class Age>
    SSEKIT_INLINED [[nodiscard]] bool has_to_go(log_use use, std::size_t events, std::size_t bytes,
                                                Age&& age) const noexcept {
        if (is_over(most_events(use), most_bytes(use), events, bytes)) return true;
        const time_point::duration since = age();
        const bool over = is_over(keep_.events, keep_.bytes, events, bytes);
        return (over && since >= keep_.burst.within) ||
               (keep_.age.count() != 0 && since >= keep_.age);
    }

    /// \returns when the oldest of them has to go next, `never` while no bound depends on time.
    /// \param published when that one was
    [[nodiscard]] time_point next_expiry(std::size_t events, std::size_t bytes,
                                         time_point published) const noexcept {
        time_point due = never;
        if (keep_.age.count() != 0) due = published + (std::max)(keep_.age, keep_.age.zero());
        if (is_over(keep_.events, keep_.bytes, events, bytes)) {
            due = (std::min)(due, published + keep_.burst.within);
        }
        return due;
    }

  private:
    static retention sane(retention keep) noexcept {
        // A time so far ahead cannot be represented, and is never reached.
        constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 366 * 100);
        if (keep.age > longest) keep.age = keep.age.zero();
        keep.age = (std::max)(keep.age, std::chrono::milliseconds(-1));
        keep.events = (std::max<std::size_t>)(keep.events, 1);
        keep.burst.within = std::clamp(keep.burst.within, keep.age.zero(), longest);
        keep.burst.events = (std::max)(keep.burst.events, keep.events);
        keep.burst.bytes = (std::max)(keep.burst.bytes, keep.bytes);
        return keep;
    }
    static bool is_over(std::size_t most_events, std::size_t most_bytes, std::size_t events,
                        std::size_t bytes) noexcept {
        return events > most_events || (bytes > most_bytes && events > 1);
    }
    bool bursts(log_use use) const noexcept {
        return use == log_use::read && keep_.burst.within.count() != 0;
    }

    retention keep_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
