// SPDX-License-Identifier: MIT
//
// Subscribers that do not keep up: what becomes of them, and that nobody else notices.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using ssekit::drain_status;
using ssekit::framing;
using ssekit::hub;
using ssekit::io_status;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::stream_end;
using ssekit::time_point;
using support::client;
using support::exactly;
using support::gap;
using support::say;
using support::say_numbers;
using support::texts;
using support::to;

namespace {

constexpr lag_policy losing_policies[] = {lag_policy::disconnect, lag_policy::skip_to_oldest,
                                          lag_policy::skip_to_newest};

} // namespace

TEST_CASE("a subscriber that the log has left behind is dealt with as its policy says") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, {}, {.keep = exactly(3)});
        client ends(server, to({"a"}, {.framing = form}));
        client oldest(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest, .framing = form}));
        client newest(server, to({"a"}, {.on_lag = lag_policy::skip_to_newest, .framing = form}));
        for (client* each : {&ends, &oldest, &newest}) each->drain();
        say_numbers(server, "a", 1, 10);
        CHECK(ends.stream.end() == stream_end::open);

        CHECK_FALSE(ends.stream.is_abrupt());
        CHECK(ends.drain() == drain_status::cut);
        CHECK(ends.stream.end() == stream_end::lagged);
        CHECK(ends.stream.is_abrupt());
        CHECK(ends.events().empty());
        CHECK(ends.last_event_id() == "1.0"); // to come back with
        if (form == framing::chunked) CHECK_FALSE(support::dechunk(ends.socket.got).ended);
        CHECK(ends.drain() == drain_status::cut);
        ends.stream.reschedule();

        CHECK(oldest.drain() == drain_status::idle);
        CHECK(oldest.events() == texts{gap("lagged", 7), "8", "9", "10"});
        CHECK(newest.drain() == drain_status::idle);
        CHECK(newest.events() == texts{gap("lagged", 9), "10"});
        say(server, "a", "11");
        oldest.drain();
        newest.drain();
        CHECK(oldest.events().back() == "11");
        CHECK(newest.events().back() == "11");
        CHECK(ends.stream.is_done());
    }
}

TEST_CASE("a subscriber that keeps up within the bound has not lagged") {
    for (const lag_policy policy : losing_policies) {
        hub server(1, {}, {.keep = exactly(3)});
        client reader(server, to({"a"}, {.on_lag = policy}));
        reader.drain();
        texts all;
        for (int i = 0; i < 30; i += 3) {
            say_numbers(server, "a", i, i + 2);
            reader.drain();
            for (int n = i; n <= i + 2; ++n) all.push_back(std::to_string(n));
        }
        CHECK(reader.events() == all);
        CHECK(reader.stream.end() == stream_end::open);
    }
}

TEST_CASE("a frame that has begun to leave is never dropped or torn") {
    // A socket that takes `cut` bytes and is then full while the log moves on, under every policy,
    // in either framing.
    for (const lag_policy policy : losing_policies) {
        for (const framing form : {framing::raw, framing::chunked}) {
            for (std::size_t cut = 0; cut < 120; ++cut) {
                CAPTURE(cut);
                hub server(1, {}, {.keep = exactly(2)});
                client reader(server, to({"a"}, {.on_lag = policy, .framing = form}));
                say_numbers(server, "a", 1, 2);
                CHECK(reader.drain_bytes(cut) == drain_status::would_block);
                say_numbers(server, "a", 3, 9);
                const drain_status status = reader.drain();
                const auto seen = reader.seen();
                CHECK(seen.errors.empty());
                // The next frame after those that were prepared is where it has lagged.
                texts expected{"1", "2"};
                const bool all_gone =
                    reader.stream.end() == stream_end::open || policy == lag_policy::disconnect;
                CHECK(all_gone);
                if (policy == lag_policy::disconnect) {
                    CHECK(status == drain_status::cut);
                } else {
                    CHECK(status == drain_status::idle);
                    const bool oldest = policy == lag_policy::skip_to_oldest;
                    expected.push_back(gap("lagged", oldest ? 5 : 6));
                    if (oldest) expected.push_back("8");
                    expected.push_back("9");
                }
                CHECK(reader.events() == expected);
                if (form == framing::chunked) {
                    const auto chunked = support::dechunk(reader.socket.got);
                    CHECK(chunked.intact);
                    CHECK_FALSE(chunked.ended); // what has lagged does not look whole
                }
            }
        }
    }
}

