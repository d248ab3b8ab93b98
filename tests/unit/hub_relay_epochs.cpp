// SPDX-License-Identifier: MIT
//
// The log behind a hub has lost events, or is another one: the hub goes on in a new epoch, in place,
// and every stream learns that its old ids mean nothing any more.
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/allocations.hpp"
#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/counted_memory.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_place;
using ssekit::event_sequence;
using ssekit::event_target;
using ssekit::hub;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::stream_end;
using support::client;
using support::gap;
using support::morning;
using support::texts;
using support::to;

namespace {

constexpr ssekit::hub_options in_epochs{.ids = ssekit::event_ids::by_sequence};

ssekit::errc bring(hub& to, event_place at, const event_target& target, std::string_view data) {
    event_sequence sequence(at.epoch, at.offset - 1);
    return to.publish_sequenced(target, sequence.make("", {.data = data})).ec;
}

} // namespace

TEST_CASE("every stream is told, with an id of the new epoch, and goes on") {
    for (const std::uint64_t last :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{1000}}) {
        CAPTURE(last);
        hub server(7, morning, in_epochs);
        client plain(server, to({"a"}));
        client several(server, {.topics = "a", .patterns = "x/*", .tag = "me"});
        client throttled(server, to({"a"}, {.throttle = 10ms}));
        client picky(server, to({"a"}, {.on_lag = lag_policy::skip_to_newest, .max_lag = {2}}));
        client unread(server, to({"a"}));
        const auto all = {&plain, &several, &throttled, &picky, &unread};
        CHECK(bring(server, {7, 1}, "a", "1") == errc::ok);
        CHECK(bring(server, {7, 2}, "x/1", "2") == errc::ok);
        for (client* each : {&plain, &several, &throttled, &picky}) each->drain();
        support::bell woken;
        client waits(server, to({"quiet"}), woken.waker());
        waits.drain();
        const int before = woken.rings;
        CHECK(server.begin_epoch({8, last}) == errc::ok);
        CHECK(woken.rings == before + 1);
        CHECK(server.newest() == event_place{8, last});
        const std::string id = "8." + std::to_string(last);
        waits.drain();
        CHECK(waits.events() == texts{gap("missed")});
        CHECK(waits.last_data() == R"({"reason":"missed","through":")" + id + "\"}");
        for (client* each : all) {
            each->drain();
            CHECK(each->events().back() == gap("missed"));
            CHECK(each->last_event_id() == id);
        }
        CHECK(unread.events() == texts{gap("missed")}); // which stands for what it had not read
        CHECK(server.metrics().gaps == 6);
        CHECK(server.metrics().epochs == 1);
        server.tick(morning + 1s);
        CHECK(bring(server, {8, last + 1}, "a", "first") == errc::ok);
        CHECK(bring(server, {8, last + 2}, "a", "second") == errc::ok);
        for (client* each : all) {
            each->drain();
            server.tick(morning + 2s);
            each->drain();
            const texts got = each->events();
            CHECK(got[got.size() - 3] == gap("missed"));
            CHECK(got[got.size() - 2] == "first");
            CHECK(got.back() == "second");
        }
        CHECK(server.metrics().gaps == 6);
        CHECK(server.metrics().skipped == 0);
    }
}

TEST_CASE("ids of the old epoch are unknown, and those of the new one what they are worth") {
    hub server(7, {}, in_epochs);
    CHECK(bring(server, {7, 10}, "a", "old") == errc::ok);
    CHECK(server.begin_epoch({8, 5}) == errc::ok);
    CHECK(bring(server, {8, 6}, "a", "new") == errc::ok);
    const auto back = [&](std::string_view id, resumption how, const texts& events) {
        CAPTURE(id);
        client c(server, to({"a"}, {.last_event_id = id}));
        c.drain();
        CHECK(c.stream.resumption() == how);
        CHECK(c.events() == events);
        CHECK(c.last_event_id() == "8.6");
    };
    back("7.10", resumption::unknown, {gap("unknown"), "new"});
    back("7.6", resumption::unknown, {gap("unknown"), "new"});
    back("8.4", resumption::expired, {gap("expired"), "new"});
    back("8.5", resumption::resumed, {"new"});
    back("8.6", resumption::resumed, {});
    client elsewhere(server, to({"never"}, {.last_event_id = "8.4"}));
    CHECK(elsewhere.stream.resumption() == resumption::expired);
    client fine(server, to({"never"}, {.last_event_id = "8.5"}));
    CHECK(fine.stream.resumption() == resumption::resumed);
    CHECK(bring(server, {7, 11}, "a", "late") == errc::out_of_sequence);
}

TEST_CASE("what is sent to a stream once an epoch has brought something comes after that") {
    hub server(7, morning, in_epochs);
    client reader(server, to({"a"}));
    CHECK(server.begin_epoch({8, 0}) == errc::ok);
    CHECK(bring(server, {8, 1}, "a", "new") == errc::ok);
    CHECK(reader.stream.send({.data = "note"}) == errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{gap("missed"), "new", "note"});
}

