// SPDX-License-Identifier: MIT
#ifndef SSEKIT_RELAY_OPTIONS_HPP
#define SSEKIT_RELAY_OPTIONS_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/waker.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// What has become of a published event.
struct relay_outcome {
    /// ok: it is in the log, as durable as the engine has promised. not_stored: the engine does not
    /// take it, `why` says why. in_doubt: the log has another term, and the old one may have had
    /// it. closed: the relay was closed before it could be stored.
    errc ec = errc::ok;
    /// Of ok. The offset is 0 where the event was stored by an earlier attempt, and the log does
    /// not say where.
    event_place id = {};
    bool repeated = false;     ///< of ok: it was there already
    std::string_view why = {}; ///< Lifetime: the call.
};

/// How a publisher learns it: on the thread that calls `relay::turn`, once for each event.
using relay_done = callback<void(const relay_outcome&)>;

/// What can be said of one event that is published.
struct relay_publish_options {
    /// Names the request from outside that asked for the event, an Idempotency-Key for instance:
    /// the same one within `once_for`, on whatever node, is one event. "" for none.
    std::string_view once = {};
    std::chrono::milliseconds once_for = std::chrono::hours(24);
    relay_done done = {}; ///< Lifetime: what it calls outlives the call, or the relay.
};

struct relay_options {
    /// A name that no other run of any node has. "" for one by chance.
    std::string producer = {};

    /// Events that wait to be stored, and their bytes: more are refused with errc::queue_is_full.
    std::size_t max_queue = 10'000;
    std::size_t max_queue_bytes = std::size_t{16} << 20;
    /// Events that are stored together, at most, and their bytes.
    std::size_t max_batch = 256;
    std::size_t max_batch_bytes = std::size_t{1} << 20;
    /// How long the first event of a batch waits for others. Without it a batch is what has come
    /// while the last one was being stored.
    std::chrono::milliseconds gather{0};

    /// Newest records that a node which starts gives to its hub, before it is ready: what the hub
    /// keeps, mostly.
    std::uint64_t ring = 1000;
    /// Records read together, at most.
    std::uint64_t page = 1000;
    /// Bytes that have been read and wait for `turn`: beyond it, reading waits.
    std::size_t max_inbox_bytes = std::size_t{4} << 20;
    /// What one `turn` gives to the hub, at most: records, and their bytes.
    std::size_t turn_records = 256;
    std::size_t turn_bytes = std::size_t{1} << 20;

    /// Records that the log keeps: this relay trims it now and then. 0: it never does.
    std::uint64_t keep = 0;

    /// Waits after the engine was away: they begin at the first, double, and vary by chance.
    std::chrono::milliseconds retry_min{20};
    std::chrono::milliseconds retry_max{2000};
    /// How often, while nothing comes, the hub is told that there is nothing: streams whose clients
    /// have an id that the log never gave learn it then.
    std::chrono::milliseconds remind{1000};
    /// How long a thread waits for records before it looks whether the relay ends.
    std::chrono::milliseconds wait{200};
};

/// What `relay::metrics` returns. Counts since the relay was made, except those that say "now".
struct relay_metrics {
    std::uint64_t lag = 0;         ///< now: records that the log has and the hub does not yet
    std::uint64_t queue = 0;       ///< now: events that wait to be stored
    std::uint64_t queue_bytes = 0; ///< now

    std::uint64_t published = 0; ///< accepted by `publish`
    std::uint64_t stored = 0;
    std::uint64_t repeated = 0;   ///< were stored already: by an earlier attempt, or by `once`
    std::uint64_t not_stored = 0; ///< refused by the engine
    std::uint64_t in_doubt = 0;   ///< nobody will know
    std::uint64_t retried = 0;    ///< appends that were made again
    std::uint64_t queue_full = 0; ///< refused by `publish`

    std::uint64_t received = 0;      ///< records given to the hub
    std::uint64_t history_pages = 0; ///< read for streams that have missed more than the hub has
    std::uint64_t lost = 0;          ///< records that were trimmed before they could be read
    std::uint64_t term_changes = 0;  ///< acknowledged records may have been gone
    std::uint64_t connects = 0;      ///< of the reader
    std::uint64_t failures = 0;      ///< calls that found the engine away

    // Records that were skipped.
    std::uint64_t not_records = 0; ///< entry_fault::empty
    std::uint64_t newer = 0;       ///< entry_fault::newer
    std::uint64_t malformed = 0;   ///< entry_fault::malformed
    std::uint64_t not_taken = 0;   ///< refused by the hub: see its metrics
};

struct relay_health {
    /// The hub has what it needs, so clients may come. Before that answer 503 with Retry-After.
    bool ready = false;
    /// The last call of each thread has found the engine. Else what is published waits, and what
    /// others publish does not come.
    bool connected = false;
    std::string error = {}; ///< what was wrong at last, in the engine's words
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
