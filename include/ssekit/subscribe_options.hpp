// SPDX-License-Identifier: MIT
//
// What a stream is configured with, and the names for what becomes of it.
#ifndef SSEKIT_SUBSCRIBE_OPTIONS_HPP
#define SSEKIT_SUBSCRIBE_OPTIONS_HPP

#include <ssekit/detail/base/temporary_text.hpp>
#include <ssekit/framing.hpp>
#include <ssekit/time.hpp>
#include <ssekit/topic_list.hpp>
#include <ssekit/waker.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// Where a stream begins when the client brings no Last-Event-ID.
enum class start_point : std::uint8_t {
    live,     ///< with the next event
    earliest, ///< with the oldest event kept
    /// With the newest event of each key (`hub::publish`), in the order of publishing; then with
    /// the next event. What a filter does not want is left out, not replaced by an older one. Keep
    /// the newest of each key however long ago it was: `retention::values`.
    newest_of_each_key,
};

/// What follows the gap event when a Last-Event-ID cannot be resumed from.
enum class gap_policy : std::uint8_t {
    earliest,           ///< everything that is kept
    live,               ///< the next event
    refuse,             ///< nothing: subscribe returns errc::replay_refused
    newest_of_each_key, ///< as start_point has it
    /// No gap event: where some of what was missed is no longer kept, the stream is fed it from a
    /// log that has more (event_ids::by_sequence): subscription::needs. Else as `earliest`.
    fetch,
};

/// What happens to a subscriber whose next event the log no longer has, or that is behind by more
/// than its `subscribe_options::max_lag`. Whatever stands before a gap event is whole: no event is
/// ever torn.
enum class lag_policy : std::uint8_t {
    disconnect,     ///< the stream ends, abruptly; the client may come back with its id
    detach,         ///< a proper end; the client is told to wait `hub_options::detach_retry`
    skip_to_oldest, ///< a gap event, then the oldest event within the bounds
    skip_to_newest, ///< a gap event, then the newest event
    coalesce,       ///< passes over events that a newer one of the same key replaces, always; where
                    ///< anything else is lost, as skip_to_oldest
    newest_of_each_key, ///< a gap event, then as start_point has it
};

/// What a Last-Event-ID was worth.
enum class resumption : std::uint8_t {
    fresh,     ///< the client brought none
    resumed,   ///< nothing is missing, or what is will be fed: gap_policy::fetch
    malformed, ///< not an id of any hub
    unknown, ///< of another hub, or of an earlier run; of no event kept, where publishers give ids
    expired, ///< some of what was missed is no longer kept
    future,  ///< after the newest event: not given out by this hub
};

/// Why a stream has ended.
enum class stream_end : std::uint8_t {
    open,          ///< it has not
    lagged,        ///< lag_policy::disconnect
    detached,      ///< lag_policy::detach
    stalled,       ///< `hub_options::write_deadline`: drop the connection, bytes are left behind
    expired,       ///< its maximum age
    evicted,       ///< hub::evict
    topic_closed,  ///< hub::close_topic, for all its topics
    closed,        ///< hub::close
    cut,           ///< `close_options::deadline`, or the hub is gone: bytes may be left behind
    out_of_memory, ///< for this subscriber
    replaced,      ///< another stream of its tag took its place: full_tag::oldest_gives_way
};

/// Whether events or bytes were lost for the stream: the connection is to be dropped then, since a
/// proper end of the response would say that it is whole.
[[nodiscard]] constexpr bool is_abrupt(stream_end how) noexcept {
    return how == stream_end::lagged || how == stream_end::stalled || how == stream_end::cut ||
           how == stream_end::out_of_memory;
}

/// How far a subscriber may be behind in a topic before its lag_policy applies. Zero: as far as the
/// log reaches. The newest event is always within bounds. Where the policy ends a stream, what the
/// stream begins with does not count, however much or old that is, so a client that comes back for
/// it gets it.
struct lag_bound {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::chrono::milliseconds age = {}; ///< less than zero: only the newest event

    [[nodiscard]] constexpr bool is_set() const noexcept {
        return events != 0 || bytes != 0 || age.count() != 0;
    }
};

/// What a filter sees of an event. Lifetime: until the filter returns.
struct event_summary {
    std::string_view topic; ///< where it was published first; the tag of what went to a tag
    std::string_view type;
    std::string_view key;
    std::uint64_t offset;
};

/// Whether a subscriber wants an event. It is asked when the event is about to leave, perhaps more
/// than once, and never calls the hub. Its answer depends on the event alone. Lifetime: what
/// it refers to outlives the subscription.
using event_filter = callback<bool(const event_summary& event)>;

/// A view of a text that may be kept in an options struct: it is not made of a temporary string,
/// which would be gone before it is read. Lifetime: that of the text.
class kept_text_view : public std::string_view {
  public:
    constexpr kept_text_view() noexcept = default;
    template <class Text>
    requires(!detail::temporary_text<Text> &&
             std::convertible_to<const Text&,
                                 std::string_view>) constexpr kept_text_view(Text&& text) noexcept
        : std::string_view(text) {}
    template <detail::temporary_text Text>
    kept_text_view(Text&& temporary) = delete; // name it first: it would be gone too soon
};

/// Lifetime: the names, the tag and the id are views, and are read by `subscribe` alone.
struct subscribe_options {
    /// Exact names; several are merged in the order of publishing.
    kept_topic_list topics = {};
    /// Refuses the stream with errc::no_such_topic if one of `topics` is not there: nobody has
    /// published to it, reads it or keeps it, or it is forgotten. `hub::keep` makes one that has no
    /// events yet. Patterns and the tag need not be there.
    bool must_exist = false;
    /// Topics by pattern, now and in future: "*" stands for one segment between slashes, and "**"
    /// at the end for one or more. Names that clients choose belong in `topics`, never here.
    kept_topic_list patterns = {};
    /// Whose stream this is, such as a user or a session; what is published to the tag comes here
    /// too.
    kept_text_view tag = {};

    /// What the client sent, as it came.
    kept_text_view last_event_id = {};
    start_point start = start_point::live;
    gap_policy on_gap = gap_policy::earliest;
    lag_policy on_lag = lag_policy::disconnect;
    lag_bound max_lag = {};

    event_filter filter = {};
    /// New events leave together, at most once per this time, and of each key only the newest. What
    /// is held back meanwhile does not count as lag.
    std::chrono::milliseconds throttle = {};
    /// Instead of `hub_options::heartbeat`'s interval; zero: none. It is accurate to within a 32nd
    /// of the shortest of that interval, the write deadline and the maximum age.
    std::optional<std::chrono::milliseconds> heartbeat = {};
    /// How long the stream may live, without jitter: the rest of a token's life, for instance.
    /// `hub_options::max_age` counts as well, and the smaller one wins. Zero or less:
    /// errc::expired.
    std::optional<std::chrono::milliseconds> max_age = {};
    /// The same as a point in time; the earlier of the two counts. One that has passed:
    /// errc::expired. `subscription::expire_at` changes it.
    std::optional<time_point> expires_at = {};

    ssekit::framing framing = framing::raw;
    /// What `hub::next_ready` returns for this subscriber; null when a waker is given instead, or
    /// when the owner asks without being told.
    void* user = nullptr;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
