// SPDX-License-Identifier: MIT
//
// Streams that begin, or go on after a gap, with the newest event of each key.
#include <ssekit/hub.hpp>

#include "support/client.hpp"
#include "support/counted_memory.hpp"
#include "support/dice.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::framing;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::lag_policy;
using ssekit::removal_of;
using ssekit::resumption;
using ssekit::retention;
using ssekit::start_point;
using ssekit::subscribe_options;
using support::client;
using support::exactly;
using support::gap;
using support::morning;
using support::say;
using support::say_numbers;
using support::texts;
using support::to;

namespace {

constexpr subscribe_options newest_first{.start = start_point::newest_of_each_key,
                                         .on_gap = gap_policy::newest_of_each_key};

/// So many events, and besides the newest of so many keys.
retention keep_values(std::size_t events, std::size_t keys) {
    retention keep = exactly(events);
    keep.values.keys = keys;
    return keep;
}

/// The key is the first letter.
void set_value(hub& server, std::string_view topic, std::string_view data) {
    say(server, topic, {.data = data}, data.substr(0, 1));
}
void set_values(hub& server, const texts& all) {
    for (const std::string& data : all) set_value(server, "a", data);
}

texts newest(hub& server, const subscribe_options& options) {
    client reader(server, options);
    CHECK(reader.ec == errc::ok);
    reader.drain();
    return reader.events();
}

} // namespace

TEST_CASE("a stream begins with the newest of each key, in the order of publishing, then goes on") {
    for (const std::size_t keys : {std::size_t{0}, std::size_t{100}}) {
        for (const framing form : {framing::raw, framing::chunked}) {
            CAPTURE(keys);
            hub server(1, morning, {.keep = keep_values(100, keys)});
            set_values(server, {"k1", "l1", "k2", "m1", "l2"});
            say(server, "a", "without a key");
            subscribe_options options = newest_first;
            options.framing = form;
            client reader(server, to({"a"}, options));
            CHECK(reader.stream.resumption() == resumption::fresh);
            reader.drain();
            CHECK(reader.events() == texts{"k2", "m1", "l2"});
            set_value(server, "a", "k3");
            say(server, "a", "plain");
            set_value(server, "a", "k4");
            reader.drain();
            CHECK(reader.events() == texts{"k2", "m1", "l2", "k3", "plain", "k4"});
            CHECK(server.metrics().snapshots == 1);
            CHECK(server.metrics().gaps == 0);
        }
    }
}

TEST_CASE("what has long left the log is there if it is still the newest of its key") {
    hub server(1, morning, {.keep = keep_values(4, 10)});
    set_value(server, "a", "quiet gauge");
    for (int i = 0; i < 1000; ++i)
        set_value(server, "a", i % 2 == 0 ? "x" + std::to_string(i) : "y");
    say_numbers(server, "a", 1, 100);
    server.tick(morning + 24h);
    CHECK(newest(server, to({"a"}, newest_first)) == texts{"quiet gauge", "x998", "y"});
    CHECK(server.find_topic("a")->values == 3);
    CHECK(server.metrics().values == 3);
    CHECK(server.metrics().values_gone == 0);
}

TEST_CASE("what is published while the newest of each key leave comes after them, once") {
    for (const std::size_t keys : {std::size_t{0}, std::size_t{100}}) {
        hub server(1, morning, {.keep = keep_values(100, keys)});
        set_values(server, {"k1", "l1", "m1"});
        client reader(server, to({"a"}, newest_first));
        REQUIRE(reader.drain_one_frame());
        set_values(server, {"l2", "n1"}); // replaces one that has not left yet, and adds one
        reader.drain();
        CHECK(reader.events() == texts{"k1", "m1", "l2", "n1"});
    }
}

TEST_CASE("the opening has no id before the newest of each key, and each of them has its own") {
    hub server(1, morning, {.keep = keep_values(2, 10)});
    set_values(server, {"k1", "l1", "l2", "l3"});
    client reader(server, to({"a"}, newest_first));
    REQUIRE(reader.drain_one_frame());
    CHECK(reader.body() == "id: 1.1\ndata: k1\n\n");
    // Cut off here, the client comes back: the log no longer has what follows its id.
    client back(server, to({"a"}, {.last_event_id = "1.1",
                                   .start = start_point::newest_of_each_key,
                                   .on_gap = gap_policy::newest_of_each_key}));
    back.drain();
    CHECK(back.stream.resumption() == resumption::expired);
    CHECK(back.events().size() == 3);
    CHECK(back.events()[1] == "k1");
    CHECK(back.events()[2] == "l3");
    CHECK(back.last_event_id() == "1.4");

    hub none(1, morning, {.keep = keep_values(2, 10)});
    say(none, "a", "x");
    client fresh(none, to({"a"}, newest_first));
    fresh.drain();
    CHECK(fresh.body() == "id: 1.1\n\n"); // nothing to begin with
}

