// SPDX-License-Identifier: MIT
//
// Event streams over Asio without Boost, as coroutines and with TLS: one thread, a hub without a
// lock, and a bell for each stream.

// Asio does not know by itself that this compiler has coroutines.
#if defined(__clang__) && !defined(ASIO_HAS_CO_AWAIT)
#define ASIO_HAS_CO_AWAIT 1
#define ASIO_HAS_STD_COROUTINE 1
#endif

#include "news.hpp"
#include "self_signed.hpp"

#include <ssekit/adapters/asio.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/signal_set.hpp>
#include <asio/ssl.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

namespace {

using namespace asio::experimental::awaitable_operators; // a || b: the first ends the other
using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;

using connection = asio::ssl::stream<tcp::socket>;

struct newsroom {
    newsroom(asio::io_context& io, const news::settings& wanted)
        : bell(io.get_executor()),
          hub(ssekit::new_epoch(), std::chrono::steady_clock::now(), news::hub_options(wanted)) {}

    ssekit::asio_bell bell; // rung after each call of the hub: its deadline may have moved
    ssekit::hub hub;
    bool closing = false;
};

/// Until the last stream has gone the server listens: who comes is told to come back.
awaitable<void> keep_time(newsroom& home, tcp::acceptor& listening) {
    do {
        home.hub.tick(std::chrono::steady_clock::now());
        try {
            co_await home.bell.async_wait_until(home.hub.next_deadline(), use_awaitable);
        } catch (const std::bad_alloc&) { // again, then
        }
    } while (!home.closing || home.hub.subscriptions() != 0);
    listening.close();
}

awaitable<void> pause(milliseconds time) {
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(use_awaitable);
}

/// Nothing but a read tells that an idle client has gone.
awaitable<void> until_gone(connection& client) {
    std::array<char, 512> rest;
    asio::error_code failed;
    while (!failed) {
        co_await client.async_read_some(asio::buffer(rest), redirect_error(use_awaitable, failed));
    }
}

/// The head of the request, or nothing where there is none.
awaitable<std::string> read_head(connection& client) {
    std::string in;
    asio::error_code failed;
    co_await client.async_handshake(connection::server, redirect_error(use_awaitable, failed));
    if (failed) co_return "";
    const std::size_t size =
        co_await asio::async_read_until(client, asio::dynamic_buffer(in, 16 << 10), "\r\n\r\n",
                                        redirect_error(use_awaitable, failed));
    co_return in.substr(0, failed ? 0 : size);
}

/// \returns whether all of it has left.
awaitable<bool> write(connection& client, std::string_view text) {
    asio::error_code failed;
    co_await (
        asio::async_write(client, asio::buffer(text), redirect_error(use_awaitable, failed)) ||
        pause(seconds(10)));
    co_return !failed;
}

// [recipe]
/// \returns whether the response has come to its end.
awaitable<bool> stream(connection& client, ssekit::hub& hub, const ssekit::request_view& request) {
    ssekit::asio_bell bell(client.get_executor());
    auto [events, refused] = hub.subscribe({.topics = news::topic,
                                            .last_event_id = request.last_event_id.value_or(""),
                                            .framing = ssekit::framing_for(request)},
                                           bell.waker());
    if (refused != ssekit::errc::ok) {
        co_return co_await write(client, news::response(news::refused(hub, request, refused)));
    }
    const std::string_view head = ssekit::response_head(ssekit::framing_for(request));
    if (!co_await write(client, head)) co_return false;
    asio::error_code failed; // or the stream has broken off
    const auto ended = co_await (
        ssekit::async_serve(client, events, bell, redirect_error(use_awaitable, failed)) ||
        until_gone(client));
    const bool whole = ended.index() == 0 && !failed;
    if (!whole && ssekit::framing_for(request) == ssekit::framing::raw) { // no last chunk is missed
        ssekit::reset_connection(client.lowest_layer().native_handle());
    }
    co_return whole;
}
// [recipe]

awaitable<bool> answer(connection& client, newsroom& home, std::string_view head) {
    const ssekit::request_view request = ssekit::read_request(head);
    home.hub.tick(std::chrono::steady_clock::now());
    const news::answer what = news::answer_to(home.hub, request);
    home.bell.ring();
    if (!what.is_stream()) {
        co_return co_await write(client, news::response(what));
    }
    if (request.method == "HEAD") {
        co_return co_await write(client, ssekit::response_head(ssekit::framing_for(request)));
    }
    co_return co_await stream(client, home.hub, request);
}

awaitable<void> serve(tcp::socket accepted, asio::ssl::context& tls, newsroom& home) {
    asio::error_code ignored;
    accepted.set_option(tcp::no_delay(true), ignored);
    ssekit::notice_dead_peer(accepted.native_handle());
    connection client(std::move(accepted), tls);
    const auto met = co_await (read_head(client) || pause(seconds(10)));
    if (met.index() != 0 || std::get<0>(met).empty()) co_return;
    const bool ended = co_await answer(client, home, std::get<0>(met));
    home.bell.ring();
    if (!ended) co_return; // without TLS's goodbye, or what is not whole would look whole
    // Each side says that nothing follows; one that does not is not waited for.
    co_await (client.async_shutdown(redirect_error(use_awaitable, ignored)) || pause(seconds(2)));
}

awaitable<void> accept(tcp::acceptor& from, asio::ssl::context& tls, newsroom& home) {
    while (from.is_open()) {
        try { // where there is no memory, a connection ends, and the rest goes on
            asio::error_code failed;
            tcp::socket accepted =
                co_await from.async_accept(redirect_error(use_awaitable, failed));
            if (!failed) {
                co_spawn(from.get_executor(), serve(std::move(accepted), tls, home),
                         asio::detached);
            } else {
                co_await pause(milliseconds(100)); // perhaps no descriptor is left
            }
        } catch (const std::exception&) {
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    const news::settings wanted = news::read_settings(argc, argv);
    const news::key_pair made = news::self_signed_certificate();
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain(asio::buffer(made.certificate));
    tls.use_private_key(asio::buffer(made.key), asio::ssl::context::pem);

    asio::io_context io(1);
    newsroom home(io, wanted);
    tcp::acceptor acceptor(io, {asio::ip::make_address(wanted.bind), wanted.port});
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&](asio::error_code, int) {
        home.closing = true;
        home.hub.tick(std::chrono::steady_clock::now()); // the deadline counts from now
        news::close(home.hub, wanted);
        home.bell.ring();
    });
    co_spawn(io, keep_time(home, acceptor), asio::detached);
    co_spawn(io, accept(acceptor, tls, home), asio::detached);
    news::announce(acceptor.local_endpoint().port());
    for (bool over = false; !over;) {
        try {
            io.run();
            over = true;
        } catch (const std::bad_alloc&) { // a connection has ended with it
        }
    }
}
