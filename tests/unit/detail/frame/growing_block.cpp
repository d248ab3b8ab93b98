// SPDX-License-Identifier: MIT
#include <ssekit/detail/frame/growing_block.hpp>

#include "support/allocations.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

using namespace ssekit::detail;

TEST_CASE("a block grows to any size and becomes a frame's without being copied") {
    for (std::size_t size = 1; size < 5000; size = size * 3 / 2 + 1) {
        growing_block block(ssekit::heap());
        CHECK(block.wire().empty());
        for (std::size_t i = 0; i < size; ++i) REQUIRE(block.append("x"));
        const char* const before = block.wire().data();
        frame_block* const made = block.finish({"", ""});
        REQUIRE(made != nullptr);
        CHECK(std::string_view(made->wire(), made->size) == std::string(size, 'x'));
        if (size < 60) CHECK(made->wire() == before);
        CHECK(block.wire().empty()); // as new
        made->release();
    }
}

TEST_CASE("a block for which there is no memory stays as it is") {
    if (!support::counts_allocations) return;
    growing_block block(ssekit::heap());
    const std::string text(frame_block::head_room, 'x');
    REQUIRE(block.append(text));
    {
        const support::failing_allocations none(0);
        CHECK_FALSE(block.append(std::string(1000, 'y')));
        CHECK(block.finish({std::string(1000, 't'), ""}) == nullptr);
    }
    CHECK_FALSE(block.append({text.data(), static_cast<std::size_t>(-1)}));
    CHECK_FALSE(block.append({text.data(), static_cast<std::size_t>(-1) - text.size()}));
    CHECK(block.wire() == text);
    block.clear();
    CHECK(block.wire().empty());
    REQUIRE(block.append("again"));
    CHECK(block.wire() == "again");
}

TEST_CASE("a block is moved as memory is") {
    growing_block a(ssekit::heap());
    REQUIRE(a.append("a"));
    growing_block b = std::move(a);
    CHECK(b.wire() == "a");
    CHECK(a.wire().empty()); // NOLINT(bugprone-use-after-move)
    REQUIRE(a.append("new"));
    b = std::move(a);
    CHECK(b.wire() == "new");
}
