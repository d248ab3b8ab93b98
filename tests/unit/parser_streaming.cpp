// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"
#include "support/random_stream.hpp"
#include "support/recorder.hpp"
#include "support/reference_utf8.hpp"

#include <ssekit/parser.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace support;
using ssekit::errc;
using ssekit::event_view;
using ssekit::parser;
using ssekit::parser_options;
using ssekit::utf8_policy;

namespace {

recording run_pieces(const chunks& pieces, const parser_options& options = {},
                     memory where = memory::heap) {
    return run_feed<data_chunk_recorder>(pieces, options, where);
}

/// Each piece as it came; an event as "|".
struct piece_log {
    std::vector<std::string> pieces = {};
    void on_data_chunk(std::string_view piece) { pieces.emplace_back(piece); }
    void on_event(const event_view& event) {
        CHECK(event.data == "");
        pieces.emplace_back("|");
    }
};

} // namespace

TEST_CASE("pieces put together give the events that come whole") {
    for (std::uint32_t seed = 7000; seed < 7300; ++seed) {
        const std::string stream = random_stream(seed);
        INFO("seed " << seed << ": " << in_quotes(stream));
        for (const utf8_policy utf8 :
             {utf8_policy::replace, utf8_policy::pass_through, utf8_policy::report}) {
            const parser_options options{.limits = {.id = 6, .type = 6, .comment = 6},
                                         .utf8 = utf8};
            // What is wrong with a line that never ends is seen by no one else.
            const bool ended = utf8 == utf8_policy::report;
            const std::string input = stream + (ended ? "\n\n" : "");
            const recording expected = run_feed({input}, options);
            for_each_split(input, [&](const chunks& pieces, const std::string& how) {
                INFO(how);
                CHECK(run_pieces(pieces, options) == expected);
            });
        }
    }
}

TEST_CASE("a piece is handed on by the call that brings it") {
    parser parser;
    piece_log sink;
    const auto next_pieces = [&](std::string_view chunk) {
        sink.pieces.clear();
        ssekit::feed(parser, lone_chunk(chunk).view(), sink);
        return sink.pieces;
    };
    using list = std::vector<std::string>;
    CHECK(next_pieces("event: e\ndata") == list{});
    CHECK(next_pieces(":") == list{});
    CHECK(next_pieces(" ") == list{});
    CHECK(next_pieces(" a") == list{" a"});
    CHECK(next_pieces("b") == list{"b"});
    CHECK(next_pieces("c\n: comment\ndata") == list{"c"});
    CHECK(next_pieces("\ndata: d\ndata: ") == list{"\n", "\n", "d", "\n"});
    CHECK(next_pieces("e\r") == list{"e"});
    CHECK(next_pieces("\n\r") == list{"|"});
    CHECK(next_pieces("\ndata: f\n\n") == list{"f", "|"});
    CHECK(next_pieces("data\n\n") == list{"|"});
}

TEST_CASE("pieces are views into the chunk") {
    const std::string chunk = "data: first\ndata: second\n\n";
    struct {
        std::string_view chunk;
        int inside = 0;
        void on_data_chunk(std::string_view piece) {
            if (piece != "\n") {
                inside += piece.data() >= chunk.data() &&
                          piece.data() + piece.size() <= chunk.data() + chunk.size();
            }
        }
    } sink{chunk};
    parser parser;
    ssekit::feed(parser, chunk, sink);
    CHECK(sink.inside == 2);
}

TEST_CASE("an event of any size needs no memory and no limit applies to its data") {
    struct {
        std::size_t bytes = 0;
        std::size_t events = 0;
        std::size_t errors = 0;
        void on_data_chunk(std::string_view piece) noexcept { bytes += piece.size(); }
        void on_event(const event_view&) noexcept { ++events; }
        void on_error(errc, std::uint64_t) noexcept { ++errors; }
    } sink;
    parser parser({.limits = {.data = 10}});
    const std::string piece(1 << 16, 'x');
    const allocation_watch watch;
    for (int line = 0; line < 10; ++line) {
        ssekit::feed(parser, "data: ", sink);
        for (int i = 0; i < 20; ++i) ssekit::feed(parser, piece, sink);
        ssekit::feed(parser, "\r\n", sink);
    }
    ssekit::feed(parser, "\r\n", sink);
    const std::size_t allocations = watch.allocations();
    CHECK(sink.bytes == 10 * 20 * piece.size() + 9);
    CHECK(sink.events == 1);
    CHECK(sink.errors == 0);
    if (counts_allocations) CHECK(allocations == 0);
}

TEST_CASE("no piece ends inside a character that is still whole") {
    const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x91\x8D\xE2\x82z\xFF\xF0\x9F";
    for_each_split("data: " + text + "\n\n", [&](const chunks& pieces, const std::string& how) {
        INFO(how);
        piece_log sink;
        parser parser;
        for (const auto chunk : pieces) ssekit::feed(parser, lone_chunk(chunk).view(), sink);
        std::string all;
        for (const std::string& piece : sink.pieces) {
            CHECK_FALSE(reference_decode_utf8(piece).first_malformed.has_value());
            CHECK_FALSE(piece.empty());
            all += piece;
        }
        CHECK(all == reference_decode_utf8(text).text + "|");
    });
}

TEST_CASE("malformed UTF-8 is reported at its first byte and voids the pieces before it") {
    for (const std::string_view text : {"ab\xFF", "ab\xE2\x82", "ab\xE2\x82z", "ab\xF0\x9F\x91"}) {
        const std::string stream =
            "id: 1\ndata: " + std::string(text) + "\ndata: more\n\ndata: x\n\n";
        INFO(in_quotes(stream));
        for_each_split(stream, [](const chunks& pieces, const std::string& how) {
            INFO(how);
            const recording seen = run_pieces(pieces, {.utf8 = utf8_policy::report});
            CHECK(seen.errors == std::vector<seen_error>{{errc::malformed_utf8, 14}});
            CHECK(seen.order == "xie");
            CHECK(seen.events == std::vector<seen_event>{{"message", "x", "1"}});
        });
    }
}

TEST_CASE("after an error no more pieces of its block come") {
    piece_log sink;
    parser parser({.limits = {.id = 2}});
    ssekit::feed(parser, "data: a\nid: 123\ndata: b\ndata: c\n\ndata: d\n\n", sink);
    CHECK(sink.pieces == std::vector<std::string>{"a", "d", "|"});
    CHECK(parser.error() == errc::id_too_long);
}

TEST_CASE("a comment that is too long voids nothing") {
    const recording seen =
        run_pieces({"data: a\n: too long\ndata: b\n\n"}, {.limits = {.comment = 3}});
    CHECK(seen.order == "Ce");
    CHECK(seen.events == std::vector<seen_event>{{"message", "a\nb", ""}});
}

TEST_CASE("a stream that ends inside an event says that its pieces are void") {
    for (const std::string_view stream : {"data: a", "data: a\n", "data: a\xE2", "data:"}) {
        INFO(in_quotes(stream));
        CHECK(run_pieces({stream}).end == errc::incomplete);
        CHECK(run_pieces(in_pieces_of(1, stream)).end == errc::incomplete);
    }
    // What a broken connection has left of a character is no part of the next one.
    parser parser;
    piece_log sink;
    ssekit::feed(parser, "data: \xE2\x82", sink);
    parser.reconnect();
    ssekit::feed(parser, "data: \xAC\n\n", sink);
    CHECK(sink.pieces == std::vector<std::string>{"\xEF\xBF\xBD", "|"});
}
