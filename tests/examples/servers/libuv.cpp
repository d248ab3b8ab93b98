// SPDX-License-Identifier: MIT
//
// Event streams on a libuv loop. Each connection brings one request, in time; where there is no
// memory, one connection goes. What a public server also needs, a bound on connections, is in
// ../live.cpp.
#include "news.hpp"

#include <ssekit/adapters/libuv.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <netinet/in.h>
#include <uv.h>

namespace {

void check(int result) {
    if (result < 0) throw std::runtime_error(uv_strerror(result));
}

/// libuv's handles begin with what they have in common.
template <class Base, class Handle>
Base* as(Handle& handle) {
    return reinterpret_cast<Base*>(&handle);
}

constexpr auto patience = std::chrono::seconds(10); // for a request, to its last byte

class server;

struct client {
    explicit client(server& server)
        : home(server), drain(as<uv_stream_t>(socket), this, [](void* self, auto status) noexcept {
              static_cast<client*>(self)->drained(status);
          }) {}

    void receive(std::string_view bytes);
    void answer();
    void drained(ssekit::drain_status status) noexcept;
    void close();

    server& home;
    std::list<client>::iterator place = {};
    uv_tcp_t socket{};
    uv_write_t write{};
    uv_shutdown_t shutdown{};
    std::string in = {};  // the request
    std::string out = {}; // the head of the response, or all of it
    ssekit::uv_drain<ssekit::subscription> drain;
    ssekit::framing form = ssekit::framing::chunked;
    ssekit::time_point deadline = std::chrono::steady_clock::now() + patience;
    bool answered = false;
};

class server {
    using clock = std::chrono::steady_clock;

  public:
    explicit server(const news::settings& wanted)
        : wanted_(wanted), hub_(ssekit::new_epoch(), clock::now(), news::hub_options(wanted)) {
        std::signal(SIGPIPE, SIG_IGN);
        check(uv_loop_init(&loop_));
        loop_.data = this;
        listen(wanted);
        uv_prepare_init(&loop_, &before_waiting_);
        uv_prepare_start(&before_waiting_, [](uv_prepare_t* handle) { of(handle).turn(); });
        uv_timer_init(&loop_, &timer_);
        uv_timer_init(&loop_, &look_around_);
        uv_timer_start(
            &look_around_, [](uv_timer_t* handle) { of(handle).look_around(); }, 1000, 1000);
        uv_unref(as<uv_handle_t>(before_waiting_)); // the loop ends with the last client
        uv_unref(as<uv_handle_t>(timer_));
        uv_unref(as<uv_handle_t>(look_around_));
        for (std::size_t i = 0; i < signals_.size(); ++i) {
            uv_signal_init(&loop_, &signals_[i]);
            uv_signal_start_oneshot(
                &signals_[i], [](uv_signal_t* handle, int) { of(handle).close(); },
                i == 0 ? SIGINT : SIGTERM);
            uv_unref(as<uv_handle_t>(signals_[i]));
        }
    }
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server() {
        const auto close = [](uv_handle_t* handle, void*) { uv_close(handle, nullptr); };
        uv_walk(&loop_, close, nullptr);
        uv_run(&loop_, UV_RUN_DEFAULT);
        uv_loop_close(&loop_);
    }

    void run() { uv_run(&loop_, UV_RUN_DEFAULT); }

  private:
    friend client;

    template <class Handle>
    static server& of(Handle* handle) {
        return *static_cast<server*>(handle->loop->data);
    }

    void listen(const news::settings& wanted) {
        sockaddr_in address{};
        check(uv_ip4_addr(wanted.bind.c_str(), wanted.port, &address));
        check(uv_tcp_init(&loop_, &listener_));
        check(uv_tcp_bind(&listener_, as<const sockaddr>(address), 0));
        check(uv_listen(as<uv_stream_t>(listener_), SOMAXCONN, [](uv_stream_t* handle, int status) {
            if (status == 0) of(handle).accept();
        }));
        int size = sizeof address;
        check(uv_tcp_getsockname(&listener_, as<sockaddr>(address), &size));
        news::announce(ntohs(address.sin_port));
    }

    // libuv reports no further connection before this one has been taken, which is then tried again.
    void accept() {
        try {
            accept_late_ = true;
            clients_.emplace_back(*this);
        } catch (const std::bad_alloc&) {
            return;
        }
        accept_late_ = false;
        client& added = clients_.back();
        added.place = std::prev(clients_.end());
        added.socket.data = &added;
        uv_tcp_init(&loop_, &added.socket);
        if (uv_accept(as<uv_stream_t>(listener_), as<uv_stream_t>(added.socket)) != 0) {
            return added.close();
        }
        uv_tcp_nodelay(&added.socket, 1);
        uv_os_fd_t descriptor = -1;
        uv_fileno(as<uv_handle_t>(added.socket), &descriptor);
        ssekit::notice_dead_peer(descriptor);
        uv_read_start(
            as<uv_stream_t>(added.socket),
            [](uv_handle_t* handle, std::size_t, uv_buf_t* out) {
                *out = uv_buf_init(of(handle).bytes_, sizeof bytes_);
            },
            [](uv_stream_t* handle, ssize_t size, const uv_buf_t* bytes) {
                client& who = *static_cast<client*>(handle->data);
                if (size < 0) return who.close();
                if (who.answered) return; // whatever it says, the answer is under way
                try {
                    who.receive({bytes->base, static_cast<std::size_t>(size)});
                } catch (const std::bad_alloc&) {
                    who.close();
                }
            });
    }