TEST_CASE("what was sent to a stream comes before, and nothing brings an old id after the gap") {
    for (const std::uint64_t last : {std::uint64_t{0}, std::uint64_t{9}}) {
        hub server(7, morning,
                   {.ids = ssekit::event_ids::by_sequence,
                    .heartbeat = {.interval = 15s, .jitter = 0},
                    .caught_up_type = "now"});
        CHECK(bring(server, {7, 9}, "a", "old") == errc::ok);
        client reader(server, to({"a"}, {.start = ssekit::start_point::earliest}));
        CHECK(reader.stream.send({.data = "note"}) == errc::ok);
        CHECK(server.begin_epoch({8, last}) == errc::ok);
        reader.drain();
        CHECK(reader.events().back() == gap("missed"));
        CHECK(reader.events().size() == 3);
        CHECK(reader.events()[1] == "note");
        CHECK(reader.last_event_id() == "8." + std::to_string(last));
        CHECK(bring(server, {8, last + 1}, "b", "x") == errc::ok);
        server.tick(morning + 16s);
        reader.drain();
        CHECK(reader.last_event_id() == "8." + std::to_string(last + 1));
    }
}

TEST_CASE("a stream that waited for an offset of the old epoch waits no more") {
    hub server(7, {}, in_epochs);
    CHECK(bring(server, {7, 1}, "a", "1") == errc::ok);
    client ahead(server, to({"a"}, {.last_event_id = "7.100"}));
    CHECK(server.begin_epoch({8, 0}) == errc::ok);
    CHECK(bring(server, {8, 1}, "a", "new") == errc::ok);
    ahead.drain();
    CHECK(ahead.events() == texts{gap("missed"), "new"});
}

TEST_CASE("a topic that has closed with something unread tells its readers as well") {
    hub server(7, {}, in_epochs);
    client reader(server, to({"a"}));
    client nameless(server, to({"b"}));
    CHECK(bring(server, {7, 1}, event_target::closing("a"), "bye") == errc::ok);
    CHECK(bring(server, {7, 2}, "b", "x") == errc::ok);
    CHECK(server.forget_topic("b"));
    CHECK(server.begin_epoch({8, 0}) == errc::ok);
    for (client* each : {&reader, &nameless}) {
        each->drain();
        CHECK(each->events() == texts{gap("missed")});
        CHECK(each->stream.end() == stream_end::topic_closed);
    }
}

TEST_CASE("nothing of the old epoch is left, and bounds stay") {
    support::counted_memory memory;
    {
        hub server(7, {}, {.ids = ssekit::event_ids::by_sequence, .memory = &memory});
        CHECK(server.keep("kept", {.events = 3, .values = {.keys = 4}}) == errc::ok);
        client reader(server, to({"read"}));
        for (std::uint64_t i = 1; i <= 100; ++i) {
            const std::array<std::string_view, 3> names = {"kept", "read", "idle"};
            event_sequence sequence(7, i - 1);
            const std::string_view name = names[static_cast<std::size_t>(i % 3)];
            const auto event = sequence.make(name, {.data = "x"}, "key");
            CHECK(server.publish_sequenced(name, event).ec == errc::ok);
        }
        CHECK(server.begin_epoch({8, 0}) == errc::ok);
        CHECK_FALSE(server.find_topic("idle"));
        CHECK(server.find_topic("kept")->events == 0);
        CHECK(server.find_topic("kept")->values == 0);
        CHECK(server.metrics().values == 0);
        CHECK(server.find_topic("read")->events == 1); // the gap
        CHECK(server.metrics().log_bytes == server.find_topic("read")->bytes);
        for (std::uint64_t i = 1; i <= 10; ++i) {
            CHECK(bring(server, {8, i}, "kept", "x") == errc::ok);
        }
        CHECK(server.find_topic("kept")->events == 3);
    }
    CHECK(memory.live() == 0);
}

TEST_CASE("without memory nothing has changed, or a stream that cannot be told ends") {
    for (std::size_t grace = 0;; ++grace) {
        CAPTURE(grace);
        support::counted_memory memory;
        hub server(7, {}, {.ids = ssekit::event_ids::by_sequence, .memory = &memory});
        client plain(server, to({"a"}));
        client both(server, {.topics = "a", .tag = "me"});
        for (client* each : {&plain, &both}) each->drain();
        memory.grace = grace;
        const errc code = server.begin_epoch({8, 0});
        const bool enough = !memory.struck;
        memory.grace = support::counted_memory::unlimited;
        CHECK((code == errc::ok || code == errc::out_of_memory));
        CHECK(server.newest().epoch == (code == errc::ok ? 8u : 7u));
        for (client* each : {&plain, &both}) {
            each->drain();
            const bool told = each->events() == texts{gap("missed")};
            const bool ended = each->stream.end() == stream_end::out_of_memory;
            CHECK(told + ended == (code == errc::ok ? 1 : 0));
        }
        if (enough) break;
    }
}

TEST_CASE("an epoch follows only upon another one, and only where a sequence numbers") {
    hub server(7, {}, in_epochs);
    CHECK(server.begin_epoch({7, 5}) == errc::out_of_sequence);
    CHECK(server.begin_epoch({8, (std::numeric_limits<std::uint64_t>::max)()}) == errc::ok);
    CHECK(server.begin_epoch({9, 0}) == errc::ok);
    CHECK(server.begin_at(5) == errc::ok);
    hub own(7, {}, {});
    CHECK(own.begin_epoch({8, 0}) == errc::out_of_sequence);
    ssekit::shared_hub shared(7, {}, in_epochs);
    CHECK(shared.begin_epoch({8, 3}) == errc::ok);
    CHECK(shared.newest() == event_place{8, 3});
}
