// SPDX-License-Identifier: MIT
//
// An event source over Boost.Asio and Beast, for coroutines:
//
//     ssekit::beast_event_stream stream(co_await this_coro::executor, tls, source);
//     while (const ssekit::event_view* event = co_await stream.next()) ...
//
// It reconnects by itself, and ends when the source has ended, see `event_source::end`. A network
// failure is a failure of the source, not an exception.
//
// Everything happens on one executor: the stream is made with it, and `next` is awaited and `close`
// called on it; make it a strand if several threads run it. One `next` at a time may be pending. It
// waits for the source's deadline on a timer, which is cancelled by the end of an operation and by
// `close`, so it ends at once, whatever is under way. A name look-up goes on in a thread of Asio's,
// and keeps the io_context busy until it is done. The time between two calls of `next`, and that of
// the source's hooks, is no silence of the server.
//
// Certificates are always verified, against the authorities in the context: a self-signed one has
// to be among them. A client certificate of the context is presented to the first URL's origin
// alone, not where a redirect leads to another one; one that a callback of the context picks is not
// known here, and so is that callback's business. The addresses of a host are tried one after the
// other, and share `connect_timeout`, which covers TLS as well.
//
// A head, and what stands between chunks or after them, may have 64 KiB each: beyond that the
// connection has failed.
#ifndef SSEKIT_ADAPTERS_BEAST_CLIENT_HPP
#define SSEKIT_ADAPTERS_BEAST_CLIENT_HPP

#include <ssekit/adapters/beast_connection.hpp>
#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_source.hpp>
#include <ssekit/stream_item.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <boost/version.hpp>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: borrows the context and the source; a pending `next` uses the stream, but both may be
/// destroyed together, with the coroutine or the io_context. Thread safety: that of the executor.
class beast_event_stream {
  public:
    beast_event_stream(boost::asio::any_io_executor executor, boost::asio::ssl::context& tls,
                       event_source& source)
        : alarm_(std::move(executor)), tls_(&tls), source_(source) {}
    /// For http alone: each connection to https fails.
    beast_event_stream(boost::asio::any_io_executor executor, event_source& source)
        : alarm_(std::move(executor)), source_(source) {}
    beast_event_stream(const beast_event_stream&) = delete;
    beast_event_stream& operator=(const beast_event_stream&) = delete;
    ~beast_event_stream() { give_up(); }

    /// Waits for the next event. Throws std::bad_alloc, and then the connection is lost.
    /// Preconditions: no other call is pending.
    /// \returns nullptr when there will be none. Lifetime: until the next call.
    /// Throws boost::system::system_error with operation_aborted when the coroutine is cancelled,
    /// as by `next() || timer`, also under throw_if_cancelled(false): the next call goes on where
    /// this one was, and nothing is lost. With Boost 1.77 or later; before that, no coroutine can
    /// be cancelled.
    [[nodiscard]] boost::asio::awaitable<const event_view*> next();

    /// Waits for the next event, or for one that was dropped, but not beyond `until`: then the item
    /// is quiet, and the next call goes on where this one was. For the rest as `next`.
    [[nodiscard]] boost::asio::awaitable<stream_item> next_item(time_point until = never);

    /// Effects: closes the source and wakes a pending `next`, which closing the source alone would
    /// not do.
    void close() {
        source_.close();
        alarm_.cancel();
    }

    /// How many events the source has dropped, and why the last one was.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return source_.dropped(); }
    [[nodiscard]] errc last_error() const noexcept { return source_.last_drop(); }

  private:
    /// What has been begun last of an attempt.
    enum class step : std::uint8_t { look_up, connect, secure, head, body };

    static time_point now() noexcept { return std::chrono::steady_clock::now(); }
    [[nodiscard]] bool has_news() const noexcept;
    void turn();
    void go_on();
    void take_head();
    void take_body();
    boost::asio::awaitable<void> wait(time_point deadline);
    boost::asio::awaitable<void> end_if_cancelled();
    void give_up();
    void lose(std::string_view why);
    /// \returns what the call does. In its time, which may be that of a hook, nobody could listen.
    template <class Call>
    auto outside_time(const Call& call) {
        const time_point before = now();
        const auto out = call(before);
        pause_since(before);
        return out;
    }
    void pause_since(time_point before) noexcept {
        source_.receive_pause(detail::between(before, now()));
    }

    boost::asio::steady_timer alarm_;
    boost::asio::ssl::context* tls_ = nullptr;
    event_source& source_;
    std::shared_ptr<detail::beast_connection> connection_ = {};
    bool is_opening_ = false; // an attempt has begun, and there is no head yet
    step begun_ = step::look_up;
    std::string_view input_ = {};
    bool has_begun_ = false;
    time_point listened_ = {}; // the last time
};

// ---- how

inline boost::asio::awaitable<const event_view*> beast_event_stream::next() {
    for (;;) {
        const stream_item item = co_await next_item();
        if (item.kind == item_kind::event || item.kind == item_kind::end) co_return item.event;
    }
}

