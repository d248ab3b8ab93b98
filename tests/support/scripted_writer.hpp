// SPDX-License-Identifier: MIT
//
// A writer that does what its script says, and remembers what it was given.
#ifndef SSEKIT_TESTS_SUPPORT_SCRIPTED_WRITER_HPP
#define SSEKIT_TESTS_SUPPORT_SCRIPTED_WRITER_HPP

#include <ssekit/writer.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace support {

inline constexpr std::size_t everything = static_cast<std::size_t>(-1);

/// One call of write_some: takes at most `bytes` and answers `status`.
struct step {
    std::size_t bytes = everything;
    ssekit::io_status status = ssekit::io_status::ready;
};

struct scripted_writer {
    std::vector<step> script = {}; // one step a call, from the front
    step afterwards = {};          // when the script is at its end
    std::string got = {};
    std::vector<std::size_t> slices = {}; // how many each call was given
    std::size_t calls = 0;

    ssekit::write_result write_some(std::span<const std::string_view> pieces) noexcept {
        const step now = calls < script.size() ? script[calls] : afterwards;
        ++calls;
        slices.push_back(pieces.size());
        std::size_t taken = 0;
        for (const std::string_view piece : pieces) {
            const std::size_t size = std::min(piece.size(), now.bytes - taken);
            got.append(piece.substr(0, size));
            taken += size;
        }
        return {taken, now.status};
    }
};

static_assert(ssekit::writer<scripted_writer>);

} // namespace support

#endif
