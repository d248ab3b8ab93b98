// SPDX-License-Identifier: MIT
#include <ssekit/event_source.hpp>
#include <ssekit/parser.hpp>
#include <ssekit/typed_sink.hpp>

#include <doctest/doctest.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

std::optional<int> number(std::string_view text) {
    int out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

} // namespace

TEST_CASE("typed_sink: values come with their events, what is none is counted") {
    std::vector<std::string> types;
    std::vector<int> values;
    ssekit::typed_sink sink(&number, [&](const ssekit::event_view& event, int value) {
        types.emplace_back(event.name());
        values.push_back(value);
    });
    ssekit::parser parser;
    ssekit::feed(parser, "data: 1\n\nid: 7\ndata\n\ndata: x\n\nevent: n\ndata: 22\n\n", sink);
    CHECK(values == std::vector{1, 22});
    CHECK(types == std::vector<std::string>{"message", "n"});
    CHECK(sink.undecoded() == 1);
}

TEST_CASE(
    "typed_sink: data is decoded where it lies, as bytes as well, into what cannot be copied") {
    const std::string stream = "data: abc\n\n";
    std::size_t offset = 0;
    std::string seen;
    ssekit::typed_sink sink(
        [&](std::span<const std::byte> bytes) {
            const char* const first = reinterpret_cast<const char*>(bytes.data());
            offset = static_cast<std::size_t>(first - stream.data());
            return std::make_optional(std::make_unique<std::string>(first, bytes.size()));
        },
        [&](const ssekit::event_view&, std::unique_ptr<std::string> value) { seen = *value; });
    ssekit::parser parser;
    ssekit::feed(parser, stream, sink);
    CHECK(seen == "abc");
    CHECK(offset == 6);
}

TEST_CASE("typed_sink: what handles the values may stop the reading, and hear the rest") {
    struct reader {
        std::string* heard;
        bool operator()(const ssekit::event_view&, int value) {
            *heard += "value " + std::to_string(value) + ";";
            return value != 2;
        }
        void on_error(ssekit::errc, std::uint64_t) { *heard += "error;"; }
        void on_id(std::string_view id) { heard->append("id ").append(id).append(";"); }
        void on_retry(std::chrono::milliseconds) { *heard += "retry;"; }
        void on_comment(std::string_view text) {
            heard->append("comment").append(text).append(";");
        }
    };
    std::string heard;
    ssekit::typed_sink sink(&number, reader{&heard});
    ssekit::parser parser({.limits = {.data = 4}});
    const std::string_view stream = ": c\nretry: 1\nid: 7\ndata: 1\n\ndata: 12345\n\n"
                                    "data: 2\n\ndata: 3\n\n";
    const std::size_t taken = ssekit::feed(parser, stream, sink);
    CHECK(heard == "comment c;retry;id 7;value 1;error;value 2;");
    CHECK(taken == stream.size() - 9);
    ssekit::feed(parser, stream.substr(taken), sink);
    CHECK(heard.ends_with("value 3;"));

    ssekit::event_source source("http://a/");
    REQUIRE(source.poll({}) == ssekit::source_action::connect);
    REQUIRE(source.receive_head(
        200, [](std::string_view) { return std::string_view("text/event-stream"); }, {}));
    heard.clear();
    CHECK(source.receive("data: 2\n\ndata: 3\n\n", sink, {}) == 9);
    CHECK(heard == "value 2;");
}

TEST_CASE("typed_sink: a callable with members of a sink hears the same by feed and by receive") {
    struct reader {
        std::string* heard;
        bool operator()(const ssekit::event_view& event) {
            heard->append(event.name()).append(";");
            return event.name() != "stop";
        }
        void on_error(ssekit::errc, std::uint64_t) { *heard += "error;"; }
        void on_id(std::string_view id) { heard->append("id ").append(id).append(";"); }
        void on_retry(std::chrono::milliseconds) { *heard += "retry;"; }
        void on_comment(std::string_view text) {
            heard->append("comment").append(text).append(";");
        }
        void on_data_chunk(std::string_view piece) { heard->append(piece).append("+"); }
    };
    const std::string_view stream = ": c\nretry: 1\nid: 7\ndata: a\n\ndata: 12345\n\n"
                                    "event: stop\ndata: b\n\ndata: c\n\n";
    std::string heard;
    ssekit::parser parser;
    const std::size_t taken = ssekit::feed(parser, stream, reader{&heard});
    const std::string by_feed = std::exchange(heard, "");
    CHECK(taken == stream.size() - 9);

    ssekit::event_source source("http://a/");
    REQUIRE(source.poll({}) == ssekit::source_action::connect);
    REQUIRE(source.receive_head(
        200, [](std::string_view) { return std::string_view("text/event-stream"); }, {}));
    CHECK(source.receive(stream, reader{&heard}, {}) == taken);
    CHECK(heard == by_feed);
    for (const std::string_view each : {"comment c;", "retry;", "id 7;", "a+", "stop;"}) {
        CHECK(heard.find(each) != std::string::npos);
    }
}
