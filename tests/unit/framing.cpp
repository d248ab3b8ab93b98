// SPDX-License-Identifier: MIT
#include <ssekit/framing.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <string>

using ssekit::framing;

TEST_CASE("in chunks and raw, a stream brings the same bytes") {
    ssekit::hub server(1, ssekit::time_point());
    support::client raw(server, support::to({"a"}, {.framing = framing::raw}));
    support::client chunked(server, support::to({"a"}, {.framing = framing::chunked}));
    REQUIRE(server.publish("a", {.data = "one"}).ec == ssekit::errc::ok);
    const std::string large(1000, 'x');
    REQUIRE(server.publish("a", {.data = large}).ec == ssekit::errc::ok);
    raw.drain();
    chunked.drain();
    const support::dechunked body = support::dechunk(chunked.socket.got);
    CHECK(body.intact);
    CHECK_FALSE(body.ended);
    CHECK(body.body == raw.socket.got);
    REQUIRE(server.close() == ssekit::errc::ok);
    raw.drain();
    chunked.drain();
    CHECK(support::dechunk(chunked.socket.got).ended);
    CHECK(support::dechunk(chunked.socket.got).body == raw.socket.got);
}
