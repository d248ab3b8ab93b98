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
// Patterns and tags have logs of their own, fed by `publish`, so whoever reads them is a cursor
// like any other (detail/topic.hpp).
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

#include <ssekit/detail/event_ids.hpp>
#include <ssekit/detail/links.hpp>
#include <ssekit/detail/random.hpp>
#include <ssekit/detail/record.hpp>
#include <ssekit/detail/slab.hpp>
#include <ssekit/detail/topic.hpp>
#include <ssekit/detail/wheel.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_sequence.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_metrics.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/subscription.hpp>
#include <ssekit/time.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit {

struct subscribe_result {
    ssekit::subscription subscription; ///< empty when ec is not errc::ok
    errc ec;
};

/// Before anything else, `tick` it once: until then its clock stands at the beginning of time.
/// Thread safety: for one thread, one event loop; shared_hub.hpp has the one for many. Nothing here
/// blocks or does I/O.
/// No function throws; memory that cannot be had is errc::out_of_memory, or ends one stream.
class hub {
  public:
    /// Preconditions: `epoch` differs from every earlier run whose clients may come back: the
    /// system clock's count will do, or a random number.
    explicit hub(std::uint64_t epoch, const hub_options& options = {}) noexcept;
    hub(const hub&) = delete;
    hub& operator=(const hub&) = delete;
    ~hub();

    // ---- streams

    /// Effects: a new stream. Its first block tells the client the id to come back with, so that
    /// nothing is lost even before the first event. Drain it once now; from then on it is reported:
    /// by `next_ready`, or by `wake` once for each time that it goes from idle to not idle, and
    /// once when it is to be dropped (`is_done`).
    /// \returns errc::closed, topic_closed, invalid_topic, too_many_topics, too_many_subscribers,
    /// topic_is_full, tag_is_full, out_of_memory, or replay_refused under gap_policy::refuse; each
    /// has an HTTP status, see `refusal_of` in http.hpp.
    /// Complexity: O(log events) for each topic; O(events kept) for the first reader of a pattern.
    [[nodiscard]] subscribe_result subscribe(const subscribe_options& options,
                                             waker wake = {}) noexcept;

    /// \returns `subscribe_options::user` of a subscriber that has something to send, each once
    /// until it is idle again, nullptr when there is none. Subscribers without a user are passed
    /// over.
    [[nodiscard]] void* next_ready() noexcept;

    /// Whether `next_ready` has somebody to look at.
    [[nodiscard]] bool has_ready() const noexcept;

    // ---- publishing

    /// Effects: appends the event to a topic, or to several as one event: to all of them or to
    /// none, and a subscriber of more than one gets it once. Topics that are new are made. Reports
    /// the idle subscribers. Complexity: O(size of the event + topics + patterns that match them),
    /// plus the wakers it fires.
    /// \param key what the event is about, for lag_policy::coalesce, throttles and filters; equal
    /// keys of different topics are different keys
    /// \returns errc::closed, topic_closed, invalid_topic, too_many_topics, out_of_memory,
    /// id_is_assigned or id_is_missing (hub_options::ids), label_too_long, nothing_to_send (no data
    /// and no retry), or what `encode_to` says.
    publish_result publish(const topic_list& topics, const event_view& event,
                           std::string_view key = {}) noexcept;

    /// Effects: the same for whoever bears the tag, now or when it comes back.
    publish_result publish_to_tag(std::string_view tag, const event_view& event,
                                  std::string_view key = {}) noexcept;

    /// Effects: the same for every subscriber. Complexity: O(topics).
    publish_result publish_to_all(const event_view& event, std::string_view key = {}) noexcept;

    /// Effects: the same with an event that a sequence has numbered (event_sequence.hpp).
    /// \returns errc::out_of_sequence as well: for an event that is not newer than all before, of
    /// another epoch, or where `hub_options::ids` is not event_ids::by_sequence. With that the
    /// other functions are refused, because two hubs would give one id to different events.
    publish_result publish_sequenced(const topic_list& topics,
                                     const sequenced_event& event) noexcept;

    // ---- time

    /// Effects: begins a turn of the loop: tells the hub the time, and does what is due, which is
    /// heartbeats, deadlines, retention by age, and reporting again who was rescheduled in the turn
    /// before. Time does not run backwards: an earlier `now` counts as the last one.
    void tick(time_point now) noexcept;

    /// \returns when `tick` is needed next, or `never`. Safe to repeat; it may move to earlier by
    /// any call but `metrics` and the like.
    [[nodiscard]] time_point next_deadline() const noexcept;

    // ---- topics

    /// Effects: keeps a topic by bounds of its own from now on, also while nobody reads it.
    /// \returns errc::ok, invalid_topic, too_many_topics or out_of_memory.
    errc keep(std::string_view name, const retention& bounds) noexcept;

