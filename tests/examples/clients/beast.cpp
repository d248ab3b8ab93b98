// SPDX-License-Identifier: MIT
//
// An event source as a coroutine, over Beast and with TLS.

// Asio does not know by itself that this compiler has coroutines.
#if defined(__clang__) && !defined(BOOST_ASIO_HAS_CO_AWAIT)
#define BOOST_ASIO_HAS_CO_AWAIT 1
#define BOOST_ASIO_HAS_STD_COROUTINE 1
#endif

#include "watch.hpp"

#include <ssekit/adapters/beast_client.hpp>

#include <exception>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

namespace {

namespace asio = boost::asio;

void rethrow(std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
}

// [recipe]
asio::awaitable<void> print_all(ssekit::beast_event_stream& stream, watch::printer& print) {
    while (const ssekit::event_view* event = co_await stream.next()) print.on_event(*event);
    if (stream.dropped() > 0) print.on_error(stream.last_error(), 0);
}
// [recipe]

} // namespace

int main(int argc, char** argv) {
    return watch::run(argc, argv, [](const auto& wanted, auto& source, auto& print) {
        asio::io_context io;
        asio::ssl::context tls(asio::ssl::context::tls_client);
        if (wanted.ca.empty()) {
            tls.set_default_verify_paths();
        } else {
            tls.load_verify_file(wanted.ca);
        }
        ssekit::beast_event_stream stream(io.get_executor(), tls, source);
        co_spawn(io, print_all(stream, print), &rethrow);
        io.run();
    });
}
