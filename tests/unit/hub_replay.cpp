// SPDX-License-Identifier: MIT
//
// Last-Event-ID: resuming without loss and without repetition, and telling apart what can not be
// resumed from.
#include <ssekit/hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using ssekit::errc;
using ssekit::gap_policy;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::lag_policy;
using ssekit::resumption;
using ssekit::start_point;
using support::client;
using support::exactly;
using support::gap;
using support::say;
using support::texts;
using support::to;

namespace {

struct bad_id {
    std::string_view id;
    resumption worth;
};

const std::string huge(10'000'000, '9');
const std::string huge_epoch = std::string(10'000'000, 'a') + ".1";

// The hub they are brought to has the epoch 9ix and has published 10 events, of which 3 are kept.
const bad_id bad_ids[] = {
    {"abc", resumption::malformed},
    {"-1", resumption::malformed},
    {"0", resumption::malformed},
    {"42", resumption::malformed},
    {".", resumption::malformed},
    {"..", resumption::malformed},
    {".5", resumption::malformed},
    {"9ix.", resumption::malformed},
    {"9ix.-1", resumption::malformed},
    {"9ix.01", resumption::malformed},
    {"9ix.00", resumption::malformed},
    {"9ix.+1", resumption::malformed},
    {"9ix.1.2", resumption::malformed},
    {"9ix.1 ", resumption::malformed},
    {" 9ix.1", resumption::malformed},
    {"9ix. 1", resumption::malformed},
    {"9ix.1\0"sv, resumption::malformed},
    {"9ix\0.1"sv, resumption::malformed},
    {"\0"sv, resumption::malformed},
    {"9ix.0x9", resumption::malformed},
    {"9ix.1e1", resumption::malformed},
    {"9ix,9", resumption::malformed},
    {"9IX.9", resumption::malformed},
    {"9i\xc3.9", resumption::malformed},
    {"\xff\xfe\x80", resumption::malformed},
    {"9ix.\xd9\xa9", resumption::malformed}, // a nine, but not an ASCII one
    {"9ix.18446744073709551616", resumption::malformed},
    {"9ix.99999999999999999999", resumption::malformed},
    {"9ix.100000000000000000000", resumption::malformed},
    {"99999999999999.1", resumption::malformed}, // longer than any epoch
    {huge, resumption::malformed},
    {huge_epoch, resumption::malformed},
    {"8ix.9", resumption::unknown},
    {"09ix.9", resumption::unknown},
    {"9ixx.9", resumption::unknown},
    {"9i.9", resumption::unknown},
    {"zzzzzzzzzzzzz.9", resumption::unknown},
    {"8ix.18446744073709551615", resumption::unknown},
    {"9ix.11", resumption::future},
    {"9ix.18446744073709551615", resumption::future},
    {"9ix.0", resumption::expired},
    {"9ix.1", resumption::expired},
    {"9ix.6", resumption::expired},
};

constexpr std::uint64_t epoch_9ix = (9 * 36 + 18) * 36 + 33;

std::string reason(resumption worth) {
    switch (worth) {
    case resumption::malformed: return "malformed";
    case resumption::unknown: return "unknown";
    case resumption::expired: return "expired";
    case resumption::future: return "future";
    default: return "none";
    }
}

void publish_ten(hub& server) {
    for (int i = 1; i <= 10; ++i) say(server, "a", std::to_string(i));
}

} // namespace

TEST_CASE("a client that brings no id begins live or with the oldest event") {
    hub server(epoch_9ix, {}, {.keep = exactly(3)});
    publish_ten(server);
    client live(server, to({"a"}));
    client earliest(server, to({"a"}, {.start = start_point::earliest}));
    for (client* each : {&live, &earliest}) {
        CHECK(each->stream.resumption() == resumption::fresh);
        each->drain();
    }
    CHECK(live.events().empty());
    CHECK(live.last_event_id() == "9ix.10");
    CHECK(earliest.events() == texts{"8", "9", "10"});
}

TEST_CASE("an id that can be resumed from gives exactly the rest") {
    hub server(epoch_9ix, {}, {.keep = exactly(3)});
    publish_ten(server);
    const texts last{"8", "9", "10"};
    for (std::ptrdiff_t seen = 7; seen <= 10; ++seen) {
        const std::string id = "9ix." + std::to_string(seen);
        for (const gap_policy policy :
             {gap_policy::earliest, gap_policy::live, gap_policy::refuse}) {
            client back(server, to({"a"}, {.last_event_id = id, .on_gap = policy}));
            REQUIRE(back.ec == errc::ok);
            CHECK(back.stream.resumption() == resumption::resumed);
            back.drain();
            const texts rest(last.begin() + (seen - 7), last.end());
            CHECK(back.events() == rest);
        }
    }
}

