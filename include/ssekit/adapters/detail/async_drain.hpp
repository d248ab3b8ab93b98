// SPDX-License-Identifier: MIT
//
// Event streams over asynchronous ones, whichever library brings them: asio.hpp and boost_asio.hpp
// say which that is, by a specialisation of `net_of`.
//
// A stream takes what `prepare` gave and later says how much of it has left, which is then
// consumed. Between the two the frames stay where they are, so nothing is copied; and since one
// write is under way at a time, what a slow client does not take stays in the log, where the hub's
// lag policy sees it. Each completion goes through the executor's queue, and a write is bounded, so
// that other streams get their turns in between.
#ifndef SSEKIT_ADAPTERS_DETAIL_ASYNC_DRAIN_HPP
#define SSEKIT_ADAPTERS_DETAIL_ASYNC_DRAIN_HPP

#include <ssekit/adapters/detail/async_bell.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

namespace detail {

/// The library of a stream, by the type of its executor.
template <class Executor>
struct net_of;

template <class Stream>
using net_for = typename net_of<typename Stream::executor_type>::type;

/// An AsyncWriteStream: a socket, or a layer on one.
template <class Stream>
concept async_write_stream = requires {
    typename net_for<Stream>;
};

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

/// Whether an operation has been cancelled by its owner, where the library knows of that.
template <class Self>
bool is_cancelled(Self& self) {
    if constexpr (requires { self.cancelled(); }) {
        return self.cancelled() != decltype(self.cancelled()){};
    } else {
        return false;
    }
}

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

} // namespace detail

/// Effects: writes what the generator has, in writes of at most `default_drain_budget` bytes, and
/// completes with (error_code, drain_status): `idle` or `done` without an error, which still holds
/// when the handler is called; `closed` with the error that says why; or `cut` with
/// connection_aborted: close the transport, and do not end the response.
/// Lifetime: the stream and the generator live until then, and so does the hub of a `subscription`;
/// a `shared_subscription` may outlive its hub.
/// Preconditions: nothing else writes meanwhile. An owner that drains on behalf of `next_ready` or
/// a waker and is notified during a write checks `is_done`, and closes the transport if it is.
/// Thread safety: the executor of the stream.
template <detail::async_write_stream Stream, buffers_generator Generator, class Token>
auto async_drain(Stream& stream, Generator& generator, Token&& token) {
    using net = detail::net_for<Stream>;
    using operation = detail::drain_operation<net, Stream, Generator>;
    return net::template compose<Token, void(typename net::error_code, drain_status)>(
        operation(stream, generator), token, stream);
}

/// Effects: drains whenever the bell rings, until the stream is done, and completes with
/// (error_code): none when the stream has ended in order and all of it has left;
/// connection_aborted when it has broken off, and a write under way was ended by closing the
/// transport; operation_aborted when the bell or the operation was cancelled; or what the transport
/// said.
/// Preconditions: the generator has the bell's waker; the bell is on the stream's executor and
/// nothing else waits for it; nothing else writes meanwhile.
/// Lifetime and thread safety: as above, and the bell lives as long.
template <detail::async_write_stream Stream, buffers_generator Generator, class Token>
auto async_serve(Stream& stream, Generator& generator,
                 detail::async_bell<detail::net_for<Stream>>& bell, Token&& token) {
    using net = detail::net_for<Stream>;
    using operation = detail::serve_operation<net, Stream, Generator>;
    return net::template compose<Token, void(typename net::error_code)>(
        operation(stream, generator, bell), token, stream);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
