// SPDX-License-Identifier: MIT
#ifndef SSEKIT_HUB_METRICS_HPP
#define SSEKIT_HUB_METRICS_HPP

#include <cstdint>

namespace ssekit {

/// What `hub::metrics` says. Counts since the hub was made, but for those that say "now".
struct hub_metrics {
    std::uint64_t subscribers = 0; ///< now
    std::uint64_t topics = 0;      ///< now: names and patterns
    std::uint64_t tags = 0;        ///< now
    std::uint64_t log_bytes = 0;   ///< now: of encoded events, counted in each log that holds them

    std::uint64_t accepted = 0; ///< subscriptions
    std::uint64_t refused = 0;  ///< subscriptions, for whatever reason
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;  ///< events handed to subscribers, an event counting for each
    std::uint64_t bytes = 0;      ///< consumed by writers
    std::uint64_t heartbeats = 0; ///< handed to subscribers
    std::uint64_t gaps = 0;       ///< gap events

    // Events that a subscriber did not get, counting for each.
    std::uint64_t skipped = 0;   ///< lost behind a lagging subscriber, and reported by a gap event
    std::uint64_t coalesced = 0; ///< replaced by a newer event of their key
    std::uint64_t filtered = 0;  ///< not wanted

    // Streams that ended, by stream_end.
    std::uint64_t lagged = 0;
    std::uint64_t detached = 0;
    std::uint64_t stalled = 0;
    std::uint64_t expired = 0;
    std::uint64_t evicted = 0;
    std::uint64_t topic_closed = 0;
    std::uint64_t flushed = 0; ///< after hub::close, with every byte
    std::uint64_t cut = 0;     ///< after hub::close, with bytes left

    std::uint64_t max_lag = 0; ///< most events that a subscriber has been behind in a topic
};

} // namespace ssekit

#endif
