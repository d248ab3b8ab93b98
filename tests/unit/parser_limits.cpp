// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"
#include "support/counter.hpp"
#include "support/random_stream.hpp"
#include "support/recorder.hpp"

#include <ssekit/parser.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace support;
using ssekit::errc;
using ssekit::parser;
using ssekit::parser_limits;
using ssekit::parser_options;

TEST_CASE("L04: an event without end is reported once and the next one is delivered") {
    parser parser({.limits = {.data = 10000}});
    counter sink;
    const std::string lines = repeated("data: x\n", 1000);
    const allocation_watch watch;
    feed_repeatedly(parser, lines, 1000, sink);
    const std::size_t peak = watch.peak();
    CHECK(sink.errors == 1);
    CHECK(sink.last_error == errc::data_too_long);
    // "x\nx\n...": after 5000 lines there are 9999 bytes, the LF that joins the next is the last
    // one that fits, and its x does not.
    CHECK(sink.last_offset == 5000 * 8 + 6);
    ssekit::feed(parser, "\ndata: fine\n\n", sink);
    CHECK(sink.events == 1);
    CHECK(sink.data_size == 4);
    if (counts_allocations) CHECK(peak <= 2 * 10000); // a buffer that grows is there twice
}

TEST_CASE("L05: an id or a type without end is reported once by a limit of its own") {
    for (const std::string_view field : {"id:", "event:"}) {
        parser parser({.limits = {.id = 1024, .type = 1024}});
        counter sink;
        const std::string piece(1000, 'x');
        const allocation_watch watch;
        ssekit::feed(parser, field, sink);
        feed_repeatedly(parser, piece, 10000, sink);
        const std::size_t peak = watch.peak();
        CHECK(sink.errors == 1);
        CHECK(sink.last_error == (field == "id:" ? errc::id_too_long : errc::type_too_long));
        CHECK(sink.last_offset == field.size() + 1024);
        ssekit::feed(parser, "\n\ndata: x\n\n", sink);
        CHECK(sink.events == 1);
        CHECK(parser.last_event_id().empty());
        if (counts_allocations) CHECK(peak <= 2 * 1024);
    }
}

TEST_CASE("L08: a million empty data lines are one event and count against the limit") {
    const std::string lines = repeated("data\n", 1000);
    parser parser;
    counter sink;
    const allocation_watch watch;
    feed_repeatedly(parser, lines, 1000, sink);
    ssekit::feed(parser, "\n", sink);
    const std::size_t allocations = watch.allocations();
    CHECK(sink.events == 1);
    CHECK(sink.data_size == 999999);
    if (counts_allocations) CHECK(allocations < 30);

    ssekit::parser small({.limits = {.data = 999998}});
    feed_repeatedly(small, lines, 1000, sink);
    CHECK(sink.last_error == errc::data_too_long);
    CHECK(sink.last_offset == 999999 * 5 + 4); // the empty value whose LF is one too many
}

namespace {

struct limit_case {
    std::string_view before; // in front of the value, in the block
    errc error;
    parser_options options;
};

constexpr std::size_t limit = 5;

const std::array limit_cases{
    limit_case{"data: ", errc::data_too_long, {.limits = {.data = limit}}},
    limit_case{"data:", errc::data_too_long, {.limits = {.data = limit}}},
    limit_case{"id: ", errc::id_too_long, {.limits = {.id = limit}}},
    limit_case{"event: ", errc::type_too_long, {.limits = {.type = limit}}},
    limit_case{":", errc::comment_too_long, {.limits = {.comment = limit}}},
    limit_case{": ", errc::comment_too_long, {.limits = {.comment = limit + 1}}},
};

} // namespace

TEST_CASE("L13: a value of the limit passes and one byte more fails at that byte in every split") {
    for (const limit_case& test : limit_cases) {
        for (const std::string_view line_end : {"\n", "\r\n", "\r"}) {
            for (const std::string_view lead : {"", "\xEF\xBB\xBF", "data: a\n\n"}) {
                for (const std::size_t size : {limit, limit + 1, limit + 20}) {
                    const std::string begin = std::string(lead) + std::string(test.before);
                    std::string stream = begin + std::string(size, 'x');
                    stream += line_end;
                    if (test.error != errc::data_too_long) {
                        stream += "data: b";
                        stream += line_end;
                    }
                    stream += line_end;
                    INFO(in_quotes(stream));
                    const bool passes = size == limit;
                    const bool event_stays = passes || test.error == errc::comment_too_long;
                    std::vector<seen_error> errors;
                    if (!passes) errors.push_back({test.error, begin.size() + limit});
                    for_each_split(stream, [&](const chunks& pieces, const std::string& how) {
                        INFO(how);
                        for (const memory where : {memory::heap, memory::of_the_caller}) {
                            parser_options options = test.options;
                            options.limits.data = std::min<std::size_t>(options.limits.data, 99);
                            const recording seen = run_feed(pieces, options, where);
                            CHECK(seen.errors == errors);
                            CHECK(seen.events.size() ==
                                  (lead.starts_with("data") ? 1 : 0) + (event_stays ? 1 : 0));
                            CHECK(run_next(pieces, options, where) == as_seen_by_next(seen));
                        }
                    });
                }
            }
        }
    }
}

