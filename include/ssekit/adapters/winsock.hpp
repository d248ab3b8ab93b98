// SPDX-License-Identifier: MIT
//
// A writer for a Windows socket and any loop over it: WSAPoll, select, WSAEventSelect. The socket
// is non-blocking (ioctlsocket with FIONBIO), because Winsock cannot be told so for a single call.
// After would_block wait for FD_WRITE or POLLOUT and drain again. When drain says cut, close the
// socket, and do not shut it down in order. Link ws2_32; call WSAStartup before.
#ifndef SSEKIT_ADAPTERS_WINSOCK_HPP
#define SSEKIT_ADAPTERS_WINSOCK_HPP

#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <winsock2.h>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: borrows the socket, which stays the caller's to close.
struct winsock_writer {
    SOCKET socket = INVALID_SOCKET;

    write_result write_some(std::span<const std::string_view> slices) noexcept {
        std::array<WSABUF, drain_slices> buffers;
        const std::size_t count = (std::min)(slices.size(), buffers.size());
        std::size_t total = 0;
        for (std::size_t i = 0; i < count; ++i) {
            // WSASend only reads, whatever its type says.
            buffers[i].buf = const_cast<char*>(slices[i].data());
            buffers[i].len = static_cast<ULONG>((std::min)(slices[i].size(), most));
            total += slices[i].size();
            if (buffers[i].len != slices[i].size()) {
                return send({buffers.data(), i + 1}, total);
            }
        }
        return send({buffers.data(), count}, total);
    }

  private:
    static constexpr std::size_t most = std::size_t{1}
                                        << 30; // of one buffer, whose type is 32 bits

    [[nodiscard]] write_result send(std::span<WSABUF> buffers, std::size_t total) const noexcept {
        DWORD sent = 0;
        if (::WSASend(socket, buffers.data(), static_cast<DWORD>(buffers.size()), &sent, 0, nullptr,
                      nullptr) != 0) {
            const int error = ::WSAGetLastError();
            const bool full = error == WSAEWOULDBLOCK || error == WSAENOBUFS;
            return {0, full ? io_status::would_block : io_status::closed};
        }
        // A short write means that the buffer is full now: asking again would only say so.
        return {sent, sent == total ? io_status::ready : io_status::would_block};
    }
};

static_assert(writer<winsock_writer>);

} // namespace ssekit::inline SSEKIT_ABI

#endif
