// SPDX-License-Identifier: MIT
//
// Ids that publishers give, and which offset each stands for: the newest of them, up to a bound. An
// id that is remembered is not given again, so a client that comes back with it is at one place.
// Where ids have an order, they only grow, and any id has its place between them.
#ifndef SSEKIT_DETAIL_HUB_GIVEN_IDS_HPP
#define SSEKIT_DETAIL_HUB_GIVEN_IDS_HPP

#include <ssekit/detail/base/memory.hpp>
#include <ssekit/detail/base/owned_text.hpp>
#include <ssekit/detail/base/text_index.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns whether a client can bring the id back as it got it: header fields lose spaces at their
/// edges, and some control bytes end the request.
/// Spec: RFC 9110, 5.5 "Field Values".
[[nodiscard]] constexpr bool is_returnable(std::string_view id, std::size_t longest) noexcept {
    if (id.size() > longest) return false;
    if (!id.empty() && (id.front() == ' ' || id.back() == ' ')) return false;
    return std::none_of(id.begin(), id.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

template <class Less>
class given_ids {
  public:
    given_ids(std::size_t most, std::size_t longest, Less less, memory_resource* memory) noexcept
        : most_((std::max<std::size_t>)(most, 1)), longest_(longest), less_(less), memory_(memory),
          index_(memory) {}
    given_ids(const given_ids&) = delete;
    given_ids& operator=(const given_ids&) = delete;
    ~given_ids() { release_array(*memory_, ring_, capacity_); }

    /// \returns errc::ok, or why no event may bear the id: id_is_missing, unreturnable_id,
    /// id_is_taken, out_of_sequence.
    [[nodiscard]] errc admit(std::string_view id) const noexcept {
        if (id.empty()) return errc::id_is_missing;
        if (!is_returnable(id, longest_)) return errc::unreturnable_id;
        if (find(id) != 0) return errc::id_is_taken;
        if (less_ && begin_ != end_ && !less_(at(end_ - 1).id.view(), id)) {
            return errc::out_of_sequence;
        }
        return errc::ok;
    }

    /// Effects: makes sure that the next `add` finds memory, and keeps the text for it.
    [[nodiscard]] bool reserve(std::string_view id) noexcept {
        return (end_ - begin_ < capacity_ || end_ - begin_ >= most_ || grow()) &&
               index_.reserve() && next_.assign(id, *memory_);
    }
    /// Effects: the id that was reserved stands for this offset, which is larger than any before.
    void add(std::uint64_t offset) noexcept {
        if (end_ - begin_ >= most_) {
            index_.erase(at(begin_).id.view(), static_cast<std::uint32_t>(begin_));
            at(begin_++).id = {};
        }
        index_.insert(next_.view(), static_cast<std::uint32_t>(end_));
        at(end_++) = {std::move(next_), offset};
    }

    /// \returns the offset of the event with this id, 0 when it is not remembered.
    [[nodiscard]] std::uint64_t find(std::string_view id) const noexcept {
        const std::uint32_t* const found = index_.find(id, text_at{this});
        return found == nullptr ? 0 : at(*found).offset;
    }

    /// \returns the id of the event at this offset; "" when it is not remembered.
    /// Lifetime: until the next `add`.
    [[nodiscard]] std::string_view id_at(std::uint64_t offset) const noexcept {
        std::uint64_t low = begin_;
        for (std::uint64_t high = end_; low < high;) {
            const std::uint64_t middle = low + (high - low) / 2;
            if (at(middle).offset < offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low != end_ && at(low).offset == offset ? at(low).id.view() : std::string_view();
    }

    /// What an id is worth that a client brings.
    struct place {
        std::uint64_t offset; ///< the client has what was published through this
        bool known;           ///< else nothing can be said
        bool ahead;           ///< of every id that there is
    };
    [[nodiscard]] place locate(std::string_view id) const noexcept {
        if (const std::uint64_t offset = find(id)) return {offset, true, false};
        if (!less_ || begin_ == end_) return {0, false, false};
        if (less_(at(end_ - 1).id.view(), id)) return {0, false, true};
        if (less_(id, at(begin_).id.view())) return {0, false, false};
        std::uint64_t low = begin_;
        for (std::uint64_t high = end_; low + 1 < high;) {
            const std::uint64_t middle = low + (high - low) / 2;
            (less_(id, at(middle).id.view()) ? high : low) = middle;
        }
        return {at(low).offset, true, false};
    }

  private:
    struct given {
        owned_text id;
        std::uint64_t offset = 0;
    };
    struct text_at {
        const given_ids* self;
        std::string_view operator()(std::uint32_t position) const noexcept {
            return self->at(position).id.view();
        }
    };

    given& at(std::uint64_t position) const noexcept { return ring_[position & (capacity_ - 1)]; }

    bool grow() noexcept {
        const std::size_t capacity = (std::max<std::size_t>)(capacity_ * 2, 16);
        auto* const ring = make_array<given>(*memory_, capacity);
        if (ring == nullptr) return false;
        for (std::uint64_t i = begin_; i != end_; ++i) {
            ring[i & (capacity - 1)] = std::move(at(i));
        }
        release_array(*memory_, std::exchange(ring_, ring), capacity_);
        capacity_ = capacity;
        return true;
    }

    std::size_t most_;
    std::size_t longest_;
    Less less_;
    memory_resource* memory_;
    given* ring_ = nullptr;
    std::size_t capacity_ = 0; // zero or a power of two
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;
    owned_text next_;
    text_index index_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
