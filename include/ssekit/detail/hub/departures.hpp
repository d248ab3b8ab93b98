// SPDX-License-Identifier: MIT
//
// Tags whose last stream has gone, and that may come back before anybody is told. Each waits for
// the same time, so they are a queue: the first to come is the first to be due. Only the name is
// kept, because the tag itself may be forgotten meanwhile.
#ifndef SSEKIT_DETAIL_HUB_DEPARTURES_HPP
#define SSEKIT_DETAIL_HUB_DEPARTURES_HPP

#include <ssekit/detail/base/links.hpp>
#include <ssekit/detail/base/owned_text.hpp>
#include <ssekit/detail/base/slab.hpp>
#include <ssekit/detail/base/text_index.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

class departures {
  public:
    departures(std::size_t most, memory_resource* memory) noexcept
        : most_(most), memory_(memory), index_(memory), waiting_(memory) {}
    departures(const departures&) = delete;
    departures& operator=(const departures&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool is_full() const noexcept { return count_ >= most_; }

    /// Effects: the tag is the last to be due. \returns false, with nothing changed, without
    /// memory.
    /// Preconditions: it is not here, it is not due before the last one, and there is room.
    [[nodiscard]] bool add(std::string_view tag, time_point due) noexcept {
        const std::uint32_t made = index_.reserve() ? waiting_.make() : 0;
        if (made == 0) return false;
        if (!waiting_[made].tag.assign(tag, *memory_)) {
            waiting_.destroy(made);
            return false;
        }
        waiting_[made].due = due;
        waiting_[made].order = {made, made};
        link_back(links{this}, head, made);
        index_.insert(tag, made);
        ++count_;
        return true;
    }

    [[nodiscard]] bool contains(std::string_view tag) const noexcept {
        return index_.find(tag, text_at{this}) != nullptr;
    }
    /// Effects: the tag is not here. \returns whether it was.
    bool take(std::string_view tag) noexcept {
        const std::uint32_t* const found = index_.find(tag, text_at{this});
        if (found == nullptr) return false;
        drop(*found);
        return true;
    }

    /// When the first is due; `never` while there is none.
    [[nodiscard]] time_point next_deadline() const noexcept {
        return count_ == 0 ? never : waiting_[ring_.next].due;
    }
    /// Preconditions: there is one. Lifetime: until it goes.
    [[nodiscard]] std::string_view first() const noexcept {
        return waiting_[ring_.next].tag.view();
    }
    void drop_first() noexcept { drop(ring_.next); }
    void clear() noexcept {
        while (count_ != 0) drop_first();
    }

    /// Effects: `call(tag)` for each, the first to be due first.
    template <class Call>
    void for_each(Call&& call) const {
        for (std::uint32_t at = ring_.next; at != head; at = waiting_[at].order.next) {
            call(waiting_[at].tag.view());
        }
    }

  private:
    struct departure {
        owned_text tag;
        time_point due{};
        link order{};
    };
    static constexpr std::uint32_t head = 1u << 31;
    struct links {
        departures* self;
        link& operator()(std::uint32_t item) const noexcept {
            return item == head ? self->ring_ : self->waiting_[item].order;
        }
    };
    struct text_at {
        const departures* self;
        std::string_view operator()(std::uint32_t item) const noexcept {
            return self->waiting_[item].tag.view();
        }
    };

    void drop(std::uint32_t item) noexcept {
        index_.erase(waiting_[item].tag.view(), item);
        unlink(links{this}, item);
        waiting_.destroy(item);
        --count_;
    }

    std::size_t most_;
    memory_resource* memory_;
    std::size_t count_ = 0;
    link ring_{head, head};
    text_index index_;
    slab<departure, 64> waiting_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
