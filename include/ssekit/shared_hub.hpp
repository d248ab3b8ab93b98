// SPDX-License-Identifier: MIT
//
// A hub for many threads: publishers on any of them, streams on any of them. One lock is held for
// as long as a call takes; bytes are written outside it, because what `prepare` gives stays where
// it is until `consume`.
//
// A stream on another thread brings a waker. It is fired under the lock, so it only posts or
// notifies: a loop's eventfd, a condition variable. For the same reason the destructor of a
// subscription waits for a waker that is running, and none runs after it.
//
// Streams that share one event loop need no wakers of their own: they have a `user`, and the loop
// has one waker for all of them, which says that `next_ready` or `next_deadline` is worth asking.
// Another waker, passed to `close`, tells when the last stream has gone.
//
// One lock is enough until many cores fan out at once. Then let each loop have a hub of its own,
// and an event_sequence number the events for all of them (event_sequence.hpp).
#ifndef SSEKIT_SHARED_HUB_HPP
#define SSEKIT_SHARED_HUB_HPP

#include <ssekit/hub.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

namespace detail {

struct shared_hub_state {
    shared_hub_state(std::uint64_t epoch, time_point now, const hub_options& options,
                     waker loop_waker) noexcept
        : server(epoch, now, options), loop(loop_waker) {}

    // Holds the lock, and before it lets go fires the wakers for what has changed.
    class change {
      public:
        explicit change(shared_hub_state& state) noexcept : state_(state), locked_(state.lock) {}
        change(const change&) = delete;
        change& operator=(const change&) = delete;
        ~change() {
            state_.tell_loop();
            state_.tell_closer();
        }

      private:
        shared_hub_state& state_;
        std::lock_guard<std::mutex> locked_;
    };

    void tell_loop() noexcept { // once, until it has looked
        if (!loop || loop_told) return;
        if (!server.has_ready() && server.next_deadline() >= loop_deadline) return;
        loop_told = true;
        loop();
    }
    void tell_closer() noexcept {
        if (gone && server.subscriptions() == 0) std::exchange(gone, {})();
    }

    std::mutex lock;
    hub server;
    waker gone; // what `close` was given
    waker loop;
    time_point loop_deadline = never; // what the loop has been told of
    bool loop_told = false;
};

} // namespace detail

/// One client's stream: a buffers_generator, as `subscription`, whose functions these are.
/// Lifetime: it may outlive its hub, and is done then; what it has given out stays until it is
/// consumed or the subscription dies.
/// Thread safety: its hub and other subscriptions may be used at the same time; one subscription
/// belongs to one thread at a time.
class shared_subscription {
    template <class Call>
    auto with(Call&& call) noexcept {
        if (state_ == nullptr) return call(stream_);
        const detail::shared_hub_state::change locked(*state_);
        return call(stream_);
    }
    template <class Call>
    auto with(Call&& call) const noexcept {
        if (state_ == nullptr) return call(stream_);
        const std::lock_guard locked(state_->lock);
        return call(stream_);
    }

  public:
    shared_subscription() noexcept = default;
    shared_subscription(shared_subscription&&) noexcept = default;
    shared_subscription& operator=(shared_subscription&& other) noexcept {
        if (this == &other) return *this;
        leave();
        state_ = std::exchange(other.state_, nullptr);
        stream_ = std::move(other.stream_);
        return *this;
    }
    ~shared_subscription() { leave(); }

    [[nodiscard]] explicit operator bool() const noexcept { return bool(stream_); }

