// SPDX-License-Identifier: MIT
//
// The log of one topic: a ring of frames that is history, replay buffer and every subscriber's
// queue at once. Readers are positions. A position counts the events of this topic and is never
// used again, so a reader compares its own with `begin` and knows whether it has fallen behind, and
// by how much.
//
// Offsets, in contrast, count the events of a whole hub; they are what clients carry as event ids.
// The offsets in one log grow but have holes, where other topics were published to; `after` finds
// the place of one by bisection.
//
// An event with a key is superseded once a newer one of the same key is here. It knows which one,
// so a reader that only wants the newest values, and not all of those, can follow the chain. The
// newest of each key may stay when the ring lets it go (detail/log/newest_values.hpp).
#ifndef SSEKIT_EVENT_LOG_HPP
#define SSEKIT_EVENT_LOG_HPP

#include <ssekit/detail/base/memory.hpp>
#include <ssekit/detail/base/text_index.hpp>
#include <ssekit/detail/log/gone_events.hpp>
#include <ssekit/detail/log/key_text.hpp>
#include <ssekit/detail/log/log_bounds.hpp>
#include <ssekit/detail/log/newest_values.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/retention.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

/// Thread safety: as a container.
class event_log {
  public:
    struct entry {
        ssekit::frame frame;
        std::uint64_t offset = 0;
        time_point published{};
        std::uint64_t bytes_before = 0; ///< in all events that were ever before it
        std::uint32_t newer = 0; ///< how many positions on a newer event of its key is; 0: nowhere
        bool in_several = false; ///< other logs have it as well
        bool tells_of_gap = false; ///< it is no event, but says that events are missing here
    };

    /// \param lost_through what is already known to be lost, as an offset
    /// \param first the position of the first event
    explicit event_log(const retention& keep = {}, std::uint64_t lost_through = 0,
                       memory_resource* memory = heap(), std::uint64_t first = 0) noexcept
        : bounds_(keep), memory_(memory), begin_(first), end_(first), values_kept_from_(first),
          lost_through_(lost_through), shared_gone_(memory), keys_(memory), values_(memory) {}
    event_log(const event_log&) = delete;
    event_log& operator=(const event_log&) = delete;
    ~event_log() { detail::release_array(*memory_, ring_, capacity_); }

    /// Effects: keeps by other bounds from now on.
    void set_retention(const retention& keep, time_point now,
                       log_use use = log_use::idle) noexcept {
        const bool had_values = keeps_values();
        bounds_ = detail::log_bounds(keep);
        if (keeps_values() && !had_values) {
            values_.clear(); // nothing is left of those kept before that were newer
            for (std::uint64_t p = begin_; p != end_; ++p) {
                const entry& event = at(p);
                if (event.tells_of_gap || event.frame.label().key.empty()) continue;
                values_.set(event.frame, event.offset, bounds_.kept().values);
            }
        }
        values_.hold_to(bounds_.kept().values);
        trim(now, use);
    }
    [[nodiscard]] const retention& bounds() const noexcept { return bounds_.kept(); }

    /// Effects: from now on equal keys of different topics are different keys.
    /// Preconditions: the log is empty.
    void tell_topics_apart() noexcept {
        scope_ = detail::key_scope::topic;
        values_.set_scope(scope_);
    }

    /// Effects: what `lost_through` says grows to at least this.
    void set_lost_through(std::uint64_t offset) noexcept {
        lost_through_ = (std::max)(lost_through_, offset);
    }

    /// Effects: makes sure that the next `append` finds memory. \returns whether it does.
    /// \param key whether that event has a key
    /// \param gap whether an `append_gap` comes before it
    [[nodiscard]] bool reserve(bool key, time_point now, log_use use = log_use::idle,
                               bool gap = false) noexcept {
        if (key && !reserve_key()) return false;
        const std::size_t more = gap ? 2 : 1;
        if (capacity_ - size() >= more) return true;
        return (!gap && makes_room(now, use)) || grow();
    }

