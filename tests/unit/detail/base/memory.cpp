// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/memory.hpp>

#include "support/counted_memory.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

using ssekit::detail::make_array;
using ssekit::detail::release_array;

namespace {

struct counted {
    static inline int alive = 0;
    int value = 7;
    counted() { ++alive; }
    ~counted() { --alive; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
};

struct alignas(256) wide {
    char byte = 'w';
};

} // namespace

TEST_CASE("an array has its initial values, is destroyed and its memory given back") {
    support::counted_memory memory;
    counted* const array = make_array<counted>(memory, 5);
    REQUIRE(array != nullptr);
    CHECK(counted::alive == 5);
    CHECK(array[4].value == 7);
    CHECK(memory.live_bytes == 5 * sizeof(counted));
    release_array(memory, array, 5);
    CHECK(counted::alive == 0);
    CHECK(memory.live() == 0);
}

TEST_CASE("an array that cannot be is null: without memory, or of a size that wraps") {
    support::counted_memory memory;
    constexpr std::size_t most = static_cast<std::size_t>(-1);
    CHECK(make_array<std::uint64_t>(memory, most / 8 + 1) == nullptr);
    CHECK(make_array<std::uint64_t>(memory, most) == nullptr);
    CHECK_FALSE(memory.struck); // it was not even asked
    memory.grace = 0;
    CHECK(make_array<counted>(memory, 1) == nullptr);
    CHECK(counted::alive == 0);
    release_array<counted>(memory, nullptr, 0);
}

TEST_CASE("an array is aligned as its type is") {
    wide* const array = make_array<wide>(*ssekit::heap(), 3);
    REQUIRE(array != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(array) % 256 == 0);
    CHECK(array[2].byte == 'w');
    release_array(*ssekit::heap(), array, 3);
}
