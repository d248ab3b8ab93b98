// SPDX-License-Identifier: MIT
//
// Event streams over TLS from a loop over epoll; `curl -N --insecure` is a client. Needs Linux and
// OpenSSL 3.
#include "epoll_server.hpp"
#include "self_signed.hpp"

#include <ssekit/adapters/openssl.hpp>

#include <memory>

#include <openssl/ssl.h>

namespace {

using owned_ssl = std::unique_ptr<SSL, news::freed_by<&SSL_free>>;

// [recipe]
/// The server's end of a connection. The first reads do the handshake.
struct tls : private owned_ssl, ssekit::openssl_writer {
    using context = SSL_CTX*;

    tls(int socket, context shared)
        : owned_ssl(news::own<&SSL_free>(SSL_new(shared))), openssl_writer(get()) {
        news::require(SSL_set_fd(get(), socket) == 1);
        SSL_set_accept_state(get());
    }
};
// [recipe]

} // namespace

int main(int argc, char** argv) {
    const auto context = news::server_context();
    // Most streams are silent most of the time, and each would keep 32 KiB of buffers.
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
    epoll::server<epoll::http_connection<tls>>(news::read_settings(argc, argv), context.get())
        .run();
}
