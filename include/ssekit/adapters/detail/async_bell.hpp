// SPDX-License-Identifier: MIT
//
// A bell carries the hub's wake-up over to the executor of an asynchronous stream. It posts
// nothing: a post needs memory, and a hub that wakes a thousand streams has none to spare. Instead,
// waiting for the bell is a pending wait of its timer, whose memory is there already, and ringing
// cancels that wait; the timer has a lock, because it is used from two sides. A ring without a wait
// is remembered. While a write is under way such a wait is pending too, to see whether the hub has
// given up the client meanwhile, because such a write would never complete by itself.
//
// Net: the library, as far as it matters here and in async_drain.hpp
//
// | expression                     | semantics                                                  |
// |--------------------------------|------------------------------------------------------------|
// | Net::error_code                | converts to bool: something has failed                     |
// | Net::const_buffer(data, size)  | what a sequence of buffers consists of                     |
// | Net::executor                  | any executor                                               |
// | Net::timer(executor)           | expires_at, which ends the wait before; async_wait; cancel,|
// |                                | which allocates nothing and does not throw; all three may  |
// |                                | be called on any thread, one at a time                     |
// | Net::aborted()                 | the error_code of what its owner has given up              |
// | Net::cut()                     | the error_code of a stream that has broken off             |
// | Net::post(handler)             | on the executor that is associated with it                 |
// | Net::compose<Token, Signature> | (operation, token, object): an asynchronous operation      |
#ifndef SSEKIT_ADAPTERS_DETAIL_ASYNC_BELL_HPP
#define SSEKIT_ADAPTERS_DETAIL_ASYNC_BELL_HPP

#include <ssekit/time.hpp>
#include <ssekit/waker.hpp>

#include <memory>
#include <mutex>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: closes what carries the bytes, under whatever layers there are on it. Writes under way
/// fail.
template <class Net, class Stream>
void close_transport(Stream& stream) {
    if constexpr (requires { stream.next_layer(); }) {
        close_transport<Net>(stream.next_layer());
    } else if constexpr (requires(typename Net::error_code & failed) { stream.close(failed); }) {
        typename Net::error_code ignored;
        stream.close(ignored);
    } else {
        stream.close();
    }
}

template <class Net>
class async_bell {
    using error_code = typename Net::error_code;

    // Outlives the bell in the waits that are pending.
    struct state : std::enable_shared_from_this<state> {
        explicit state(const typename Net::executor& where) : timer(where) {}

        void ring() noexcept {
            const std::lock_guard locked(lock);
            rung = true;
            timer.cancel();
        }
        bool hear() noexcept {
            const std::lock_guard locked(lock);
            return std::exchange(rung, false);
        }
        template <class Handler>
        void wait_until(time_point deadline, Handler&& handler) {
            const std::shared_ptr<state> home = this->shared_from_this();
            const std::lock_guard locked(lock);
            timer.expires_at(rung || cancelled ? (time_point::min)() : deadline);
            timer.async_wait(std::forward<Handler>(handler));
        }
        void watch() {
            wait_until(never, [self = this->shared_from_this()](error_code) { self->watched(); });
            is_watched = true;
        }
        void watched() {
            is_watched = false;
            if (look == nullptr) return; // the write is complete
            hear();
            look(stream, generator, false);
            watch();
        }
        void end_wait() noexcept {
            const std::lock_guard locked(lock);
            timer.cancel();
        }

        std::mutex lock; // of these two
        typename Net::timer timer;
        bool rung = false; // and no wait has seen it

        // What follows is used on the executor alone.
        bool cancelled = false;
        bool is_watched = false; // a wait of `watch` is pending, or its completion is
        // While a write is under way: closes the transport if the stream is done, or in any case.
        void (*look)(void* stream, void* generator, bool give_up) = nullptr;
        void* stream = nullptr;
        void* generator = nullptr;
    };

    struct wait {
        template <class Self>
        void operator()(Self& self) {
            state& at = *home;
            at.wait_until(deadline, std::move(self));
        }
        template <class Self>
        void operator()(Self& self, error_code failed) {
            if (home->hear()) failed = {};
            self.complete(home->cancelled ? Net::aborted() : failed);
        }

        std::shared_ptr<state> home;
        time_point deadline;
    };

  public:
    /// \param where the executor of the stream that is woken: a strand, if several threads run it.
    /// Throws std::bad_alloc.
    explicit async_bell(const typename Net::executor& where)
        : state_(std::make_shared<state>(where)) {}
    async_bell(const async_bell&) = delete;
    async_bell& operator=(const async_bell&) = delete;
    /// Effects: ends the wait, as `cancel` does.
    ~async_bell() {
        state_->look = nullptr;
        cancel();
    }

    /// \returns what a hub takes. Firing it allocates nothing. Lifetime: the bell outlives the
    /// subscription or hub that has it, and the executor's context outlives both.
    [[nodiscard]] ssekit::waker waker() noexcept {
        return {[](void* self) noexcept { static_cast<state*>(self)->ring(); }, state_.get()};
    }

    /// Effects: ends the wait, or the next one if there is none. Allocates nothing. Thread safety:
    /// any thread.
    void ring() noexcept { state_->ring(); }

    /// Effects: ends the wait and every later one with operation_aborted, and async_serve likewise;
    /// if that is writing, by closing the transport: the client has gone. Safe to repeat.
    void cancel() {
        state_->cancelled = true;
        state_->end_wait();
        if (state_->look != nullptr) state_->look(state_->stream, state_->generator, true);
    }

    /// Effects: completes with (error_code) when the bell has rung since the last wait ended.
    /// Preconditions: one wait at a time. Thread safety: its executor, as for all but `ring`.
    template <class Token>
    auto async_wait(Token&& token) {
        return async_wait_until(never, std::forward<Token>(token));
    }
    /// Effects: the same, or when the deadline has come.
    template <class Token>
    auto async_wait_until(time_point deadline, Token&& token) {
        return Net::template compose<Token, void(error_code)>(wait{state_, deadline}, token,
                                                              state_->timer);
    }

    // ---- for async_serve

    [[nodiscard]] bool is_cancelled() const noexcept { return state_->cancelled; }

    /// Effects: forgets the rings until now: the caller looks at everything afterwards.
    void hear() noexcept { state_->hear(); }

    /// Effects: until `write_ended`, closes the stream when the bell rings and the generator is
    /// done, or when the bell is cancelled.
    template <class Stream, class Generator>
    void write_begins(Stream& stream, Generator& generator) {
        state_->stream = &stream;
        state_->generator = &generator;
        state_->look = [](void* writes, void* reads, bool give_up) {
            if (!give_up && !static_cast<Generator*>(reads)->is_done()) return;
            close_transport<Net>(*static_cast<Stream*>(writes));
        };
        if (!state_->is_watched) state_->watch();
    }
    void write_ended() noexcept { state_->look = nullptr; }

    /// Effects: leaves nothing pending. Preconditions: there is no wait and no write.
    void rest() noexcept {
        if (state_->is_watched) state_->end_wait();
    }

  private:
    std::shared_ptr<state> state_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
