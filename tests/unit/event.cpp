// SPDX-License-Identifier: MIT
#include <ssekit/event.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using ssekit::errc;
using ssekit::event_id;
using ssekit::event_type;
using ssekit::event_view;

TEST_CASE("an id is refused for CR and LF and NUL and for nothing else") {
    for (int byte = 0; byte < 256; ++byte) {
        CAPTURE(byte);
        const bool bad = byte == '\r' || byte == '\n' || byte == '\0';
        for (std::size_t at = 0; at <= 2; ++at) {
            std::string text = "ab";
            text.insert(at, 1, static_cast<char>(byte));
            CHECK(ssekit::validate_id(text) == (bad ? errc::invalid_id : errc::ok));
            CHECK(event_id::make(text).has_value() == !bad);
        }
    }
    CHECK(ssekit::validate_id("") == errc::ok);
}

TEST_CASE("a type is refused for CR and LF and for nothing else") {
    for (int byte = 0; byte < 256; ++byte) {
        CAPTURE(byte);
        const bool bad = byte == '\r' || byte == '\n';
        for (std::size_t at = 0; at <= 2; ++at) {
            std::string text = "ab";
            text.insert(at, 1, static_cast<char>(byte));
            CHECK(ssekit::validate_type(text) == (bad ? errc::invalid_type : errc::ok));
            CHECK(event_type::make(text).has_value() == !bad);
        }
    }
    CHECK(ssekit::validate_type("") == errc::ok);
}

TEST_CASE("validate looks at id and type and retry but never at the data") {
    CHECK(ssekit::validate({}) == errc::ok);
    CHECK(ssekit::validate({.data = "\r\n\0"sv}) == errc::ok);
    CHECK(ssekit::validate({.id = "1\r", .data = "x"}) == errc::invalid_id);
    CHECK(ssekit::validate({.type = "a\n", .data = "x"}) == errc::invalid_type);
    CHECK(ssekit::validate({.retry = -1ms}) == errc::invalid_retry);
    CHECK(ssekit::validate({.retry = std::chrono::milliseconds::min()}) == errc::invalid_retry);
    CHECK(ssekit::validate({.retry = 0ms}) == errc::ok);
    CHECK(ssekit::validate({.retry = std::chrono::milliseconds::max()}) == errc::ok);
}

TEST_CASE("events are equal when no client can tell them apart") {
    const event_view event{.id = "1", .type = "t", .data = "x", .retry = 1ms};
    CHECK(event == event);
    CHECK(event_view{} == event_view{.type = "message"});
    CHECK(event_view{}.name() == "message");
    CHECK(event_view{.type = "t"}.name() == "t");

    CHECK_FALSE(event == event_view{.type = "t", .data = "x", .retry = 1ms});
    CHECK_FALSE(event == event_view{.id = "2", .type = "t", .data = "x", .retry = 1ms});
    CHECK_FALSE(event == event_view{.id = "1", .data = "x", .retry = 1ms});
    CHECK_FALSE(event == event_view{.id = "1", .type = "t", .retry = 1ms});
    CHECK_FALSE(event == event_view{.id = "1", .type = "t", .data = "x"});
    CHECK_FALSE(event_view{.id = ""} == event_view{});
    CHECK_FALSE(event_view{.data = ""} == event_view{});
    CHECK_FALSE(event_view{.retry = 0ms} == event_view{});
}

TEST_CASE("checked text is the text it was made of") {
    constexpr event_id id("42");
    static_assert(id.view() == "42");
    static_assert(std::string_view(id) == "42");
    constexpr event_type type("tick");
    static_assert(type.view() == "tick");
    static_assert(event_id("").view().empty());

    const std::string text = "outside";
    const std::optional<event_id> made = event_id::make(text);
    REQUIRE(made.has_value());
    CHECK(made->view().data() == text.data());
    CHECK(made->view().size() == text.size());

    const event_view event{.id = id, .type = type};
    CHECK(*event.id == "42");
    CHECK(event.type == "tick");
}

TEST_CASE("text that nobody has looked at does not become checked text by itself") {
    static_assert(!std::is_constructible_v<event_id, std::string_view>);
    static_assert(!std::is_constructible_v<event_id, const char*>);
    static_assert(!std::is_constructible_v<event_id, std::string>);
    static_assert(!std::is_convertible_v<event_type, event_id>);
    static_assert(!std::is_convertible_v<event_id, event_type>);
}

TEST_CASE("a literal event is checked while it compiles") {
    constexpr event_view event = ssekit::checked({.type = "ping", .data = "1", .retry = 5ms});
    static_assert(event.type == "ping" && event.data == "1" && event.retry == 5ms);
    static_assert(ssekit::validate({.id = "a\rb"}) == errc::invalid_id);
    static_assert(ssekit::validate_id("a\0b"sv) == errc::invalid_id);
    static_assert(ssekit::validate_type("a\nb") == errc::invalid_type);
    static_assert(!event_id::make("a\nb").has_value());
}

TEST_CASE("each error has a text of its own") {
    for (int a = 0; a <= static_cast<int>(errc::nothing_to_send); ++a) {
        CAPTURE(a);
        CHECK(ssekit::message(static_cast<errc>(a)) != "unknown");
        for (int b = 0; b < a; ++b) {
            CHECK(ssekit::message(static_cast<errc>(a)) != ssekit::message(static_cast<errc>(b)));
        }
    }
}
