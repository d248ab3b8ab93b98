// SPDX-License-Identifier: MIT
//
// Event streams over Boost.Asio and Beast: sockets, beast::tcp_stream, TLS streams, whatever is an
// AsyncWriteStream.
//
// `async_drain` starts `async_write_some` with what `prepare` gave, consumes what was written when
// that completes, and goes on until nothing is left. It is for programs that know by other means
// when there is something to send, such as a thread that has a hub and asks `next_ready`.
// `async_serve` does the same for the life of a stream, and waits for a bell in between. The bell's
// waker may be fired on any thread; it allocates nothing and only ends a wait. All handlers run on
// the stream's executor; make that a strand if several threads run it. The hub can have a bell of
// its own, on which its owner waits for the next deadline.
//
// When the client goes, a write fails. An idle stream learns of it only from a read, so keep one
// pending, and `cancel` the bell when it fails. When the hub ends the stream, what is left is
// written and the operation completes without an error. Its owner then decides how the transport
// ends: `shutdown`, or TLS's `async_shutdown`. When the stream breaks off, because the hub has cut
// it, has given up the client or is destroyed, the operation completes with connection_aborted, and
// its owner closes the transport without either, so that the response does not look whole. Destroy
// the subscription before its bell.
#ifndef SSEKIT_ADAPTERS_BOOST_ASIO_HPP
#define SSEKIT_ADAPTERS_BOOST_ASIO_HPP

#include <ssekit/adapters/detail/async_drain.hpp>
#include <ssekit/writer.hpp>

#include <concepts>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

namespace ssekit::inline SSEKIT_ABI {

namespace detail {

struct boost_asio_net {
    using error_code = boost::system::error_code;
    using const_buffer = boost::asio::const_buffer;
    using executor = boost::asio::any_io_executor;
    using timer = boost::asio::steady_timer;

    static error_code aborted() noexcept { return boost::asio::error::operation_aborted; }
    static error_code cut() noexcept { return boost::asio::error::connection_aborted; }
    template <class Handler>
    static void post(Handler&& handler) {
        boost::asio::post(std::forward<Handler>(handler));
    }
    template <class Token, class Signature, class Operation, class Object>
    static auto compose(Operation operation, Token& token, Object& object) {
        return boost::asio::async_compose<Token, Signature>(std::move(operation), token, object);
    }
};

template <std::convertible_to<boost::asio::any_io_executor> Executor>
struct net_of<Executor> {
    using type = boost_asio_net;
};

} // namespace detail

/// Wakes what waits on an executor: `waker`, `ring`, `cancel`, `async_wait` and
/// `async_wait_until`, see detail::async_bell.
using boost_asio_bell = detail::async_bell<detail::boost_asio_net>;

} // namespace ssekit::inline SSEKIT_ABI

#endif
