// SPDX-License-Identifier: MIT
//
// A hub that is given only the events of topics that somebody reads: what lies between is nobody's,
// and what it was not given of a topic it does not claim to know.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

using ssekit::errc;
using ssekit::event_sequence;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::resumption;
using support::client;
using support::gap;
using support::texts;
using support::to;

namespace {

constexpr ssekit::hub_options interested{.ids = ssekit::event_ids::by_sequence,
                                         .by_interest = true};

errc bring(hub& to, std::uint64_t offset, std::string_view topic,
           std::optional<std::uint64_t> previous) {
    auto event = event_sequence(7, offset - 1).make(topic, {.data = std::to_string(offset)});
    event.previous = previous;
    return to.publish_sequenced(topic, event).ec;
}

} // namespace

TEST_CASE("offsets of topics that nobody reads make no gap, live or for who comes back") {
    hub server(7, {}, interested);
    client a(server, to({"a"}));
    CHECK(bring(server, 1, "a", 0) == errc::ok);
    CHECK(bring(server, 3, "a", 1) == errc::ok); // 2 and 4 are b's
    CHECK(bring(server, 5, "a", 3) == errc::ok);
    a.drain();
    CHECK(a.events() == texts{"1", "3", "5"});
    client back(server, to({"a"}, {.last_event_id = "7.1"}));
    CHECK(back.stream.resumption() == resumption::resumed);
    back.drain();
    CHECK(back.events() == texts{"3", "5"});
    CHECK(server.metrics().passed_offsets == 2);
    CHECK(server.metrics().lost_offsets == 0);
}

TEST_CASE("what came between of those that are read is a gap") {
    hub server(7, {}, interested);
    client a(server, to({"a"}));
    CHECK(bring(server, 1, "a", 0) == errc::ok);
    CHECK(bring(server, 9, "a", 6) == errc::ok); // 6 was for here, and 7 and 8 were not
    a.drain();
    CHECK(a.events() == texts{"1", gap("missed"), "9"});
    CHECK(server.metrics().lost_offsets == 5);
    CHECK(server.metrics().passed_offsets == 2);
    CHECK(bring(server, 11, "a", {}) == errc::ok); // nothing is said: 10 may have been for here
    a.drain();
    CHECK(a.events() == texts{"1", gap("missed"), "9", gap("missed"), "11"});
    CHECK(bring(server, 12, "a", 4000) == errc::ok); // nonsense is no more than that
    a.drain();
    CHECK(a.events().back() == "12");
    CHECK(server.metrics().gaps == 2);
}

TEST_CASE("of a topic that was not read nothing is claimed") {
    hub server(7, {}, interested);
    client a(server, to({"a"}));
    CHECK(bring(server, 5, "a", 0) == errc::ok);
    client b(server, to({"b"}, {.last_event_id = "7.4"})); // b may have had 5: it had not
    CHECK(b.stream.resumption() == resumption::expired);
    client fine(server, to({"c"}, {.last_event_id = "7.5"}));
    CHECK(fine.stream.resumption() == resumption::resumed);
    client fresh(server, to({"d"}));
    CHECK(bring(server, 9, "d", 5) == errc::ok);
    fresh.drain();
    CHECK(fresh.events() == texts{"9"});
    // From the first reader to the last all of it comes.
    CHECK(bring(server, 10, "b", 9) == errc::ok);
    client again(server, to({"b"}, {.last_event_id = "7.9"}));
    CHECK(again.stream.resumption() == resumption::resumed);
    client* const readers[] = {&b, &again};
    for (client* each : readers) each->stream = {};
    CHECK(bring(server, 20, "a", 10) == errc::ok);
    client later(server, to({"b"}, {.last_event_id = "7.10"}));
    CHECK(later.stream.resumption() == resumption::expired);
}

TEST_CASE("with a log to be fed from there is no false gap") {
    hub server(7, {}, interested);
    client a(server, to({"a"}));
    CHECK(bring(server, 5, "a", 0) == errc::ok);
    client b(server, to({"b"}, {.last_event_id = "7.4", .on_gap = gap_policy::fetch}));
    REQUIRE(b.stream.needs());
    CHECK(b.stream.needs()->offset == 4);
    CHECK(b.stream.feed_through({7, 5}) == errc::ok); // b has had nothing
    CHECK(bring(server, 6, "b", 5) == errc::ok);
    b.drain();
    CHECK(b.events() == texts{"6"});
    CHECK(server.metrics().gaps == 0);
}

TEST_CASE("patterns, tags and topics that are added begin in the same way") {
    hub server(7, {}, interested);
    client a(server, to({"a"}));
    CHECK(bring(server, 5, "a", 0) == errc::ok);
    client pattern(server, {.patterns = "x/*", .last_event_id = "7.4"});
    CHECK(pattern.stream.resumption() == resumption::expired);
    client tagged(server, {.topics = "a", .tag = "me", .last_event_id = "7.4"});
    CHECK(tagged.stream.resumption() == resumption::expired);
    CHECK(a.stream.add_topics("b") == errc::ok);
    CHECK(bring(server, 6, "b", 5) == errc::ok);
    a.drain();
    CHECK(a.events() == texts{"5", "6"});
}
