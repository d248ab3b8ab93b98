// SPDX-License-Identifier: MIT
//
// Rings of numbered objects: list.hpp with numbers of four bytes in place of pointers. `at(number)`
// gives the link of an object, or of the head of a ring; a link on its own points at itself.
#ifndef SSEKIT_DETAIL_BASE_LINKS_HPP
#define SSEKIT_DETAIL_BASE_LINKS_HPP

#include <ssekit/detail/base/tuning.hpp>

#include <cstddef>
#include <cstdint>

namespace ssekit::inline SSEKIT_ABI::detail {

struct link {
    std::uint32_t previous;
    std::uint32_t next;
};

template <class At>
SSEKIT_INLINED [[nodiscard]] inline bool is_linked(At&& at, std::uint32_t item) noexcept {
    return at(item).next != item;
}

/// \param self the item's link
template <class At>
SSEKIT_INLINED inline void unlink(At&& at, std::uint32_t item, link& self) noexcept {
    at(self.previous).next = self.next;
    at(self.next).previous = self.previous;
    self = {item, item};
}
template <class At>
SSEKIT_INLINED inline void unlink(At&& at, std::uint32_t item) noexcept {
    unlink(at, item, at(item));
}

/// Preconditions: the item is on its own.
/// \param ring the head's link, \param self the item's
template <class At>
SSEKIT_INLINED inline void link_back(At&& at, std::uint32_t head, link& ring, std::uint32_t item,
                                     link& self) noexcept {
    self = {ring.previous, head};
    at(ring.previous).next = item;
    ring.previous = item;
}
template <class At>
SSEKIT_INLINED inline void link_back(At&& at, std::uint32_t head, std::uint32_t item) noexcept {
    link_back(at, head, at(head), item, at(item));
}

/// Moves all of the ring `from` to the end of the ring `to`.
template <class At>
SSEKIT_INLINED inline void splice_back(At&& at, std::uint32_t to, std::uint32_t from) noexcept {
    link& source = at(from);
    if (source.next == from) return;
    link& target = at(to);
    at(target.previous).next = source.next;
    at(source.next).previous = target.previous;
    at(source.previous).next = to;
    target.previous = source.previous;
    source = {from, from};
}

/// The rings of a wheel (wheel.hpp) of numbered objects: ring r has the head `first_head + r`.
template <class At>
class numbered_rings {
  public:
    numbered_rings(At at, std::uint32_t first_head) noexcept : at_(at), first_head_(first_head) {}

    void push_back(std::size_t ring, std::uint32_t item) noexcept {
        link_back(at_, head(ring), item);
    }
    [[nodiscard]] bool empty(std::size_t ring) const noexcept {
        return !is_linked(at_, head(ring));
    }
    void move_back(std::size_t to, std::size_t from) noexcept {
        splice_back(at_, head(to), head(from));
    }
    std::uint32_t pop_front(std::size_t ring) noexcept {
        const std::uint32_t first = at_(head(ring)).next;
        unlink(at_, first);
        return first;
    }

  private:
    std::uint32_t head(std::size_t ring) const noexcept {
        return first_head_ + static_cast<std::uint32_t>(ring);
    }

    At at_;
    std::uint32_t first_head_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
