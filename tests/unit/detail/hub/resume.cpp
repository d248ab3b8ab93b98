// SPDX-License-Identifier: MIT
#include <ssekit/detail/hub/resume.hpp>

#include "support/counted_memory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::resumption;
using ssekit::detail::epoch_text;
using ssekit::detail::growing_block;
using ssekit::detail::make_gap;
using ssekit::detail::make_verdict;
using ssekit::detail::put_json;
using ssekit::detail::resume_from;
using ssekit::detail::resume_point;
using ssekit::detail::word_for;

namespace {

constexpr std::uint64_t largest = ~std::uint64_t{0};
constexpr std::string_view largest_text = "18446744073709551615";

resume_point from(std::string_view id, std::uint64_t newest, std::uint64_t ahead = 0) {
    return resume_from(id, epoch_text(36), newest, ahead); // "10"
}

} // namespace

TEST_CASE("an id is worth the place that it names, or the reason why it names none") {
    CHECK(from("", 5).how == resumption::fresh);
    CHECK(from("10.5", 5).how == resumption::resumed);
    CHECK(from("10.5", 5).seen == 5);
    CHECK(from("10.0", 5).seen == 0);
    CHECK(from("10.6", 5).how == resumption::future);
    CHECK(from("10.6", 5).seen == 0);
    CHECK(from("11.5", 5).how == resumption::unknown);
    CHECK(from("010.5", 5).how == resumption::unknown); // another spelling is another epoch
    for (const std::string_view id : {".", "10", "10.", ".5", "10.05", "10.5 ", "10.-1", "10.5.5",
                                      "10.5\n", "A.5", "10.18446744073709551616", " 10.5"}) {
        CAPTURE(id);
        CHECK(from(id, 5).how == resumption::malformed);
        CHECK(from(id, 5).seen == 0);
    }
}

TEST_CASE("an id may be ahead by as much as is said and no more, at the end of offsets too") {
    CHECK(from("10.8", 5, 3).how == resumption::resumed);
    CHECK(from("10.8", 5, 3).seen == 8);
    CHECK(from("10.9", 5, 3).how == resumption::future);
    const std::string last = "10." + std::string(largest_text);
    CHECK(from(last, largest).seen == largest);
    CHECK(from(last, largest - 1).how == resumption::future);
    CHECK(from(last, largest - 1, 1).seen == largest);
    CHECK(from(last, 0, largest).how == resumption::resumed);
    CHECK(from(last, 1000, 1024).how == resumption::future);
}

TEST_CASE("each resumption has a word") {
    CHECK(word_for(resumption::fresh) == "fresh");
    CHECK(word_for(resumption::resumed) == "resumed");
    CHECK(word_for(resumption::malformed) == "malformed");
    CHECK(word_for(resumption::unknown) == "unknown");
    CHECK(word_for(resumption::expired) == "expired");
    CHECK(word_for(resumption::future) == "future");
}

TEST_CASE("a gap says its reason and how many events are missing where that is known") {
    CHECK(make_gap("gap", "lagged", {}, {}, ssekit::heap()).frame.wire() ==
          "event: gap\ndata: {\"reason\":\"lagged\"}\n\n");
    CHECK(make_gap("hole", "malformed", {largest}, {}, ssekit::heap()).frame.wire() ==
          "event: hole\ndata: {\"reason\":\"malformed\",\"missed\":" + std::string(largest_text) +
              "}\n\n");
}

TEST_CASE("a gap and a verdict say after which id and up to which events are missing") {
    CHECK(make_gap("gap", "lagged", {2, "1.4", "1.6"}, {}, ssekit::heap()).frame.wire() ==
          "event: gap\ndata: "
          "{\"reason\":\"lagged\",\"missed\":2,\"from\":\"1.4\",\"through\":\"1.6\"}\n\n");
    CHECK(make_gap("gap", "missed", {0, {}, "a\"b"}, {}, ssekit::heap()).frame.wire() ==
          "event: gap\ndata: {\"reason\":\"missed\",\"through\":\"a\\\"b\"}\n\n");
    CHECK(make_verdict("open", resumption::expired, {0, "4", "6"}, {.id = "6"}, ssekit::heap())
              .frame.wire() == "id: 6\nevent: open\ndata: {\"resumption\":\"expired\","
                               "\"cursor\":\"6\",\"from\":\"4\",\"through\":\"6\"}\n\n");
}

TEST_CASE("a gap carries id and reconnection time in its own block") {
    const auto made = make_gap("gap", "expired", {1}, {.id = "1.7", .retry = 5ms}, ssekit::heap());
    CHECK(made.frame.wire() ==
          "id: 1.7\nevent: gap\nretry: 5\ndata: {\"reason\":\"expired\",\"missed\":1}\n\n");
}

TEST_CASE("a gap is made in the memory that it is told of, or not at all") {
    support::counted_memory memory;
    {
        const auto made = make_gap("gap", "expired", {1}, {}, &memory);
        CHECK(memory.live() == 1);
    }
    CHECK(memory.live() == 0);
    memory.grace = 0;
    const auto made = make_gap("gap", "expired", {1}, {}, &memory);
    CHECK(made.ec == ssekit::errc::out_of_memory);
    CHECK_FALSE(made.frame);
}

TEST_CASE("a string of JSON holds any text") {
    growing_block out(ssekit::heap());
    REQUIRE(put_json(out, "a\"b\\c\n\x01\x1f\x7f\xE2\x82\xAC"));
    CHECK(out.wire() == "\"a\\\"b\\\\c\\u000a\\u0001\\u001f\x7f\xE2\x82\xAC\"");
    growing_block empty(ssekit::heap());
    REQUIRE(put_json(empty, ""));
    CHECK(empty.wire() == "\"\"");
}

TEST_CASE("a verdict says a word, and the id that it carries") {
    CHECK(make_verdict("open", resumption::fresh, {}, {}, ssekit::heap()).frame.wire() ==
          "event: open\ndata: {\"resumption\":\"fresh\"}\n\n");
    CHECK(make_verdict("open", resumption::expired, {}, {.id = "1.7", .retry = 5ms}, ssekit::heap())
              .frame.wire() == "id: 1.7\nevent: open\nretry: 5\ndata: "
                               "{\"resumption\":\"expired\",\"cursor\":\"1.7\"}\n\n");
}

TEST_CASE("without memory there is no verdict, and nothing is left of it") {
    support::counted_memory memory;
    const std::string id(1000, 'x');
    for (std::size_t grace = 0;; ++grace) {
        memory.grace = grace;
        const auto made = make_verdict("open", resumption::resumed, {}, {.id = id}, &memory);
        if (made.ec == ssekit::errc::ok) break;
        CHECK(made.ec == ssekit::errc::out_of_memory);
        CHECK_FALSE(made.frame);
        CHECK(memory.live() == 0);
        REQUIRE(grace < 20);
    }
    CHECK(memory.live() == 0);
}
