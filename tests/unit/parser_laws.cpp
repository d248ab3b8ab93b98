// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"
#include "support/random_stream.hpp"
#include "support/recorder.hpp"
#include "support/reference_parser.hpp"
#include "support/reference_utf8.hpp"

#include <ssekit/parser.hpp>

#include <doctest/doctest.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace support;
using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_view;
using ssekit::parser;
using ssekit::utf8_policy;

namespace {

bool lies_in(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

/// All that the reference parser does not tell: it has no errors, no offsets, and decodes comments.
recording comparable(recording seen) {
    for (std::string& comment : seen.comments) comment = reference_decode_utf8(comment).text;
    seen.offset = 0;
    seen.end = errc::ok;
    return seen;
}

} // namespace

TEST_CASE("any split of any stream gives what the standard says") {
    for (std::uint32_t seed = 0; seed < 300; ++seed) {
        const std::string stream = random_stream(seed);
        INFO("seed " << seed << ": " << in_quotes(stream));
        const recording expected = reference_parser::run(stream);
        for_each_split(stream, [&](const chunks& pieces, const std::string& how) {
            INFO(how);
            CHECK(comparable(run_feed(pieces)) == expected);
            CHECK(comparable(run_next(pieces)) == as_seen_by_next(expected));
        });
    }
}

TEST_CASE("an event is delivered by the byte that completes its blank line") {
    for (std::uint32_t seed = 1000; seed < 1300; ++seed) {
        const std::string stream = random_stream(seed);
        INFO("seed " << seed << ": " << in_quotes(stream));
        parser parser;
        std::size_t events = 0;
        for (std::size_t taken = 1; taken <= stream.size(); ++taken) {
            std::string_view byte = std::string_view(stream).substr(taken - 1, 1);
            if (parser.next(byte) != nullptr) ++events;
            const recording so_far = reference_parser::run(stream.substr(0, taken));
            CHECK(events == so_far.events.size());
            CHECK(parser.last_event_id() == so_far.last_event_id);
            CHECK(parser.retry().has_value() == so_far.retry.has_value());
            CHECK(parser.offset() == taken);
        }
    }
}

TEST_CASE("values that lie inside one chunk are views into it") {
    const std::string chunk = "id: 17\nevent: tick\nretry: 5\ndata: first\n\n"
                              "data:second\r\n\r\n: comment\nevent\ndata\r\r";
    parser parser;
    std::string_view input = chunk;
    const event_view* event = parser.next(input);
    REQUIRE(event != nullptr);
    CHECK(lies_in(*event->id, chunk));
    CHECK(lies_in(event->type, chunk));
    CHECK(lies_in(*event->data, chunk));
    CHECK(*event == event_view{.id = "17", .type = "tick", .data = "first", .retry = 5ms});
    event = parser.next(input);
    REQUIRE(event != nullptr);
    CHECK(lies_in(*event->data, chunk));
    CHECK(*event == event_view{.data = "second"});
    event = parser.next(input);
    REQUIRE(event != nullptr);
    CHECK(*event == event_view{.data = ""});
    CHECK(event->type == "message");
    CHECK(parser.next(input) == nullptr);
    CHECK(input.empty());
}

TEST_CASE("ten thousand events in one chunk come in order as views and without an allocation") {
    std::string chunk;
    for (int i = 0; i < 10000; ++i) {
        chunk += "event: e\ndata: " + std::to_string(i) + "\n\n";
    }
    parser parser;
    int expected = 0;
    bool all_right = true;
    const allocation_watch watch;
    ssekit::feed(parser, chunk, [&](const event_view& event) {
        int number = -1;
        std::from_chars(event.data->data(), event.data->data() + event.data->size(), number);
        all_right = all_right && number == expected++ && lies_in(*event.data, chunk);
    });
    const std::size_t allocations = watch.allocations();
    CHECK(all_right);
    CHECK(expected == 10000);
    if (counts_allocations) CHECK(allocations == 0);
}

TEST_CASE("with ids only the last event ID is allocated and only once") {
    std::string chunk;
    for (int i = 1000; i < 2000; ++i) {
        chunk += "id: " + std::to_string(i) + "\nevent: e\ndata: x\n\n";
    }
    parser parser;
    const allocation_watch watch;
    std::string_view input = chunk;
    std::size_t events = 0;
    while (parser.next(input) != nullptr) ++events;
    const std::size_t allocations = watch.allocations();
    CHECK(events == 1000);
    CHECK(parser.last_event_id() == "1999");
    if (counts_allocations) CHECK(allocations == 1);
}

TEST_CASE("a parser on memory of its caller never allocates") {
    const ssekit::parser_options options{
        .limits = {.data = 100, .id = 20, .type = 20, .comment = 20}};
    std::vector<char> memory(parser::memory_needed(options.limits));
    std::string stream = "id: a\xFF\nevent: b\xFF\ndata: c\xFF\ndata: more\n: comment\n\n";
    stream += "data: " + std::string(101, 'x') + "\n\nid: 2\ndata: y\n\n";
    parser parser(options, memory);
    std::size_t events = 0;
    const allocation_watch watch;
    for (const char& c : stream) {
        ssekit::feed(parser, {&c, 1}, [&events](const event_view&) { ++events; });
    }
    const std::size_t allocations = watch.allocations();
    CHECK(events == 2);
    CHECK(parser.last_event_id() == "2");
    if (counts_allocations) CHECK(allocations == 0);
}

TEST_CASE("parsing works while compiling") {
    // Whole, cut inside a name, a value, a UTF-8 sequence and a CRLF, and replaced in place.
    static_assert([] {
        parser parser;
        std::size_t sum = 0;
        const auto count = [&sum](const event_view& event) {
            sum += event.data->size() + event.type.size() + event.id->size();
        };
        for (const std::string_view piece :
             {std::string_view("\xEF\xBB\xBFid: 12\neve"), std::string_view("nt: ti"),
              std::string_view("ck\r"), std::string_view("\ndata: \xFF\xE2"),
              std::string_view("\x82\xAC\ndata: x\n: c\nretry: 5\n\n")}) {
            ssekit::feed(parser, piece, count);
        }
        return sum == 3 + 3 + 1 + 1 + 4 + 2 && parser.last_event_id() == "12" &&
               parser.retry() == 5ms;
    }());
    static_assert([] {
        std::array<char, 64> memory{};
        parser parser({.limits = {.data = 20, .id = 10, .type = 10, .comment = 0}}, memory);
        std::string_view input = "event: a\ndata: b\ndata: c\n\n";
        const event_view* const event = parser.next(input);
        return event != nullptr && *event == event_view{.type = "a", .data = "b\nc"} &&
               input.empty() && parser.next(input) == nullptr;
    }());
}

// ---- UTF-8

TEST_CASE("each policy treats a malformed byte alike in every field at every place and split") {
    for (const std::string_view field : {"id", "event", "data"}) {
        for (std::size_t at = 0; at <= 4; ++at) {
            std::string value = "abcd";
            value.insert(at, "\xE2\x82");
            const std::string before = "data: first\n\n" + std::string(field) + ": ";
            const std::string tail = field == "data" ? "\n\n" : "\ndata: x\n\n";
            const std::string stream = before + value + tail + "data: last\n\n";
            INFO(in_quotes(stream));
            for_each_split(stream, [&](const chunks& pieces, const std::string& how) {
                INFO(how);
                recording seen = run_feed(pieces, {.utf8 = utf8_policy::report});
                CHECK(seen.errors ==
                      std::vector<seen_error>{{errc::malformed_utf8, before.size() + at}});
                CHECK(seen.order == "exe");
                CHECK(seen.last_event_id.empty());
                CHECK(run_next(pieces, {.utf8 = utf8_policy::report}) == as_seen_by_next(seen));

                const auto text_of = [&](const recording& all) {
                    CHECK(all.errors.empty());
                    CHECK(all.events.size() == 3);
                    if (all.events.size() != 3) return std::string();
                    const seen_event& event = all.events[1];
                    return field == "id" ? *event.id : field == "event" ? event.type : event.data;
                };
                CHECK(text_of(run_feed(pieces, {.utf8 = utf8_policy::pass_through})) == value);
                CHECK(text_of(run_feed(pieces, {.utf8 = utf8_policy::replace})) ==
                      reference_decode_utf8(value).text);
            });
        }
    }
}

TEST_CASE("the report is about the first malformed byte of the first malformed line") {
    for_each_split("data: ok\ndata: a\xC3\xA4\xFFz\xFF\ndata: \xFF\n\n",
                   [](const chunks& pieces, const std::string& how) {
                       INFO(how);
                       const recording seen = run_feed(pieces, {.utf8 = utf8_policy::report});
                       CHECK(seen.errors == std::vector<seen_error>{{errc::malformed_utf8, 18}});
                       CHECK(seen.events.empty());
                   });
}

TEST_CASE("names and unknown fields need not be UTF-8") {
    const recording seen = run_feed({"\xFF\xFF: a\nda\xFFta: b\nfoo: \xFF\n\xFF\ndata: x\n\n"},
                                    {.utf8 = utf8_policy::report});
    CHECK(seen.order == "e");
}

TEST_CASE("a byte order mark is kept when somebody else has decoded the stream") {
    for_each_split("\xEF\xBB\xBF"
                   "data: x\n\ndata: y\n\n",
                   [](const chunks& pieces, const std::string& how) {
                       INFO(how);
                       CHECK(run_feed(pieces, {.strip_bom = true}).order == "ee");
                       CHECK(run_feed(pieces, {.strip_bom = false}).order == "e");
                   });
}
