// SPDX-License-Identifier: MIT
//
// The hub: topics, subscribers, replay, heartbeats.
//
// One log, many cursors. Each topic has one log (event_log.hpp), and a subscriber is a cursor into
// it: publishing appends one frame, whatever the number of subscribers. A cursor that has read
// everything waits at its topic; the next publish moves all that wait there at once to the hub's
// ready list, which the event loop then works off with `next_ready`, or fires a subscriber's own
// waker. What a slow subscriber has not read is simply still in the log; when the log has to let it
// go, the subscriber has lagged, and its own policy says what follows. No other stream notices.
//
// Patterns and tags have logs of their own, fed by `publish`, so what reads them is a cursor like
// any other; so have events that are not kept, beside those of the topic. What `prepare` has given
// out is in the subscriber's hand: those frames stay there until they are consumed, so nothing that
// happens to the log can tear or move them.
//
// Every event gets the id "epoch.offset". The epoch names one run of one hub, so that an id of an
// earlier run is recognised; the offset counts the hub's events. A Last-Event-ID is untrusted: it
// is resumed from, or it is malformed, unknown, expired or from the future; whatever was missed is
// reported by a gap event, never skipped in silence.
//
// The hub reads no clock: `tick` tells it the time, once a turn of the loop. detail/hub/state.hpp
// says what it is made of, and where each thing is done.
#ifndef SSEKIT_HUB_HPP
#define SSEKIT_HUB_HPP

#include <ssekit/detail/hub/ahead.hpp>
#include <ssekit/detail/hub/closing.hpp>
#include <ssekit/detail/hub/epochs.hpp>
#include <ssekit/detail/hub/history.hpp>
#include <ssekit/detail/hub/joining.hpp>
#include <ssekit/detail/hub/parting.hpp>
#include <ssekit/detail/hub/presence.hpp>
#include <ssekit/detail/hub/pressure.hpp>
#include <ssekit/detail/hub/publishing.hpp>
#include <ssekit/detail/hub/sequencing.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/transient.hpp>
#include <ssekit/detail/hub/turn.hpp>
#include <ssekit/detail/hub/view.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_key.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/event_sequence.hpp>
#include <ssekit/event_target.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_metrics.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/subscription.hpp>
#include <ssekit/time.hpp>
#include <ssekit/topic_list.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

struct [[nodiscard]] subscribe_result {
    ssekit::subscription subscription; ///< empty when ec is not errc::ok; see `resumption` of it
    errc ec;
};

/// Thread safety: for one thread, one event loop; shared_hub.hpp has the one for many. Nothing here
/// blocks or does I/O.
/// No function throws; lack of memory is errc::out_of_memory, or ends one stream.
class hub {
  public:
    /// Preconditions: `epoch` differs from every earlier run whose clients may come back:
    /// `new_epoch()` (epoch.hpp).
    /// \param now the time; later calls of `tick` move it on
    hub(std::uint64_t epoch, time_point now, const hub_options& options = {}) noexcept
        : state_(epoch, now, options) {}
    hub(const hub&) = delete;
    hub& operator=(const hub&) = delete;
    /// Effects: streams that are still open are cut.
    ~hub() {
        if (anchor_ != nullptr) anchor_->home = nullptr;
        detail::anchor::let_go(anchor_);
    }

    // ---- streams

    /// Effects: a new stream. Its first block tells the client the id to come back with, so that
    /// nothing is lost even before the first event. Drain it once now; from then on it is reported:
    /// by `next_ready`, or by `wake` once for each time that it goes from idle to not idle, and
    /// once when it is to be dropped (`is_done`). Under full_tag::oldest_gives_way another stream
    /// may end for it, whose owner is told; not for one that is then refused.
    /// \returns errc::closed, expired, topic_closed, invalid_topic, too_many_topics,
    /// too_many_subscribers, topic_is_full, tag_is_full, out_of_memory, no_such_topic under
    /// `must_exist`, or replay_refused under gap_policy::refuse; each has an HTTP status, see
    /// `refusal_of` in http.hpp.
    /// Complexity: O(log events) for each topic; O(events kept + topics) for the first reader of a
    /// pattern.
    subscribe_result subscribe(const subscribe_options& options, waker wake = {}) noexcept {
        detail::joined made{};
        if (anchor_ == nullptr) {
            made.ec = detail::admit(state_, options); // what lasts is told before what may pass
            if (made.ec == errc::ok) {
                anchor_ = detail::anchor::make(state_, state_.options.memory);
                if (anchor_ == nullptr) made.ec = errc::out_of_memory;
            }
        }
        if (made.ec == errc::ok) made = detail::join(state_, options, wake);
        if (made.ec == errc::ok) return {subscription(*anchor_, made), errc::ok};
        ++state_.metrics.refused;
        return {subscription(made.how), state_.metrics.refused_streams.count(made.ec)};
    }

