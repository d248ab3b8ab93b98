// SPDX-License-Identifier: MIT
//
// Streams over HTTP/2 by nghttp2. The session asks for bytes when it has room for a DATA frame: its
// owner's socket takes more, and the client's flow control windows are open. A client that stalls
// is not asked for, and holds back nothing but its subscription. The session copies what it is
// given, one frame at most. Where there is nothing, the answer is NGHTTP2_ERR_DEFERRED, and
// `resume` makes it ask again when the hub reports the subscriber.
//
// Everything runs on the session's thread; where other threads publish, the waker of a shared_hub
// only notifies it. After `resume`, or anything else that makes frames, let the session send.
//
// A response is framed by the session: subscribe with framing::raw. When the client goes or resets
// the stream, the session's on_stream_close_callback says so: destroy the source there, or after
// nghttp2_session_del, but never before. A stream that has broken off is reset, with
// INTERNAL_ERROR, and never ended. One that is stalled because the whole connection is cannot even
// be reset: when the owner's socket is full then, the connection has to go.
//
// Each connection may carry many streams: set NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS. Clients of
// event streams reset them as pages come and go. The library ends a connection with GOAWAY when it
// resets more than 1,000 at once and 33 a second, unless
// nghttp2_option_set_stream_reset_rate_limit names another limit.
#ifndef SSEKIT_ADAPTERS_NGHTTP2_HPP
#define SSEKIT_ADAPTERS_NGHTTP2_HPP

#include <ssekit/http.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <nghttp2/nghttp2.h>

namespace ssekit::inline SSEKIT_ABI {

/// \returns a header for nghttp2_submit_response, which makes its name lower-case. Lifetime: views
/// of `field`, which that function copies.
[[nodiscard]] inline nghttp2_nv nghttp2_field(const header& field) noexcept {
    const auto bytes = [](std::string_view text) { // which are only read
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(field.name), bytes(field.value), field.name.size(), field.value.size(),
            NGHTTP2_NV_FLAG_NONE};
}

/// \returns the head of a response that is a stream. Lifetime: static.
[[nodiscard]] inline std::array<nghttp2_nv, 1 + stream_headers.size()>
nghttp2_stream_fields() noexcept {
    std::array<nghttp2_nv, 1 + stream_headers.size()> out{nghttp2_field({":status", "200"})};
    std::transform(stream_headers.begin(), stream_headers.end(), out.begin() + 1, nghttp2_field);
    return out;
}

/// The body of a response: a generator, a subscription for instance, as a data provider.
/// Lifetime: stays where it is until the stream is closed. Thread safety: that of the session.
template <buffers_generator Generator>
class nghttp2_source {
  public:
    nghttp2_source() = default;
    nghttp2_source(const nghttp2_source&) = delete;
    nghttp2_source& operator=(const nghttp2_source&) = delete;

    Generator generator = {};

    /// \returns what nghttp2_submit_response takes. Lifetime: refers to this.
    [[nodiscard]] nghttp2_data_provider provider() noexcept {
        return {.source = {.ptr = this}, .read_callback = &read};
    }

    /// Effects: makes the session ask for what there is, when the hub has reported the subscriber.
    /// Safe to repeat. \returns 0, or NGHTTP2_ERR_NOMEM.
    int resume(nghttp2_session* session, std::int32_t stream) noexcept {
        // A client whose window is closed is not asked for; with an event in hand, the hub's write
        // deadline counts for it.
        std::string_view next;
        if (generator.prepare({&next, 1}) == 0 && !generator.is_done()) return 0;
        if (generator.is_abrupt()) { // the reset must leave also where no data can
            return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream,
                                             NGHTTP2_INTERNAL_ERROR);
        }
        const int result = nghttp2_session_resume_data(session, stream);
        return result == NGHTTP2_ERR_NOMEM ? result : 0; // it was not deferred: it asks anyway
    }

  private:
    static ssize_t read(nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t size,
                        std::uint32_t* flags, nghttp2_data_source* source, void*) noexcept {
        nghttp2_source& self = *static_cast<nghttp2_source*>(source->ptr);
        const std::size_t copied = self.copy(into, size);
        switch (drained(self.generator)) {
        case drain_status::done: *flags |= NGHTTP2_DATA_FLAG_EOF; break;
        case drain_status::cut: // what is whole still leaves, and then the stream is reset
            if (copied == 0) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
            break;
        default:
            if (copied == 0) return NGHTTP2_ERR_DEFERRED;
        }
        return static_cast<ssize_t>(copied);
    }

    std::size_t copy(std::uint8_t* into, std::size_t size) noexcept {
        std::size_t copied = 0;
        for (;;) {
            std::array<std::string_view, drain_slices> slices;
            const std::size_t count = generator.prepare(slices);
            // Asked once more although there is no room: now something is in hand, and its deadline
            // runs, or the hub will report.
            if (count == 0 || copied == size) return copied;
            const std::size_t before = copied;
            for (const std::string_view slice : std::span(slices).first(count)) {
                const std::size_t part = (std::min)(slice.size(), size - copied);
                std::memcpy(into + copied, slice.data(), part);
                copied += part;
            }
            generator.consume(copied - before);
        }
    }
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
