// SPDX-License-Identifier: MIT
//
// What goes on while the hub closes: topics and streams whose work is not done.
#include <ssekit/event_sequence.hpp>
#include <ssekit/hub.hpp>

#include "support/bare_hub.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::framing;
using ssekit::hub;
using ssekit::stream_end;
using ssekit::subscriber_info;
using support::client;
using support::noon;
using support::say;
using support::texts;
using support::to;

namespace {

constexpr auto reads_a_job = [](const subscriber_info& stream) noexcept {
    return stream.topic.starts_with("jobs/");
};

} // namespace

TEST_CASE("an unfinished topic takes events while the hub closes, and its streams go on") {
    hub server(1, {}, {.end_type = "end"});
    client working(server, to({"jobs/1"}, {.framing = framing::chunked}));
    client other(server, to({"news"}));
    working.drain();
    CHECK(server.close({.farewell = {.type = "bye", .data = ""},
                        .retry_min = 2s,
                        .retry_max = 2s,
                        .unfinished = "jobs/1"}) == errc::ok);
    CHECK(other.drain() == drain_status::done);
    CHECK(working.drain() == drain_status::idle);
    CHECK(server.publish("jobs/1", {.data = "half"}).ec == errc::ok);
    CHECK(server.publish("news", {.data = "x"}).ec == errc::closed);
    CHECK(server.publish({"jobs/1", "news"}, {.data = "x"}).ec == errc::closed);
    CHECK(server.publish("jobs/2", {.data = "x"}).ec == errc::closed);
    CHECK(server.publish_to_all({.data = "x"}).ec == errc::closed);
    CHECK(server.publish({}, {.data = "x"}).ec == errc::closed);
    CHECK(client(server, to({"jobs/1"})).ec == errc::closed);
    CHECK(working.drain() == drain_status::idle);
    CHECK(server.close_topic("news") == errc::closed);
    CHECK(server.close_topic("jobs/1", {.data = "done"}) == errc::ok);
    CHECK(server.publish("jobs/1", {.data = "x"}).ec == errc::topic_closed);
    CHECK(working.drain() == drain_status::done);
    CHECK(working.body() == "id: 1.0\n\nid: 1.1\ndata: half\n\nid: 1.2\ndata: done\n\n"
                            "retry: 2000\n\nevent: bye\ndata: \n\n"
                            "event: end\ndata: {\"reason\":\"closed\"}\n\n");
    CHECK(support::dechunk(working.socket.got).ended);
    CHECK(server.metrics().cut == 0);
}

TEST_CASE("events that are encoded already reach an unfinished topic as well") {
    hub server(1, {}, {});
    client working(server, to({"job"}));
    CHECK(server.close({.unfinished = "job"}) == errc::ok);
    ssekit::frame_builder block;
    constexpr std::string_view text = "data: built\n\n";
    block.append(text.data(), text.size());
    CHECK(server.publish("job", block).ec == errc::ok);
    ssekit::frame_builder empty;
    CHECK(server.publish("job", empty).ec == errc::nothing_to_send);
    CHECK(server.publish("news", empty).ec == errc::closed);
    working.drain();
    CHECK(working.events() == texts{"built"});
}

TEST_CASE("a stream that reads an unfinished topic among others ends with the last of those") {
    hub server(1, {}, {});
    client reader(server, to({"news", "job/a", "job/b"}));
    const std::vector<std::string> names = {"job/a", "job/b", "not there"};
    CHECK(server.close({.farewell = {.data = "bye"}, .unfinished = names}) == errc::ok);
    CHECK(reader.drain() == drain_status::idle);
    CHECK(server.close_topic("job/a") == errc::ok);
    CHECK(reader.drain() == drain_status::idle);
    say(server, "job/b", "1");
    CHECK(server.forget_topic("job/b"));
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"1", "bye"});
    CHECK(server.reopen_topic("job/a") == errc::closed);
    CHECK(server.publish("not there", {.data = "x"}).ec == errc::closed);
}

TEST_CASE("a stream that the filter names goes on, what it reads takes events, and others leave") {
    hub server(1, {}, {});
    client job(server, to({"jobs/1"}, {.tag = "ann"}));
    client same_user(server, to({"news"}, {.tag = "ann"}));
    client watcher(server, to({"news", "jobs/1"})); // whose first topic is another one
    for (client* each : {&job, &same_user, &watcher}) each->drain();
    CHECK(server.close({.farewell = {.data = "bye"}, .is_unfinished = reads_a_job}) == errc::ok);
    CHECK(same_user.drain() == drain_status::done);
    CHECK(watcher.drain() == drain_status::done);
    say(server, "jobs/1", "1");
    CHECK(server.publish_to_tag("ann", {.data = "2"}).ec == errc::ok);
    CHECK(server.publish_to_tag("bob", {.data = "x"}).ec == errc::closed);
    CHECK(job.stream.send({.data = "3"}) == errc::ok);
    CHECK(job.drain() == drain_status::idle);
    CHECK(server.close_topic("jobs/1") == errc::ok); // its tag alone does not keep it
    CHECK(job.stream.send({.data = "x"}) == errc::closed);
    CHECK(job.drain() == drain_status::done);
    CHECK(job.events() == texts{"1", "2", "3", "bye"});
    CHECK(watcher.events() == texts{"bye"});
}

