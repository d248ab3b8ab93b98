// SPDX-License-Identifier: MIT
//
// Subscribers that may be behind by so much and no more.
#include <ssekit/hub.hpp>

#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::framing;
using ssekit::hub;
using ssekit::lag_bound;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::stream_end;
using ssekit::time_point;
using support::client;
using support::exactly;
using support::gap;
using support::morning;
using support::say;
using support::say_numbers;
using support::texts;
using support::to;

namespace {

constexpr lag_policy policies[] = {lag_policy::disconnect, lag_policy::detach,
                                   lag_policy::skip_to_oldest, lag_policy::skip_to_newest,
                                   lag_policy::coalesce};
constexpr framing forms[] = {framing::raw, framing::chunked};
constexpr std::uint64_t event_size = std::string_view("id: 1.1\ndata: 1\n\n").size();

bool ends_streams(lag_policy policy) {
    return policy == lag_policy::disconnect || policy == lag_policy::detach;
}
drain_status after_end(lag_policy policy) {
    return policy == lag_policy::detach ? drain_status::done : drain_status::cut;
}

/// What a client of a policy gets that was behind by the events 1 to `last`, with a bound that
/// covers the newest `most`.
texts after_lag(lag_policy policy, int last, int most) {
    if (ends_streams(policy)) return {};
    texts out{gap("lagged", static_cast<std::size_t>(
                                policy == lag_policy::skip_to_newest ? last - 1 : last - most))};
    for (int i = last - most + 1; i <= last; ++i) {
        if (policy != lag_policy::skip_to_newest || i == last) out.push_back(std::to_string(i));
    }
    return out;
}

texts numbers(int first, int last) {
    texts out;
    for (int i = first; i <= last; ++i) out.push_back(std::to_string(i));
    return out;
}

} // namespace

TEST_CASE("at its bound a subscriber gets everything and one past it its policy speaks") {
    struct {
        lag_bound most;
        std::chrono::milliseconds pause; // between events
    } constexpr bounds[] = {
        {{.events = 3}, 0ms},
        {{.bytes = 3 * event_size}, 0ms},
        {{.bytes = 4 * event_size - 1}, 0ms},
        {{.age = 2s}, 1s}, // of the oldest of three when the newest comes
        {{.events = 3, .bytes = 3 * event_size, .age = 2s}, 1s},
        {{.events = 3, .bytes = 1000, .age = 1h}, 1s},
    };
    for (const auto& bound : bounds) {
        for (const lag_policy policy : policies) {
            for (const framing form : forms) {
                for (const int count : {3, 4, 7}) {
                    CAPTURE(static_cast<int>(policy));
                    CAPTURE(&bound - bounds);
                    CAPTURE(count);
                    hub server(1, {}, {});
                    server.tick(morning);
                    client reader(
                        server,
                        to({"a"}, {.on_lag = policy, .max_lag = bound.most, .framing = form}));
                    reader.drain();
                    for (int i = 1; i <= count; ++i) {
                        server.tick(morning + i * bound.pause);
                        say(server, "a", std::to_string(i));
                    }
                    const drain_status status = reader.drain();
                    const bool lagged = count > 3;
                    const bool ended = lagged && ends_streams(policy);
                    CHECK(status == (ended ? after_end(policy) : drain_status::idle));
                    CHECK(reader.events() ==
                          (lagged ? after_lag(policy, count, 3) : numbers(1, count)));
                    if (form == framing::chunked) {
                        CHECK(support::dechunk(reader.socket.got).intact);
                        CHECK(support::dechunk(reader.socket.got).ended ==
                              (lagged && policy == lag_policy::detach));
                    }
                    if (ended) continue;
                    say(server, "a", "next");
                    reader.drain();
                    CHECK(reader.events().back() == "next");
                }
            }
        }
    }
}

TEST_CASE("a detached client is told when to come back and then gets everything") {
    for (const framing form : forms) {
        hub server(1, {}, {.detach_retry = 7s});
        client first(
            server,
            to({"a"}, {.on_lag = lag_policy::detach, .max_lag = {.events = 2}, .framing = form}));
        say(server, "a", "1");
        first.drain();
        say_numbers(server, "a", 2, 5);
        CHECK(first.stream.end() == stream_end::open);
        CHECK(first.drain() == drain_status::done);
        CHECK(first.stream.end() == stream_end::detached);
        CHECK(first.stream.is_done());
        CHECK(first.seen().retry == 7000);
        CHECK(first.body().ends_with("retry: 7000\n\n"));
        CHECK(server.metrics().detached == 1);
        CHECK(server.metrics().gaps == 0);
        const std::string id = first.last_event_id();
        CHECK(id == "1.1");
        first.stream = {};
        client second(server, to({"a"}, {.last_event_id = id, .framing = form}));
        CHECK(second.stream.resumption() == resumption::resumed);
        second.drain();
        CHECK(second.events() == numbers(2, 5));
    }
}

