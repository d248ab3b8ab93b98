// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"
#include "support/counter.hpp"
#include "support/dice.hpp"
#include "support/recorder.hpp"
#include "support/reference_parser.hpp"

#include <ssekit/parser.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

using namespace support;
using ssekit::errc;
using ssekit::parser;
using ssekit::parser_limits;
using ssekit::parser_options;

namespace {

/// Processor time, the best of some runs: other programs disturb it little.
template <class Work>
double cost(Work&& work) {
    double best = 1e9;
    for (int run = 0; run < 5; ++run) {
        const std::clock_t begin = std::clock();
        work();
        best = std::min(best, static_cast<double>(std::clock() - begin));
    }
    return std::max(best, 1.0);
}

/// Linear work takes 16 times as long for 16 times as much, some times that where the smaller
/// amount fits into a cache and the larger does not; quadratic work takes 256 times as long or more.
template <class Work>
void check_linear(std::size_t small, Work&& work) {
    const double once = cost([&] { work(small); });
    const double more = cost([&] { work(16 * small); });
    CHECK(more < 128 * once);
}

} // namespace

TEST_CASE("L01: a long data line in small chunks costs time and memory in proportion") {
    const std::string line = "data: " + std::string(8 << 20, 'x');
    const auto run = [&line](parser parser, std::size_t size) {
        counter sink;
        feed_in_pieces(parser, std::string_view(line).substr(0, size), 1460, sink);
        ssekit::feed(parser, "\n\n", sink);
        CHECK(sink.data_size == size - 6);
    };
    // On memory that is there already: fresh pages would cost more than the parser.
    const parser_options options{.limits = {.data = line.size()}};
    std::vector<char> memory(parser::memory_needed(options.limits));
    check_linear(line.size() / 16, [&](std::size_t size) { run(parser(options, memory), size); });

    // On the heap it is the growing that could be quadratic.
    const allocation_watch watch;
    run(parser(options), line.size());
    const std::size_t allocations = watch.allocations();
    if (!counts_allocations) return;
    CHECK(allocations < 30);
    CHECK(watch.bytes() < 4 * line.size());
}

TEST_CASE("L01: also byte by byte and with a multi-byte character at each cut") {
    const std::string line = "data: " + repeated("\xE2\x82\xAC", 1 << 18);
    check_linear(line.size() / 16, [&line](std::size_t size) {
        parser parser;
        counter sink;
        feed_in_pieces(parser, std::string_view(line).substr(0, size), 1, sink);
        ssekit::feed(parser, "\n\n", sink);
        CHECK(sink.events == 1);
    });
}

TEST_CASE("L01: many data lines of one event cost time in proportion also when reported") {
    for (const auto utf8 : {ssekit::utf8_policy::replace, ssekit::utf8_policy::report}) {
        const std::string lines = repeated("data: a\xC3\xA4\n", 1 << 18);
        check_linear(lines.size() / 16, [&](std::size_t size) {
            parser parser({.utf8 = utf8});
            counter sink;
            feed_in_pieces(parser, std::string_view(lines).substr(0, size / 10 * 10), 1000, sink);
            ssekit::feed(parser, "\n", sink);
            CHECK(sink.events == 1);
        });
    }
}

TEST_CASE("L02: a comment without end needs no memory when nobody listens") {
    parser parser;
    counter sink;
    const std::string piece(1 << 16, 'x');
    const allocation_watch watch;
    ssekit::feed(parser, ":", sink);
    feed_repeatedly(parser, piece, 256, sink);
    const std::size_t allocations = watch.allocations();
    CHECK(parser.finish() == errc::ok);
    CHECK(sink.errors == 0);
    if (counts_allocations) CHECK(allocations == 0);
}

TEST_CASE("L02: a comment without end is reported once and kept no longer") {
    parser parser;
    comment_counter sink;
    const std::string piece(1000, 'x');
    const allocation_watch watch;
    ssekit::feed(parser, ":", sink);
    feed_repeatedly(parser, piece, 100000, sink);
    const std::size_t peak = watch.peak();
    ssekit::feed(parser, "\n: short\n", sink);
    CHECK(sink.errors == 1);
    CHECK(sink.last_error == errc::comment_too_long);
    CHECK(sink.last_offset == 1 + parser_limits{}.comment);
    CHECK(sink.comments == 1);
    if (counts_allocations) CHECK(peak <= 2 * parser_limits{}.comment);
}

