// SPDX-License-Identifier: MIT
//
// What a hub is configured with, and what it reports.
#ifndef SSEKIT_HUB_OPTIONS_HPP
#define SSEKIT_HUB_OPTIONS_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/heartbeat.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/presence_options.hpp>
#include <ssekit/retention.hpp>
#include <ssekit/subscribe_options.hpp>
#include <ssekit/time.hpp>
#include <ssekit/topic_list.hpp>
#include <ssekit/waker.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// Where events get their ids.
enum class event_ids : std::uint8_t {
    by_hub,       ///< "epoch.offset"
    by_publisher, ///< each event brings its own, unlike any other's: `hub_options::id_less`
    by_sequence,  ///< an event_sequence that several hubs share: hub::publish_sequenced
    none,         ///< events have none, for clients that stumble over them; nothing is resumed
};

/// The first block of a stream. It has the id to come back with, so that nothing is lost even when
/// the stream is cut before its first event, and `hub_options::retry`.
enum class opening_form : std::uint8_t {
    /// Without data: it dispatches nothing. Clients that overlook blocks without data learn the id
    /// with the first event only.
    quiet,
    /// Where it has an id, with empty data, so that those learn it as well. A browser's page gets a
    /// message without text.
    empty_data,
    /// An event of the type `hub_options::opening_type` that says what the Last-Event-ID was worth,
    /// and the id to come back with: {"resumption":"resumed","cursor":"1k.7"}. The words are those
    /// of ssekit::resumption. It stands in place of the gap event that the stream would begin with.
    verdict,
};

/// Whether an id comes before another one.
using id_order = callback<bool(std::string_view, std::string_view)>;

/// \returns the order of ids that are numbers without leading zeros.
[[nodiscard]] inline id_order numeric_ids() noexcept {
    return [](std::string_view a, std::string_view b) noexcept {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    };
}

/// Called when a topic's first subscriber has come and when its last one has gone, so that a source
/// runs only while somebody listens. It only posts or notifies, and never calls the hub. A pattern
/// is named by its own text.
using topic_hook = callback<void(std::string_view topic, bool listened_to)>;

/// A stream that has to be fed from a log beyond the hub: gap_policy::fetch.
struct history_need {
    std::uint64_t stream; ///< what hub::feed takes
    event_place after;    ///< it has all that came up to here
};

/// Called when a stream begins to need history, or needs more, once until it is fed or asked for
/// again. It only posts or notifies, and never calls the hub.
using history_hook = callback<void(const history_need&)>;

/// What happens to a new stream whose tag has `hub_options::max_subscribers_per_tag` already.
enum class full_tag : std::uint8_t {
    refuse,           ///< it is refused with errc::tag_is_full
    oldest_gives_way, ///< it takes the place of the oldest one, which ends: stream_end::replaced
};

struct hub_options {
    retention keep = {}; ///< of each topic, unless hub::keep says otherwise
    /// Of what is published to a tag; bounded by age, because users go without saying so.
    retention keep_tagged = {.events = 64, .bytes = 64 << 10, .age = std::chrono::minutes(5)};
    /// Of what hub::publish_transient publishes, for streams that have yet to read it: of each
    /// topic, pattern and tag, while somebody reads that. Nothing that is as old as `age` is given
    /// out, not even the newest.
    retention keep_transient = {.events = 64, .bytes = 64 << 10, .age = std::chrono::seconds(5)};
    /// A topic or tag that nobody reads is forgotten when it has not been used for this long, that
    /// is, when nothing was published to it, no stream left it, and it was not closed; even if it
    /// is closed and its `keep_for` is longer. Zero: no bound. Less than zero: at the next tick.
    /// What is read, or kept by hub::keep, stays. What goes is remembered, so that a client that
    /// has missed something is told of a gap: see `max_forgotten`.
    std::chrono::milliseconds keep_idle = {};

