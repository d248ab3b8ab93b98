// SPDX-License-Identifier: MIT
//
// Who is there: a tag comes with its first stream, and goes when its last one has gone and has not
// come back in time.
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::full_tag;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::never;
using ssekit::presence_options;
using ssekit::stream_end;
using ssekit::time_point;
using support::client;
using support::noon;
using support::say;
using support::texts;
using support::to;
using support::untimed;

namespace {

struct doorman {
    texts told = {};
    [[nodiscard]] ssekit::presence_hook hook() {
        return {[](void* self, std::string_view tag, bool present) noexcept {
                    static_cast<doorman*>(self)->told.push_back((present ? "+" : "-") +
                                                                std::string(tag));
                },
                this};
    }
    texts take() { return std::exchange(told, {}); }
};

hub_options watched(const presence_options& presence) {
    hub_options options = untimed;
    options.presence = presence;
    return options;
}

texts present_in(const hub& server) {
    texts out;
    server.for_each_present([&](std::string_view tag) { out.emplace_back(tag); });
    return out;
}

std::string came(std::string_view tag) {
    return "presence:{\"tag\":\"" + std::string(tag) + "\",\"present\":true}";
}
std::string gone(std::string_view tag) {
    return "presence:{\"tag\":\"" + std::string(tag) + "\",\"present\":false}";
}

} // namespace

TEST_CASE("a tag comes with its first stream and goes with its last one after the grace") {
    doorman door;
    hub server(1, noon, watched({.on_change = door.hook(), .topic = "room", .grace = 5s}));
    client watcher(server, to({"room"}));
    CHECK_FALSE(server.is_present("ann"));
    std::optional<client> one(std::in_place, server, to({"a"}, {.tag = "ann"}));
    CHECK(door.take() == texts{"+ann"});
    std::optional<client> two(std::in_place, server, to({"b"}, {.tag = "ann"}));
    const client nobody(server, to({"a"}));
    one.reset();
    CHECK(server.next_deadline() == never);
    two.reset();
    CHECK(door.take().empty());
    CHECK(server.is_present("ann"));
    CHECK(present_in(server) == texts{"ann"});
    CHECK(server.metrics().tags_present == 1);
    CHECK(server.next_deadline() == noon + 5s);
    server.tick(noon + 5s - 1ns);
    CHECK(door.take().empty());
    server.tick(noon + 5s);
    CHECK(door.take() == texts{"-ann"});
    CHECK_FALSE(server.is_present("ann"));
    CHECK(present_in(server).empty());
    CHECK(server.next_deadline() == never);
    watcher.drain();
    CHECK(watcher.events() == texts{came("ann"), gone("ann")});
    CHECK(server.metrics().tags_present == 0);
    CHECK(server.metrics().presence_came == 1);
    CHECK(server.metrics().presence_gone == 1);
    CHECK(server.metrics().presence_lost == 0);
}

TEST_CASE("a newcomer to the topic may begin with all who are there") {
    hub server(1, noon, watched({.topic = "room", .grace = 0s}));
    REQUIRE(server.keep("room", {.events = 2, .values = {.keys = 100}}) == errc::ok);
    const client ann(server, to({"a"}, {.tag = "ann"}));
    std::optional<client> bob(std::in_place, server, to({"a"}, {.tag = "bob"}));
    const client eve(server, to({"a"}, {.tag = "eve"}));
    bob.reset();
    client reader(server, to({"room"}, {.start = ssekit::start_point::newest_of_each_key}));
    reader.drain();
    CHECK(reader.events() == texts{came("ann"), came("eve")});
}

TEST_CASE("without grace a tag goes at once") {
    for (const auto grace : {0ms, -1ms, (std::chrono::milliseconds::min)()}) {
        doorman door;
        hub server(1, noon, watched({.on_change = door.hook(), .grace = grace}));
        std::optional<client> one(std::in_place, server, to({"a"}, {.tag = "ann"}));
        one.reset();
        CHECK(door.take() == texts{"+ann", "-ann"});
        CHECK(server.next_deadline() == never);
        CHECK(server.metrics().published == 0); // there is no topic
    }
}

