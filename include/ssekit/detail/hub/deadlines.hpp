// SPDX-License-Identifier: MIT
//
// When things are due for a stream: its heartbeat, the deadline of what it has in hand, the end of
// its life. Times in a record are coarse, so that a million of them take little.
#ifndef SSEKIT_DETAIL_HUB_DEADLINES_HPP
#define SSEKIT_DETAIL_HUB_DEADLINES_HPP

#include <ssekit/detail/base/jitter.hpp>
#include <ssekit/detail/base/random.hpp>
#include <ssekit/event.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Time as a record keeps it: 2^24 ns or 17 ms a step, which comes round after 834 days.
using coarse_time = std::uint32_t;
inline constexpr std::chrono::nanoseconds coarse_step{1 << 24};

[[nodiscard]] constexpr coarse_time coarse(time_point time) noexcept {
    const std::chrono::nanoseconds since = time.time_since_epoch();
    return static_cast<coarse_time>(static_cast<std::uint64_t>(since.count()) / (1 << 24));
}

/// The time, exact and coarse; it does not run backwards.
struct hub_clock {
    time_point now{};
    coarse_time coarse_now = 0;

    constexpr explicit hub_clock(time_point start) noexcept
        : now(bounded(start)), coarse_now(coarse(now)) {}

    constexpr void advance(time_point to) noexcept {
        now = (std::max)(now, bounded(to));
        coarse_now = coarse(now);
    }
    /// \returns when that was, to within a step. Preconditions: less than 834 days ago.
    [[nodiscard]] constexpr time_point exactly(coarse_time then) const noexcept {
        return now - (coarse_now - then) * coarse_step;
    }

  private:
    // So far from both ends of time that whatever is added to it can be told.
    static constexpr time_point bounded(time_point time) noexcept {
        constexpr std::chrono::hours far(24 * 365 * 80);
        return std::clamp(time, time_point(-far), time_point(far));
    }
};

/// What a hub's options say of time, within bounds that can be computed with.
struct time_limits {
    static constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 366);

    time_point::duration heartbeat{}; ///< zero: none
    unsigned jitter = 0;              ///< percent
    time_point::duration write{};     ///< zero: none
    std::optional<time_point::duration> age{};
    unsigned age_jitter = 0;     ///< percent
    time_point::duration idle{}; ///< of topics that nobody reads; zero: no bound

    /// \returns a time between zero and a year.
    [[nodiscard]] static constexpr std::chrono::milliseconds
    bounded(std::chrono::milliseconds time) noexcept {
        return std::clamp(time, std::chrono::milliseconds(0), longest);
    }

    /// \returns a reconnection time that does no harm.
    [[nodiscard]] static constexpr std::chrono::milliseconds
    for_clients(std::chrono::milliseconds time) noexcept {
        return std::clamp(time, shortest_retry, longest_retry);
    }

    /// The shortest of them, as the length of a wheel has it.
    [[nodiscard]] constexpr time_point::duration shortest() const noexcept {
        time_point::duration found = std::chrono::minutes(1);
        for (const time_point::duration time : {heartbeat, write, age.value_or(found)}) {
            if (time.count() > 0) found = (std::min)(found, time);
        }
        return found;
    }
};

/// \returns when a stream's life is over by the hub's limit. Jitter comes from what is known of it
/// anyway.
[[nodiscard]] inline time_point end_of_life(const time_limits& limits, time_point began,
                                            std::uint32_t serial) noexcept {
    if (!limits.age) return never;
    return began + shortened(*limits.age, random_sequence(serial).up_to(limits.age_jitter));
}

/// \returns how long a silence of `interval` is waited for; zero: for ever.
[[nodiscard]] inline time_point::duration silence(time_point::duration interval, unsigned jitter,
                                                  std::uint32_t serial, coarse_time since,
                                                  time_point::duration slack) noexcept {
    if (interval.count() == 0) return interval;
    const std::uint64_t seed = std::uint64_t{serial} << 32 | since;
    return patience(interval, random_sequence(seed).up_to(jitter), slack);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
