// SPDX-License-Identifier: MIT
//
// Event streams from Drogon, whose connections live on loops of their own. It hands an asynchronous
// response a ResponseStream, on the connection's loop; that stream's `send` takes everything, keeps
// what the socket does not take, and does not tell when that has left. So a stream here has one
// batch on its way at a time and looks at the connection's count of bytes sent: at once, since the
// socket has usually taken it all, and every few milliseconds while it has not. A stalled client
// costs one batch, and what else it has not read stays in the hub's log, where the lag policy sees
// it. (With TLS the count includes what the records add, so for a client that never catches up the
// backlog may seem smaller by a few per cent of what it has been sent.)
//
// The hub's waker, on any thread and under the hub's lock, only queues a call to the loop. That
// takes memory, because the library makes a node and a std::function of each. So a wake-up
// allocates, and without memory it ends the program, since it must not get lost.
//
// A stream is not told that its client has gone: it finds out at the next event or heartbeat. It
// owns itself until it has ended, so close the hub and let its streams end before the loops stop;
// the loops outlive their streams. One that has broken off closes its connection, without a last
// chunk. A response that is never sent takes its stream with it.
//
// Written against templates: include <drogon/drogon.h> beside it. Read: 1.9.13, HttpServer.cc and
// trantor's TcpConnectionImpl.cc.
#ifndef SSEKIT_ADAPTERS_DROGON_HPP
#define SSEKIT_ADAPTERS_DROGON_HPP

#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/stream_answer.hpp>
#include <ssekit/stream_route.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

/// Effects: answers a request with a stream of the hub, from the client's Last-Event-ID on unless
/// `options` brings one; or as stream_answer.hpp has it where there is no stream.
/// \param Response drogon::HttpResponse
/// \param request a drogon::HttpRequestPtr
/// \param route what holds for the address; it takes any method that the app's handler is for
/// \returns the response, for the handler's callback. Throws std::bad_alloc.
/// Lifetime: the stream may outlive the hub.
template <class Response, class RequestPointer>
[[nodiscard]] std::shared_ptr<Response>
drogon_stream(shared_hub& hub, const RequestPointer& request, const subscribe_options& options,
              const stream_route& route = {.allow = ""});

// ---- how

namespace detail {

// What newAsyncStreamResponse hands to its callback.
template <class Made, class Pointer>
Pointer drogon_stream_pointer(Made (*)(const std::function<void(Pointer)>&, bool));

template <class Connection, class Pointer>
class drogon_response : public std::enable_shared_from_this<drogon_response<Connection, Pointer>> {
  public:
    explicit drogon_response(const std::shared_ptr<Connection>& connection)
        : connection_(connection), loop_(*connection->getLoop()) {}

    errc subscribe(shared_hub& hub, const subscribe_options& options) {
        auto [stream, refused] = hub.subscribe(
            options,
            {[](void* self) noexcept { static_cast<drogon_response*>(self)->post(); }, this});
        if (refused == errc::ok) stream_ = std::move(stream);
        return refused;
    }

    // Called on the connection's loop, once.
    void begin(Pointer out) {
        out_ = std::move(out);
        self_ = this->shared_from_this();
        send();
    }

    // A writer: the slices of a batch become one chunk.
    write_result write_some(std::span<const std::string_view> slices) noexcept {
        const auto connection = connection_.lock();
        if (connection == nullptr || !connection->connected()) return {0, io_status::closed};
        batch_.clear();
        for (const std::string_view slice : slices) {
            batch_.append(slice.substr(0, most - batch_.size()));
        }
        // "c8\r\n" ... "\r\n"
        const auto bits = static_cast<std::size_t>(std::bit_width(batch_.size()));
        const std::size_t framed = (bits + 3) / 4 + 4 + batch_.size();
        goal_ = connection->bytesSent() + framed;
        if (!out_->send(batch_)) return {0, io_status::closed};
        return {batch_.size(), is_full() ? io_status::would_block : io_status::ready};
    }

  private:
    static constexpr std::size_t most = 64 << 10; // of a batch
    static constexpr double next_look = 0.005;    // seconds