TEST_CASE("an id that can be resumed from brings all that was missed, and no snapshot") {
    hub server(1, morning, {.keep = keep_values(10, 10)});
    set_values(server, {"k1", "k2", "k3"});
    subscribe_options options = newest_first;
    options.last_event_id = "1.1";
    CHECK(newest(server, to({"a"}, options)) == texts{"k2", "k3"});
    CHECK(server.metrics().snapshots == 0);
}

TEST_CASE("a key that was removed is in no later snapshot") {
    for (const std::size_t keys : {std::size_t{0}, std::size_t{100}}) {
        hub server(1, morning, {.keep = keep_values(100, keys)});
        client live(server, to({"a"}));
        set_values(server, {"k1", "l1"});
        const ssekit::publish_result removed =
            server.publish("a", {.type = "removed", .data = "k"}, removal_of("k"));
        CHECK(removed.ec == errc::ok);
        live.drain();
        CHECK(live.events() == texts{"k1", "l1", "removed:k"}); // who is there is told
        CHECK(newest(server, to({"a"}, newest_first)) == texts{"l1"});
        set_value(server, "a", "k2");
        CHECK(newest(server, to({"a"}, newest_first)) == texts{"l1", "k2"});
        // One that nobody has set is an event as any other.
        CHECK(server.publish("a", {.data = "z"}, removal_of("z")).ec == errc::ok);
        CHECK(newest(server, to({"a"}, newest_first)) == texts{"l1", "k2"});
        CHECK(server.publish("a", {.data = "z"}, removal_of("")).ec == errc::key_is_missing);
        CHECK(server.publish_to_all({.data = "z"}, removal_of("")).ec == errc::key_is_missing);
    }
}

TEST_CASE("a slow reader of the newest values is told of a removal, or of a gap") {
    hub server(1, morning, {.keep = keep_values(3, 10)});
    client slow(server, to({"a"}, {.on_lag = lag_policy::coalesce}));
    slow.drain();
    set_value(server, "a", "k1");
    REQUIRE(server.publish("a", {.data = "gone k"}, removal_of("k")).ec == errc::ok);
    slow.drain();
    CHECK(slow.events() == texts{"gone k"});
    set_value(server, "a", "k2");
    REQUIRE(server.publish("a", {.data = "gone k"}, removal_of("k")).ec == errc::ok);
    set_values(server, {"l1", "l2", "m1"}); // and the removal has left the log
    slow.drain();
    CHECK(slow.events().size() == 4);
    CHECK(slow.events()[1].starts_with("gap:"));
}

TEST_CASE("the keys that were updated longest ago go when a bound is reached, and are counted") {
    for (const bool by_bytes : {false, true}) {
        retention keep = keep_values(1, by_bytes ? 100 : 2);
        if (by_bytes) keep.values.bytes = 2 * std::string_view("id: 1.1\ndata: k1\n\n").size();
        hub server(1, morning, {.keep = keep});
        set_values(server, {"k1", "l1", "k2", "m1"});
        CHECK(newest(server, to({"a"}, newest_first)) == texts{"k2", "m1"});
        CHECK(server.metrics().values == 2);
        CHECK(server.metrics().values_gone == 1);
    }
}

TEST_CASE("a stream of several topics gets the newest of each key of each, each event once") {
    hub server(1, morning, {.keep = keep_values(2, 10)});
    set_value(server, "a", "k1");
    set_value(server, "b", "k2"); // another key: it is another topic's
    const std::array<std::string_view, 2> both = {"a", "b"};
    say(server, both, {.data = "s1"}, "s");
    set_value(server, "b", "l1");
    set_value(server, "c", "k3");
    CHECK(newest(server, to({"a", "b"}, newest_first)) == texts{"k1", "k2", "s1", "l1"});
    subscribe_options tagged = newest_first;
    tagged.tag = "me";
    REQUIRE(server.publish_to_tag("me", {.data = "t1"}, "t").ec == errc::ok);
    CHECK(newest(server, to({"b", "c"}, tagged)) == texts{"k2", "s1", "l1", "k3", "t1"});
}

