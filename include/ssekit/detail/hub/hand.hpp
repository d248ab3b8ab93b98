// SPDX-License-Identifier: MIT
//
// What a stream has given out and what is not consumed yet: whole frames, the first of them perhaps
// in part. They stay in the hand until they are consumed, whatever becomes of the log, so nothing
// tears or moves them.
#ifndef SSEKIT_DETAIL_HUB_HAND_HPP
#define SSEKIT_DETAIL_HUB_HAND_HPP

#include <ssekit/detail/base/slab.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/framing.hpp>
#include <ssekit/memory.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

struct hand {
    static constexpr std::size_t capacity = 32;

    std::array<frame, capacity> frames;
    std::uint32_t first = 0;
    std::uint32_t size = 0;  // frames held: [first, size)
    std::size_t offset = 0;  // bytes of the first that have left
    std::uint32_t since = 0; // the last progress, or when it was taken, as coarse_time
    std::uint32_t next = 0;  // the next one in the pool

    /// Effects: fills the slices with what is held and, as far as there is room, with what `more`
    /// gives, until that gives an empty frame. Preconditions: it holds a frame; slices is not
    /// empty.
    /// \returns how many slices are filled.
    template <class More>
    std::size_t show(std::span<std::string_view> slices, framing form, More&& more) noexcept {
        std::size_t count = 0;
        for (std::size_t i = first; count != slices.size(); ++i) {
            if (i == size) {
                if (size == capacity) break;
                frame taken = more();
                if (!taken) break;
                frames[size++].swap(taken);
            }
            slices[count++] = frames[i].in(form);
        }
        slices[0].remove_prefix(offset);
        return count;
    }

    /// Effects: holds one frame more, after the others, if there is room.
    void add(frame&& last) noexcept {
        if (size != capacity) frames[size++].swap(last);
    }

    /// Effects: lets go what has left. \returns whether nothing is held any more.
    bool consume(std::size_t bytes, framing form) noexcept {
        while (first != size) {
            const std::size_t left = frames[first].in(form).size() - offset;
            if (bytes < left) {
                offset += bytes;
                return false;
            }
            bytes -= left;
            offset = 0;
            frames[first++] = {};
        }
        return true;
    }
};

/// Hands that are not in use stay as they are: clearing room for 32 frames each time would cost
/// more than sending one.
class hand_pool {
  public:
    explicit hand_pool(memory_resource* memory) noexcept : hands_(memory) {}

    [[nodiscard]] hand& operator[](std::uint32_t number) const noexcept { return hands_[number]; }

    /// \returns a hand with one frame, null when there is no memory.
    [[nodiscard]] hand* take(frame&& first, std::uint32_t now, std::uint32_t& number) noexcept {
        if (unused_ == 0) unused_ = hands_.make();
        number = unused_;
        if (number == 0) return nullptr;
        hand& made = hands_[number];
        unused_ = made.next;
        made.frames[0].swap(first);
        made.size = 1;
        made.since = now;
        return &made;
    }

    /// \param used the hand of this number
    void give_back(std::uint32_t number, hand& used) noexcept {
        while (used.first != used.size) used.frames[used.first++] = {};
        used.first = used.size = 0;
        used.offset = 0;
        used.next = std::exchange(unused_, number);
    }

  private:
    slab<hand, 8> hands_;
    std::uint32_t unused_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
