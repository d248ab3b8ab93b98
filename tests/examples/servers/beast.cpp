// SPDX-License-Identifier: MIT
//
// Event streams over Beast: several threads, a strand for each connection, callbacks, and a hub
// that all of them share.
#include "news.hpp"

#include <ssekit/adapters/boost_asio.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/shared_hub.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <new>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

beast::string_view to_beast(std::string_view text) {
    return {text.data(), text.size()};
}
std::string_view from_beast(beast::string_view text) {
    return {text.data(), text.size()};
}

/// The hub, and what tells it the time.
struct newsroom {
    newsroom(const asio::any_io_executor& strand, const news::settings& wanted)
        : bell(strand), hub(ssekit::new_epoch(), std::chrono::steady_clock::now(),
                            news::hub_options(wanted), bell.waker()),
          acceptor(strand, {asio::ip::make_address(wanted.bind), wanted.port}) {}

    void keep_time() {
        const auto now = std::chrono::steady_clock::now();
        hub.tick(now);
        if (closing && hub.subscriptions() == 0) return acceptor.close();
        // What happens on the other strands is dated by the last tick.
        bell.async_wait_until(std::min(hub.next_deadline(), now + seconds(1)),
                              [this, here = news::counted(waiting)](error_code) { keep_time(); });
    }
    void close(const news::settings& wanted) {
        closing = true;
        hub.tick(std::chrono::steady_clock::now()); // the deadline counts from now
        news::close(hub, wanted, bell.waker());
    }

    ssekit::boost_asio_bell bell; // rung by the hub, also when it is closed and all have left
    ssekit::shared_hub hub;
    tcp::acceptor acceptor; // open until the last stream has gone: who comes is told to come back
    bool closing = false;
    int waiting = 0; // handlers that will tell the hub the time
};

/// One connection with one request. It lives as long as something is under way on it.
class session : public std::enable_shared_from_this<session> {
  public:
    session(newsroom& home, tcp::socket accepted)
        : home_(home), client_(std::move(accepted)), bell_(client_.get_executor()) {}

    void start() {
        error_code ignored;
        client_.socket().set_option(tcp::no_delay(true), ignored);
        ssekit::notice_dead_peer(client_.socket().native_handle());
        client_.expires_after(seconds(10));
        http::async_read(client_, in_, request_,
                         [self = shared_from_this()](error_code failed, std::size_t) {
                             self->has_read(failed);
                         });
    }

  private:
    void has_read(error_code failed) {
        if (failed == http::error::header_limit) return respond({431});
        if (failed) return respond({400});
        ssekit::request_view request = ssekit::read_request(
            from_beast(request_.method_string()), from_beast(request_.target()),
            [&](std::string_view name) { return from_beast(request_[to_beast(name)]); });
        request.is_http_1_0 = request_.version() == 10;
        form_ = ssekit::framing_for(request);
        const news::answer what = news::answer_to(home_.hub, request);
        if (!what.is_stream()) return respond(what);
        if (request.method != "HEAD") {
            auto [events, refused] =
                home_.hub.subscribe({.topics = news::topic,
                                     .last_event_id = request.last_event_id.value_or(""),
                                     .framing = form_},
                                    bell_.waker());
            if (refused != ssekit::errc::ok) {
                return respond(news::refused(home_.hub, request, refused));
            }
            events_ = std::move(events);
        }
        for (const auto& [name, value] : ssekit::stream_headers) {
            head_.set(to_beast(name), to_beast(value));
        }
        head_.chunked(form_ == ssekit::framing::chunked);
        head_.keep_alive(form_ == ssekit::framing::chunked); // it ends with its connection
        http::async_write_header(client_, head_writer_,
                                 [self = shared_from_this()](error_code error, std::size_t) {
                                     if (error || !self->events_) return self->end();
                                     self->stream();
                                 });
    }