TEST_CASE("what goes on takes leave at a proper end of its own, and at a cut does not") {
    const auto ending = [](auto&& end) {
        hub server(1, noon, {.write_deadline = 0s, .end_type = "end"});
        client reader(server, to({"job"}, {.max_age = 1h, .framing = framing::chunked}));
        reader.drain();
        CHECK(server.close({.farewell = {.data = "bye"},
                            .retry_min = 1s,
                            .retry_max = 1s,
                            .unfinished = "job"}) == errc::ok);
        say(server, "job", "1");
        CHECK(reader.drain() == drain_status::idle);
        end(server, reader);
        const bool whole = reader.drain() == drain_status::done;
        CHECK(support::dechunk(reader.socket.got).ended == whole);
        CHECK((reader.seen().retries == std::vector<std::int64_t>{1000}) == whole);
        return reader.events();
    };
    CHECK(ending([](hub& server, client& reader) { CHECK(server.evict(reader.stream.id())); }) ==
          texts{"1", "bye", "end:{\"reason\":\"evicted\"}"});
    CHECK(ending([](hub& server, client&) { server.tick(noon + 1h); }) ==
          texts{"1", "bye", "end:{\"reason\":\"expired\"}"});
    CHECK(ending([](hub& server, client&) { server.cut(); }) == texts{"1"});
}

TEST_CASE("an evicted stream takes leave also where its end has no mark") {
    hub server(1, {}, {});
    client reader(server, to({"job"}));
    reader.drain();
    CHECK(server.close({.farewell = {.data = "bye"}, .unfinished = "job"}) == errc::ok);
    CHECK(server.evict(reader.stream.id()));
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.socket.got == "id: 1.0\n\ndata: bye\n\n");
}

TEST_CASE("at the deadline what goes on is cut, a blocked writer included") {
    hub server(1, noon, {.write_deadline = 0s});
    client idle(server, to({"job"}));
    client blocked(server, to({"job"}));
    for (client* each : {&idle, &blocked}) each->drain();
    CHECK(server.close({.deadline = 10s, .unfinished = "job"}) == errc::ok);
    say(server, "job", "1");
    idle.drain();
    blocked.drain_bytes(3);
    CHECK(server.next_deadline() == noon + 10s);
    server.tick(noon + 9999ms);
    CHECK(server.publish("job", {.data = "2"}).ec == errc::ok);
    CHECK(idle.drain() == drain_status::idle);
    server.tick(noon + 10s);
    for (client* each : {&idle, &blocked}) {
        CHECK(each->stream.end() == stream_end::cut);
        CHECK(each->drain() == drain_status::cut);
    }
    CHECK(server.metrics().cut == 2);
}

TEST_CASE("closing again brings the deadline forward and never back") {
    hub server(1, noon, {.write_deadline = 0s});
    client reader(server, to({"job"}));
    reader.drain();
    CHECK(server.close({.unfinished = "job"}) == errc::ok);
    CHECK(server.next_deadline() > noon + 10s);
    CHECK(server.close({.deadline = 10s}) == errc::ok);
    CHECK(server.next_deadline() == noon + 10s);
    for (const auto later : {0s, 11s}) CHECK(server.close({.deadline = later}) == errc::ok);
    CHECK(server.next_deadline() == noon + 10s);
    CHECK(server.publish("job", {.data = "1"}).ec == errc::ok); // it still goes on
    CHECK(server.close({.deadline = 2s}) == errc::ok);
    server.tick(noon + 2s);
    CHECK(reader.stream.end() == stream_end::cut);
}

TEST_CASE("a client that leaves its unfinished stream has not been cut") {
    hub server(1, {}, {});
    {
        client gone(server, to({"job"}));
        gone.drain();
        CHECK(server.close({.unfinished = "job"}) == errc::ok);
    }
    CHECK(server.metrics().cut == 0);
    CHECK(server.subscriptions() == 0);
}

TEST_CASE("the names of what is unfinished may die before its work is done") {
    hub server(1, {}, {});
    client reader(server, to({"a topic whose name is long enough to be allocated"}));
    {
        const std::string name(
            reader.stream.id() != 0 ? "a topic whose name is long enough to be allocated" : "");
        CHECK(server.close({.unfinished = name}) == errc::ok);
    }
    CHECK(server.publish("a topic whose name is long enough to be allocated", {.data = "1"}).ec ==
          errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{"1"});
}

