// SPDX-License-Identifier: MIT
//
// What httplib_client.hpp is made of: the socket of a transfer as it is seen from beside the
// library, which tells nobody when it is connected, and cannot be interrupted while it connects.
// The library shows a socket before it connects it. A duplicate of the descriptor is kept, so that
// it means the same socket for as long as it is looked at. On Windows nothing is seen.
#ifndef SSEKIT_ADAPTERS_HTTPLIB_SOCKET_HPP
#define SSEKIT_ADAPTERS_HTTPLIB_SOCKET_HPP

#include <ssekit/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <httplib.h>

#ifndef _WIN32
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

namespace ssekit::inline SSEKIT_ABI::detail {

/// Thread safety: as an int.
class httplib_socket {
  public:
    httplib_socket() noexcept = default;
    httplib_socket(const httplib_socket&) = delete;
    httplib_socket& operator=(const httplib_socket&) = delete;
    ~httplib_socket() { forget(); }

    /// \returns whether there has been one since `forget`.
    [[nodiscard]] bool is_known() const noexcept { return is_known_; }

#ifdef _WIN32
    static constexpr bool can_shut = false;
    void see(socket_t) noexcept {
        is_known_ = true;
    }
    void forget() noexcept {
        is_known_ = false;
    }
    void shut() const noexcept {}
    void reset() const noexcept {}
    [[nodiscard]] bool is_connected() const noexcept {
        return is_known_;
    }
    [[nodiscard]] std::uint64_t taken() const noexcept {
        return 0;
    }
    static void spoil(socket_t) noexcept {}
#else
    static constexpr bool can_shut = true;
    /// Another one is about to be connected.
    void see(socket_t socket) noexcept {
        forget();
        is_known_ = true;
        own_ = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    }
    void forget() noexcept {
        is_known_ = false;
        if (own_ >= 0) ::close(own_);
        own_ = -1;
    }
    /// Effects: ends whatever the library waits for, connecting as well.
    void shut() const noexcept {
        if (own_ >= 0) ::shutdown(own_, SHUT_RDWR);
    }
    /// The same, so that reading fails, where the end of the stream would be the end of a line.
    void reset() const noexcept {
        sockaddr nowhere{};
        nowhere.sa_family = AF_UNSPEC;
        if (own_ >= 0 && ::connect(own_, &nowhere, sizeof nowhere) != 0) shut();
    }
    [[nodiscard]] bool is_connected() const noexcept {
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        return own_ >= 0 && getpeername(own_, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
    }
    /// \returns how many bytes the library has read of it, 0 where the system does not tell.
    [[nodiscard]] std::uint64_t taken() const noexcept;
    /// Effects: it cannot be connected any more.
    static void spoil(socket_t socket) noexcept {
        const int other = ::socket(AF_UNIX, SOCK_STREAM, 0);
        if (other < 0) return;
        ::dup2(other, socket);
        ::close(other);
        fcntl(socket, F_SETFD, FD_CLOEXEC);
    }

#endif

  private:
    bool is_known_ = false;
    int own_ = -1; // never on Windows
};

#ifndef _WIN32
inline std::uint64_t httplib_socket::taken() const noexcept {
#ifdef __linux__
    // tcpi_bytes_received, since Linux 4.1, which the C library's struct tcp_info does not have.
    constexpr std::size_t at = 128;
    std::array<char, at + sizeof(std::uint64_t)> info{};
    socklen_t size = info.size();
    int waiting = 0;
    const bool is_told = own_ >= 0 &&
                         getsockopt(own_, IPPROTO_TCP, TCP_INFO, info.data(), &size) == 0 &&
                         size == info.size() && ioctl(own_, FIONREAD, &waiting) == 0;
    std::uint64_t received = 0;
    std::memcpy(&received, info.data() + at, sizeof received);
    const auto unread = static_cast<std::uint64_t>(waiting);
    return is_told && received > unread ? received - unread : 0;
#else
    return 0;
#endif
}
#endif

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
