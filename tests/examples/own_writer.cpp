// SPDX-License-Identifier: MIT
//
// A writer for whatever transport there is: here a file descriptor and write(2).

#undef NDEBUG // the asserts are the point
#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/writer.hpp>

#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

// [writer]
struct pipe_writer {
    int descriptor;

    ssekit::write_result write_some(std::span<const std::string_view> slices) noexcept {
        const ssize_t n = ::write(descriptor, slices[0].data(), slices[0].size());
        if (n >= 0) return {static_cast<std::size_t>(n), ssekit::io_status::ready};
        return {0, errno == EAGAIN ? ssekit::io_status::would_block : ssekit::io_status::closed};
    }
};
static_assert(ssekit::writer<pipe_writer>);
// [writer]

int main() {
    std::array<int, 2> ends{};
    assert(::pipe(ends.data()) == 0 && ::fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    const auto receive = [&] {
        std::array<char, 65536> bytes;
        const ssize_t n = ::read(ends[0], bytes.data(), bytes.size());
        return std::string(bytes.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    };

    ssekit::hub hub(ssekit::new_epoch(), std::chrono::steady_clock::now());
    auto [stream, code] = hub.subscribe({.topics = "log"});
    assert(code == ssekit::errc::ok);
    pipe_writer out{ends[1]};
    assert(drain(stream, out) == ssekit::drain_status::idle);

    // More than a pipe holds: the rest follows when there is room again, and nothing is torn.
    const std::string big(100'000, 'x');
    assert(hub.publish("log", {.data = big}).ec == ssekit::errc::ok);
    assert(drain(stream, out) == ssekit::drain_status::would_block);
    std::string got = receive();
    assert(drain(stream, out) == ssekit::drain_status::idle);
    got += receive();
    const std::string before(hub.id_of(0));
    const std::string id(hub.id_of(1));
    assert(got == "id: " + before + "\n\nid: " + id + "\ndata: " + big + "\n\n");

    ::close(ends[0]);
    ::close(ends[1]);
}
