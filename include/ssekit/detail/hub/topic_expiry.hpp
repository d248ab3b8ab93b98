// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_HUB_TOPIC_EXPIRY_HPP
#define SSEKIT_DETAIL_HUB_TOPIC_EXPIRY_HPP

#include <ssekit/detail/base/links.hpp>
#include <ssekit/detail/base/wheel.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// When topics are worth looking at: because the oldest event of one is too old, or because the
/// time of one that is closed is over. To within a slot of the wheel, and never too late.
class topic_expiry {
  public:
    explicit topic_expiry(topic_slab& topics) noexcept
        : topics_(&topics), wheel_(std::chrono::milliseconds(250), links{this}, head) {
        for (std::uint32_t i = 0; i < heads_.size(); ++i) heads_[i] = {head + i, head + i};
    }
    topic_expiry(const topic_expiry&) = delete;
    topic_expiry& operator=(const topic_expiry&) = delete;

    /// Effects: finds out when the topic is worth looking at next. To be called when that changes.
    void schedule(std::uint32_t where, time_point now) noexcept {
        topic& self = (*topics_)[where];
        const time_point due =
            (std::min)(self.log.next_expiry(self.use()), self.has_name ? self.forget_at : never);
        forget(where);
        self.looked_at = due;
        if (due != never) wheel_.place(where, due - wheel_.slot_length(), now);
    }
    void forget(std::uint32_t where) noexcept { unlink(links{this}, where); }

    /// Effects: `call(number)` for each topic that is due.
    template <class Call>
    void expire(time_point now, Call&& call) noexcept {
        wheel_.expire(now, call);
    }
    [[nodiscard]] time_point next_deadline() const noexcept { return wheel_.next_deadline(); }

  private:
    static constexpr std::uint32_t head = 1u << 31;
    struct links {
        topic_expiry* self;
        link& operator()(std::uint32_t item) const noexcept {
            return item < head ? (*self->topics_)[item].timer : self->heads_[item - head];
        }
    };

    topic_slab* topics_;
    std::array<link, wheel_slots + 1> heads_{};
    wheel<numbered_rings<links>> wheel_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