    std::size_t prepare(std::span<std::string_view> slices) noexcept {
        return with([&](subscription& s) { return s.prepare(slices); });
    }
    void consume(std::size_t bytes) noexcept {
        with([&](subscription& s) { s.consume(bytes); });
    }
    [[nodiscard]] bool is_done() const noexcept {
        return with([](const subscription& s) { return s.is_done(); });
    }
    [[nodiscard]] bool is_abrupt() const noexcept {
        return with([](const subscription& s) { return s.is_abrupt(); });
    }
    void reschedule() noexcept {
        with([](subscription& s) { s.reschedule(); });
    }
    errc send(const event_view& event) noexcept {
        return with([&](subscription& s) { return s.send(event); });
    }
    [[nodiscard]] std::optional<event_place> needs() const noexcept {
        return with([](const subscription& s) { return s.needs(); });
    }
    errc feed(const event_target& target, const sequenced_event& event) noexcept {
        return with([&](subscription& s) { return s.feed(target, event); });
    }
    errc feed_through(const event_place& place) noexcept {
        return with([&](subscription& s) { return s.feed_through(place); });
    }
    errc feed_no_more() noexcept {
        return with([](subscription& s) { return s.feed_no_more(); });
    }
    errc add_topics(const topic_list& names) noexcept {
        return with([&](subscription& s) { return s.add_topics(names); });
    }
    errc add_patterns(const topic_list& patterns) noexcept {
        return with([&](subscription& s) { return s.add_patterns(patterns); });
    }
    errc remove_topics(const topic_list& names) noexcept {
        return with([&](subscription& s) { return s.remove_topics(names); });
    }
    errc expire_at(time_point when) noexcept {
        return with([&](subscription& s) { return s.expire_at(when); });
    }
    [[nodiscard]] ssekit::resumption resumption() const noexcept { return stream_.resumption(); }
    [[nodiscard]] stream_end end() const noexcept {
        return with([](const subscription& s) { return s.end(); });
    }
    [[nodiscard]] std::uint64_t id() const noexcept {
        return with([](const subscription& s) { return s.id(); });
    }

  private:
    friend class shared_hub;
    shared_subscription(std::shared_ptr<detail::shared_hub_state> state, subscription stream)
        : state_(std::move(state)), stream_(std::move(stream)) {}

    void leave() noexcept {
        if (state_ == nullptr) return;
        {
            const detail::shared_hub_state::change locked(*state_);
            stream_ = subscription(); // the old one dies under the lock
        }
        state_.reset();
    }

    std::shared_ptr<detail::shared_hub_state> state_;
    subscription stream_;
};

struct [[nodiscard]] shared_subscribe_result {
    ssekit::shared_subscription subscription; ///< empty when ec is not errc::ok
    errc ec;
};

/// A hub whose functions any thread may call at any time.
class shared_hub {
    // What only reads changes nothing that a waker would have to report.
    template <class Call>
    auto look(Call&& call) const {
        const std::lock_guard locked(state_->lock);
        return call(std::as_const(state_->server));
    }

  public:
    /// \param loop fired when a subscriber with a `user` is ready or `next_deadline` has moved to
    /// earlier, by whatever call or by the end of a subscription; once until `next_deadline` has
    /// been asked. It only posts or notifies. Lifetime: what it calls outlives the hub.
    /// Throws std::bad_alloc.
    shared_hub(std::uint64_t epoch, time_point now, const hub_options& options = {},
               waker loop = {})
        : state_(std::make_shared<detail::shared_hub_state>(epoch, now, options, loop)) {}
    shared_hub(const shared_hub&) = delete;
    shared_hub& operator=(const shared_hub&) = delete;
    /// Effects: cuts the streams that are left; each is told by its waker. The wakers of the loop
    /// and of `close` are no longer fired.
    ~shared_hub() {
        const std::lock_guard locked(state_->lock);
        state_->gone = {};
        state_->loop = {};
        state_->server.cut();
    }

    /// Effects: calls `call(hub&)` under the lock: for everything else that a hub can do, and for
    /// several steps that belong together. It must not wait for anything.
    template <class Call>
    auto with(Call&& call) const {
        const detail::shared_hub_state::change locked(*state_);
        return call(state_->server);
    }

    /// Effects: as `hub::subscribe`. The waker may fire before this returns.
    shared_subscribe_result subscribe(const subscribe_options& options, waker wake = {}) {
        return with([&](hub& server) -> shared_subscribe_result {
            subscribe_result made = server.subscribe(options, wake);
            if (made.ec != errc::ok) return {{nullptr, std::move(made.subscription)}, made.ec};
            return {{state_, std::move(made.subscription)}, errc::ok};
        });
    }

