// SPDX-License-Identifier: MIT
//
// The last event of a stream, which tells a proper end from a cut.
#include <ssekit/hub.hpp>

#include "support/client.hpp"
#include "support/counted_memory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::framing;
using ssekit::hub;
using ssekit::stream_end;
using ssekit::time_point;
using support::client;
using support::to;

namespace {

std::string end(const std::string& reason) {
    return "event: end\ndata: {\"reason\":\"" + reason + "\"}\n\n";
}

} // namespace

TEST_CASE("each proper end is said, after all events, in either framing") {
    for (const framing form : {framing::raw, framing::chunked}) {
        time_point now;
        hub server(1, now,
                   {.keep = {.events = 1, .burst = {.within = 0ms}},
                    .end_type = "end",
                    .max_subscribers_per_tag = 1,
                    .on_full_tag = ssekit::full_tag::oldest_gives_way});
        const auto stream = [&](ssekit::subscribe_options options = {}) {
            options.framing = form;
            return client(server, to({"a"}, options));
        };
        const auto ends = [&](client& reader, const std::string& last) {
            CHECK(reader.drain() == drain_status::done);
            CHECK(reader.body().ends_with(last));
            CHECK(reader.stream.is_done());
            if (form == framing::chunked) CHECK(support::dechunk(reader.socket.got).ended);
        };
        client evicted = stream();
        client expired = stream({.max_age = 1s});
        client detached = stream({.on_lag = ssekit::lag_policy::detach});
        client of_topic(server, to({"b"}, {.framing = form}));
        client closed = stream();
        REQUIRE(server.publish("a", {.data = "x"}).ec == errc::ok);
        for (client* each : {&evicted, &expired, &closed}) each->drain();
        REQUIRE(server.evict(evicted.stream.id()));
        CHECK_FALSE(evicted.stream.is_done()); // its last event has yet to leave
        ends(evicted, "data: x\n\n" + end("evicted"));
        REQUIRE(server.publish("a", {.data = "y"}).ec == errc::ok);
        ends(detached, "retry: 5000\n\n" + end("detached"));
        REQUIRE(server.close_topic("b", {.data = "over"}) == errc::ok);
        ends(of_topic, "data: over\n\n" + end("topic_closed"));
        expired.drain();
        server.tick(now += 2s);
        ends(expired, "data: y\n\n" + end("expired"));
        client older(server, to({"c"}, {.tag = "t", .framing = form}));
        client newer(server, to({"c"}, {.tag = "t", .framing = form}));
        ends(older, end("replaced"));
        REQUIRE(server.close({.farewell = {.type = "bye", .data = ""}}) == errc::ok);
        ends(closed, "event: bye\ndata: \n\n" + end("closed"));
    }
}

TEST_CASE("what is cut says no last word") {
    time_point now;
    hub server(1, now, {.keep = {.events = 1, .burst = {.within = 0ms}}, .end_type = "end"});
    client lagged(server, to({"a"}));
    client cut(server, to({"b"}));
    for (int i = 0; i < 2; ++i) REQUIRE(server.publish("a", {.data = "x"}).ec == errc::ok);
    CHECK(lagged.drain() == drain_status::cut);
    CHECK(lagged.body().find("end") == std::string::npos);
    server.cut();
    CHECK(cut.drain() == drain_status::cut);
    CHECK(cut.body().find("end") == std::string::npos);
}

TEST_CASE("an end that cannot be said for want of memory is no proper end") {
    for (const framing form : {framing::raw, framing::chunked}) {
        support::counted_memory memory;
        {
            hub server(1, time_point(), {.end_type = "end", .memory = &memory});
            std::size_t said = 0;
            for (std::size_t grace = 0; said == 0; ++grace) {
                REQUIRE(grace < 20);
                client reader(server, to({"a"}, {.framing = form}));
                REQUIRE(reader.ec == errc::ok);
                reader.drain();
                REQUIRE(server.evict(reader.stream.id()));
                memory.grace = grace;
                const drain_status status = reader.drain();
                memory.grace = support::counted_memory::unlimited;
                if (status == drain_status::done) {
                    CHECK(reader.body().ends_with(end("evicted")));
                    ++said;
                } else {
                    CHECK(status == drain_status::cut);
                    CHECK(reader.stream.end() == stream_end::out_of_memory);
                    CHECK(reader.body().find("end") == std::string::npos);
                }
            }
        }
        CHECK(memory.live() == 0);
    }
}

TEST_CASE("streams that end alike share the frame of their last words") {
    support::counted_memory memory;
    hub server(1, time_point(), {.end_type = "end", .memory = &memory});
    std::vector<std::unique_ptr<client>> readers;
    for (int i = 0; i < 100; ++i) {
        readers.push_back(std::make_unique<client>(server, to({"a"})));
        readers.back()->drain();
    }
    REQUIRE(server.close() == errc::ok);
    const std::size_t before = memory.allocations;
    for (const auto& each : readers) CHECK(each->drain() == drain_status::done);
    CHECK(memory.allocations - before < 10);
}
