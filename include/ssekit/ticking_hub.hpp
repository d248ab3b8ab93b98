// SPDX-License-Identifier: MIT
//
// A shared_hub that keeps the time itself, for servers without a loop that could tell it: those
// that give each connection a thread. Unlike the rest of the toolkit it has a thread, and reads the
// clock on it: std::chrono::steady_clock, which `subscribe`, `publish` and the others date by.
//
// Streams bring wakers, for instance a doorbell each. The hub wakes its own thread, whenever
// something comes due earlier than expected.
#ifndef SSEKIT_TICKING_HUB_HPP
#define SSEKIT_TICKING_HUB_HPP

#include <ssekit/doorbell.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace ssekit::inline SSEKIT_ABI {

/// Everything else is as in shared_hub, whose functions these are. Calls of `tick` by others do no
/// harm: time does not run backwards.
/// Preconditions: its subscribers bring wakers, and none has a `user`; nothing else calls
/// `next_ready` and `next_deadline`.
class ticking_hub : doorbell, public shared_hub {
    using clock = std::chrono::steady_clock;

  public:
    /// Effects: begins now, and starts a thread that calls `tick` when it is due and at least once
    /// a second. \param epoch `new_epoch()` (epoch.hpp). Throws std::bad_alloc, std::system_error.
    explicit ticking_hub(std::uint64_t epoch, const hub_options& options = {})
        : shared_hub(epoch, clock::now(), options, doorbell::waker()) {
        thread_ = std::thread([this] { run(); });
    }
    /// Effects: ends the thread, then cuts the streams that are left, as shared_hub does.
    ~ticking_hub() {
        ending_ = true;
        ring();
        thread_.join();
    }

  private:
    void run() noexcept {
        while (!ending_) {
            const time_point now = clock::now();
            tick(now);
            // What happens on the other threads is dated by the last tick.
            wait_until((std::min)(next_deadline(), now + std::chrono::seconds(1)));
        }
    }

    std::atomic<bool> ending_ = false;
    std::thread thread_;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
