// SPDX-License-Identifier: MIT
//
// A hub that takes its events from a log beyond it: it begins at an offset, is told what is lost and
// what is nobody's, and each client hears of just that which it would have got.
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_place;
using ssekit::event_sequence;
using ssekit::hub;
using ssekit::resumption;
using support::client;
using support::gap;
using support::morning;
using support::texts;
using support::to;

namespace {

constexpr ssekit::hub_options sequenced{.ids = ssekit::event_ids::by_sequence};
constexpr std::uint64_t largest = (std::numeric_limits<std::uint64_t>::max)();

ssekit::publish_result bring(hub& to, std::uint64_t offset, std::string_view topic,
                             std::string_view data = "x") {
    return to.publish_sequenced(topic, event_sequence(7, offset - 1).make(topic, {.data = data}));
}

} // namespace

TEST_CASE("a hub that begins at an offset tells who comes back from before it") {
    hub server(7, {}, sequenced);
    CHECK(server.begin_at(1000) == errc::ok);
    CHECK(server.newest() == event_place{7, 1000});
    for (const std::string_view topic : {"t", "never published"}) {
        CAPTURE(topic);
        client old(server, to({topic}, {.last_event_id = "7.500"}));
        old.drain();
        CHECK(old.stream.resumption() == resumption::expired);
        CHECK(old.events() == texts{gap("expired")});
        CHECK(old.last_event_id() == "7.1000");
        client just_before(server, to({topic}, {.last_event_id = "7.999"}));
        CHECK(just_before.stream.resumption() == resumption::expired);
        client complete(server, to({topic}, {.last_event_id = "7.1000"}));
        CHECK(complete.stream.resumption() == resumption::resumed);
    }
    client fresh(server, to({"t"}));
    CHECK(bring(server, 1001, "t", "1").ec == errc::ok);
    fresh.drain();
    CHECK(fresh.events() == texts{"1"}); // and no gap
    CHECK(server.metrics().lost_offsets == 0);
    CHECK(server.metrics().newest_offset == 1001);
}

TEST_CASE("a pattern and a tag begin there as well") {
    hub server(7, {}, sequenced);
    CHECK(server.begin_at(10) == errc::ok);
    client pattern(server, {.patterns = "x/*", .last_event_id = "7.9"});
    CHECK(pattern.stream.resumption() == resumption::expired);
    client fine(server, {.patterns = "x/*", .tag = "me", .last_event_id = "7.10"});
    CHECK(fine.stream.resumption() == resumption::resumed);
}

TEST_CASE("a hub begins only ahead, and only where a sequence numbers") {
    hub server(7, {}, sequenced);
    CHECK(server.begin_at(0) == errc::ok);
    CHECK(server.begin_at(5) == errc::ok);
    CHECK(server.begin_at(5) == errc::ok);
    CHECK(server.begin_at(4) == errc::out_of_sequence);
    CHECK(server.begin_at(largest) == errc::ok);
    CHECK(server.skip({7, largest}) == errc::out_of_sequence);
    hub own(7, {}, {});
    CHECK(own.begin_at(5) == errc::out_of_sequence);
    CHECK(own.lose({7, 5}) == errc::out_of_sequence);
    CHECK(own.skip({7, 5}) == errc::out_of_sequence);
}

TEST_CASE("what is lost is told to every live stream at once, and to nobody twice") {
    hub server(7, morning, sequenced);
    client topic(server, to({"a"}));
    client both(server, to({"a", "b"}));
    client pattern(server, {.patterns = "x/*"});
    client tagged(server, {.topics = "c", .tag = "me"});
    const auto all = {&topic, &both, &pattern, &tagged};
    for (client* each : all) each->drain();
    for (std::uint64_t i = 1; i <= 90; ++i) CHECK(bring(server, i, "a").ec == errc::ok);
    topic.drain();
    support::bell woken;
    client waits(server, to({"quiet"}), woken.waker());
    waits.drain();
    const int before = woken.rings;
    CHECK(server.lose({7, 499}) == errc::ok);
    CHECK(woken.rings == before + 1);
    waits.drain();
    CHECK(waits.events() == texts{gap("missed")});
    CHECK(waits.last_data() == R"({"reason":"missed","from":"7.90","through":"7.499"})");
    for (client* each : all) {
        each->drain();
        CHECK(each->events().back() == gap("missed"));
        CHECK(each->last_event_id() == "7.499");
    }
    CHECK(server.metrics().gaps == 5);
    CHECK(server.metrics().lost_offsets == 409);
    CHECK(bring(server, 500, "a").ec == errc::ok);
    for (client* each : {&topic, &both}) {
        each->drain();
        CHECK(each->events().back() == "x");
    }
    CHECK(server.metrics().gaps == 5);
    client back(server, to({"a"}, {.last_event_id = "7.90"}));
    CHECK(back.stream.resumption() == resumption::expired);
    client fine(server, to({"a"}, {.last_event_id = "7.499"}));
    CHECK(fine.stream.resumption() == resumption::resumed);
}