TEST_CASE("a grace of any length ends") {
    hub server(1, noon, watched({.grace = (std::chrono::milliseconds::max)()}));
    std::optional<client> one(std::in_place, server, to({"a"}, {.tag = "ann"}));
    one.reset();
    CHECK(server.next_deadline() > noon + 24h * 300);
    CHECK(server.next_deadline() < noon + 24h * 400);
}

TEST_CASE("a storm of reconnections tells nobody anything") {
    doorman door;
    hub server(1, noon, watched({.on_change = door.hook(), .topic = "room", .grace = 5s}));
    constexpr std::size_t count = 300;
    std::vector<std::unique_ptr<client>> all(count);
    const auto connect = [&](std::size_t i) {
        const std::string tag = "user-" + std::to_string(i);
        all[i] = std::make_unique<client>(server, to({"a"}, {.tag = tag}));
    };
    for (std::size_t i = 0; i < count; ++i) connect(i);
    CHECK(door.take().size() == count);
    const auto published = server.metrics().published;
    time_point now = noon;
    for (int storm = 0; storm < 5; ++storm) {
        for (auto& each : all) each.reset();
        CHECK(server.metrics().tags_present == count);
        server.tick(now += 4s);
        for (std::size_t i = count; i-- != 0;) connect(i);
    }
    CHECK(door.take().empty());
    CHECK(server.metrics().published == published);
    CHECK(server.metrics().presence_returned == 5 * count);
    CHECK(server.next_deadline() == never);
    CHECK(present_in(server).size() == count);
}

TEST_CASE("each departure has a grace of its own, and a return begins anew") {
    doorman door;
    hub server(1, noon, watched({.on_change = door.hook(), .grace = 10s}));
    std::optional<client> ann(std::in_place, server, to({"a"}, {.tag = "ann"}));
    std::optional<client> bob(std::in_place, server, to({"a"}, {.tag = "bob"}));
    door.take();
    ann.reset();
    server.tick(noon + 4s);
    bob.reset();
    server.tick(noon + 8s);
    ann.emplace(server, to({"a"}, {.tag = "ann"}));
    ann.reset();
    server.tick(noon + 14s);
    CHECK(door.take() == texts{"-bob"});
    CHECK(server.next_deadline() == noon + 18s);
    server.tick(noon + 18s);
    CHECK(door.take() == texts{"-ann"});
}

TEST_CASE("the newcomer's own stream tells of it, after its opening") {
    hub server(1, noon, watched({.topic = "room"}));
    client ann(server, to({"room"}, {.tag = "ann"}));
    CHECK(ann.drain() == drain_status::idle);
    CHECK(ann.events() == texts{came("ann")});
    CHECK(ann.last_event_id() == "1.1");
}

TEST_CASE("of each tag the newest event is enough for who reads by keys") {
    hub server(1, noon, watched({.topic = "room", .type = "who", .grace = 0s}));
    client late(server, to({"room"}, {.on_lag = ssekit::lag_policy::coalesce}));
    const client ann(server, to({"a"}, {.tag = "ann"}));
    for (int i = 0; i < 3; ++i) static_cast<void>(client(server, to({"a"}, {.tag = "bob"})));
    late.drain();
    CHECK(late.events() ==
          texts{R"(who:{"tag":"ann","present":true})", R"(who:{"tag":"bob","present":false})"});
}