    /// \returns `subscribe_options::user` of a subscriber that has something to send, each once
    /// until it is idle again, nullptr when there is none. Subscribers without a user are never
    /// reported here.
    [[nodiscard]] void* next_ready() noexcept { return detail::next_ready(state_); }

    /// Whether `next_ready` has a subscriber to name.
    [[nodiscard]] bool has_ready() const noexcept { return state_.waiting.has_ready(); }

    // ---- publishing

    /// Effects: appends the event to a topic, or to several as one event: to all of them or to
    /// none, and a subscriber of more than one gets it once. New topics are made. Reports the idle
    /// subscribers. Complexity: O(size of the event + topics + patterns that match them), plus the
    /// wakers it fires; for a topic that is new, O(patterns).
    /// \param key what the event is about, for start_point::newest_of_each_key, throttles, filters
    /// and lag_policy::coalesce; equal keys of different topics are different keys. See removal_of.
    /// \returns errc::closed, topic_closed, invalid_topic, too_many_topics, out_of_memory,
    /// label_too_long, key_is_missing (removal_of no key), nothing_to_send (no data and no retry),
    /// invalid_retry (see `shortest_retry`), what `encode_to` says, and of ids
    /// (hub_options::ids) id_is_assigned or id_is_missing, id_is_taken, unreturnable_id,
    /// out_of_sequence.
    publish_result publish(const topic_list& topics, const event_view& event,
                           event_key key = {}) noexcept {
        return counted(detail::publish(state_, detail::topic_kind::name, topics, event, key));
    }
    /// Effects: the same with an event that is encoded already, from a frame_builder or a frame of
    /// one event without an id. The hub copies it, once, after the id that it gives.
    /// \returns errc::not_one_event, unfinished as well.
    template <std::same_as<frame> Frame> // so that {} is an event_view
    publish_result publish(const topic_list& topics, const Frame& event,
                           event_key key = {}) noexcept {
        return counted(detail::publish_frame(state_, detail::topic_kind::name, topics, event, key));
    }
    publish_result publish(const topic_list& topics, frame_builder& event,
                           event_key key = {}) noexcept {
        const auto [made, code] = event.build();
        if (code != errc::ok) {
            const bool shut = detail::is_shut(state_, detail::topic_kind::name, topics);
            return counted({0, shut ? errc::closed : code});
        }
        return publish(topics, made, key);
    }

    /// Effects: the same for all streams with the tag, now or when they come back.
    publish_result publish_to_tag(std::string_view tag, const event_view& event,
                                  event_key key = {}) noexcept {
        return counted(detail::publish(state_, detail::topic_kind::tag, tag, event, key));
    }

    /// Effects: the same for every subscriber. Complexity: O(topics and patterns).
    publish_result publish_to_all(const event_view& event, event_key key = {}) noexcept {
        return counted(detail::publish_to_all(state_, event, key));
    }

    // ---- events of a sequence that several hubs share: event_sequence.hpp

