// SPDX-License-Identifier: MIT
#include <ssekit/detail/frame/block.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>

using namespace ssekit::detail;

namespace {

struct one_block final : ssekit::memory_resource {
    void* allocate(std::size_t size, std::size_t alignment) noexcept override {
        asked = size;
        return ::operator new(size, std::align_val_t(alignment), std::nothrow);
    }
    void deallocate(void* memory, std::size_t size, std::size_t alignment) noexcept override {
        given_back = size;
        ::operator delete(memory, std::align_val_t(alignment));
    }
    std::size_t asked = 0;
    std::size_t given_back = 0;
};

frame_block* make(std::string_view wire, frame_content content, std::string_view topic,
                  std::string_view key, ssekit::memory_resource* memory) {
    const std::size_t size = frame_block::allocation_size(wire.size(), topic.size() + key.size(),
                                                          memory == ssekit::heap());
    char* const bytes = frame_block::allocate(size, memory);
    REQUIRE(bytes != nullptr);
    std::memcpy(bytes + frame_block::head_room, wire.data(), wire.size());
    return frame_block::construct(bytes, wire.size(), content, {topic, key}, size, memory);
}

} // namespace

TEST_CASE("all parts of a block stand side by side, and all of the memory is given back") {
    for (const std::size_t size : {1U, 15U, 16U, 255U, 256U, 4095U, 4096U, 65536U}) {
        one_block memory;
        for (ssekit::memory_resource* const from :
             {ssekit::heap(), static_cast<ssekit::memory_resource*>(&memory)}) {
            const std::string wire(size, 'w');
            frame_block* const made = make(wire, frame_content::event, "topic", "key", from);
            char head[16];
            const int digits = std::snprintf(head, sizeof head, "%zx\r\n", size);
            CHECK(made->head_size == digits);
            CHECK(std::string_view(made->wire() - digits, made->head_size) == head);
            CHECK(std::string_view(made->wire(), made->size) == wire);
            CHECK(std::string_view(made->wire() + size, made->tail_size) == "\r\n");
            CHECK(std::string_view(made->label(), 8) == "topickey");
            CHECK(made->topic_size == 5);
            CHECK(made->key_size == 3);
            CHECK(made->owners.load() == 1);
            made->release();
        }
        CHECK(memory.asked == memory.given_back);
    }
}

TEST_CASE("bytes that stand for themselves have no chunk around them") {
    frame_block* const made = make("abc", frame_content::bytes, "t", "", ssekit::heap());
    CHECK(made->head_size == 0);
    CHECK(made->tail_size == 0);
    CHECK(std::string_view(made->wire(), made->size) == "abc");
    CHECK(std::string_view(made->label(), 1) == "t");
    made->release();
}

TEST_CASE("an allocation that is too large for a size is none, also with sizes of 32 bits") {
    const std::uint32_t most = largest_size<std::uint32_t>;
    for (const std::uint32_t wire : {most, most - 1, most - 28, most - 27}) {
        CHECK(frame_block::allocation_size<std::uint32_t>(wire, 0, true) == most);
    }
    CHECK(frame_block::allocation_size<std::uint32_t>(most - 29, 0, true) == most - 1);
    CHECK(frame_block::allocation_size<std::uint32_t>(0, 2 * 0xffff, true) == 28 + 2 * 0xffff);
    CHECK(frame_block::allocation_size<std::uint32_t>(most - 28, 2 * 0xffff, true) == most);
    CHECK(frame_block::allocate(largest_size<std::size_t>, ssekit::heap()) == nullptr);
    one_block memory;
    CHECK(frame_block::allocate(largest_size<std::size_t>, &memory) == nullptr);
    CHECK(memory.asked == 0);
}

TEST_CASE("a label fits up to 64 KiB less a byte in each part") {
    const std::string most(0xffff, 'x');
    const std::string more(0x10000, 'x');
    CHECK(frame_block::fits(most, most));
    CHECK_FALSE(frame_block::fits(more, ""));
    CHECK_FALSE(frame_block::fits("", more));
    CHECK_FALSE(frame_block::fits(std::string(0x1ffff, 'x'), ""));
}
