// SPDX-License-Identifier: MIT
//
// The log of one topic: a ring of frames that is history, replay buffer and every subscriber's
// queue at once. Readers are positions. A position counts the events of this topic and never comes
// again, so a reader asks `begin` and knows whether it has fallen behind, and by how much.
//
// Offsets, in contrast, count the events of a whole hub; they are what clients carry as event ids.
// The offsets in one log grow but have holes, where other topics were published to; `after` finds
// the place of one by bisection.
#ifndef SSEKIT_EVENT_LOG_HPP
#define SSEKIT_EVENT_LOG_HPP

#include <ssekit/errc.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace ssekit {

/// What a log keeps: an event goes as soon as any bound is passed, the oldest first. The newest is
/// always kept, because the log is also the queue it is delivered from; so one event may exceed
/// `bytes`, and `events` counts as at least 1.
struct retention {
    std::size_t events = 1024;
    std::size_t bytes = std::size_t{1} << 20;                          ///< of encoded frames
    std::chrono::milliseconds age = std::chrono::milliseconds::zero(); ///< zero: no bound
};

/// Thread safety: as a container.
class event_log {
  public:
    struct entry {
        ssekit::frame frame;
        std::uint64_t offset = 0;
        time_point published{};
    };

    explicit event_log(const retention& keep = {}) noexcept : keep_(keep) {
        // A time so far ahead cannot be told, and nobody waits for it.
        if (keep_.age > std::chrono::hours(24 * 366 * 100)) keep_.age = keep_.age.zero();
    }
    event_log(const event_log&) = delete;
    event_log& operator=(const event_log&) = delete;
    ~event_log() { delete[] ring_; }

    /// Effects: makes sure that the next `append` finds memory. \returns whether it does.
    [[nodiscard]] bool reserve() noexcept {
        return size() < capacity_ || size() >= most_events() || grow();
    }

    /// Effects: adds an event and lets the oldest go as the bounds ask.
    /// Preconditions: `offset` is larger than any before.
    /// \returns errc::ok; errc::out_of_memory with nothing changed.
    /// Complexity: O(1) amortised; the ring stops growing at `retention::events`.
    errc append(frame event, std::uint64_t offset, time_point now) noexcept {
        if (!reserve()) return errc::out_of_memory;
        while (size() >= most_events()) drop_oldest();
        bytes_ += event.wire().size();
        at(end_++) = {std::move(event), offset, now};
        trim(now);
        return errc::ok;
    }

    /// Effects: lets go what is too old at `now`.
    void trim(time_point now) noexcept {
        while (size() > 1 && (bytes_ > keep_.bytes || now >= next_expiry())) drop_oldest();
    }

    /// \returns when `trim` is worth calling next, `never` when age is no bound.
    [[nodiscard]] time_point next_expiry() const noexcept {
        if (keep_.age <= keep_.age.zero() || size() <= 1) return never;
        return at(begin_).published + keep_.age;
    }

    /// Positions: of the oldest event kept, and of the next to come.
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(end_ - begin_);
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    /// Preconditions: begin() <= position < end(). Lifetime: until the next append or trim.
    [[nodiscard]] const entry& operator[](std::uint64_t position) const noexcept {
        return at(position);
    }

    /// \returns the position of the first event kept whose offset is larger than `offset`.
    /// Complexity: O(log size).
    [[nodiscard]] std::uint64_t after(std::uint64_t offset) const noexcept {
        std::uint64_t low = begin_;
        for (std::uint64_t high = end_; low < high;) {
            const std::uint64_t middle = low + (high - low) / 2;
            if (at(middle).offset > offset) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /// The largest offset that has been appended; 0 while none has.
    [[nodiscard]] std::uint64_t newest_offset() const noexcept {
        return size() == 0 ? lost_through_ : at(end_ - 1).offset;
    }

    /// The largest offset that is no longer kept; 0 while nothing has gone.
    [[nodiscard]] std::uint64_t lost_through() const noexcept { return lost_through_; }

  private:
    std::size_t most_events() const noexcept { return std::max<std::size_t>(keep_.events, 1); }
    entry& at(std::uint64_t position) const noexcept { return ring_[position & (capacity_ - 1)]; }

    void drop_oldest() noexcept {
        entry& oldest = at(begin_++);
        bytes_ -= oldest.frame.wire().size();
        lost_through_ = oldest.offset;
        oldest.frame = {};
    }

    bool grow() noexcept {
        const std::size_t capacity = std::max<std::size_t>(capacity_ * 2, 8);
        auto* const ring = new (std::nothrow) entry[capacity];
        if (ring == nullptr) return false;
        for (std::uint64_t i = begin_; i != end_; ++i) {
            ring[i & (capacity - 1)] = std::move(at(i));
        }
        delete[] std::exchange(ring_, ring);
        capacity_ = capacity;
        return true;
    }

    retention keep_;
    entry* ring_ = nullptr;
    std::size_t capacity_ = 0; // a power of two
    std::size_t bytes_ = 0;
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;
    std::uint64_t lost_through_ = 0;
};

} // namespace ssekit

#endif