    /// Effects: adds an event and lets the oldest go as the bounds ask.
    /// Preconditions: `offset` is larger than any before.
    /// \returns errc::ok; errc::out_of_memory with nothing changed.
    /// Complexity: O(1) amortised; the ring stops growing at the bounds.
    errc append(frame event, std::uint64_t offset, time_point now, log_use use = log_use::idle,
                bool in_several = false) noexcept {
        if (!reserve(!event.label().key.empty(), now, use)) return errc::out_of_memory;
        append_reserved(std::move(event), offset, now, use, in_several);
        return errc::ok;
    }

    /// Effects: the same where `reserve` has said that there is memory.
    void append_reserved(frame event, std::uint64_t offset, time_point now, log_use use,
                         bool in_several) noexcept {
        const detail::key_text key(event, scope_);
        while (size() == capacity_) drop_oldest(); // before the ring would grow for one more
        if (!key.empty()) supersede(key);
        if (!key.empty() && keeps_values()) values_.set(event, offset, bounds_.kept().values);
        push(std::move(event), offset, now).in_several = in_several;
        trim(now, use);
    }

    /// Effects: adds a frame that says that events up to `offset` may be missing here: each reader
    /// gets it in its place, as it gets an event. \returns as `append`.
    errc append_gap(frame telling, std::uint64_t offset, time_point now) noexcept {
        if (size() == capacity_ && !grow()) return errc::out_of_memory;
        push(std::move(telling), offset, now).tells_of_gap = true;
        ++gaps_;
        newest_gap_ = offset;
        return errc::ok;
    }

    /// Effects: nothing is kept any more, and offsets begin anew after this one. Positions go on.
    void begin_anew(std::uint64_t offset) noexcept {
        while (size() != 0) {
            bytes_ -= at(begin_).frame.wire().size();
            at(begin_++) = {};
        }
        keys_.clear();
        values_.clear();
        shared_gone_.forget();
        gaps_ = 0;
        newest_gap_ = 0;
        values_kept_from_ = begin_;
        lost_through_ = newest_gone_ = offset;
    }

    /// Effects: another log has got the event as well.
    void note_in_several(std::uint64_t position) noexcept { at(position).in_several = true; }

    /// Effects: lets go what the bounds no longer cover at `now`. Where a log is idle a single
    /// event stays until its age is over, even if it exceeds `retention::bytes`.
    void trim(time_point now, log_use use = log_use::idle) noexcept {
        while (size() > bounds_.least(use) && has_to_go(now, use, size())) drop_oldest();
    }

    /// Effects: gives memory back that a burst has taken. Complexity: O(events kept).
    void shrink() noexcept {
        if (capacity_ > 64 && size() <= capacity_ / 8) static_cast<void>(resize(capacity_ / 4));
    }

    /// \returns when `trim` is worth calling next, `never` while no bound depends on time.
    [[nodiscard]] time_point next_expiry(log_use use = log_use::idle) const noexcept {
        if (size() <= bounds_.least(use)) return never;
        return bounds_.next_expiry(size(), bytes_, at(begin_).published);
    }