    /// Effects: takes no more events for the topic. Its streams get what they have not read, then
    /// `last`, if it has data, and end unless they have other topics. Who comes back within
    /// `keep_for` gets what it missed, or errc::topic_closed; then the topic is forgotten.
    /// \returns as `publish`.
    errc close_topic(std::string_view name, const event_view& last = {},
                     std::chrono::milliseconds keep_for = std::chrono::seconds(30)) noexcept;

    /// Effects: calls `call(const topic_info&)` for each topic and pattern. It may not call the
    /// hub.
    template <class Call>
    void for_each_topic(Call&& call) const;

    // ---- streams, seen from above

    /// How many streams there are: in all, of one topic or pattern, with one tag. A stream counts
    /// until its subscription is destroyed.
    [[nodiscard]] std::size_t subscribers() const noexcept { return subscriber_count_; }
    [[nodiscard]] std::size_t subscribers(std::string_view name) const noexcept;
    [[nodiscard]] std::size_t subscribers_with_tag(std::string_view tag) const noexcept;

    /// Effects: calls `call(const subscriber_info&)` for each stream, or for each with the tag. It
    /// may call `evict` and nothing else of the hub. Complexity: O(streams that it is called for).
    template <class Call>
    void for_each_subscriber(Call&& call) const;
    template <class Call>
    void for_each_subscriber_with_tag(std::string_view tag, Call&& call) const;

    [[nodiscard]] std::optional<subscriber_info> find_subscriber(std::uint64_t id) const noexcept;

    /// Effects: ends a stream, after what has been given out. \returns whether it was open.
    bool evict(std::uint64_t id) noexcept;

    /// Effects: takes no more subscribers and events. Every stream still gets what it has not read,
    /// then its reconnection time, then the farewell, and is done; or is cut at the deadline. Safe
    /// to repeat. `metrics` counts who was flushed and who was cut.
    void close(const close_options& options = {}) noexcept;

    /// Effects: ends every stream now, in the middle of what it has in hand: a shutdown that waits
    /// no more. It takes no more subscribers and events.
    void cut() noexcept;

    /// Complexity: O(topics).
    [[nodiscard]] hub_metrics metrics() const noexcept;

    /// The id on the wire of the event with this offset, where the hub gives the ids.
    [[nodiscard]] detail::event_id_text id_of(std::uint64_t offset) const noexcept {
        return {epoch_, offset};
    }

  private:
    friend class subscription;
    using number = std::uint32_t; // of a record, or of a topic where it says so
    using record = detail::record;
    using topic = detail::topic;
    using topic_kind = detail::topic_kind;
    using names = std::span<const std::string_view>;

    // The links of what can be queued, timed and forgotten; numbers with the first bit are heads.
    static constexpr number head = 1u << 31;
    static constexpr number topic_head = head | 1u << 30;
    static constexpr number ready = head + detail::wheel_slots + 1;
    static constexpr number ready_next_turn = ready + 1;
    struct queue_links {
        hub* self;
        detail::link& operator()(number item) const noexcept;
    };
    struct timer_links {
        hub* self;
        detail::link& operator()(number item) const noexcept;
    };
    struct topic_links {
        hub* self;
        detail::link& operator()(number item) const noexcept;
    };
    using heads = std::array<detail::link, detail::wheel_slots + 1>;

    // detail/hub_topics.hpp
    errc find_or_make(topic_kind kind, std::string_view name, number& found) noexcept;
    errc make_topic(topic_kind kind, std::string_view name, number& made) noexcept;
    bool feed_from(number name, number pattern) noexcept;
    bool feed_pattern(number pattern) noexcept;
    bool fill_pattern(number pattern) noexcept;
    void starve_pattern(number pattern) noexcept;
    void forget_if_unused(number item) noexcept;
    void time_topic(number item) noexcept;
    void told(const topic& where, bool listened_to) const noexcept;

    // detail/hub_subscribe.hpp
    static time_point::duration shortest_deadline(const hub_options& options) noexcept;
    errc settle(number self, const subscribe_options& options, waker wake) noexcept;
    detail::side* side_of(number self) noexcept;
    errc add(number self, topic_kind kind, names topics) noexcept;
    errc read(number self, number where) noexcept;
    void arrive(number cursor) noexcept;
    void depart(number cursor) noexcept;
    void leave(number self) noexcept;
    errc add_later(number self, topic_kind kind, names topics) noexcept;
    errc remove(number self, names topics) noexcept;
    bool stop_reading(number self, number where) noexcept;
    errc position(number self, const subscribe_options& options, resumption& how) noexcept;
    std::uint64_t seen_offset(number self, std::string_view id, resumption& how) const noexcept;
    errc open(number self, const subscribe_options& options, resumption how) noexcept;

