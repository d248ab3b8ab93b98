// SPDX-License-Identifier: MIT
//
// A hub's epoch names one run of one hub, so that an id of an earlier run is recognised. If two
// runs have the same epoch, the second takes the ids of the first for its own, and a client then
// misses events silently. So take it from here, or from anything else that never repeats: a counter
// of boots on a device, a random number.
#ifndef SSEKIT_EPOCH_HPP
#define SSEKIT_EPOCH_HPP

#include <ssekit/version.hpp>

#include <chrono>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI {

/// \returns a number that no earlier run has had, as long as the machine's clock is not set back:
/// the system clock's count. Hubs that share their epoch on purpose (event_sequence.hpp) ask once.
[[nodiscard]] inline std::uint64_t new_epoch() noexcept {
    return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
