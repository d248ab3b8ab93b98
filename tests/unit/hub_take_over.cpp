// SPDX-License-Identifier: MIT
//
// Where a tag has as many streams as it may have, the oldest gives way to a new one, if the hub is
// told so: it says so, its places are free at once, and nobody fights for them for ever.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/counted_memory.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::framing;
using ssekit::full_tag;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::stream_end;
using ssekit::time_point;
using support::bell;
using support::client;
using support::noon;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr hub_options one_window{.heartbeat = {.interval = 0s},
                                 .write_deadline = 0s,
                                 .max_subscribers_per_tag = 1,
                                 .on_full_tag = full_tag::oldest_gives_way};

} // namespace

TEST_CASE("the oldest stream of a full tag gives way to a new one and says so") {
    hub server(1, noon,
               {.max_subscribers_per_tag = 2,
                .on_full_tag = full_tag::oldest_gives_way,
                .give_way_type = "elsewhere",
                .give_way_retry = 7s});
    bell rung;
    client first(server, to({"a"}, {.tag = "me"}), rung.waker());
    client second(server, to({"a"}, {.tag = "me", .framing = framing::chunked}));
    client other(server, to({"a"}, {.tag = "you"}));
    for (client* each : {&first, &second, &other}) each->drain();
    client third(server, to({"a"}, {.tag = "me"}));
    CHECK(third.ec == errc::ok);
    CHECK(rung.take() == 1);
    CHECK(first.stream.end() == stream_end::replaced);
    CHECK_FALSE(first.stream.is_done()); // its last words
    CHECK(server.subscribers_with_tag("me") == 2);
    CHECK(server.subscribers() == 3);
    CHECK(first.drain() == drain_status::done); // in order
    CHECK(first.socket.got == "id: 1.0\n\nevent: elsewhere\nretry: 7000\ndata: \n\n");
    client fourth(server, to({"a"}, {.tag = "me"}));
    CHECK(second.drain() == drain_status::done);
    CHECK(second.events() == texts{"elsewhere:"});
    CHECK(support::dechunk(second.socket.got).ended);
    say(server, "a", "1");
    for (client* each : {&third, &fourth, &other}) {
        CHECK(each->drain() == drain_status::idle);
        CHECK(each->events() == texts{"1"});
    }
    CHECK(server.metrics().replaced == 2);
    CHECK(server.metrics().refused == 0);
}

TEST_CASE("a full tag refuses as long as the hub is not told otherwise") {
    hub server(1, noon, {.max_subscribers_per_tag = 1});
    client first(server, to({"a"}, {.tag = "me"}));
    CHECK(client(server, to({"a"}, {.tag = "me"})).ec == errc::tag_is_full);
    CHECK(first.stream.end() == stream_end::open);
    hub none(1, noon, {.max_subscribers_per_tag = 0, .on_full_tag = full_tag::oldest_gives_way});
    CHECK(client(none, to({"a"}, {.tag = "me"})).ec == errc::tag_is_full); // there is no other one
    CHECK(client(none, to({"a"})).ec == errc::ok);
}

TEST_CASE("twenty of twenty reloads of a window at its limit succeed") {
    hub_options options = one_window;
    options.max_subscribers = 1;
    options.max_subscribers_per_topic = 1; // the old one's places count for the new one
    hub server(1, noon, options);
    std::vector<std::unique_ptr<client>> windows;
    for (int i = 0; i <= 20; ++i) {
        CAPTURE(i);
        windows.push_back(std::make_unique<client>(server, to({"a"}, {.tag = "me"})));
        CHECK(windows.back()->ec == errc::ok);
        windows.back()->drain_bytes(5); // the socket of the old one is full, or nobody is there
        CHECK(server.subscribers() == 1);
        CHECK(server.subscribers("a") == 1);
    }
    say(server, "a", "1");
    windows.back()->drain();
    CHECK(windows.back()->events() == texts{"1"});
    CHECK(server.metrics().replaced == 20);
}

TEST_CASE("what has begun to leave a stream that gives way stays whole") {
    hub server(1, noon, one_window);
    client old(server, to({"a"}, {.tag = "me"}));
    old.drain();
    say(server, "a", "under way");
    say(server, "a", "not given out");
    old.drain_bytes(0);
    std::string_view slice;
    REQUIRE(old.stream.prepare({&slice, 1}) == 1);
    const client young(server, to({"a"}, {.tag = "me"}));
    CHECK(old.drain() == drain_status::done);
    CHECK(old.seen().errors.empty());
    CHECK(old.socket.got.find("under way") != std::string::npos);
    CHECK(old.socket.got.ends_with("retry: 5000\n\n"));
}

TEST_CASE("a stream whose hand is full gives way without last words") {
    hub server(1, noon, one_window);
    client old(server, to({"a"}, {.tag = "me"}));
    for (int i = 0; i < 40; ++i) say(server, "a", "x");
    std::array<std::string_view, 40> slices;
    const std::size_t given = old.stream.prepare(slices);
    CHECK(given == 32);
    const client young(server, to({"a"}, {.tag = "me"}));
    CHECK(old.stream.prepare(slices) == given);
    CHECK(old.drain() == drain_status::done);
    CHECK(old.seen().errors.empty());
    CHECK(old.events().size() == 31);
}

