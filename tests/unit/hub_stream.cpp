// SPDX-License-Identifier: MIT
//
// prepare and consume: which bytes they give out, and what that costs.
#include <ssekit/hub.hpp>

#include "support/allocations.hpp"
#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::framing;
using ssekit::hub;
using support::client;
using support::say;
using support::texts;
using support::to;

TEST_CASE("the same bytes leave however many the socket takes at a time") {
    for (const framing form : {framing::raw, framing::chunked}) {
        std::string whole;
        for (std::size_t most = 400; most > 0; --most) {
            hub server(1, {}, {.retry = 1s});
            client reader(server, to({"a", "b"}, {.framing = form}));
            reader.socket.afterwards.bytes = most;
            for (int i = 0; i < 4; ++i) {
                say(server, "a", "some\nlines " + std::to_string(i));
                if (i == 2) reader.drain();
                say(server, "b", "more");
            }
            CHECK(server.close({.farewell = {.type = "bye", .data = ""},
                                .retry_min = 1s,
                                .retry_max = 1s}) == ssekit::errc::ok);
            CHECK(reader.drain() == drain_status::done);
            if (whole.empty()) whole = reader.socket.got;
            REQUIRE(reader.socket.got == whole);
        }
    }
}

TEST_CASE("a burst leaves in as few writes as the slices allow") {
    hub server(1, {}, {});
    client reader(server, to({"a", "b"}));
    reader.drain();
    texts all;
    for (int i = 0; i < 200; ++i) {
        all.push_back(std::to_string(i));
        say(server, i % 3 == 0 ? "a" : "b", all.back());
    }
    CHECK(reader.drain() == drain_status::idle);
    CHECK(reader.events() == all);
    CHECK(reader.socket.slices == std::vector<std::size_t>{1, 32, 32, 32, 32, 32, 32, 8});
}

TEST_CASE("prepare fills no more slices than it is given however many are ready") {
    for (const std::size_t most : {1u, 2u, 31u, 32u, 33u, 100u}) {
        hub server(1, {}, {});
        client reader(server, to({"a"}));
        texts all;
        for (int i = 0; i < 100; ++i) {
            all.push_back(std::to_string(i));
            say(server, "a", all.back());
        }
        std::vector<std::string_view> slices(most);
        while (const std::size_t count = reader.stream.prepare(slices)) {
            REQUIRE(count <= most);
            // All but the last byte of what was given, so that the hand never starts anew.
            std::string bytes;
            for (const std::string_view slice : std::span(slices).first(count)) bytes += slice;
            const std::size_t size = bytes.size() > 1 ? bytes.size() - 1 : 1;
            reader.socket.got += bytes.substr(0, size);
            reader.stream.consume(size);
        }
        CHECK(reader.events() == all);
    }
}

TEST_CASE("prepare repeated without consume gives the same bytes and perhaps more") {
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    say(server, "a", "1");
    std::array<std::string_view, 8> first;
    REQUIRE(reader.stream.prepare(first) == 2);
    say(server, "a", "2");
    std::array<std::string_view, 8> second;
    REQUIRE(reader.stream.prepare(second) == 3);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(first[i].data() == second[i].data());
        CHECK(first[i].size() == second[i].size());
    }
    std::array<std::string_view, 1> narrow;
    REQUIRE(reader.stream.prepare(narrow) == 1);
    CHECK(narrow[0].data() == first[0].data());
    reader.stream.consume(0);
    CHECK(reader.stream.prepare({}) == 0);

    reader.stream.consume(first[0].size() + 4);
    REQUIRE(reader.stream.prepare(second) == 2);
    CHECK(second[0] == first[1].substr(4));
    CHECK(second[0].data() == first[1].data() + 4);
}

TEST_CASE("an event is encoded once whoever reads it and in whatever framing") {
    hub server(1, {}, {});
    client live(server, to({"a"}));
    client chunked(server, to({"a"}, {.framing = framing::chunked}));
    live.drain();
    chunked.drain();
    say(server, "a", "shared");
    client replayed(server, to({"a"}, {.last_event_id = "1.0"}));
    replayed.drain_one_frame();
    std::array<std::string_view, 4> a, b, c;
    REQUIRE(live.stream.prepare(a) == 1);
    REQUIRE(replayed.stream.prepare(b) == 1);
    REQUIRE(chunked.stream.prepare(c) == 1);
    CHECK(a[0].data() == b[0].data());
    CHECK(c[0].data() + 4 == a[0].data()); // behind "16\r\n"
    CHECK(c[0] == "16\r\nid: 1.1\ndata: shared\n\n\r\n");
}

TEST_CASE("publishing costs the same allocations for one subscriber and for a thousand") {
    if (!support::counts_allocations) return;
    std::size_t costs[2];
    for (const std::size_t many : {0u, 1u}) {
        hub server(1, {}, {});
        std::list<client> readers;
        for (std::size_t i = 0; i < (many != 0 ? 1000 : 1); ++i) {
            readers.emplace_back(server, to({"a"}));
            readers.back().drain();
        }
        say(server, "a", "first"); // makes the ring
        for (client& reader : readers) reader.drain();
        const support::allocation_watch watch;
        say(server, "a", "second");
        costs[many] = watch.allocations();
    }
    CHECK(costs[0] == 1);
    CHECK(costs[1] == 1);
}

TEST_CASE("a stream that is drained costs no allocation beyond the frames") {
    if (!support::counts_allocations) return;
    hub server(1, {}, {});
    client reader(server, to({"a"}));
    reader.socket.got.reserve(1 << 20);
    reader.socket.slices.reserve(1000);
    say(server, "a", "first");
    reader.drain();
    for (int i = 0; i < 7; ++i) say(server, "a", "x"); // the ring's first size
    const support::allocation_watch watch;
    reader.drain();
    CHECK(watch.allocations() == 0);
}