    publish_result publish(const topic_list& topics, const event_view& event,
                           event_key key = {}) noexcept {
        return with([&](hub& server) { return server.publish(topics, event, key); });
    }
    template <std::same_as<frame> Frame> // so that {} is an event_view
    publish_result publish(const topic_list& topics, const Frame& event,
                           event_key key = {}) noexcept {
        return with([&](hub& server) { return server.publish(topics, event, key); });
    }
    publish_result publish(const topic_list& topics, frame_builder& event,
                           event_key key = {}) noexcept {
        return with([&](hub& server) { return server.publish(topics, event, key); });
    }
    publish_result publish_to_tag(std::string_view tag, const event_view& event,
                                  event_key key = {}) noexcept {
        return with([&](hub& server) { return server.publish_to_tag(tag, event, key); });
    }
    publish_result publish_to_all(const event_view& event, event_key key = {}) noexcept {
        return with([&](hub& server) { return server.publish_to_all(event, key); });
    }
    publish_result publish_sequenced(const event_target& target,
                                     const sequenced_event& event) noexcept {
        return with([&](hub& server) { return server.publish_sequenced(target, event); });
    }
    errc begin_at(std::uint64_t last) noexcept {
        return with([&](hub& server) { return server.begin_at(last); });
    }
    errc lose(const event_place& through) noexcept {
        return with([&](hub& server) { return server.lose(through); });
    }
    errc skip(const event_place& at) noexcept {
        return with([&](hub& server) { return server.skip(at); });
    }
    errc note_newest(const event_place& newest) noexcept {
        return with([&](hub& server) { return server.note_newest(newest); });
    }
    errc begin_epoch(const event_place& begins_after) noexcept {
        return with([&](hub& server) { return server.begin_epoch(begins_after); });
    }
    errc feed(std::uint64_t stream, const event_target& target,
              const sequenced_event& event) noexcept {
        return with([&](hub& server) { return server.feed(stream, target, event); });
    }
    errc feed_through(std::uint64_t stream, const event_place& place) noexcept {
        return with([&](hub& server) { return server.feed_through(stream, place); });
    }
    errc feed_no_more(std::uint64_t stream) noexcept {
        return with([&](hub& server) { return server.feed_no_more(stream); });
    }
    /// Effects: as `hub::for_each_need`, under the lock: `call` waits for nothing.
    template <class Call>
    void for_each_need(Call&& call) const {
        look([&](const hub& server) { server.for_each_need(call); });
    }
    [[nodiscard]] event_place newest() const noexcept {
        return look([](const hub& server) { return server.newest(); });
    }
    publish_result publish_transient(const topic_list& topics, const event_view& event,
                                     std::string_view key = {}) noexcept {
        return with([&](hub& server) { return server.publish_transient(topics, event, key); });
    }
    publish_result publish_transient_to_tag(std::string_view tag, const event_view& event,
                                            std::string_view key = {}) noexcept {
        return with([&](hub& server) { return server.publish_transient_to_tag(tag, event, key); });
    }
    publish_result publish_transient_to_all(const event_view& event,
                                            std::string_view key = {}) noexcept {
        return with([&](hub& server) { return server.publish_transient_to_all(event, key); });
    }
    [[nodiscard]] topic_room room(std::string_view name) const noexcept {
        return look([&](const hub& server) { return server.room(name); });
    }
    [[nodiscard]] std::size_t would_lag(const topic_list& topics,
                                        std::size_t bytes) const noexcept {
        return look([&](const hub& server) { return server.would_lag(topics, bytes); });
    }
    [[nodiscard]] std::optional<reader_lag> slowest_reader(std::string_view name) const noexcept {
        return look([&](const hub& server) { return server.slowest_reader(name); });
    }

    /// What happens on any thread is dated by the last tick: where deadlines matter to a second,
    /// tick at least that often.
    void tick(time_point now) noexcept {
        with([&](hub& server) { server.tick(now); });
    }
    /// Preconditions: one thread at a time drives the loop, that is calls this and `next_deadline`.
    [[nodiscard]] void* next_ready() noexcept {
        const std::lock_guard locked(state_->lock);
        return state_->server.next_ready();
    }
    /// Effects: from now on the loop's waker is fired again. Ask `next_ready` first, wait after.
    /// \returns as `hub::next_deadline`; time_point::min() when a subscriber is ready.
    [[nodiscard]] time_point next_deadline() noexcept {
        const std::lock_guard locked(state_->lock);
        state_->loop_told = false;
        state_->loop_deadline =
            state_->server.has_ready() ? (time_point::min)() : state_->server.next_deadline();
        return state_->loop_deadline;
    }