TEST_CASE("events that were not read yet come before what is lost after them") {
    hub server(7, {}, sequenced);
    client reader(server, to({"a"}));
    CHECK(bring(server, 1, "a", "1").ec == errc::ok);
    CHECK(server.lose({7, 3}) == errc::ok);
    CHECK(bring(server, 4, "a", "4").ec == errc::ok);
    CHECK(server.lose({7, 5}) == errc::ok);
    CHECK(server.lose({7, 6}) == errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{"1", gap("missed"), "4", gap("missed"), gap("missed")});
}

TEST_CASE("a jump is told to the streams of a tag as to all others") {
    hub server(
        7, morning,
        {.ids = ssekit::event_ids::by_sequence, .heartbeat = {.interval = 15s, .jitter = 0}});
    client tagged(server, {.topics = "c", .tag = "me"});
    tagged.drain();
    CHECK(bring(server, 5, "a").ec == errc::ok); // 1 to 4 are nowhere
    server.tick(morning + 16s);
    tagged.drain();
    CHECK(tagged.events() == texts{gap("missed")});
    server.tick(morning + 32s);
    tagged.drain();
    CHECK(tagged.events() == texts{gap("missed")});
}

TEST_CASE("what is lost has to be after all that there is, and of this epoch") {
    hub server(7, {}, sequenced);
    CHECK(bring(server, 5, "a").ec == errc::ok);
    for (const event_place at : {event_place{7, 5}, event_place{7, 0}, event_place{8, 9}}) {
        CHECK(server.lose(at) == errc::out_of_sequence);
        CHECK(server.skip(at) == errc::out_of_sequence);
    }
    CHECK(server.lose({7, largest}) == errc::ok);
    CHECK(server.lose({7, largest}) == errc::out_of_sequence);
}

TEST_CASE("an offset that is nobody's is missed by nobody") {
    hub server(7, {}, sequenced);
    client reader(server, to({"a"}));
    CHECK(bring(server, 1, "a", "1").ec == errc::ok);
    CHECK(server.skip({7, 2}) == errc::ok);
    event_sequence sequence(7, 2);
    const auto mark = sequence.mark();
    CHECK(mark.offset == 3);
    CHECK_FALSE(mark.frame);
    CHECK(server.publish_sequenced("a", mark).offset == 3);
    CHECK(bring(server, 4, "a", "4").ec == errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{"1", "4"});
    client back(server, to({"a"}, {.last_event_id = "7.1"}));
    CHECK(back.stream.resumption() == resumption::resumed);
    CHECK(server.metrics().passed_offsets == 2);
    CHECK(server.metrics().lost_offsets == 0);
    CHECK(server.metrics().published == 2);
    CHECK(server.skip({7, 10}) == errc::ok); // 5 to 9 are lost
    CHECK(server.metrics().lost_offsets == 5);
    CHECK(bring(server, 11, "a", "11").ec == errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{"1", "4", gap("missed"), "11"});
}

TEST_CASE("an event that this hub has no room for makes no hole for others, and one for its own") {
    hub server(7, {}, {.ids = ssekit::event_ids::by_sequence, .max_topics = 2});
    client a(server, to({"a"}));
    client b(server, to({"b"}));
    CHECK(bring(server, 1, "a").ec == errc::ok);
    CHECK(bring(server, 2, "b").ec == errc::ok);
    CHECK(bring(server, 3, "c").ec == errc::too_many_topics);
    CHECK(bring(server, 4, std::string(1000, 'c')).ec == errc::invalid_topic);
    CHECK(bring(server, 5, "a").ec == errc::ok);
    client back(server, to({"a"}, {.last_event_id = "7.1"}));
    CHECK(back.stream.resumption() == resumption::resumed);
    a.drain();
    CHECK(a.events() == texts{"x", "x"});
    CHECK(server.metrics().passed_offsets == 2);
    b.stream = {}; // now there is room
    CHECK(server.forget_topic("b"));
    client lost(server, to({"c"}, {.last_event_id = "7.2"}));
    CHECK(lost.stream.resumption() == resumption::expired);
    client complete(server, to({"c"}, {.last_event_id = "7.3"}));
    CHECK(complete.stream.resumption() == resumption::resumed);
}

TEST_CASE("one that a pattern would have brought is not passed over") {
    hub server(7, {}, {.ids = ssekit::event_ids::by_sequence, .max_topics = 2});
    client a(server, to({"a"}));
    client all(server, {.patterns = "*"});
    CHECK(bring(server, 1, "c").ec == errc::too_many_topics);
    CHECK(bring(server, 2, "a").ec == errc::ok);
    all.drain();
    CHECK(all.events() == texts{gap("missed"), "x"});
}

TEST_CASE("any thread may do the same") {
    ssekit::shared_hub server(7, {}, sequenced);
    CHECK(server.begin_at(10) == errc::ok);
    CHECK(server.skip({7, 11}) == errc::ok);
    CHECK(server.lose({7, 20}) == errc::ok);
    CHECK(server.newest() == event_place{7, 20});
}
