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
// That a suspended client has gone is noticed at the next heartbeat or event.
//
// A stream ends with its last chunk, or without it where it has broken off; it may outlive the hub.
// MHD_stop_daemon must not find suspended connections: before it, close the hub and wait for the
// waker that `shared_hub::close` takes, which is fired when the last subscriber has gone.
#ifndef SSEKIT_ADAPTERS_MICROHTTPD_HPP
#define SSEKIT_ADAPTERS_MICROHTTPD_HPP

#include <ssekit/http.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include <microhttpd.h>

namespace ssekit::inline SSEKIT_ABI {

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
/// \returns what `hub::subscribe` says, or errc::out_of_memory.
/// Lifetime: the stream lives as long as the response.
[[nodiscard]] inline microhttpd_result
microhttpd_response(MHD_Connection* connection, shared_hub& hub,
                    const subscribe_options& options) noexcept;

// ---- how

namespace detail {

class microhttpd_stream {
  public:
    explicit microhttpd_stream(MHD_Connection* connection) noexcept : connection_(connection) {}

    errc subscribe(shared_hub& hub, const subscribe_options& options) noexcept {
        auto [stream, refused] = hub.subscribe(options, {&wake, this});
        stream_ = std::move(stream);
        return refused;
    }

    static ssize_t read(void* self, std::uint64_t, char* into, std::size_t size) noexcept {
        return static_cast<microhttpd_stream*>(self)->read(into, size);
    }
    static void destroy(void* self) noexcept { delete static_cast<microhttpd_stream*>(self); }

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
        state_ = state::reading;
        block out{into, size};
        const drain_status status = drain(stream_, out, size);
        if (out.room != size) return static_cast<ssize_t>(size - out.room);
        if (status == drain_status::done) return MHD_CONTENT_READER_END_OF_STREAM;
        if (status == drain_status::cut) return MHD_CONTENT_READER_END_WITH_ERROR;
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

    MHD_Connection* connection_;
    std::atomic<state> state_ = state::reading;
    shared_subscription stream_ = {}; // dies first, and waits for a waker under way
};

} // namespace detail

inline microhttpd_result microhttpd_response(MHD_Connection* connection, shared_hub& hub,
                                             const subscribe_options& options) noexcept {
    using stream = detail::microhttpd_stream;
    std::unique_ptr<stream> made(new (std::nothrow) stream(connection));
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
