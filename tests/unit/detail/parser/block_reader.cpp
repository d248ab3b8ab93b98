// SPDX-License-Identifier: MIT
#include <ssekit/detail/parser/block_reader.hpp>
#include <ssekit/detail/parser/state.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace ssekit::detail;
using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::event_view;

namespace {

struct recorder {
    std::vector<std::string> events = {};
    std::vector<std::pair<errc, std::uint64_t>> errors = {};
    std::string last_id = "none";
    void on_event(const event_view& event) {
        events.push_back(std::string(event.type) + "=" + std::string(*event.data));
    }
    void on_error(errc code, std::uint64_t offset) { errors.emplace_back(code, offset); }
    void on_id(std::string_view id) { last_id = id; }
};

/// Lines that lie in one chunk, fed to the reader field by field.
struct reading {
    explicit reading(std::string_view text, const ssekit::parser_options& options = {})
        : chunk(text), state(options), reader(state, sink, text, 1000) {}

    block_reader<recorder>::value part(std::size_t at, std::size_t size) const {
        return {chunk.data() + at, chunk.data() + at + size, 1000 + at, true};
    }

    std::string_view chunk;
    parser_state state;
    recorder sink = {};
    block_reader<recorder> reader;
};

} // namespace

TEST_CASE("a block's values are views until it needs them longer") {
    reading block("hello tick 7");
    block.reader.take_data(block.part(0, 5));
    block.reader.take_text(line_field::event, block.part(6, 4));
    block.reader.take_text(line_field::id, block.part(11, 1));
    CHECK(block.state.open.data.data() == block.chunk.data());
    CHECK(block.state.data_buffer.size() == 0);
    block.reader.spill(block.chunk.data() + block.chunk.size());
    CHECK(block.state.open.data.data() != block.chunk.data());
    CHECK(block.state.data_buffer.view() == "hello");
    CHECK(block.state.type_buffer.view() == "tick");
    CHECK(block.state.id_buffer.view() == "7");
    CHECK(block.state.last_id.view().empty());
    CHECK(block.reader.blank_line(block.chunk.data()));
    CHECK(block.sink.events == std::vector<std::string>{"tick=hello"});
    CHECK(block.sink.last_id == "7");
    CHECK(block.state.last_id.view() == "7");
    CHECK_FALSE(block.state.is_inside_event());
}

TEST_CASE("lines of data are joined with LF") {
    reading block("one two");
    block.reader.take_data(block.part(0, 3));
    block.reader.take_data(block.part(4, 3));
    block.reader.take_data(block.part(0, 0));
    CHECK(block.reader.blank_line(block.chunk.data()));
    CHECK(block.sink.events == std::vector<std::string>{"message=one\ntwo\n"});
}

TEST_CASE("each limit holds to the byte, and names the first byte past it") {
    const ssekit::parser_options options{.limits = {.data = 3, .id = 3, .type = 3, .comment = 3}};
    const auto fails = [&](auto take) -> std::vector<std::pair<errc, std::uint64_t>> {
        for (const std::size_t size : {3U, 4U}) {
            reading block("abcdef", options);
            take(block, size);
            CHECK(block.reader.report_failure(block.chunk.data() + size));
            if (size == 4) return block.sink.errors;
            CHECK(block.sink.errors.empty());
        }
        return {};
    };
    using errors = std::vector<std::pair<errc, std::uint64_t>>;
    CHECK(fails([](reading& b, std::size_t n) { b.reader.take_data(b.part(0, n)); }) ==
          errors{{errc::data_too_long, 1003}});
    CHECK(fails([](reading& b, std::size_t n) {
              b.reader.take_text(line_field::id, b.part(0, n));
          }) == errors{{errc::id_too_long, 1003}});
    CHECK(fails([](reading& b, std::size_t n) {
              b.reader.take_text(line_field::event, b.part(0, n));
          }) == errors{{errc::type_too_long, 1003}});
    // An LF counts: one byte, LF, and one or two more.
    CHECK(fails([](reading& b, std::size_t n) {
              b.reader.take_data(b.part(0, 1));
              b.reader.take_data(b.part(1, n - 2));
          }) == errors{{errc::data_too_long, 1002}});
}

TEST_CASE("a block that is dropped commits its id and dispatches nothing") {
    reading block("7 toolong", {.limits = {.data = 3}});
    block.reader.take_text(line_field::id, block.part(0, 1));
    block.reader.take_data(block.part(2, 7));
    CHECK(block.reader.report_failure(block.chunk.data()));
    CHECK(block.reader.blank_line(block.chunk.data()));
    CHECK(block.sink.events.empty());
    CHECK(block.sink.last_id == "7");
    CHECK_FALSE(block.state.dropping);
}

TEST_CASE("a reconnection time is digits and nothing else") {
    const auto retry = [](std::string_view digits) {
        reading block(digits);
        block.reader.take_retry(block.part(0, digits.size()));
        return block.state.retry;
    };
    CHECK(retry("1500") == 1500ms);
    CHECK(retry("") == std::nullopt);
    CHECK(retry("1 ") == std::nullopt);
    CHECK(retry("-1") == std::nullopt);
    CHECK(retry("99999999999999999999") == std::chrono::milliseconds::max());
}
