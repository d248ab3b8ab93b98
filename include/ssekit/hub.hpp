// SPDX-License-Identifier: MIT
//
// The hub: topics, subscribers, replay, heartbeats.
//
// One log, many cursors. Each topic has one log (event_log.hpp), and a subscriber is a cursor into
// it: publishing appends one frame, whatever the number of subscribers. A cursor that has read
// everything is parked at its topic; the next publish moves all parked cursors at once to the hub's
// ready list, which the event loop then works off with `next_ready`, or fires a subscriber's own
// waker. What a slow subscriber has not read is simply still in the log; when the log has to let it
// go, the subscriber has lagged, and its own policy says what follows. Nobody else notices.
//
// What `prepare` has given out is in the subscriber's hand: those frames stay there until they are
// consumed, so nothing that happens to the log can tear or move them.
//
// Every event gets the id "epoch.offset". The epoch names one run of one hub, so that an id of an
// earlier run is recognised; the offset counts the hub's events. A Last-Event-ID is untrusted: it
// is resumed from, or it is malformed, unknown, expired or from the future; whatever was missed is
// reported by a gap event, never skipped in silence.
//
// The hub reads no clock: `tick` tells it the time, once a turn of the loop.
#ifndef SSEKIT_HUB_HPP
#define SSEKIT_HUB_HPP

#include <ssekit/detail/hub_parts.hpp>
#include <ssekit/detail/random.hpp>
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
#include <optional>
#include <span>
#include <string_view>
#include <utility>

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

/// What happens to a subscriber that the log has left behind.
enum class lag_policy : std::uint8_t {
    disconnect,     ///< the stream ends; the client may come back with its id
    skip_to_oldest, ///< a gap event, then the oldest event kept
    skip_to_newest, ///< a gap event, then the newest event
};

/// What a Last-Event-ID was worth.
enum class resumption : std::uint8_t {
    fresh,     ///< the client brought none
    resumed,   ///< nothing is missing
    malformed, ///< not an id of any hub
    unknown,   ///< of another hub, or of an earlier run
    expired,   ///< some of what was missed is no longer kept
    future,    ///< behind the newest event: not given out by this hub
};

/// Why a stream has ended.
enum class stream_end : std::uint8_t {
    open,         ///< it has not
    lagged,       ///< lag_policy::disconnect
    closed,       ///< hub::close, or the hub is gone
    out_of_memory ///< for this subscriber
};

struct hub_options {
    retention keep = {}; ///< of each topic
    /// Silence that a heartbeat fills; an interval of zero switches heartbeats off.
    heartbeat_options heartbeat = {};
    /// Sent to every subscriber at the start of its stream, unless it is negative.
    std::optional<std::chrono::milliseconds> retry = {};
    std::size_t max_subscribers = std::size_t{1} << 20;
    /// Counts topics that have events or subscribers. Where clients choose the names, admit only
    /// names that you know: each new one takes a place until its last subscriber has left.
    std::size_t max_topics = 1024;
    std::size_t max_topic_length = 256; ///< bytes of a topic's name
    /// The type of the event that reports a gap. Lifetime: what it views outlives the hub.
    event_type gap_type = "gap";
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

struct subscribe_options {
    /// At least one; several are merged in the order of publishing.
    topic_list topics = {};
    /// What the client sent, as it came.
    std::string_view last_event_id = {};
    start_point start = start_point::live;
    gap_policy on_gap = gap_policy::earliest;
    lag_policy on_lag = lag_policy::disconnect;
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

/// One client's stream: a buffers_generator (writer.hpp). Destroying it unsubscribes.
/// Lifetime: it may outlive its hub, and is done then. Thread safety: that of its hub.
class subscription {
  public:
    subscription() noexcept = default;
    subscription(subscription&& other) noexcept : self_(std::exchange(other.self_, nullptr)) {}
    subscription& operator=(subscription&& other) noexcept {
        std::swap(self_, other.self_);
        return *this;
    }
    ~subscription();

    [[nodiscard]] explicit operator bool() const noexcept { return self_ != nullptr; }

    /// As the concept says. When it returns 0 the subscriber is parked and will be reported again.
    std::size_t prepare(std::span<std::string_view> slices) noexcept;
    void consume(std::size_t bytes) noexcept;
    [[nodiscard]] bool is_done() const noexcept;

    /// Effects: has the hub report this subscriber again in the next turn, which `tick` begins: for
    /// an owner who stops draining before the subscription is idle.
    void reschedule() noexcept;

    /// What the Last-Event-ID was worth. It does not change.
    [[nodiscard]] ssekit::resumption resumption() const noexcept;

    /// Why the stream has ended, or stream_end::open. Bytes may still have to leave: see is_done.
    [[nodiscard]] stream_end end() const noexcept;

  private:
    friend class hub;
    explicit subscription(detail::subscriber* self) noexcept : self_(self) {}

