// SPDX-License-Identifier: MIT
#ifndef SSEKIT_TESTS_SUPPORT_SOURCE_CLIENT_HPP
#define SSEKIT_TESTS_SUPPORT_SOURCE_CLIENT_HPP

#include <ssekit/event_source.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

using headers = std::vector<std::pair<std::string_view, std::string_view>>;

inline const headers stream_type = {{"Content-Type", "text/event-stream"}};

/// An event source with a clock of its own and a server that says what the test says.
struct source_client {
    explicit source_client(ssekit::event_source_options options = {},
                           std::string_view url = "http://a.example/x/y?z")
        : source(url, std::move(options)) {}

    ssekit::event_source source;
    ssekit::time_point now{std::chrono::hours(1)};
    std::vector<std::string> events = {};

    ssekit::source_action poll() { return source.poll(now); }

    bool receive_head(int status, const headers& fields = stream_type) {
        return source.receive_head(
            status,
            [&](std::string_view name) -> std::optional<std::string_view> {
                for (const auto& [key, value] : fields) {
                    if (key == name) return value;
                }
                return std::nullopt;
            },
            now);
    }
    /// The head of a stream, or all of an answer without a body.
    bool head(int status, const headers& fields = stream_type) {
        const bool wanted = receive_head(status, fields);
        if (source.state() == ssekit::ready_state::open) return wanted;
        source.receive_end(now);
        return false;
    }
    /// Connects and has the stream begin.
    void open() {
        REQUIRE(poll() == ssekit::source_action::connect);
        REQUIRE(head(200));
        REQUIRE(source.state() == ssekit::ready_state::open);
    }
    void bytes(std::string_view text) {
        source.receive(
            text,
            [&](const ssekit::event_view& event) { events.push_back(std::string(*event.data)); },
            now);
    }
    std::optional<std::string> sent(std::string_view name) const {
        for (const ssekit::header& each : source.request().headers) {
            if (each.name == name) return std::string(each.value);
        }
        return std::nullopt;
    }
    /// How long it wants to wait before it connects.
    std::chrono::milliseconds wait() {
        REQUIRE(poll() == ssekit::source_action::wait);
        REQUIRE(source.state() == ssekit::ready_state::connecting);
        return std::chrono::duration_cast<std::chrono::milliseconds>(source.next_deadline() - now);
    }
    void wait_and_connect() {
        now = source.next_deadline();
        REQUIRE(poll() == ssekit::source_action::connect);
    }
    void stopped(ssekit::source_end why) {
        CHECK(source.state() == ssekit::ready_state::closed);
        CHECK(source.end() == why);
        ssekit::source_action next = poll();
        if (next == ssekit::source_action::disconnect) next = poll();
        CHECK(next == ssekit::source_action::stop);
        CHECK(poll() == ssekit::source_action::wait);
        CHECK(source.next_deadline() == ssekit::never);
        now += std::chrono::hours(1000);
        CHECK(poll() == ssekit::source_action::wait);
    }
};

} // namespace support

#endif
