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
// and keeps the io_context busy until it is done.
//
// Certificates are always verified, against the authorities in the context: a self-signed one has
// to be among them. The addresses of a host are tried one after the other, and share
// `connect_timeout`.
#ifndef SSEKIT_ADAPTERS_BEAST_CLIENT_HPP
#define SSEKIT_ADAPTERS_BEAST_CLIENT_HPP

#include <ssekit/adapters/beast_connection.hpp>
#include <ssekit/event_source.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
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
    /// as by `next() || timer`: the next call goes on where this one was, and nothing is lost.
    [[nodiscard]] boost::asio::awaitable<const event_view*> next();

    /// Effects: closes the source and wakes a pending `next`, which closing the source alone would
    /// not do.
    void close() {
        source_.close();
        alarm_.cancel();
    }

    /// How many events were dropped because of `parser_limits`, and why the last one was.
    [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
    [[nodiscard]] errc last_error() const noexcept { return last_error_; }

  private:
    static time_point now() noexcept { return std::chrono::steady_clock::now(); }

    boost::asio::awaitable<void> open();
    boost::asio::awaitable<void> read(time_point at_least = {});
    boost::asio::awaitable<void> step_done(time_point at_least = {});
    boost::asio::awaitable<void> wait(time_point deadline);
    void give_up();
    void take(const std::exception_ptr& failed);
    void lose(std::string_view why) {
        give_up();
        source_.receive_failure(now(), why);
    }

    /// Of an attempt to connect, the one that is under way.
    enum class step : std::uint8_t { look_up, connect, secure, head };

    boost::asio::steady_timer alarm_;
    boost::asio::ssl::context* tls_ = nullptr;
    event_source& source_;
    std::shared_ptr<detail::beast_connection> connection_ = {};
    bool is_opening_ = false; // an attempt has begun, and there is no head yet
    step under_way_ = step::look_up;
    std::string_view input_ = {};
    std::uint64_t dropped_ = 0;
    errc last_error_ = errc::ok;
};

// ---- how

inline boost::asio::awaitable<const event_view*> beast_event_stream::next() {
    constexpr std::chrono::milliseconds a_moment(100); // to read what is there
    bool was_away = true;
    for (;;) {
        const time_point time = now();
        if (const event_view* const event = source_.next(input_, time)) co_return event;
        if (source_.state() == ready_state::open && source_.error() != errc::ok) {
            ++dropped_;
            last_error_ = source_.error();
            continue;
        }
        // What arrived while the reader was busy does not count as silence of the server.
        const bool is_back = std::exchange(was_away, false) && connection_ != nullptr;
        const bool is_late =
            is_back && source_.state() == ready_state::open && source_.next_deadline() <= time;
        const source_action action = is_late ? source_action::wait : source_.poll(time);
        if (action == source_action::disconnect || action == source_action::stop) {
            give_up();
            continue;
        }
        if (source_.state() == ready_state::closed) co_return nullptr;
        std::exception_ptr failed;
        try {
            if (action == source_action::connect) is_opening_ = true;
            if (is_opening_) {
                co_await open();
            } else if (connection_ != nullptr) {
                co_await read(is_late ? time + a_moment : time_point());
            } else {
                co_await wait(source_.next_deadline());
            }
        } catch (...) {
            failed = std::current_exception();
        }
#if BOOST_VERSION >= 107700 // before that a coroutine cannot be cancelled
        const auto asked = co_await boost::asio::this_coro::cancellation_state;
        if (asked.cancelled() != boost::asio::cancellation_type::none) {
            // What has come is kept, and so is what is under way: the next call goes on with it.
            throw boost::system::system_error(boost::asio::error::operation_aborted);
        }
#endif
        if (failed) take(failed);
    }
}

inline void beast_event_stream::take(const std::exception_ptr& failed) {
    try {
        std::rethrow_exception(failed);
    } catch (const boost::system::system_error& error) {
        lose(error.code().message());
    } catch (...) {
        lose("an exception");
        throw;
    }
}

// Begins the attempt, or goes on with it where a call that was cancelled has left off.
inline boost::asio::awaitable<void> beast_event_stream::open() {
    if (connection_ == nullptr) {
        connection_ = std::make_shared<detail::beast_connection>(source_.request(), alarm_, tls_);
        connection_->resolve();
        under_way_ = step::look_up;
    }
    if (under_way_ == step::look_up) {
        co_await step_done();
        connection_->connect();
        under_way_ = step::connect;
    }
    if (under_way_ == step::connect) {
        co_await step_done();
        if (connection_->is_secure()) connection_->shake_hands();
        under_way_ = step::secure;
    }
    if (under_way_ == step::secure) {
        co_await step_done();
        connection_->write();
        connection_->read();
        under_way_ = step::head;
    }
    for (;;) {
        co_await step_done();
        connection_->parse();
        if (connection_->has_head()) break;
        connection_->read();
    }
    is_opening_ = false;
    const auto find = [this](std::string_view name) { return connection_->find(name); };
    source_.receive_head(connection_->status(), find, now());
}

inline boost::asio::awaitable<void> beast_event_stream::read(time_point at_least) {
    if (connection_->is_done()) { // else a call that was cancelled has begun to read
        input_ = connection_->parse();
        if (input_.empty() && !connection_->has_all()) connection_->read();
    }
    if (!connection_->is_done()) {
        co_await step_done(at_least);
        input_ = connection_->parse();
    }
    if (!input_.empty() || !connection_->has_all()) co_return;
    give_up();
    source_.receive_end(now());
}

// Throws when the step has failed, when the source's time for it is over or the source is closed.
inline boost::asio::awaitable<void> beast_event_stream::step_done(time_point at_least) {
    while (!connection_->is_done()) {
        const bool is_over = source_.state() == ready_state::closed;
        const time_point deadline =
            is_over ? time_point() : (std::max)(source_.next_deadline(), at_least);
        if (deadline <= now()) throw boost::system::system_error(boost::asio::error::timed_out);
        co_await wait(deadline);
    }
    if (connection_->error()) throw boost::system::system_error(connection_->error());
}

inline boost::asio::awaitable<void> beast_event_stream::wait(time_point deadline) {
    boost::system::error_code ignored;
    alarm_.expires_at(deadline);
    co_await alarm_.async_wait(redirect_error(boost::asio::use_awaitable, ignored));
#if BOOST_VERSION >= 107700
    const auto asked = co_await boost::asio::this_coro::cancellation_state;
    if (asked.cancelled() != boost::asio::cancellation_type::none) {
        throw boost::system::system_error(boost::asio::error::operation_aborted);
    }
#endif
}

inline void beast_event_stream::give_up() {
    input_ = {};
    is_opening_ = false;
    if (connection_ == nullptr) return;
    connection_->give_up();
    connection_ = nullptr;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