TEST_CASE("nobody gives way to a stream that is refused") {
    hub_options options = one_window;
    options.max_topics = 1;
    hub server(1, noon, options);
    client old(server, to({"a"}, {.tag = "me"}));
    old.drain();
    CHECK(client(server, to({"b"}, {.tag = "me"})).ec == errc::too_many_topics);
    CHECK(client(server, {.topics = "b", .must_exist = true, .tag = "me"}).ec ==
          errc::no_such_topic);
    CHECK(client(server,
                 {.topics = "a", .tag = "me", .last_event_id = "?", .on_gap = gap_policy::refuse})
              .ec == errc::replay_refused);
    CHECK(old.stream.end() == stream_end::open);
    CHECK(old.drain() == drain_status::idle);
    CHECK(server.metrics().replaced == 0);
}

TEST_CASE("a stream gives way without memory too, and only to one that has found some") {
    std::size_t refused = 0;
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 100);
        support::counted_memory memory;
        hub_options options = one_window;
        options.memory = &memory;
        hub server(1, noon, options);
        client old(server, to({"a"}, {.tag = "me"}));
        old.drain();
        memory.grace = grace;
        client young(server, to({"a", "b"}, {.tag = "me"}));
        memory.grace = memory.unlimited;
        const bool made = young.ec == errc::ok;
        if (!made) CHECK(young.ec == errc::out_of_memory);
        CHECK(old.stream.end() == (made ? stream_end::replaced : stream_end::open));
        CHECK(server.subscribers() == 1);
        CHECK(old.drain() == (made ? drain_status::done : drain_status::idle));
        if (!memory.struck) break;
        refused += made ? 0 : 1;
    }
    CHECK(refused >= 2);
}

TEST_CASE("two clients that both come back do so ever more rarely") {
    hub_options options = one_window;
    options.give_way_retry = 1s;
    options.give_way_retry_max = 1min;
    hub server(1, noon, options);
    time_point now = noon;
    std::array<std::unique_ptr<client>, 2> windows;
    std::array<std::string, 2> ids;
    std::vector<std::chrono::milliseconds> waits;
    for (std::size_t turn = 0; turn != 40; ++turn) {
        const std::size_t mine = turn % 2, theirs = 1 - mine;
        windows[mine] =
            std::make_unique<client>(server, to({"a"}, {.tag = "me", .last_event_id = ids[mine]}));
        CHECK(windows[mine]->ec == errc::ok);
        windows[mine]->drain();
        if (!windows[theirs]) continue;
        CHECK(windows[theirs]->drain() == drain_status::done);
        ids[theirs] = windows[theirs]->last_event_id();
        REQUIRE(windows[theirs]->seen().retries.size() == 1);
        waits.emplace_back(windows[theirs]->seen().retries.back());
        server.tick(now += waits.back()); // as it was told
    }
    REQUIRE(waits.size() == 39);
    for (std::size_t i = 0; i != waits.size(); ++i) {
        CAPTURE(i);
        CHECK(waits[i] == (i < 6 ? 1s * (1 << i) : 1min));
    }
    server.tick(now += 3min); // the two have parted
    windows[0] = std::make_unique<client>(server, to({"a"}, {.tag = "me"}));
    windows[1]->drain();
    CHECK(windows[1]->seen().retries.back() == 1000);
}

TEST_CASE("what comes between two that give way does not change how long ago the last one did") {
    hub_options options = one_window;
    options.give_way_retry = 1s;
    hub server(1, noon, options);
    const auto wait_of_the_next = [&] {
        client old(server, to({"a"}, {.tag = "me"}));
        client young(server, to({"a"}, {.tag = "me"}));
        old.drain();
        return old.seen().retries.back();
    };
    CHECK(server.publish_to_tag("me", {.data = "1"}).ec == errc::ok); // so that the tag stays
    CHECK(wait_of_the_next() == 1000);
    server.tick(noon + 1min);
    CHECK(server.publish_to_tag("me", {.data = "2"}).ec == errc::ok);
    CHECK(wait_of_the_next() == 1000);
    CHECK(wait_of_the_next() == 2000);
}

TEST_CASE("the wait of those that give way may have any length") {
    using ms = std::chrono::milliseconds;
    for (const ms least : {0ms, 1ms, -1ms, ms::max(), ms::min()}) {
        for (const ms most : {0ms, 1ms, -1ms, ms::max(), ms::min()}) {
            hub_options options = one_window;
            options.give_way_retry = least;
            options.give_way_retry_max = most;
            hub server(1, noon, options);
            std::vector<std::unique_ptr<client>> all;
            for (int i = 0; i < 300; ++i) {
                all.push_back(std::make_unique<client>(server, to({"a"}, {.tag = "me"})));
                if (i == 0) continue;
                client& old = *all[all.size() - 2];
                CHECK(old.drain() == drain_status::done);
                CHECK(old.seen().retries.size() == (least > 0ms ? 1 : 0));
                CHECK(old.seen().errors.empty());
            }
        }
    }
}
