// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_FRAME_GROWING_BLOCK_HPP
#define SSEKIT_DETAIL_FRAME_GROWING_BLOCK_HPP

#include <ssekit/detail/base/buffer.hpp>
#include <ssekit/detail/base/size.hpp>
#include <ssekit/detail/frame/block.hpp>
#include <ssekit/frame_label.hpp>
#include <ssekit/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// The memory of a frame_block whose wire form is not complete yet. The space before the wire form
/// is left free, so that it becomes a frame without being copied.
class growing_block {
  public:
    static constexpr std::size_t first_capacity = 96;

    explicit growing_block(memory_resource* resource) noexcept : resource_(resource) {}
    growing_block(growing_block&& other) noexcept : growing_block(other.resource_) { swap(other); }
    growing_block& operator=(growing_block&& other) noexcept {
        growing_block(std::move(other)).swap(*this);
        return *this;
    }
    ~growing_block() { clear(); }

    [[nodiscard]] std::string_view wire() const noexcept {
        return memory_ == nullptr ? std::string_view()
                                  : std::string_view(memory_ + frame_block::head_room, wire_size());
    }

    /// \returns false, with nothing changed, when there is no memory.
    [[nodiscard]] bool append(std::string_view bytes) noexcept {
        if (bytes.empty()) return true; // there may be no memory yet
        if (bytes.size() > capacity_ - size_ && !grow(bytes.size())) return false;
        copy_few(memory_ + size_, bytes.data(), bytes.size());
        size_ += bytes.size();
        return true;
    }

    void clear() noexcept {
        if (memory_ != nullptr) frame_block::deallocate(memory_, capacity_, resource_);
        memory_ = nullptr;
        size_ = capacity_ = frame_block::head_room;
    }

    /// \returns the block, which is the caller's now, or null and nothing changed.
    /// Preconditions: the wire form is not empty, and it and the label fit the block's fields.
    [[nodiscard]] frame_block* finish(const frame_label& label) noexcept {
        const std::size_t more = frame_block::size_after_wire(label.topic.size() + label.key.size(),
                                                              resource_ == heap());
        if (more > capacity_ - size_ && !grow(more)) return nullptr;
        frame_block* const made = frame_block::construct(
            memory_, wire_size(), frame_content::blocks, label, capacity_, resource_);
        memory_ = nullptr;
        size_ = capacity_ = frame_block::head_room;
        return made;
    }

  private:
    [[nodiscard]] std::size_t wire_size() const noexcept { return size_ - frame_block::head_room; }

    bool grow(std::size_t more) noexcept {
        const std::size_t needed = add_sizes(size_, more);
        const std::size_t doubled = add_sizes(capacity_, capacity_);
        const std::size_t capacity = (std::max)({needed, doubled, first_capacity});
        char* const memory = frame_block::allocate(capacity, resource_);
        if (memory == nullptr) return false;
        if (memory_ != nullptr) {
            copy_bytes(memory, memory_, size_);
            frame_block::deallocate(memory_, capacity_, resource_);
        }
        memory_ = memory;
        capacity_ = capacity;
        return true;
    }

    void swap(growing_block& other) noexcept {
        std::swap(resource_, other.resource_);
        std::swap(memory_, other.memory_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

    memory_resource* resource_;
    char* memory_ = nullptr;
    // Both count from the start of the allocation, even while there is none.
    std::size_t size_ = frame_block::head_room;
    std::size_t capacity_ = frame_block::head_room;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