TEST_CASE("what prepare has given out stays where it is whatever happens to the log") {
    hub server(1, {}, {.keep = exactly(1)});
    client reader(server, to({"a"}));
    say(server, "a", "in hand");
    std::array<std::string_view, 4> slices;
    REQUIRE(reader.stream.prepare(slices) == 2);
    const std::string_view event = slices[1];
    for (int i = 0; i < 100; ++i) say(server, "a", std::string(100, 'x'));
    CHECK(server.close() == ssekit::errc::ok);
    CHECK(event == "id: 1.1\ndata: in hand\n\n");
    REQUIRE(reader.stream.prepare(slices) == 2);
    CHECK(slices[1].data() == event.data());
}

TEST_CASE("several topics lag each on its own") {
    hub server(1, {}, {.keep = exactly(2)});
    client reader(server, to({"a", "b"}, {.on_lag = lag_policy::skip_to_oldest}));
    reader.drain();
    say(server, "b", "b1");
    say_numbers(server, "a", 1, 5);
    say(server, "b", "b2");
    reader.drain();
    CHECK(reader.events() == texts{"b1", gap("lagged", 3), "4", "5", "b2"});

    say_numbers(server, "a", 6, 9);
    for (const std::string_view data : {"b3", "b4", "b5"}) say(server, "b", data);
    reader.drain();
    CHECK(reader.events() == texts{"b1", gap("lagged", 3), "4", "5", "b2", gap("lagged", 2), "8",
                                   "9", gap("lagged", 1), "b4", "b5"});
}

