// SPDX-License-Identifier: MIT
//
// Event streams from GNU libmicrohttpd, which pulls: when a connection has room, its polling thread
// asks the response's content reader for bytes and puts them into chunks. The reader gives what the
// subscription has; when there is nothing, it suspends the connection, and the hub's waker resumes
// it.
//
// A wake-up comes from any thread, perhaps just before the suspension, and only a suspended
// connection may be resumed: one atomic word ensures that it is resumed once, by the side that
// comes second. The waker runs under the hub's lock, which the destructor of a subscription takes,
// so no waker runs for a connection that has gone. Resuming allocates nothing.
//
// A slow client has one chunk in its connection's buffer; the rest stays in the hub's log, where
// the lag policy sees it. The reader of a client that takes nothing is not called, whatever the hub
// says: MHD_OPTION_CONNECTION_TIMEOUT ends such a connection, and spares those that are suspended.
// Nobody looks at a suspended connection, so that its client has gone is noticed at the next
// heartbeat or event; or by `microhttpd_streams::drop_gone`, before dead streams keep the places of
// new ones.
//
// A stream ends with its last chunk, or without it where it has broken off; a client of HTTP/1.0
// gets no chunks, and its connection is reset. A stream may outlive the hub.
// MHD_stop_daemon must not find suspended connections: before it, close the hub and wait for the
// waker that `shared_hub::close` takes, which is fired when the last subscriber has gone.
#ifndef SSEKIT_ADAPTERS_MICROHTTPD_HPP
#define SSEKIT_ADAPTERS_MICROHTTPD_HPP

#include <ssekit/adapters/posix.hpp>
#include <ssekit/framing.hpp>
#include <ssekit/http.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include <microhttpd.h>
#include <poll.h>
#include <sys/socket.h>

namespace ssekit::inline SSEKIT_ABI {

namespace detail {
class microhttpd_stream;
} // namespace detail

/// The streams of a daemon. Lifetime: outlives them, and so the daemon.
class microhttpd_streams {
  public:
    /// Effects: ends those that are suspended and whose clients have gone: their places in the hub
    /// are free then, and the library closes their connections a moment later. Call it several
    /// times a second. Complexity: a system call for each that is suspended. Thread safety: any
    /// thread.
    inline void drop_gone() noexcept;

  private:
    friend detail::microhttpd_stream;

    std::mutex lock_;
    detail::microhttpd_stream* first_ = nullptr;
};

/// What `microhttpd_response` gives.
struct microhttpd_result {
    MHD_Response* response; ///< null when ec is not errc::ok
    errc ec;
};

/// Effects: subscribes, and makes the response that carries the stream: add further headers if you
/// have any, queue it on this connection with MHD_HTTP_OK and destroy it, like any other. For HEAD
/// set MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, or libmicrohttpd 0.9.75 sends a last chunk after the
/// head.
/// Preconditions: it is called from the connection's MHD_AccessHandlerCallback, of a daemon with
/// MHD_USE_INTERNAL_POLLING_THREAD and MHD_ALLOW_SUSPEND_RESUME; `options` says framing::raw and
/// has no user. Without MHD_OPTION_CONNECTION_LIMIT there is room for about 1,000 connections.
/// \param form what the library gives this client: `framing_for` its request.
/// \param among those that the stream belongs to, if any.
/// \returns what `hub::subscribe` says, or errc::out_of_memory.
/// Lifetime: the stream lives as long as the response.
[[nodiscard]] inline microhttpd_result
microhttpd_response(MHD_Connection* connection, shared_hub& hub, const subscribe_options& options,
                    framing form = framing::chunked, microhttpd_streams* among = nullptr) noexcept;

// ---- how

namespace detail {

class microhttpd_stream {
  public:
    microhttpd_stream(MHD_Connection* connection, framing form, microhttpd_streams* among) noexcept
        : connection_(connection), form_(form), among_(among) {
        if (among_ == nullptr) return;
        const std::lock_guard locked(among_->lock_);
        next_ = among_->first_;
        if (next_ != nullptr) next_->before_ = &next_;
        among_->first_ = this;
        before_ = &among_->first_;
    }
    microhttpd_stream(const microhttpd_stream&) = delete;
    microhttpd_stream& operator=(const microhttpd_stream&) = delete;
    ~microhttpd_stream() {
        if (among_ == nullptr) return;
        const std::lock_guard locked(among_->lock_);
        *before_ = next_;
        if (next_ != nullptr) next_->before_ = before_;
    }

    errc subscribe(shared_hub& hub, const subscribe_options& options) noexcept {
        auto [stream, refused] = hub.subscribe(options, {&wake, this});
        stream_ = std::move(stream);
        return refused;
    }

