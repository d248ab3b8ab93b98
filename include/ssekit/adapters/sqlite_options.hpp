// SPDX-License-Identifier: MIT
#ifndef SSEKIT_ADAPTERS_SQLITE_OPTIONS_HPP
#define SSEKIT_ADAPTERS_SQLITE_OPTIONS_HPP

#include <ssekit/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace ssekit::inline SSEKIT_ABI {

/// What `append` waits for.
enum class sqlite_sync : std::uint8_t {
    full,   ///< the disk: what is acknowledged survives a loss of power
    normal, ///< the operating system: it survives the death of the processes, not of the machine
};

struct sqlite_journal_options {
    sqlite_sync sync = sqlite_sync::full;
    /// How long a call waits for other processes. What the disk takes comes on top, and has no
    /// bound.
    std::chrono::milliseconds timeout = std::chrono::seconds(2);
    /// How often `wait` looks whether another process has written. What comes from this process
    /// wakes it at once.
    std::chrono::milliseconds poll = std::chrono::milliseconds(2);
    /// Larger records are refused, and larger foreign ones shown without bytes. In bytes.
    std::size_t max_entry = std::size_t{1} << 20;
    /// What `read` takes into memory at most, and at least one record. In bytes.
    std::size_t max_page = std::size_t{4} << 20;
    /// Names this run of the machine, for sqlite_sync::normal. Where it is empty Linux is asked;
    /// elsewhere `open` then fails.
    std::string boot = {};
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