inline boost::asio::awaitable<stream_item> beast_event_stream::next_item(time_point until) {
    // If the source still knows of a transfer, it was another stream's and has ended with it.
    if (!std::exchange(has_begun_, true)) source_.receive_failure(now());
    if (connection_ != nullptr) pause_since(listened_);
    for (;;) {
        listened_ = now();
        if (const event_view* const event = source_.next(input_, listened_)) {
            co_return stream_item{.kind = item_kind::event, .event = event};
        }
        if (source_.error() == errc::comment_too_long) continue;
        if (source_.error() != errc::ok) {
            co_return stream_item{.kind = item_kind::dropped, .error = source_.error()};
        }
        turn();
        if (source_.state() == ready_state::closed) co_return stream_item{};
        if (!input_.empty() || has_news() || source_.next_deadline() <= now()) continue;
        if (until <= listened_) co_return stream_item{.kind = item_kind::quiet};
        co_await wait((std::min)(source_.next_deadline(), until));
    }
}

/// \returns whether a step is done whose outcome is of use.
inline bool beast_event_stream::has_news() const noexcept {
    if (source_.state() == ready_state::closed) return false;
    if (connection_ == nullptr) return is_opening_;
    return connection_->is_done() && (is_opening_ || source_.wants_body());
}

// What has come is looked at before the clock.
inline void beast_event_stream::turn() {
    if (has_news()) {
        try {
            return go_on();
        } catch (const boost::system::system_error& error) {
            return lose(connection_ == nullptr ? error.code().message()
                                               : connection_->explain(error.code()));
        } catch (...) {
            lose("an exception");
            throw;
        }
    }
    const bool is_open = source_.state() != ready_state::closed;
    if (is_open && is_opening_ && begun_ < step::head && source_.next_deadline() <= now()) {
        return lose("no connection in time");
    }
    switch (outside_time([this](time_point time) { return source_.poll(time); })) {
    case source_action::connect: is_opening_ = true; break;
    case source_action::disconnect:
    case source_action::stop: give_up(); break;
    case source_action::wait: break;
    }
}

// Does what follows the step that is done.
inline void beast_event_stream::go_on() {
    if (connection_ == nullptr) {
        connection_ = std::make_shared<detail::beast_connection>(
            source_.request(), source_.has_decoder(), alarm_, tls_);
        connection_->resolve();
        begun_ = step::look_up;
        return;
    }
    if (connection_->error()) throw boost::system::system_error(connection_->error());
    switch (begun_) {
    case step::look_up:
        connection_->connect();
        begun_ = step::connect;
        return;
    case step::connect:
        if (connection_->is_secure()) {
            connection_->shake_hands();
            begun_ = step::secure;
            return;
        }
        [[fallthrough]];
    case step::secure:
        source_.receive_connected(now());
        begun_ = step::head;
        connection_->write();
        connection_->read();
        return;
    case step::head: return take_head();
    case step::body: return take_body();
    }
}

inline void beast_event_stream::take_head() {
    connection_->parse();
    if (!connection_->has_head()) return connection_->read();
    is_opening_ = false;
    begun_ = step::body;
    const auto find = [this](std::string_view name) { return connection_->find(name); };
    outside_time(
        [&](time_point time) { return source_.receive_head(connection_->status(), find, time); });
}

inline void beast_event_stream::take_body() {
    input_ = connection_->parse();
    if (!input_.empty()) return;
    if (!connection_->has_all()) return connection_->read();
    give_up();
    source_.receive_end(now());
}

inline boost::asio::awaitable<void> beast_event_stream::wait(time_point deadline) {
    boost::system::error_code ignored;
    co_await end_if_cancelled(); // by what came before: no signal follows
    alarm_.expires_at(deadline);
    co_await alarm_.async_wait(redirect_error(boost::asio::use_awaitable, ignored));
    listened_ = now();
    co_await end_if_cancelled();
}

// What has come is kept, and so is what is under way: the next call goes on with it.
inline boost::asio::awaitable<void> beast_event_stream::end_if_cancelled() {
#if BOOST_VERSION >= 107700 // before that a coroutine cannot be cancelled
    const auto asked = co_await boost::asio::this_coro::cancellation_state;
    if (asked.cancelled() != boost::asio::cancellation_type::none) {
        throw boost::system::system_error(boost::asio::error::operation_aborted);
    }
#endif
    co_return;
}

inline void beast_event_stream::give_up() {
    input_ = {};
    is_opening_ = false;
    if (connection_ == nullptr) return;
    connection_->give_up();
    connection_ = nullptr;
}

inline void beast_event_stream::lose(std::string_view why) {
    const bool is_unsent = is_opening_ && (connection_ == nullptr || begun_ < step::head);
    give_up();
    source_.receive_failure(now(), why, is_unsent ? request_reach::unsent : request_reach::unknown);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