TEST_CASE("a pattern has the newest of each key of all its names, before it was read and after") {
    hub server(1, morning, {.keep = keep_values(2, 10)});
    set_value(server, "t/1", "k1");
    set_value(server, "t/2", "k2");
    set_value(server, "t/2", "l1");
    set_value(server, "t/1", "m1");
    set_value(server, "t/1", "m2");
    say_numbers(server, "t/2", 1, 5);
    const std::string_view all[] = {"t/*"};
    subscribe_options options = newest_first;
    options.patterns = all;
    CHECK(newest(server, options) == texts{"k1", "k2", "l1", "m2"});
    client stays(server, options);
    stays.drain();
    set_value(server, "t/3", "k3");
    set_value(server, "t/1", "k4");
    CHECK(newest(server, options) == texts{"k2", "l1", "m2", "k3", "k4"});

    hub own(1, morning, {.keep = exactly(2)});
    set_value(own, "t/1", "k1");
    REQUIRE(own.keep_pattern("t/*", keep_values(2, 10)) == errc::ok);
    set_value(own, "t/2", "l1");
    say_numbers(own, "t/1", 1, 5);
    CHECK(newest(own, options) == texts{"k1", "l1"});
    REQUIRE(own.keep("t/9", keep_values(1, 10)) == errc::ok);
    set_value(own, "t/9", "z1");
    own.keep_pattern_no_more("t/*");
    CHECK(newest(own, options) == texts{"z1"});
    REQUIRE(own.keep_pattern("t/*", keep_values(2, 10)) == errc::ok);
    set_value(own, "t/9", "y1");
    say_numbers(own, "t/9", 1, 5);
    CHECK(newest(own, options) == texts{"l1", "z1", "y1"}); // what their logs have
}

TEST_CASE("values that are kept from now on are those that the log has") {
    hub server(1, morning, {.keep = exactly(3)});
    set_values(server, {"j1", "k1", "l1", "k2"});
    REQUIRE(server.keep("a", keep_values(3, 10)) == errc::ok);
    say_numbers(server, "a", 1, 9);
    CHECK(newest(server, to({"a"}, newest_first)) == texts{"l1", "k2"});
    REQUIRE(server.keep("a", keep_values(3, 1)) == errc::ok);
    CHECK(newest(server, to({"a"}, newest_first)) == texts{"k2"});
    REQUIRE(server.keep("a", exactly(3)) == errc::ok);
    CHECK(newest(server, to({"a"}, newest_first)).empty());
    CHECK(server.metrics().values == 0);
}

TEST_CASE("a topic that keeps only values stays, and gives them up with itself") {
    hub server(1, morning, {.keep = {.age = 1s, .values = {.keys = 10}}});
    set_values(server, {"k1", "l1"});
    server.tick(morning + 1min);
    CHECK(server.metrics().topics == 1);
    CHECK(server.find_topic("a")->events == 0);
    CHECK(newest(server, to({"a"}, newest_first)) == texts{"k1", "l1"});
    CHECK(server.forget_topic("a"));
    CHECK(server.metrics().values == 0);
    CHECK(server.metrics().log_bytes == 0);
}

TEST_CASE("a filter leaves out newest events, and no older one takes their place") {
    const auto small = [](const ssekit::event_summary& event) noexcept {
        return event.type != "large";
    };
    hub server(1, morning, {.keep = keep_values(10, 10)});
    set_values(server, {"k1", "l1"});
    say(server, "a", {.type = "large", .data = "k2"}, "k");
    subscribe_options options = newest_first;
    options.filter = small;
    CHECK(newest(server, to({"a"}, options)) == texts{"l1"});
}

TEST_CASE("a reader that lags goes on with the newest of each key, after a gap event") {
    hub server(1, morning, {.keep = keep_values(3, 10)});
    client slow(server, to({"a"}, {.on_lag = lag_policy::newest_of_each_key}));
    client other(server, to({"a", "b"}, {.on_lag = lag_policy::newest_of_each_key}));
    slow.drain();
    other.drain();
    set_value(server, "b", "z1");
    set_values(server, {"k1", "l1", "k2", "m1", "m2"});
    say(server, "a", "plain");
    slow.drain();
    CHECK(slow.events() == texts{gap("lagged"), "l1", "k2", "m2"});
    other.drain();
    CHECK(other.events() == texts{"z1", gap("lagged"), "z1", "l1", "k2", "m2"});
    set_value(server, "a", "k3");
    slow.drain();
    CHECK(slow.events().back() == "k3");
    CHECK(slow.stream.end() == ssekit::stream_end::open);
}

