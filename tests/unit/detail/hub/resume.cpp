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
using ssekit::detail::make_caught_up;
using ssekit::detail::make_gap;
using ssekit::detail::make_verdict;
using ssekit::detail::resume_from;
using ssekit::detail::resume_point;
using ssekit::detail::word_for;

namespace {

constexpr std::uint64_t largest = ~std::uint64_t{0};
constexpr std::string_view largest_text = "18446744073709551615";

resume_point from(std::string_view id, std::uint64_t newest, std::uint64_t ahead = 0) {
    return resume_from(id, epoch_text(36), newest, ahead); // "10"
}

// What the events are called that the hub makes.
ssekit::hub_options naming(ssekit::event_type type,
                           ssekit::memory_resource* memory = ssekit::heap()) {
    return {.opening_type = type, .gap_type = type, .memory = memory};
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
    CHECK(make_gap(naming("gap"), "lagged", {}, {}).frame.wire() ==
          "event: gap\ndata: {\"reason\":\"lagged\"}\n\n");
    CHECK(make_gap(naming("hole"), "malformed", {largest}, {}).frame.wire() ==
          "event: hole\ndata: {\"reason\":\"malformed\",\"missed\":" + std::string(largest_text) +
              "}\n\n");
}

TEST_CASE("a gap and a verdict say after which id and up to which events are missing") {
    CHECK(make_gap(naming("gap"), "lagged", {2, "1.4", "1.6"}, {}).frame.wire() ==
          "event: gap\ndata: "
          "{\"reason\":\"lagged\",\"missed\":2,\"from\":\"1.4\",\"through\":\"1.6\"}\n\n");
    CHECK(make_gap(naming("gap"), "missed", {0, {}, "a\"b"}, {}).frame.wire() ==
          "event: gap\ndata: {\"reason\":\"missed\",\"through\":\"a\\\"b\"}\n\n");
    CHECK(make_verdict(naming("open"), resumption::expired, {0, "4", "6"}, {.id = "6"})
              .frame.wire() == "id: 6\nevent: open\ndata: {\"resumption\":\"expired\","
                               "\"cursor\":\"6\",\"from\":\"4\",\"through\":\"6\"}\n\n");
}

TEST_CASE("a gap carries id and reconnection time in its own block") {
    const auto made = make_gap(naming("gap"), "expired", {1}, {.id = "1.7", .retry = 5ms});
    CHECK(made.frame.wire() ==
          "id: 1.7\nevent: gap\nretry: 5\ndata: {\"reason\":\"expired\",\"missed\":1}\n\n");
}

TEST_CASE("a gap is made in the memory that it is told of, or not at all") {
    support::counted_memory memory;
    {
        const auto made = make_gap(naming("gap", &memory), "expired", {1}, {});
        CHECK(memory.live() == 1);
    }
    CHECK(memory.live() == 0);
    memory.grace = 0;
    const auto made = make_gap(naming("gap", &memory), "expired", {1}, {});
    CHECK(made.ec == ssekit::errc::out_of_memory);
    CHECK_FALSE(made.frame);
}

TEST_CASE("a verdict says a word, and the id that it carries") {
    CHECK(make_verdict(naming("open"), resumption::fresh, {}, {}).frame.wire() ==
          "event: open\ndata: {\"resumption\":\"fresh\"}\n\n");
    CHECK(make_verdict(naming("open"), resumption::expired, {}, {.id = "1.7", .retry = 5ms})
              .frame.wire() == "id: 1.7\nevent: open\nretry: 5\ndata: "
                               "{\"resumption\":\"expired\",\"cursor\":\"1.7\"}\n\n");
}

TEST_CASE("the order of the lines is that of the options") {
    ssekit::hub_options options = naming("t");
    options.caught_up_type = "now";
    options.order = ssekit::field_order::type_first;
    CHECK(make_gap(options, "lagged", {}, {.id = "1.7"}).frame.wire() ==
          "event: t\nid: 1.7\ndata: {\"reason\":\"lagged\"}\n\n");
    CHECK(make_verdict(options, resumption::fresh, {}, {.id = "1.7"}).frame.wire() ==
          "event: t\nid: 1.7\ndata: {\"resumption\":\"fresh\",\"cursor\":\"1.7\"}\n\n");
    CHECK(make_caught_up(options, {.id = "1.7"}).frame.wire() ==
          "event: now\nid: 1.7\ndata: {\"cursor\":\"1.7\"}\n\n");
}

TEST_CASE("without memory there is no verdict, and nothing is left of it") {
    support::counted_memory memory;
    const std::string id(1000, 'x');
    for (std::size_t grace = 0;; ++grace) {
        memory.grace = grace;
        const auto made =
            make_verdict(naming("open", &memory), resumption::resumed, {}, {.id = id});
        if (made.ec == ssekit::errc::ok) break;
        CHECK(made.ec == ssekit::errc::out_of_memory);
        CHECK_FALSE(made.frame);
        CHECK(memory.live() == 0);
        REQUIRE(grace < 20);
    }
    CHECK(memory.live() == 0);
}
