// SPDX-License-Identifier: MIT
//
// Event streams from cpp-httplib, which gives each connection a thread of its pool and calls the
// content provider of a response there, again and again, until it is done or fails. So a stream
// lives and blocks on its connection's thread: it writes what its subscription has, then sleeps
// until the hub rings its bell. The ring comes from any thread, under the hub's lock, and only
// notifies. Once a second the sleeper checks whether its client is still there, and whether the
// server has been stopped, which cuts streams: httplib_stop closes the hub first. Where there is no
// place for a new stream, all sleepers check at once, so that dead ones do not keep the places.
//
// A slow client blocks `DataSink::write`, at most for the server's write timeout. Meanwhile its
// events stay in the hub's log, where the lag policy sees them, and nothing piles up here. When the
// subscription ends, the response ends with its last chunk, after a whole event; where the stream
// has broken off, because the hub has cut it or is gone, the connection is closed without one. The
// subscription dies with the httplib::Response, on the same thread. A client of HTTP/1.0 gets its
// stream without chunks, up to the end of the connection. The library gives nobody the socket, so
// such a client cannot be told by a reset that its stream has broken off: it has to come back with
// its Last-Event-ID to know, as an EventSource does.
//
// The server needs `set_tcp_nodelay(true)`, or events wait for acknowledgements; a write timeout as
// long as a client may stall; and a pool with more threads than streams, best bounded by
// `hub_options::max_subscribers`: one stream too many is refused, but one thread too few leaves
// requests unanswered.
#ifndef SSEKIT_ADAPTERS_HTTPLIB_HPP
#define SSEKIT_ADAPTERS_HTTPLIB_HPP

#include <ssekit/doorbell.hpp>
#include <ssekit/header.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/stream_answer.hpp>
#include <ssekit/stream_route.hpp>
#include <ssekit/ticking_hub.hpp>
#include <ssekit/writer.hpp>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
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
/// `options` brings one; or as stream_answer.hpp has it where there is no stream.
/// \param route what holds for the address; it takes any method that the server's handler is for
/// \returns the subscription, to welcome the client or to add topics; nullptr when the answer is no
/// stream, or a HEAD. Throws std::bad_alloc.
/// Lifetime: the subscription is the handler's until it returns. The stream may outlive the hub.
inline shared_subscription* httplib_stream(shared_hub& hub, const httplib::Request& request,
                                           httplib::Response& response,
                                           const subscribe_options& options,
                                           const stream_route& route = {.allow = ""});

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
    httplib_response() {
        const std::lock_guard locked(all().lock);
        next_ = all().first;
        if (next_ != nullptr) next_->before_ = &next_;
        all().first = this;
        before_ = &all().first;
    }
    httplib_response(const httplib_response&) = delete;
    httplib_response& operator=(const httplib_response&) = delete;
    ~httplib_response() {
        stream = {}; // its place is free before others are told so
        const std::lock_guard locked(all().lock);
        *before_ = next_;
        if (next_ != nullptr) next_->before_ = before_;
        ++all().gone;
        all().one_has_gone.notify_all();
    }

    doorbell bell = {};
    shared_subscription stream = {};

    // Has all that sleep look for their clients, twenty times a second at most: it is a storm that
    // asks. \returns whether it has, and a place may come free in a moment.
    static bool wake_all() {
        using std::chrono::steady_clock;
        registry& list = all();
        const std::lock_guard locked(list.lock);
        const auto now = steady_clock::now();
        if (list.woken && now < *list.woken + std::chrono::milliseconds(50)) return false;
        list.woken = now;
        for (auto* each = list.first; each != nullptr; each = each->next_) each->bell.ring();
        return true;
    }

    // How many have gone; others may have their places.
    static std::uint64_t gone() {
        const std::lock_guard locked(all().lock);
        return all().gone;
    }
    // Sleeps until more have gone, and counts those. \returns false when the deadline has come.
    static bool wait_for_more(std::uint64_t& gone, time_point until) {
        registry& list = all();
        std::unique_lock locked(list.lock);
        const bool more =
            list.one_has_gone.wait_until(locked, until, [&] { return list.gone != gone; });
        gone = list.gone;
        return more;
    }

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
    // Those of the whole program, for the library has no place for what belongs to a server.
    struct registry {
        std::mutex lock;
        httplib_response* first = nullptr;
        std::uint64_t gone = 0;
        std::condition_variable one_has_gone;
        std::optional<std::chrono::steady_clock::time_point> woken;
    };
    static registry& all() {
        static registry list;
        return list;
    }

    httplib_response* next_ = nullptr;
    httplib_response** before_ = nullptr; // what points to this one

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

[[nodiscard]] constexpr bool has_no_place(errc code) noexcept {
    return code == errc::too_many_subscribers || code == errc::topic_is_full ||
           code == errc::tag_is_full;
}

} // namespace detail

inline request_view httplib_request(const httplib::Request& request) {
    request_view out = read_request(request.method, request.target,
                                    [&](std::string_view name) -> std::optional<std::string_view> {
                                        const auto found = request.headers.find(std::string(name));
                                        if (found == request.headers.end()) return std::nullopt;
                                        return found->second;
                                    });
    out.is_http_1_0 = request.version == "HTTP/1.0";
    return out;
}

inline shared_subscription* httplib_stream(shared_hub& hub, const httplib::Request& request,
                                           httplib::Response& response,
                                           const subscribe_options& options,
                                           const stream_route& route) {
    const request_view asked = httplib_request(request);
    const auto made = std::make_shared<detail::httplib_response>();
    const auto begin = [&](subscribe_options wanted) {
        wanted.framing = framing::raw; // the library makes the chunks
        const auto attempt = [&] {
            auto [stream, refused] = hub.subscribe(wanted, made->bell.waker());
            made->stream = std::move(stream);
            return refused;
        };
        using responses = detail::httplib_response;
        std::uint64_t gone = responses::gone();
        errc refused = attempt();
        if (!detail::has_no_place(refused) || !responses::wake_all()) return refused;
        const time_point until = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
        while (detail::has_no_place(refused) && responses::wait_for_more(gone, until)) {
            refused = attempt();
        }
        return refused;
    };
    const stream_answer answer = answer_request(hub, asked, route, options, begin);
    response.status = answer.status;
    std::string type;
    answer.for_each_header(route, asked, [&](const header& each) {
        if (each.name == "Content-Type") {
            type = each.value; // it goes with the body
        } else {
            response.set_header(std::string(each.name), std::string(each.value));
        }
    });
    if (answer.kind == answer_kind::whole) {
        if (!answer.body.empty()) response.set_content(answer.body, type);
        return nullptr;
    }
    const auto provide = [made](std::size_t, httplib::DataSink& sink) {
        return made->provide(sink);
    };
    if (answer.framing == framing::chunked) {
        response.set_chunked_content_provider(type, provide);
    } else {
        response.set_content_provider(type, provide);
    }
    return answer.kind == answer_kind::head ? nullptr : &made->stream;
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
