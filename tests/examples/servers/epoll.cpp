// SPDX-License-Identifier: MIT
//
// Event streams from a loop over epoll. Needs Linux.
#include "epoll_server.hpp"

#include <ssekit/adapters/posix.hpp>

namespace {

struct plain : ssekit::posix_writer {
    struct context {};

    plain(int socket, context) : posix_writer{socket} {}

    ssekit::write_result read_some(char* into, std::size_t size) const noexcept {
        const ssize_t got = recv(descriptor, into, size, 0);
        if (got > 0) return {static_cast<std::size_t>(got), ssekit::io_status::ready};
        const bool later = got < 0 && (errno == EAGAIN || errno == EINTR);
        return {0, later ? ssekit::io_status::would_block : ssekit::io_status::closed};
    }
    ssekit::io_status end() const noexcept {
        shutdown(descriptor, SHUT_WR);
        return ssekit::io_status::ready;
    }
};

} // namespace

int main(int argc, char** argv) {
    epoll::server<epoll::http_connection<plain>>(news::read_settings(argc, argv)).run();
}
