// SPDX-License-Identifier: MIT
#include <ssekit/subscribe_options.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::kept_text_view;
using ssekit::lag_bound;
using ssekit::stream_end;

// An option is kept longer than a temporary lives.
static_assert(std::is_constructible_v<kept_text_view, std::string&>);
static_assert(std::is_constructible_v<kept_text_view, const std::string&>);
static_assert(std::is_constructible_v<kept_text_view, const char (&)[5]>);
static_assert(std::is_constructible_v<kept_text_view, const char*>);
static_assert(std::is_constructible_v<kept_text_view, std::string_view>);
static_assert(!std::is_constructible_v<kept_text_view, std::string>);
static_assert(!std::is_constructible_v<kept_text_view, const std::string>);
static_assert(!std::is_assignable_v<kept_text_view&, std::string>);
static_assert(!std::is_convertible_v<int, kept_text_view>);
static_assert(std::is_aggregate_v<ssekit::subscribe_options>);

TEST_CASE("a bound is set when any part of it is") {
    CHECK_FALSE(lag_bound().is_set());
    CHECK(lag_bound{.events = 1}.is_set());
    CHECK(lag_bound{.bytes = 1}.is_set());
    CHECK(lag_bound{.age = 1ms}.is_set());
    CHECK(lag_bound{.age = -1ms}.is_set()); // nothing but the newest
}

TEST_CASE("an end is abrupt exactly where bytes or events were lost") {
    for (const auto& [how, abrupt] : {std::pair{stream_end::open, false},
                                      {stream_end::lagged, true},
                                      {stream_end::detached, false},
                                      {stream_end::stalled, true},
                                      {stream_end::expired, false},
                                      {stream_end::evicted, false},
                                      {stream_end::replaced, false},
                                      {stream_end::topic_closed, false},
                                      {stream_end::closed, false},
                                      {stream_end::cut, true},
                                      {stream_end::out_of_memory, true}}) {
        CHECK(ssekit::is_abrupt(how) == abrupt);
    }
}

TEST_CASE("options name topics and patterns in braces, or borrow a container of them") {
    const std::vector<std::string> owned{"f/*", "g/*"};
    const ssekit::subscribe_options options{.topics = {"a", "b"}, .patterns = owned};
    REQUIRE(options.topics.size() == 2);
    CHECK(options.topics[1] == "b");
    REQUIRE(options.patterns.size() == 2);
    CHECK(options.patterns[1] == "g/*");
}
