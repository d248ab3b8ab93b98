// SPDX-License-Identifier: MIT
//
// What a hub keeps of a stream. A plain one, with one topic and nothing special, is a record of 64
// bytes, one cache line. What only some have is in a side record, found by a directory that takes
// memory only where there are any; readers of further topics are cursors that hang on it. A hand is
// taken only while bytes are under way, so idle streams have none.
#ifndef SSEKIT_DETAIL_HUB_SUBSCRIBER_HPP
#define SSEKIT_DETAIL_HUB_SUBSCRIBER_HPP

#include <ssekit/detail/base/links.hpp>
#include <ssekit/detail/base/memory.hpp>
#include <ssekit/detail/base/slab.hpp>
#include <ssekit/detail/hub/choose.hpp>
#include <ssekit/detail/hub/deadlines.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/framing.hpp>
#include <ssekit/subscribe_options.hpp>
#include <ssekit/time.hpp>
#include <ssekit/waker.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// How far a stream has come on its way out of a hub that closes; see parting.hpp.
enum class parting : std::uint8_t {
    none,       ///< it leaves once it has read what there is
    put_off,    ///< not before the last of its unfinished topics is closed
    retry_told, ///< its reconnection time
    told,       ///< and the farewell
};

/// A stream, and the reader of its first topic.
struct subscriber {
    link queue{};               // where its first reader waits
    link timer{};               // in the hub's wheel
    std::uint32_t topic = 0;    // 0: it reads nothing any more
    std::uint32_t hand = 0;     // 0: nothing is under way
    std::uint64_t position = 0; // in the topic's log
    coarse_time last_progress = 0;
    coarse_time connected_at = 0;
    void* user = nullptr;
    std::uint32_t bytes_low = 0;
    std::uint16_t bytes_high = 0;
    // No bit field shares its byte's neighbours: a load that is wider than the store before it
    // would wait for that store, which made a delivery take twice as long.
    std::uint8_t seated : 1 = 0; // it counts as a reader of its topics
    std::uint8_t has_side : 1 = 0;
    std::uint8_t plain : 1 = 0; // open, no side record, and nothing is passed over
    std::uint8_t chunked : 1 = 0;
    std::uint8_t reported : 1 = 1; // to its owner, and it has not been idle since
    std::uint8_t heartbeat_due : 1 = 0;
    std::uint8_t parting_number : 2 = 0; // a parting
    std::uint8_t end_number : 4 = 0;     // a stream_end
    std::uint8_t lag_number : 3 = 0;     // a lag_policy
    std::uint8_t last_given : 1 = 1;     // what a proper end gives out last has been, or is nothing
    std::uint32_t events = 0;
    std::uint32_t serial = 0; // 0: subscribe has not come to its end

    [[nodiscard]] stream_end end() const noexcept { return static_cast<stream_end>(end_number); }
    void set_end(stream_end why) noexcept {
        end_number = static_cast<std::uint8_t>(why) & 15;
        plain = 0;
    }
    [[nodiscard]] lag_policy on_lag() const noexcept { return static_cast<lag_policy>(lag_number); }
    [[nodiscard]] detail::parting parting() const noexcept {
        return static_cast<detail::parting>(parting_number);
    }
    void set_parting(detail::parting step) noexcept {
        parting_number = static_cast<std::uint8_t>(step) & 3;
    }
    [[nodiscard]] framing form() const noexcept {
        return chunked ? framing::chunked : framing::raw;
    }

    /// Bytes that have left, modulo 2^48.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return std::uint64_t{bytes_high} << 32 | bytes_low;
    }
    void count_bytes(std::uint64_t more) noexcept {
        const std::uint64_t sum = bytes_low + more;
        bytes_low = static_cast<std::uint32_t>(sum);
        bytes_high = static_cast<std::uint16_t>(bytes_high + (sum >> 32));
    }

    /// Whether nothing will ever leave again.
    [[nodiscard]] bool is_done() const noexcept {
        return end() != stream_end::open && has_left_all();
    }
    /// Whether what is in its hand is left behind as well.
    [[nodiscard]] bool breaks_off() const noexcept {
        return is_abrupt(end()) && end() != stream_end::lagged;
    }

  private:
    [[nodiscard]] bool has_left_all() const noexcept {
        return breaks_off() || (hand == 0 && (last_given || is_abrupt(end())));
    }
};

static_assert(sizeof(subscriber) <= 64);

