// SPDX-License-Identifier: MIT
//
// A writer for a POSIX socket and any loop over it: poll, epoll, kqueue. After would_block wait for
// the socket to be writable and drain again. The socket may be blocking or not: no call blocks.
// When drain says cut, close the socket, and do not shut it down in order.
//
// A peer that has gone without a word, its cable pulled, is no peer that has closed: small writes
// to it fit the kernel's buffer for many minutes, and all that time it counts as a client. The
// kernel notices if it is told to by `notice_dead_peer`; then reads and writes fail.
#ifndef SSEKIT_ADAPTERS_POSIX_HPP
#define SSEKIT_ADAPTERS_POSIX_HPP

#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: borrows the descriptor, which stays the caller's to close.
struct posix_writer {
    int descriptor = -1;

    write_result write_some(std::span<const std::string_view> slices) noexcept {
        ssize_t sent = 0;
        std::size_t total = slices[0].size();
        do {
            // One event is the common case. hub/raw at 1,000 connections in bench/sockets.cpp:
            // 0.97 with send, 0.99 with sendmsg.
            sent = slices.size() == 1 ? ::send(descriptor, slices[0].data(), total, flags)
                                      : send_all(slices, total);
        } while (sent < 0 && errno == EINTR);
        if (sent < 0) {
            const bool full = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
            return {0, full ? io_status::would_block : io_status::closed};
        }
        const auto bytes = static_cast<std::size_t>(sent);
        // A short write means that the buffer is full now: asking again would only say so.
        return {bytes, bytes == total ? io_status::ready : io_status::would_block};
    }

  private:
    ssize_t send_all(std::span<const std::string_view> slices, std::size_t& total) const noexcept {
        std::array<iovec, drain_slices> vectors;
        const std::size_t count = (std::min)(slices.size(), vectors.size());
        total = 0;
        for (std::size_t i = 0; i < count; ++i) {
            // sendmsg only reads, whatever its type says.
            vectors[i] = {const_cast<char*>(slices[i].data()), slices[i].size()};
            total += slices[i].size();
        }
        msghdr message{};
        message.msg_iov = vectors.data();
        message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
        return ::sendmsg(descriptor, &message, flags);
    }

#if defined(MSG_NOSIGNAL)
    static constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
    static constexpr int flags = MSG_DONTWAIT; // here the socket option SO_NOSIGPIPE does the same
#endif
};

static_assert(writer<posix_writer>);

/// How long a peer may leave what it is sent without acknowledgement: longer than what networks
/// recover from, and shorter than the patience of who waits for a place.
inline constexpr std::chrono::milliseconds dead_peer_time = std::chrono::seconds(20);

/// Effects: makes the kernel end this TCP connection when for that long its peer has acknowledged
/// nothing of what it was sent, or has not answered the probes of a silent connection; on Linux
/// also when it has taken nothing, its window being closed. Reads and writes then fail, and a loop
/// reports the socket. A listening socket hands this on to those that it accepts, on Linux, macOS
/// and the BSDs. \param within in whole seconds where a system knows nothing finer, at least one.
/// \returns whether all of it could be set. What the system has no option for does not count: on
/// others than Linux and macOS a connection with data under way takes as long as ever.
/// Spec: RFC 5482; RFC 9293, 3.8.4.
inline bool notice_dead_peer(int descriptor,
                             std::chrono::milliseconds within = dead_peer_time) noexcept;

/// Effects: resets a TCP connection, at once on Linux and otherwise when the descriptor is closed,
/// which stays the caller's to do. In HTTP/1.0 a response ends with its connection, and only a
/// reset tells that one has broken off.
inline void reset_connection(int descriptor) noexcept;

// ---- how

inline bool notice_dead_peer(int descriptor, std::chrono::milliseconds within) noexcept {
    const auto set = [descriptor](int level, int name, int value) {
        return ::setsockopt(descriptor, level, name, &value, sizeof value) == 0;
    };
    within = std::clamp<std::chrono::milliseconds>(within, std::chrono::seconds(1),
                                                   std::chrono::hours(9)); // what Linux takes
    [[maybe_unused]] const auto parts = [within](int number) {
        const auto part = std::chrono::floor<std::chrono::seconds>(within / number);
        return (std::max)(1, static_cast<int>(part.count()));
    };
    bool good = set(SOL_SOCKET, SO_KEEPALIVE, 1);
    // A silent connection is probed after half of the time, and twice more in the other half.
#if defined(TCP_KEEPIDLE)
    good = set(IPPROTO_TCP, TCP_KEEPIDLE, parts(2)) && good;
#elif defined(TCP_KEEPALIVE)
    good = set(IPPROTO_TCP, TCP_KEEPALIVE, parts(2)) && good;
#endif
#if defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
    good = set(IPPROTO_TCP, TCP_KEEPINTVL, parts(4)) && good;
    good = set(IPPROTO_TCP, TCP_KEEPCNT, 2) && good;
#endif
#if defined(TCP_USER_TIMEOUT)
    good = set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(within.count())) && good;
#elif defined(TCP_RXT_CONNDROPTIME)
    good = set(IPPROTO_TCP, TCP_RXT_CONNDROPTIME, parts(1)) && good;
#endif
    return good;
}

inline void reset_connection(int descriptor) noexcept {
    const ::linger at_once{1, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
#if defined(__linux__) // what libraries do before they close, a shutdown, would end it in order
    sockaddr nobody{};
    nobody.sa_family = AF_UNSPEC;
    static_cast<void>(::connect(descriptor, &nobody, sizeof nobody)); // or when it is closed
#endif
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
