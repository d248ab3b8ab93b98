// SPDX-License-Identifier: MIT
//
// Tags: what is published for one user reaches all streams of that user, and comes again to
// whoever comes back.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::hub;
using ssekit::resumption;
using ssekit::start_point;
using ssekit::stream_end;
using ssekit::subscriber_info;
using ssekit::time_point;
using support::bell;
using support::client;
using support::gap;
using support::noon;
using support::say;
using support::texts;
using support::to;

namespace {

errc tell_tag(hub& server, std::string_view tag, std::string_view data) {
    return server.publish_to_tag(tag, {.data = data}).ec;
}

std::vector<std::uint64_t> ids_with(const hub& server, std::string_view tag) {
    std::vector<std::uint64_t> out;
    server.for_each_subscriber_with_tag(tag, [&](const subscriber_info& info) {
        CHECK(info.tag == tag);
        out.push_back(info.id);
    });
    return out;
}

} // namespace

TEST_CASE("what is published to a tag reaches all its streams and no other in order") {
    hub server(1, {}, {});
    client phone(server, to({"a"}, {.tag = "me"}));
    client laptop(server, {.patterns = "*", .tag = "me"});
    client other(server, to({"a"}, {.tag = "you"}));
    client nobody(server, to({"a", "me"}));
    say(server, "a", "1");
    CHECK(tell_tag(server, "me", "2") == errc::ok);
    phone.drain();
    say(server, "a", "3");
    CHECK(tell_tag(server, "you", "4") == errc::ok);
    say(server, "b", "5");
    CHECK(server.publish_to_tag("me", {.type = "mine", .data = "6"}).offset == 6);
    for (client* each : {&phone, &laptop, &other, &nobody}) each->drain();
    CHECK(phone.events() == texts{"1", "2", "3", "mine:6"});
    CHECK(laptop.events() == texts{"1", "2", "3", "5", "mine:6"});
    CHECK(other.events() == texts{"1", "3", "4"});
    CHECK(nobody.events() == texts{"1", "3"});
    CHECK(phone.seen().ids == std::vector<std::string>{"1.0", "1.1", "1.2", "1.3", "1.6"});
    CHECK(server.metrics().published == 6);
}

TEST_CASE("a tag and a topic of the same text have nothing in common") {
    hub server(1, {}, {});
    client reader(server, to({"same"}));
    client tagged(server, to({"a"}, {.tag = "same"}));
    client both(server, to({"same"}, {.tag = "same"}));
    say(server, "same", "1");
    CHECK(tell_tag(server, "same", "2") == errc::ok);
    for (client* each : {&reader, &tagged, &both}) each->drain();
    CHECK(reader.events() == texts{"1"});
    CHECK(tagged.events() == texts{"2"});
    CHECK(both.events() == texts{"1", "2"});
    CHECK(server.subscribers("same") == 2);
    CHECK(server.subscribers_with_tag("same") == 2);
    CHECK(server.metrics().topics == 2);
    CHECK(server.metrics().tags == 1);
    CHECK(both.stream.remove_topics("same") == errc::invalid_topic); // the tag alone is no stream
    CHECK(both.stream.add_topics("a") == errc::ok);
    CHECK(both.stream.remove_topics("same") == errc::ok);
    CHECK(tell_tag(server, "same", "3") == errc::ok);
    say(server, "same", "4");
    say(server, "a", "5");
    both.drain();
    CHECK(both.events() == texts{"1", "2", "3", "5"});
    CHECK(server.find_subscriber(both.stream.id())->topic == "a");
    CHECK(server.find_subscriber(both.stream.id())->tag == "same");
}

TEST_CASE("what is published to a tag is replayed to its own streams only") {
    hub server(1, {}, {});
    CHECK(tell_tag(server, "me", "1") == errc::ok); // nobody is there yet
    say(server, "a", "2");
    CHECK(tell_tag(server, "me", "3") == errc::ok);
    CHECK(tell_tag(server, "you", "4") == errc::ok);
    client back(server, to({"a"}, {.tag = "me", .last_event_id = "1.1"}));
    client all(server, to({"a"}, {.tag = "me", .start = start_point::earliest}));
    client live(server, to({"a"}, {.tag = "me"}));
    client stranger(server, to({"a"}, {.last_event_id = "1.0"}));
    for (client* each : {&back, &all, &live, &stranger}) each->drain();
    CHECK(back.stream.resumption() == resumption::resumed);
    CHECK(back.events() == texts{"2", "3"});
    CHECK(all.events() == texts{"1", "2", "3"});
    CHECK(live.events().empty());
    CHECK(stranger.events() == texts{"2"});
}