    /// Effects: the same with an event that a sequence has numbered, to topics, a tag or all, or as
    /// the last one of a topic that is closed with it; a mark is passed over. Where offsets are
    /// missing before it they are lost: every stream is told, each once and before its next event,
    /// or when it is next looked at. Where it is refused, its offset is used up all the same if no
    /// stream here misses it: its only topic is closed, or it goes to topics that are not there and
    /// that there is no room for. Else the next event makes a jump.
    /// \returns errc::out_of_sequence as well: for an event that is not newer than all before, of
    /// another epoch, or where `hub_options::ids` is not event_ids::by_sequence. With that the
    /// other functions are refused, because two hubs would give one id to different events.
    publish_result publish_sequenced(const event_target& target,
                                     const sequenced_event& event) noexcept {
        return counted(detail::publish_sequenced(state_, target, event));
    }
    /// Effects: the hub begins after this offset: what came before is not here, so a client that
    /// comes back from before it is told of a gap. Call it before the first stream comes; one that
    /// is there is told of a gap. Complexity: O(topics, patterns and tags).
    /// \returns errc::ok; out_of_sequence where the hub is further on, or without
    /// event_ids::by_sequence; out_of_memory, with nothing changed.
    errc begin_at(std::uint64_t last) noexcept { return detail::begin_at(state_, last); }
    /// Effects: what the sequence has numbered after the newest event here and through this place
    /// will not come: every stream is told now, with {"reason":"missed","from":..,"through":..} and
    /// the id to go on from; who comes back from before it is told then. For a hub that was away
    /// from its source while that has let events go.
    /// \returns errc::ok; out_of_sequence for a place that is not after all before, and as
    /// `publish_sequenced`; out_of_memory, with nothing changed. Complexity: as above, plus the
    /// wakers it fires.
    errc lose(const event_place& through) noexcept { return detail::lose(state_, through); }
    /// Effects: this offset is nobody's event here: a mark, or something that cannot be read. No
    /// stream misses it. Offsets that are missing before it are lost, as in `publish_sequenced`.
    /// \returns as `lose`. Complexity: O(1).
    errc skip(const event_place& at) noexcept { return detail::skip(state_, at); }
    /// Effects: tells the hub how far the sequence has got, as its log says: an id is up to
    /// `hub_options::max_ahead` after that. A stream whose client has an offset that the log does
    /// not have, and that was there when this was called last, waits no longer: it gets a gap
    /// event, {"reason":"future"}, with the id to go on from.
    /// Preconditions: the log was asked after the last call of this function had returned.
    /// \returns errc::ok; out_of_sequence for another epoch, or without event_ids::by_sequence.
    /// Complexity: O(1); O(subscriptions) where a stream waits for later.
    errc note_newest(const event_place& newest) noexcept {
        return detail::note_newest(state_, newest);
    }
    /// Effects: the hub goes over to another epoch, where it begins after this offset: the log that
    /// its events come from has lost some, or is another one. Nothing of the old epoch is kept.
    /// Every stream gets what it was given out, then a gap event with an id of the new epoch, now;
    /// where there is no memory for it, it ends with stream_end::out_of_memory. Ids of the old
    /// epoch are resumption::unknown. Topics, their bounds and streams stay, and so does whoever
    /// refers to the hub.
    /// Preconditions: no client has an id of the epoch from elsewhere that means something else.
    /// \returns errc::ok; out_of_sequence for the epoch that it has, and without
    /// event_ids::by_sequence; out_of_memory, with nothing changed. Complexity: O(topics + events
    /// kept + subscriptions and their topics), plus the wakers it fires.
    errc begin_epoch(const event_place& begins_after) noexcept {
        return detail::begin_epoch(state_, begins_after);
    }
    /// Effects: as the functions of `subscription`, for the stream with this id (history_need,
    /// subscriber_info): for whoever reads the log that history comes from, where adapters have the
    /// subscriptions. errc::closed where there is none.
    errc feed(std::uint64_t stream, const event_target& target,
              const sequenced_event& event) noexcept {
        const std::uint32_t found = detail::find_stream(state_, stream);
        return state_.metrics.refused_events.count(detail::feed(state_, found, target, event));
    }
    errc feed_through(std::uint64_t stream, const event_place& place) noexcept {
        return detail::feed_through(state_, detail::find_stream(state_, stream), place);
    }
    errc feed_no_more(std::uint64_t stream) noexcept {
        return detail::feed_no_more(state_, detail::find_stream(state_, stream));
    }
    /// Effects: calls `call(const history_need&)` for each stream that needs history now. It may
    /// not call the hub. Complexity: O(streams that are fed).
    template <class Call>
    void for_each_need(Call&& call) const {
        state_.histories.for_each([&](std::uint32_t feed) {
            const std::uint32_t stream = state_.histories[feed].stream;
            if (const auto after = detail::need_of(state_, stream)) {
                const history_need shown{detail::public_id(state_, stream), *after};
                call(shown);
            }
        });
    }
    /// The hub's epoch, and the offset of the newest event that it has had, or passed over.
    [[nodiscard]] event_place newest() const noexcept {
        return {state_.epoch_number, state_.last_offset};
    }