    // Once a second.
    void look_around() {
        if (accept_late_) accept();
        const auto now = clock::now();
        for (client& each : clients_) {
            if (each.deadline <= now) each.close();
        }
    }

    // [recipe]
    void turn() {
        hub_.tick(clock::now());
        while (void* const ready = hub_.next_ready()) static_cast<client*>(ready)->drain.run();
        if (closing_ && hub_.subscriptions() == 0) stop_listening();
        const ssekit::time_point due = hub_.next_deadline();
        if (due == ssekit::never) return;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - clock::now()).count();
        const auto wait = static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0));
        uv_timer_start(&timer_, due_now, wait, 0);
    }
    static void due_now(uv_timer_t*) {} // for a turn follows
    // [recipe]

    void close() {
        closing_ = true;
        hub_.tick(clock::now()); // the deadline counts from now
        news::close(hub_, wanted_);
    }
    // Up to now, who came was told to come back: the hub refuses streams while it closes.
    void stop_listening() {
        if (uv_is_closing(as<uv_handle_t>(listener_)) != 0) return;
        uv_close(as<uv_handle_t>(listener_), nullptr);
        for (client& each : clients_) {
            if (!each.answered) each.close();
        }
    }

    news::settings wanted_;
    ssekit::hub hub_; // outlives the handles of its streams
    bool closing_ = false;
    uv_loop_t loop_{};
    uv_tcp_t listener_{};
    uv_prepare_t before_waiting_{};
    uv_timer_t timer_{};
    uv_timer_t look_around_{};
    bool accept_late_ = false;
    std::array<uv_signal_t, 2> signals_{};
    char bytes_[4096]; // that have been read
    std::list<client> clients_;
};

void client::receive(std::string_view bytes) {
    in.append(bytes);
    answer();
}

void client::answer() {
    const auto [status, head] = ssekit::find_head(in);
    if (status == ssekit::head_status::incomplete) return;
    answered = true;
    home.hub_.tick(std::chrono::steady_clock::now()); // for the loop has waited since its turn
    const ssekit::request_view request = ssekit::read_request(head);
    const bool too_long = status == ssekit::head_status::too_long;
    news::answer what = too_long ? news::answer{431} : news::answer_to(home.hub_, request);
    form = ssekit::framing_for(request);
    if (what.is_stream() && request.method != "HEAD") {
        auto [stream, refused] =
            home.hub_.subscribe({.topics = news::topic,
                                 .last_event_id = request.last_event_id.value_or(""),
                                 .framing = form,
                                 .user = this});
        if (refused != ssekit::errc::ok) what = news::refused(home.hub_, request, refused);
        drain.generator = std::move(stream);
        if (refused == ssekit::errc::ok) deadline = ssekit::never; // from now on the hub's count
    }
    out = what.is_stream() ? ssekit::response_head(form) : news::response(what);
    const uv_buf_t bytes = uv_buf_init(out.data(), static_cast<unsigned>(out.size()));
    if (uv_write(&write, as<uv_stream_t>(socket), &bytes, 1, nullptr) != 0) return close();
    drain.run();
}

void client::drained(ssekit::drain_status status) noexcept {
    switch (status) {
    case ssekit::drain_status::budget_spent: return drain.generator.reschedule();
    case ssekit::drain_status::closed:
    case ssekit::drain_status::cut: return close(); // without an end
    case ssekit::drain_status::done: // as a stream that there is not: the response was all
        uv_shutdown(&shutdown, as<uv_stream_t>(socket), [](uv_shutdown_t* request, int) {
            static_cast<client*>(request->handle->data)->close();
        });
        return;
    default: return;
    }
}

void client::close() {
    if (uv_is_closing(as<uv_handle_t>(socket)) != 0) return;
    const auto closed = [](uv_handle_t* handle) {
        client& self = *static_cast<client*>(handle->data);
        self.home.clients_.erase(self.place);
    };
    const bool looks_whole = form == ssekit::framing::raw && drain.generator.is_abrupt();
    if (looks_whole && uv_tcp_close_reset(&socket, closed) == 0) return;
    uv_close(as<uv_handle_t>(socket), closed);
}

} // namespace

int main(int argc, char** argv) {
    server(news::read_settings(argc, argv)).run();
}