TEST_CASE("L13: the LF that joins data lines counts and nothing else of the framing does") {
    const std::string stream = "data: ab\r\ndata:cd\r\n: comment\r\nevent: e\r\n\r\n";
    for_each_split(stream, [&](const chunks& pieces, const std::string& how) {
        INFO(how);
        const auto run = [&](std::size_t size) {
            return run_feed(pieces, {.limits = {.data = size}});
        };
        REQUIRE(run(5).events.size() == 1);
        CHECK(run(5).events[0].data == "ab\ncd");
        CHECK(run(4).errors == std::vector<seen_error>{{errc::data_too_long, 16}});
        CHECK(run(3).errors == std::vector<seen_error>{{errc::data_too_long, 15}});
        CHECK(run(2).errors == std::vector<seen_error>{{errc::data_too_long, 15}}); // its LF
        CHECK(run(1).errors == std::vector<seen_error>{{errc::data_too_long, 7}});
        CHECK(run(0).errors == std::vector<seen_error>{{errc::data_too_long, 6}});
    });
}

TEST_CASE("L13: a value counts as it is delivered and so with its replacements") {
    for_each_split("data: \xFF\xFF\n\n", [](const chunks& pieces, const std::string& how) {
        INFO(how);
        for (const memory where : {memory::heap, memory::of_the_caller}) {
            CHECK(run_feed(pieces, {.limits = {.data = 6}}, where).order == "e");
            CHECK(run_feed(pieces, {.limits = {.data = 5}}, where).errors ==
                  std::vector<seen_error>{{errc::data_too_long, 9}});
        }
    });
    for_each_split("id: \xFF\xFF\nevent: \xFF\xFF\ndata: x\n\n", [](const chunks& pieces,
                                                                    const std::string& how) {
        INFO(how);
        const recording seen =
            run_feed(pieces, {.limits = {.data = 1, .id = 6, .type = 6}}, memory::of_the_caller);
        REQUIRE(seen.order == "ie");
        CHECK(seen.events[0].type == "\xEF\xBF\xBD\xEF\xBF\xBD");
        CHECK(seen.events[0].id == "\xEF\xBF\xBD\xEF\xBF\xBD");
        CHECK(run_feed(pieces, {.limits = {.id = 5, .type = 5}}).errors ==
              std::vector<seen_error>{{errc::id_too_long, 6}, {errc::type_too_long, 16}});
    });
}

TEST_CASE("limits of nothing let only what is empty pass") {
    const parser_options options{.limits = {.data = 0, .id = 0, .type = 0, .comment = 0}};
    for (const memory where : {memory::heap, memory::of_the_caller}) {
        CHECK(run_feed({"id\nevent\n:\ndata\n\n"}, options, where).order == "cie");
        CHECK(run_feed({"data\ndata\n\n"}, options, where).order == "x");
        CHECK(run_feed({"id:1\n\nevent:a\n\n:b\ndata:c\n\n"}, options, where).order == "xxCx");
    }
}

TEST_CASE("L14: after a limit the next event is delivered in the same chunk and in every split") {
    const std::string stream = "id: 1\ndata: 12345\ndata: 6\nevent: t\n\nid: 2\ndata: ok\n\n";
    for_each_split(stream, [](const chunks& pieces, const std::string& how) {
        INFO(how);
        for (const memory where : {memory::heap, memory::of_the_caller}) {
            const parser_options options{.limits = {.data = 4, .id = 4, .type = 4}};
            const recording seen = run_feed(pieces, options, where);
            CHECK(seen.order == "xiie");
            CHECK(seen.errors == std::vector<seen_error>{{errc::data_too_long, 16}});
            CHECK(seen.ids == std::vector<std::string>{"1", "2"});
            CHECK(seen.events == std::vector<seen_event>{{"message", "ok", "2", "2"}});
        }
    });
}

