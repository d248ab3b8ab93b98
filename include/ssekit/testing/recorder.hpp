// SPDX-License-Identifier: MIT
//
// A writer for tests: a socket without a network, whose other end is a string. With `room` it fills
// up like a slow client's socket, and `closed` cuts it.
#ifndef SSEKIT_TESTING_RECORDER_HPP
#define SSEKIT_TESTING_RECORDER_HPP

#include <ssekit/writer.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::testing {

struct recorder {
    std::string bytes = {};                                       ///< that have come, in order
    std::size_t room = (std::numeric_limits<std::size_t>::max)(); ///< bytes that it still takes
    bool closed = false;

    write_result write_some(std::span<const std::string_view> slices) noexcept {
        if (closed) return {0, io_status::closed};
        std::size_t taken = 0;
        for (const std::string_view slice : slices) {
            const std::string_view part = slice.substr(0, room);
            bytes.append(part);
            taken += part.size();
            room -= part.size();
        }
        return {taken, room == 0 ? io_status::would_block : io_status::ready};
    }
};

static_assert(writer<recorder>);

} // namespace ssekit::inline SSEKIT_ABI::testing

#endif
