// SPDX-License-Identifier: MIT
#include <ssekit/event_place.hpp>

#include <ssekit/hub.hpp>

#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>

using ssekit::errc;
using ssekit::event_place;
using ssekit::parse_event_id;
using ssekit::text_of;

namespace {

constexpr std::uint64_t largest = ~std::uint64_t{0};

std::string written(const event_place& id) {
    return std::string(text_of(id).view());
}

} // namespace

TEST_CASE("an id that was written is read again, at both ends of its range") {
    for (const event_place id :
         {event_place{0, 0}, event_place{1, 0}, event_place{35, 9}, event_place{36, 10},
          event_place{largest, largest}, event_place{largest - 1, 1}}) {
        CAPTURE(written(id));
        const auto [read, code] = parse_event_id(written(id));
        CHECK(code == errc::ok);
        CHECK(read == id);
    }
    CHECK(written({36 * 36 - 1, 7}) == "zz.7");
    CHECK(written({largest, largest}) == "3w5e11264sgsf.18446744073709551615");
}

TEST_CASE("what is read is written again byte by byte, and nothing else is read") {
    support::dice random(1);
    constexpr std::string_view bytes = "0019zza.. AZ-+\n\t";
    std::size_t good = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string text;
        for (std::size_t n = random.below(8); n != 0; --n) text += bytes[random.below(16)];
        const auto [id, code] = parse_event_id(text);
        if (code == errc::ok) {
            ++good;
            REQUIRE(written(id) == text);
        } else {
            REQUIRE(code == errc::malformed_id);
            REQUIRE(id == event_place{});
        }
    }
    CHECK(good > 100);
}

TEST_CASE("a text that no hub writes is malformed") {
    for (const std::string_view text :
         {"", ".", "1", "1.", ".1", "1.01", "01.1", "1.1.", "A.1", "1.-1", " 1.1", "1.1 ",
          "3w5e11264sgsg.1", "zzzzzzzzzzzzz.1", "11111111111111.1", "1.18446744073709551616",
          "1.1844674407370955161500", "1:1"}) {
        CAPTURE(text);
        CHECK(parse_event_id(text).ec == errc::malformed_id);
    }
    CHECK(parse_event_id("0.0").ec == errc::ok);
    CHECK(parse_event_id("1.1" + std::string(1 << 20, '1')).ec == errc::malformed_id);
}

TEST_CASE("it is the id that a hub gives, and ids of one epoch are in the order of publishing") {
    ssekit::hub server(36, {}, {});
    const auto published = server.publish("a", {.data = "x"});
    CHECK(written({36, published.offset}) == server.id_of(published.offset).view());
    CHECK(event_place{36, 2} > event_place{36, 1});
    CHECK(event_place{36, 10} > event_place{36, 9}); // as texts they are not
    CHECK(event_place{35, 1} != event_place{36, 1});
}