/// A reader of one topic more.
struct cursor {
    link queue{};
    link tagged{}; // among the readers of a tag
    std::uint32_t topic = 0;
    std::uint32_t owner = 0;     // the stream
    std::uint32_t next = 0;      // of the same stream
    bool of_companion = false;   // then it waits nowhere: the reader of the topic itself does
    bool after_snapshot = false; // the stream has come to it since its last snapshot began
    std::uint64_t position = 0;
};

/// An event for one stream alone; it leaves after the events up to `after`, or is the one with this
/// offset, where a stream is fed.
struct sent_event {
    ssekit::frame frame;
    std::uint64_t after;
    std::uint32_t next = 0;
    bool tells_of_gap = false;
};

/// What a stream is fed ahead of the ring; see history.hpp.
struct history_feed {
    std::uint64_t through = 0; // it has been fed what it reads up to this offset
    std::uint32_t stream = 0;
    std::uint32_t first = 0; // of its events, which have their own offsets in `after`
    std::uint32_t last = 0;
    std::size_t count = 0;
    std::size_t bytes = 0;
    bool over = false;  // there is no more to feed
    bool asked = false; // whoever feeds it has been told that it needs more
};

/// How far a stream has given out the newest event of each key; see snapshot.hpp.
struct snapshot {
    std::uint64_t given = 0;   // the offset of the last one
    std::size_t place = 0;     // where that one stood in its log
    std::uint64_t through = 0; // none that is newer belongs to it; 0: there is nothing to give

    [[nodiscard]] bool is_whole() const noexcept { return through == 0; }
};

/// What only some streams have.
struct side {
    std::uint32_t cursors = 0; // the first one
    std::uint32_t tag = 0;     // its topic
    std::uint32_t sent_first = 0;
    std::uint32_t sent_last = 0;
    std::uint32_t sent_count = 0;
    std::uint32_t history = 0;      // its history_feed
    std::uint64_t seen = 0;         // what another hub of the same sequence has already brought
    std::uint64_t seen_at = 0;      // streams_ahead::asked when that was noted
    std::uint64_t added_after = 0;  // the newest offset when it was last given one topic more
    std::uint64_t told_through = 0; // the offset of the last event, gap or id that it was given
    snapshot values;
    std::uint64_t companions = 0; // of its topics; those made up to this one are read
    waker wake;
    event_filter filter;
    lag_limit lag;
    throttle_window throttle;
    time_point::duration heartbeat{-1}; // negative: the hub's
    time_point expires = never;
};

/// The side records of streams, by the numbers of the streams.
class side_table {
  public:
    explicit side_table(memory_resource* memory) noexcept
        : memory_(memory), pages_(memory), sides_(memory) {}
    side_table(const side_table&) = delete;
    side_table& operator=(const side_table&) = delete;
    ~side_table() { release_array(*memory_, directory_, capacity_); }

    /// Preconditions: the stream has one.
    [[nodiscard]] side& of(std::uint32_t stream) const noexcept {
        return sides_[pages_[directory_[stream / page_size]].at[stream % page_size]];
    }

    /// \returns whether the stream has one now; false without memory.
    [[nodiscard]] bool make(std::uint32_t stream) noexcept {
        const std::size_t where = stream / page_size;
        if (where >= capacity_ && !grow(where + 1)) return false;
        if (directory_[where] == 0) directory_[where] = pages_.make();
        if (directory_[where] == 0) return false;
        page& numbers = pages_[directory_[where]];
        const std::uint32_t made = sides_.make();
        numbers.at[stream % page_size] = made;
        numbers.used += made != 0 ? 1 : 0;
        return made != 0;
    }

    void destroy(std::uint32_t stream) noexcept {
        std::uint32_t& where = directory_[stream / page_size];
        page& numbers = pages_[where];
        sides_.destroy(std::exchange(numbers.at[stream % page_size], 0));
        if (--numbers.used == 0) pages_.destroy(std::exchange(where, 0));
    }

  private:
    static constexpr std::uint32_t page_size = 256;
    struct page {
        std::uint32_t at[page_size] = {};
        std::uint32_t used = 0;
    };

    bool grow(std::size_t least) noexcept {
        const std::size_t capacity = (std::max)(least, capacity_ * 2);
        auto* const made = make_array<std::uint32_t>(*memory_, capacity);
        if (made == nullptr) return false;
        std::copy_n(directory_, capacity_, made);
        release_array(*memory_, std::exchange(directory_, made), capacity_);
        capacity_ = capacity;
        return true;
    }

    memory_resource* memory_;
    std::uint32_t* directory_ = nullptr;
    std::size_t capacity_ = 0;
    slab<page, 4> pages_;
    slab<side, 16> sides_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
