// SPDX-License-Identifier: MIT
//
// Event streams from uWebSockets, which runs one loop per thread, takes what a handler writes into
// a response, and keeps what the socket does not take. Its `write` always takes everything, so
// writing on to a client that does not read fills the memory. Here nothing is written while the
// library keeps anything: a stalled client costs one cork buffer, and what else it has not read
// stays in the hub's log, where the lag policy sees it. The library itself closes a connection that
// has taken nothing for ten seconds.
//
// A stream lives on the loop of its response: uWebSockets calls it when there is room again
// (onWritable) or the client has gone (onAborted), and the hub's waker, on any thread and under the
// hub's lock, only defers a call to the loop. That takes memory, a place in the library's queue. So
// a wake-up costs an allocation now and then, and without memory it ends the program, since it must
// not get lost. The response's handlers own the stream. They and what is deferred hold it while it
// runs, so it dies on the loop's thread, before or after the hub. When the stream has ended, the
// response ends; when it has broken off, or its hub is destroyed, the response is closed without a
// last chunk. The loop outlives its streams.
//
// Written against templates: include <App.h> beside it. Read: 20.79, HttpResponse.h, AsyncSocket.h.
#ifndef SSEKIT_ADAPTERS_UWEBSOCKETS_HPP
#define SSEKIT_ADAPTERS_UWEBSOCKETS_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/stream_answer.hpp>
#include <ssekit/stream_route.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

/// \returns what matters to streams of a uWS::HttpRequest.
/// Lifetime: views of `request`, which dies when its handler returns.
template <class Request>
[[nodiscard]] request_view uws_request(Request& request);

/// Effects: answers a request with a stream of the hub, from the client's Last-Event-ID on unless
/// `options` brings one; or as stream_answer.hpp has it where there is no stream.
/// \param response a uWS::HttpResponse to which nothing has been written
/// \param loop the uWS::Loop of this thread
/// \param route what holds for the address; it takes any method that the app's handler is for
/// \returns the subscription, to welcome the client or to add topics; nullptr when the answer is no
/// stream, or a HEAD. Throws std::bad_alloc.
/// Lifetime: the subscription is the handler's until it returns. The stream may outlive the hub.
template <class Response, class Request, class Loop>
shared_subscription* uws_stream(shared_hub& hub, Request& request, Response& response, Loop& loop,
                                const subscribe_options& options,
                                const stream_route& route = {.allow = ""});

// ---- how

namespace detail {

template <class Response, class Loop>
class uws_response : public std::enable_shared_from_this<uws_response<Response, Loop>> {
  public:
    uws_response(Response& response, Loop& loop) noexcept : response_(&response), loop_(loop) {}

    errc begin(shared_hub& hub, const subscribe_options& options) {
        auto [stream, refused] = hub.subscribe(
            options, {[](void* self) noexcept { static_cast<uws_response*>(self)->post(); }, this});
        if (refused != errc::ok) return refused;
        stream_ = std::move(stream);
        response_->onAborted([self = this->shared_from_this()] { self->forget(); });
        response_->onWritable([self = this->shared_from_this()](std::uintmax_t) {
            const auto alive = self; // ending the response destroys this handler
            return alive->send();
        });
        post(); // from here, the handler could not use what this may end
        return errc::ok;
    }
    shared_subscription& stream() noexcept { return stream_; }

    // A writer: `write` takes all, and tells by its backlog what has not left.
    write_result write_some(std::span<const std::string_view> slices) noexcept {
        std::size_t taken = 0;
        response_->cork([&] {
            for (const std::string_view slice : slices) {
                const std::string_view part = slice.substr(0, corked - taken);
                response_->write(part);
                taken += part.size();
            }
        });
        return {taken, backlog() == 0 ? io_status::ready : io_status::would_block};
    }

  private:
    // A round fits the library's cork buffer of 16 KiB with the head and each slice's chunk: what
    // does not fit costs a system call for each part of a chunk.
    static constexpr std::size_t corked = 15 << 10;

    // The library shows its backlog to derived classes alone.
    struct insight : Response {
        static auto backlog() noexcept { return &insight::getBufferedAmount; }
    };
    std::size_t backlog() const noexcept { return (response_->*insight::backlog())(); }

    // Preconditions: that of a waker, so that there is a stream, perhaps one that is about to die.
    void post() noexcept {
        loop_.defer([weak = this->weak_from_this()] {
            if (const auto alive = weak.lock()) alive->send();
        });
    }

    bool send() noexcept {
        if (response_ == nullptr) return true;
        // With an onWritable the library leaves it to a write to send what it keeps, and an empty
        // cork is one.
        if (backlog() != 0) response_->cork([] {});
        if (backlog() != 0 && !stream_.is_done()) return false;
        const drain_status status = drain(stream_, *this);
        if (status == drain_status::budget_spent) post();
        if (status == drain_status::done) std::exchange(response_, nullptr)->end();
        if (status == drain_status::cut) std::exchange(response_, nullptr)->close();
        return status != drain_status::would_block;
    }

    void forget() noexcept {
        response_ = nullptr;
        stream_ = {};
    }

    Response* response_;
    Loop& loop_;
    shared_subscription stream_;
};

} // namespace detail

template <class Request>
request_view uws_request(Request& request) {
    return read_request(request.getCaseSensitiveMethod(), request.getFullUrl(),
                        [&](std::string_view name) {
                            std::array<char, 32> lower{}; // as the library has them
                            name = name.substr(0, lower.size());
                            std::transform(name.begin(), name.end(), lower.begin(), detail::lower);
                            return request.getHeader({lower.data(), name.size()});
                        });
}

template <class Response, class Request, class Loop>
shared_subscription* uws_stream(shared_hub& hub, Request& request, Response& response, Loop& loop,
                                const subscribe_options& options, const stream_route& route) {
    const request_view asked = uws_request(request);
    const auto made = std::make_shared<detail::uws_response<Response, Loop>>(response, loop);
    const auto begin = [&](subscribe_options wanted) {
        wanted.framing = framing::raw; // the library makes the chunks
        return made->begin(hub, wanted);
    };
    const stream_answer answer = answer_request(hub, asked, route, options, begin);
    response.writeStatus(std::to_string(answer.status) + " " +
                         std::string(reason_phrase(answer.status)));
    answer.for_each_header(
        route, asked, [&](const header& each) { response.writeHeader(each.name, each.value); });
    if (answer.kind == answer_kind::stream) return &made->stream();
    if (answer.body.empty()) {
        response.endWithoutBody();
    } else {
        response.end(answer.body);
    }
    return nullptr;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
