// SPDX-License-Identifier: MIT
//
// Streams on a libuv loop. libuv has no event for a socket that is writable again, only for a write
// that is complete. So what fits is sent at once with uv_try_write, and when the socket is full the
// next slice goes through uv_write, whose completion is the event. libuv never holds more than that
// slice, which stays in the subscription's hand until then; so a client that stalls holds back its
// subscription, and the hub's policies for slow ones work.
//
// Everything runs on the loop's thread. A hub is driven by a uv_prepare_t, which is called once a
// turn before the loop waits: tick, run the streams that are ready, set a uv_timer_t to
// `next_deadline`. Where other threads publish, use a shared_hub whose waker calls uv_async_send,
// which allocates nothing; the callback of that uv_async_t may be empty, since a turn follows.
//
// A client that goes is seen by the owner's read callback, or here as closed; a stream that has
// broken off is cut here. Either way call uv_close, and destroy this in its callback, not before:
// until then libuv may look at the slice. So the hub outlives its streams' handles. Ignore SIGPIPE,
// because libuv does not.
#ifndef SSEKIT_ADAPTERS_LIBUV_HPP
#define SSEKIT_ADAPTERS_LIBUV_HPP

#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <uv.h>

namespace ssekit::inline SSEKIT_ABI {

/// A writer for what can be sent at once. It would block while a uv_write of the stream is under
/// way.
/// Lifetime: borrows the stream.
struct uv_try_writer {
    uv_stream_t* stream = nullptr;

    write_result write_some(std::span<const std::string_view> slices) noexcept {
        std::array<uv_buf_t, drain_slices> buffers;
        const std::size_t count = (std::min)(slices.size(), buffers.size());
        std::size_t total = 0;
        for (std::size_t i = 0; i < count; ++i) {
            // It only reads, whatever its type says.
            buffers[i] = uv_buf_init(const_cast<char*>(slices[i].data()),
                                     static_cast<unsigned>(slices[i].size()));
            total += slices[i].size();
        }
        const int sent = uv_try_write(stream, buffers.data(), static_cast<unsigned>(count));
        if (sent == UV_EAGAIN) return {0, io_status::would_block};
        if (sent < 0) return {0, io_status::closed};
        const auto bytes = static_cast<std::size_t>(sent);
        return {bytes, bytes == total ? io_status::ready : io_status::would_block};
    }
};

static_assert(writer<uv_try_writer>);

/// Runs a generator, a subscription for instance, into a stream.
/// Lifetime: borrows the stream; stays where it is, with its generator, until the stream's close
/// callback. Thread safety: for the loop's thread.
template <buffers_generator Generator>
class uv_drain {
  public:
    /// \param after told what came of each run, from `run` or from the loop:
    ///
    /// | idle         | run again when the hub reports the subscriber                         |
    /// | would_block  | it goes on by itself                                                  |
    /// | budget_spent | run again soon: subscription::reschedule                              |
    /// | done         | end the response; uv_shutdown waits for what is under way             |
    /// | closed       | uv_close: the client has gone                                         |
    /// | cut          | uv_close, and no last chunk: the stream has broken off, perhaps in    |
    /// |              | the middle of an event, and must not look whole; where there are no   |
    /// |              | chunks, uv_tcp_close_reset                                            |
    uv_drain(uv_stream_t* stream, void* owner,
             void (*after)(void* owner, drain_status) noexcept) noexcept
        : stream_(stream), owner_(owner), after_(after) {
        request_.data = this;
    }
    uv_drain(const uv_drain&) = delete;
    uv_drain& operator=(const uv_drain&) = delete;

    Generator generator = {}; ///< left alone between would_block and the next status

    /// Effects: writes what there is. Safe to repeat, and harmless while a write is under way.
    void run() noexcept { after_(owner_, write()); }

  private:
    drain_status write() noexcept {
        if (under_way_ != 0) { // what is under way may never leave, where the hub has given up
            return generator.is_done() ? drained(generator) : drain_status::would_block;
        }
        uv_try_writer out{stream_};
        const drain_status status = ssekit::drain(generator, out);
        if (status != drain_status::would_block) return status;
        std::string_view next;
        if (generator.prepare({&next, 1}) == 0) return drained(generator); // or it was cut just now
        const uv_buf_t buffer =
            uv_buf_init(const_cast<char*>(next.data()), static_cast<unsigned>(next.size()));
        if (uv_write(&request_, stream_, &buffer, 1, &written) != 0) return drain_status::closed;
        under_way_ = next.size();
        return status;
    }

    static void written(uv_write_t* request, int status) {
        uv_drain& self = *static_cast<uv_drain*>(request->data);
        const std::size_t bytes = std::exchange(self.under_way_, 0);
        if (status == UV_ECANCELED) return; // by uv_close: the owner knows
        if (status < 0) return self.after_(self.owner_, drain_status::closed);
        self.generator.consume(bytes);
        self.run();
    }

    uv_stream_t* stream_;
    void* owner_;
    void (*after_)(void*, drain_status) noexcept;
    uv_write_t request_{};
    std::size_t under_way_ = 0; // bytes of the slice that libuv has
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
