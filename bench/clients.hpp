// SPDX-License-Identifier: MIT
//
// Clients of a hub without sockets: what they are sent is counted, and no system call is made.
#ifndef SSEKIT_BENCH_CLIENTS_HPP
#define SSEKIT_BENCH_CLIENTS_HPP

#include <ssekit/hub.hpp>
#include <ssekit/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

inline constexpr std::string_view payload =
    "{\"price\":101.25,\"size\":300,\"venue\":\"X\",\"side\":\"buy\"}";

struct counting_writer {
    std::uint64_t bytes = 0;

    ssekit::write_result write_some(std::span<const std::string_view> slices) noexcept {
        std::size_t taken = 0;
        for (const std::string_view slice : slices) taken += slice.size();
        bytes += taken;
        return {taken, ssekit::io_status::ready};
    }
};

/// `count` subscribers of the topic "ticks", all of them idle.
class clients {
  public:
    clients(ssekit::hub& hub, std::size_t count) : hub_(&hub), streams_(count) {
        for (ssekit::subscription& each : streams_) {
            each = hub.subscribe({.topics = "ticks", .user = &each}).subscription;
            static_cast<void>(drain(each, out_));
        }
    }

    /// Delivers to everybody who has something to get.
    void deliver() {
        while (void* const ready = hub_->next_ready()) {
            static_cast<void>(drain(*static_cast<ssekit::subscription*>(ready), out_));
        }
    }

    [[nodiscard]] std::uint64_t bytes() const { return out_.bytes; }

  private:
    ssekit::hub* hub_;
    std::vector<ssekit::subscription> streams_;
    counting_writer out_;
};

} // namespace bench

#endif
