// SPDX-License-Identifier: MIT
//
// Event streams from libevent's evhttp: one thread, one event loop.
#include "news.hpp"

#include <ssekit/adapters/libevent.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/epoch.hpp>

#include <csignal>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

template <class T, auto Free>
using owned = std::unique_ptr<T, freed_by<Free>>;

template <class T>
T* made(T* object) {
    if (object == nullptr) throw std::bad_alloc();
    return object;
}

std::string_view method_of(const evhttp_request* request) {
    switch (evhttp_request_get_command(request)) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_HEAD: return "HEAD";
    case EVHTTP_REQ_OPTIONS: return "OPTIONS";
    default: return "DELETE"; // or another that nothing here allows
    }
}

class server {
  public:
    explicit server(const news::settings& wanted)
        : wanted_(wanted),
          hub_(ssekit::new_epoch(), std::chrono::steady_clock::now(), news::hub_options(wanted)),
          streams_(base_.get(), hub_), http_(made(evhttp_new(base_.get()))) {
        evhttp_set_allowed_methods(http_.get(), EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                                    EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
        std::signal(SIGPIPE, SIG_IGN); // libevent does not keep it off
        evhttp_set_gencb(http_.get(), &serve, this);
        evhttp_set_timeout(http_.get(), 10); // seconds; streams are for the hub to time
        listener_ = evhttp_bind_socket_with_handle(http_.get(), wanted.bind.c_str(), wanted.port);
        if (listener_ != nullptr) {
            // Those that it accepts are like it.
            ssekit::notice_dead_peer(evhttp_bound_socket_get_fd(listener_));
            evconnlistener* const accepting = evhttp_bound_socket_get_listener(listener_);
            evconnlistener_set_error_cb(accepting, &cannot_accept);
        }
        evsignal_add(interrupted_.get(), nullptr);
        evsignal_add(terminated_.get(), nullptr);
    }

    /// The port, or 0 when there is no listening on it.
    [[nodiscard]] unsigned port() const {
        if (listener_ == nullptr) return 0;
        sockaddr_in address{};
        socklen_t size = sizeof address;
        getsockname(evhttp_bound_socket_get_fd(listener_), reinterpret_cast<sockaddr*>(&address),
                    &size);
        return ntohs(address.sin_port);
    }

    void run() {
        while (!closing_ || hub_.subscriptions() != 0) event_base_loop(base_.get(), EVLOOP_ONCE);
    }

  private:
    // What the library calls is noexcept: no exception can pass through its frames.

    static void serve(evhttp_request* request, void* self) noexcept {
        static_cast<server*>(self)->serve(request);
    }
    void serve(evhttp_request* request) {
        const int on = 1;
        evhttp_connection* const from = evhttp_request_get_connection(request);
        setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(from)), IPPROTO_TCP,
                   TCP_NODELAY, &on, sizeof on);
        const evkeyvalq* const headers = evhttp_request_get_input_headers(request);
        const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
            const char* const found = evhttp_find_header(headers, name.data());
            return found == nullptr ? std::nullopt : std::optional<std::string_view>(found);
        };
        answer(request,
               ssekit::read_request(method_of(request), evhttp_request_get_uri(request), find));
    }

    // [recipe]
    void answer(evhttp_request* request, const ssekit::request_view& asked) {
        streams_.wake(); // for what may be published now
        const news::answer what = news::answer_to(hub_, asked);
        if (!what.is_stream()) return respond(request, what);
        const ssekit::errc refused = streams_.open(
            request, {.topics = news::topic, .last_event_id = asked.last_event_id.value_or("")});
        if (refused != ssekit::errc::ok) {
            return respond(request, news::refused(hub_, asked, refused));
        }
    }
    // [recipe]

    static void respond(evhttp_request* request, const news::answer& what) {
        evkeyvalq* const headers = evhttp_request_get_output_headers(request);
        evhttp_add_header(headers, "Content-Type", what.type.c_str());
        for (const auto& [name, value] : what.more) {
            evhttp_add_header(headers, name.c_str(), value.c_str());
        }
        const owned<evbuffer, evbuffer_free> body(made(evbuffer_new()));
        // The library would send it after HEAD as well.
        if (!what.omits_body) evbuffer_add(body.get(), what.body.data(), what.body.size());
        evhttp_send_reply(request, what.status, nullptr, body.get());
    }

    // Perhaps no descriptor is left. The library would try again at once, and write a line each time.
    static void cannot_accept(evconnlistener* listener, void*) noexcept {
        evconnlistener_disable(listener);
        const timeval pause{0, 100'000};
        const int failed = event_base_once(
            evconnlistener_get_base(listener), -1, EV_TIMEOUT,
            [](evutil_socket_t, short, void* paused) noexcept {
                evconnlistener_enable(static_cast<evconnlistener*>(paused));
            },
            listener, &pause);
        if (failed != 0) evconnlistener_enable(listener); // no memory for a pause
    }

    static void close(evutil_socket_t, short, void* self) noexcept {
        static_cast<server*>(self)->close();
    }
    void close() { // and listens until the last stream has gone: who comes is told to come back
        closing_ = true;
        streams_.wake();
        news::close(hub_, wanted_);
    }

    news::settings wanted_;

    // In this order, so that evhttp goes first and closes what is open.
    owned<event_base, event_base_free> base_{made(event_base_new())};
    ssekit::hub hub_;
    ssekit::evhttp_streams streams_;
    owned<event, event_free> interrupted_{made(evsignal_new(base_.get(), SIGINT, &close, this))};
    owned<event, event_free> terminated_{made(evsignal_new(base_.get(), SIGTERM, &close, this))};
    owned<evhttp, evhttp_free> http_;
    evhttp_bound_socket* listener_ = nullptr;
    bool closing_ = false;
};

} // namespace

int main(int argc, char** argv) {
    server news(news::read_settings(argc, argv));
    if (news.port() == 0) return std::perror("bind"), 1;
    news::announce(news.port());
    news.run();
}