    static ssize_t read(void* self, std::uint64_t, char* into, std::size_t size) noexcept {
        return static_cast<microhttpd_stream*>(self)->read(into, size);
    }
    static void destroy(void* self) noexcept { delete static_cast<microhttpd_stream*>(self); }

    [[nodiscard]] microhttpd_stream* next() const noexcept { return next_; }
    void drop_if_gone() noexcept {
        if (state_ != state::suspended || !has_gone()) return;
        auto before = state::suspended;
        if (!state_.compare_exchange_strong(before, state::woken)) return; // the library will see
        stream_ = {}; // gives its place back at once: until it is resumed, nobody else uses it
        gone_ = true;
        MHD_resume_connection(connection_);
    }

  private:
    enum class state : std::uint8_t {
        reading,   // it has not been woken since its last call began
        woken,     // it will be called again, or is being called
        suspended, // the thread that changes this resumes the connection
    };

    // The memory that is to be filled, as a writer.
    struct block {
        char* into;
        std::size_t room;

        write_result write_some(std::span<const std::string_view> slices) noexcept {
            std::size_t taken = 0;
            for (const std::string_view slice : slices) {
                const std::size_t part = (std::min)(slice.size(), room - taken);
                std::memcpy(into + taken, slice.data(), part);
                taken += part;
            }
            into += taken;
            room -= taken;
            return {taken, room != 0 ? io_status::ready : io_status::would_block};
        }
    };

    ssize_t read(char* into, std::size_t size) noexcept {
        if (gone_) return MHD_CONTENT_READER_END_WITH_ERROR;
        state_ = state::reading;
        block out{into, size};
        const drain_status status = drain(stream_, out, size);
        if (out.room != size) return static_cast<ssize_t>(size - out.room);
        if (status == drain_status::done) return MHD_CONTENT_READER_END_OF_STREAM;
        if (status == drain_status::cut) {
            if (form_ == framing::raw) reset_connection(socket());
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
        MHD_suspend_connection(connection_);
        auto before = state::reading;
        if (!state_.compare_exchange_strong(before, state::suspended)) {
            MHD_resume_connection(connection_);
        }
        return 0;
    }

    static void wake(void* self) noexcept {
        auto& stream = *static_cast<microhttpd_stream*>(self);
        if (stream.state_.exchange(state::woken) == state::suspended) {
            MHD_resume_connection(stream.connection_);
        }
    }

    [[nodiscard]] int socket() const noexcept {
        return MHD_get_connection_info(connection_, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    }
    [[nodiscard]] bool has_gone() const noexcept {
#if defined(POLLRDHUP)
        pollfd look{socket(), POLLRDHUP, 0};
        return ::poll(&look, 1, 0) > 0;
#else
        char byte = 0;
        pollfd look{socket(), POLLIN, 0};
        return ::poll(&look, 1, 0) > 0 && ::recv(socket(), &byte, 1, MSG_PEEK) <= 0;
#endif
    }

    MHD_Connection* connection_;
    framing form_;
    microhttpd_streams* among_;
    microhttpd_stream* next_ = nullptr;
    microhttpd_stream** before_ = nullptr; // what points to this one
    std::atomic<bool> gone_ = false;
    std::atomic<state> state_ = state::reading;
    shared_subscription stream_ = {}; // dies first, and waits for a waker under way
};

} // namespace detail

inline void microhttpd_streams::drop_gone() noexcept {
    const std::lock_guard locked(lock_);
    for (auto* each = first_; each != nullptr; each = each->next()) each->drop_if_gone();
}

inline microhttpd_result microhttpd_response(MHD_Connection* connection, shared_hub& hub,
                                             const subscribe_options& options, framing form,
                                             microhttpd_streams* among) noexcept {
    using stream = detail::microhttpd_stream;
    std::unique_ptr<stream> made(new (std::nothrow) stream(connection, form, among));
    if (!made) return {nullptr, errc::out_of_memory};
    if (const errc refused = made->subscribe(hub, options); refused != errc::ok) {
        return {nullptr, refused};
    }
    // A block is used only for a client that does not know chunks; each response has one.
    constexpr std::size_t block_size = 1024;
    MHD_Response* const response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, block_size, &stream::read, made.get(), &stream::destroy);
    if (response == nullptr) return {nullptr, errc::out_of_memory};
    static_cast<void>(made.release()); // the response has it
    for (const header& each : stream_headers) {
        MHD_add_response_header(response, each.name.data(), each.value.data());
    }
    return {response, errc::ok};
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
