// SPDX-License-Identifier: MIT
//
// The log of one topic: a ring of frames that is history, replay buffer and every subscriber's
// queue at once. Readers are positions. A position counts the events of this topic and never comes
// again, so a reader asks `begin` and knows whether it has fallen behind, and by how much.
//
// Offsets, in contrast, count the events of a whole hub; they are what clients carry as event ids.
// The offsets in one log grow but have holes, where other topics were published to; `after` finds
// the place of one by bisection.
//
// An event with a key is superseded once a newer one of the same key is here; a reader that only
// wants the newest values passes over it. Two indexes are made when they are first needed: of keys,
// and of ids where publishers give their own.
#ifndef SSEKIT_EVENT_LOG_HPP
#define SSEKIT_EVENT_LOG_HPP

#include <ssekit/detail/position_index.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
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
        std::uint64_t bytes_before : 63 = 0; ///< in all events that were ever before it
        std::uint64_t superseded : 1 = 0;    ///< by a newer event of its key
    };

    /// \param lost_through what is already known to be lost, as an offset
    explicit event_log(const retention& keep = {}, std::uint64_t lost_through = 0) noexcept
        : keep_(sane(keep)), lost_through_(lost_through) {}
    event_log(const event_log&) = delete;
    event_log& operator=(const event_log&) = delete;
    ~event_log() { delete[] ring_; }

    /// Effects: keeps by other bounds from now on.
    void set_retention(const retention& keep, time_point now) noexcept {
        keep_ = sane(keep);
        while (size() > most_events()) drop_oldest();
        trim(now);
    }

    /// Effects: from now on equal keys of different topics are different keys.
    /// Preconditions: the log is empty.
    void tell_topics_apart() noexcept { topics_apart_ = true; }

    /// Effects: what `lost_through` says grows to at least this.
    void set_lost_through(std::uint64_t offset) noexcept {
        lost_through_ = std::max(lost_through_, offset);
    }

    /// Effects: makes sure that the next `append` finds memory. \returns whether it does.
    /// \param key whether that event has a key \param id whether its id is to be found again
    [[nodiscard]] bool reserve(bool key = false, bool id = false) noexcept {
        return (size() < capacity_ || size() >= most_events() || grow()) &&
               (!key || keys_.reserve()) && (!id || ids_.reserve());
    }

    /// Effects: adds an event and lets the oldest go as the bounds ask.
    /// Preconditions: `offset` is larger than any before.
    /// \param by_id whether `find_id` shall find it
    /// \returns errc::ok; errc::out_of_memory with nothing changed.
    /// Complexity: O(1) amortised; the ring stops growing at `retention::events`.
    errc append(frame event, std::uint64_t offset, time_point now, bool by_id = false) noexcept {
        const frame_label label = event.label();
        if (!reserve(!label.key.empty(), by_id)) return errc::out_of_memory;
        if (!label.key.empty()) {
            const std::string_view key = key_of(label);
            if (std::uint32_t* const old = keys_.find(key, key_at{this, label.key.size()})) {
                at(*old).superseded = 1;
                *old = static_cast<std::uint32_t>(end_);
            } else {
                keys_.insert(key, static_cast<std::uint32_t>(end_));
            }
        }
        if (by_id) {
            if (std::uint32_t* const old = ids_.find(event.id(), id_at{this})) {
                *old = static_cast<std::uint32_t>(end_);
            } else {
                ids_.insert(event.id(), static_cast<std::uint32_t>(end_));
            }
        }
        while (size() >= most_events()) drop_oldest(); // by now it may be superseded
        const std::size_t bytes = event.wire().size();
        entry& made = at(end_++);
        made.frame = std::move(event);
        made.offset = offset;
        made.published = now;
        made.bytes_before = bytes_ever_ & (~std::uint64_t{0} >> 1);
        made.superseded = 0;
        bytes_ever_ += bytes;
        bytes_ += bytes;
        trim(now);
        return errc::ok;
    }

    /// Effects: lets go what is too old at `now`, but for the newest `at_least`.
    void trim(time_point now, std::size_t at_least = 1) noexcept {
        while (size() > at_least && (bytes_ > keep_.bytes || now >= next_expiry(at_least))) {
            if (size() == 1 && now < next_expiry(at_least)) break; // one may exceed the bytes
            drop_oldest();
        }
    }

    /// \returns when `trim` is worth calling next, `never` when age is no bound.
    [[nodiscard]] time_point next_expiry(std::size_t at_least = 1) const noexcept {
        if (keep_.age <= keep_.age.zero() || size() <= at_least) return never;
        return at(begin_).published + keep_.age;
    }

    /// Positions: of the oldest event kept, and of the next to come.
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(end_ - begin_);
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    /// Bytes of all events that were ever appended.
    [[nodiscard]] std::uint64_t bytes_ever() const noexcept { return bytes_ever_; }
    /// Bytes of the events from `position` on. Preconditions: begin() <= position <= end().
    [[nodiscard]] std::uint64_t bytes_from(std::uint64_t position) const noexcept {
        return position == end_ ? 0 : bytes_ever_ - at(position).bytes_before;
    }

    /// Preconditions: begin() <= position < end(). Lifetime: until the next append or trim.
    [[nodiscard]] const entry& operator[](std::uint64_t position) const noexcept {
        return at(position);
    }

    /// \returns the first position from `from` on whose entry is `past` something, or end().
    /// Preconditions: begin() <= from; entries behind one that is past it are past it as well.
    /// Complexity: O(log size).
    template <class Past>
    [[nodiscard]] std::uint64_t first_where(std::uint64_t from, Past&& past) const noexcept {
        std::uint64_t low = from;
        for (std::uint64_t high = end_; low < high;) {
            const std::uint64_t middle = low + (high - low) / 2;
            if (past(at(middle))) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /// \returns the position of the first event kept whose offset is larger than `offset`.
    [[nodiscard]] std::uint64_t after(std::uint64_t offset) const noexcept {
        return first_where(begin_, [&](const entry& e) { return e.offset > offset; });
    }

    /// \returns the offset of the event kept that has this id, 0 when there is none; of several the
    /// newest. Only what was appended `by_id` is found.
    [[nodiscard]] std::uint64_t find_id(std::string_view id) const noexcept {
        const std::uint32_t* const found = ids_.find(id, id_at{this});
        return found == nullptr ? 0 : at(*found).offset;
    }

    /// The largest offset that has been appended; 0 while none has.
    [[nodiscard]] std::uint64_t newest_offset() const noexcept {
        return size() == 0 ? lost_through_ : std::max(lost_through_, at(end_ - 1).offset);
    }

    /// The largest offset that is no longer kept; 0 while nothing has gone.
    [[nodiscard]] std::uint64_t lost_through() const noexcept { return lost_through_; }

    /// No event from this position on has gone without being superseded first: who is there and
    /// wants only the newest values has lost nothing, even if begin() is further on.
    [[nodiscard]] std::uint64_t values_kept_from() const noexcept { return values_kept_from_; }

  private:
    // In the frame the key stands behind the topic, so both are one text.
    std::string_view key_of(const frame_label& label) const noexcept {
        if (!topics_apart_) return label.key;
        return {label.topic.data(), label.topic.size() + label.key.size()};
    }
    struct key_at {
        const event_log* self;
        std::size_t key_size; // "ab" of "c" is not "b" of "ca"
        std::string_view operator()(std::uint32_t position) const noexcept {
            const frame_label label = self->at(position).frame.label();
            return label.key.size() == key_size ? self->key_of(label) : std::string_view();
        }
    };
    struct id_at {
        const event_log* self;
        std::string_view operator()(std::uint32_t position) const noexcept {
            return self->at(position).frame.id();
        }
    };

    static retention sane(retention keep) noexcept {
        // A time so far ahead cannot be told, and nobody waits for it.
        if (keep.age > std::chrono::hours(24 * 366 * 100)) keep.age = keep.age.zero();
        return keep;
    }

    std::size_t most_events() const noexcept { return std::max<std::size_t>(keep_.events, 1); }
    entry& at(std::uint64_t position) const noexcept { return ring_[position & (capacity_ - 1)]; }

    void drop_oldest() noexcept {
        entry& oldest = at(begin_);
        const auto position = static_cast<std::uint32_t>(begin_);
        if (!ids_.empty()) ids_.erase(oldest.frame.id(), position);
        if (!oldest.superseded) {
            if (!keys_.empty()) keys_.erase(key_of(oldest.frame.label()), position);
            values_kept_from_ = begin_ + 1;
        }
        ++begin_;
        bytes_ -= oldest.frame.wire().size();
        lost_through_ = std::max(lost_through_, oldest.offset);
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
    std::uint64_t bytes_ever_ = 0;
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;
    std::uint64_t values_kept_from_ = 0;
    std::uint64_t lost_through_;
    bool topics_apart_ = false;
    detail::position_index keys_;
    detail::position_index ids_;
};

} // namespace ssekit

#endif