TEST_CASE("an event says when a stream has given out what it begins with") {
    hub server(1, morning, {.keep = keep_values(3, 10), .caught_up_type = "caught-up"});
    client first(server, to({"a"}));
    first.drain();
    CHECK(first.body() == "id: 1.0\n\nid: 1.0\nevent: caught-up\ndata: {\"cursor\":\"1.0\"}\n\n");
    set_values(server, {"k1", "l1", "k2"});
    client reader(server, to({"a"}, newest_first));
    REQUIRE(reader.drain_one_frame());
    set_value(server, "a", "m1");
    reader.drain();
    CHECK(reader.events() == texts{"l1", "k2", "caught-up:{\"cursor\":\"1.3\"}", "m1"});
    client back(server, to({"a"}, {.last_event_id = "1.2"}));
    back.drain();
    CHECK(back.events() == texts{"k2", "m1", "caught-up:{\"cursor\":\"1.4\"}"});
    CHECK(back.last_event_id() == "1.4");

    hub without(1, morning, {.ids = ssekit::event_ids::none, .caught_up_type = "caught-up"});
    client plain(without, to({"a"}));
    plain.drain();
    CHECK(plain.body() == ":\n\nevent: caught-up\ndata: {}\n\n");
}

TEST_CASE("a hub that closes gives out the newest of each key before its farewell") {
    hub server(1, morning, {.keep = keep_values(3, 10)});
    set_values(server, {"k1", "l1"});
    client reader(server, to({"a"}, newest_first));
    REQUIRE(reader.drain_one_frame());
    REQUIRE(server.close({.farewell = {.data = "bye"}}) == errc::ok);
    reader.drain();
    CHECK(reader.events() == texts{"k1", "l1", "bye"});
    CHECK(reader.stream.end() == ssekit::stream_end::closed);
}

TEST_CASE("newest values under random use are those of a map") {
    support::dice dice(20);
    for (int round = 0; round < 40; ++round) {
        support::counted_memory memory;
        {
            hub server(1, morning,
                       {.keep = keep_values(1 + dice.below(6), 1000), .memory = &memory});
            std::map<std::string, std::pair<int, std::string>> model;
            for (int i = 0; i < 300; ++i) {
                const std::string key(1, static_cast<char>('a' + dice.below(26)));
                const std::string data = key + std::to_string(i);
                if (dice.one_in(6)) {
                    CHECK(server.publish("a", {.data = "-"}, removal_of(key)).ec == errc::ok);
                    model.erase(key);
                } else {
                    say(server, "a", {.data = data}, key);
                    model[key] = {i, data};
                }
                if (!dice.one_in(20)) continue;
                std::map<int, std::string> in_order;
                for (const auto& [name, value] : model) in_order[value.first] = value.second;
                texts expected;
                for (const auto& [at, text] : in_order) expected.push_back(text);
                CHECK(newest(server, to({"a"}, newest_first)) == expected);
            }
        }
        CHECK(memory.live() == 0);
    }
}

TEST_CASE("without memory an event is refused, and no older value stands for it") {
    for (std::size_t grace = 0; grace < 12; ++grace) {
        support::counted_memory memory;
        {
            hub server(1, morning, {.keep = keep_values(2, 10), .memory = &memory});
            set_values(server, {"k1", "l1"});
            memory.grace = grace;
            const errc code = server.publish("a", {.data = "k2"}, "k").ec;
            memory.grace = support::counted_memory::unlimited;
            const texts seen = newest(server, to({"a"}, newest_first));
            if (code == errc::ok) CHECK(seen == texts{"l1", "k2"});
            if (code != errc::ok) CHECK(seen == texts{"k1", "l1"});
        }
        CHECK(memory.live() == 0);
    }
}

TEST_CASE("a heartbeat brings a client past what its snapshot has left out") {
    hub server(1, morning,
               {.keep = keep_values(2, 10), .heartbeat = {.interval = 10s}, .write_deadline = 0s});
    set_value(server, "a", "k");
    say_numbers(server, "a", 2, 6);
    client reader(server, to({"a"}, newest_first));
    reader.drain();
    CHECK(reader.last_event_id() == "1.1");
    server.tick(morning + 1min);
    reader.drain();
    const std::string told = reader.last_event_id();
    CHECK(told == "1.6"); // else it would be told of a gap that it does not have
    subscribe_options again = newest_first;
    again.last_event_id = told;
    CHECK(client(server, to({"a"}, again)).stream.resumption() == resumption::resumed);
}

