// SPDX-License-Identifier: MIT
#include "support/random_stream.hpp"
#include "support/recorder.hpp"

#include <ssekit/parser.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace support;
using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_view;
using ssekit::parser;
using ssekit::utf8_policy;

TEST_CASE("every member of a sink works alone") {
    const std::string_view stream = "id: 1\nretry: 5\n:c\ndata: abc\n\n";
    parser parser({.limits = {.data = 3}});
    struct {
        int n = 0;
        void on_event(const event_view& event) { n += event.data == "abc"; }
    } events;
    ssekit::feed(parser, stream, events);
    CHECK(events.n == 1);
    struct {
        int n = 0;
        void on_id(std::string_view id) { n += id == "1"; }
    } ids;
    ssekit::feed(parser, stream, ids);
    CHECK(ids.n == 1);
    struct {
        int n = 0;
        void on_retry(std::chrono::milliseconds time) { n += time == 5ms; }
    } retries;
    ssekit::feed(parser, stream, retries);
    CHECK(retries.n == 1);
    struct {
        int n = 0;
        void on_comment(std::string_view text) { n += text == "c"; }
    } comments;
    ssekit::feed(parser, stream, comments);
    CHECK(comments.n == 1);
    struct {
        int n = 0;
        void on_data_chunk(std::string_view text) { n += text == "abc"; }
    } pieces;
    ssekit::feed(parser, stream, pieces);
    CHECK(pieces.n == 1);
    struct {
        int n = 0;
        void on_error(errc code, std::uint64_t) { n += code == errc::data_too_long; }
    } errors;
    ssekit::feed(parser, "data: abcd\n\n", errors);
    CHECK(errors.n == 1);
}

namespace {
int free_function_calls = 0;
void free_function(const event_view&) {
    ++free_function_calls;
}
} // namespace

TEST_CASE("any callable takes the place of on_event") {
    parser parser;
    const std::string_view stream = "data: 1\n\ndata: 2\n\n";
    int calls = 0;
    const auto constant = [&calls](const event_view&) { ++calls; };
    CHECK(ssekit::feed(parser, stream, constant) == stream.size());
    CHECK(ssekit::feed(parser, stream, [&calls](auto&&) { ++calls; }) == stream.size());
    CHECK(ssekit::feed(parser, stream, [&calls, n = 0](event_view) mutable { calls += ++n > 0; }) ==
          stream.size());
    CHECK(ssekit::feed(parser, stream, [&calls](const event_view&) { return ++calls > 0; }) ==
          stream.size());
    CHECK(calls == 8);
    CHECK(ssekit::feed(parser, stream, free_function) == stream.size());
    CHECK(ssekit::feed(parser, stream, &free_function) == stream.size());
    CHECK(free_function_calls == 4);
}

TEST_CASE("a sink that stops at an event can go on from the byte after it") {
    for (std::uint32_t seed = 2000; seed < 2100; ++seed) {
        const std::string stream = random_stream(seed);
        INFO("seed " << seed << ": " << in_quotes(stream));
        const recording expected = run_feed({stream});
        parser parser;
        recording seen;
        struct : recorder {
            bool on_event(const event_view& event) {
                recorder::on_event(event);
                return false;
            }
        } sink{{parser, seen}};
        std::size_t taken = 0;
        std::size_t calls = 0;
        do {
            const lone_chunk rest(std::string_view(stream).substr(taken));
            taken += ssekit::feed(parser, rest.view(), sink);
            CHECK(parser.offset() == taken);
            ++calls;
        } while (taken < stream.size());
        CHECK(calls >= expected.events.size());
        record_end(parser, seen);
        CHECK(seen == expected);
    }
}

TEST_CASE("a sink that stops at an error can go on with a copy of the rest") {
    const ssekit::parser_options options{.limits = {.data = 6, .id = 2, .type = 2, .comment = 3},
                                         .utf8 = utf8_policy::report};
    for (std::uint32_t seed = 3000; seed < 3200; ++seed) {
        const std::string stream = random_stream(seed);
        INFO("seed " << seed << ": " << in_quotes(stream));
        const recording expected = run_feed({stream}, options);
        parser parser(options);
        recording seen;
        struct : recorder {
            bool on_error(errc code, std::uint64_t offset) {
                recorder::on_error(code, offset);
                return false;
            }
        } sink{{parser, seen}};
        std::size_t taken = 0;
        do {
            const lone_chunk rest(std::string_view(stream).substr(taken));
            taken += ssekit::feed(parser, rest.view(), sink);
        } while (taken < stream.size());
        record_end(parser, seen);
        CHECK(seen == expected);
    }
}

TEST_CASE("whoever gives up a chunk at an error loses nothing that was read before") {
    parser parser({.limits = {.data = 3}});
    {
        const lone_chunk chunk("id: 7\nevent: t\ndata: 1234\nid: 8\n\n");
        std::string_view input = chunk.view();
        CHECK(parser.next(input) == nullptr);
        CHECK(parser.error() == errc::data_too_long);
    }
    std::string_view input = "\ndata: x\n\n";
    const event_view* const event = parser.next(input);
    REQUIRE(event != nullptr);
    CHECK(*event == event_view{.data = "x"});
    CHECK(parser.last_event_id() == "7");
}

namespace {

/// Ends the parser from inside a callback, in one of the ways that are allowed.
struct ending_sink {
    std::unique_ptr<parser>& owner;
    std::optional<parser>& moved;
    char how;
    int calls = 0;

    bool on_event(const event_view&) { return end(); }
    bool on_error(errc, std::uint64_t) { return end(); }

    bool end() {
        ++calls;
        if (how == 'd') owner.reset();
        if (how == 'm') moved.emplace(std::move(*owner));
        if (how == 'r') owner->reset();
        if (how == 'c') owner->reconnect();
        return false;
    }
};

} // namespace

TEST_CASE("on_event and on_error may destroy or move or reset the parser") {
    const std::string_view events = "id: 1\ndata: a\ndata: b\n\n";
    const std::string_view errors = "id: 1\ndata: too long\n";
    for (const std::string_view stream : {events, errors}) {
        for (const char how : {'d', 'm', 'r', 'c'}) {
            INFO(how << " at " << in_quotes(stream));
            for_each_split(stream, [&](const chunks& pieces, const std::string& split) {
                INFO(split);
                auto owner =
                    std::make_unique<parser>(ssekit::parser_options{.limits = {.data = 3}});
                std::optional<parser> moved;
                ending_sink sink{owner, moved, how};
                for (const std::string_view piece : pieces) {
                    const lone_chunk chunk(std::string(piece) + (sink.calls == 0 ? "" : "!"));
                    const std::size_t taken = ssekit::feed(*owner, chunk.view(), sink);
                    CHECK(taken <= chunk.view().size());
                    if (sink.calls > 0) break;
                }
                CHECK(sink.calls == 1);
                if (how == 'm') CHECK(moved->last_event_id() == (stream == events ? "1" : ""));
            });
        }
    }
}

TEST_CASE("nothing is delivered after a stop") {
    for (int stop_at = 1; stop_at <= 3; ++stop_at) {
        parser parser;
        int calls = 0;
        const std::string_view stream = "data: 1\n\ndata: 2\r\n\r\ndata: 3\r\r\n";
        const std::size_t taken =
            ssekit::feed(parser, stream, [&](const event_view&) { return ++calls < stop_at; });
        CHECK(calls == stop_at);
        constexpr std::size_t ends[] = {9, 20, 30};
        CHECK(taken == ends[stop_at - 1]);
    }
}