    event_ids ids = event_ids::by_hub;
    /// event_ids::by_publisher: where it is given, ids have to grow, and a client may come back
    /// with any of them; without it, only with one of the last `max_ids`.
    id_order id_less = {};
    std::size_t max_ids = std::size_t{1} << 16; ///< ids of publishers that are remembered
    std::size_t max_id_length = 1024;           ///< bytes: longer ones may not fit a request's head
    /// event_ids::by_sequence: how far ahead of this hub an id may be that another one has given
    /// out; one that is further ahead is resumption::future.
    std::uint64_t max_ahead = 1024;
    /// event_ids::by_sequence: the hub is given only events of topics, patterns and tags that are
    /// read: from the first reader (`on_topic`) to the last. What one has had while nobody read it
    /// is not known, so a client that comes back for it as the first, with an id before the newest
    /// here, is told of a gap, or is fed: gap_policy::fetch. Whoever reads the log for the hub goes
    /// on after `hub::newest` each time that this set grows, and says what came before each event:
    /// sequenced_event::previous.
    bool by_interest = false;
    /// gap_policy::fetch: how much may wait in a stream that is fed. It needs more when no more
    /// than half of so many events are left. One event may be larger than all that.
    std::size_t max_fed = 512;
    std::size_t max_fed_bytes = std::size_t{1} << 20;
    history_hook on_need = {};
    /// What happens to bytes that are not UTF-8 in what is published or sent.
    utf8_policy utf8 = utf8_policy::pass_through;
    field_order order = field_order::id_first; ///< of the lines of each event
    /// The form of the hub's comments: heartbeats, and the byte that a stream begins with where it
    /// has neither id nor retry to begin with.
    comment_form comments = comment_form::block;

    /// Silence that a heartbeat fills; an interval of zero or less switches heartbeats off.
    heartbeat_options heartbeat = {};
    /// The type of heartbeats as events; "": they are comments, which clients skip.
    event_type heartbeat_type = "";
    /// The text of those events, for readers that stumble over an empty one: {"type":"ping"}.
    /// Lifetime: what it views outlives the hub.
    kept_text_view heartbeat_data = {};
    /// Where a stream has received nothing while the hub went on, the heartbeat carries the id to
    /// come back with. It dispatches nothing. Clients that overlook blocks without data stay at the
    /// id they have.
    bool heartbeat_id = true;
    /// A stream none of whose bytes leave for this long is ended; zero: never.
    std::chrono::milliseconds write_deadline = std::chrono::seconds(60);
    /// A stream this old is ended, so that its client comes back through load balancer and
    /// authentication. Zero or less: every stream is refused with errc::expired.
    std::optional<std::chrono::milliseconds> max_age = {};
    unsigned max_age_jitter = 10; ///< how much earlier, in percent, 0 to 50

    /// Sent to every subscriber at the start of its stream, unless it is negative. This and the
    /// reconnection times below are brought between `shortest_retry` and `longest_retry`.
    std::optional<std::chrono::milliseconds> retry = {};
    opening_form opening = opening_form::quiet;
    event_type opening_type = "opening"; ///< of opening_form::verdict
    /// The type of an event that follows what a stream begins with, that is, the newest of each key
    /// or what its client has missed: the reader is up to date. Its data is {"cursor":"1.57"},
    /// which is its id too, or {} where there are no ids. "": there is none.
    event_type caught_up_type = "";
    /// The type of an event that is the last of each stream that ends properly, after the farewell
    /// of hub::close, so that a client can tell its end from a cut: {"reason":"expired"}. The
    /// reasons are the words of stream_end. "": there is none.
    event_type end_type = "";
    /// The reconnection time that lag_policy::detach gives.
    std::chrono::milliseconds detach_retry = std::chrono::seconds(5);

    /// Between these lies the reconnection time for a client that is refused: hub::refused_retry.
    std::chrono::milliseconds refused_retry_min = std::chrono::seconds(2);
    std::chrono::milliseconds refused_retry_max = std::chrono::seconds(10);

