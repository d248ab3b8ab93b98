// SPDX-License-Identifier: MIT
//
// A waker that another thread waits for.
#ifndef SSEKIT_TESTS_SUPPORT_DOORBELL_HPP
#define SSEKIT_TESTS_SUPPORT_DOORBELL_HPP

#include <ssekit/hub_options.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace support {

class doorbell {
  public:
    [[nodiscard]] ssekit::waker waker() {
        return {[](void* self) noexcept { static_cast<doorbell*>(self)->ring(); }, this};
    }
    void ring() {
        const std::lock_guard locked(lock_);
        rung_ = true;
        changed_.notify_one();
    }
    /// \returns whether it has rung since the last call, within a time that only a hang exceeds.
    bool wait() {
        std::unique_lock locked(lock_);
        const bool rung = changed_.wait_for(locked, std::chrono::minutes(1), [&] { return rung_; });
        rung_ = false;
        return rung;
    }

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    bool rung_ = false;
};

} // namespace support

#endif