    // ---- events that are not kept

    /// Effects: an event for the streams that read one of the topics now, or a pattern that one
    /// matches, and for nobody else: who is typing, a cursor, progress. It has its place in the
    /// order of publishing, but no id: it is not kept, never replayed, and takes no room from
    /// events that are. A stream that does not read it in time misses it, and is told of no gap:
    /// `hub_options::keep_transient`, hub_metrics::transient_lost. It makes no topic, and is no use
    /// of one. Complexity: O(size of the event + topics + patterns that match them), plus the
    /// wakers it fires; for a topic that is not there, O(patterns). From its first such event on a
    /// topic's streams take some 200 bytes each.
    /// \returns errc::ok, also where nobody reads; closed, topic_closed, invalid_topic,
    /// out_of_memory, label_too_long, nothing_to_send, id_is_assigned, what `encode_to` says, and
    /// out_of_sequence under event_ids::by_sequence.
    publish_result publish_transient(const topic_list& topics, const event_view& event,
                                     std::string_view key = {}) noexcept {
        return counted(
            detail::publish_transient(state_, detail::topic_kind::name, topics, event, key));
    }
    /// Effects: the same for the streams with the tag.
    publish_result publish_transient_to_tag(std::string_view tag, const event_view& event,
                                            std::string_view key = {}) noexcept {
        return counted(detail::publish_transient(state_, detail::topic_kind::tag, tag, event, key));
    }
    /// Effects: the same for every stream. Complexity: O(topics and patterns).
    publish_result publish_transient_to_all(const event_view& event,
                                            std::string_view key = {}) noexcept {
        return counted(detail::publish_transient_to_all(state_, event, key));
    }

    /// What may be published to a topic, or appear in a pattern, before an event is dropped that a
    /// reader may not have read.
    [[nodiscard]] topic_room room(std::string_view name) const noexcept {
        return detail::room_in(state_, name);
    }

    /// How many streams would lose an event that they can still get, if one of so many bytes were
    /// published to these topics now, where they or patterns that match are read. It knows the
    /// bounds of the logs with their bursts, `max_lag` and filters, and that the newest event is
    /// always within bounds. A stream that has lost something already may count again, and one of
    /// lag_policy::coalesce may although the new event replaces what it loses.
    /// \param bytes of the encoded event: `encoded_size`, with its id
    /// \returns 0 also where the hub or one of the topics takes no events. Complexity:
    /// O(subscriptions + their topics), and for each that is behind O(topics named + log events +
    /// events lost).
    [[nodiscard]] std::size_t would_lag(const topic_list& topics,
                                        std::size_t bytes) const noexcept {
        return detail::would_lag(state_, topics, bytes);
    }

    /// \returns the reader of a topic, or else of a pattern, of this name that is furthest behind;
    /// nullopt where nobody reads it. Complexity: O(subscriptions + their topics).
    [[nodiscard]] std::optional<reader_lag> slowest_reader(std::string_view name) const noexcept {
        return detail::slowest_reader(state_, name);
    }
    /// Effects: calls `call(const reader_lag&)` for each of its readers. It may call `evict` and
    /// nothing else of the hub. Complexity: as above.
    template <class Call>
    void for_each_reader(std::string_view name, Call&& call) const {
        detail::for_each_reader_of(state_, name, call);
    }

    // ---- time

    /// Effects: begins a turn of the loop: tells the hub the time, and does what is due, which is
    /// heartbeats, deadlines, retention by age, and reporting again what was rescheduled in the
    /// turn before. Time does not run backwards: an earlier `now` counts as the last one.
    void tick(time_point now) noexcept { detail::tick(state_, now); }

    /// \returns when `tick` is needed next, or `never`. Safe to repeat. Any call except `metrics`
    /// and the like may move it to earlier.
    [[nodiscard]] time_point next_deadline() const noexcept {
        return detail::next_deadline(state_);
    }

    // ---- topics

