// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"
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
#include <type_traits>
#include <utility>
#include <vector>

using namespace support;
using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_view;
using ssekit::parser;

TEST_CASE("the last event ID changes at blank lines and the reconnection time at once") {
    parser parser;
    std::string_view input = "id: 1\nretry: 7\n";
    CHECK(parser.next(input) == nullptr);
    CHECK(parser.last_event_id().empty());
    CHECK(parser.retry() == 7ms);
    input = "\n";
    CHECK(parser.next(input) == nullptr);
    CHECK(parser.last_event_id() == "1");
}

TEST_CASE("the id of a block is reported before its event and without one too") {
    CHECK(run_feed({"data: x\nid: 1\n\n"}).order == "ie");
    CHECK(run_feed({"id: 1\n\n"}).order == "i");
    CHECK(run_feed({"data: x\n\n"}).order == "e");
    CHECK(run_feed({"id: 1\nid: 2\n\n"}).ids == std::vector<std::string>{"2"});
    CHECK(run_feed({"id: 1\n\nid\n\n"}).ids == std::vector<std::string>{"1", ""});
}

TEST_CASE("an event tells the fields of its own block only") {
    const recording seen = run_feed({"id: 1\nretry: 5\nevent: a\ndata: x\n\ndata: y\n\n"});
    REQUIRE(seen.events.size() == 2);
    CHECK(seen.events[0] == seen_event{"a", "x", "1", "1", 5});
    CHECK(seen.events[1] == seen_event{"message", "y", "1", std::nullopt, std::nullopt});
}

TEST_CASE("errors belong to the call that has met them") {
    parser parser({.limits = {.data = 2}});
    std::string_view input = "data: 123\n\ndata: 12\n\ndata: 456\n\n";
    CHECK(parser.next(input) == nullptr);
    CHECK(parser.error() == errc::data_too_long);
    CHECK(parser.error_offset() == 8);
    CHECK(parser.next(input) != nullptr);
    CHECK(parser.error() == errc::ok);
    CHECK(parser.next(input) == nullptr);
    CHECK(parser.error() == errc::data_too_long);
    CHECK(parser.error_offset() == 29);
    CHECK(parser.next(input) == nullptr);
    CHECK(parser.error() == errc::ok);
    CHECK(input.empty());

    std::size_t events = 0;
    const auto count = [&events](const event_view&) { ++events; };
    ssekit::feed(parser, "data: 123\n\ndata: 1\n\nid: 1\ndata: 456\n\n", count);
    CHECK(events == 1);
    CHECK(parser.error() == errc::data_too_long);
    CHECK(parser.error_offset() == 32 + 8);
    ssekit::feed(parser, "data: 1\n\n", count);
    CHECK(events == 2);
    CHECK(parser.error() == errc::ok);
}

TEST_CASE("digits without end mean the largest reconnection time") {
    using ms = std::chrono::milliseconds;
    const auto retry_of = [](std::string_view digits) {
        const std::string stream = "retry: " + std::string(digits) + "\n";
        const recording seen = run_feed({stream});
        CHECK((run_feed(in_pieces_of(1, stream)).retry == seen.retry));
        return ms(seen.retry.value_or(-1));
    };
    CHECK(retry_of("9223372036854775806") == ms::max() - 1ms);
    CHECK(retry_of("9223372036854775807") == ms::max());
    CHECK(retry_of("9223372036854775808") == ms::max());
    CHECK(retry_of("18446744073709551617") == ms::max());
    CHECK(retry_of("99999999999999999999999999") == ms::max());
    CHECK(retry_of("00000000000000000000000000000012") == 12ms);
}

TEST_CASE("a retry line without digits changes nothing in any split") {
    for (const std::string_view line : {"retry\n", "retry:\n", "retry: \n", "retry:  \n"}) {
        const std::string stream = "retry: 10\n" + std::string(line) + "data: x\n\n";
        for_each_split(stream, [](const chunks& pieces, const std::string& how) {
            INFO(how);
            CHECK(run_feed(pieces).retries == std::vector<std::int64_t>{10});
        });
    }
}

// ---- the end, and a new beginning