    /// Effects: as `hub::close`.
    /// \param gone fired once, when no stream is left: as soon as the last subscription has been
    /// destroyed, on whatever thread, or before this returns if there is none. It only posts or
    /// notifies. Safe to repeat: a later waker takes the place of one that has not been fired, an
    /// empty one changes nothing. Lifetime: what it calls lives until it has been fired or
    /// replaced, or outlives the hub.
    errc close(const close_options& options = {}, waker gone = {}) noexcept {
        return with([&](hub& server) {
            const errc code = server.close(options);
            if (code == errc::ok && gone) state_->gone = gone;
            return code;
        });
    }
    [[nodiscard]] std::chrono::milliseconds refused_retry() const noexcept {
        return with([](hub& server) { return server.refused_retry(); });
    }
    void cut() noexcept {
        with([](hub& server) { server.cut(); });
    }
    bool evict(std::uint64_t id) noexcept {
        return with([&](hub& server) { return server.evict(id); });
    }

    errc keep(std::string_view name, const retention& bounds) noexcept {
        return with([&](hub& server) { return server.keep(name, bounds); });
    }
    errc keep_pattern(std::string_view pattern, const retention& bounds) noexcept {
        return with([&](hub& server) { return server.keep_pattern(pattern, bounds); });
    }
    void keep_no_more(std::string_view name) noexcept {
        with([&](hub& server) { server.keep_no_more(name); });
    }
    void keep_pattern_no_more(std::string_view pattern) noexcept {
        with([&](hub& server) { server.keep_pattern_no_more(pattern); });
    }
    errc close_topic(std::string_view topic, const event_view& last = {},
                     std::chrono::milliseconds keep_for = std::chrono::seconds(30)) noexcept {
        return with([&](hub& server) { return server.close_topic(topic, last, keep_for); });
    }
    errc reopen_topic(std::string_view name) noexcept {
        return with([&](hub& server) { return server.reopen_topic(name); });
    }
    bool forget_topic(std::string_view name) noexcept {
        return with([&](hub& server) { return server.forget_topic(name); });
    }
    [[nodiscard]] std::optional<topic_info> find_topic(std::string_view name) const noexcept {
        return look([&](const hub& server) { return server.find_topic(name); });
    }

    /// Effects: as `hub::for_each_topic` and so on, under the lock: `call` waits for nothing.
    template <class Call>
    void for_each_topic(Call&& call) const {
        look([&](const hub& server) { server.for_each_topic(call); });
    }
    template <class Call>
    void for_each_subscriber(Call&& call) const {
        look([&](const hub& server) { server.for_each_subscriber(call); });
    }
    template <class Call>
    void for_each_subscriber_with_tag(std::string_view tag, Call&& call) const {
        look([&](const hub& server) { server.for_each_subscriber_with_tag(tag, call); });
    }
    template <class Call>
    void for_each_reader(std::string_view name, Call&& call) const {
        look([&](const hub& server) { server.for_each_reader(name, call); });
    }
    template <class Call>
    void for_each_present(Call&& call) const {
        look([&](const hub& server) { server.for_each_present(call); });
    }
    [[nodiscard]] bool is_present(std::string_view tag) const noexcept {
        return look([&](const hub& server) { return server.is_present(tag); });
    }
    [[nodiscard]] std::size_t subscribers() const noexcept {
        return look([](const hub& server) { return server.subscribers(); });
    }
    [[nodiscard]] std::size_t subscribers(std::string_view name) const noexcept {
        return look([&](const hub& server) { return server.subscribers(name); });
    }
    [[nodiscard]] std::size_t subscribers_with_tag(std::string_view tag) const noexcept {
        return look([&](const hub& server) { return server.subscribers_with_tag(tag); });
    }
    [[nodiscard]] std::size_t subscriptions() const noexcept {
        return look([](const hub& server) { return server.subscriptions(); });
    }
    [[nodiscard]] hub_metrics metrics() const noexcept {
        return look([](const hub& server) { return server.metrics(); });
    }

  private:
    std::shared_ptr<detail::shared_hub_state> state_;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
