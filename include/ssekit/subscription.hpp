// SPDX-License-Identifier: MIT
//
// One client's stream, as its owner holds it: what `hub::subscribe` returns. It gives out bytes
// when it is asked, so it fits on any kind of transport: `drain` (writer.hpp) puts it on a writer,
// and whoever completes later calls `prepare` and `consume` himself.
#ifndef SSEKIT_SUBSCRIPTION_HPP
#define SSEKIT_SUBSCRIPTION_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/hub_options.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit {

class hub;

namespace detail {

/// Where subscriptions find their hub, or that it is gone.
struct anchor {
    hub* home;
    std::size_t subscriptions = 0;
};

} // namespace detail

/// One client's stream: a buffers_generator (writer.hpp). Destroying it unsubscribes.
/// Lifetime: it may outlive its hub, and is done then. Thread safety: that of its hub.
class subscription {
  public:
    subscription() noexcept = default;
    subscription(subscription&& other) noexcept { swap(other); }
    subscription& operator=(subscription&& other) noexcept {
        swap(other);
        return *this;
    }
    ~subscription();

    [[nodiscard]] explicit operator bool() const noexcept { return anchor_ != nullptr; }

    /// As the concept says. When it returns 0 the subscriber is parked and will be reported again.
    std::size_t prepare(std::span<std::string_view> slices) noexcept;
    void consume(std::size_t bytes) noexcept;
    /// True at once when `end` says stalled, cut or out_of_memory: drop the connection then, for
    /// what was begun can not be brought to its end.
    [[nodiscard]] bool is_done() const noexcept;

    /// Effects: has the hub report this subscriber again in the next turn, which `tick` begins: for
    /// an owner who stops draining before the subscription is idle.
    void reschedule() noexcept;

    /// Effects: an event for this subscriber alone, a welcome or a notice: behind what was
    /// published before, ahead of what comes. It has no id and is not kept, so who is cut off has
    /// missed it.
    /// \returns errc::closed when the stream has ended, queue_is_full, out_of_memory,
    /// id_is_assigned, nothing_to_send, or what `encode_to` says.
    errc send(const event_view& event) noexcept;

    /// Effects: reads these as well, from the next event on. Topics that it reads are left alone.
    /// \returns as `hub::subscribe`; topics before the one that failed have been added.
    errc add_topics(const topic_list& names) noexcept;
    errc add_patterns(const topic_list& patterns) noexcept;
    /// Effects: reads these no more, names or patterns. \returns errc::invalid_topic when that
    /// would leave none; those before it have been removed.
    errc remove_topics(const topic_list& names) noexcept;

    /// What the Last-Event-ID was worth. It does not change.
    [[nodiscard]] ssekit::resumption resumption() const noexcept { return resumption_; }

    /// Why the stream has ended, or stream_end::open. Bytes may still have to leave: see is_done.
    [[nodiscard]] stream_end end() const noexcept;

    /// What `hub::evict` takes and subscriber_info::id says; 0 when the hub is gone.
    [[nodiscard]] std::uint64_t id() const noexcept;

  private:
    friend class hub;
    subscription(detail::anchor* anchor, std::uint32_t number) noexcept
        : anchor_(anchor), number_(number) {
        ++anchor_->subscriptions;
    }

    void swap(subscription& other) noexcept {
        std::swap(anchor_, other.anchor_);
        std::swap(number_, other.number_);
        std::swap(resumption_, other.resumption_);
    }
    hub* home() const noexcept { return anchor_ == nullptr ? nullptr : anchor_->home; }

    detail::anchor* anchor_ = nullptr;
    std::uint32_t number_ = 0;
    ssekit::resumption resumption_ = ssekit::resumption::fresh;
};

} // namespace ssekit

#include <ssekit/hub.hpp>

#endif
