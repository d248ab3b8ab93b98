// SPDX-License-Identifier: MIT
//
// Bells and streams over Boost.Asio itself.
#if defined(SSEKIT_TEST_BOOST_ASIO) // says the build where Boost is there

#include <ssekit/adapters/boost_asio.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/strand.hpp>

namespace {

namespace net = boost::asio;
using error_code = boost::system::error_code;
using bell = ssekit::boost_asio_bell;

} // namespace

#define SSEKIT_NET "boost_asio"
#include "bells.hpp"

#endif