    /// Effects: keeps a topic, or a pattern, by bounds of its own from now on, also while nobody
    /// reads it. \returns errc::ok, invalid_topic, too_many_topics or out_of_memory.
    errc keep(std::string_view name, const retention& bounds) noexcept {
        return detail::keep(state_, detail::topic_kind::name, name, bounds);
    }
    errc keep_pattern(std::string_view pattern, const retention& bounds) noexcept {
        return detail::keep(state_, detail::topic_kind::pattern, pattern, bounds);
    }
    /// Effects: undoes that: the hub's bounds count again. Safe to repeat.
    void keep_no_more(std::string_view name) noexcept {
        detail::keep_no_more(state_, detail::topic_kind::name, name);
    }
    void keep_pattern_no_more(std::string_view pattern) noexcept {
        detail::keep_no_more(state_, detail::topic_kind::pattern, pattern);
    }

    /// Effects: takes no more events for the topic. Its streams get what they have not read, then
    /// `last`, if it has data, and end unless they have other topics. A client that comes back
    /// within `keep_for` gets what it missed, or errc::topic_closed; then the topic is forgotten,
    /// and its name is free. It is forgotten earlier where it has to make way or has been idle for
    /// too long: `hub_options::max_topics`, `keep_idle`.
    /// \returns as `publish`.
    errc close_topic(std::string_view name, const event_view& last = {},
                     std::chrono::milliseconds keep_for = std::chrono::seconds(30)) noexcept {
        return state_.metrics.refused_events.count(
            detail::close_topic(state_, name, last, keep_for));
    }
    /// Effects: takes events again for a topic that was closed, within its `keep_for`. Nothing of
    /// it is lost: streams that have not read it to its end go on as if it had never been closed,
    /// and so do those of several topics. Streams that have ended stay so; their clients get what
    /// was published since if they come back with their ids. A client whose return was refused with
    /// errc::topic_closed, which is 204, does not come back by itself. Safe to repeat.
    /// \returns errc::ok, closed, or no_such_topic.
    errc reopen_topic(std::string_view name) noexcept { return detail::reopen_topic(state_, name); }
    /// Effects: forgets a topic now, closed or not, with its events and its bounds; the name is
    /// free. Its streams get what they have not read and end, unless they have other topics. A
    /// client that comes back and has missed something of it is told of a gap. Patterns keep what
    /// they have got.
    /// \returns whether there was one. Complexity: O(patterns that it feeds), plus the wakers it
    /// fires.
    bool forget_topic(std::string_view name) noexcept { return detail::forget_topic(state_, name); }
    /// \returns what a topic, or else a pattern, of this name is like; nullopt where there is none.
    /// Lifetime: its `name` is the argument. Complexity: O(1).
    [[nodiscard]] std::optional<topic_info> find_topic(std::string_view name) const noexcept {
        return detail::find_topic(state_, name);
    }

    /// Effects: calls `call(const topic_info&)` for each topic and pattern. It may not call the
    /// hub.
    template <class Call>
    void for_each_topic(Call&& call) const {
        for (const auto kind : {detail::topic_kind::name, detail::topic_kind::pattern}) {
            state_.topics.for_each(kind, [&](std::uint32_t topic) {
                const topic_info shown = detail::info_of_topic(state_, topic);
                call(shown);
            });
        }
    }

    // ---- streams, seen from above

    /// How many streams are open: in all, of one topic or pattern, with one tag.
    [[nodiscard]] std::size_t subscribers() const noexcept { return state_.open_streams; }
    [[nodiscard]] std::size_t subscribers(std::string_view name) const noexcept {
        const std::uint32_t found = detail::find_readable(state_, name);
        return found == 0 ? 0 : state_.topics[found].readers;
    }
    [[nodiscard]] std::size_t subscribers_with_tag(std::string_view tag) const noexcept {
        const std::uint32_t found = state_.topics.find(detail::topic_kind::tag, tag);
        return found == 0 ? 0 : state_.topics[found].readers;
    }
    /// How many subscriptions there are, including those whose streams have ended.
    [[nodiscard]] std::size_t subscriptions() const noexcept { return state_.all_streams; }

