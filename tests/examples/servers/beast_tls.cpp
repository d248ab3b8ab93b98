// SPDX-License-Identifier: MIT
//
// Event streams over Beast, as coroutines and with TLS: several threads, a strand for each
// connection, and a hub that all of them share.

// Asio does not know by itself that this compiler has coroutines.
#if defined(__clang__) && !defined(BOOST_ASIO_HAS_CO_AWAIT)
#define BOOST_ASIO_HAS_CO_AWAIT 1
#define BOOST_ASIO_HAS_STD_COROUTINE 1
#endif

#include "news.hpp"
#include "self_signed.hpp"

#include <ssekit/adapters/boost_asio.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/shared_hub.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <new>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

beast::string_view to_beast(std::string_view text) {
    return {text.data(), text.size()};
}
std::string_view from_beast(beast::string_view text) {
    return {text.data(), text.size()};
}

struct newsroom {
    newsroom(const asio::any_io_executor& strand, const news::settings& wanted)
        : bell(strand), hub(ssekit::new_epoch(), std::chrono::steady_clock::now(),
                            news::hub_options(wanted), bell.waker()) {}

    void close(const news::settings& wanted) {
        closing = true;
        hub.tick(std::chrono::steady_clock::now()); // the deadline counts from now
        news::close(hub, wanted, bell.waker());
    }

    ssekit::boost_asio_bell bell; // rung by the hub, also when it is closed and all have left
    ssekit::shared_hub hub;
    bool closing = false;
};

/// Until the last stream has gone the server listens: who comes is told to come back.
awaitable<void> keep_time(newsroom& home, tcp::acceptor& listening) {
    do {
        const auto now = std::chrono::steady_clock::now();
        home.hub.tick(now);
        try {
            // What happens on the other strands is dated by the last tick.
            co_await home.bell.async_wait_until(
                std::min(home.hub.next_deadline(), now + seconds(1)), use_awaitable);
        } catch (const std::bad_alloc&) { // again, then
        }
    } while (!home.closing || home.hub.subscriptions() != 0);
    listening.close();
}

struct connection {
    connection(tcp::socket accepted, asio::ssl::context& tls)
        : stream(std::move(accepted), tls), bell(stream.get_executor()) {}

    beast::tcp_stream& transport() { return beast::get_lowest_layer(stream); }

    beast::ssl_stream<beast::tcp_stream> stream;
    ssekit::boost_asio_bell bell;
    ssekit::framing form = ssekit::framing::chunked;
};

awaitable<void> write(connection& client, std::string_view text) {
    co_await asio::async_write(client.stream, asio::buffer(text.data(), text.size()),
                               use_awaitable);
}

// [recipe]
awaitable<void> watch(std::shared_ptr<connection> client) { // an idle one is seen to go by a read
    std::array<char, 512> rest;
    for (error_code failed; !failed;) {
        co_await client->stream.async_read_some(asio::buffer(rest),
                                                redirect_error(use_awaitable, failed));
    }
    client->bell.cancel();
}

awaitable<void> stream(std::shared_ptr<connection> client, ssekit::shared_subscription events) {
    co_await write(*client, ssekit::response_head(client->form));
    client->transport().expires_never(); // from now on the hub's deadlines count
    co_spawn(client->stream.get_executor(), watch(client), asio::detached);
    co_await ssekit::async_serve(client->stream, events, client->bell, use_awaitable);
}
// [recipe]

awaitable<void> answer(std::shared_ptr<connection> client, newsroom& home) {
    beast::flat_buffer in;
    http::request<http::string_body> received;
    co_await http::async_read(client->stream, in, received, use_awaitable);
    ssekit::request_view request = ssekit::read_request(
        from_beast(received.method_string()), from_beast(received.target()),
        [&](std::string_view name) { return from_beast(received[to_beast(name)]); });
    request.is_http_1_0 = received.version() == 10;
    client->form = ssekit::framing_for(request);
    const news::answer what = news::answer_to(home.hub, request);
    if (!what.is_stream()) co_return co_await write(*client, news::response(what));
    if (request.method == "HEAD") {
        co_return co_await write(*client, ssekit::response_head(client->form));
    }
    auto [events, refused] =
        home.hub.subscribe({.topics = news::topic,
                            .last_event_id = request.last_event_id.value_or(""),
                            .framing = client->form},
                           client->bell.waker());
    if (refused != ssekit::errc::ok) {
        co_return co_await write(*client,
                                 news::response(news::refused(home.hub, request, refused)));
    }
    co_await stream(client, std::move(events));
}

awaitable<void> serve(tcp::socket accepted, asio::ssl::context& tls, newsroom& home) {
    error_code ignored;
    accepted.set_option(tcp::no_delay(true), ignored);
    ssekit::notice_dead_peer(accepted.native_handle());
    const auto client = std::make_shared<connection>(std::move(accepted), tls);
    client->transport().expires_after(seconds(10));
    co_await client->stream.async_handshake(asio::ssl::stream_base::server, use_awaitable);
    try {
        co_await answer(client, home);
    } catch (const boost::system::system_error&) {
        // The client has gone, or its stream has broken off: without TLS's goodbye, or what is not
        // whole would look whole. Not all clients miss it, where there are no chunks either.
        if (client->form == ssekit::framing::raw && client->transport().socket().is_open()) {
            ssekit::reset_connection(client->transport().socket().native_handle());
        }
        co_return client->transport().close();
    }
    // Each side says that nothing follows; one that does not is not waited for. The stream's own
    // deadline would not do: the read that is pending has begun without.
    asio::steady_timer deadline(client->stream.get_executor(), seconds(2));
    deadline.async_wait([client](error_code cancelled) {
        if (!cancelled) client->transport().close();
    });
    co_await client->stream.async_shutdown(redirect_error(use_awaitable, ignored));
    client->transport().close();
}

awaitable<void> accept(asio::io_context& io, tcp::acceptor& from, asio::ssl::context& tls,
                       newsroom& home) {
    asio::steady_timer pause(from.get_executor());
    while (from.is_open()) {
        try { // where there is no memory, a connection ends, and the rest goes on
            error_code failed;
            tcp::socket accepted = co_await from.async_accept(
                asio::make_strand(io), redirect_error(use_awaitable, failed));
            if (!failed) {
                const asio::any_io_executor strand = accepted.get_executor();
                co_spawn(strand, serve(std::move(accepted), tls, home), asio::detached);
            } else { // perhaps no descriptor is left
                pause.expires_after(std::chrono::milliseconds(100));
                co_await pause.async_wait(use_awaitable);
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

    asio::io_context io;
    const asio::any_io_executor strand = asio::make_strand(io);
    newsroom home(strand, wanted);
    tcp::acceptor acceptor(strand, {asio::ip::make_address(wanted.bind), wanted.port});
    asio::signal_set signals(strand, SIGINT, SIGTERM);
    signals.async_wait([&](error_code, int) { home.close(wanted); });
    co_spawn(strand, keep_time(home, acceptor), asio::detached);
    co_spawn(strand, accept(io, acceptor, tls, home), asio::detached);
    news::announce(acceptor.local_endpoint().port());
    std::array<std::thread, 3> threads;
    const auto run = [&] {
        for (bool over = false; !over;) {
            try {
                io.run();
                over = true;
            } catch (const std::bad_alloc&) { // a connection has ended with it
            }
        }
    };
    for (std::thread& each : threads) each = std::thread(run);
    for (std::thread& each : threads) each.join();
}
