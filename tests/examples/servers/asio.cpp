// SPDX-License-Identifier: MIT
//
// Event streams over Asio without Boost: one thread, callbacks, a hub without a lock. The hub says
// which streams have something to send, so they need no wakers: code that has called the hub takes
// a turn.
#include "news.hpp"

#include <ssekit/adapters/asio.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

namespace {

using asio::ip::tcp;
using std::chrono::steady_clock;

class client;

/// The hub, and the timer that it needs.
class newsroom {
  public:
    newsroom(asio::io_context& io, const news::settings& wanted)
        : hub(ssekit::new_epoch(), steady_clock::now(), news::hub_options(wanted)),
          acceptor(io, {asio::ip::make_address(wanted.bind), wanted.port}), wanted_(wanted),
          timer_(io) {}

    void turn();

    void close() {
        closing_ = true;
        hub.tick(steady_clock::now()); // the deadline counts from now
        news::close(hub, wanted_);
        turn();
    }

    ssekit::hub hub;
    tcp::acceptor acceptor; // open until the last stream has gone: who comes is told to come back
    int accepting = 0;      // handlers that will go on with it

  private:
    news::settings wanted_;
    asio::steady_timer timer_;
    bool closing_ = false;
};

/// One connection with one request. It lives as long as something is under way on it.
class client : public std::enable_shared_from_this<client> {
  public:
    client(newsroom& home, tcp::socket accepted)
        : home_(home), socket_(std::move(accepted)), patience_(socket_.get_executor()) {}

    void start() {
        asio::error_code ignored;
        socket_.set_option(tcp::no_delay(true), ignored);
        ssekit::notice_dead_peer(socket_.native_handle());
        wait_at_most(std::chrono::seconds(10));
        asio::async_read_until(socket_, asio::dynamic_buffer(in_, 16 << 10), "\r\n\r\n",
                               [self = shared_from_this()](auto failed, std::size_t size) {
                                   self->has_read(failed, size);
                               });
    }

    // [recipe]
    void send() { // the hub says so
        if (sending_) {
            if (stream_.is_done()) close(); // it has given the client up
            return;
        }
        sending_ = true;
        ssekit::async_drain(socket_, stream_,
                            [self = shared_from_this()](auto failed, auto status) {
                                self->sending_ = false;
                                if (failed) return self->close(); // also what is cut
                                if (status == ssekit::drain_status::done) self->end();
                            });
    }
    // [recipe]

  private:
    void has_read(asio::error_code failed, std::size_t size) {
        if (failed == asio::error::not_found) return write(news::response({431}));
        if (failed) return close();
        home_.hub.tick(steady_clock::now());
        answer(ssekit::read_request(std::string_view(in_).substr(0, size)));
        home_.turn();
    }

    void answer(const ssekit::request_view& request) {
        const news::answer what = news::answer_to(home_.hub, request);
        if (!what.is_stream()) return write(news::response(what));
        form_ = ssekit::framing_for(request);
        if (request.method != "HEAD") {
            auto [stream, refused] =
                home_.hub.subscribe({.topics = news::topic,
                                     .last_event_id = request.last_event_id.value_or(""),
                                     .framing = form_,
                                     .user = this});
            if (refused != ssekit::errc::ok)
                return write(news::response(news::refused(home_.hub, request, refused)));
            stream_ = std::move(stream);
        }
        write(std::string(ssekit::response_head(form_)));
    }

    void write(std::string text) {
        out_ = std::move(text);
        sending_ = true;
        asio::async_write(socket_, asio::buffer(out_),
                          [self = shared_from_this()](auto failed, std::size_t) {
                              self->sending_ = false;
                              if (failed) return self->close();
                              if (!self->stream_) return self->end();
                              self->patience_.cancel(); // now the hub's deadlines count
                              self->send();
                          });
        watch();
    }

    void watch() { // nothing but a read tells that an idle client has gone
        socket_.async_read_some(asio::buffer(rest_),
                                [self = shared_from_this()](auto failed, std::size_t) {
                                    if (failed) return self->close();
                                    self->watch();
                                });
    }

    void end() { // and the client closes
        asio::error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        wait_at_most(std::chrono::seconds(2));
    }

    void close() {
        const bool looks_whole = form_ == ssekit::framing::raw && stream_.is_abrupt();
        if (looks_whole && socket_.is_open()) ssekit::reset_connection(socket_.native_handle());
        asio::error_code ignored;
        socket_.close(ignored);
        patience_.cancel();
        if (sending_) return; // a write that fails comes back here, and until then it has frames
        stream_ = {};
        home_.turn();
    }

    void wait_at_most(std::chrono::seconds time) {
        patience_.expires_after(time);
        patience_.async_wait([self = shared_from_this()](auto cancelled) {
            if (!cancelled) self->close();
        });
    }

    newsroom& home_;
    tcp::socket socket_;
    asio::steady_timer patience_;
    std::string in_ = {};
    std::string out_ = {}; // the head of the response, or all of it
    std::array<char, 512> rest_ = {};
    ssekit::framing form_ = ssekit::framing::chunked;
    ssekit::subscription stream_ = {};
    bool sending_ = false;
};

// [turn]
void newsroom::turn() {
    hub.tick(steady_clock::now());
    while (void* const ready = hub.next_ready()) static_cast<client*>(ready)->send();
    if (closing_ && hub.subscriptions() == 0) {
        acceptor.close();
        timer_.cancel();
        return;
    }
    timer_.expires_at(hub.next_deadline());
    timer_.async_wait([this](asio::error_code cancelled) {
        if (!cancelled) turn();
    });
}
// [turn]

void accept(newsroom& home) {
    tcp::acceptor& from = home.acceptor;
    from.async_accept([&, here = news::counted(home.accepting)](asio::error_code failed,
                                                                tcp::socket accepted) {
        if (!from.is_open()) return;
        if (failed) { // perhaps no descriptor is left: not again at once
            const auto pause = std::make_shared<asio::steady_timer>(from.get_executor(),
                                                                    std::chrono::milliseconds(100));
            return pause->async_wait([&, pause, waits = news::counted(home.accepting)](
                                         asio::error_code) { accept(home); });
        }
        std::make_shared<client>(home, std::move(accepted))->start();
        accept(home);
    });
}

/// Where there is no memory, a connection ends with the handler that has none, and the rest goes on.
void run(asio::io_context& io, newsroom& home) {
    for (bool over = false; !over;) {
        try {
            home.turn();
            if (home.accepting == 0 && home.acceptor.is_open()) accept(home);
            io.run();
            over = true;
        } catch (const std::bad_alloc&) {
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    const news::settings wanted = news::read_settings(argc, argv);
    asio::io_context io(1);
    newsroom home(io, wanted);
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](asio::error_code, int) { home.close(); });
    news::announce(home.acceptor.local_endpoint().port());
    run(io, home);
}
