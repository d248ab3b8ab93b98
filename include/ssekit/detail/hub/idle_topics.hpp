// SPDX-License-Identifier: MIT
//
// Topics that may go, because nobody reads them and nobody keeps them, in the order of their last
// use: the one that was used longest ago is the first. A call that names several topics claims
// those that it finds here, so that none of them goes for another one of the same call.
#ifndef SSEKIT_DETAIL_HUB_IDLE_TOPICS_HPP
#define SSEKIT_DETAIL_HUB_IDLE_TOPICS_HPP

#include <ssekit/detail/base/links.hpp>
#include <ssekit/detail/base/slab.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/time.hpp>

#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

class idle_topics {
  public:
    using number = std::uint32_t;

    explicit idle_topics(topic_slab& topics) noexcept : topics_(&topics) {}
    idle_topics(const idle_topics&) = delete;
    idle_topics& operator=(const idle_topics&) = delete;

    [[nodiscard]] bool contains(number where) noexcept { return is_linked(links{this}, where); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// How many may go now.
    [[nodiscard]] std::size_t unclaimed() const noexcept { return size_ - claimed_; }

    /// Effects: the topic is here, as the one that was used last. Safe to repeat.
    void use(number where, time_point now) noexcept {
        leave(where);
        (*topics_)[where].used_at = now;
        link_back(links{this}, head, where);
        ++size_;
    }
    /// Effects: the topic is not here. Safe to repeat.
    void leave(number where) noexcept {
        if (!contains(where)) return;
        release(where);
        unlink(links{this}, where);
        --size_;
    }

    /// Effects: the topic, if it is here, does not count as one that may go. Safe to repeat.
    void claim(number where) noexcept {
        if (!contains(where) || (*topics_)[where].claimed) return;
        (*topics_)[where].claimed = true;
        ++claimed_;
    }
    /// Effects: undoes that; its place stays what it was. Safe to repeat.
    void release(number where) noexcept {
        if (!(*topics_)[where].claimed) return;
        (*topics_)[where].claimed = false;
        --claimed_;
    }

    /// \returns the topic that goes first, 0 when there is none.
    [[nodiscard]] number first() const noexcept { return ring_.next == head ? 0 : ring_.next; }
    /// \returns when that one was used last, `never` when there is none.
    [[nodiscard]] time_point first_used_at() const noexcept {
        return first() == 0 ? never : (*topics_)[first()].used_at;
    }

  private:
    static constexpr number head = 1u << 31;
    struct links {
        idle_topics* self;
        link& operator()(number item) const noexcept {
            return item == head ? self->ring_ : (*self->topics_)[item].unused;
        }
    };

    topic_slab* topics_;
    link ring_{head, head};
    std::size_t size_ = 0;
    std::size_t claimed_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
