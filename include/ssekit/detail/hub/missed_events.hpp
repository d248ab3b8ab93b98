// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_HUB_MISSED_EVENTS_HPP
#define SSEKIT_DETAIL_HUB_MISSED_EVENTS_HPP

#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>

#include <cstdint>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Events of a sequence that have not come to this hub. Each log that has nothing newer may miss
/// some of them, so its readers are to be told, once, before its next event or when they are next
/// looked at.
class missed_events {
  public:
    /// Effects: events up to `through` are missed, as the frame says.
    /// \param of_more the same for a log whose readers have not been told what was missed before
    void miss(std::uint64_t through, frame telling, frame of_more) noexcept {
        before_ = std::exchange(through_, through);
        telling_ = std::move(telling);
        telling_of_more_ = std::move(of_more);
    }

    /// Effects: offsets begin anew after this one, and all logs know it.
    void begin_anew(std::uint64_t offset) noexcept {
        before_ = through_ = offset;
        telling_ = telling_of_more_ = {};
    }

    [[nodiscard]] std::uint64_t through() const noexcept { return through_; }

    /// \returns whether its readers are to be told. No sequence publishes to a topic that is
    /// closed.
    [[nodiscard]] bool are_untold(const topic& self) const noexcept {
        return through_ != 0 && through_ > self.log.newest_offset() && !self.closed;
    }
    /// \returns what they are told. Preconditions: are_untold().
    [[nodiscard]] const frame& telling(const topic& self) const noexcept {
        return self.log.newest_offset() < before_ ? telling_of_more_ : telling_;
    }

  private:
    std::uint64_t through_ = 0;
    std::uint64_t before_ = 0; // the same of the time before
    frame telling_;
    frame telling_of_more_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