TEST_CASE("finish says whether an event was open and is safe to repeat") {
    const auto end_of = [](std::string_view stream) {
        const recording whole = run_feed({stream});
        CHECK(run_feed(in_pieces_of(1, stream)).end == whole.end);
        CHECK(run_next({stream}).end == whole.end);
        CHECK(run_feed<data_chunk_recorder>({stream}).end == whole.end);
        return whole.end;
    };
    for (const std::string_view stream :
         {"", "data: x\n\n", "data: x\r\n\r", ": comment", ": comment\n", ":", "retry: 5\n",
          "id: 1\n\n", "\xEF\xBB\xBF", "unknown: 1\n", "unknown: 1", "data: x\n\n: open"}) {
        INFO(in_quotes(stream));
        CHECK(end_of(stream) == errc::ok);
    }
    for (const std::string_view stream :
         {"data: x\n", "data: x", "data:", "da", "id: 1\n", "id", "event: a\n", "event: a",
          "retry: 5", "data: x\n: comment", "data: x\n\ndata"}) {
        INFO(in_quotes(stream));
        CHECK(end_of(stream) == errc::incomplete);
    }
    parser parser;
    std::string_view input = "id: 1\ndata: x";
    CHECK(parser.next(input) == nullptr);
    CHECK(parser.finish() == errc::incomplete);
    CHECK(parser.finish() == errc::ok);
    input = "\n\n";
    CHECK(parser.next(input) == nullptr);
    CHECK(parser.last_event_id().empty());
}

TEST_CASE("the end of a stream is told alike to sinks with and without comments") {
    const ssekit::parser_options options{.limits = {.comment = 2}};
    CHECK(run_feed({":too long"}, options).end == errc::ok);
    CHECK(run_next({":too long"}, options).end == errc::ok);
}

TEST_CASE("a new connection keeps the last event ID and the reconnection time and no more") {
    // Each prefix is the end of a connection; what follows must not depend on it.
    const std::string_view first =
        "id: 1\nretry: 5\ndata: x\n\nid: 2\nevent: t\ndata: a\ndata: \xE2\r";
    for (std::size_t size = 24; size <= first.size(); ++size) {
        INFO(in_quotes(first.substr(0, size)));
        parser parser;
        recording seen;
        ssekit::feed(parser, first.substr(0, size), [](const event_view&) {});
        parser.reconnect();
        CHECK(parser.offset() == 0);
        CHECK(parser.error() == errc::ok);
        CHECK(parser.last_event_id() == "1");
        CHECK(parser.retry() == 5ms);
        recorder sink{parser, seen};
        ssekit::feed(parser,
                     "\xEF\xBB\xBF"
                     "data: y\n\n",
                     sink);
        CHECK(seen.events == std::vector<seen_event>{{"message", "y", "1"}});
        CHECK(parser.offset() == 12);
    }
}

TEST_CASE("after a reset a parser is as new but keeps its buffers") {
    parser parser;
    const std::string stream = "id: 12345\nretry: 9\nevent: abc\ndata: some\ndata: text\n\nid: 7";
    const auto run = [&] {
        recording seen;
        recorder sink{parser, seen};
        for (const auto piece : in_pieces_of(1, stream)) ssekit::feed(parser, piece, sink);
        return seen;
    };
    const recording first = run();
    parser.reset();
    CHECK(parser.last_event_id().empty());
    CHECK_FALSE(parser.retry().has_value());
    CHECK(parser.offset() == 0);
    CHECK(run() == first);

    parser.reset();
    const allocation_watch watch;
    std::size_t events = 0;
    for (const char& c : stream) {
        ssekit::feed(parser, {&c, 1}, [&events](const event_view&) { ++events; });
    }
    const std::size_t allocations = watch.allocations();
    CHECK(events == 1);
    if (counts_allocations) CHECK(allocations == 0);
}

TEST_CASE("an id and a reconnection time from outside are as if a stream had set them") {
    parser parser;
    CHECK(parser.set_last_event_id("7") == errc::ok);
    parser.set_retry(5ms);
    CHECK(parser.last_event_id() == "7");
    CHECK(parser.retry() == 5ms);
    for (const std::string_view bad :
         {std::string_view("a\nb"), std::string_view("a\rb"), std::string_view("a\0", 2)}) {
        CHECK(parser.set_last_event_id(bad) == errc::invalid_id);
    }
    CHECK(parser.set_last_event_id("\xFF") == errc::malformed_utf8);
    CHECK(parser.last_event_id() == "7");
    CHECK(parser.set_last_event_id("") == errc::ok);
    CHECK(parser.last_event_id().empty());
    parser.set_retry(std::nullopt);
    CHECK_FALSE(parser.retry().has_value());

    ssekit::parser small({.limits = {.id = 2}, .utf8 = ssekit::utf8_policy::pass_through});
    CHECK(small.set_last_event_id("\xFF\xFF") == errc::ok);
    CHECK(small.set_last_event_id("123") == errc::id_too_long);
    std::string_view input = "data: a\n\nid: 8\n";
    CHECK(small.next(input) != nullptr);
    CHECK(small.last_event_id() == "\xFF\xFF");
    CHECK(small.next(input) == nullptr);
    CHECK(small.set_last_event_id("9") == errc::ok); // in the middle of a block
    input = "\n";
    CHECK(small.next(input) == nullptr);
    CHECK(small.last_event_id() == "8");
}