    detail::subscriber* self_ = nullptr;
};

struct subscribe_result {
    ssekit::subscription subscription; ///< empty when ec is not errc::ok
    errc ec;
};

struct publish_result {
    std::uint64_t offset; ///< of the event, for `hub::id_of`
    errc ec;
};

struct close_options {
    /// The last event of every stream; without data, none. An id in it is left out.
    event_view farewell = {};
    /// Each client is told a reconnection time of its own between these, so that they do not all
    /// come back in the same moment. Both zero: none.
    std::chrono::milliseconds retry_min = {};
    std::chrono::milliseconds retry_max = {};
};

/// Counts since the hub was made, but for those that say "now".
struct hub_metrics {
    std::uint64_t subscribers = 0; ///< now
    std::uint64_t topics = 0;      ///< now
    std::uint64_t log_bytes = 0;   ///< now, in all topics
    std::uint64_t published = 0;
    std::uint64_t delivered = 0; ///< events handed to subscribers, the same event counting for each
    std::uint64_t bytes = 0;     ///< consumed by writers
    std::uint64_t heartbeats = 0;
    std::uint64_t gaps = 0;   ///< gap events
    std::uint64_t lagged = 0; ///< streams ended by lag_policy::disconnect
};

/// Before anything else, `tick` it once: until then its clock stands at the beginning of time.
/// Thread safety: for one thread, one event loop. Nothing here blocks or does I/O.
/// No function throws; memory that cannot be had is errc::out_of_memory, or ends one stream.
class hub {
  public:
    /// Preconditions: `epoch` differs from every earlier run whose clients may come back: the
    /// system clock's count will do, or a random number.
    explicit hub(std::uint64_t epoch, const hub_options& options = {}) noexcept;
    hub(const hub&) = delete;
    hub& operator=(const hub&) = delete;
    ~hub();

    /// Effects: a new stream. Its first block tells the client the id to come back with, so that
    /// nothing is lost even before the first event. Drain it once now; from then on it is reported:
    /// by `next_ready`, or by `wake` once for each time that it goes from idle to not idle.
    /// \returns errc::closed, invalid_topic, too_many_topics, too_many_subscribers, out_of_memory,
    /// or replay_refused under gap_policy::refuse.
    [[nodiscard]] subscribe_result subscribe(const subscribe_options& options,
                                             waker wake = {}) noexcept;

    /// Effects: appends the event to a topic, or to several as one event: to all of them or to
    /// none, and a subscriber of more than one gets it once. Topics that are new are made. Reports
    /// the idle subscribers. Complexity: O(size of the event + topics), plus the wakers it fires.
    /// \returns errc::closed, invalid_topic, too_many_topics, out_of_memory, id_is_assigned (the
    /// hub gives the ids), nothing_to_send (no data and no retry), or what `encode_to` says.
    publish_result publish(const topic_list& topics, const event_view& event) noexcept;

    /// \returns `subscribe_options::user` of a subscriber that has something to send, each once
    /// until it is idle again, nullptr when there is none. Subscribers without a user are passed
    /// over.
    [[nodiscard]] void* next_ready() noexcept;

    /// Effects: begins a turn of the loop: tells the hub the time, and does what is due, which is
    /// heartbeats, retention by age, and reporting again who was rescheduled in the turn before.
    void tick(time_point now) noexcept;

    /// \returns when `tick` is needed next, or `never`. Safe to repeat; it may move to earlier by
    /// subscribe, publish and reschedule.
    [[nodiscard]] time_point next_deadline() const noexcept;

    /// Effects: takes no more subscribers and events. Every stream still gets what it has not read,
    /// then its reconnection time, then the farewell, and is done. Safe to repeat.
    void close(const close_options& options = {}) noexcept;

    /// How many streams there are, in all or in one topic. A stream counts until its subscription
    /// is destroyed.
    [[nodiscard]] std::size_t subscribers() const noexcept { return subscriber_count_; }
    [[nodiscard]] std::size_t subscribers(std::string_view name) const noexcept;

    /// Complexity: O(topics).
    [[nodiscard]] hub_metrics metrics() const noexcept;

    /// The id on the wire of the event with this offset.
    [[nodiscard]] detail::event_id_text id_of(std::uint64_t offset) const noexcept {
        return {epoch_, offset};
    }

  private:
    friend class subscription;
    using subscriber = detail::subscriber;
    using topic = detail::topic;

    errc find_or_make(std::string_view name, topic*& found) noexcept;
    errc make_room(std::span<const std::string_view> topics) noexcept;
    void report_idle(topic& where) noexcept;
    void forget_if_unused(topic& item) noexcept;
    errc join(subscriber& self, std::span<const std::string_view> topics) noexcept;
    void leave(subscriber& self) noexcept;
    resumption position(subscriber& self, const subscribe_options& options) const noexcept;
    errc open(subscriber& self) noexcept;
    void signal(subscriber& self) noexcept;
    void park(subscriber& self) noexcept;

    frame take_next(subscriber& self) noexcept;
    frame take_event(subscriber& self) noexcept;
    frame take_farewell(subscriber& self) noexcept;
    frame catch_up(subscriber& self, detail::cursor& at) noexcept;
    frame end_stream(subscriber& self, stream_end why) noexcept;
    frame_result gap_frame(std::string_view reason, std::uint64_t missed, event_view head) noexcept;

    hub_options options_;
    detail::epoch_text epoch_;
    time_point now_{};
    std::uint64_t last_offset_ = 0;
    detail::random_sequence random_;
    std::size_t subscriber_count_ = 0;
    bool closing_ = false;
    close_options close_;
    frame farewell_;
    frame heartbeat_frame_ = frame::comment("");
    frame last_chunk_ = frame::verbatim("0\r\n\r\n");
    time_point next_trim_ = never;
    hub_metrics metrics_;

    heartbeat heartbeat_;
    detail::topic_table topics_;
    detail::list<detail::cursor> ready_;
    detail::list<detail::cursor> ready_next_turn_;
    detail::list<subscriber> subscribers_;
    detail::hand_pool hands_;
};

} // namespace ssekit

#include <ssekit/detail/hub_run.hpp>
#include <ssekit/detail/subscription_run.hpp>

#endif
