// SPDX-License-Identifier: MIT
//
// What becomes of what comes next: of an event, whether it is delivered, passed over or held back;
// of a hole, whether the stream goes on with a gap event, without one, or ends. Everything that is
// asked for is in the arguments; nothing is changed but a throttle's window.
//
// A newer event of the same key replaces an older one only for a stream that gets the newer one: a
// filter is asked before. And what the hub itself held back, by a throttle, is no lag.
#ifndef SSEKIT_DETAIL_HUB_CHOOSE_HPP
#define SSEKIT_DETAIL_HUB_CHOOSE_HPP

#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/hub/merge.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/subscribe_options.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

[[nodiscard]] inline bool wants(const event_filter& filter, const frame& event,
                                std::uint64_t offset) noexcept {
    if (!filter) return true;
    const frame_label label = event.label();
    return filter({label.topic, event.type(), label.key, offset});
}
[[nodiscard]] inline bool wants(const event_filter& filter,
                                const event_log::entry& event) noexcept {
    return wants(filter, event.frame, event.offset);
}

/// Whether a stream that gets only the newest of each key passes over the event.
[[nodiscard]] inline bool is_replaced(const event_log& log, std::uint64_t position,
                                      const event_filter& filter) noexcept {
    for (std::uint32_t on = log[position].newer; on != 0; on = log[position].newer) {
        position += on;
        if (wants(filter, log[position])) return true;
    }
    return false;
}

/// When what was published may leave: a window opens when an event wants to leave, and lets through
/// what had been published by then.
struct throttle_window {
    time_point::duration length{};          ///< zero: no throttle
    time_point opens = (time_point::min)(); ///< the next one
    std::uint64_t through = 0;              ///< what the last one lets through, as an offset

    [[nodiscard]] bool is_set() const noexcept { return length.count() > 0; }

    /// \returns whether a stream that has not got what is at the offset is none the slower: it had
    /// to wait, or it has had less time than a window.
    [[nodiscard]] bool excuses(std::uint64_t offset, time_point now) const noexcept {
        return is_set() && (offset > through || now < opens);
    }

    [[nodiscard]] bool lets_through(std::uint64_t offset, std::uint64_t newest,
                                    time_point now) noexcept {
        if (offset <= through) return true;
        if (now < opens) return false;
        opens = now + length;
        through = newest;
        return true;
    }
};

/// How far a stream may be behind. Where lag would end it, what it began with is none, or a client
/// that has missed more would be cut off each time that it comes back for it.
struct lag_limit {
    lag_bound most;
    std::uint64_t begins_through = 0; // as an offset
};

/// How far a log would reach if an event more were published, as event_log says how far it does.
class log_reach {
  public:
    log_reach(const event_log& log, std::size_t more_bytes, time_point now) noexcept
        : begin_(log.begin_after(more_bytes, now)), end_(log.end() + 1),
          bytes_ever_(log.bytes_ever() + more_bytes) {}

    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
    [[nodiscard]] std::uint64_t bytes_ever() const noexcept { return bytes_ever_; }

  private:
    std::uint64_t begin_;
    std::uint64_t end_;
    std::uint64_t bytes_ever_;
};

/// \param reach the log itself, or its log_reach
/// \returns from where on a reader may read: where it is, or after what is lost to it. The newest
/// event is always within bounds, and so is what a throttle excuses, and what a stream begins with
/// that lag would end.
template <class Reach>
[[nodiscard]] std::uint64_t within_bounds(const event_log& log, std::uint64_t position,
                                          const lag_limit& limit, const throttle_window& throttle,
                                          time_point now, const Reach& reach) noexcept {
    const std::uint64_t from = (std::max)(position, reach.begin());
    const lag_bound& most = limit.most;
    if (!most.is_set() || (throttle.is_set() && now < throttle.opens)) return from;
    if (from < log.end() && log[from].offset <= limit.begins_through) return from;
    std::uint64_t target = from;
    if (most.events != 0 && reach.end() - target > most.events) target = reach.end() - most.events;
    if (most.bytes != 0) {
        const std::uint64_t all = reach.bytes_ever();
        target = log.first_where(target, [&](const event_log::entry& event) {
            return all - event.bytes_before <= most.bytes;
        });
    }
    if (most.age.count() != 0) {
        target = log.first_where(target, [&](const event_log::entry& event) {
            return now - event.published <= most.age;
        });
    }
    if (throttle.is_set())
        target = (std::min)(target, (std::max)(from, log.after(throttle.through)));
    target = (std::min)(target, reach.end() - 1);
    while (target > from && log[target - 1].tells_of_gap) --target; // which is told, not lost
    return target;
}
SSEKIT_INLINED [[nodiscard]] inline std::uint64_t
within_bounds(const event_log& log, std::uint64_t position, const lag_limit& limit,
              const throttle_window& throttle, time_point now) noexcept {
    return within_bounds(log, position, limit, throttle, now, log);
}

/// What a hole does to a stream.
enum class hole_action : std::uint8_t {
    none, ///< nothing is lost to this stream: it goes on
    gap,  ///< a gap event, then it goes on
    end,  ///< stream_end::lagged
    detach,
};

[[nodiscard]] inline hole_action act_on(const missing& lost, lag_policy policy,
                                        bool held_back) noexcept {
    if (lost.events == 0) return hole_action::none;
    if (held_back) return hole_action::gap;
    switch (policy) {
    case lag_policy::disconnect: return hole_action::end;
    case lag_policy::detach: return hole_action::detach;
    default: return hole_action::gap;
    }
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