TEST_CASE("what is published to a tag is kept for its time and then the tag is gone") {
    hub server(1, {}, {.keep_tagged = {.events = 2, .age = 10s}});
    server.tick(noon);
    CHECK(tell_tag(server, "me", "1") == errc::ok);
    CHECK(tell_tag(server, "me", "2") == errc::ok);
    CHECK(tell_tag(server, "me", "3") == errc::ok);
    server.tick(noon + 9s);
    {
        client back(server, to({"a"}, {.tag = "me", .last_event_id = "1.1"}));
        CHECK(back.stream.resumption() == resumption::resumed);
        back.drain();
        CHECK(back.events() == texts{"2", "3"});
        client behind(server, to({"a"}, {.tag = "me", .last_event_id = "1.0"}));
        CHECK(behind.stream.resumption() == resumption::expired);
    }
    CHECK(server.metrics().tags == 1);
    server.tick(noon + 11s);
    CHECK(server.metrics().tags == 0);
    CHECK(server.metrics().log_bytes == 0);
    client late(server, to({"a"}, {.tag = "me", .last_event_id = "1.2"}));
    CHECK(late.stream.resumption() == resumption::expired);
    late.drain();
    CHECK(late.events() == texts{gap("expired")});
}

TEST_CASE("limits of tags and of their streams leave nothing behind") {
    hub server(1, {}, {.max_subscribers_per_tag = 2, .max_tags = 2, .max_topic_length = 4});
    std::optional<client> one(std::in_place, server, to({"a"}, {.tag = "me"}));
    client two(server, to({"a"}, {.tag = "me"}));
    CHECK(client(server, to({"new"}, {.tag = "me"})).ec == errc::tag_is_full);
    CHECK(client(server, to({"new"}, {.tag = "12345"})).ec == errc::invalid_topic);
    CHECK(client(server, {.tag = "me"}).ec == errc::invalid_topic);
    CHECK(tell_tag(server, "", "x") == errc::invalid_topic);
    {
        client you(server, to({"b"}, {.tag = "you"}));
        CHECK(client(server, to({"new"}, {.tag = "them"})).ec == errc::too_many_topics);
        CHECK(tell_tag(server, "them", "x") == errc::too_many_topics);
        CHECK(server.metrics().tags == 2);
    }
    CHECK(server.metrics().tags == 1);
    CHECK(server.metrics().topics == 1);
    CHECK(server.metrics().published == 0);
    CHECK(server.subscribers_with_tag("me") == 2);
    one.reset();
    CHECK(server.subscribers_with_tag("me") == 1);
    CHECK(client(server, to({"a"}, {.tag = "me"})).ec == errc::ok);
}

TEST_CASE("streams with a tag are found whatever they are doing") {
    hub server(1, {}, {});
    server.tick(noon);
    bell rung;
    char user = 'x';
    client other(server, to({"a"}, {.tag = "you"}));
    client parked(server, to({"a", "b"}, {.tag = "me"}));
    client ready(server, to({"a", "b"}, {.tag = "me", .user = &user}));
    client draining(server, to({"a"}, {.tag = "me"}));
    client woken(server, to({"b"}, {.tag = "me"}), rung.waker());
    client held(server, to({"c"}, {.tag = "me", .throttle = 1h}));
    for (client* each : {&parked, &ready, &draining, &woken, &held}) each->drain();
    const std::vector<std::uint64_t> all = {parked.stream.id(), ready.stream.id(),
                                            draining.stream.id(), woken.stream.id(),
                                            held.stream.id()};
    CHECK(ids_with(server, "me") == all);
    for (int round = 0; round < 3; ++round) {
        CHECK(tell_tag(server, "me", "x") == errc::ok);
        held.drain();
        parked.drain();
        draining.drain_bytes(7);
        CHECK(ids_with(server, "me") == all);
        server.tick(noon + 1s * round);
        CHECK(ids_with(server, "me") == all);
        CHECK(rung.rings == 1);
    }
    draining.drain();
    woken.drain();
    for (client* each : {&parked, &draining, &woken}) {
        CHECK(each->events() == texts{"x", "x", "x"});
    }
    CHECK(held.events() == texts{"x"});
    CHECK(server.next_ready() == &user);
    CHECK(ids_with(server, "you") == std::vector<std::uint64_t>{other.stream.id()});
    CHECK(ids_with(server, "nobody").empty());
    ready.stream = {};
    CHECK(ids_with(server, "me").size() == 4);
}

