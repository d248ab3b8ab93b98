// SPDX-License-Identifier: MIT
//
// What a hub and a subscription are told, and what they tell.
#ifndef SSEKIT_HUB_OPTIONS_HPP
#define SSEKIT_HUB_OPTIONS_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/heartbeat.hpp>
#include <ssekit/time.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace ssekit {

/// Where a stream begins when the client brings no Last-Event-ID.
enum class start_point : std::uint8_t {
    live,     ///< with the next event
    earliest, ///< with the oldest event kept
};

/// What follows the gap event when a Last-Event-ID can not be resumed from.
enum class gap_policy : std::uint8_t {
    earliest, ///< everything that is kept
    live,     ///< the next event
    refuse,   ///< nothing: subscribe returns errc::replay_refused
};

/// What happens to a subscriber that the log has left behind, or that is behind by more than its
/// `subscribe_options::max_lag`. What a gap event follows is whole: no event is ever torn.
enum class lag_policy : std::uint8_t {
    disconnect,     ///< the stream ends; the client may come back with its id
    detach,         ///< as disconnect, and the client is told to wait `hub_options::detach_retry`
    skip_to_oldest, ///< a gap event, then the oldest event within the bounds
    skip_to_newest, ///< a gap event, then the newest event
    coalesce,       ///< passes over events that a newer one of the same key replaces, always; where
                    ///< anything else is lost, as skip_to_oldest
};

/// What a Last-Event-ID was worth.
enum class resumption : std::uint8_t {
    fresh,     ///< the client brought none
    resumed,   ///< nothing is missing
    malformed, ///< not an id of any hub
    unknown, ///< of another hub, or of an earlier run; of no event kept, where publishers give ids
    expired, ///< some of what was missed is no longer kept
    future,  ///< behind the newest event: not given out by this hub
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
    closed,        ///< hub::close, or the hub is gone
    cut,           ///< `close_options::deadline`: drop the connection, bytes are left behind
    out_of_memory, ///< for this subscriber
};

/// Whether the stream broke off and bytes were left behind: the connection is to be dropped, since
/// a proper end of the response would say that it is whole.
[[nodiscard]] constexpr bool is_abrupt(stream_end how) noexcept {
    return how == stream_end::stalled || how == stream_end::cut || how == stream_end::out_of_memory;
}

/// Who gives events their ids.
enum class event_ids : std::uint8_t {
    by_hub,       ///< "epoch.offset"
    by_publisher, ///< each event brings its own, found again in the log by an index
    by_sequence,  ///< an event_sequence that several hubs share: hub::publish_sequenced
};

/// Told when a topic's first subscriber has come and when its last one has gone, so that a source
/// runs only while somebody listens. It only posts or notifies, and never calls the hub. A pattern
/// is told of by its own text.
struct topic_hook {
    void (*call)(void* context, std::string_view topic, bool listened_to) noexcept = nullptr;
    void* context = nullptr;
};

struct hub_options {
    retention keep = {}; ///< of each topic, unless hub::keep says otherwise
    /// Of what is published to a tag; by age, because nobody else clears up behind users.
    retention keep_tagged = {.events = 64, .bytes = 64 << 10, .age = std::chrono::minutes(5)};
    event_ids ids = event_ids::by_hub;

    /// Silence that a heartbeat fills; an interval of zero switches heartbeats off.
    heartbeat_options heartbeat = {};
    /// The type of heartbeats as events without text; "": they are comments, which clients skip.
    event_type heartbeat_type = "";
    /// A stream whose bytes do not leave for so long is ended; zero: never.
    std::chrono::milliseconds write_deadline = std::chrono::seconds(60);
    /// A stream this old is ended, so that its client comes back through load balancer and
    /// authentication; zero: never.
    std::chrono::milliseconds max_age = {};
    unsigned max_age_jitter = 10; ///< how much earlier, in percent, 0 to 50

    /// Sent to every subscriber at the start of its stream, unless it is negative.
    std::optional<std::chrono::milliseconds> retry = {};
    /// The reconnection time that lag_policy::detach gives.
    std::chrono::milliseconds detach_retry = std::chrono::seconds(5);

    std::size_t max_subscribers = std::size_t{1} << 20;
    std::size_t max_subscribers_per_topic = std::numeric_limits<std::size_t>::max();
    std::size_t max_subscribers_per_tag = std::numeric_limits<std::size_t>::max();
    /// Counts topics that have events or subscribers, and patterns that have subscribers. Where
    /// clients choose the names, admit only names that you know: each new one takes a place until
    /// its last subscriber has left and its events have gone.
    std::size_t max_topics = 1024;
    std::size_t max_tags = std::size_t{1} << 20;
    std::size_t max_topic_length = 256; ///< bytes of the name of a topic, pattern or tag
    std::size_t max_sent = 64;          ///< events that wait to be read after subscription::send

    /// The type of the event that reports a gap. Lifetime: what it views outlives the hub.
    event_type gap_type = "gap";
    topic_hook on_topic = {};
};