TEST_CASE("a log that is bounded by bytes or by age leaves slow subscribers behind as well") {
    hub by_bytes(1, {}, {.keep = exactly({.bytes = 100})});
    client reader(by_bytes, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    reader.drain();
    for (int i = 0; i < 3; ++i) say(by_bytes, "a", std::string(60, 'x'));
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged", 2), std::string(60, 'x')});

    hub by_age(1, {}, {.keep = {.age = 10s}, .heartbeat = {.interval = 0s}, .write_deadline = 0s});
    by_age.tick(time_point(1h));
    client old(by_age, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    old.drain();
    CHECK(by_age.next_deadline() == ssekit::never);
    say_numbers(by_age, "a", 1, 3);
    CHECK(by_age.next_deadline() == time_point(1h) + 10s);
    by_age.tick(time_point(1h) + 5s);
    say(by_age, "a", "4");
    by_age.tick(time_point(1h) + 10s);
    CHECK(by_age.next_deadline() == ssekit::never); // the newest stays
    old.drain();
    CHECK(old.events() == texts{gap("lagged", 3), "4"});
}

TEST_CASE("a slow or dead subscriber costs the others nothing") {
    hub server(1, {}, {.keep = exactly(4)});
    int user = 0;
    client stuck(server, to({"a"}, {.user = &user}));
    client fast(server, to({"a"}));
    client dead(server, to({"a"}));
    for (client* each : {&stuck, &fast, &dead}) each->drain();
    stuck.socket.afterwards = {0, io_status::would_block};
    dead.socket.afterwards = {0, io_status::closed};
    texts all;
    for (int i = 0; i < 100; ++i) {
        all.push_back(std::to_string(i));
        say(server, "a", all.back());
        CHECK(server.next_ready() == (i == 0 ? &user : nullptr)); // he has been told once
        CHECK(stuck.drain() == drain_status::would_block);
        CHECK(dead.drain() == drain_status::closed);
        CHECK(fast.drain() == drain_status::idle);
    }
    CHECK(fast.events() == all);
    CHECK(server.metrics().log_bytes < 100);
}

TEST_CASE("a lagged client comes back with its id and is told what is missing") {
    hub server(1, {}, {.keep = exactly(3)});
    client first(server, to({"a"}));
    say(server, "a", "1");
    first.drain();
    say_numbers(server, "a", 2, 9);
    CHECK(first.drain() == drain_status::cut);
    CHECK(first.events() == texts{"1"});
    const std::string id = first.last_event_id();
    first.stream = {};
    client second(server, to({"a"}, {.last_event_id = id}));
    CHECK(second.stream.resumption() == resumption::expired);
    second.drain();
    CHECK(second.events() == texts{gap("expired"), "7", "8", "9"});
}

TEST_CASE("a client that reads one byte at a time gets every event whole") {
    hub server(1, {}, {});
    client reader(server, to({"a", "b"}, {.framing = framing::chunked}));
    texts all;
    for (int i = 0; i < 200; ++i) {
        if (i % 10 == 0) {
            all.push_back(std::to_string(i));
            say(server, i % 20 == 0 ? "a" : "b", all.back());
        }
        reader.drain_bytes(1);
        CHECK(reader.socket.got.size() == static_cast<std::size_t>(i + 1));
    }
    reader.drain();
    CHECK(reader.events() == all);
    CHECK(support::dechunk(reader.socket.got).intact);
}

TEST_CASE("a gap stands where events are missing and counts what this stream misses") {
    for (const bool both : {false, true}) {
        CAPTURE(both);
        hub server(1, {}, {});
        client reader(server, to({"a", "b"},
                                 {.on_lag = lag_policy::skip_to_oldest, .max_lag = {.events = 2}}));
        reader.drain();
        say(server, "b", "b1");
        if (both) say(server, {"a", "b"}, "a1 b2");
        if (!both) say(server, "a", "a1");
        for (int i = 2; i <= 6; ++i) say(server, "a", "a" + std::to_string(i));
        say(server, "b", "b3");
        reader.drain();
        if (both) { // b is beyond its bound as well, by b1; a1 comes by b
            CHECK(reader.events() ==
                  texts{gap("lagged", 1), "a1 b2", gap("lagged", 3), "a5", "a6", "b3"});
            CHECK(server.metrics().skipped == 4);
        } else {
            CHECK(reader.events() == texts{"b1", gap("lagged", 4), "a5", "a6", "b3"});
        }
        // Who is cut off behind any event comes back to the right place.
        client back(server, to({"a", "b"}, {.last_event_id = "1.1"}));
        CHECK(back.stream.resumption() == resumption::resumed);
        back.drain();
        CHECK(back.events().size() == 7);
    }
}

TEST_CASE("a topic and a pattern that both bring an event miss it once") {
    for (const bool by_log : {false, true}) {
        CAPTURE(by_log);
        hub server(1, {}, {.keep = by_log ? exactly(2) : ssekit::retention()});
        client reader(server, to({"a"}, {.patterns = "**",
                                         .on_lag = lag_policy::skip_to_oldest,
                                         .max_lag = {.events = by_log ? 0u : 2u}}));
        reader.drain();
        say_numbers(server, "a", 1, 5);
        reader.drain();
        // What both logs have let go is not counted: either may have brought it.
        CHECK(reader.events() == texts{by_log ? gap("lagged") : gap("lagged", 3), "4", "5"});
        CHECK(server.metrics().skipped == 3);
        CHECK(server.metrics().gaps == 1);
    }
}

TEST_CASE(
    "a stream that loses nothing because another topic brings it all goes on without a word") {
    for (const lag_policy policy : losing_policies) {
        hub server(1, {}, {.keep = exactly(2)});
        client reader(server, to({"a", "b"}, {.on_lag = policy}));
        reader.drain();
        say(server, {"a", "b"}, "1");
        say(server, "a", "2");
        say(server, "a", "3");
        CHECK(reader.drain() == drain_status::idle);
        CHECK(reader.events() == texts{"1", "2", "3"});
        CHECK(server.metrics().gaps == 0);
    }
}

TEST_CASE("skipping to the newest skips only where something is lost") {
    hub server(1, {}, {.keep = exactly(2)});
    client reader(server, to({"a", "b"}, {.on_lag = lag_policy::skip_to_newest}));
    reader.drain();
    say(server, {"a", "b"}, "1");
    for (const std::string_view data : {"2", "3"}) say(server, "a", data); // 1 comes by b
    reader.drain();
    CHECK(reader.events() == texts{"1", "2", "3"});
    for (const std::string_view data : {"4", "5", "6"}) say(server, "a", data);
    say(server, "b", "7");
    reader.drain();
    CHECK(reader.events() == texts{"1", "2", "3", gap("lagged", 2), "6", "7"});
    CHECK(server.metrics().skipped == 2);
}

TEST_CASE("two topics that a bound leaves behind at one event skip to their newest together") {
    for (const texts& topics : {texts{"a", "b"}, texts{"b", "a"}}) {
        hub server(1, {}, {});
        client reader(
            server,
            {.topics = topics, .on_lag = lag_policy::skip_to_newest, .max_lag = {.events = 2}});
        reader.drain();
        for (int i = 1; i <= 5; ++i) say(server, {"a", "b"}, std::to_string(i));
        reader.drain();
        CHECK(reader.events() == texts{gap("lagged", 4), "5"});
    }
}

TEST_CASE("a client that is cut off between a gap and an event that another topic brings misses "
          "nothing") {
    // "a" has lost 1 and 2, and "b" brings 2: with its id alone a client would seem to have it all.
    for (const lag_policy policy : {lag_policy::skip_to_oldest, lag_policy::skip_to_newest}) {
        for (std::size_t frames = 0; frames <= 4; ++frames) {
            CAPTURE(frames);
            hub server(1, {}, {});
            CHECK(server.keep("a", exactly(1)) == ssekit::errc::ok);
            client reader(server, to({"a", "b"}, {.on_lag = policy}));
            say(server, "a", "1");
            say(server, {"a", "b"}, "2");
            say(server, "a", "3");
            for (std::size_t i = 0; i < frames; ++i) CHECK(reader.drain_one_frame());
            const texts first = reader.events();
            const texts whole{gap("lagged", 1), "2", "3"};
            CHECK(first == texts(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(
                                                                    frames == 0 ? 0 : frames - 1)));
            const std::string id = reader.last_event_id();
            reader.stream = {};
            client back(server, to({"a", "b"}, {.last_event_id = id}));
            back.drain();
            if (frames < 3) { // none of those that are missing has been passed by its id
                CHECK(back.events() == (id.empty() ? texts{} : texts{gap("expired"), "2", "3"}));
            } else {
                CHECK(back.stream.resumption() == resumption::resumed);
                CHECK(back.events() == (frames == 3 ? texts{"3"} : texts{}));
            }
        }
    }
}

TEST_CASE("what a topic has got before it was added is not brought by it") {
    hub server(1, {}, {.keep = exactly(2)});
    client reader(server, to({"a"}, {.on_lag = lag_policy::skip_to_oldest}));
    reader.drain();
    say(server, {"a", "b"}, "1");
    CHECK(reader.stream.add_topics("b") == ssekit::errc::ok);
    say_numbers(server, "a", 2, 3); // "a" lets 1 go, and the stream reads "b" from after it
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged"), "2", "3"});
    say(server, {"a", "b"}, "4");
    say_numbers(server, "a", 5, 6); // but 4 is
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged"), "2", "3", "4", "5", "6"});
}
