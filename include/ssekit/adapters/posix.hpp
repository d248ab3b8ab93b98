// SPDX-License-Identifier: MIT
//
// A writer for a POSIX socket and any loop over it: poll, epoll, kqueue. After would_block wait for
// the socket to be writable and drain again. The socket may be blocking or not: no call blocks.
// When drain says cut, close the socket, and do not shut it down in order.
#ifndef SSEKIT_ADAPTERS_POSIX_HPP
#define SSEKIT_ADAPTERS_POSIX_HPP

#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string_view>

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

} // namespace ssekit::inline SSEKIT_ABI

#endif