    // Whether some of the last batch has not left.
    bool is_full() const noexcept {
        const auto connection = connection_.lock();
        return connection != nullptr && connection->connected() && connection->bytesSent() < goal_;
    }

    // Preconditions: that of a waker, so that there is a stream, perhaps one that is about to die.
    void post() noexcept {
        loop_.queueInLoop([weak = this->weak_from_this()] {
            if (const auto alive = weak.lock()) alive->send();
        });
    }
    void look_later() noexcept {
        if (std::exchange(looking_, true)) return;
        loop_.runAfter(next_look, [weak = this->weak_from_this()] {
            const auto alive = weak.lock();
            if (alive == nullptr) return;
            alive->looking_ = false;
            alive->send();
        });
    }

    void send() noexcept {
        if (out_ == nullptr) return; // not yet, or no longer
        if (is_full() && !stream_.is_done()) return look_later();
        switch (drain(stream_, *this)) {
        case drain_status::would_block: return look_later();
        case drain_status::budget_spent: return post();
        case drain_status::closed:
        case drain_status::cut: return end(false);
        case drain_status::done: return end(true);
        case drain_status::idle: return;
        }
    }

    // Effects: may destroy this.
    void end(bool properly) noexcept {
        const auto self = std::exchange(self_, nullptr);
        const auto connection = connection_.lock();
        if (!properly && connection != nullptr) connection->forceClose();
        std::exchange(out_, nullptr)->close();
    }

    using loop = std::remove_reference_t<decltype(*std::declval<Connection&>().getLoop())>;

    std::weak_ptr<Connection> connection_;
    loop& loop_;
    Pointer out_;
    std::string batch_;
    std::size_t goal_ = 0; // the connection's count when the last batch has left
    bool looking_ = false;
    std::shared_ptr<drogon_response> self_;
    shared_subscription stream_;
};

} // namespace detail

template <class Response, class RequestPointer>
std::shared_ptr<Response> drogon_stream(shared_hub& hub, const RequestPointer& request,
                                        const subscribe_options& options,
                                        const stream_route& route) {
    const std::string target = request->path() + "?" + request->query();
    // The library has made a GET of a HEAD.
    const std::string_view method = request->isHead() ? "HEAD" : request->methodString();
    const request_view asked = read_request(method, target, [&](std::string_view name) {
        return std::string_view(request->getHeader(std::string(name)));
    });
    const std::shared_ptr connection = request->getConnectionPtr().lock();
    using connection_type = typename std::decay_t<decltype(connection)>::element_type;
    using pointer = decltype(detail::drogon_stream_pointer(&Response::newAsyncStreamResponse));
    std::shared_ptr<detail::drogon_response<connection_type, pointer>> made;
    const auto begin = [&](subscribe_options wanted) {
        wanted.framing = framing::raw; // the library makes the chunks
        made = std::make_shared<detail::drogon_response<connection_type, pointer>>(connection);
        return made->subscribe(hub, wanted);
    };
    stream_answer answer;
    if (connection == nullptr) {
        answer.status = 408; // the client has gone and does not see this
    } else if (std::string_view(request->versionString()) == "HTTP/1.0") {
        answer.status = 505; // Drogon would keep the response and never ask for its stream
    } else {
        answer = answer_request(hub, asked, route, options, begin);
    }
    std::shared_ptr<Response> out;
    if (answer.kind == answer_kind::stream) {
        // Without the true, Drogon closes what is silent for a minute.
        out = Response::newAsyncStreamResponse(
            [made](pointer stream) { made->begin(std::move(stream)); }, true);
    } else {
        out = Response::newHttpResponse();
        out->setStatusCode(static_cast<decltype(out->statusCode())>(answer.status));
        if (!answer.body.empty()) out->setBody(std::string(answer.body));
    }
    answer.for_each_header(route, asked, [&](const header& each) {
        if (each.name == "Content-Type") return out->setContentTypeString(each.value);
        out->addHeader(std::string(each.name), std::string(each.value));
    });
    return out;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
