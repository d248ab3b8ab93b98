// SPDX-License-Identifier: MIT
//
// Tags whose last stream has gone, and that may come back before anybody is told. Each waits for
// the same time, so they are a queue: the first to come is the first to be due. Only the name is
// kept, because the tag itself may be forgotten meanwhile.
#ifndef SSEKIT_DETAIL_HUB_DEPARTURES_HPP
#define SSEKIT_DETAIL_HUB_DEPARTURES_HPP

#include <ssekit/detail/base/text_queue.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/time.hpp>

#include <cstddef>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

class departures {
  public:
    departures(std::size_t most, memory_resource* memory) noexcept
        : most_(most), waiting_(memory) {}

    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }
    [[nodiscard]] bool is_full() const noexcept { return waiting_.size() >= most_; }

    /// Effects: the tag is the last to be due.
    /// \returns false, with nothing changed, without memory.
    /// Preconditions: it is not here, it is not due before the last one, and there is room.
    [[nodiscard]] bool add(std::string_view tag, time_point due) noexcept {
        return waiting_.add(tag, due);
    }

    [[nodiscard]] bool contains(std::string_view tag) const noexcept {
        return waiting_.find(tag) != nullptr;
    }
    /// Effects: the tag is not here. \returns whether it was.
    bool take(std::string_view tag) noexcept {
        if (!contains(tag)) return false;
        waiting_.remove(tag);
        return true;
    }

    /// When the first is due; `never` while there is none.
    [[nodiscard]] time_point next_deadline() const noexcept {
        return waiting_.size() == 0 ? never : waiting_.first();
    }
    /// Preconditions: there is one. Lifetime: until it goes.
    [[nodiscard]] std::string_view first() const noexcept { return waiting_.first_text(); }
    void drop_first() noexcept { waiting_.drop_first(); }
    void clear() noexcept {
        while (size() != 0) drop_first();
    }

    /// Effects: `call(tag)` for each, the first to be due first.
    template <class Call>
    void for_each(Call&& call) const {
        waiting_.for_each([&](std::string_view tag, time_point) { call(tag); });
    }

  private:
    std::size_t most_;
    text_queue<time_point> waiting_; // with when each is due
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