TEST_CASE("whether an event is open can be asked at any byte") {
    parser parser;
    const std::string stream = ": c\n\ndata: a\n\nretry: 1\n\nid: 1\n\nevent: x\n\n";
    std::string inside;
    for (const char& c : stream) {
        std::string_view input(&c, 1);
        static_cast<void>(parser.next(input));
        inside.push_back(parser.is_inside_event() ? '1' : '0');
    }
    CHECK(inside == "00000"
                    "111111110"
                    "1111111100" // which is no event
                    "1111110"
                    "1111111110");
}

TEST_CASE("comments are told to a reader that pulls, in any pieces") {
    const std::string stream = ":\ndata: a\n: in\ndata: b\n\n:long one\r\n:x\n\ndata: c\n\n:cut";
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        CAPTURE(size);
        parser parser({.limits = {.comment = 4}});
        std::vector<std::string> seen;
        struct noting {
            std::vector<std::string>* seen;
            static void call(void* self, std::string_view text) noexcept {
                static_cast<std::vector<std::string>*>(self)->emplace_back(text);
            }
        };
        std::size_t errors = 0;
        for (const auto piece : in_pieces_of(size, stream)) {
            const lone_chunk chunk(piece);
            std::string_view input = chunk.view();
            for (;;) {
                const event_view* const event = parser.next(input, {&noting::call, &seen});
                if (event != nullptr)
                    seen.push_back("= " + std::string(*event->data));
                else if (parser.error() == errc::comment_too_long)
                    ++errors;
                else
                    break;
            }
        }
        CHECK(errors == 1);
        CHECK(seen == std::vector<std::string>{"", " in", "= a\nb", "x", "= c"});
    }
}

TEST_CASE("what a large event has taken is given back, and no more than that") {
    if (!counts_allocations) return;
    parser parser({.kept_memory = 1000});
    const std::string large = "data: " + std::string(100'000, 'x');
    const std::string small = "data: " + std::string(500, 'x');
    const auto take = [&](const std::string& event) {
        std::string_view input = event;
        CHECK(parser.next(input) == nullptr);
        input = "\n\n";
        const event_view* const seen = parser.next(input);
        REQUIRE(seen != nullptr);
        CHECK(seen->data == std::string_view(event).substr(6)); // it is there to be read
        CHECK(parser.next(input) == nullptr);
    };
    const allocation_watch watch;
    take(large);
    CHECK(watch.kept() < 1000);
    take(small);
    const std::size_t before = watch.allocations();
    take(small);
    CHECK(watch.allocations() == before);

    std::vector<char> memory(ssekit::parser::memory_needed({.data = 9000}));
    ssekit::parser fixed({.limits = {.data = 9000}, .kept_memory = 0}, memory);
    for (int i = 0; i < 3; ++i) {
        std::string_view input = "data: ab";
        CHECK(fixed.next(input) == nullptr);
        input = "c\n\n";
        CHECK(fixed.next(input) != nullptr);
    }
}

// ---- the object

TEST_CASE("a parser moves in the middle of an event and is not copied") {
    static_assert(!std::is_copy_constructible_v<parser> && !std::is_copy_assignable_v<parser>);
    static_assert(std::is_nothrow_move_constructible_v<parser>);
    static_assert(std::is_nothrow_move_assignable_v<parser>);
    static_assert(noexcept(std::declval<parser&>().next(std::declval<std::string_view&>())));

    const std::string stream = "id: 12\nevent: tick\nretry: 5\ndata: ab\ndata: \xE2\x82\xAC\n\n";
    const recording expected = run_feed({stream});
    for (const memory where : {memory::heap, memory::of_the_caller}) {
        const ssekit::parser_options options{.limits = {.data = 99, .id = 9, .type = 9}};
        std::vector<char> bytes(parser::memory_needed(options.limits));
        auto before = std::make_unique<parser>(where == memory::heap ? parser(options)
                                                                     : parser(options, bytes));
        recording seen;
        for (const std::string_view byte : in_pieces_of(1, stream)) {
            auto after = std::make_unique<parser>(std::move(*before));
            *before = parser(options); // assigned over what has been moved from
            before = std::move(after);
            recorder sink{*before, seen};
            ssekit::feed(*before, lone_chunk(byte).view(), sink);
        }
        record_end(*before, seen);
        CHECK(seen == expected);
    }
}

TEST_CASE("an empty chunk is nothing") {
    parser parser;
    std::string_view nothing;
    CHECK(parser.next(nothing) == nullptr);
    CHECK(parser.error() == errc::ok);
    CHECK(ssekit::feed(parser, {}, [](const event_view&) {}) == 0);
    CHECK(parser.finish() == errc::ok);
    CHECK(parser.offset() == 0);
}
