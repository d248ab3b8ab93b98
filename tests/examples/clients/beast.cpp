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
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>

namespace {

namespace asio = boost::asio;

void rethrow(std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
}

// [recipe]
asio::awaitable<void> print_all(ssekit::beast_event_stream& stream, watch::printer& print) {
    for (;;) {
        const ssekit::stream_item item = co_await stream.next_item();
        if (item.kind == ssekit::item_kind::end) break;
        print.on_item(item);
    }
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
        const watch::on_signal stop([&] { asio::post(io, [&] { stream.close(); }); });
        co_spawn(io, print_all(stream, print), &rethrow);
        io.run();
    });
}