TEST_CASE("a frame in hand is whole whatever bound is passed behind it") {
    for (const lag_policy policy : policies) {
        for (const framing form : forms) {
            for (std::size_t cut = 0; cut < 75; ++cut) {
                CAPTURE(static_cast<int>(policy));
                CAPTURE(cut);
                hub server(1, {}, {});
                client reader(
                    server,
                    to({"a"}, {.on_lag = policy, .max_lag = {.events = 2}, .framing = form}));
                say_numbers(server, "a", 1, 2);
                CHECK(reader.drain_bytes(cut) == drain_status::would_block);
                say_numbers(server, "a", 3, 9);
                const drain_status status = reader.drain();
                texts expected = numbers(1, 2);
                if (policy != lag_policy::disconnect && policy != lag_policy::detach) {
                    const bool newest = policy == lag_policy::skip_to_newest;
                    expected.push_back(gap("lagged", newest ? 6 : 5));
                    if (!newest) expected.push_back("8");
                    expected.push_back("9");
                }
                CHECK(reader.events() == expected);
                CHECK(reader.seen().errors.empty());
                CHECK(status == (ends_streams(policy) ? after_end(policy) : drain_status::idle));
                if (form == framing::raw) continue;
                CHECK(support::dechunk(reader.socket.got).intact);
                CHECK(support::dechunk(reader.socket.got).ended == (policy == lag_policy::detach));
            }
        }
    }
}

TEST_CASE("the newest event passes whatever its size and age") {
    for (const lag_policy policy : policies) {
        hub server(1, {}, {});
        server.tick(morning);
        client reader(server, to({"a"}, {.on_lag = policy,
                                         .max_lag = {.events = 1, .bytes = 1, .age = 1ms}}));
        reader.drain();
        say(server, "a", std::string(1000, 'x'));
        server.tick(morning + 1h);
        CHECK(reader.drain() == drain_status::idle);
        CHECK(reader.events() == texts{std::string(1000, 'x')});
    }
}

TEST_CASE("large events count by their bytes") {
    hub server(1, {}, {});
    client reader(server,
                  to({"a"}, {.on_lag = lag_policy::skip_to_oldest, .max_lag = {.bytes = 250}}));
    reader.drain();
    say(server, "a", "1");
    say(server, "a", std::string(200, 'x'));
    say(server, "a", "2");
    reader.drain();
    CHECK(reader.events() == texts{"1", std::string(200, 'x'), "2"});
    say(server, "a", "3");
    say(server, "a", std::string(200, 'y'));
    say(server, "a", std::string(200, 'z'));
    reader.drain();
    CHECK(reader.events() ==
          texts{"1", std::string(200, 'x'), "2", gap("lagged", 2), std::string(200, 'z')});
    CHECK(server.metrics().skipped == 2);
}

TEST_CASE("the tightest of several bounds and of the log counts") {
    hub server(1, {}, {.keep = exactly(6)});
    const auto lag = [&](const lag_bound& most) {
        client reader(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest, .max_lag = most}));
        reader.drain();
        say_numbers(server, "a", 1, 9);
        reader.drain();
        return reader.events().size() - 1; // the gap
    };
    CHECK(lag({.events = 4}) == 4);
    CHECK(lag({.events = 8}) == 6);
    CHECK(lag({.events = 5, .bytes = event_size * 3}) == 2); // offsets have two digits now
    CHECK(lag({.bytes = 10000}) == 6);
    CHECK(lag({}) == 6);
}

