// SPDX-License-Identifier: MIT
// The time at which tests begin: any but zero, which code under test might take for "never".
#ifndef SSEKIT_TESTS_SUPPORT_TIMES_HPP
#define SSEKIT_TESTS_SUPPORT_TIMES_HPP

#include <ssekit/detail/hub/deadlines.hpp>
#include <ssekit/time.hpp>

#include <chrono>
#include <cstdint>

namespace support {

inline constexpr ssekit::time_point morning{std::chrono::hours(10)};
inline constexpr ssekit::time_point noon{std::chrono::hours(12)};

/// After this the hub's coarse time begins again: 834 days.
inline constexpr auto round_trip = ssekit::detail::coarse_step * (std::int64_t{1} << 32);

} // namespace support

#endif
