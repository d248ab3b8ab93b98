// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_TEXT_INDEX_HPP
#define SSEKIT_DETAIL_BASE_TEXT_INDEX_HPP

#include <ssekit/detail/base/memory.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Numbers by text: a hash table with open addressing. The texts themselves stay where they are, in
/// a log or in a slab, so each search brings `text_at(number)`. Only the lower 32 bits of an
/// event's position are kept, which is enough for a ring.
class text_index {
  public:
    explicit text_index(memory_resource* memory = heap()) noexcept : memory_(memory) {}
    text_index(const text_index&) = delete;
    text_index& operator=(const text_index&) = delete;
    ~text_index() { release_array(*memory_, slots_, capacity_); }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Effects: makes sure that one more text finds a place. \returns whether there is memory.
    [[nodiscard]] bool reserve() noexcept {
        if ((size_ + 1) * 2 <= capacity_) return true;
        const std::size_t capacity = std::max<std::size_t>(capacity_ * 2, 16);
        auto* const slots = make_array<slot>(*memory_, capacity);
        if (slots == nullptr) return false;
        slot* const old = std::exchange(slots_, slots);
        const std::size_t old_capacity = std::exchange(capacity_, capacity);
        for (std::size_t i = 0; i < old_capacity; ++i) {
            if (old[i].hash != 0) *place_for(old[i].hash) = old[i];
        }
        release_array(*memory_, old, old_capacity);
        return true;
    }

    /// Effects: no text has a number. The memory stays.
    void clear() noexcept {
        std::fill_n(slots_, capacity_, slot());
        size_ = 0;
    }

    /// \returns the number of the text, nullptr when it has none.
    template <class TextAt>
    [[nodiscard]] std::uint32_t* find(std::string_view text, TextAt&& text_at) const noexcept {
        if (size_ == 0) return nullptr;
        const std::uint32_t hash = hash_of(text);
        for (std::size_t i = hash & (capacity_ - 1);; i = (i + 1) & (capacity_ - 1)) {
            if (slots_[i].hash == 0) return nullptr;
            if (slots_[i].hash == hash && text_at(slots_[i].number) == text) {
                return &slots_[i].number;
            }
        }
    }

    /// Preconditions: the text has no number; reserve().
    void insert(std::string_view text, std::uint32_t number) noexcept {
        const std::uint32_t hash = hash_of(text);
        *place_for(hash) = {hash, number};
        ++size_;
    }

    /// Effects: forgets the text if this is its number.
    void erase(std::string_view text, std::uint32_t number) noexcept {
        if (size_ == 0) return;
        const std::uint32_t hash = hash_of(text);
        std::size_t hole = hash & (capacity_ - 1);
        for (; slots_[hole].hash != hash || slots_[hole].number != number;
             hole = (hole + 1) & (capacity_ - 1)) {
            if (slots_[hole].hash == 0) return;
        }
        // What was displaced by the one that goes moves up, so that no search ends too early.
        for (std::size_t i = (hole + 1) & (capacity_ - 1); slots_[i].hash != 0;
             i = (i + 1) & (capacity_ - 1)) {
            const std::size_t home = slots_[i].hash & (capacity_ - 1);
            if (((i - home) & (capacity_ - 1)) < ((i - hole) & (capacity_ - 1))) continue;
            slots_[std::exchange(hole, i)] = slots_[i];
        }
        slots_[hole] = {};
        --size_;
    }

  private:
    struct slot {
        std::uint32_t hash = 0; // 0: vacant
        std::uint32_t number = 0;
    };

    static std::uint32_t hash_of(std::string_view text) noexcept {
        return static_cast<std::uint32_t>(std::hash<std::string_view>{}(text)) | 1u << 31;
    }

    slot* place_for(std::uint32_t hash) const noexcept {
        std::size_t i = hash & (capacity_ - 1);
        while (slots_[i].hash != 0) i = (i + 1) & (capacity_ - 1);
        return &slots_[i];
    }

    memory_resource* memory_;
    slot* slots_ = nullptr;
    std::size_t capacity_ = 0; // zero or a power of two
    std::size_t size_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
