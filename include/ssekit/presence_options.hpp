// SPDX-License-Identifier: MIT
//
// Who is there: a tag is present from its first stream on until its last one has ended and a grace
// is over, in which it may come back unnoticed. So neither a reload nor a lost connection is a
// departure, and a storm of them tells nobody anything.
//
// A stream counts until it ends, for whatever reason: one that was evicted, has expired, lagged or
// stalled has left. A connection that is dead without anybody having noticed is there until
// `hub_options::write_deadline`. A stream that takes the place of another one of its tag changes
// nothing.
//
// A hub that ends does not say that everybody has left: from hub::close or cut on, and when it is
// destroyed, nothing is told, and nobody is waited for any more.
#ifndef SSEKIT_PRESENCE_OPTIONS_HPP
#define SSEKIT_PRESENCE_OPTIONS_HPP

#include <ssekit/event.hpp>
#include <ssekit/subscribe_options.hpp>
#include <ssekit/waker.hpp>

#include <chrono>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// Called when a tag has come and when it has gone. It only posts or notifies, and never calls the
/// hub. Lifetime: the tag, until it returns.
using presence_hook = callback<void(std::string_view tag, bool present)>;

struct presence_options {
    presence_hook on_change = {};
    /// The topic to which each change is published: {"tag":"ann","present":true}, with the tag as
    /// its key, so that lag_policy::coalesce and throttles keep the newest of each tag; a departure
    /// removes the key, so a stream that begins with the newest of each key gets all that are
    /// there, as far as `retention::values` of the topic reaches. "": none. What cannot be
    /// published, because there is no memory, the topic is closed or the hub does not give the ids
    /// (event_ids::by_publisher, by_sequence), is counted: `hub_metrics::presence_lost`,
    /// `refused_events`. Lifetime: what it views outlives the hub.
    kept_text_view topic = {};
    event_type type = "presence"; ///< of these events
    /// How long a tag without streams is still there; zero or less: it has gone at once. As many
    /// tags as `hub_options::max_tags` may be in their grace; then that of the oldest is cut short,
    /// and without memory that of the new one: `hub_metrics::presence_cut_short`.
    std::chrono::milliseconds grace = std::chrono::seconds(10);
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
