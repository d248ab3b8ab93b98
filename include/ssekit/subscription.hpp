// SPDX-License-Identifier: MIT
//
// One client's stream, as its owner holds it: what `hub::subscribe` returns. It gives out bytes
// when it is asked, so it fits any kind of transport: `drain` (writer.hpp) puts it on a writer, and
// an owner whose writes complete later calls `prepare` and `consume` itself.
#ifndef SSEKIT_SUBSCRIPTION_HPP
#define SSEKIT_SUBSCRIPTION_HPP

#include <ssekit/detail/hub/history.hpp>
#include <ssekit/detail/hub/joining.hpp>
#include <ssekit/detail/hub/publishing.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/stream.hpp>
#include <ssekit/detail/hub/view.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_place.hpp>
#include <ssekit/event_sequence.hpp>
#include <ssekit/event_target.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/time.hpp>
#include <ssekit/topic_list.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

namespace detail {

/// Where subscriptions find their hub, or that it is gone.
struct anchor {
    hub_state* home;
    memory_resource* memory;
    std::size_t holders = 0; // subscriptions, and the hub

    static anchor* make(hub_state& hub, memory_resource* memory) noexcept {
        void* const raw = memory->allocate(sizeof(anchor), alignof(anchor));
        return raw == nullptr ? nullptr : ::new (raw) anchor{&hub, memory, 1};
    }
    static void let_go(anchor* at) noexcept {
        if (at != nullptr && --at->holders == 0) {
            at->memory->deallocate(at, sizeof(anchor), alignof(anchor));
        }
    }
};

} // namespace detail

/// One client's stream: a buffers_generator (writer.hpp). Destroying it unsubscribes; so does
/// moving another one into it.
/// Lifetime: it may outlive its hub, and is done then. Thread safety: that of its hub.
class subscription {
  public:
    subscription() noexcept = default;
    /// For hub::subscribe.
    subscription(detail::anchor& anchor, const detail::joined& made) noexcept
        : anchor_(&anchor), stream_(made.stream), resumption_(made.how) {
        ++anchor.holders;
    }
    /// The same, for a stream that is refused.
    explicit subscription(ssekit::resumption how) noexcept : resumption_(how) {}
    subscription(subscription&& other) noexcept { swap(other); }
    subscription& operator=(subscription&& other) noexcept {
        subscription(std::move(other)).swap(*this);
        return *this;
    }
    ~subscription() {
        if (home() != nullptr) detail::leave(*home(), stream_);
        detail::anchor::let_go(anchor_);
    }

    [[nodiscard]] explicit operator bool() const noexcept { return anchor_ != nullptr; }

    /// As the concept says. When it returns 0 the subscriber is idle and will be reported again.
    [[nodiscard]] std::size_t prepare(std::span<std::string_view> slices) noexcept {
        if (home() == nullptr) return 0;
        return detail::prepare(*home(), stream_, slices, seen_end_);
    }
    void consume(std::size_t bytes) noexcept {
        if (home() != nullptr) detail::consume(*home(), stream_, bytes);
    }
    /// True at once when `end` says stalled, cut or out_of_memory: what was begun can then not be
    /// finished.
    [[nodiscard]] bool is_done() const noexcept { return home() == nullptr || record().is_done(); }
    /// Whether it is done and something was lost: the response must not look whole.
    [[nodiscard]] bool is_abrupt() const noexcept { return is_done() && ssekit::is_abrupt(end()); }

    /// Effects: makes the hub report this subscriber again in the next turn, which `tick` begins:
    /// for an owner that stops draining before the subscription is idle.
    void reschedule() noexcept {
        if (!is_done()) detail::report_next_turn(*home(), stream_);
    }

    /// Effects: an event for this subscriber alone, a welcome or a notice: after what was published
    /// before, ahead of what comes. It has no id and is not kept, so a client that is cut off has
    /// missed it.
    /// \returns errc::closed when the stream has ended, queue_is_full, out_of_memory,
    /// id_is_assigned, nothing_to_send, or what `encode_to` says.
    errc send(const event_view& event) noexcept {
        if (home() == nullptr) return errc::closed;
        return home()->metrics.refused_events.count(detail::send(*home(), stream_, event));
    }

