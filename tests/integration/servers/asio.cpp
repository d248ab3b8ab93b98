// SPDX-License-Identifier: MIT
//
// Bells and streams over Asio itself.
#if defined(SSEKIT_TEST_ASIO) // says the build where Asio is there

#include <ssekit/adapters/asio.hpp>

#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/strand.hpp>

namespace {

namespace net = asio;
using error_code = asio::error_code;
using bell = ssekit::asio_bell;

} // namespace

#define SSEKIT_NET "asio"
#include "bells.hpp"

#endif
