// SPDX-License-Identifier: MIT
#include <ssekit/memory.hpp>

#include "support/allocations.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

TEST_CASE("the heap gives memory at any alignment and takes it back") {
    for (const std::size_t alignment : {1u, 8u, 16u, 32u, 64u, 4096u}) {
        void* const block = ssekit::heap()->allocate(100, alignment);
        REQUIRE(block != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
        ssekit::heap()->deallocate(block, 100, alignment);
    }
}

TEST_CASE("the heap says by null that it has nothing left") {
    if (!support::counts_allocations) return;
    const support::failing_allocations none(0);
    CHECK(ssekit::heap()->allocate(1, 1) == nullptr);
    CHECK(ssekit::heap()->allocate(1, 4096) == nullptr);
}

TEST_CASE("the heap is one object, before main as well") {
    static constinit ssekit::memory_resource* const early = ssekit::heap();
    CHECK(early == ssekit::heap());
}
