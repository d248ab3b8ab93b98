// SPDX-License-Identifier: MIT
//
// Event streams from cpp-httplib, which gives each connection a thread of its pool and calls the
// content provider of a response there, again and again, until it is done or fails. So a stream
// lives and blocks on its connection's thread: it writes what its subscription has, then sleeps
// until the hub rings its bell. The ring comes from any thread, under the hub's lock, and only
// notifies. Once a second the sleeper checks whether its client is still there, and whether the
// server has been stopped, which cuts streams: httplib_stop closes the hub first.
//
// A slow client blocks `DataSink::write`, at most for the server's write timeout. Meanwhile its
// events stay in the hub's log, where the lag policy sees them, and nothing piles up here. When the
// subscription ends, the response ends with its last chunk, after a whole event; where the stream
// has broken off, because the hub has cut it or is gone, the connection is closed without one. The
// subscription dies with the httplib::Response, on the same thread.
//
// The server needs `set_tcp_nodelay(true)`, or events wait for acknowledgements; a write timeout as
// long as a client may stall; and a pool with more threads than streams, best bounded by
// `hub_options::max_subscribers`: one stream too many is refused, but one thread too few leaves
// requests unanswered.
#ifndef SSEKIT_ADAPTERS_HTTPLIB_HPP
#define SSEKIT_ADAPTERS_HTTPLIB_HPP

#include <ssekit/doorbell.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/soft_refusal.hpp>
#include <ssekit/ticking_hub.hpp>
#include <ssekit/writer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <httplib.h>

namespace ssekit::inline SSEKIT_ABI {

/// \returns what matters to streams of a request. Lifetime: views of `request`.
[[nodiscard]] inline request_view httplib_request(const httplib::Request& request);

/// Effects: answers a request with a stream of the hub, from the client's Last-Event-ID on unless
/// `options` brings one; or with the status that says why not, or with a soft_refusal where
/// `is_refused_softly` says so. The method is the route's to choose.
/// \returns the subscription, to welcome the client or to add topics; nullptr when the answer is no
/// stream, or a HEAD. Throws std::bad_alloc.
/// Lifetime: the subscription is the handler's until it returns. The stream may outlive the hub.
inline shared_subscription* httplib_stream(shared_hub& hub, const httplib::Request& request,
                                           httplib::Response& response, subscribe_options options);

/// Effects: sets the headers of a stream whose content provider is the user's own, except the
/// Content-Type, which comes with the provider. Throws std::bad_alloc.
inline void httplib_headers(httplib::Response& response);

/// Effects: closes the hub, sleeps until its last stream has gone, and stops the server; stopping
/// the server first would cut the streams off. Until then the server answers: what is unfinished
/// goes on, and browsers that come are refused softly. It waits for slow clients no longer than
/// `close_options::deadline`, and for clients that take nothing no longer than the server's write
/// timeout.
/// Preconditions: something ticks the hub, which a ticking_hub does itself; nothing else closes it
/// with a waker. \returns why the farewell was not said, as `hub::close`; everything else is done
/// nevertheless.
inline errc httplib_stop(httplib::Server& server, shared_hub& hub, const close_options& how = {});

// ---- how

namespace detail {

// One response. Its subscription dies first, and waits for a ring under way.
class httplib_response {
  public:
    doorbell bell = {};
    shared_subscription stream = {};

    // What the content provider does. \returns whether the connection can still be used.
    bool provide(httplib::DataSink& sink) {
        writer out{sink};
        switch (drain(stream, out)) {
        case drain_status::done: sink.done(); return true;
        case drain_status::idle:
            bell.wait_until(std::chrono::steady_clock::now() + std::chrono::seconds(1));
            return sink.is_writable();
        case drain_status::budget_spent: return true;
        default: return false; // closed or cut: the library closes, without a last chunk
        }
    }

  private:
    struct writer {
        httplib::DataSink& sink;

        // The library makes a chunk, a copy and a send of each write, so events that are short go
        // together. Four curls, bursts of 64 events of 100 bytes: 0.6 us of CPU a delivery, and
        // 4.5 one by one.
        write_result write_some(std::span<const std::string_view> slices) noexcept {
            std::array<char, 16 << 10> together;
            std::size_t size = 0;
            for (const std::string_view each : slices) {
                if (each.size() > together.size() - size) break;
                size += each.copy(together.data() + size, each.size());
            }
            const std::string_view next =
                size == 0 ? slices[0] : std::string_view(together.data(), size);
            const bool wrote = sink.write(next.data(), next.size());
            return {wrote ? next.size() : 0, wrote ? io_status::ready : io_status::closed};
        }
    };
};

} // namespace detail

inline request_view httplib_request(const httplib::Request& request) {
    return read_request(request.method, request.target,
                        [&](std::string_view name) -> std::optional<std::string_view> {
                            const auto found = request.headers.find(std::string(name));
                            if (found == request.headers.end()) return std::nullopt;
                            return found->second;
                        });
}

inline shared_subscription* httplib_stream(shared_hub& hub, const httplib::Request& request,
                                           httplib::Response& response, subscribe_options options) {
    const auto refuse = [&](int status, std::string_view why) {
        response.status = status;
        if (status != 204) response.set_content(std::string(why) + "\n", "text/plain");
        return nullptr;
    };
    const request_view came = httplib_request(request);
    request_view asked = came;
    const bool head_only = asked.method == "HEAD";
    asked.method = "GET";
    if (const int status = stream_status(asked); status != 200) {
        return refuse(status, reason_phrase(status));
    }
    const auto made = std::make_shared<detail::httplib_response>();
    if (!head_only) {
        std::string id;
        last_event_id(asked, id, id_source::header_or_query);
        if (options.last_event_id.empty()) options.last_event_id = id;
        options.framing = framing::raw;
        auto [stream, refused] = hub.subscribe(options, made->bell.waker());
        if (is_refused_softly(refused, came)) {
            const soft_refusal soft(hub.refused_retry());
            response.status = 200;
            httplib_headers(response);
            response.set_content(std::string(soft.body()), std::string(stream_headers[0].value));
            return nullptr;
        }
        if (refused != errc::ok) {
            const refusal how = refusal_of(refused);
            if (how.retry_after.count() != 0) {
                response.set_header("Retry-After", std::to_string(how.retry_after.count()));
            }
            return refuse(how.status, message(refused));
        }
        made->stream = std::move(stream);
    }
    response.status = 200;
    httplib_headers(response);
    response.set_chunked_content_provider(
        std::string(stream_headers[0].value),
        [made](std::size_t, httplib::DataSink& sink) { return made->provide(sink); });
    return head_only ? nullptr : &made->stream;
}

inline void httplib_headers(httplib::Response& response) {
    for (const header& each : std::span(stream_headers).subspan(1)) {
        response.set_header(std::string(each.name), std::string(each.value));
    }
}

inline errc httplib_stop(httplib::Server& server, shared_hub& hub, const close_options& how) {
    doorbell gone;
    hub.tick(std::chrono::steady_clock::now()); // the deadline counts from the last one
    const errc refused = hub.close(how, gone.waker());
    if (refused != errc::ok) {
        close_options silent = how;
        silent.farewell = {}; // nothing else can be refused
        static_cast<void>(hub.close(silent, gone.waker()));
    }
    gone.wait();
    server.stop();
    return refused;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
