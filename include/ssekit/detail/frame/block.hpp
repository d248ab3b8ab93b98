// SPDX-License-Identifier: MIT
//
// The one allocation of a frame: its layout, where its memory comes from and where it returns to.
//
//     | frame_block | room | "2f\r\n" | wire form | "\r\n" | topic | key | origin |
//
// The head of the chunk ends where the wire form begins, because its length is known last. The
// origin, which says where to return the memory, is there only when that is not the heap.
#ifndef SSEKIT_DETAIL_FRAME_BLOCK_HPP
#define SSEKIT_DETAIL_FRAME_BLOCK_HPP

#include <ssekit/detail/base/buffer.hpp>
#include <ssekit/detail/base/size.hpp>
#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/frame_label.hpp>
#include <ssekit/memory.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// What the wire form is known to be.
enum class frame_content : std::uint8_t {
    event,   ///< one block that an encoder has written, the id first
    blocks,  ///< what a builder has collected: whole blocks
    comment, ///< comment lines
    bytes,   ///< anything
};

struct frame_block {
    static constexpr std::string_view chunk_end = "\r\n";
    static constexpr std::size_t head_room = 16 + sizeof "ffffffff\r\n" - 1;
    static constexpr std::size_t longest_wire = 0xffffffff;
    static constexpr std::size_t longest_label = 0xffff;

    /// Where the memory came from, if not the heap.
    struct origin {
        memory_resource* memory;
        std::size_t size;
    };

    std::atomic<std::uint32_t> owners{1};
    std::uint32_t size = 0;       // of the wire form
    std::uint16_t topic_size = 0; // of the label's parts
    std::uint16_t key_size = 0;
    std::uint8_t head_size = 0; // of the chunk's parts
    std::uint8_t tail_size = 0;
    frame_content content = frame_content::bytes;
    bool from_heap : 1 = true;
    bool removes_key : 1 = false;

    [[nodiscard]] static constexpr bool fits(std::string_view topic,
                                             std::string_view key) noexcept {
        return (topic.size() | key.size()) <= longest_label; // which is all ones
    }

    /// \returns the bytes that an allocation has after the wire form.
    template <std::unsigned_integral Size>
    [[nodiscard]] static constexpr Size size_after_wire(Size label, bool heap) noexcept {
        return static_cast<Size>(chunk_end.size() + label + (heap ? 0 : sizeof(origin)));
    }

    /// \returns the bytes of an allocation, or the largest size when there can be none.
    /// Preconditions: the wire form and the label fit the fields.
    template <std::unsigned_integral Size>
    [[nodiscard]] static constexpr Size allocation_size(Size wire, Size label, bool heap) noexcept {
        const auto beside = static_cast<Size>(head_room + size_after_wire(label, heap));
        if constexpr (sizeof(Size) > sizeof(std::uint32_t)) return wire + beside;
        return add_sizes(wire, beside);
    }

    /// \returns memory for `construct`, or null.
    [[nodiscard]] static char* allocate(std::size_t size, memory_resource* memory) noexcept {
        if (size == largest_size<std::size_t>) return nullptr;
        if (memory == heap()) return static_cast<char*>(::operator new(size, std::nothrow));
        return static_cast<char*>(memory->allocate(size, alignof(frame_block)));
    }
    static void deallocate(char* bytes, std::size_t size, memory_resource* memory) noexcept {
        if (memory == heap()) {
            ::operator delete(bytes);
        } else {
            memory->deallocate(bytes, size, alignof(frame_block));
        }
    }

    /// Effects: makes a frame's block in memory that `allocate` returned for `allocated` bytes,
    /// whose bytes from head_room on are the wire form.
    SSEKIT_INLINED static frame_block* construct(char* memory, std::size_t wire,
                                                 frame_content content, const frame_label& label,
                                                 std::size_t allocated,
                                                 memory_resource* from) noexcept {
        auto* const made = ::new (static_cast<void*>(memory)) frame_block;
        made->size = static_cast<std::uint32_t>(wire);
        made->content = content;
        const auto [topic, key, removes_key] = label;
        char* end = memory + head_room + wire;
        if (content != frame_content::bytes) {
            made->head_size = put_chunk_head(memory + head_room, wire);
            made->tail_size = static_cast<std::uint8_t>(chunk_end.size());
            copy_few(end, chunk_end.data(), chunk_end.size());
            end += chunk_end.size();
        }
        made->topic_size = static_cast<std::uint16_t>(topic.size());
        made->key_size = static_cast<std::uint16_t>(key.size());
        made->removes_key = removes_key;
        if (topic.size() + key.size() != 0) {
            copy_bytes(end, topic.data(), topic.size());
            copy_bytes(end + topic.size(), key.data(), key.size());
        }
        if (from != heap()) {
            made->from_heap = false;
            const origin at{from, allocated};
            std::memcpy(end + topic.size() + key.size(), &at, sizeof at);
        }
        return made;
    }

    [[nodiscard]] const char* wire() const noexcept {
        return reinterpret_cast<const char*>(this) + head_room;
    }
    [[nodiscard]] const char* label() const noexcept { return wire() + size + tail_size; }

    /// Effects: gives the memory back.
    /// Preconditions: it has no owner left.
    void release() noexcept {
        char* const bytes = reinterpret_cast<char*>(this);
        if (from_heap) return deallocate(bytes, 0, heap());
        origin from{};
        std::memcpy(&from, label() + topic_size + key_size, sizeof from);
        deallocate(bytes, from.size, from.memory);
    }

  private:
    /// Effects: writes the head of a chunk of `size` bytes, which ends at `end`. \returns its size.
    static std::uint8_t put_chunk_head(char* end, std::size_t size) noexcept {
        char* p = end;
        *--p = '\n';
        *--p = '\r';
        for (std::size_t rest = size; rest != 0; rest >>= 4) *--p = "0123456789abcdef"[rest & 15];
        return static_cast<std::uint8_t>(end - p);
    }
};
static_assert(sizeof(frame_block) == 16, "head_room counts with that");

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
