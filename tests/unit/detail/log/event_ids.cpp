// SPDX-License-Identifier: MIT
#include <ssekit/detail/log/event_ids.hpp>

#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>

using ssekit::detail::epoch_text;
using ssekit::detail::event_id_text;
using ssekit::detail::parse_id;

namespace {

constexpr std::uint64_t largest = ~std::uint64_t{0};

} // namespace

TEST_CASE("an epoch is written in base 36, the largest too") {
    CHECK(std::string(epoch_text(0).view()) == "0");
    CHECK(std::string(epoch_text(35).view()) == "z");
    CHECK(std::string(epoch_text(36).view()) == "10");
    CHECK(std::string(epoch_text(largest).view()) == "3w5e11264sgsf");
}

TEST_CASE("an id is epoch, dot and offset, and the longest fits") {
    const event_id_text first(epoch_text(1), 0);
    CHECK(first.view() == "1.0");
    const event_id_text last(epoch_text(largest), largest);
    CHECK(last.view() == "3w5e11264sgsf.18446744073709551615");
    const std::string text(event_id_text(epoch_text(36), 7));
    CHECK(text == "10.7");
}

TEST_CASE("an id that was written is read again") {
    support::dice random(1);
    for (int i = 0; i < 2000; ++i) {
        const auto any = [&] {
            const std::uint64_t high = random.below(0xffffffff);
            return (high << 32 | random.below(0xffffffff)) >> random.below(64);
        };
        const std::uint64_t epoch = any();
        const std::uint64_t offset = any();
        const event_id_text id(epoch_text(epoch), offset);
        const auto read = parse_id(id.view());
        REQUIRE(read.has_value());
        REQUIRE(read->epoch == epoch_text(epoch).view());
        REQUIRE(read->offset == offset);
    }
    CHECK(parse_id("1.18446744073709551615")->offset == largest);
}

TEST_CASE("what no hub writes is no id") {
    const std::string long_epoch(14, '1');
    for (const std::string_view text : {"",
                                        ".",
                                        "1",
                                        "1.",
                                        ".1",
                                        "1.01",
                                        "1.00",
                                        "1.1.1",
                                        "1. 1",
                                        " 1.1",
                                        "1.1 ",
                                        "A.1",
                                        "1.a",
                                        "1.+1",
                                        "1.-1",
                                        "1:1",
                                        "1.18446744073709551616",
                                        "1.99999999999999999999",
                                        "1.184467440737095516150",
                                        "1.1\n",
                                        "\xC3\xA9.1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_id(text).has_value());
    }
    CHECK_FALSE(parse_id(long_epoch + ".1").has_value());
    CHECK_FALSE(parse_id(std::string_view("1.1\0", 4)).has_value());
    CHECK(parse_id(long_epoch.substr(1) + ".1").has_value());
    CHECK(parse_id("1.0")->offset == 0);
}
