// SPDX-License-Identifier: MIT
//
// What is remembered of topics that a hub has forgotten: the offset of the newest event of each, so
// that a client that comes back from before it is told of a gap, and no other client. There is a
// bound; past it the oldest entry goes, and what is left of all of those is one number: the offset
// through which events of topics that are no longer remembered may be lost.
#ifndef SSEKIT_DETAIL_HUB_FORGOTTEN_HPP
#define SSEKIT_DETAIL_HUB_FORGOTTEN_HPP

#include <ssekit/detail/base/text_queue.hpp>
#include <ssekit/detail/hub/patterns.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/event_log.hpp>
#include <ssekit/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

class forgotten_names {
  public:
    forgotten_names(std::size_t most, memory_resource* memory) noexcept
        : most_(most), names_(memory) {}

    /// Effects: remembers that events of the name up to `newest` are lost.
    /// Preconditions: the name is not remembered.
    void remember(std::string_view name, std::uint64_t newest) noexcept {
        if (names_.size() >= most_ && names_.size() != 0) {
            lose(names_.first());
            names_.drop_first();
        }
        if (most_ == 0 || !names_.add(name, newest)) lose(newest);
    }

    /// Effects: the name is in use again, and no longer remembered here.
    /// \returns the offset through which its events are lost, or may be.
    [[nodiscard]] std::uint64_t recall(std::string_view name) noexcept {
        const std::uint64_t* const found = names_.find(name);
        if (found == nullptr) return lost_through_;
        const std::uint64_t newest = *found;
        names_.remove(name);
        return newest;
    }

    /// \returns the same for all names that `wanted` picks. Complexity: O(names remembered).
    template <class Wanted>
    [[nodiscard]] std::uint64_t lost_where(Wanted&& wanted) const noexcept {
        std::uint64_t lost = lost_through_;
        names_.for_each([&](std::string_view name, std::uint64_t newest) {
            if (newest > lost && wanted(name)) lost = newest;
        });
        return lost;
    }

    /// Effects: nothing is lost, or remembered.
    void clear() noexcept {
        while (names_.size() != 0) names_.drop_first();
        lost_through_ = 0;
    }

    /// The offset through which events may be lost of names that are not remembered.
    [[nodiscard]] std::uint64_t lost_through() const noexcept { return lost_through_; }
    [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

  private:
    void lose(std::uint64_t newest) noexcept { lost_through_ = (std::max)(lost_through_, newest); }

    std::size_t most_;
    std::uint64_t lost_through_ = 0;
    text_queue<std::uint64_t> names_; // with the newest offset of each, in the order of forgetting
};

/// The same for the topics of a hub by kind, with what has gone to all of them.
class forgotten_topics {
  public:
    forgotten_topics(std::size_t most, memory_resource* memory) noexcept
        : names_(most, memory), tags_(most, memory) {}

    void clear() noexcept {
        names_.clear();
        tags_.clear();
        to_all_ = 0;
    }

    /// Effects: an event has gone to all topics that there are, and to none that there will be.
    void went_to_all(std::uint64_t offset) noexcept { to_all_ = offset; }

    /// Effects: what the topic has had is lost for one that takes its name. A pattern leaves
    /// nothing to remember: its names have their own.
    void remember(const topic& gone) noexcept {
        if (gone.kind == topic_kind::pattern) return;
        forgotten_names& others = of(gone.kind);
        // Also what came before an event that went to all: a pattern may have that one from others.
        const std::uint64_t newest = gone.log.newest_offset();
        if (newest > others.lost_through()) others.remember(gone.name(), newest);
    }

    /// Effects: events of a name that is not in use, up to this offset, are lost as well.
    void lose(topic_kind kind, std::string_view name, std::uint64_t offset) noexcept {
        forgotten_names& others = of(kind);
        const std::uint64_t before = others.recall(name);
        others.remember(name, (std::max)(before, offset));
    }

    /// Effects: a name is no longer remembered, for it is in use again.
    /// \returns the offset through which a topic that has just been made may have lost events.
    [[nodiscard]] std::uint64_t recall(const topic& made) noexcept {
        if (made.kind == topic_kind::tag) return tags_.recall(made.name());
        const std::uint64_t to_all = has(made.log, to_all_) ? 0 : to_all_;
        if (made.kind == topic_kind::name) return (std::max)(to_all, names_.recall(made.name()));
        return (std::max)(to_all, names_.lost_where([&](std::string_view name) {
            return matches(made.name(), name);
        }));
    }

  private:
    static bool has(const event_log& log, std::uint64_t offset) noexcept {
        if (offset == 0) return false;
        const std::uint64_t at = log.after(offset - 1);
        return at != log.end() && log[at].offset == offset;
    }
    forgotten_names& of(topic_kind kind) noexcept {
        return kind == topic_kind::tag ? tags_ : names_;
    }

    forgotten_names names_;
    forgotten_names tags_;
    std::uint64_t to_all_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