TEST_CASE("a stream that ends counts no more, however it ends") {
    doorman door;
    hub_options options = watched({.on_change = door.hook(), .grace = 0s});
    options.keep = support::exactly(1);
    options.write_deadline = 1s;
    hub server(1, noon, options);
    client evicted(server, to({"a"}, {.tag = "evicted"}));
    client expired(server, to({"a"}, {.tag = "expired", .max_age = 1s}));
    client lagged(server, to({"b"}, {.tag = "lagged"}));
    client finished(server, to({"c"}, {.tag = "finished"}));
    const client stalled(server, to({"d"}, {.tag = "stalled"})); // its opening waits
    for (client* each : {&evicted, &expired, &lagged, &finished}) each->drain();
    CHECK(door.take().size() == 5);
    CHECK(server.evict(evicted.stream.id()));
    CHECK(door.take() == texts{"-evicted"});
    say(server, "b", "1");
    say(server, "b", "2");
    CHECK(lagged.drain() == drain_status::cut);
    CHECK(door.take() == texts{"-lagged"});
    CHECK(server.close_topic("c") == errc::ok);
    CHECK(finished.drain() == drain_status::done);
    CHECK(door.take() == texts{"-finished"});
    server.tick(noon + 5s);
    CHECK(expired.stream.end() == stream_end::expired);
    CHECK(stalled.stream.end() == stream_end::stalled);
    texts last = door.take();
    std::sort(last.begin(), last.end());
    CHECK(last == texts{"-expired", "-stalled"});
    CHECK(server.metrics().tags_present == 0);
}

TEST_CASE("who takes over from its own tag neither comes nor goes") {
    doorman door;
    hub_options options = watched({.on_change = door.hook(), .grace = 0s});
    options.max_subscribers_per_tag = 1;
    options.on_full_tag = full_tag::oldest_gives_way;
    hub server(1, noon, options);
    client old(server, to({"a"}, {.tag = "me"}));
    const client young(server, to({"a"}, {.tag = "me"}));
    CHECK(old.stream.end() == stream_end::replaced);
    CHECK(door.take() == texts{"+me"});
    CHECK(server.metrics().presence_returned == 0);
}

TEST_CASE("who is refused has not come") {
    doorman door;
    hub_options options = watched({.on_change = door.hook(), .grace = 0s});
    options.max_subscribers_per_topic = 1;
    hub server(1, noon, options);
    const client first(server, to({"a"}));
    CHECK(client(server, to({"a"}, {.tag = "ann"})).ec == errc::topic_is_full);
    CHECK(door.take().empty());
    CHECK(server.metrics().tags_present == 0);
}

TEST_CASE("a hub that ends does not say that everybody has left") {
    for (const int how : {0, 1, 2}) {
        doorman door;
        std::optional<hub> server(
            std::in_place, 1u, noon,
            watched({.on_change = door.hook(), .topic = "room", .grace = 1s}));
        std::optional<client> waiting(std::in_place, *server, to({"a"}, {.tag = "bob"}));
        client open(*server, to({"a"}, {.tag = "ann"}));
        waiting.reset();
        door.take();
        const auto published = server->metrics().published;
        if (how == 0) CHECK(server->close() == errc::ok);
        if (how == 1) server->cut();
        if (how != 2) {
            CHECK_FALSE(server->is_present("bob")); // nobody waits for it any more
            CHECK(server->metrics().tags_present == (how == 0 ? 1 : 0));
            server->tick(noon + 10s);
            CHECK(open.drain() == (how == 0 ? drain_status::done : drain_status::cut));
            CHECK_FALSE(server->is_present("ann"));
            CHECK(server->metrics().tags_present == 0);
            CHECK(server->metrics().published == published);
            CHECK(server->metrics().refused_events[errc::closed] == 0);
            CHECK(server->next_deadline() == never);
        }
        server.reset();
        CHECK(door.take().empty());
    }
}