TEST_CASE("L03: a line that cannot become a known field needs no memory") {
    for (const std::string_view begin : {"foo", "dataa", "foo: ", "retry: x", "\xEF\xBB"}) {
        INFO(in_quotes(begin));
        parser parser;
        counter sink;
        const std::string piece(1 << 16, 'x');
        const allocation_watch watch;
        ssekit::feed(parser, begin, sink);
        feed_repeatedly(parser, piece, 64, sink);
        const std::size_t allocations = watch.allocations();
        ssekit::feed(parser, "\ndata: x\n\n", sink);
        CHECK(sink.events == 1);
        CHECK(sink.errors == 0);
        if (counts_allocations) CHECK(allocations == 0);
    }
}

TEST_CASE("L06 and L07: blank lines and comments without end cost no memory and no event") {
    for (const std::string_view text : {"\n", "\r\n", ": k\n\n", ":\n", "\r"}) {
        parser parser;
        counter sink;
        const std::string lines = repeated(text, 1000);
        ssekit::feed(parser, "id: 1\ndata: a\n\nid: 2\ndata: b\n\n", sink);
        const allocation_watch watch;
        feed_repeatedly(parser, lines, 1000, sink);
        const std::size_t allocations = watch.allocations();
        CHECK(sink.events == 2);
        CHECK(sink.errors == 0);
        CHECK(parser.last_event_id() == "2");
        if (counts_allocations) CHECK(allocations == 0);
    }
}

TEST_CASE("L09: ten million digits need no memory") {
    parser parser;
    counter sink;
    const std::string digits(10000, '9');
    const allocation_watch watch;
    ssekit::feed(parser, "retry: ", sink);
    feed_repeatedly(parser, digits, 1000, sink);
    ssekit::feed(parser, "\n", sink);
    const std::size_t allocations = watch.allocations();
    CHECK((parser.retry() == std::chrono::milliseconds::max()));
    if (counts_allocations) CHECK(allocations == 0);
}

TEST_CASE("L10: a stream may end inside the byte order mark") {
    for (std::size_t size = 0; size <= 3; ++size) {
        for_each_split(std::string_view("\xEF\xBB\xBF", size),
                       [](const chunks& pieces, const std::string& how) {
                           INFO(how);
                           CHECK(run_feed(pieces).order.empty());
                           CHECK(run_feed(pieces).end == errc::ok);
                       });
    }
}

TEST_CASE("L11: what is no event stream at all gives no event") {
    std::string gzip = "\x1F\x8B\x08";
    dice random(11);
    for (int i = 0; i < 100000; ++i) gzip += random.byte();
    const std::string page = "<!DOCTYPE html>\r\n<html>\n\n<p>502: Bad Gateway</p>\n\n</html>\n";
    for (const std::string& stream : {gzip, page}) {
        parser parser({.limits = {.data = 1000, .id = 100, .type = 100}});
        counter sink;
        const allocation_watch watch;
        feed_in_pieces(parser, stream, 777, sink);
        if (counts_allocations) CHECK(watch.peak() < 4000);
        CHECK(sink.events == 0);
        recording expected = reference_parser::run(stream);
        CHECK(expected.events.empty());
    }
}

TEST_CASE("L12: every byte as name and value and separator gives what the standard says") {
    for (int byte = 0; byte < 256; ++byte) {
        CAPTURE(byte);
        const std::string c(1, static_cast<char>(byte));
        std::string stream = c + "\n\n";
        for (const std::string_view name : {"data", "id", "event", "retry"}) {
            const std::string field(name);
            stream += c + field + ": 1\n" + field + c + ": 2\n" + field + c + "3\n" + field + ": " +
                      c + "4\n" + field + ": 5" + c + "\n" + field + ":" + c + "\n" + c + ": 6\n" +
                      field + ": 7" + c + field + ": 8\ndata: x\n" + c + "\ndata: y\n\n" + c;
        }
        const recording expected = reference_parser::run(stream);
        for (const chunks& pieces : {chunks{stream}, in_pieces_of(1, stream)}) {
            recording seen = run_feed(pieces);
            CHECK(seen.events == expected.events);
            CHECK(seen.ids == expected.ids);
            CHECK(seen.retries == expected.retries);
            CHECK(seen.order == expected.order);
        }
    }
}
