// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_LOG_GONE_EVENTS_HPP
#define SSEKIT_DETAIL_LOG_GONE_EVENTS_HPP

#include <ssekit/detail/base/memory.hpp>
#include <ssekit/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Of the events that a log has let go and that other logs had as well, the newest: a reader of
/// several logs may have got them from another one, and then they are not missing.
class gone_events {
  public:
    explicit gone_events(memory_resource* memory) noexcept : memory_(memory) {}
    gone_events(const gone_events&) = delete;
    gone_events& operator=(const gone_events&) = delete;
    ~gone_events() { release_array(*memory_, events_, events_ == nullptr ? 0 : most); }

    /// Effects: remembers one. Without memory none is known any more.
    void remember(std::uint64_t position, std::uint64_t offset) noexcept {
        if (events_ == nullptr) events_ = make_array<event>(*memory_, most);
        if (events_ == nullptr) {
            known_from_ = position + 1;
            return;
        }
        event& place = events_[ever_ % most];
        if (ever_ >= most) known_from_ = place.position + 1;
        place = {position, offset};
        ++ever_;
    }

    /// Effects: there have been none.
    void forget() noexcept { ever_ = 0, known_from_ = 0; }

    /// Effects: `call(offset)` for each from the position on.
    template <class Call>
    void for_each_from(std::uint64_t position, Call&& call) const {
        for (std::size_t i = 0; i < (std::min)(ever_, most); ++i) {
            if (events_[i].position >= position) call(events_[i].offset);
        }
    }
    /// \returns whether the offset is among them, and stood before the position.
    [[nodiscard]] bool has(std::uint64_t offset, std::uint64_t before) const noexcept {
        for (std::size_t i = 0; i < (std::min)(ever_, most); ++i) {
            if (events_[i].offset == offset) return events_[i].position < before;
        }
        return false;
    }
    /// All that have gone from this position on are known.
    [[nodiscard]] std::uint64_t known_from() const noexcept { return known_from_; }

  private:
    struct event {
        std::uint64_t position = 0;
        std::uint64_t offset = 0;
    };
    static constexpr std::size_t most = 32;

    memory_resource* memory_;
    event* events_ = nullptr; // a ring
    std::size_t ever_ = 0;
    std::uint64_t known_from_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
