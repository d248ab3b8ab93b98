// SPDX-License-Identifier: MIT
//
// A waker that a thread sleeps by: for servers that give each connection a thread, and for a thread
// that does nothing but tell a shared_hub the time.
//
// The sleeper does what there is to do, and then waits for a ring or a deadline. The ring may come
// from any thread at any time. One that comes while nobody waits is remembered, so nothing that
// happens between the last look and the wait is slept through; rings that come before the sleeper
// has woken up are one, for it looks at everything when it wakes. So after a wait one looks again,
// whatever it has returned.
#ifndef SSEKIT_DOORBELL_HPP
#define SSEKIT_DOORBELL_HPP

#include <ssekit/hub_options.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace ssekit {

/// Lifetime: it outlives what has its waker: declare it before the subscription or the hub.
/// Thread safety: any thread may ring, at any time; one thread at a time waits.
class doorbell {
  public:
    doorbell() noexcept = default;
    doorbell(const doorbell&) = delete;
    doorbell& operator=(const doorbell&) = delete;

    /// \returns what a hub takes, to `ring` by.
    [[nodiscard]] ssekit::waker waker() noexcept {
        return {[](void* self) noexcept { static_cast<doorbell*>(self)->ring(); }, this};
    }

    /// Effects: ends the wait, or the next one if nobody waits. After that it does not touch the
    /// bell: where no other ring can come, whoever was woken may destroy it at once.
    void ring() noexcept {
        const std::lock_guard locked(lock_);
        rung_ = true;
        changed_.notify_one(); // under the lock: behind it the bell may be gone
    }

    /// Effects: sleeps until it has rung since the last wait ended.
    void wait() noexcept { static_cast<void>(wait_until(never)); }

    /// Effects: the same, or until the deadline, whichever comes first. Whatever `next_deadline`
    /// returns will do. \returns whether it has rung, even if the deadline has passed.
    bool wait_until(time_point deadline) noexcept {
        std::unique_lock locked(lock_);
        const auto rung = [this] { return rung_; };
        // Both ends of time overflow in some standard libraries.
        if (deadline == never) {
            changed_.wait(locked, rung);
        } else {
            changed_.wait_until(locked, std::max(deadline, time_point()), rung);
        }
        return std::exchange(rung_, false);
    }

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    bool rung_ = false;
};

} // namespace ssekit

#endif
