// SPDX-License-Identifier: MIT
//
// What the adapters of asynchronous streams share, whichever library brings the stream.
//
// A stream takes what `prepare` gave and later says how much of it has left, which is then
// consumed. Between the two the frames stay where they are, so nothing is copied; and since one
// write is under way at a time, what a slow client does not take stays in the log, where the hub's
// lag policy sees it. Each completion goes through the executor's queue, and a write is bounded, so
// that other streams get their turns in between.
//
// A bell carries the hub's wake-up over to the stream's executor. It posts nothing: a post needs
// memory, and a hub that wakes a thousand streams has none to spare. Instead, waiting for the bell
// is a pending wait of its timer, whose memory is there already, and ringing cancels that wait; the
// timer has a lock, because it is used from two sides. A ring without a wait is remembered. While a
// write is under way such a wait is pending too, to see whether the hub has given up the client
// meanwhile, because such a write would never complete by itself.
//
// Net: the library, as far as it matters here
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
#ifndef SSEKIT_ADAPTERS_DETAIL_ASYNC_DRAIN_HPP
#define SSEKIT_ADAPTERS_DETAIL_ASYNC_DRAIN_HPP

#include <ssekit/hub_options.hpp>
#include <ssekit/time.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// What one write takes: a sequence of buffers, which libraries copy as they like.
template <class Buffer>
class gathered_slices {
  public:
    using value_type = Buffer;
    using const_iterator = const Buffer*;

    template <buffers_generator Generator>
    explicit gathered_slices(Generator& generator) noexcept {
        std::array<std::string_view, drain_slices> slices;
        const std::size_t count = generator.prepare(slices);
        std::size_t room = default_drain_budget;
        for (; size_ != count && room != 0; ++size_) {
            const std::size_t bytes = (std::min)(room, slices[size_].size());
            buffers_[size_] = Buffer(slices[size_].data(), bytes);
            room -= bytes;
        }
    }

    [[nodiscard]] const_iterator begin() const noexcept { return buffers_.data(); }
    [[nodiscard]] const_iterator end() const noexcept { return buffers_.data() + size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  private:
    std::array<Buffer, drain_slices> buffers_{};
    std::size_t size_ = 0;
};

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

/// Whether an operation has been cancelled by its owner, where the library knows of that.
template <class Self>
bool is_cancelled(Self& self) {
    if constexpr (requires { self.cancelled(); }) {
        return self.cancelled() != decltype(self.cancelled()){};
    } else {
        return false;
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

/// Writes until there is nothing to send.
template <class Net, class Stream, buffers_generator Generator>
class drain_operation {
  public:
    drain_operation(Stream& stream, Generator& generator) noexcept
        : stream_(&stream), generator_(&generator) {}

    template <class Self>
    void operator()(Self& self, typename Net::error_code failed = {}, std::size_t bytes = 0) {
        if (bytes != 0) generator_->consume(bytes);
        const bool first = !std::exchange(started_, true);
        if (!first && !failed && is_cancelled(self)) failed = Net::aborted();
        if (failed) return self.complete(failed, drain_status::closed);
        const gathered_slices<typename Net::const_buffer> slices(*generator_);
        if (!slices.empty()) {
            stream_->async_write_some(slices, std::move(self));
        } else if (first) {
            // A handler is not called from where its operation is started; and since something may
            // be published before it is, there is another look then.
            Net::post(std::move(self));
        } else {
            const drain_status status = drained(*generator_);
            if (status == drain_status::cut) failed = Net::cut();
            self.complete(failed, status);
        }
    }

  private:
    Stream* stream_;
    Generator* generator_;
    bool started_ = false;
};

/// Writes and waits until nothing will ever leave again.
template <class Net, class Stream, buffers_generator Generator>
class serve_operation {
  public:
    serve_operation(Stream& stream, Generator& generator, async_bell<Net>& bell) noexcept
        : stream_(&stream), generator_(&generator), bell_(&bell) {}

    template <class Self>
    void operator()(Self& self, typename Net::error_code failed = {}, std::size_t bytes = 0) {
        bell_->write_ended();
        if (bytes != 0) generator_->consume(bytes);
        if (!std::exchange(started_, true)) return Net::post(std::move(self));
        if (bell_->is_cancelled() || is_cancelled(self)) {
            if (!failed) failed = Net::aborted();
        } else if (drained(*generator_) == drain_status::cut) {
            failed = Net::cut(); // also where the write failed because of that
        }
        if (failed) return complete(self, failed);
        bell_->hear();
        const gathered_slices<typename Net::const_buffer> slices(*generator_);
        if (!slices.empty()) {
            bell_->write_begins(*stream_, *generator_);
            stream_->async_write_some(slices, std::move(self));
            return;
        }
        switch (drained(*generator_)) {
        case drain_status::done: return complete(self, failed);
        case drain_status::cut: return complete(self, Net::cut());
        default: bell_->async_wait(std::move(self)); return;
        }
    }

  private:
    template <class Self>
    void complete(Self& self, typename Net::error_code how) {
        bell_->rest();
        self.complete(how);
    }

    Stream* stream_;
    Generator* generator_;
    async_bell<Net>* bell_;
    bool started_ = false;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
