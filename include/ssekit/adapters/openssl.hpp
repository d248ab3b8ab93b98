// SPDX-License-Identifier: MIT
//
// A writer for TLS by OpenSSL 1.1.1 or later, over a non-blocking socket and any loop over it. The
// SSL stays with its owner, which makes it and frees it, all on one thread, and ends it when the
// client or the hub goes.
//
// What SSL_write takes becomes a record, so many small events are gathered into one. When a record
// cannot leave, it waits inside the SSL and its bytes do not count as taken. The next write must
// begin with the same bytes, no fewer, and `prepare` ensures that. So one record is all that is
// ever copied, and a client that stalls holds back its subscription, as over plain sockets.
//
// Either direction may have to wait for the other, in a handshake or for new keys: a write for the
// socket to be readable, a read for it to be writable. Both are would_block here. So whatever the
// socket reports, read until that blocks, and then drain.
//
// OpenSSL writes to sockets without MSG_NOSIGNAL: ignore SIGPIPE, or a client that goes takes the
// server along. An idle connection keeps two buffers of 16 KiB unless its context has
// SSL_MODE_RELEASE_BUFFERS.
#ifndef SSEKIT_ADAPTERS_OPENSSL_HPP
#define SSEKIT_ADAPTERS_OPENSSL_HPP

#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: borrows the SSL. Thread safety: that of the SSL, one thread at a time.
class openssl_writer {
  public:
    /// Effects: switches on SSL_MODE_ENABLE_PARTIAL_WRITE and
    /// SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER.
    explicit openssl_writer(SSL* ssl) noexcept : ssl_(ssl) {
        // Repeated bytes are gathered anew, so they are the same at another address.
        SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }

    /// As the concept says. After closed, do nothing with the SSL but free it.
    write_result write_some(std::span<const std::string_view> slices) noexcept {
        // 32 events of 200 bytes: 22 us in one record, 374 us in 32 (AES-256-GCM over a local
        // socket); each record also costs 22 bytes.
        std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> record;
        std::string_view text = slices[0];
        if (slices.size() > 1 && text.size() < record.size()) text = gather(slices, record);
        std::size_t bytes = 0;
        ERR_clear_error(); // or the reason of an earlier error would be taken for this one's
        const int done = SSL_write_ex(ssl_, text.data(), text.size(), &bytes);
        return {bytes, status_after(done)};
    }

    /// Effects: reads what the client sends, and does the handshake first. `ready` comes with at
    /// least one byte; `closed` is also returned when the client has ended its side in order.
    write_result read_some(char* into, std::size_t size) noexcept {
        std::size_t bytes = 0;
        ERR_clear_error();
        const int done = SSL_read_ex(ssl_, into, size, &bytes);
        return {bytes, status_after(done)};
    }

    /// Effects: sends close_notify, which tells the client that nothing was cut off.
    /// Preconditions: everything has left, and nothing has said closed or cut: what has broken off
    /// must not look whole, so then the socket is closed without this.
    /// \returns ready when it has been sent; after would_block call it again.
    io_status end() noexcept {
        ERR_clear_error();
        const int done = SSL_shutdown(ssl_);
        return done >= 0 ? io_status::ready : status_after(done);
    }

  private:
    static std::string_view gather(std::span<const std::string_view> slices,
                                   std::span<char> record) noexcept {
        std::size_t size = 0;
        for (const std::string_view slice : slices) {
            const std::size_t part = (std::min)(slice.size(), record.size() - size);
            std::memcpy(record.data() + size, slice.data(), part);
            size += part;
        }
        return {record.data(), size};
    }

    [[nodiscard]] io_status status_after(int done) const noexcept {
        switch (SSL_get_error(ssl_, done)) {
        case SSL_ERROR_NONE: return io_status::ready;
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE: return io_status::would_block;
        default: return io_status::closed;
        }
    }

    SSL* ssl_;
};

static_assert(writer<openssl_writer>);

} // namespace ssekit::inline SSEKIT_ABI

#endif