    void respond(const news::answer& what) {
        response_.result(static_cast<unsigned>(what.status));
        response_.set(http::field::content_type, what.type);
        for (const auto& [name, value] : what.more) {
            response_.set(to_beast(name), to_beast(value));
        }
        response_.keep_alive(false);
        if (!what.omits_body) response_.body() = what.body;
        response_.prepare_payload();
        if (what.omits_body) response_.content_length(what.body.size());
        http::async_write(client_, response_,
                          [self = shared_from_this()](error_code, std::size_t) { self->end(); });
    }

    // [recipe]
    void stream() {
        client_.expires_never(); // from now on the hub's deadlines count
        ssekit::async_serve(client_, events_, bell_,
                            [self = shared_from_this()](error_code failed) {
                                failed ? self->close() : self->end(); // also what is cut
                            });
        watch();
    }
    void watch() { // nothing but a read tells that an idle client has gone
        client_.async_read_some(asio::buffer(rest_),
                                [self = shared_from_this()](error_code failed, std::size_t) {
                                    if (failed) return self->bell_.cancel();
                                    self->watch();
                                });
    }
    // [recipe]

    void end() {
        error_code ignored;
        client_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        close();
    }
    void close() {
        const bool looks_whole = form_ == ssekit::framing::raw && events_.is_abrupt();
        if (looks_whole && client_.socket().is_open()) {
            ssekit::reset_connection(client_.socket().native_handle());
        }
        client_.close();
        events_ = {};
    }

    newsroom& home_;
    beast::tcp_stream client_;
    beast::flat_buffer in_;
    http::request<http::string_body> request_;
    http::response<http::string_body> response_;
    http::response<http::empty_body> head_;
    http::response_serializer<http::empty_body> head_writer_{head_};
    std::array<char, 512> rest_ = {};
    ssekit::framing form_ = ssekit::framing::chunked;
    ssekit::boost_asio_bell bell_;
    ssekit::shared_subscription events_; // dies before its bell
};

class server {
  public:
    explicit server(const news::settings& wanted)
        : signals_(strand_, SIGINT, SIGTERM), home_(strand_, wanted) {
        signals_.async_wait([this, wanted](error_code, int) { home_.close(wanted); });
        go_on();
        news::announce(home_.acceptor.local_endpoint().port());
    }

    void run() {
        std::array<std::thread, 3> threads;
        for (std::thread& each : threads) each = std::thread([this] { run_thread(); });
        for (std::thread& each : threads) each.join();
    }

  private:
    // Where there is no memory, a connection ends with the handler that has none.
    void run_thread() {
        bool again = false;
        for (bool over = false; !over;) {
            try {
                if (again) asio::post(strand_, [this] { go_on(); });
                again = false;
                io_.run();
                over = true;
            } catch (const std::bad_alloc&) {
                again = true;
            }
        }
    }

    void go_on() {
        if (home_.waiting == 0) home_.keep_time();
        if (accepting_ == 0 && home_.acceptor.is_open()) accept();
    }

    void accept() {
        auto accepted = [this, here = news::counted(accepting_)](error_code failed,
                                                                 tcp::socket socket) {
            if (!home_.acceptor.is_open()) return;
            if (failed) { // perhaps no descriptor is left: not again at once
                retry_.expires_after(std::chrono::milliseconds(100));
                return retry_.async_wait(
                    [this, waits = news::counted(accepting_)](error_code) { accept(); });
            }
            std::make_shared<session>(home_, std::move(socket))->start();
            accept();
        };
        home_.acceptor.async_accept(asio::make_strand(io_), std::move(accepted));
    }

    asio::io_context io_;
    asio::any_io_executor strand_ = asio::make_strand(io_);
    asio::steady_timer retry_{strand_};
    int accepting_ = 0; // handlers that will go on with it
    asio::signal_set signals_;
    newsroom home_;
};

} // namespace

int main(int argc, char** argv) {
    server(news::read_settings(argc, argv)).run();
}
