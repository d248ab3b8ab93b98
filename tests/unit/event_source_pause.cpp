// SPDX-License-Identifier: MIT
//
// An event source whose owner could not listen for a while, and what an owner asks it about codings.
#include "support/source_client.hpp"

#include <ssekit/content_decoder.hpp>
#include <ssekit/event_source.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::source_action;
using support::source_client;

TEST_CASE("the time in which nobody could listen is no silence of the server") {
    source_client c({.idle_timeout = 10s, .event_timeout = 25s});
    REQUIRE(c.poll() == source_action::connect);
    c.source.receive_pause(40s); // longer than it may take to connect
    c.now += 40s;
    CHECK(c.poll() == source_action::wait);
    REQUIRE(c.head(200));
    c.now += 60s;
    c.source.receive_pause(60s);
    CHECK(c.source.next_deadline() == c.now + 10s);
    for (int i = 0; i < 3; ++i) {
        CHECK(c.source.next_deadline() == c.now + 10s);
        c.now += 7s;
        c.bytes(":\n");
    }
    CHECK(c.source.next_deadline() == c.now + 4s);
    c.now += 4s;
    CHECK(c.poll() == source_action::disconnect);
    CHECK(c.source.failure() == "no event in time");
    const ssekit::time_point due = c.source.next_deadline();
    c.source.receive_pause(60s); // which does not keep it from coming back
    CHECK(c.source.next_deadline() == due);

    source_client patient({.connect_timeout = 0s});
    REQUIRE(patient.poll() == source_action::connect);
    patient.source.receive_pause(60s);
    CHECK(patient.source.next_deadline() == ssekit::never);
}

TEST_CASE("a client that knows no coding can ask whether somebody else does") {
    struct : ssekit::content_decoder {
        std::string_view accepts() const noexcept override { return "x-any"; }
        bool begin(std::string_view) noexcept override { return false; }
        std::string_view decode(std::string_view&) noexcept override { return {}; }
        bool failed() const noexcept override { return false; }
        bool is_complete() const noexcept override { return true; }
    } decoder;
    CHECK(!source_client().source.has_decoder());
    CHECK(source_client({.decoder = &decoder}).source.has_decoder());
}