    // detail/hub_publish.hpp
    publish_result publish(topic_kind kind, names topics, const event_view& event,
                           std::string_view key) noexcept;
    frame_result encode(const event_view& event, const frame_label& label) const noexcept;
    errc make_room(topic_kind kind, names topics, bool key, number& last) noexcept;
    bool make_room(number where, bool key) noexcept;
    publish_result append(topic_kind kind, names topics, const frame& event,
                          std::uint64_t offset) noexcept;
    void append(number where, const frame& event, std::uint64_t offset) noexcept;
    void published(std::uint64_t offset) noexcept;
    void miss(std::uint64_t through) noexcept;
    void report_idle(number where) noexcept;
    void signal(number self) noexcept;
    void report(number self) noexcept;
    void unlink_all(number self) noexcept;
    void rest(number self, record& item) noexcept;
    void park(number self, record& item) noexcept;
    void report_next_turn(number self) noexcept;
    errc send(number self, const event_view& event) noexcept;

    // detail/hub_turn.hpp
    time_point look(number self) noexcept;
    void arm(number self, time_point due) noexcept;
    time_point expiry_of(const record& self) const noexcept;
    time_point::duration patience_of(const record& self) const noexcept;
    time_point exactly(detail::coarse_time then) const noexcept;
    void abort(number self, stream_end why) noexcept;

    // detail/hub_stream.hpp
    frame take_next(number self, record& item) noexcept;
    frame take_rare(number self, record& item) noexcept;
    frame take_event(number self, record& item) noexcept;
    frame hand_out(record& self, record& at, const event_log& log) noexcept;
    void pass(number self, std::uint64_t offset) noexcept;
    frame take_sent(detail::side& extra, std::uint64_t before) noexcept;
    frame take_farewell(number self) noexcept;
    frame take_terminator(record& self) noexcept;
    bool wants(const detail::side& extra, const event_log::entry& event) const noexcept;
    bool lets_through(detail::side& extra, std::uint64_t offset) noexcept;
    std::uint64_t within_bounds(const record& self, const record& at) const noexcept;
    bool catch_up(number self, record& at, std::uint64_t target, frame& instead) noexcept;
    void end_stream(number self, stream_end why) noexcept;
    frame_result gap_frame(std::string_view reason, std::uint64_t missed,
                           event_view opening) noexcept;
    bool has_events(number self) const noexcept;
    bool has_closed_topics_only(number self) const noexcept;
    bool is_held(number self) const noexcept;
    bool is_done(const record& self) const noexcept;
    number next_cursor(number self, number at) const noexcept;
    std::uint32_t& hand_of(record& self) noexcept;
    std::uint32_t hand_of(const record& self) const noexcept;
    bool give(record& self, frame first) noexcept;
    subscriber_info info(number self) const noexcept;

    hub_options options_;
    std::uint64_t epoch_number_;
    detail::epoch_text epoch_;
    time_point now_{};
    detail::coarse_time now_coarse_ = 0;
    std::uint64_t last_offset_ = 0;
    std::uint64_t lost_through_ = 0; // what topics have taken with them that are forgotten
    std::uint64_t lost_of_tags_ = 0;
    detail::random_sequence random_;
    std::size_t subscriber_count_ = 0;
    std::uint32_t last_serial_ = 0;
    bool closing_ = false;
    close_options close_;
    time_point cut_at_ = never;
    frame farewell_;
    frame heartbeat_frame_;
    frame last_chunk_ = frame::verbatim("0\r\n\r\n");
    hub_metrics metrics_;

    detail::topic_table topics_;
    detail::slab<detail::feed, 64> feeds_;
    detail::slab<record, 256> records_;
    detail::slab<detail::side, 16> sides_;
    detail::hand_pool hands_;
    detail::slab<detail::sent_event, 16> sent_;
    detail::anchor* anchor_ = nullptr; // made with the first subscription

    std::array<detail::link, 2> ready_heads_;
    heads timer_heads_;
    heads held_heads_;
    heads topic_heads_;
    detail::wheel<detail::numbered_rings<timer_links>> timers_; // subscribers, at their deadlines
    detail::wheel<detail::numbered_rings<queue_links>> held_;   // subscribers, by their throttles
    detail::wheel<detail::numbered_rings<topic_links>> expiry_; // topics, of their events
};

} // namespace ssekit

#include <ssekit/detail/hub_publish.hpp>
#include <ssekit/detail/hub_stream.hpp>
#include <ssekit/detail/hub_subscribe.hpp>
#include <ssekit/detail/hub_topics.hpp>
#include <ssekit/detail/hub_turn.hpp>
#include <ssekit/detail/subscription_run.hpp>

#endif