    /// Positions: of the oldest event kept, and of the next to come.
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }
    [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
    [[nodiscard]] std::size_t size() const noexcept {
        return static_cast<std::size_t>(end_ - begin_);
    }
    /// Of the events kept, and of the newest of each key besides.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_ + values_.bytes(); }

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
    /// Preconditions: begin() <= from; entries after one that is past it are past it as well.
    /// Complexity: O(log size).
    template <class Past>
    [[nodiscard]] std::uint64_t first_where(std::uint64_t from, Past&& past) const noexcept {
        return first_position(from, [&](std::uint64_t position) { return past(at(position)); });
    }

    /// \returns the position of the first event kept whose offset is larger than `offset`.
    [[nodiscard]] std::uint64_t after(std::uint64_t offset) const noexcept {
        return first_where(begin_, [&](const entry& e) { return e.offset > offset; });
    }

    /// The largest offset that has been appended; 0 while none has.
    [[nodiscard]] std::uint64_t newest_offset() const noexcept {
        return size() == 0 ? lost_through_ : (std::max)(lost_through_, at(end_ - 1).offset);
    }

    /// The largest offset that is no longer kept; 0 while nothing has gone.
    [[nodiscard]] std::uint64_t lost_through() const noexcept { return lost_through_; }

    /// The offset of the newest event that has gone from here; 0 while none has.
    [[nodiscard]] std::uint64_t newest_gone() const noexcept { return newest_gone_; }

    /// The offset of the newest gap that `append_gap` has told of; 0 while there is none.
    [[nodiscard]] std::uint64_t newest_gap() const noexcept { return newest_gap_; }

    /// No event from this position on has gone without being superseded first: a reader that is
    /// there and wants only the newest values has lost nothing, even if begin() is further on.
    [[nodiscard]] std::uint64_t values_kept_from() const noexcept { return values_kept_from_; }

    /// The newest events that have gone from here and were in other logs as well: effects:
    /// `call(offset)` for each from the position on.
    template <class Call>
    void for_each_shared_gone(std::uint64_t from, Call&& call) const {
        shared_gone_.for_each_from(from, call);
    }
    /// \returns whether it is among those, and stood before the position.
    [[nodiscard]] bool has_let_go(std::uint64_t offset, std::uint64_t before) const noexcept {
        return shared_gone_.has(offset, before);
    }
    /// Of the events that have gone from this position on, all that were in other logs are known.
    [[nodiscard]] std::uint64_t shared_known_from() const noexcept {
        return shared_gone_.known_from();
    }
    /// Whether there is an event, and not only entries that tell of gaps, or the newest of a key.
    [[nodiscard]] bool has_events() const noexcept { return size() > gaps_ || values() != 0; }
    /// Whether any event has ever had a key.
    [[nodiscard]] bool had_keys() const noexcept { return had_keys_; }

    /// \param place as of the last one, if it is known
    /// \returns the first event after the offset that is the newest of its key. Where
    /// `retention::values` keeps none, only those that the log still has.
    /// Complexity: O(log size), and O(keys) for all, one after the other; without
    /// `retention::values` O(size) for all. Lifetime: until the next append or trim.
    [[nodiscard]] detail::newest_value newest_after(std::uint64_t offset,
                                                    std::size_t place = 0) const noexcept {
        if (keeps_values()) return values_.after(offset, place);
        for (std::uint64_t p = after(offset); p != end_; ++p) {
            const entry& event = at(p);
            if (event.newer != 0 || event.tells_of_gap) continue;
            const frame_label label = event.frame.label();
            if (!label.key.empty() && !label.removes_key) return {&event.frame, event.offset};
        }
        return {};
    }
    /// Effects: what `retention::values` keeps is what `add_value` is given after this.
    void forget_values() noexcept { values_.clear(); }
    /// Effects: this is the newest event of its key, whether or not the log has it.
    /// Preconditions: it has a key; `offset` is larger than any before since `forget_values`.
    void add_value(const frame& event, std::uint64_t offset) noexcept {
        values_.set(event, offset, bounds_.kept().values);
    }
    [[nodiscard]] bool keeps_values() const noexcept { return bounds_.kept().values.keys != 0; }
    /// How many `retention::values` keeps.
    [[nodiscard]] std::size_t values() const noexcept { return values_.size(); }
    /// Effects: they are counted there. Lifetime: it outlives the log.
    /// Preconditions: there is none.
    void count_values_in(detail::value_totals& totals) noexcept { values_.count_in(totals); }

    /// How much more may be published at once before an event is dropped that a reader may not have
    /// read.
    [[nodiscard]] std::size_t room_for_events() const noexcept {
        return left(bounds_.most_events(log_use::read), size());
    }
    [[nodiscard]] std::size_t room_for_bytes() const noexcept {
        return left(bounds_.most_bytes(log_use::read), bytes_);
    }

    /// \returns what `begin` would be if an event of so many bytes were appended now, while
    /// somebody reads the log. Complexity: O(log size).
    [[nodiscard]] std::uint64_t begin_after(std::size_t bytes, time_point now) const noexcept {
        return first_position(begin_, [&](std::uint64_t position) {
            const auto count = static_cast<std::size_t>(end_ - position);
            const auto kept = static_cast<std::size_t>(bytes_from(position));
            const std::size_t all = bytes > ~kept ? ~std::size_t{0} : kept + bytes;
            return !bounds_.has_to_go(log_use::read, count + 1, all,
                                      [&] { return now - at(position).published; });
        });
    }

  private:
    static std::size_t left(std::size_t most, std::size_t used) noexcept {
        return most - (std::min)(most, used);
    }

    struct key_at {
        const event_log* self;
        const detail::key_text& key;
        std::string_view operator()(std::uint32_t position) const noexcept {
            return key.comparable({self->at(position).frame, self->scope_});
        }
    };

    // Not inlined, so that events without a key cost no more.
    [[gnu::noinline]] bool reserve_key() noexcept {
        return keys_.reserve() && (!keeps_values() || values_.reserve());
    }

    bool has_to_go(time_point now, log_use use, std::size_t count) const noexcept {
        return bounds_.has_to_go(use, count, bytes_, [&] { return now - at(begin_).published; });
    }

    // Whether one event more would make the oldest go.
    bool makes_room(time_point now, log_use use) const noexcept {
        return size() != 0 && has_to_go(now, use, size() + 1);
    }

    template <class Past>
    std::uint64_t first_position(std::uint64_t from, Past&& past) const noexcept {
        std::uint64_t low = from;
        for (std::uint64_t high = end_; low < high;) {
            const std::uint64_t middle = low + (high - low) / 2;
            if (past(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    entry& at(std::uint64_t position) const noexcept { return ring_[position & (capacity_ - 1)]; }

    entry& push(frame event, std::uint64_t offset, time_point now) noexcept {
        entry& made = at(end_++);
        const std::size_t bytes = event.wire().size();
        made = {std::move(event), offset, now, bytes_ever_};
        bytes_ever_ += bytes;
        bytes_ += bytes;
        return made;
    }

    void supersede(const detail::key_text& key) noexcept {
        const auto position = static_cast<std::uint32_t>(end_);
        had_keys_ = true;
        if (std::uint32_t* const old = keys_.find(key.view(), key_at{this, key})) {
            at(*old).newer = position - *old;
            *old = position;
        } else {
            keys_.insert(key.view(), position);
        }
    }

    void drop_oldest() noexcept {
        entry& oldest = at(begin_);
        if (oldest.newer == 0) {
            if (!keys_.empty()) {
                keys_.erase(detail::key_text(oldest.frame, scope_).view(),
                            static_cast<std::uint32_t>(begin_));
            }
            values_kept_from_ = begin_ + 1;
        }
        if (oldest.in_several) shared_gone_.remember(begin_, oldest.offset);
        if (oldest.tells_of_gap) --gaps_;
        ++begin_;
        bytes_ -= oldest.frame.wire().size();
        newest_gone_ = oldest.offset;
        lost_through_ = (std::max)(lost_through_, oldest.offset);
        oldest.frame = {};
    }

    bool grow() noexcept { return resize((std::max<std::size_t>)(capacity_ * 2, 8)); }

    bool resize(std::size_t capacity) noexcept {
        auto* const ring = detail::make_array<entry>(*memory_, capacity);
        if (ring == nullptr) return false;
        for (std::uint64_t i = begin_; i != end_; ++i) {
            ring[i & (capacity - 1)] = std::move(at(i));
        }
        detail::release_array(*memory_, std::exchange(ring_, ring), capacity_);
        capacity_ = capacity;
        return true;
    }

    detail::log_bounds bounds_;
    memory_resource* memory_;
    entry* ring_ = nullptr;
    std::size_t capacity_ = 0; // zero or a power of two
    std::size_t bytes_ = 0;
    std::uint64_t bytes_ever_ = 0;
    std::uint64_t begin_;
    std::uint64_t end_;
    std::uint64_t values_kept_from_;
    std::uint64_t lost_through_;
    std::uint64_t newest_gone_ = 0;
    std::uint64_t newest_gap_ = 0;
    detail::gone_events shared_gone_;
    std::size_t gaps_ = 0; // entries that tell of gaps
    detail::key_scope scope_ = detail::key_scope::log;
    bool had_keys_ = false;
    detail::text_index keys_;
    detail::newest_values values_;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