TEST_CASE("a hub whose farewell cannot be said has marked nothing as unfinished") {
    hub server(1, {}, {});
    client reader(server, to({"job"}));
    CHECK(server.close({.farewell = {.type = "a\nb", .data = ""}, .unfinished = "job"}) ==
          errc::invalid_type);
    CHECK(server.close() == errc::ok);
    CHECK(server.publish("job", {.data = "x"}).ec == errc::closed);
    CHECK(reader.drain() == drain_status::done);
}

TEST_CASE("the owner of a stream that goes on is told when its work is done") {
    hub server(1, {}, {});
    support::rung bell;
    int user = 0;
    client waking(server, to({"news", "job"}), bell.waker());
    client polled(server, to({"job"}, {.user = &user}));
    CHECK(server.next_ready() == nullptr);
    for (client* each : {&waking, &polled}) each->drain();
    const int before = bell.times;
    CHECK(server.close({.farewell = {.data = "bye"}, .unfinished = "job"}) == errc::ok);
    CHECK(bell.times == before); // nothing to do yet
    CHECK(server.next_ready() == nullptr);
    CHECK(server.close_topic("job") == errc::ok);
    CHECK(bell.times == before + 1);
    CHECK(server.next_ready() == &user);
    for (client* each : {&waking, &polled}) CHECK(each->drain() == drain_status::done);
}

TEST_CASE("a throttle holds while a stream goes on, and no longer once it is leaving") {
    hub server(1, noon, {.heartbeat = {.interval = 0s}, .write_deadline = 0s});
    support::rung bell;
    client reader(server, to({"news", "job"}, {.throttle = 1s}), bell.waker());
    reader.drain();
    CHECK(server.close({.farewell = {.data = "bye"}, .unfinished = "job"}) == errc::ok);
    say(server, "job", "1");
    reader.drain();
    say(server, "job", "2");
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.events() == texts{"1"});
    server.tick(noon + 1s);
    reader.drain();
    CHECK(reader.events() == texts{"1", "2"});
    CHECK(reader.drain() == drain_status::idle);
    const int before = bell.times;
    CHECK(server.close_topic("job") == errc::ok);
    server.tick(noon + 2s + 100ms);
    CHECK(bell.times > before); // though the window had nothing to let through
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"1", "2", "bye"});
}

TEST_CASE("what a closing hub of a sequence refuses is missed only by who reads it") {
    for (const bool reads_both : {false, true}) {
        ssekit::event_sequence sequence(7);
        hub server(7, {}, {.ids = ssekit::event_ids::by_sequence});
        client reader(server, reads_both ? to({"job", "news"}) : to({"job"}));
        reader.drain();
        CHECK(server.close({.unfinished = "job"}) == errc::ok);
        const auto refused = server.publish_sequenced("news", sequence.make("news", {.data = "x"}));
        CHECK(refused.ec == errc::closed);
        const auto taken = server.publish_sequenced("job", sequence.make("job", {.data = "1"}));
        CHECK(taken.ec == errc::ok);
        reader.drain();
        CHECK(reader.events() == (reads_both ? texts{support::gap("missed"), "1"} : texts{"1"}));
    }
}

TEST_CASE("a refused client is given a time of its own to come back after") {
    hub server(1, {}, {.refused_retry_min = 3s, .refused_retry_max = 4s});
    bool differs = false;
    const auto first = server.refused_retry();
    for (int i = 0; i < 100; ++i) {
        const auto retry = server.refused_retry();
        CHECK(retry >= 3s);
        CHECK(retry <= 4s);
        differs = differs || retry != first;
    }
    CHECK(differs);
    CHECK(server.close({.retry_min = 20s, .retry_max = 30s}) == errc::ok);
    CHECK(server.refused_retry() >= 20s);
    CHECK(server.refused_retry() <= 30s);
    hub silent(1, {}, {.refused_retry_min = -1s, .refused_retry_max = -2s});
    CHECK(silent.close() == errc::ok);
    CHECK(silent.refused_retry() == ssekit::shortest_retry);
}

TEST_CASE("names that match a pattern which goes on take events, also those that are new") {
    hub server(1, {}, {});
    client watcher(server, {.patterns = "jobs/*"});
    client other(server, to({"news"}));
    for (client* each : {&watcher, &other}) each->drain();
    say(server, "jobs/1", "1");
    const std::uint64_t goes_on = watcher.stream.id();
    const auto is_it = [&](const ssekit::subscriber_info& shown) noexcept {
        return shown.id == goes_on;
    };
    CHECK(server.close({.is_unfinished = is_it}) == errc::ok);
    CHECK(server.publish("jobs/1", {.data = "2"}).ec == errc::ok);
    CHECK(server.publish("jobs/2", {.data = "3"}).ec == errc::ok);
    CHECK(server.publish("news", {.data = "x"}).ec == errc::closed);
    CHECK(watcher.drain() == drain_status::idle);
    CHECK(other.drain() == drain_status::done);
    CHECK(watcher.events() == texts{"1", "2", "3"});
    CHECK(server.evict(goes_on)); // nothing closes a pattern
    CHECK(watcher.drain() == drain_status::done);
}