TEST_CASE("malformed and unknown and expired and future ids are told apart and never refused") {
    hub server(epoch_9ix, {}, {.keep = exactly(3)});
    publish_ten(server);
    for (const bad_id& bad : bad_ids) {
        const auto [id, worth] = bad;
        const std::string shown(id.substr(0, 40));
        CAPTURE(shown);
        client earliest(server, to({"a"}, {.last_event_id = id}));
        client live(server, to({"a"}, {.last_event_id = id, .on_gap = gap_policy::live}));
        for (client* each : {&earliest, &live}) {
            REQUIRE(each->ec == errc::ok);
            CHECK(each->stream.resumption() == worth);
            each->drain();
        }
        CHECK(earliest.events() == texts{gap(reason(worth)), "8", "9", "10"});
        CHECK(live.events() == texts{gap(reason(worth))});
        CHECK(live.last_event_id() == "9ix.10"); // and the next reconnect is a good one
    }
}

TEST_CASE("the gap policy may refuse and then nothing is left behind") {
    hub server(epoch_9ix, {}, {.keep = exactly(3)});
    publish_ten(server);
    for (const auto& [id, worth] : bad_ids) {
        const client refused(server,
                             to({"a", "b"}, {.last_event_id = id, .on_gap = gap_policy::refuse}));
        CHECK(refused.ec == errc::replay_refused);
        CHECK_FALSE(refused.stream);
    }
    CHECK(server.subscribers() == 0);
    CHECK(server.metrics().topics == 1);
    CHECK(client(server, to({"a"}, {.on_gap = gap_policy::refuse})).ec == errc::ok);
}

TEST_CASE("nasty ids do no harm to a hub that has published nothing") {
    hub server(epoch_9ix, {}, {});
    for (const auto& [id, worth] : bad_ids) {
        client reader(server, to({"a"}, {.last_event_id = id}));
        REQUIRE(reader.ec == errc::ok);
        reader.drain();
        if (worth == resumption::expired && id != "9ix.0") {
            CHECK(reader.stream.resumption() == resumption::future);
        }
    }
    CHECK(client(server, to({"a"}, {.last_event_id = "9ix.0"})).stream.resumption() ==
          resumption::resumed);
}

TEST_CASE("the type of the gap event is the user's choice") {
    hub server(1, {}, {.gap_type = "missed"});
    client reader(server, to({"a"}, {.last_event_id = "?"}));
    reader.drain();
    CHECK(reader.events() == texts{"missed:{\"reason\":\"malformed\"}"});
}

TEST_CASE("a client that is cut off anywhere comes back to exactly the rest") {
    // Cut after each byte of a stream, then resumed with what the client has as its last event ID.
    for (const bool live : {true, false}) {
        for (std::size_t cut = 0;; ++cut) {
            hub server(1, {}, {.retry = 1s});
            say(server, "a", "before");
            constexpr std::array<std::string_view, 2> topics{"a", "b"};
            ssekit::subscribe_options options{.topics = topics};
            if (!live) options.start = start_point::earliest;
            client first(server, options);
            say(server, "a", "one\ntwo");
            say(server, "c", "not for him");
            say(server, "b", "three");
            first.drain_bytes(cut);
            first.stream = {};
            say(server, "b", "four");

            const std::string id = first.last_event_id();
            options.last_event_id = id;
            client second(server, options);
            if (!id.empty()) CHECK(second.stream.resumption() == resumption::resumed);
            second.drain();

            texts all = first.events();
            const texts rest = second.events();
            all.insert(all.end(), rest.begin(), rest.end());
            texts expected{"before", "one\ntwo", "three", "four"};
            if (live) expected.erase(expected.begin());
            // Only who was cut off inside the opening block has no id, and begins anew.
            if (!id.empty() || !live) CHECK(all == expected);
            if (first.socket.got.size() < cut) break;
        }
    }
}

TEST_CASE("a gap is reported again when the client was cut off before it could read of it") {
    for (const gap_policy policy : {gap_policy::earliest, gap_policy::live}) {
        std::string last_id = "1.1";
        for (std::size_t cut = 0;; ++cut) {
            CAPTURE(cut);
            hub server(1, {}, {.keep = exactly(2)});
            for (int i = 1; i <= 6; ++i) say(server, "a", std::to_string(i));
            client first(server, to({"a"}, {.last_event_id = last_id, .on_gap = policy}));
            first.drain_bytes(cut);
            first.stream = {};
            const bool told = !first.events().empty();
            if (told) CHECK(first.events().front() == gap("expired"));
            const std::string seen = first.last_event_id();
            client second(
                server, to({"a"}, {.last_event_id = seen.empty() ? last_id : std::string_view(seen),
                                   .on_gap = policy}));
            second.drain();
            if (!told) CHECK(second.stream.resumption() == resumption::expired);
            if (first.socket.got.size() < cut) break;
        }
    }
}

