// SPDX-License-Identifier: MIT
//
// What a hub keeps of a subscriber. A plain one, with one topic and nothing special, is a record of
// 64 bytes, one cache line; what others need is in a side record. A hand is taken only while bytes
// are under way, so idle subscribers have none.
#ifndef SSEKIT_DETAIL_RECORD_HPP
#define SSEKIT_DETAIL_RECORD_HPP

#include <ssekit/detail/links.hpp>
#include <ssekit/detail/slab.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/time.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ssekit::detail {

/// Time as a record keeps it: 2^24 ns or 17 ms a step, which comes round after 834 days.
using coarse_time = std::uint32_t;
inline constexpr std::chrono::nanoseconds coarse_step{1 << 24};

[[nodiscard]] inline coarse_time coarse(time_point time) noexcept {
    const std::chrono::nanoseconds since = time.time_since_epoch();
    return static_cast<coarse_time>(static_cast<std::uint64_t>(since.count()) / (1 << 24));
}

/// A cursor, that is a reader of one topic. The first cursor of a subscriber is also the
/// subscriber; the others, for further topics and the tag, hang on its side record.
struct record {
    link queue; // parked at its topic, or ready, or held back by its throttle
    link timer; // of a subscriber: in the hub's wheel; of a further cursor: among those of a tag
    std::uint32_t topic = 0;
    std::uint32_t extra = 0; // the side record, or else the hand; of a further cursor: the next one
    std::uint64_t position = 0; // in the topic's log
    coarse_time last_progress = 0;
    coarse_time connected_at = 0;
    void* user = nullptr;
    std::uint32_t bytes_low = 0;
    std::uint16_t bytes_high = 0;
    // No bit field shares its byte's neighbours: a load that is wider than the store before it
    // would wait for that store, which made a delivery take twice as long.
    std::uint8_t further : 1 = 0; // a further cursor
    std::uint8_t has_side : 1 = 0;
    std::uint8_t plain : 1 = 0; // open, no side record, and nothing is passed over
    std::uint8_t chunked : 1 = 0;
    std::uint8_t reported : 1 = 1; // to its owner, and it has not been idle since
    std::uint8_t heartbeat_due : 1 = 0;
    std::uint8_t retry_told : 1 = 0;
    std::uint8_t farewell_told : 1 = 0;
    std::uint8_t end_number : 4 = 0; // a stream_end
    std::uint8_t lag_number : 3 = 0; // a lag_policy
    std::uint8_t terminated : 1 = 0; // the last chunk has been given out
    std::uint32_t events = 0;
    std::uint32_t owner = 0; // of a further cursor; of a subscriber: its serial number, never 0

    [[nodiscard]] stream_end end() const noexcept { return static_cast<stream_end>(end_number); }
    void set_end(stream_end why) noexcept {
        end_number = static_cast<std::uint8_t>(why) & 15;
        plain = 0;
    }
    [[nodiscard]] lag_policy on_lag() const noexcept { return static_cast<lag_policy>(lag_number); }
    [[nodiscard]] framing form() const noexcept {
        return chunked ? framing::chunked : framing::raw;
    }

    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return std::uint64_t{bytes_high} << 32 | bytes_low;
    }
    void count_bytes(std::size_t more) noexcept {
        const std::uint64_t sum = bytes_low + more;
        bytes_low = static_cast<std::uint32_t>(sum);
        bytes_high = static_cast<std::uint16_t>(bytes_high + (sum >> 32));
    }
};

static_assert(sizeof(record) == 64);

/// An event for one subscriber alone; it leaves behind the events up to `after`.
struct sent_event {
    ssekit::frame frame;
    std::uint64_t after;
    std::uint32_t next = 0;
};

/// What only some subscribers have.
struct side {
    std::uint32_t hand = 0;
    std::uint32_t further = 0; // the first further cursor
    std::uint32_t tag = 0;     // its topic
    std::uint32_t sent_first = 0;
    std::uint32_t sent_last = 0;
    std::uint32_t sent_count = 0;
    std::uint64_t seen = 0; // what another hub of the same sequence has already brought
    waker wake;
    event_filter filter;
    lag_bound max_lag;
    time_point::duration throttle{};
    time_point window_opens{};              // the throttle lets the next events through
    std::uint64_t window_offset = 0;        // and lets pass what was published up to here
    time_point::duration heartbeat{-1};     // negative: the hub's
    time_point expires = time_point::min(); // `never`: the hub's maximum age counts
};

/// What has been given out by `prepare` and is not consumed yet.
struct hand {
    static constexpr std::size_t capacity = 32;

    std::array<frame, capacity> frames;
    std::uint32_t first = 0;
    std::uint32_t size = 0; // frames held: [first, size)
    std::size_t offset = 0; // bytes of the first that have left
    coarse_time since = 0;  // the last progress, or when it was taken
    std::uint32_t next = 0; // the next one that nobody uses
};

/// Hands that nobody uses stay as they are: to clear room for 32 frames each time would cost more
/// than to send one.
class hand_pool {
  public:
    [[nodiscard]] hand& operator[](std::uint32_t number) const noexcept { return hands_[number]; }

    /// \returns 0 when there is no memory.
    [[nodiscard]] std::uint32_t take() noexcept {
        if (unused_ == 0) return hands_.make();
        return std::exchange(unused_, hands_[unused_].next);
    }

    void give_back(std::uint32_t number) noexcept {
        hand& used = hands_[number];
        while (used.first != used.size) used.frames[used.first++] = {};
        used.first = used.size = 0;
        used.offset = 0;
        used.next = std::exchange(unused_, number);
    }

  private:
    slab<hand, 8> hands_;
    std::uint32_t unused_ = 0;
};

} // namespace ssekit::detail

#endif
