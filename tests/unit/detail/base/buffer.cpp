// SPDX-License-Identifier: MIT
#include <ssekit/detail/base/buffer.hpp>

#include "support/allocations.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

using namespace ssekit::detail;

TEST_CASE("bytes are copied whatever their number") {
    std::string from;
    for (int i = 0; i < 300; ++i) from += static_cast<char>('a' + i % 26);
    for (std::size_t size = 0; size < 200; ++size) {
        CAPTURE(size);
        for (const std::size_t room : {size, size + 1, std::size_t{32}, std::size_t{128}}) {
            if (room < size) continue;
            std::string few(room + 4, '#');
            copy_few(few.data(), from.data(), size);
            REQUIRE(few == from.substr(0, size) + std::string(room + 4 - size, '#'));
            std::string shorter(room + 4, '#');
            copy_short(shorter.data(), room, from.data(), from.size(), size);
            REQUIRE(shorter.substr(0, size) == from.substr(0, size));
            REQUIRE(shorter.substr(room) == "####"); // what lies between has no value
        }
    }
}

TEST_CASE("bytes are moved over themselves in either direction") {
    std::string text = "0123456789";
    move_bytes_up(text.data() + 2, text.data(), 8);
    CHECK(text == "0101234567");
    move_bytes_down(text.data(), text.data() + 3, 7);
    CHECK(text == "1234567567");
}

TEST_CASE("a buffer grows up to the most it may hold, and not by a byte more") {
    for (const std::size_t most : {0U, 1U, 63U, 64U, 65U, 1000U}) {
        CAPTURE(most);
        buffer bytes;
        for (std::size_t i = 0; i < most; ++i) REQUIRE(bytes.append("x", most));
        CHECK_FALSE(bytes.append("x", most));
        CHECK_FALSE(bytes.reserve_more(1, most));
        CHECK(bytes.append("", most));
        CHECK(bytes.view() == std::string(most, 'x'));
    }
}

TEST_CASE("a size that would wrap is refused and changes nothing") {
    const std::size_t huge = static_cast<std::size_t>(-1);
    const std::string text(100, 'x');
    const support::allocation_watch watch;
    buffer bytes;
    REQUIRE(bytes.append(text));
    for (const std::size_t more : {huge, huge - 99, huge - 100, huge / 2, huge / 4 + 1}) {
        CAPTURE(more);
        CHECK_FALSE(bytes.reserve_more(more));
        CHECK_FALSE(bytes.reserve_more(more, huge));
        CHECK_FALSE(bytes.extend(more, huge));
        CHECK_FALSE(bytes.append({text.data(), more}, huge));
    }
    CHECK(bytes.view() == text);
    if (support::counts_allocations) CHECK(watch.allocations() == 1);
}

TEST_CASE("memory of the caller's is filled and goes no further") {
    std::array<char, 8> memory{};
    buffer bytes{std::span<char>(memory)};
    CHECK(bytes.append("01234567"));
    CHECK_FALSE(bytes.append("8"));
    CHECK(bytes.view() == "01234567");
    CHECK_FALSE(bytes.assign("012345678"));
    CHECK(bytes.view() == "01234567"); // as before
    CHECK(bytes.assign("ab"));
    CHECK(bytes.view() == "ab");
    CHECK(bytes.data() == memory.data());
    buffer moved = std::move(bytes);
    CHECK(moved.view() == "ab");
    CHECK(moved.data() == memory.data());
}

TEST_CASE("a line is joined with an LF, within what may be read and written") {
    for (std::size_t size = 0; size < 140; ++size) {
        const std::string line(size, 'y');
        buffer bytes;
        REQUIRE(bytes.append("x"));
        REQUIRE(bytes.append_line(line, line.size(), 200));
        CHECK(bytes.view() == "x\n" + line);
        CHECK(bytes.append_line(line, line.size(), 200) == (2 + size + 1 + size <= 200));
    }
}

TEST_CASE("an empty buffer is a view of something") {
    CHECK(buffer().view().data() != nullptr);
    CHECK(buffer().view().empty());
}
