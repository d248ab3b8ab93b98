// SPDX-License-Identifier: MIT
#include <ssekit/detail/source/attempts.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <limits>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::event_source_options;
using ssekit::repeat_policy;
using ssekit::detail::attempts;
using ssekit::detail::only_reads;
using ssekit::detail::source_loss;

TEST_CASE("source attempts: which requests may be sent again") {
    for (const std::string_view method : {"GET", "HEAD", "QUERY"}) CHECK(only_reads(method));
    for (const std::string_view method : {"", "get", "POST", "PUT", "GETS"}) {
        CHECK_FALSE(only_reads(method));
    }
    attempts tried(1);
    const event_source_options get;
    event_source_options post{.method = "POST"};
    for (const source_loss how : {source_loss::in_order, source_loss::broken}) {
        post.repeat = repeat_policy::reads;
        CHECK(tried.may_repeat(get, how));
        CHECK_FALSE(tried.may_repeat(post, how));
        post.repeat = repeat_policy::always;
        CHECK(tried.may_repeat(post, how));
    }
    post.repeat = repeat_policy::until_stream;
    CHECK(tried.may_repeat(post, source_loss::broken));
    tried.begin_stream();
    CHECK_FALSE(tried.may_repeat(post, source_loss::broken));
    CHECK_FALSE(tried.may_repeat(post, source_loss::in_order));
    for (const source_loss how : {source_loss::unsent, source_loss::told}) {
        for (const repeat_policy policy : {repeat_policy::reads, repeat_policy::until_stream}) {
            post.repeat = policy;
            CHECK(tried.may_repeat(post, how));
        }
    }
}

TEST_CASE("source attempts: failures in a row are counted until something has come") {
    attempts tried(1);
    const event_source_options options{.max_failures = 2};
    const auto fail = [&](bool was_open, bool lasted) {
        if (tried.fail(options, was_open, lasted)) return false;
        static_cast<void>(tried.delay(options, 1s));
        return true;
    };
    CHECK(fail(false, false));
    CHECK(fail(false, true)); // how long it took does not matter where there was no stream
    CHECK(tried.failures() == 2);
    CHECK_FALSE(fail(false, false));
    tried.begin_stream();
    CHECK_FALSE(fail(true, false)); // a stream without anything
    tried.begin_stream();
    CHECK(fail(true, true));
    CHECK(tried.failures() == 1);
    tried.begin_stream();
    tried.make_progress();
    CHECK(fail(true, false));
    CHECK(tried.failures() == 1);
    tried.begin_stream();
    CHECK(fail(true, false));
    CHECK(tried.failures() == 2);
    tried.forget_failures();
    CHECK(tried.failures() == 0);
}

TEST_CASE("source attempts: waits follow the seed, and stay within the bounds") {
    attempts one(7);
    attempts two(1);
    two.seed(7);
    const event_source_options options{.max_delay = 5s};
    for (int i = 0; i < 100; ++i) {
        const auto wait = one.delay(options, 1s);
        CHECK(wait == two.delay(options, 1s));
        CHECK(wait >= 1s);
        CHECK(wait <= 5s);
    }
    CHECK(one.failures() == 100);
}
