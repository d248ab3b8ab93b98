// SPDX-License-Identifier: MIT
#ifndef SSEKIT_FRAMING_HPP
#define SSEKIT_FRAMING_HPP

#include <ssekit/version.hpp>

#include <cstdint>

namespace ssekit::inline SSEKIT_ABI {

/// How a stream's blocks are framed on the wire.
enum class framing : std::uint8_t {
    raw,     ///< as they are: HTTP/2, HTTP/1.0, or a server that frames chunks itself
    chunked, ///< each block is one chunk of "Transfer-Encoding: chunked"
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
