// SPDX-License-Identifier: MIT
//
// How many topics and tags there may be, and which of them goes when there are too many or its time
// has come.
//
// So that nothing goes for a call that is then refused, a call may make more than there may be, if
// as many of the others may go, and they go when it has come to its end.
#ifndef SSEKIT_DETAIL_HUB_TOPIC_PLACES_HPP
#define SSEKIT_DETAIL_HUB_TOPIC_PLACES_HPP

#include <ssekit/detail/base/slab.hpp>
#include <ssekit/detail/hub/idle_topics.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/detail/hub/topic_names.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

class topic_places {
  public:
    using number = std::uint32_t;

    topic_places(topic_slab& topics, const topic_names& all, const topic_limits& limits) noexcept
        : all_(&all), most_names_(limits.topics), most_tags_(limits.tags),
          keep_idle_(limits.keep_idle), names_(topics), tags_(topics) {}

    /// The topics of this kind that may go. Patterns that nobody reads are kept or are not there.
    [[nodiscard]] idle_topics& idle(topic_kind kind) noexcept {
        return kind == topic_kind::tag ? tags_ : names_;
    }

    /// \returns whether one more may be made.
    [[nodiscard]] bool has_room(topic_kind kind) noexcept {
        return there(kind) - idle(kind).unclaimed() < most(kind);
    }
    /// Effects: the topic does not go for others, until it is used or released.
    /// \returns false, with nothing done, when there would be too many then.
    [[nodiscard]] bool claim(topic_kind kind, number where) noexcept {
        idle(kind).claim(where);
        if (there(kind) - idle(kind).unclaimed() <= most(kind)) return true;
        idle(kind).release(where);
        return false;
    }

    /// \returns what has to go because there are too many, and counts it; 0 for none.
    [[nodiscard]] number too_many(topic_kind kind) noexcept {
        const number next = there(kind) > most(kind) ? idle(kind).first() : 0;
        made_way_ += next != 0 ? 1 : 0;
        return next;
    }
    /// \returns what has to go because of its time, and counts it; 0 for none.
    [[nodiscard]] number too_old(time_point now) noexcept {
        idle_topics& group = due(names_) <= now ? names_ : tags_;
        if (due(group) > now) return 0;
        ++timed_out_;
        return group.first();
    }
    [[nodiscard]] time_point next_deadline() const noexcept {
        return (std::min)(due(names_), due(tags_));
    }

    [[nodiscard]] std::uint64_t made_way() const noexcept { return made_way_; }
    [[nodiscard]] std::uint64_t timed_out() const noexcept { return timed_out_; }

  private:
    // Names and patterns have one bound together.
    [[nodiscard]] std::size_t there(topic_kind kind) const noexcept {
        if (kind == topic_kind::tag) return all_->size(kind);
        return all_->size(topic_kind::name) + all_->size(topic_kind::pattern);
    }
    [[nodiscard]] std::size_t most(topic_kind kind) const noexcept {
        return kind == topic_kind::tag ? most_tags_ : most_names_;
    }
    [[nodiscard]] time_point due(const idle_topics& group) const noexcept {
        if (keep_idle_.count() == 0 || group.first() == 0) return never;
        return group.first_used_at() + keep_idle_;
    }

    const topic_names* all_;
    std::size_t most_names_;
    std::size_t most_tags_;
    time_point::duration keep_idle_;
    idle_topics names_;
    idle_topics tags_;
    std::uint64_t made_way_ = 0;
    std::uint64_t timed_out_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
