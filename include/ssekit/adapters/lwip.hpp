// SPDX-License-Identifier: MIT
//
// Event streams from lwIP's raw TCP, for devices: no sockets, no threads, one loop that feeds the
// stack and the hub in turn. `tcp_write` takes what fits into the connection's send buffer, and
// lwIP calls back when some of that has been acknowledged (sent), every now and then (poll), when
// the client says something or has ended (recv), and when the connection is lost and its pcb has
// been freed (err). A stream installs all of these callbacks. A stalled client costs its send
// buffer, TCP_SND_BUF, and what else it has not read stays in the hub's log, where the lag policy
// sees it.
//
// The bytes are copied. Without the copy the stack would let go of an event only when that is
// acknowledged; until then the stream would not be idle, the hub would not report what comes next,
// and each event would wait for the delayed acknowledgement of the one before.
//
// A stream is an object of yours, in an array for instance. It is free again when its client has
// gone or has taken the end of the stream; destroying it, or its hub, drops the connection.
// Everything happens where lwIP's callbacks do, in the main loop or in the thread of tcpip.c.
//
// Written against templates: include "lwip/tcp.h" beside it. Read: 2.2.1, tcp.h, tcp.c, tcp_out.c.
#ifndef SSEKIT_ADAPTERS_LWIP_HPP
#define SSEKIT_ADAPTERS_LWIP_HPP

#include <ssekit/http.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

/// One client's stream. \tparam Pcb tcp_pcb
template <class Pcb>
class lwip_stream {
    using error = decltype(tcp_output(static_cast<Pcb*>(nullptr))); // err_t

  public:
    lwip_stream() noexcept = default;
    lwip_stream(const lwip_stream&) = delete;
    lwip_stream& operator=(const lwip_stream&) = delete;
    ~lwip_stream() { drop(); }

    /// Whether it has a client.
    [[nodiscard]] bool is_open() const noexcept { return pcb_ != nullptr; }

    /// Effects: answers a request with a stream of the hub; `send` it once now, and when the hub's
    /// next_ready returns its address. With an error the connection is left as it was.
    /// Preconditions: the stream is not open; the request has been read and tcp_recved, so that
    /// lwIP can end the connection in good order. tcp_nagle_disable spares events a wait.
    /// \returns as `hub::subscribe`, errc::out_of_memory also when there is no room for the head.
    errc begin(hub& from, Pcb* connection, subscribe_options options) noexcept;

    /// Effects: writes what there is room for. Not for use in lwIP's callbacks, which do so
    /// themselves.
    void send() noexcept { push(); }

    /// What it is fed by, to welcome the client or to add topics.
    [[nodiscard]] ssekit::subscription& subscription() noexcept { return stream_; }

  private:
    struct writer {
        Pcb* pcb;
        write_result write_some(std::span<const std::string_view> slices) noexcept;
    };

    // lwIP has these as macros and enumerators, which templates cannot look up.
    static constexpr std::uint8_t copy = 1; // TCP_WRITE_FLAG_COPY
    static constexpr error ok = 0;          // ERR_OK
    static constexpr error aborted = -13;   // ERR_ABRT: the callback has freed its pcb

    void attach() noexcept;
    void detach() noexcept;
    error push() noexcept;
    error close() noexcept;
    error drop() noexcept;

    Pcb* pcb_ = nullptr;
    ssekit::subscription stream_;
};

// ---- how

template <class Pcb>
errc lwip_stream<Pcb>::begin(hub& from, Pcb* connection, subscribe_options options) noexcept {
    options.user = this;
    options.framing = framing::chunked;
    auto [stream, refused] = from.subscribe(options);
    if (refused != errc::ok) return refused;
    const std::string_view head = response_head(options.framing);
    if (tcp_write(connection, head.data(), static_cast<std::uint16_t>(head.size()), copy) != ok) {
        return errc::out_of_memory;
    }
    stream_ = std::move(stream);
    pcb_ = connection;
    attach();
    return errc::ok;
}

template <class Pcb>
write_result
lwip_stream<Pcb>::writer::write_some(std::span<const std::string_view> slices) noexcept {
    std::size_t taken = 0;
    bool full = false;
    for (std::size_t i = 0; i < slices.size() && !full; ++i) {
        const std::size_t room = std::min<std::size_t>(pcb->snd_buf, UINT16_MAX); // tcp_sndbuf
        const std::string_view part = slices[i].substr(0, room);
        const auto size = static_cast<std::uint16_t>(part.size());
        // It may be out of segments or pbufs before its buffer is full.
        full = size == 0 || tcp_write(pcb, part.data(), size, copy) != ok;
        if (!full) taken += size;
        full = full || size < slices[i].size();
    }
    tcp_output(pcb); // what it cannot send now, its timers will send
    return {taken, full ? io_status::would_block : io_status::ready};
}

template <class Pcb>
void lwip_stream<Pcb>::attach() noexcept {
    tcp_arg(pcb_, this);
    tcp_sent(pcb_, [](void* self, Pcb*, std::uint16_t) {
        return static_cast<lwip_stream*>(self)->push();
    });
    tcp_poll(
        pcb_, [](void* self, Pcb*) { return static_cast<lwip_stream*>(self)->push(); }, 1);
    tcp_recv(pcb_, [](void* self, Pcb* pcb, auto* data, error) -> error {
        if (data == nullptr) return static_cast<lwip_stream*>(self)->drop();
        tcp_recved(pcb, data->tot_len); // whatever the client says, it has had its answer
        pbuf_free(data);
        return ok;
    });
    tcp_err(pcb_, [](void* self, error) {
        auto& gone = *static_cast<lwip_stream*>(self);
        gone.pcb_ = nullptr;
        gone.stream_ = {};
    });
}

template <class Pcb>
void lwip_stream<Pcb>::detach() noexcept {
    tcp_arg(pcb_, nullptr);
    tcp_sent(pcb_, nullptr);
    tcp_poll(pcb_, nullptr, 0);
    tcp_recv(pcb_, nullptr);
    tcp_err(pcb_, nullptr);
}

template <class Pcb>
auto lwip_stream<Pcb>::push() noexcept -> error {
    if (pcb_ == nullptr) return ok;
    writer out{pcb_};
    switch (drain(stream_, out)) {
    case drain_status::budget_spent: stream_.reschedule(); return ok;
    case drain_status::done: return close();
    case drain_status::cut: return drop(); // a reset: an end in order would look whole
    default: return ok;
    }
}

template <class Pcb>
auto lwip_stream<Pcb>::close() noexcept -> error {
    detach();
    if (tcp_close(pcb_) != ok) { // no memory: the poll comes back to it
        attach();
        return ok;
    }
    pcb_ = nullptr;
    stream_ = {};
    return ok;
}

template <class Pcb>
auto lwip_stream<Pcb>::drop() noexcept -> error {
    if (pcb_ == nullptr) return ok;
    detach();
    tcp_abort(std::exchange(pcb_, nullptr));
    stream_ = {};
    return aborted;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