TEST_CASE("the id of an event that was too long is committed wherever the chunks end") {
    for (const std::string_view stream :
         {"id: 7\ndata: 1234\n\ndata: x\n\n", "data: 1234\nid: 7\n\ndata: x\n\n",
          "id: 7\nevent: 1234\ndata: 1\n\ndata: x\n\n", "id: 6\nid: 7\ndata: 1234\n\ndata: x\n\n",
          "id: 7\ndata: 1\nid: 12345\n\ndata: x\n\n"}) {
        INFO(in_quotes(stream));
        for_each_split(stream, [](const chunks& pieces, const std::string& how) {
            INFO(how);
            const parser_options options{.limits = {.data = 3, .id = 4, .type = 3}};
            for (const memory where : {memory::heap, memory::of_the_caller}) {
                const recording seen = run_feed(pieces, options, where);
                CHECK(seen.errors.size() == 1);
                CHECK(seen.events == std::vector<seen_event>{{"message", "x", "7"}});
            }
        });
    }
}

TEST_CASE("an id that is too long leaves the last event ID as it was") {
    const parser_options options{.limits = {.id = 3}};
    for_each_split("id: 1\n\nid: 1234\ndata: a\n\ndata: b\n\n",
                   [&](const chunks& pieces, const std::string& how) {
                       INFO(how);
                       const recording seen = run_feed(pieces, options);
                       CHECK(seen.order == "ixe");
                       CHECK(seen.events == std::vector<seen_event>{{"message", "b", "1"}});
                   });
}

TEST_CASE("any split of any stream meets the same errors at the same offsets") {
    for (std::uint32_t seed = 5000; seed < 5300; ++seed) {
        const std::string stream = random_stream(seed);
        INFO("seed " << seed << ": " << in_quotes(stream));
        dice random(seed);
        const parser_options options{.limits = {.data = random.below(20),
                                                .id = random.below(8),
                                                .type = random.below(8),
                                                .comment = random.below(8)},
                                     .utf8 = static_cast<ssekit::utf8_policy>(random.below(3))};
        const recording expected = run_feed({stream}, options);
        for_each_split(stream, [&](const chunks& pieces, const std::string& how) {
            INFO(how);
            CHECK(run_feed(pieces, options) == expected);
            CHECK(run_feed(pieces, options, memory::of_the_caller) == expected);
            CHECK(run_next(pieces, options) == as_seen_by_next(expected));
        });
    }
}

TEST_CASE("without memory an event is dropped and the parser stays usable") {
    if (!counts_allocations) return;
    const std::vector<std::string> ids = {"1", "\xEF\xBF\xBD", std::string(300, '3')};
    std::string stream = "id: 1\nevent: a\ndata: b\ndata: c\n: d\n\n"
                         "id: \xFF\nevent: \xFF\ndata: \xFF\n\n";
    stream += "id: " + ids[2] + "\ndata: " + std::string(500, 'x') + "\n\n";
    for (const std::size_t size : {1U, 3U, 7U, 20U, 1000U}) {
        bool struck = true;
        std::size_t grace = 0;
        for (; struck && grace < 100; ++grace) {
            INFO("chunks of " << size << ", allocation " << grace << " fails");
            parser parser;
            recording seen;
            recorder sink{parser, seen};
            {
                const failing_allocations failing(grace);
                for (const auto piece : in_pieces_of(size, stream)) {
                    ssekit::feed(parser, lone_chunk(piece).view(), sink);
                }
                struck = failing.struck();
            }
            const std::size_t dropped = 3 - seen.events.size();
            CHECK(struck == (seen.errors.size() + dropped > 0));
            CHECK(seen.errors.size() >= dropped);
            for (const seen_error& error : seen.errors) CHECK(error.code == errc::out_of_memory);
            for (const std::string& id : seen.ids) {
                CHECK(std::find(ids.begin(), ids.end(), id) != ids.end());
            }
            ssekit::feed(parser, "\n\nid: 9\nevent: e\ndata: f\ndata: g\n\n", sink);
            CHECK(seen.events.back() == seen_event{"e", "f\ng", "9", "9"});
        }
        CHECK(grace > 1);
        CHECK_FALSE(struck);
    }
}

TEST_CASE("memory_needed is enough for every value at its limit") {
    constexpr parser_limits limits{.data = 7, .id = 5, .type = 3, .comment = 11};
    static_assert(parser::memory_needed(limits) == 7 + 5 + 5 + 3 + 11);
    static_assert(parser::memory_needed({.data = 0, .id = 0, .type = 0, .comment = 0}) == 0);
    // Every buffer full at once, and a line of each kind cut in the middle.
    const std::string stream =
        "id: 12345\n\nid: 54321\nevent: abc\ndata: 123\ndata: 567\n:12345678901\n\n";
    for_each_split(stream, [&](const chunks& pieces, const std::string& how) {
        INFO(how);
        const recording seen = run_feed(pieces, {.limits = limits}, memory::of_the_caller);
        CHECK(seen.order == "icie");
        CHECK(seen.events == std::vector<seen_event>{{"abc", "123\n567", "54321", "54321"}});
    });
}