/// One topic, or several: `"orders"`, or an array, vector or span of std::string_view.
/// Lifetime: borrows what it is made of.
class topic_list {
  public:
    constexpr topic_list() noexcept = default;
    template <class T>
    requires std::convertible_to<const T&, std::string_view>
    constexpr topic_list(const T& one) noexcept : one_(one), single_(true) {}
    template <class T>
    requires std::convertible_to<const T&, std::span<const std::string_view>>
    constexpr topic_list(const T& several) noexcept : several_(several) {}

    [[nodiscard]] constexpr std::span<const std::string_view> names() const noexcept {
        return single_ ? std::span(&one_, 1) : several_;
    }

  private:
    std::string_view one_;
    std::span<const std::string_view> several_;
    bool single_ = false;
};

/// How far a subscriber may be behind in a topic before its lag_policy speaks. Zero: as far as the
/// log reaches. The newest event is always within bounds.
struct lag_bound {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::chrono::milliseconds age = {};

    [[nodiscard]] constexpr bool is_set() const noexcept {
        return events != 0 || bytes != 0 || age.count() > 0;
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
/// than once, and never calls the hub. Lifetime: `context` outlives the subscription.
struct event_filter {
    bool (*wants)(void* context, const event_summary& event) noexcept = nullptr;
    void* context = nullptr;
};

struct subscribe_options {
    /// Exact names; several are merged in the order of publishing.
    topic_list topics = {};
    /// Topics by pattern, now and in future: "*" stands for one segment between slashes, and "**"
    /// at the end for one or more. Names that clients choose belong into `topics`, never here.
    topic_list patterns = {};
    /// Whose stream this is, a user or session; what is published to the tag comes here too.
    std::string_view tag = {};

    /// What the client sent, as it came.
    std::string_view last_event_id = {};
    start_point start = start_point::live;
    gap_policy on_gap = gap_policy::earliest;
    lag_policy on_lag = lag_policy::disconnect;
    lag_bound max_lag = {};

    event_filter filter = {};
    /// New events leave together, at most once in so long, and of each key only the newest.
    std::chrono::milliseconds throttle = {};
    /// In place of `hub_options::heartbeat`'s interval; zero: none. It is right to within a 32nd of
    /// the shortest of that interval, the write deadline and the maximum age.
    std::optional<std::chrono::milliseconds> heartbeat = {};
    /// In place of `hub_options::max_age`, without jitter: the life of a token, say; zero: never.
    std::optional<std::chrono::milliseconds> max_age = {};

    ssekit::framing framing = framing::raw;
    /// What `hub::next_ready` returns for this subscriber; null when a waker is given instead, or
    /// when the owner asks unreported.
    void* user = nullptr;
};

/// How a subscriber is woken up. What it calls only posts or notifies; it never calls the hub.
class waker {
  public:
    constexpr waker() noexcept = default;
    constexpr waker(void (*wake)(void*) noexcept, void* context) noexcept
        : wake_(wake), context_(context) {}

    [[nodiscard]] constexpr explicit operator bool() const noexcept { return wake_ != nullptr; }
    void operator()() const noexcept { wake_(context_); }

  private:
    void (*wake_)(void*) noexcept = nullptr;
    void* context_ = nullptr;
};

struct close_options {
    /// The last event of every stream; without data, none. An id in it is left out.
    event_view farewell = {};
    /// Each client is told a reconnection time of its own between these, so that they do not all
    /// come back in the same moment. Both zero: none.
    std::chrono::milliseconds retry_min = {};
    std::chrono::milliseconds retry_max = {};
    /// After so long, streams that still have bytes are cut; zero: never.
    std::chrono::milliseconds deadline = {};
};

struct publish_result {
    std::uint64_t offset; ///< of the event, for `hub::id_of`
    errc ec;
};

/// One stream as `hub::for_each_subscriber` shows it. Lifetime: the views, until the hub is called
/// again.
struct subscriber_info {
    std::uint64_t id;       ///< never given twice by a hub: what `hub::evict` takes
    void* user;             ///< subscribe_options::user
    std::string_view topic; ///< the first of its topics
    std::string_view tag;
    time_point connected_at;
    time_point last_write;    ///< bytes were given out, or some of them left
    time_point last_progress; ///< bytes left; times are right to within 17 ms
    std::uint64_t bytes;      ///< that have left, modulo 2^48
    std::uint64_t events;     ///< given out, modulo 2^32
    std::uint64_t lag_events; ///< not given out yet, in all topics
    std::uint64_t lag_bytes;
    stream_end end;
};

/// One topic as `hub::for_each_topic` shows it. Lifetime: as above.
struct topic_info {
    std::string_view name;
    std::size_t subscribers;
    std::size_t events; ///< kept
    std::size_t bytes;  ///< kept
    bool pattern;
    bool closed;
};

} // namespace ssekit

#endif