TEST_CASE("a stream whose filter wants nothing of a snapshot has an id from its opening on") {
    hub server(1, {}, support::untimed);
    say(server, "a", {.type = "other", .data = "k1"}, "k");
    subscribe_options options = newest_first;
    options.filter = [](const ssekit::event_summary& event) noexcept {
        return event.type != "other";
    };
    client reader(server, to({"a"}, options));
    reader.drain();
    const std::string told = reader.last_event_id();
    CHECK(told == "1.1");
    say(server, "a", "while it is away");
    options.last_event_id = told;
    client again(server, to({"a"}, options));
    again.drain();
    CHECK(again.events() == texts{"while it is away"});
}

TEST_CASE("a topic that is added in the middle of a snapshot is no part of it") {
    hub server(1, {}, support::untimed);
    set_value(server, "a", "k1");
    set_value(server, "b", "k2");
    set_value(server, "a", "l3");
    SUBCASE("and brings what is published from then on") {
        client reader(server, to({"a"}, newest_first));
        REQUIRE(reader.drain_one_frame());
        CHECK(reader.stream.add_topics("b") == errc::ok);
        set_value(server, "b", "l4");
        reader.drain();
        CHECK(reader.events() == texts{"k1", "l3", "l4"});
    }
    SUBCASE("also where it is the only one that is left") {
        client reader(server, to({"a"}, newest_first));
        REQUIRE(reader.drain_one_frame());
        CHECK(reader.stream.add_topics("b") == errc::ok);
        CHECK(reader.stream.remove_topics("a") == errc::ok);
        reader.drain();
        CHECK(reader.events() == texts{"k1"});
    }
    SUBCASE("but of the next one") {
        client reader(server, to({"a"}, {.on_lag = lag_policy::newest_of_each_key,
                                         .max_lag = {.events = 1}}));
        reader.drain();
        CHECK(reader.stream.add_topics("b") == errc::ok);
        set_value(server, "a", "k5");
        set_value(server, "a", "l6");
        reader.drain();
        CHECK(reader.events() == texts{gap("lagged"), "k2", "k5", "l6"});
    }
}

TEST_CASE("an event that several names of a pattern have is in its snapshot once") {
    hub server(1, {}, {.keep = keep_values(4, 10)});
    CHECK(server.keep("x/1", keep_values(4, 10)) == errc::ok);
    say(server, std::array<std::string_view, 2>{"x/1", "x/2"}, {.data = "k1"}, "k");
    subscribe_options options = newest_first;
    constexpr std::array<std::string_view, 1> pattern{"x/*"};
    options.patterns = pattern;
    client reader(server, to({"x/1", "x/2"}, options));
    reader.drain();
    CHECK(reader.events() == texts{"k1"});
}

TEST_CASE("a gap event before the newest of each key tells of all that is passed over") {
    hub server(1, {}, {.keep = keep_values(2, 10)});
    client reader(server, to({"a", "b"}, {.on_lag = lag_policy::newest_of_each_key}));
    reader.drain();
    set_value(server, "a", "k1");
    say_numbers(server, "a", 2, 4);
    say(server, "b", "5"); // it has no key, so the stream does without it
    reader.drain();
    CHECK(reader.events() == texts{gap("lagged"), "k1"});
    CHECK(reader.seen().events[0].data.find(R"("through":"1.5")") != std::string::npos);
}

TEST_CASE("without memory a pattern keeps the values that it has, and their bytes count once") {
    support::counted_memory memory;
    {
        hub_options options = support::untimed;
        options.memory = &memory;
        hub server(1, {}, options);
        CHECK(server.keep_pattern("x/*", keep_values(2, 10)) == errc::ok);
        CHECK(server.keep("x/1", keep_values(2, 10)) == errc::ok);
        for (const std::string_view value : {"a", "b", "c", "d"}) {
            set_value(server, "x/1", value);
        }
        const std::uint64_t bytes = server.metrics().log_bytes;
        memory.grace = 0;
        CHECK(server.keep_pattern("x/*", keep_values(2, 1)) == errc::out_of_memory);
        memory.grace = support::counted_memory::unlimited;
        CHECK(server.find_topic("x/*")->values == 4);
        CHECK(server.metrics().log_bytes == bytes);
        CHECK(server.keep_pattern("x/*", keep_values(2, 1)) == errc::ok);
        CHECK(server.find_topic("x/*")->values == 1);
        CHECK(server.metrics().log_bytes < bytes);
    }
    CHECK(memory.live() == 0);
}
