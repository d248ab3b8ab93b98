// SPDX-License-Identifier: MIT
//
// A sequence reaches whatever a hub can publish to: topics, a tag, all, and the end of a topic.
#include <ssekit/event_target.hpp>
#include <ssekit/hub.hpp>

#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_sequence;
using ssekit::event_target;
using ssekit::hub;
using ssekit::resumption;
using ssekit::stream_end;
using support::client;
using support::gap;
using support::morning;
using support::texts;
using support::to;

namespace {

constexpr ssekit::hub_options for_targets{.ids = ssekit::event_ids::by_sequence};

struct node {
    event_sequence sequence{7};
    hub server{7, morning, for_targets};

    errc bring(const event_target& target, std::string_view data) {
        return server.publish_sequenced(target, sequence.make("", {.data = data})).ec;
    }
};

} // namespace

TEST_CASE("each target reaches whom it names, in the order of the sequence, without gaps") {
    node n;
    client a(n.server, to({"a"}));
    client mine(n.server, {.topics = "b", .tag = "me"});
    client pattern(n.server, {.patterns = "*"});
    CHECK(n.bring("a", "1") == errc::ok);
    CHECK(n.bring(event_target::to_tag("me"), "2") == errc::ok);
    CHECK(n.bring(event_target::to_all(), "3") == errc::ok);
    CHECK(n.bring({"a", "b"}, "4") == errc::ok);
    CHECK(n.bring(event_target::to_tag("nobody"), "5") == errc::ok);
    for (client* each : {&a, &mine, &pattern}) each->drain();
    CHECK(a.events() == texts{"1", "3", "4"});
    CHECK(mine.events() == texts{"2", "3", "4"});
    CHECK(pattern.events() == texts{"1", "3", "4"});
    CHECK(n.server.newest().offset == 5);
    CHECK(n.server.metrics().published == 5);
    client back(n.server, {.topics = "b", .tag = "me", .last_event_id = "7.1"});
    CHECK(back.stream.resumption() == resumption::resumed);
    back.drain();
    CHECK(back.events() == texts{"2", "3", "4"});
}

TEST_CASE("a topic closes with its last event, and with a mark alone") {
    for (const bool says_so : {true, false}) {
        CAPTURE(says_so);
        node n;
        client only(n.server, to({"a"}));
        client other(n.server, to({"b"}));
        CHECK(n.bring("a", "1") == errc::ok);
        const auto last = says_so ? n.sequence.make("a", {.data = "bye"}) : n.sequence.mark();
        CHECK(n.server.publish_sequenced(event_target::closing("a", 10s), last).ec == errc::ok);
        only.drain();
        CHECK(only.events() == (says_so ? texts{"1", "bye"} : texts{"1"}));
        CHECK(only.stream.end() == stream_end::topic_closed);
        // What comes for it later nobody misses.
        CHECK(n.bring("a", "late") == errc::topic_closed);
        CHECK(n.bring("b", "4") == errc::ok);
        other.drain();
        CHECK(other.events() == texts{"4"});
        client back(n.server, to({"b"}, {.last_event_id = "7.2"}));
        CHECK(back.stream.resumption() == resumption::resumed);
        n.server.tick(morning + 11s);
        CHECK_FALSE(n.server.find_topic("a"));
    }
}

TEST_CASE("a close that is repeated is passed over") {
    node n;
    CHECK(n.bring(event_target::closing("a"), "bye") == errc::ok);
    CHECK(n.bring(event_target::closing("a"), "bye") == errc::topic_closed);
    CHECK(n.server.publish_sequenced(event_target::closing("a"), n.sequence.mark()).ec == errc::ok);
    CHECK(n.bring("b", "x") == errc::ok);
    client back(n.server, to({"b"}, {.last_event_id = "7.1"}));
    CHECK(back.stream.resumption() == resumption::resumed);
}

TEST_CASE("a jump is told before an event to a tag, and before one to all") {
    for (const bool to_all : {true, false}) {
        CAPTURE(to_all);
        node n;
        client mine(n.server, {.topics = "b", .tag = "me"});
        CHECK(n.bring("b", "1") == errc::ok);
        CHECK(n.sequence.make("b", {.data = "lost"}).ec == errc::ok);
        CHECK(n.bring(to_all ? event_target::to_all() : event_target::to_tag("me"), "3") ==
              errc::ok);
        mine.drain();
        CHECK(mine.events() == texts{"1", gap("missed"), "3"});
        CHECK(mine.last_event_id() == "7.3");
    }
}

TEST_CASE("a hub that closes takes none of them, and nobody misses what nobody reads") {
    node n;
    client job(n.server, to({"job"}));
    CHECK(n.server.close({.unfinished = "job"}) == errc::ok);
    CHECK(n.bring(event_target::to_tag("me"), "1") == errc::closed);
    CHECK(n.server.publish_sequenced("job 2", n.sequence.mark()).ec == errc::closed);
    CHECK(n.bring("job", "3") == errc::ok);
    job.drain();
    CHECK(job.events() == texts{"3"});
    CHECK(n.bring(event_target::to_all(), "4") == errc::closed); // he would have got it
    CHECK(n.bring(event_target::closing("job"), "5") == errc::ok);
    job.drain();
    CHECK(job.events() == texts{"3", gap("missed"), "5"});
}

TEST_CASE("topics that cannot be named are refused, whatever the target") {
    node n;
    CHECK(n.bring(event_target::to_tag(""), "1") == errc::invalid_topic);
    CHECK(n.bring(event_target::closing(""), "2") == errc::invalid_topic);
    CHECK(n.server.publish_sequenced(event_target::closing(""), n.sequence.mark()).ec ==
          errc::invalid_topic);
    CHECK(n.bring(ssekit::topic_list(), "4") == errc::invalid_topic);
    CHECK(n.bring("a", "5") == errc::ok);
    CHECK(n.server.metrics().lost_offsets == 0);
}
