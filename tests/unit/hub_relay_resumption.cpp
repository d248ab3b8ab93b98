// SPDX-License-Identifier: MIT
//
// Whoever is refused for his Last-Event-ID learns what it was worth.
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <string_view>
#include <utility>

using ssekit::errc;
using ssekit::event_sequence;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::resumption;
using ssekit::shared_hub;

namespace {

constexpr ssekit::hub_options few_ahead{.ids = ssekit::event_ids::by_sequence, .max_ahead = 10};

constexpr std::pair<std::string_view, resumption> worth[] = {
    {"7.500", resumption::expired},  {"7.1011", resumption::future},  {"8.1", resumption::unknown},
    {"zzz-", resumption::malformed}, {"7.1000", resumption::resumed}, {"", resumption::fresh},
};

} // namespace

TEST_CASE("a stream that is refused for its id is told what that was worth") {
    event_sequence sequence(7, 999);
    const auto event = sequence.make("t", {.data = "x"});
    hub server(7, {}, few_ahead);
    shared_hub shared(7, {}, few_ahead);
    CHECK(server.publish_sequenced("t", event).ec == errc::ok);
    CHECK(shared.publish_sequenced("t", event).ec == errc::ok);
    for (const auto& each : worth) {
        const auto& id = each.first; // which clang 14 takes into a lambda
        const auto how = each.second;
        CAPTURE(id);
        const ssekit::subscribe_options options{
            .topics = "t", .last_event_id = id, .on_gap = gap_policy::refuse};
        const auto made = server.subscribe(options);
        const auto there = shared.subscribe(options);
        const bool refused = how > resumption::resumed;
        CHECK((made.ec == errc::replay_refused) == refused);
        CHECK(made.subscription.resumption() == how);
        CHECK(there.ec == made.ec);
        CHECK(there.subscription.resumption() == how);
        CHECK(bool(made.subscription) != refused);
    }
}

TEST_CASE("one that is refused before its id was looked at is fresh") {
    hub server(7, {}, few_ahead);
    const auto made = server.subscribe({.topics = "", .last_event_id = "8.1"});
    CHECK(made.ec == errc::invalid_topic);
    CHECK(made.subscription.resumption() == resumption::fresh);
}
