// SPDX-License-Identifier: MIT
#ifndef SSEKIT_HUB_METRICS_HPP
#define SSEKIT_HUB_METRICS_HPP

#include <ssekit/errc.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI {

/// How often something was refused, by its reason.
class refusal_counts {
  public:
    static constexpr std::size_t reasons = 64; ///< no errc has a larger number

    [[nodiscard]] std::uint64_t operator[](errc reason) const noexcept {
        return counts_[static_cast<std::size_t>(reason)];
    }
    /// Effects: counts the reason, unless it is errc::ok. \returns the reason.
    errc count(errc reason) noexcept {
        if (reason != errc::ok) ++counts_[static_cast<std::size_t>(reason)];
        return reason;
    }

  private:
    std::array<std::uint64_t, reasons> counts_{};
};

/// What `hub::metrics` returns. Counts since the hub was made, except those that say "now".
struct hub_metrics {
    std::uint64_t subscribers = 0; ///< now
    std::uint64_t topics = 0;      ///< now: names and patterns
    std::uint64_t tags = 0;        ///< now
    std::uint64_t log_bytes = 0;   ///< now: of encoded events, counted in each log that holds them

    std::uint64_t values = 0; ///< now: the newest of each key that are kept

    std::uint64_t accepted = 0; ///< subscriptions
    std::uint64_t refused = 0;  ///< subscriptions, for whatever reason
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;  ///< events handed to subscribers, each event once per subscriber
    std::uint64_t bytes = 0;      ///< consumed by writers
    std::uint64_t heartbeats = 0; ///< handed to subscribers
    std::uint64_t gaps = 0;       ///< gap events

    // Of a sequence (event_ids::by_sequence): the hub's newest offset now, and what has become of
    // those that were not published here.
    std::uint64_t newest_offset = 0;
    std::uint64_t passed_offsets = 0; ///< nobody's here: marks, topics that there is no room for
    std::uint64_t lost_offsets = 0;   ///< not had, and told as gaps: jumps, hub::lose
    std::uint64_t epochs = 0;         ///< begun in place: hub::begin_epoch

    // Streams that are fed from below the logs: gap_policy::fetch.
    std::uint64_t fetching = 0; ///< now: have not come up to the hub's own events
    std::uint64_t fetches = 0;  ///< begun
    std::uint64_t fed = 0;      ///< events of those in `delivered`

    // Events that a subscriber did not get, once per subscriber.
    std::uint64_t skipped = 0;   ///< lost because a subscriber lagged, and reported by a gap event
    std::uint64_t coalesced = 0; ///< replaced by a newer event of their key
    std::uint64_t filtered = 0;  ///< not wanted
    /// Gone, or out of bounds, before it was read: hub_options::keep_transient. Counted once in
    /// each of its topics.
    std::uint64_t transient_lost = 0;

    std::uint64_t values_gone = 0; ///< events that `retention::values` let go, once per log
    std::uint64_t snapshots = 0;   ///< streams that were begun with the newest of each key, or went
                                   ///< on with it after a gap

    // Streams that ended, by stream_end.
    std::uint64_t lagged = 0;
    std::uint64_t detached = 0;
    std::uint64_t stalled = 0;
    std::uint64_t expired = 0;
    std::uint64_t evicted = 0;
    std::uint64_t replaced = 0;
    std::uint64_t topic_closed = 0;
    std::uint64_t flushed = 0; ///< after hub::close, with every byte
    std::uint64_t cut = 0;     ///< after hub::close, with bytes left

    // Topics and tags that nobody read and that had to go; the last that was used goes last.
    std::uint64_t topics_made_way = 0;  ///< for a new one: `hub_options::max_topics`, `max_tags`
    std::uint64_t topics_timed_out = 0; ///< `hub_options::keep_idle`

    // Tags that come and go, where hub_options::presence is set.
    std::uint64_t tags_present = 0; ///< now, with those in their grace
    std::uint64_t presence_came = 0;
    std::uint64_t presence_gone = 0;
    std::uint64_t presence_returned = 0;  ///< within their grace: nothing was told
    std::uint64_t presence_cut_short = 0; ///< of the grace of tags, for want of room or memory
    std::uint64_t presence_lost = 0;      ///< presence events not published; see refused_events

    refusal_counts refused_streams; ///< subscriptions, by reason
    refusal_counts refused_events;  ///< published or sent, by reason

    std::uint64_t max_lag = 0; ///< most events that a subscriber has been behind in a topic
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
