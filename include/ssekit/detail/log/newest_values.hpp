// SPDX-License-Identifier: MIT
//
// The newest event of each key, apart from the bounds of the log: what a log compacted by key would
// hold. They stand in an array in the order of their offsets. A newer event of a key leaves a hole
// where the older one stood and comes to the end; holes are closed when they are as many as the
// values, so each update is O(1) amortised, and reading all of them is O(keys).
//
// A reader knows its place by an offset alone, so nothing has to be told when values move.
#ifndef SSEKIT_DETAIL_LOG_NEWEST_VALUES_HPP
#define SSEKIT_DETAIL_LOG_NEWEST_VALUES_HPP

#include <ssekit/detail/base/memory.hpp>
#include <ssekit/detail/base/text_index.hpp>
#include <ssekit/detail/log/key_text.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/retention.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// One that is kept. Lifetime: until the next event is published.
struct newest_value {
    const ssekit::frame* event = nullptr; ///< null: there is none
    std::uint64_t offset = 0;
    std::size_t place = 0; ///< where to look for the next one first
};

/// In all logs of a hub.
struct value_totals {
    std::uint64_t kept = 0; ///< now
    std::uint64_t gone = 0; ///< let go because of a bound, or for want of memory
};

class newest_values {
  public:
    explicit newest_values(memory_resource* memory) noexcept : memory_(memory), keys_(memory) {}
    newest_values(const newest_values&) = delete;
    newest_values& operator=(const newest_values&) = delete;
    ~newest_values() {
        count_out(live_);
        release_array(*memory_, values_, capacity_);
    }

    /// Effects: counts there from now on. Lifetime: it outlives this. Preconditions: there is none.
    void count_in(value_totals& totals) noexcept { totals_ = &totals; }

    /// Effects: tells equal keys of different topics apart, or not. Preconditions: there is none.
    void set_scope(key_scope scope) noexcept { scope_ = scope; }

    [[nodiscard]] std::size_t size() const noexcept { return live_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    /// Effects: makes sure that the next `set` finds memory. \returns whether it does.
    [[nodiscard]] bool reserve() noexcept {
        return keys_.reserve() && (end_ < capacity_ || close_holes() || grow());
    }

    /// Effects: this is the newest event of its key from now on. The values that were updated
    /// longest ago go as far as the bound asks, or all but those that there is memory for.
    /// Preconditions: it has a key; `offset` is larger than any before.
    [[gnu::noinline]] void set(const frame& event, std::uint64_t offset,
                               const value_bound& most) noexcept {
        const key_text key(event, scope_);
        remove(key);
        if (event.label().removes_key) return;
        if (!reserve()) return count_gone();
        keys_.insert(key.view(), static_cast<std::uint32_t>(end_));
        values_[end_++] = {event, offset};
        ++live_;
        if (totals_ != nullptr) ++totals_->kept;
        bytes_ += event.wire().size();
        hold_to(most);
    }

    /// Effects: there is none any more. None of them counts as gone.
    void clear() noexcept {
        count_out(live_);
        std::fill(values_ + first_, values_ + end_, value());
        first_ = end_ = live_ = bytes_ = 0;
        keys_.clear();
    }

    /// Effects: lets go what the bound does not cover.
    void hold_to(const value_bound& most) noexcept {
        while (live_ > most.keys || (bytes_ > most.bytes && live_ > 1)) {
            remove(key_text(values_[first_].event, scope_));
            count_gone();
        }
    }

    /// \param place of the value that has this offset, if it is known
    /// \returns the first value after the offset.
    /// Complexity: O(log keys), and O(keys) for all of them, one after the other.
    [[nodiscard]] newest_value after(std::uint64_t offset, std::size_t place = 0) const noexcept {
        std::size_t at = place + 1;
        if (place >= end_ || values_[place].offset != offset) {
            const value* const first =
                std::partition_point(values_ + first_, values_ + end_,
                                     [offset](const value& each) { return each.offset <= offset; });
            at = static_cast<std::size_t>(first - values_);
        }
        while (at < end_ && !values_[at].event) ++at;
        return at >= end_ ? newest_value()
                          : newest_value{&values_[at].event, values_[at].offset, at};
    }

  private:
    struct value {
        frame event; // empty: a newer one has come, or the key has none any more
        std::uint64_t offset = 0;
    };

    void count_out(std::size_t values) noexcept {
        if (totals_ != nullptr) totals_->kept -= values;
    }
    void count_gone() noexcept {
        if (totals_ != nullptr) ++totals_->gone;
    }

    void remove(const key_text& key) noexcept {
        const std::uint32_t* const found = find(key);
        if (found == nullptr) return;
        value& old = values_[*found];
        keys_.erase(key.view(), *found);
        bytes_ -= old.event.wire().size();
        --live_;
        count_out(1);
        old.event = {}; // its offset stays, so that the array stays in order
        // Keys that are updated in turn leave their holes at the front, where `after` would look.
        while (first_ != end_ && !values_[first_].event) ++first_;
    }
    std::uint32_t* find(const key_text& key) const noexcept {
        return keys_.find(key.view(), [&](std::uint32_t at) {
            return key.comparable(key_text(values_[at].event, scope_));
        });
    }

    // \returns whether there is room now. It is worth the while where half are holes.
    bool close_holes() noexcept {
        if (end_ - live_ < (std::max<std::size_t>)(live_, 8)) return false;
        std::size_t to = 0;
        keys_.clear();
        for (std::size_t from = first_; from != end_; ++from) {
            if (!values_[from].event) continue;
            if (from != to) values_[to] = std::move(values_[from]);
            keys_.insert(key_text(values_[to].event, scope_).view(),
                         static_cast<std::uint32_t>(to));
            ++to;
        }
        first_ = 0;
        end_ = to;
        return true;
    }

    bool grow() noexcept {
        const std::size_t capacity = (std::max<std::size_t>)(capacity_ * 2, 16);
        auto* const made = make_array<value>(*memory_, capacity);
        if (made == nullptr) return false;
        std::move(values_, values_ + end_, made);
        release_array(*memory_, std::exchange(values_, made), capacity_);
        capacity_ = capacity;
        return true;
    }

    memory_resource* memory_;
    value* values_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t first_ = 0; // before it are holes only
    std::size_t end_ = 0;
    std::size_t live_ = 0;
    std::size_t bytes_ = 0;
    value_totals* totals_ = nullptr;
    key_scope scope_ = key_scope::log;
    text_index keys_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