TEST_CASE("all streams of a user can be evicted at once") {
    hub server(1, {}, {});
    bell rung;
    char user = 'x';
    client first(server, to({"a"}, {.tag = "me", .user = &user}));
    client second(server, to({"a", "b"}, {.tag = "me"}), rung.waker());
    client other(server, to({"a"}, {.tag = "you"}));
    for (client* each : {&first, &second, &other}) each->drain();
    server.for_each_subscriber_with_tag(
        "me", [&](const subscriber_info& info) { CHECK(server.evict(info.id)); });
    CHECK(rung.take() == 1);
    CHECK(server.next_ready() == &user);
    for (client* each : {&first, &second}) {
        CHECK(each->drain() == drain_status::done);
        CHECK(each->stream.end() == stream_end::evicted);
    }
    CHECK(other.drain() == drain_status::idle);
    CHECK(server.subscribers_with_tag("me") == 0); // their places are free at once
    CHECK(tell_tag(server, "me", "x") == errc::ok);
    CHECK(rung.take() == 0);
    first.stream = {};
    second.stream = {};
    CHECK(server.subscribers_with_tag("me") == 0);
    CHECK(server.metrics().tags == 2); // what it was told is kept for whoever comes back
}

TEST_CASE("a tag changes nothing about heartbeats") {
    hub server(1, {}, {.heartbeat = {.interval = 15s}});
    server.tick(noon);
    client plain(server, to({"a"}));
    client tagged(server, to({"a"}, {.tag = "me"}));
    for (client* each : {&plain, &tagged}) each->drain();
    server.tick(noon + 20s);
    for (client* each : {&plain, &tagged}) each->drain();
    CHECK(tagged.socket.got == plain.socket.got);
    CHECK(server.metrics().heartbeats == 2);
}

TEST_CASE("a broadcast that a topic brings costs a tagged client no gap") {
    hub server(1, {}, {});
    say(server, "a", "1");
    {
        client reader(server, to({"a"}, {.tag = "me"}));
        reader.drain();
    }
    CHECK(server.metrics().tags == 0);
    CHECK(server.publish_to_all({.data = "2"}).offset == 2);
    client back(server, to({"a"}, {.tag = "me", .last_event_id = "1.1"}));
    CHECK(back.stream.resumption() == resumption::resumed); // tags are not broadcast to
    back.drain();
    CHECK(back.events() == texts{"2"});
}

TEST_CASE("a stream whose topic is closed still gets what its tag has for it") {
    hub server(1, {}, {});
    server.tick(noon);
    client reader(server, to({"a"}, {.tag = "me"}));
    client throttled(server, to({"a"}, {.tag = "me", .throttle = 10s}));
    CHECK(tell_tag(server, "me", "1") == errc::ok);
    for (client* each : {&reader, &throttled}) each->drain();
    CHECK(tell_tag(server, "me", "2") == errc::ok);
    CHECK(server.close_topic("a") == errc::ok);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"1", "2"});
    CHECK(throttled.drain() == drain_status::idle);
    server.tick(noon + 11s);
    CHECK(throttled.drain() == drain_status::done);
    CHECK(throttled.events() == texts{"1", "2"});
}

TEST_CASE("a client that comes back to a closed topic gets what its tag has for it") {
    hub server(1, {}, {});
    say(server, "a", "1");
    CHECK(server.close_topic("a") == errc::ok);
    CHECK(tell_tag(server, "me", "2") == errc::ok);
    client back(server, to({"a"}, {.tag = "me", .last_event_id = "1.1"}));
    CHECK(back.ec == errc::ok);
    CHECK(back.drain() == drain_status::done);
    CHECK(back.events() == texts{"2"});
    CHECK(client(server, to({"a"}, {.tag = "me", .last_event_id = "1.2"})).ec ==
          errc::topic_closed);
}
