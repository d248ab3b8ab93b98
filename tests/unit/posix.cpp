// SPDX-License-Identifier: MIT
#if __has_include(<sys/socket.h>)

#include <ssekit/adapters/posix.hpp>

#include "support/text_generator.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
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

#endif
