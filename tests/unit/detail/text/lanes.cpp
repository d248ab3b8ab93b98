// SPDX-License-Identifier: MIT
#include <ssekit/detail/text/lanes.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>

#if SSEKIT_VECTORS != 0

using ssekit::detail::lanes;

TEST_CASE("each lane answers for its own byte") {
    std::string bytes(lanes::count, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 37);
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const lanes all = lanes::load(bytes.data());
    for (unsigned value = 0; value < 256; value += 5) {
        const lanes other = lanes::all(static_cast<unsigned char>(value));
        const std::uint64_t same = equal(all, other).bits();
        const std::uint64_t below = equal(lower(all, other), all).bits();
        const std::uint64_t past = equal(excess(all, other), lanes::all(0)).bits();
        const std::uint64_t high = (all | other).bits();
        const std::uint64_t both = (all & other).bits();
        const std::uint64_t either = (all ^ other).bits();
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const auto bit = [i](std::uint64_t mask) { return (mask >> i & 1) != 0; };
            CHECK(bit(same) == (byte(i) == value));
            CHECK(bit(below) == (byte(i) <= value));
            CHECK(bit(past) == (byte(i) <= value));
            CHECK(bit(high) == (((byte(i) | value) & 0x80) != 0));
            CHECK(bit(both) == (((byte(i) & value) & 0x80) != 0));
            CHECK(bit(either) == (((byte(i) ^ value) & 0x80) != 0));
        }
    }
    CHECK(all.any_high());
    CHECK_FALSE(lanes::all(0x7f).any_high());
    CHECK((all.bits() >> (lanes::count - 1) >> 1) == 0);
}

#else

TEST_CASE("without vectors there is no type of lanes, and its header is empty") {
    CHECK(SSEKIT_VECTORS == 0);
}

#endif
