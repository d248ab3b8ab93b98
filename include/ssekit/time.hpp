// SPDX-License-Identifier: MIT
#ifndef SSEKIT_TIME_HPP
#define SSEKIT_TIME_HPP

#include <ssekit/version.hpp>

#include <chrono>

namespace ssekit::inline SSEKIT_ABI {

/// A point in monotonic time. The core never reads a clock: callers pass what
/// `std::chrono::steady_clock::now()` returned, and tests pass whatever they like.
using time_point = std::chrono::steady_clock::time_point;

/// "Nothing is due": what the `next_deadline` functions return when no timer is armed.
inline constexpr time_point never = (time_point::max)();

} // namespace ssekit::inline SSEKIT_ABI

#endif
