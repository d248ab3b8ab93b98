// SPDX-License-Identifier: MIT
//
// A client with an id that this hub has not come to waits for it, and no longer than the sequence
// can bring it.
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using ssekit::errc;
using ssekit::event_sequence;
using ssekit::hub;
using ssekit::resumption;
using support::client;
using support::gap;
using support::texts;
using support::to;

namespace {

constexpr std::uint64_t largest_offset = (std::numeric_limits<std::uint64_t>::max)();

ssekit::hub_options ahead_by(std::uint64_t most) {
    return {.ids = ssekit::event_ids::by_sequence, .max_ahead = most};
}
void bring_number(hub& to, std::uint64_t offset, std::string_view topic = "t") {
    const std::string data = std::to_string(offset);
    CHECK(
        to.publish_sequenced(topic, event_sequence(7, offset - 1).make(topic, {.data = data})).ec ==
        errc::ok);
}
resumption worth_of(hub& of, std::string_view id) {
    return of.subscribe({.topics = "t", .last_event_id = id}).subscription.resumption();
}

} // namespace

TEST_CASE("an id beyond what the sequence has is told as future, however near it is") {
    hub server(7, {}, ahead_by(1024));
    bring_number(server, 10);
    support::bell woken;
    client lost(server, to({"t"}, {.last_event_id = "7.15"}), woken.waker());
    CHECK(lost.stream.resumption() == resumption::resumed);
    lost.drain();
    CHECK(server.note_newest({7, 12}) == errc::ok); // asked before the client came, perhaps
    bring_number(server, 11);
    lost.drain();
    CHECK(lost.events().empty());
    const int before = woken.rings;
    CHECK(server.note_newest({7, 12}) == errc::ok); // asked since
    CHECK(woken.rings == before + 1);
    lost.drain();
    CHECK(lost.events() == texts{gap("future")});
    CHECK(lost.last_event_id() == "7.11");
    CHECK(server.metrics().gaps == 1);
    bring_number(server, 12);
    bring_number(server, 13);
    lost.drain();
    CHECK(lost.events() == texts{gap("future"), "12", "13"}); // it does not starve
    CHECK(server.note_newest({7, 13}) == errc::ok);
    CHECK(server.metrics().gaps == 1); // and is told once
}

TEST_CASE("a client that is ahead of a slow hub, and not of the sequence, is told of nothing") {
    hub server(7, {}, ahead_by(1024));
    bring_number(server, 10);
    client hopped(server, to({"t"}, {.last_event_id = "7.15"}));
    for (int i = 0; i < 5; ++i) CHECK(server.note_newest({7, 15}) == errc::ok);
    for (std::uint64_t i = 11; i <= 16; ++i) bring_number(server, i);
    hopped.drain();
    CHECK(hopped.events() == texts{"16"});
    CHECK(server.metrics().gaps == 0);
}

TEST_CASE("of several that wait only those beyond the end are told, plain or with all trimmings") {
    hub server(7, {}, ahead_by(1024));
    bring_number(server, 10);
    client near(server, to({"t"}, {.last_event_id = "7.12"}));
    client far(server, {.topics = "t", .patterns = "*", .tag = "me", .last_event_id = "7.13"});
    client ended(server, to({"t"}, {.last_event_id = "7.1000"}));
    CHECK(server.evict(ended.stream.id()));
    CHECK(server.note_newest({7, 12}) == errc::ok);
    CHECK(server.note_newest({7, 12}) == errc::ok);
    for (client* each : {&near, &far, &ended}) each->drain();
    CHECK(near.events().empty());
    CHECK(far.events() == texts{gap("future")});
    CHECK(ended.events().empty());
    CHECK(server.note_newest({7, 12}) == errc::ok);
    for (std::uint64_t i = 11; i <= 13; ++i) bring_number(server, i);
    for (client* each : {&near, &far}) each->drain();
    CHECK(near.events() == texts{"13"});
    CHECK(far.events() == texts{gap("future"), "11", "12", "13"});
}

TEST_CASE("where the hub is far behind, an id is measured by the end of the sequence") {
    hub server(7, {}, ahead_by(10));
    bring_number(server, 10);
    CHECK(worth_of(server, "7.20") == resumption::resumed);
    CHECK(worth_of(server, "7.21") == resumption::future);
    CHECK(server.note_newest({7, 5000}) == errc::ok);
    CHECK(worth_of(server, "7.5010") == resumption::resumed);
    CHECK(worth_of(server, "7.5011") == resumption::future);
    CHECK(server.note_newest({7, largest_offset}) == errc::ok);
    CHECK(worth_of(server, "7.18446744073709551615") == resumption::resumed);
    CHECK(server.note_newest({7, 5}) == errc::ok); // an answer that has been overtaken
    CHECK(worth_of(server, "7.20") == resumption::resumed);
    CHECK(worth_of(server, "7.21") == resumption::future);
}

TEST_CASE("the end of another sequence says nothing") {
    hub server(7, {}, ahead_by(10));
    CHECK(server.note_newest({8, 5}) == errc::out_of_sequence);
    hub own(7, {}, {});
    CHECK(own.note_newest({7, 5}) == errc::out_of_sequence);
    ssekit::shared_hub shared(7, {}, ahead_by(10));
    CHECK(shared.note_newest({7, 5}) == errc::ok);
}
