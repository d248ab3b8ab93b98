// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_JITTER_HPP
#define SSEKIT_DETAIL_BASE_JITTER_HPP

#include <ssekit/time.hpp>

#include <algorithm>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns the time, shortened by this many percent.
[[nodiscard]] constexpr time_point::duration shortened(time_point::duration time,
                                                       std::uint64_t percent) noexcept {
    return time - time / 100 * static_cast<std::int64_t>(percent);
}

/// \returns how long to wait before checking whether a silence of `interval`, shortened by this
/// many percent, is over, where the check may come up to `slack` later than asked for.
[[nodiscard]] constexpr time_point::duration patience(time_point::duration interval,
                                                      std::uint64_t percent,
                                                      time_point::duration slack) noexcept {
    return (std::max)(shortened(interval, percent) - slack, time_point::duration(1));
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
