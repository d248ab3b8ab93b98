// SPDX-License-Identifier: MIT
//
// What a publisher can know before it publishes: how far its readers are behind, and how many of
// them one event more would cost something.
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::lag_policy;
using support::client;
using support::exactly;
using support::noon;
using support::say;
using support::to;
using support::untimed;

namespace {

hub_options keeping(const ssekit::retention& keep) {
    hub_options options = untimed;
    options.keep = keep;
    return options;
}

} // namespace

TEST_CASE("nobody would lag while there is room, and who has read nothing would after it") {
    hub server(1, noon, keeping({.events = 2, .burst = {.events = 5}}));
    client slow(server, to({"a"}));
    client quick(server, to({"a"}));
    for (int i = 0; i < 5; ++i) {
        CHECK(server.room("a").events == static_cast<std::size_t>(5 - i));
        CHECK(server.would_lag("a", 20) == 0);
        say(server, "a", "x");
        quick.drain();
    }
    CHECK(server.room("a").events == 0);
    CHECK(server.would_lag("a", 20) == 1);
    CHECK(server.would_lag("b", 20) == 0); // which nobody reads
    CHECK(server.slowest_reader("a")->id == slow.stream.id());
    CHECK(server.slowest_reader("a")->events == 5);
    server.tick(noon + 2s); // the burst is over
    CHECK(server.room("a").events == 3);
    CHECK(server.slowest_reader("a")->events == 5);
    say(server, "a", "x");
    CHECK(slow.drain() == drain_status::cut);
    CHECK_FALSE(server.slowest_reader("a")->events == 6);
    CHECK(server.slowest_reader("a")->id == quick.stream.id());
}

TEST_CASE("one large event counts by its bytes, and is itself within bounds") {
    hub server(1, noon, keeping(exactly({.bytes = 1000})));
    client reader(server, to({"a"}));
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{5000}, most}) {
        CHECK(server.would_lag("a", bytes) == 0);
    }
    say(server, "a", "x");
    const std::size_t used = 1000 - server.room("a").bytes;
    CHECK(server.would_lag("a", 1000 - used) == 0);
    for (const std::size_t bytes : {1001 - used, std::size_t{5000}, most / 2, most}) {
        CHECK(server.would_lag("a", bytes) == 1);
    }
    reader.drain();
    CHECK(server.would_lag("a", most) == 0);
}

TEST_CASE("a stream's own bound may be the nearer one") {
    hub server(1, noon, untimed);
    const client events(server, to({"a"}, {.max_lag = {.events = 2}}));
    const client bytes(server, to({"a"}, {.max_lag = {.bytes = 60}}));
    const client age(server, to({"a"}, {.max_lag = {.age = 1s}}));
    const client loose(server, to({"a"}));
    say(server, "a", "1");
    say(server, "a", "2");
    CHECK(server.would_lag("a", 20) == 1);
    CHECK(server.would_lag("a", 40) == 2);
    server.tick(noon + 2s);
    // Now the first event is lost to the third stream, and the second, its newest, would be.
    CHECK(server.would_lag("a", 20) == 2);
}

TEST_CASE("what a throttle holds back, and what nobody wants, is no loss") {
    hub server(1, noon, untimed);
    client throttled(server, to({"a"}, {.max_lag = {.events = 1}, .throttle = 10s}));
    const client filtered(server,
                          to({"a"}, {.max_lag = {.events = 1},
                                     .filter = [](const auto&) noexcept { return false; }}));
    say(server, "a", "1");
    throttled.drain(); // the window opens, and the next one is far
    say(server, "a", "2");
    CHECK(server.would_lag("a", 20) == 0);
}

TEST_CASE("of values of one key it is enough that the newest is there") {
    hub server(1, noon, keeping(exactly(2)));
    const client newest(server, to({"a"}, {.on_lag = lag_policy::coalesce}));
    say(server, "a", {.data = "1"}, "x");
    say(server, "a", {.data = "2"}, "x");
    CHECK(server.would_lag("a", 20) == 0);
    say(server, "a", {.data = "3"}, "y");
    CHECK(server.would_lag("a", 20) == 1); // of x nothing would be left
}

TEST_CASE("an event that another topic of the stream keeps is not lost") {
    hub server(1, noon, keeping(exactly(10)));
    CHECK(server.keep("small", exactly(1)) == errc::ok);
    const client both(server, to({"small", "large"}));
    const client small(server, to({"small"}));
    const ssekit::topic_list names{"small", "large"};
    CHECK(server.publish(names, {.data = "1"}).ec == errc::ok);
    CHECK(server.would_lag("small", 20) == 1);
    CHECK(server.would_lag("large", 20) == 0);
}

TEST_CASE("the readers of a pattern are at stake where a name that is new matches it") {
    hub server(1, noon, keeping(exactly(1)));
    const client reader(server, {.topics = "a", .patterns = "jobs/*"});
    say(server, "jobs/1", "1");
    CHECK(server.would_lag("jobs/2", 20) == 1);
    CHECK(server.would_lag("other/2", 20) == 0);
    CHECK(server.find_topic("jobs/2") == std::nullopt); // asking makes none
    CHECK(server.slowest_reader("jobs/*")->events == 1);
}

TEST_CASE("what would be refused costs nobody anything") {
    hub server(1, noon, keeping(exactly(1)));
    const client reader(server, to({"a"}));
    say(server, "a", "1");
    CHECK(server.would_lag("a", 20) == 1);
    CHECK(server.would_lag({"a", "b"}, 20) == 1);
    CHECK(server.close_topic("b") == errc::ok);
    CHECK(server.would_lag({"a", "b"}, 20) == 0);
    CHECK(server.close() == errc::ok);
    CHECK(server.would_lag("a", 20) == 0);
}

TEST_CASE("a publisher that asks first hurts nobody") {
    hub server(1, noon, keeping(exactly({.events = 4, .bytes = 200})));
    client reader(server, to({"a"}, {.max_lag = {.events = 3}}));
    int waited = 0;
    for (int i = 0; i < 100; ++i) {
        const std::string data(static_cast<std::size_t>(i), 'x');
        if (server.would_lag("a", data.size() + 24) != 0) {
            ++waited;
            CHECK(reader.drain() == drain_status::idle);
        }
        say(server, "a", data);
    }
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.events().size() == 100);
    CHECK(waited > 20);
}

TEST_CASE("a shared hub knows how far its readers are behind") {
    ssekit::shared_hub server(1, noon, keeping(exactly(2)));
    auto made = server.subscribe({.topics = "a"});
    CHECK(made.ec == errc::ok);
    for (int i = 0; i < 2; ++i) CHECK(server.publish("a", {.data = "x"}).ec == errc::ok);
    CHECK(server.would_lag("a", 20) == 1);
    CHECK(server.slowest_reader("a")->id == made.subscription.id());
    int readers = 0;
    server.for_each_reader("a", [&](const ssekit::reader_lag& reader) {
        ++readers;
        CHECK(reader.events == 2);
    });
    CHECK(readers == 1);
}
