// SPDX-License-Identifier: MIT
//
// How long to wait before the next connection: the time that the server asked for, and on top of it
// a random part that doubles with each failure in a row, so that clients that were lost together do
// not come back together. The sum stays within its bounds, whatever they are.
#ifndef SSEKIT_DETAIL_SOURCE_BACKOFF_HPP
#define SSEKIT_DETAIL_SOURCE_BACKOFF_HPP

#include <ssekit/detail/base/random.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns the point that lies this much later; `never` where there is none. A negative time
/// counts as zero.
[[nodiscard]] constexpr time_point later(time_point now, std::chrono::milliseconds by) noexcept {
    using std::chrono::milliseconds;
    // From before the epoch on even more would fit, but no wait lasts 292 years.
    const auto room = never - (std::max)(now, time_point());
    if (by > std::chrono::duration_cast<milliseconds>(room)) return never;
    return now + (std::max)(by, milliseconds(0));
}

/// \returns how much later that is, in whole milliseconds.
[[nodiscard]] constexpr std::chrono::milliseconds between(time_point before,
                                                          time_point now) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - before);
}

/// \returns whether a deadline has passed; `never` does not.
[[nodiscard]] constexpr bool has_come(time_point deadline, time_point now) noexcept {
    return deadline != never && deadline <= now;
}

struct delay_bounds {
    std::chrono::milliseconds min; // of what the server asks for
    std::chrono::milliseconds max; // of the sum; it wins over min
    std::chrono::milliseconds max_spread;
};

struct delay_window {
    std::chrono::milliseconds first;
    std::chrono::milliseconds last;

    friend constexpr bool operator==(const delay_window&, const delay_window&) = default;
};

/// \returns what lies between the shortest and the longest wait after so many failures in a row.
[[nodiscard]] constexpr delay_window delay_after(std::chrono::milliseconds asked, unsigned failures,
                                                 const delay_bounds& bounds) noexcept {
    using std::chrono::milliseconds;
    const milliseconds most = (std::max)(bounds.max, milliseconds(0));
    const milliseconds least = std::clamp(bounds.min, milliseconds(0), most);
    const milliseconds base = std::clamp(asked, least, most);
    const milliseconds widest = (std::max)(bounds.max_spread, milliseconds(0));
    milliseconds spread = (std::min)((std::max)(base, milliseconds(1)), widest);
    for (unsigned i = 0; i < failures && spread < widest; ++i) {
        spread = spread > widest / 2 ? widest : spread * 2;
    }
    // At the upper bound there is no room above what was asked for. Some is made below it, or all
    // clients that were told to wait an hour would come back in the same millisecond.
    const milliseconds below = most - (std::min)(spread, most / 16);
    return {(std::max)((std::min)(base, below), least),
            spread > most - base ? most : base + spread};
}

/// \returns one of them, by chance.
[[nodiscard]] inline std::chrono::milliseconds draw(const delay_window& window,
                                                    random_sequence& random) noexcept {
    const auto width = static_cast<std::uint64_t>((window.last - window.first).count());
    return window.first + std::chrono::milliseconds(static_cast<std::int64_t>(random.up_to(width)));
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