    std::size_t max_subscribers = std::size_t{1} << 20;
    std::size_t max_subscribers_per_topic = (std::numeric_limits<std::size_t>::max)();
    std::size_t max_subscribers_per_tag = (std::numeric_limits<std::size_t>::max)();
    full_tag on_full_tag = full_tag::refuse;
    /// The type of the last event, without text, of a stream that gives way; "": there is none. A
    /// page that gets it may close its event source, and offer to come back.
    event_type give_way_type = "";
    /// How long the client of such a stream is told to wait before it comes back. Two clients that
    /// both come back by themselves would take the place from each other for ever. So the wait
    /// doubles each time that this happens within twice the last one, up to `give_way_retry_max`.
    /// Zero or less: nothing is told.
    std::chrono::milliseconds give_way_retry = std::chrono::seconds(5);
    std::chrono::milliseconds give_way_retry_max = std::chrono::hours(1);
    /// Counts topics that have events or subscribers, and patterns that have subscribers. A new one
    /// takes the place of that which was used longest ago among those that nobody reads; see
    /// `keep_idle`. What is read, or kept by hub::keep, never goes. Where clients choose the names,
    /// admit only names that you know (`subscribe_options::must_exist`): what they read stays as
    /// long as they do.
    std::size_t max_topics = 1024;
    std::size_t max_tags = std::size_t{1} << 20; ///< in the same way
    std::size_t max_topic_length = 256;          ///< bytes of the name of a topic, pattern or tag
    /// How many topics, and how many tags, are remembered once they are gone: only by name and by
    /// how far their events went. A client of one that is no longer remembered may be told of a gap
    /// that it does not have; it is never left without one that it has.
    std::size_t max_forgotten = std::size_t{1} << 14;
    std::size_t max_sent = 64; ///< events that wait to be read after subscription::send

    /// The type of the event that reports a gap. Its data is an object of JSON,
    /// {"reason":"lagged","missed":12,"from":"1k.30","through":"1k.42"}: the missing events came
    /// after the one with the id `from`, and not after the one with the id `through`. A member that
    /// is not known is left out, as `from` is where a client comes back for several topics, and so
    /// are the ids of other topics' events where publishers give ids. Lifetime: what the type views
    /// outlives the hub.
    event_type gap_type = "gap";
    topic_hook on_topic = {};
    /// Who is there, by tags. nullopt: nothing is told, and a tag is there while it has a stream.
    std::optional<presence_options> presence = {};
    /// Where the hub's memory comes from, its frames' included. Lifetime: it outlives the hub, its
    /// subscriptions and all frames.
    memory_resource* memory = heap();
};

struct subscriber_info;

/// Whether a stream is meant. It never calls the hub.
using subscriber_filter = callback<bool(const subscriber_info&)>;

/// Lifetime: everything in it is read by `hub::close` alone.
struct close_options {
    /// The last event of every stream; without data, there is none. An id in it is left out.
    event_view farewell = {};
    /// Each client is told a reconnection time of its own between these, so that they do not all
    /// come back at the same moment. Both zero: none.
    std::chrono::milliseconds retry_min = {};
    std::chrono::milliseconds retry_max = {};
    /// After this long, streams that have not ended are cut, unfinished ones as well; zero: never;
    /// less than zero: at once.
    std::chrono::milliseconds deadline = {};
    /// Topics whose work is not done yet. They go on taking events until they are closed or
    /// forgotten, and a stream that reads one of them by its name, not by a pattern, goes on until
    /// the last of those that it reads is. A name that is not there when the hub closes takes no
    /// events.
    kept_topic_list unfinished = {};
    /// Which streams go on besides, and with them all topics, patterns and tags that they read. A
    /// pattern is never closed: a stream that reads one goes on until it ends for a reason of its
    /// own, or is cut at the deadline.
    subscriber_filter is_unfinished = {};
};

struct [[nodiscard]] publish_result {
    std::uint64_t offset; ///< of the event, for `hub::id_of`
    errc ec;
};

/// What may be published to a topic at once before it drops an event that a reader may not have
/// read; see burst_bound.
struct topic_room {
    std::size_t events;
    std::size_t bytes;
};

/// How far one reader of a topic is behind, as `hub::for_each_reader` shows it.
struct reader_lag {
    std::uint64_t id;     ///< subscriber_info::id
    void* user;           ///< subscribe_options::user
    std::uint64_t events; ///< not given out yet, of this topic; those that it has lost as well
    std::uint64_t bytes;  ///< of those that are kept
};

/// One stream as `hub::for_each_subscriber` shows it. Lifetime: the views, until the hub is called
/// again.
struct subscriber_info {
    std::uint64_t id;       ///< never used twice by a hub: what `hub::evict` takes
    void* user;             ///< subscribe_options::user
    std::string_view topic; ///< the first of its topics; empty once it has ended
    std::string_view tag;   ///< likewise
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
    std::size_t bytes;  ///< kept, with the newest of each key
    std::size_t values; ///< the newest of each key that are kept: `retention::values`
    bool pattern;
    bool closed;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