TEST_CASE("a reconnect to other topics replays what those have") {
    hub server(1, {}, {});
    say(server, "secret", "1");
    say(server, "a", "2");
    say(server, "secret", "3");
    say(server, "b", "4");
    client a(server, to({"a"}, {.last_event_id = "1.1"})); // an id of a topic he may not see
    client both(server, to({"a", "b"}, {.last_event_id = "1.2"}));
    client missing(server, to({"never published"}, {.last_event_id = "1.3"}));
    for (client* each : {&a, &both, &missing}) {
        CHECK(each->stream.resumption() == resumption::resumed);
        each->drain();
    }
    CHECK(a.events() == texts{"2"});
    CHECK(both.events() == texts{"4"});
    CHECK(missing.events().empty());
    CHECK(a.socket.got.find("secret") == std::string::npos);
}

TEST_CASE("an id is expired if any of its topics has lost something behind it") {
    hub server(1, {}, {.keep = exactly(2)});
    say(server, "slow", "1");
    for (int i = 2; i <= 5; ++i) say(server, "busy", std::to_string(i));
    client slow(server, to({"slow"}, {.last_event_id = "1.0"}));
    client busy(server, to({"busy"}, {.last_event_id = "1.2"}));
    client both(server, to({"slow", "busy"}, {.last_event_id = "1.0"}));
    client enough(server, to({"slow", "busy"}, {.last_event_id = "1.3"}));
    for (client* each : {&slow, &busy, &both, &enough}) each->drain();
    CHECK(slow.stream.resumption() == resumption::resumed);
    CHECK(slow.events() == texts{"1"});
    CHECK(busy.stream.resumption() == resumption::expired);
    CHECK(busy.events() == texts{gap("expired"), "4", "5"});
    CHECK(both.stream.resumption() == resumption::expired);
    CHECK(both.events() == texts{gap("expired"), "1", "4", "5"});
    CHECK(enough.stream.resumption() == resumption::resumed);
    CHECK(enough.events() == texts{"4", "5"});
}

TEST_CASE("what an id was worth does not change") {
    hub server(1, {}, {.keep = exactly(1)});
    say(server, "a", "1");
    client reader(server,
                  to({"a"}, {.last_event_id = "1.0", .on_lag = lag_policy::skip_to_oldest}));
    CHECK(reader.stream.resumption() == resumption::resumed);
    for (int i = 0; i < 5; ++i) say(server, "a", "x");
    reader.drain();
    CHECK(reader.stream.resumption() == resumption::resumed);
    CHECK(server.close() == errc::ok);
    reader.drain();
    CHECK(reader.stream.resumption() == resumption::resumed);
}

TEST_CASE("publishing at any point of a replay gives each event once and in order") {
    // Every word of six letters: A and B publish to a topic, F takes one frame, D drains. The
    // subscriber joins before each letter, with each id there is.
    constexpr std::string_view letters = "ABFD";
    std::size_t words = 1;
    for (int i = 0; i < 6; ++i) words *= letters.size();
    for (std::size_t word = 0; word < words; ++word) {
        for (std::size_t join = 0; join <= 6; ++join) {
            std::uint64_t published = 0;
            std::size_t rest = word;
            std::string text;
            for (int i = 0; i < 6; ++i, rest /= letters.size())
                text += letters[rest % letters.size()];
            // What is done before nobody has joined does not matter twice.
            const std::string_view before = std::string_view(text).substr(0, join);
            if (before.find_first_of("FD") != before.npos) continue;
            for (std::uint64_t seen = 0; seen <= join; ++seen) {
                hub server(1, {}, {});
                published = 0;
                const auto publish = [&](char letter) {
                    ++published;
                    say(server, letter == 'A' ? "a" : "b", std::to_string(published));
                };
                for (const char letter : before) publish(letter);
                const std::string id = "1." + std::to_string(seen);
                client reader(server, to({"a", "b"}, {.last_event_id = id}));
                for (const char letter : std::string_view(text).substr(join)) {
                    if (letter == 'F') {
                        reader.drain_one_frame();
                    } else if (letter == 'D') {
                        reader.drain();
                    } else {
                        publish(letter);
                    }
                }
                reader.drain();
                texts expected;
                for (std::uint64_t i = seen + 1; i <= published; ++i) {
                    expected.push_back(std::to_string(i));
                }
                REQUIRE(reader.events() == expected);
                REQUIRE(reader.last_event_id() == "1." + std::to_string(published));
            }
        }
    }
}