TEST_CASE("past the bound the oldest departure is told early, and counted") {
    doorman door;
    hub_options options = watched({.on_change = door.hook(), .grace = 1h});
    options.max_tags = 2;
    hub server(1, noon, options);
    const auto visit = [&](std::string_view tag) {
        CHECK(client(server, to({"a"}, {.tag = tag})).ec == errc::ok);
    };
    for (const char* const tag : {"a", "b", "c"}) visit(tag);
    CHECK(door.take() == texts{"+a", "+b", "+c", "-a"});
    visit("b");
    CHECK(door.take().empty());
    visit("d");
    CHECK(door.take() == texts{"+d", "-c"});
    CHECK(present_in(server) == texts{"b", "d"});
    CHECK(server.metrics().presence_cut_short == 2);
    CHECK(server.metrics().tags_present == 2);
    server.tick(noon + 1h);
    CHECK(door.take() == texts{"-b", "-d"});
}

TEST_CASE("what has been published to a tag does not make it present, nor the other way round") {
    hub_options options = watched({.grace = 1h});
    options.max_tags = 1;
    hub server(1, noon, options);
    CHECK(client(server, to({"a"}, {.tag = "ann"})).ec == errc::ok);
    CHECK(server.publish_to_tag("bob", {.data = "x"}).ec == errc::ok); // ann has no place any more
    CHECK(server.is_present("ann"));
    CHECK_FALSE(server.is_present("bob"));
    CHECK(present_in(server) == texts{"ann"});
}

TEST_CASE("a change that cannot be published is told by the hook, and counted") {
    using ssekit::event_ids;
    const auto lost_in = [](hub_options options, errc why) {
        CAPTURE(static_cast<int>(why));
        doorman door;
        options.presence->on_change = door.hook();
        hub server(1, noon, options);
        CHECK(server.keep("a", {}) == errc::ok);
        if (why == errc::topic_closed) CHECK(server.close_topic("room") == errc::ok);
        CHECK(client(server, to({"a"}, {.tag = "ann"})).ec == errc::ok);
        CHECK(door.take() == texts{"+ann", "-ann"});
        CHECK(server.metrics().presence_lost == 2);
        CHECK(server.metrics().refused_events[why] == 2);
        CHECK(server.metrics().published == 0);
    };
    hub_options options = watched({.topic = "room", .grace = 0s});
    lost_in(options, errc::topic_closed);
    options.max_topics = 1;
    lost_in(options, errc::too_many_topics);
    options.max_topics = 2;
    options.ids = event_ids::by_publisher;
    lost_in(options, errc::id_is_missing);
    options.ids = event_ids::by_sequence;
    lost_in(options, errc::out_of_sequence);
}

TEST_CASE("events of presence need no ids") {
    hub_options options = watched({.topic = "room"});
    options.ids = ssekit::event_ids::none;
    hub server(1, noon, options);
    client watcher(server, to({"room"}));
    const client ann(server, to({"a"}, {.tag = "ann"}));
    watcher.drain();
    CHECK(watcher.events() == texts{came("ann")});
}

TEST_CASE("without the option a tag is present while it has a stream") {
    hub server(1, noon, untimed);
    std::optional<client> ann(std::in_place, server, to({"a"}, {.tag = "ann"}));
    CHECK(server.is_present("ann"));
    CHECK(present_in(server) == texts{"ann"});
    ann.reset();
    CHECK_FALSE(server.is_present("ann"));
    CHECK(server.next_deadline() == never);
}

TEST_CASE("a shared hub says who is there") {
    ssekit::shared_hub server(1, noon, watched({.grace = 1s}));
    auto made = server.subscribe(to({"a"}, {.tag = "ann"}));
    CHECK(made.ec == errc::ok);
    made.subscription = {};
    CHECK(server.is_present("ann"));
    CHECK(server.next_deadline() == noon + 1s); // the loop is told of it
    texts seen;
    server.for_each_present([&](std::string_view tag) { seen.emplace_back(tag); });
    CHECK(seen == texts{"ann"});
    server.tick(noon + 1s);
    CHECK_FALSE(server.is_present("ann"));
}
