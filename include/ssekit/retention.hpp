// SPDX-License-Identifier: MIT
#ifndef SSEKIT_RETENTION_HPP
#define SSEKIT_RETENTION_HPP

#include <ssekit/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI {

/// Whether anybody reads a log: then its newest event stays, and so does a burst.
enum class log_use : std::uint8_t { idle, read };

/// How far a burst may go beyond what a log keeps, while somebody reads it. What was published
/// `within` so short a time stays, so that a reader that keeps up turn by turn finds it there;
/// these two bounds are hard. The newest event alone may exceed them.
struct burst_bound {
    std::chrono::milliseconds within = std::chrono::seconds(1); ///< zero: bursts get nothing extra
    std::size_t events = std::size_t{1} << 16;
    std::size_t bytes = std::size_t{16} << 20; ///< of encoded frames
};

/// The newest event of each key that a log keeps besides, whatever else has filled it since: what
/// streams begin with under start_point::newest_of_each_key. Past a bound, the
/// key goes that was updated longest ago. Both bounds are for these events alone.
struct value_bound {
    std::size_t keys = 0;                     ///< zero: none is kept besides
    std::size_t bytes = std::size_t{1} << 20; ///< of encoded frames; a single one may be larger
};

/// What a log keeps: an event goes as soon as any bound is passed, the oldest first. The newest is
/// always kept while the log is read, because the log is also the queue it is delivered from; so
/// one event may exceed `bytes`, and `events` counts as at least 1.
struct retention {
    std::size_t events = 1024;
    std::size_t bytes = std::size_t{1} << 20; ///< of encoded frames
    /// Zero: no bound. Less than zero: nothing is kept but what is being delivered.
    std::chrono::milliseconds age = std::chrono::milliseconds::zero();
    burst_bound burst = {};
    value_bound values = {};
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
