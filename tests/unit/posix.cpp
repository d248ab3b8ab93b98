// SPDX-License-Identifier: MIT
#if __has_include(<sys/socket.h>)

#include <ssekit/adapters/posix.hpp>

#include "support/text_generator.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

using ssekit::io_status;
using ssekit::posix_writer;
using ssekit::write_result;
using support::text_generator;

namespace {

struct socket_pair {
    std::array<int, 2> ends{-1, -1};

    socket_pair() {
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
        const int size = 4096;
        ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    socket_pair(const socket_pair&) = delete;
    socket_pair& operator=(const socket_pair&) = delete;
    ~socket_pair() {
        for (int& end : ends) hang_up(end);
    }

    static void hang_up(int& end) {
        if (end >= 0) ::close(end);
        end = -1;
    }

    /// What has arrived at the far end by now.
    [[nodiscard]] std::string receive() const {
        std::string all;
        std::array<char, 4096> part;
        for (;;) {
            const ssize_t got = ::recv(ends[1], part.data(), part.size(), MSG_DONTWAIT);
            if (got <= 0) return all;
            all.append(part.data(), static_cast<std::size_t>(got));
        }
    }
};

} // namespace

TEST_CASE("a posix writer hands slices over in order") {
    const socket_pair sockets;
    posix_writer out{sockets.ends[0]};
    const std::array<std::string_view, 4> slices{"one ", "", "two ", "three"};
    const write_result wrote = out.write_some(slices);
    CHECK(wrote.bytes == 13);
    CHECK(wrote.status == io_status::ready);
    CHECK(sockets.receive() == "one two three");
}

TEST_CASE("more slices than fit one call take several") {
    const socket_pair sockets;
    posix_writer out{sockets.ends[0]};
    const std::vector<std::string_view> slices(100, "ab");
    const write_result wrote = out.write_some(slices);
    CHECK(wrote.bytes > 0);
    CHECK(wrote.bytes % 2 == 0);
    CHECK(wrote.status == io_status::ready);
    CHECK(sockets.receive().size() == wrote.bytes);

    const std::string text = support::numbers(100);
    text_generator source{text, 1};
    CHECK(ssekit::drain(source, out) == ssekit::drain_status::done);
    CHECK(sockets.receive() == text);
}

TEST_CASE("a full socket takes what it can and then blocks nobody") {
    for (const bool blocking : {true, false}) {
        const socket_pair sockets;
        if (!blocking) ::fcntl(sockets.ends[0], F_SETFL, O_NONBLOCK);
        posix_writer out{sockets.ends[0]};
        const std::string text = support::numbers(50'000);
        text_generator source{text, 1000};
        std::string got;
        std::size_t turns = 0;
        while (ssekit::drain(source, out) == ssekit::drain_status::would_block) {
            CHECK(ssekit::drain(source, out) == ssekit::drain_status::would_block);
            const std::string part = sockets.receive();
            REQUIRE_FALSE(part.empty());
            got += part;
            ++turns;
        }
        got += sockets.receive();
        CHECK(turns > 1);
        CHECK(got == text);
    }
}

TEST_CASE("a peer that is gone is told as closed and not by a signal") {
    socket_pair sockets;
    posix_writer out{sockets.ends[0]};
    socket_pair::hang_up(sockets.ends[1]);
    const std::array<std::string_view, 1> slices{"x"};
    for (int i = 0; i < 3; ++i) {
        const write_result wrote = out.write_some(slices);
        CHECK(wrote.bytes == 0);
        CHECK(wrote.status == io_status::closed);
    }
    text_generator source{"text", 2};
    CHECK(ssekit::drain(source, out) == ssekit::drain_status::closed);
    CHECK(source.rest == "text");
}

TEST_CASE("what is no socket is told as closed") {
    posix_writer out;
    const std::array<std::string_view, 1> slices{"x"};
    CHECK(out.write_some(slices).status == io_status::closed);
    out.descriptor = ::open("/dev/null", O_WRONLY);
    CHECK(out.write_some(slices).status == io_status::closed);
    ::close(out.descriptor);
}

namespace {

/// Two ends of a TCP connection over the loopback interface.
struct tcp_pair : socket_pair {
    tcp_pair() {
        for (int& end : ends) hang_up(end);
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const where = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(listener, where, sizeof address) == 0);
        REQUIRE(::listen(listener, 1) == 0);
        REQUIRE(::getsockname(listener, where, &size) == 0);
        ends[1] = ::socket(AF_INET, SOCK_STREAM, 0);
        REQUIRE(::connect(ends[1], where, sizeof address) == 0);
        ends[0] = ::accept(listener, nullptr, nullptr);
        ::close(listener);
        REQUIRE(ends[0] >= 0);
    }

    [[nodiscard]] int option(int level, int name) const {
        int value = -1;
        socklen_t size = sizeof value;
        CHECK(::getsockopt(ends[0], level, name, &value, &size) == 0);
        return value;
    }
};

} // namespace

TEST_CASE("a dead peer is noticed after the time that is given, in steps that the system has") {
    using namespace std::chrono_literals;
    const tcp_pair tcp;
    CHECK(ssekit::notice_dead_peer(tcp.ends[0]));
    CHECK(tcp.option(SOL_SOCKET, SO_KEEPALIVE) != 0);
#if defined(__linux__)
    CHECK(tcp.option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 20'000);
    CHECK(tcp.option(IPPROTO_TCP, TCP_KEEPIDLE) == 10);
    CHECK(tcp.option(IPPROTO_TCP, TCP_KEEPINTVL) == 5);
    CHECK(tcp.option(IPPROTO_TCP, TCP_KEEPCNT) == 2);
    CHECK(ssekit::notice_dead_peer(tcp.ends[0], 1500ms));
    CHECK(tcp.option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 1500);
    for (const auto least : {1000ms, 999ms, 0ms, std::chrono::milliseconds::min()}) {
        CHECK(ssekit::notice_dead_peer(tcp.ends[0], least));
        CHECK(tcp.option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 1000);
        CHECK(tcp.option(IPPROTO_TCP, TCP_KEEPIDLE) == 1);
    }
    CHECK(ssekit::notice_dead_peer(tcp.ends[0], std::chrono::milliseconds::max()));
    CHECK(tcp.option(IPPROTO_TCP, TCP_KEEPIDLE) == 16'200);
#endif
    CHECK(!ssekit::notice_dead_peer(-1));
}

TEST_CASE("a connection that is reset is told from one that has ended") {
    for (const bool reset : {false, true}) {
        tcp_pair tcp;
        if (reset) ssekit::reset_connection(tcp.ends[0]);
        ::shutdown(tcp.ends[0], SHUT_RDWR); // as libraries do
        tcp_pair::hang_up(tcp.ends[0]);
        char byte = 0;
        errno = 0;
        const ssize_t got = ::recv(tcp.ends[1], &byte, 1, 0);
#if defined(__linux__)
        CHECK(got == (reset ? -1 : 0));
        if (reset) CHECK(errno == ECONNRESET);
#else
        if (!reset) CHECK(got == 0);
#endif
    }
    ssekit::reset_connection(-1); // is nothing
}

#endif
