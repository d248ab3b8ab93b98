// SPDX-License-Identifier: MIT
#ifndef SSEKIT_PARSER_OPTIONS_HPP
#define SSEKIT_PARSER_OPTIONS_HPP

#include <ssekit/event.hpp>

#include <cstddef>

namespace ssekit::inline SSEKIT_ABI {

/// Bytes of one value as it is delivered; names, colons and line ends are not counted, the LF that
/// joins two data lines is. A value of exactly the limit passes.
struct parser_limits {
    std::size_t data = std::size_t{16} << 20;
    std::size_t id = std::size_t{64} << 10; ///< feeds merged of many give ids of some kilobytes
    std::size_t type = std::size_t{64} << 10;
    std::size_t comment = 4096; ///< matters only for a sink that has on_comment
};

struct parser_options {
    parser_limits limits = {};
    utf8_policy utf8 = utf8_policy::replace;
    bool strip_bom = true; ///< false when the stream has been decoded already
    /// Bytes of heap that data may keep for the events to come. What one large event has taken
    /// beyond that is given back once the event is no longer looked at.
    std::size_t kept_memory = std::size_t{256} << 10;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
