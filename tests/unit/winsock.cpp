// SPDX-License-Identifier: MIT
#ifdef _WIN32

#include <ssekit/adapters/winsock.hpp>

#include "support/text_generator.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using ssekit::io_status;
using ssekit::winsock_writer;
using ssekit::write_result;
using support::text_generator;

namespace {

/// Two connected sockets, neither of which blocks.
class socket_pair {
  public:
    socket_pair() {
        REQUIRE(WSAStartup(MAKEWORD(2, 2), &data_) == 0);
        const SOCKET listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        int size = sizeof address;
        REQUIRE(::bind(listener, any, size) == 0);
        REQUIRE(::listen(listener, 1) == 0);
        REQUIRE(::getsockname(listener, any, &size) == 0);
        near_end = ::socket(AF_INET, SOCK_STREAM, 0);
        const int small = 4096;
        ::setsockopt(near_end, SOL_SOCKET, SO_SNDBUF, reinterpret_cast<const char*>(&small),
                     sizeof small);
        REQUIRE(::connect(near_end, any, size) == 0);
        far_end = ::accept(listener, nullptr, nullptr);
        REQUIRE(far_end != INVALID_SOCKET);
        ::closesocket(listener);
        u_long on = 1;
        ::ioctlsocket(near_end, static_cast<long>(FIONBIO), &on);
    }
    socket_pair(const socket_pair&) = delete;
    socket_pair& operator=(const socket_pair&) = delete;
    ~socket_pair() {
        ::closesocket(near_end);
        if (far_end != INVALID_SOCKET) ::closesocket(far_end);
        WSACleanup();
    }

    SOCKET near_end = INVALID_SOCKET;
    SOCKET far_end = INVALID_SOCKET;

    /// Waits for that many bytes, or for any if they are not said.
    [[nodiscard]] std::string receive(std::size_t size = 1) const {
        std::string all;
        std::array<char, 65536> part;
        while (all.size() < size) {
            const int got = ::recv(far_end, part.data(), static_cast<int>(part.size()), 0);
            if (got <= 0) return all;
            all.append(part.data(), static_cast<std::size_t>(got));
        }
        return all;
    }

  private:
    WSADATA data_{};
};

} // namespace

TEST_CASE("a Winsock writer hands slices over in order") {
    const socket_pair sockets;
    winsock_writer out{sockets.near_end};
    const std::array<std::string_view, 4> slices{"one ", "", "two ", "three"};
    const write_result wrote = out.write_some(slices);
    CHECK(wrote.bytes == 13);
    CHECK(wrote.status == io_status::ready);
    CHECK(sockets.receive(13) == "one two three");
}

TEST_CASE("a full Windows socket takes what it can and then blocks nobody") {
    const socket_pair sockets;
    winsock_writer out{sockets.near_end};
    const std::string text = support::numbers(2'000'000);
    text_generator source{text, 1000};
    std::string got;
    std::size_t turns = 0;
    while (ssekit::drain(source, out) == ssekit::drain_status::would_block) {
        got += sockets.receive();
        ++turns;
    }
    REQUIRE(source.is_done());
    got += sockets.receive(text.size() - got.size());
    CHECK(turns > 1);
    CHECK(got == text);
}

TEST_CASE("a Windows peer that is gone is told as closed") {
    socket_pair sockets;
    winsock_writer out{sockets.near_end};
    const linger abort{1, 0};
    ::setsockopt(sockets.far_end, SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&abort),
                 sizeof abort);
    ::closesocket(sockets.far_end);
    sockets.far_end = INVALID_SOCKET;
    const std::array<std::string_view, 1> slices{"x"};
    io_status status = io_status::ready;
    for (int i = 0; i < 1000 && status != io_status::closed; ++i) {
        status = out.write_some(slices).status;
    }
    CHECK(status == io_status::closed);
    CHECK(winsock_writer{}.write_some(slices).status == io_status::closed);
}

#endif
