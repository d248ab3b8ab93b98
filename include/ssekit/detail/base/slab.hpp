// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_SLAB_HPP
#define SSEKIT_DETAIL_BASE_SLAB_HPP

#include <ssekit/detail/base/memory.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Many objects of one type, each known by a number of four bytes for as long as it lives; 0 is no
/// object. Memory grows by pages of `PageSize` objects, is used again, and is given back when the
/// slab dies: so objects never move, and a million of them take little more than their size.
///
/// A vacant place holds the number of the next one; a bit for each place says whether it is taken.
template <class T, std::uint32_t PageSize>
class slab {
  public:
    static constexpr std::uint32_t none = 0;
    static constexpr std::size_t largest = (std::size_t{1} << 29) - 1; ///< number

    explicit slab(memory_resource* memory = heap()) noexcept : memory_(memory) {}
    slab(const slab&) = delete;
    slab& operator=(const slab&) = delete;
    ~slab() {
        for_each([this](std::uint32_t number) { (*this)[number].~T(); });
        for (std::size_t i = 0; i < page_count_; ++i) {
            memory_->deallocate(pages_[i], sizeof(page), alignof(page));
        }
        release_array(*memory_, pages_, page_capacity_);
    }

    [[nodiscard]] T& operator[](std::uint32_t number) const noexcept {
        return *std::launder(reinterpret_cast<T*>(place(number).bytes));
    }

    /// \returns the number of a new object, `none` when there is no memory.
    template <class... Arguments>
    [[nodiscard]] std::uint32_t make(Arguments&&... arguments) noexcept {
        if (vacant_ == none && !grow()) return none;
        const std::uint32_t number = vacant_;
        spot& at = place(number);
        vacant_ = at.next_vacant;
        flip(number);
        ::new (static_cast<void*>(at.bytes)) T(std::forward<Arguments>(arguments)...);
        return number;
    }

    void destroy(std::uint32_t number) noexcept {
        (*this)[number].~T();
        flip(number);
        place(number).next_vacant = std::exchange(vacant_, number);
    }

    [[nodiscard]] bool contains(std::uint32_t number) const noexcept {
        return number / PageSize < page_count_ && (word_of(number) & bit_of(number)) != 0;
    }

    /// Effects: calls `call(number)` for each object, which may destroy it or make others.
    template <class Call>
    void for_each(Call&& call) const {
        for (std::size_t i = 0; i < page_count_; ++i) {
            for (std::size_t word = 0; word < words; ++word) {
                for (std::uint64_t bits = pages_[i]->taken[word]; bits != 0; bits &= bits - 1) {
                    const auto in_word = static_cast<std::size_t>(std::countr_zero(bits));
                    call(static_cast<std::uint32_t>(i * PageSize + word * 64 + in_word));
                }
            }
        }
    }

  private:
    static_assert(std::has_single_bit(PageSize));
    static constexpr std::size_t words = (PageSize + 63) / 64;

    union spot {
        alignas(T) unsigned char bytes[sizeof(T)];
        std::uint32_t next_vacant;
    };
    struct page {
        spot places[PageSize];
        std::uint64_t taken[words];
    };

    spot& place(std::uint32_t number) const noexcept {
        return pages_[number / PageSize]->places[number % PageSize];
    }
    std::uint64_t& word_of(std::uint32_t number) const noexcept {
        return pages_[number / PageSize]->taken[number % PageSize / 64];
    }
    static std::uint64_t bit_of(std::uint32_t number) noexcept {
        return std::uint64_t{1} << number % PageSize % 64;
    }
    void flip(std::uint32_t number) noexcept { word_of(number) ^= bit_of(number); }

    bool grow() noexcept {
        if ((page_count_ + 1) * PageSize > largest) return false;
        if (page_count_ == page_capacity_) {
            const std::size_t capacity = std::max<std::size_t>(page_capacity_ * 2, 4);
            auto** const pages = make_array<page*>(*memory_, capacity);
            if (pages == nullptr) return false;
            std::copy_n(pages_, page_count_, pages);
            release_array(*memory_, std::exchange(pages_, pages), page_capacity_);
            page_capacity_ = capacity;
        }
        void* const raw = memory_->allocate(sizeof(page), alignof(page));
        if (raw == nullptr) return false;
        auto* const made = ::new (raw) page;
        std::fill_n(made->taken, words, std::uint64_t{0});
        const auto first = static_cast<std::uint32_t>(page_count_ * PageSize);
        pages_[page_count_++] = made;
        for (std::uint32_t i = 0; i < PageSize; ++i) {
            made->places[i].next_vacant = i + 1 == PageSize ? none : first + i + 1;
        }
        vacant_ = first == 0 ? 1 : first; // no object is number 0
        return true;
    }

    memory_resource* memory_;
    page** pages_ = nullptr;
    std::size_t page_count_ = 0;
    std::size_t page_capacity_ = 0;
    std::uint32_t vacant_ = none;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
