// SPDX-License-Identifier: MIT
//
// Event streams over Boost.Asio and Beast: sockets, beast::tcp_stream, TLS streams, whatever is an
// AsyncWriteStream.
//
// `async_drain` starts `async_write_some` with what `prepare` gave, consumes what went when that
// completes, and so on until nothing is left: for who knows by other means when there is something
// to send, as one thread does that has a hub and asks `next_ready`. `async_serve` does so for the
// life of a stream and waits for a bell in between. The bell's waker may be fired on any thread and
// only posts; all handlers run on the stream's executor, so let that be a strand if several threads
// run it. A bell of its own also suits the hub, to wait `until` its next deadline.
//
// When the client goes, a write fails; but an idle stream learns of it by a read only, so keep one
// pending, and `cancel` the bell when it fails. When the hub gives a client up, by its write
// deadline, a cut or its destructor, the transport is closed and so the write fails. When the hub
// ends the stream, what is left is written and the operation is done; how the transport ends is its
// owner's to say: `shutdown`, or TLS's `async_shutdown`. Before its bell dies the subscription.
#ifndef SSEKIT_ADAPTERS_BOOST_ASIO_HPP
#define SSEKIT_ADAPTERS_BOOST_ASIO_HPP

#include <ssekit/detail/async_drain.hpp>
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

namespace ssekit {

namespace detail {

struct boost_asio_net {
    using error_code = boost::system::error_code;
    using const_buffer = boost::asio::const_buffer;
    using executor = boost::asio::any_io_executor;
    using timer = boost::asio::steady_timer;

    static error_code aborted() noexcept { return boost::asio::error::operation_aborted; }
    template <class... Arguments>
    static void post(Arguments&&... arguments) {
        boost::asio::post(std::forward<Arguments>(arguments)...);
    }
    template <class Token, class Signature, class Operation, class Object>
    static auto compose(Operation operation, Token& token, Object& object) {
        return boost::asio::async_compose<Token, Signature>(std::move(operation), token, object);
    }
};

/// An AsyncWriteStream: a socket, or a layer on one.
template <class Stream>
concept boost_asio_stream =
    std::convertible_to<typename Stream::executor_type, boost::asio::any_io_executor>;

} // namespace detail

/// Wakes up what waits on an executor: `waker`, `ring`, `cancel`, `async_wait` and
/// `async_wait_until`, see detail::async_bell.
using boost_asio_bell = detail::async_bell<detail::boost_asio_net>;

/// Effects: writes what the generator has, in writes of at most `default_drain_budget` bytes, and
/// completes with (error_code, drain_status): `idle` or `done`, which is true when the handler is
/// called; or `closed` with the error that says why.
/// Lifetime: the stream and the generator live until then, and so does the hub of a `subscription`;
/// a `shared_subscription` takes care of itself.
/// Preconditions: nothing else writes meanwhile. Who drains on behalf of `next_ready` or a waker
/// and is reported during a write looks at `is_done`, and closes the transport if it is.
/// Thread safety: the executor of the stream.
template <detail::boost_asio_stream Stream, buffers_generator Generator, class Token>
auto async_drain(Stream& stream, Generator& generator, Token&& token) {
    using operation = detail::drain_operation<detail::boost_asio_net, Stream, Generator>;
    return detail::boost_asio_net::compose<Token, void(boost::system::error_code, drain_status)>(
        operation(stream, generator), token, stream);
}

/// Effects: drains whenever the bell rings, until the stream is done, and completes with
/// (error_code): none when all of it has left, what the transport said, or operation_aborted when
/// the bell or the operation was cancelled or the hub has given the client up.
/// Preconditions: the generator has the bell's waker; the bell is on the stream's executor and
/// nobody else waits for it; nothing else writes meanwhile.
/// Lifetime and thread safety: as above, and the bell lives as long.
template <detail::boost_asio_stream Stream, buffers_generator Generator, class Token>
auto async_serve(Stream& stream, Generator& generator, boost_asio_bell& bell, Token&& token) {
    using operation = detail::serve_operation<detail::boost_asio_net, Stream, Generator>;
    return detail::boost_asio_net::compose<Token, void(boost::system::error_code)>(
        operation(stream, generator, bell), token, stream);
}

} // namespace ssekit

#endif
