// SPDX-License-Identifier: MIT
#include <ssekit/relay_options.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;
using ssekit::relay_options;

TEST_CASE("relay options: the bounds that are there unasked fit into each other") {
    const relay_options options;
    CHECK(options.max_batch > 0);
    CHECK(options.max_batch <= options.max_queue);
    CHECK(options.max_batch_bytes <= options.max_queue_bytes);
    CHECK(options.turn_records > 0);
    CHECK(options.turn_records <= options.page); // a page is given out in parts
    CHECK(options.turn_bytes <= options.max_inbox_bytes);
    CHECK(options.ring > 0);
    CHECK(options.keep == 0); // nothing is trimmed unless asked for
    CHECK(options.retry_min > 0ms);
    CHECK(options.retry_min <= options.retry_max);
    CHECK(options.gather == 0ms);
    CHECK(options.wait > 0ms); // a thread looks now and then whether the relay ends
}

TEST_CASE("relay options: an outcome, a health and a count begin with what is safe to say") {
    const ssekit::relay_outcome outcome;
    CHECK(outcome.id == ssekit::event_place{});
    CHECK_FALSE(outcome.repeated);
    const ssekit::relay_health health;
    CHECK_FALSE(health.ready);
    CHECK_FALSE(health.connected);
    CHECK(ssekit::relay_publish_options().once.empty());
    CHECK_FALSE(ssekit::relay_publish_options().done);
    const ssekit::relay_metrics metrics;
    CHECK(metrics.lag + metrics.queue + metrics.in_doubt + metrics.lost == 0);
}