    /// After which place this stream needs history, where it was begun with gap_policy::fetch and
    /// its client has missed more than the hub keeps. Feed it what comes after, a page at a time,
    /// and ask again when it has been drained; see also `hub_options::on_need`. It has its
    /// heartbeats and deadlines meanwhile, and gets nothing else but what is sent to it.
    /// \returns nullopt where it needs nothing now: it has enough for the moment, has come up to
    /// what the hub keeps, or has ended. Complexity: O(1).
    [[nodiscard]] std::optional<event_place> needs() const noexcept {
        return home() == nullptr ? std::nullopt : detail::need_of(*home(), stream_);
    }
    /// Effects: this stream gets the event next, if it reads what that goes to and its filter
    /// wants it, and then what the hub keeps, once nothing is missing between. A throttle, and
    /// lag_policy::coalesce, have no part in it. Events are fed in the order of their offsets,
    /// those of other topics and marks as well; where an offset is left out, the stream is told of
    /// a gap there, {"reason":"expired"}.
    /// \returns errc::ok; queue_is_full for an event that it reads: feed it again once `needs`
    /// says so; out_of_sequence where it is not fed, or has come up to what the hub keeps, and for
    /// an offset that it has been fed, or another epoch; closed where it has ended; out_of_memory:
    /// feed it again. Complexity: O(its topics, log events each).
    errc feed(const event_target& target, const sequenced_event& event) noexcept {
        if (home() == nullptr) return errc::closed;
        return home()->metrics.refused_events.count(detail::feed(*home(), stream_, target, event));
    }
    /// Effects: of what comes up to here it has been fed all that it reads. It is told of no gap.
    /// \returns as `feed`, but for queue_is_full.
    errc feed_through(const event_place& place) noexcept {
        return home() == nullptr ? errc::closed : detail::feed_through(*home(), stream_, place);
    }
    /// Effects: there is no more to feed, for the log has failed, or has no more of it: the stream
    /// is told of a gap, and goes on with what the hub keeps. \returns as `feed_through`.
    errc feed_no_more() noexcept {
        return home() == nullptr ? errc::closed : detail::feed_no_more(*home(), stream_);
    }

    /// Effects: reads these as well, from the next event on. Topics that it reads are left alone.
    /// \returns as `hub::subscribe`; topics before the one that failed have been added.
    errc add_topics(const topic_list& names) noexcept {
        if (home() == nullptr) return errc::closed;
        return detail::add_later(*home(), stream_, detail::topic_kind::name, names);
    }
    errc add_patterns(const topic_list& patterns) noexcept {
        if (home() == nullptr) return errc::closed;
        return detail::add_later(*home(), stream_, detail::topic_kind::pattern, patterns);
    }
    /// Effects: stops reading these, names or patterns. \returns errc::invalid_topic when that
    /// would leave none; those before it have been removed.
    errc remove_topics(const topic_list& names) noexcept {
        return home() == nullptr ? errc::closed : detail::remove(*home(), stream_, names);
    }

    /// Effects: from now on the stream may live until then, whatever `subscribe_options::max_age`
    /// and `expires_at` have said: for a token that was renewed, or withdrawn. `never`: as long as
    /// the hub lets it. `hub_options::max_age` counts as well, and the smaller one wins. A time
    /// that has passed ends the stream now. Complexity: O(1).
    /// \returns errc::ok; closed where the stream has ended for another reason; expired where it
    /// ends now; out_of_memory, only for a stream that had no time of its own, which ends with
    /// stream_end::out_of_memory then.
    errc expire_at(time_point when) noexcept {
        return home() == nullptr ? errc::closed : detail::expire_at(*home(), stream_, when);
    }

    /// What the Last-Event-ID was worth, also where the stream was refused for that. It does not
    /// change.
    [[nodiscard]] ssekit::resumption resumption() const noexcept { return resumption_; }

    /// Why the stream has ended, or stream_end::open. Bytes may still have to leave: see is_done.
    /// Where the hub has gone before the end was seen, that is stream_end::cut.
    [[nodiscard]] stream_end end() const noexcept {
        if (home() != nullptr) return record().end();
        if (anchor_ == nullptr) return stream_end::closed;
        return seen_end_ == stream_end::open ? stream_end::cut : seen_end_;
    }

    /// What `hub::evict` takes and subscriber_info::id says; 0 when the hub is gone.
    [[nodiscard]] std::uint64_t id() const noexcept {
        return home() == nullptr ? 0 : detail::public_id(*home(), stream_);
    }

  private:
    void swap(subscription& other) noexcept {
        std::swap(anchor_, other.anchor_);
        std::swap(stream_, other.stream_);
        std::swap(resumption_, other.resumption_);
        std::swap(seen_end_, other.seen_end_);
    }
    detail::hub_state* home() const noexcept {
        return anchor_ == nullptr ? nullptr : anchor_->home;
    }
    const detail::subscriber& record() const noexcept { return home()->streams[stream_]; }

    detail::anchor* anchor_ = nullptr;
    std::uint32_t stream_ = 0;
    ssekit::resumption resumption_ = ssekit::resumption::fresh;
    stream_end seen_end_ = stream_end::open;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