TEST_CASE("each topic has the bound for itself and one that is past it ends the stream") {
    hub server(1, {}, {});
    const lag_bound most{.events = 2};
    client skips(server, to({"a", "b"}, {.on_lag = lag_policy::skip_to_oldest, .max_lag = most}));
    client ends(server, to({"a", "b"}, {.on_lag = lag_policy::detach, .max_lag = most}));
    for (client* each : {&skips, &ends}) each->drain();
    for (int i = 1; i <= 2; ++i) {
        say(server, "a", "a" + std::to_string(i));
        say(server, "b", "b" + std::to_string(i));
    }
    for (client* each : {&skips, &ends}) {
        CHECK(each->drain() == drain_status::idle);
        CHECK(each->events() == texts{"a1", "b1", "a2", "b2"});
    }
    say(server, "a", "a3");
    for (int i = 3; i <= 6; ++i) say(server, "b", "b" + std::to_string(i));
    skips.drain();
    CHECK(skips.events() == texts{"a1", "b1", "a2", "b2", "a3", gap("lagged", 2), "b5", "b6"});
    CHECK(ends.drain() == drain_status::done);
    CHECK(ends.stream.end() == stream_end::detached);
    CHECK(ends.events() == texts{"a1", "b1", "a2", "b2", "a3"}); // a3 is before the hole
}

TEST_CASE(
    "a coalescing subscriber passes its bound without a gap where only old values are past it") {
    hub server(1, {}, {});
    client reader(server, to({"a"}, {.on_lag = lag_policy::coalesce, .max_lag = {.events = 2}}));
    reader.drain();
    const auto tell = [&](std::string_view data) {
        say(server, "a", {.data = data}, data.substr(0, 1));
    };
    for (const std::string_view data : {"k1", "l1", "k2", "l2", "k3", "l3"}) tell(data);
    reader.drain();
    CHECK(reader.events() == texts{"k3", "l3"});
    CHECK(server.metrics().coalesced == 4);
    CHECK(server.metrics().gaps == 0);
    for (const std::string_view data : {"m1", "k4", "l4"}) tell(data); // m1 is nobody's old value
    reader.drain();
    CHECK(reader.events() == texts{"k3", "l3", gap("lagged", 1), "k4", "l4"});
    CHECK(server.metrics().skipped == 1);
}

TEST_CASE("a lag by age is one of the events and not of the stream") {
    hub server(1, {}, {.heartbeat = {.interval = 0s}, .write_deadline = 0s});
    server.tick(morning);
    client reader(server, to({"a"}, {.max_lag = {.age = 10s}}));
    reader.drain();
    for (int i = 0; i < 10; ++i) { // the stream is old and silent, its events are young
        server.tick(morning + i * 1h);
        say(server, "a", std::to_string(i));
        server.tick(morning + i * 1h + 10s);
        CHECK(reader.drain() == drain_status::idle);
    }
    CHECK(reader.events() == numbers(0, 9));
    say(server, "a", "10");
    server.tick(morning + 10h + 1s);
    say(server, "a", "11");
    server.tick(morning + 10h + 11s);
    CHECK(reader.drain() == drain_status::cut);
    CHECK(reader.stream.end() == stream_end::lagged);
}

TEST_CASE("a client gets what it comes back for, where lag would end its stream") {
    for (const lag_policy policy : {lag_policy::disconnect, lag_policy::detach}) {
        hub server(1, morning, {});
        say_numbers(server, "a", 1, 9);
        server.tick(morning + 1h);
        client reader(server, to({"a"}, {.last_event_id = "1.2",
                                         .on_lag = policy,
                                         .max_lag = {.events = 3, .bytes = 1, .age = 1s}}));
        reader.drain_one_frame();
        reader.drain_one_frame();
        say_numbers(server, "a", 10, 14); // more than it may be behind, had it read the rest
        reader.drain_one_frame();
        CHECK(reader.events() == texts{"3", "4"});
        CHECK(reader.stream.end() == stream_end::open);
        // It has read what it came for: from now on the bound counts.
        client late(
            server,
            to({"a"}, {.last_event_id = "1.14", .on_lag = policy, .max_lag = {.events = 3}}));
        late.drain();
        say_numbers(server, "a", 15, 18);
        late.drain();
        CHECK(late.events().empty());
        CHECK(late.stream.end() ==
              (policy == lag_policy::detach ? stream_end::detached : stream_end::lagged));
    }
}

TEST_CASE("replay on coming back is bounded like live events") {
    hub server(1, {}, {});
    say_numbers(server, "a", 1, 9);
    client reader(server, to({"a"}, {.last_event_id = "1.2",
                                     .on_lag = lag_policy::skip_to_oldest,
                                     .max_lag = {.events = 3}}));
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged", 4), "7", "8", "9"});
}