    /// Effects: calls `call(const subscriber_info&)` for each subscription, or for each open stream
    /// with the tag. It may call `evict` and nothing else of the hub.
    /// Complexity: O(streams that it is called for).
    template <class Call>
    void for_each_subscriber(Call&& call) const {
        state_.streams.for_each([&](std::uint32_t stream) {
            const subscriber_info shown = detail::info(state_, stream);
            call(shown);
        });
    }
    template <class Call>
    void for_each_subscriber_with_tag(std::string_view tag, Call&& call) const {
        detail::for_each_tagged(state_, tag, [&](std::uint32_t stream) {
            const subscriber_info shown = detail::info(state_, stream);
            call(shown);
        });
    }

    /// Whether a tag is there: it has a stream, or has not been without one for longer than
    /// `presence_options::grace`.
    [[nodiscard]] bool is_present(std::string_view tag) const noexcept {
        return detail::is_present(state_, tag);
    }
    /// Effects: calls `call(std::string_view tag)` for each tag that is there. It may not call the
    /// hub. Complexity: O(tags).
    template <class Call>
    void for_each_present(Call&& call) const {
        detail::for_each_present(state_, call);
    }

    [[nodiscard]] std::optional<subscriber_info> find_subscriber(std::uint64_t id) const noexcept {
        const std::uint32_t stream = detail::find_stream(state_, id);
        if (stream == 0) return std::nullopt;
        return detail::info(state_, stream);
    }

    /// Effects: ends a stream, after what has been given out; its places are free at once.
    /// \returns whether it was open.
    bool evict(std::uint64_t id) noexcept { return detail::evict(state_, id); }

    /// Effects: takes no more subscribers, and no more events but for unfinished topics. Every
    /// stream still gets what it has not read, then its reconnection time, then the farewell, and
    /// is done; or is cut at the deadline. One that goes on (`close_options::unfinished`) does so
    /// when its work is done, or when it ends for another reason that loses nothing: it is evicted,
    /// for instance, or expires. `metrics` counts which streams were flushed and which were cut.
    /// Called again, it only brings the deadline forward, never back; `cut` waits no longer.
    /// Complexity: O(streams and what they read).
    /// \returns why the farewell cannot be sent, as `encode_to`; the hub is then not closed.
    errc close(const close_options& options = {}) noexcept {
        return detail::close(state_, options);
    }

    /// Effects: ends every stream now, in the middle of what it has in hand: a shutdown that no
    /// longer waits. It takes no more subscribers and events.
    void cut() noexcept { detail::cut(state_); }

    /// \returns a reconnection time for a client whose stream is refused, for a soft_refusal: while
    /// the hub closes between `close_options::retry_min` and `retry_max`, where there are any; else
    /// between `hub_options::refused_retry_min` and `refused_retry_max`. Each is drawn anew, so
    /// that not all come back at the same moment.
    [[nodiscard]] std::chrono::milliseconds refused_retry() noexcept {
        return detail::refused_retry(state_);
    }

    /// Complexity: O(1).
    [[nodiscard]] hub_metrics metrics() const noexcept { return detail::metrics(state_); }

    /// The id on the wire of the event with this offset, where the hub gives the ids.
    [[nodiscard]] detail::event_id_text id_of(std::uint64_t offset) const noexcept {
        return {state_.epoch_words, offset};
    }

    /// The id for a page that shows what these topics have brought up to now: a stream that is
    /// opened with it as its Last-Event-ID brings what is published after this call. It may stand
    /// in the page's HTML, whose script hands it back in the URL of its EventSource. Take it before
    /// the state that the page shows is read, so that nothing falls between.
    /// \returns a text with `view()`, which is "" under event_ids::none, and under
    /// event_ids::by_publisher where none of these topics has had an event whose id is remembered:
    /// open the stream with start_point::earliest then.
    /// Lifetime: until the next event is published; for a shared_hub, take a copy in `with`.
    [[nodiscard]] detail::wire_id cursor(const topic_list& topics) const noexcept {
        return detail::cursor_for(state_, topics);
    }

  private:
    publish_result counted(const publish_result& result) noexcept {
        return {result.offset, state_.metrics.refused_events.count(result.ec)};
    }

    detail::hub_state state_;
    detail::anchor* anchor_ = nullptr; // made with the first subscription
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
