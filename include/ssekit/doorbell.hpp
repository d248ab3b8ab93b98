// SPDX-License-Identifier: MIT
//
// A waker for a thread that sleeps: for servers that give each connection a thread, and for a
// thread that does nothing but tell a shared_hub the time (ticking_hub.hpp). Ringing it allocates
// nothing.
//
// The thread does what there is to do, and then waits for a ring or a deadline. The ring may come
// from any thread at any time. One that comes while nothing waits is remembered, so nothing that
// happens between the last look and the wait is missed. Rings that come before the thread has woken
// count as one. So after a wait, look at everything again, whatever it has returned.
#ifndef SSEKIT_DOORBELL_HPP
#define SSEKIT_DOORBELL_HPP

#include <ssekit/time.hpp>
#include <ssekit/waker.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: it outlives whatever has its waker; declare it before the subscription or the hub.
/// Thread safety: any thread may ring, at any time; one thread at a time waits.
class doorbell {
  public:
    doorbell() noexcept = default;
    doorbell(const doorbell&) = delete;
    doorbell& operator=(const doorbell&) = delete;

    /// \returns the waker for a hub, which calls `ring`.
    [[nodiscard]] ssekit::waker waker() noexcept {
        return {[](void* self) noexcept { static_cast<doorbell*>(self)->ring(); }, this};
    }

    /// Effects: ends the wait, or the next one if there is none. After that it does not touch the
    /// bell: where no other ring can come, the thread that was woken may destroy it at once.
    void ring() noexcept {
        const std::lock_guard locked(lock_);
        rung_ = true;
        changed_.notify_one(); // under the lock: after it the bell may be gone
    }

    /// Effects: sleeps until it has rung since the last wait ended.
    void wait() noexcept { static_cast<void>(wait_until(never)); }

    /// Effects: the same, or until the deadline, whichever comes first. It takes whatever
    /// `next_deadline` returns. \returns whether it has rung, even if the deadline has passed.
    bool wait_until(time_point deadline) noexcept {
        std::unique_lock locked(lock_);
        const auto rung = [this] { return rung_; };
        // Both ends of time overflow in some standard libraries.
        if (deadline == never) {
            changed_.wait(locked, rung);
        } else {
            changed_.wait_until(locked, (std::max)(deadline, time_point()), rung);
        }
        return std::exchange(rung_, false);
    }

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    bool rung_ = false;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
