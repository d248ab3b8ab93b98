// SPDX-License-Identifier: MIT
//
// An event source without a network: what is asked of its owner, and what comes back. Where a
// server would be, a function says what it answers.
#undef NDEBUG // the asserts are the point

#include <ssekit/event_source.hpp>

#include <cassert>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;

/// One transfer, to its end.
void transfer(ssekit::event_source& source, std::string& seen, std::string_view body,
              ssekit::time_point now) {
    // [happens]
    source.receive_connected(now); // where the library can tell
    const auto find = [](std::string_view name) -> std::optional<std::string_view> {
        return name == "Content-Type" ? std::optional("text/event-stream") : std::nullopt;
    };
    if (source.receive_head(200, find, now)) { // else `poll` knows what follows
        while (const ssekit::event_view* event = source.next(body, now)) seen += *event->data;
    }
    source.receive_end(now); // or receive_failure
    // Once more: with `deliver_unfinished` there may be an event without its blank line.
    if (const ssekit::event_view* event = source.next(body, now)) seen += *event->data;
    // [happens]
}

/// An answer that is no stream: what it says is for the one who asked.
void refuse(ssekit::event_source& source, std::string_view words, ssekit::time_point now) {
    // [refused]
    source.receive_connected(now);
    const auto find = [](std::string_view) { return std::optional<std::string_view>(); };
    if (source.receive_head(401, find, now)) { // its body is wanted as well, up to a bound
        const auto never_called = [](const ssekit::event_view&) {};
        source.receive(words, never_called, now);
    }
    source.receive_end(now);
    // [refused]
}

} // namespace

int main() {
    ssekit::time_point now{1h};
    std::string seen;
    // [drive]
    ssekit::event_source source("https://example.org/events", {.idle_timeout = 45s});
    assert(source.poll(now) == ssekit::source_action::connect); // send source.request()
    transfer(source, seen, "id: 1\ndata: a\n\nid: 2\ndata: cut o", now);
    assert(seen == "a" && source.was_cut());

    assert(source.poll(now) == ssekit::source_action::wait); // until source.next_deadline()
    now = source.next_deadline();
    assert(source.poll(now) == ssekit::source_action::connect);
    assert(source.request().headers.back().value == "1"); // its Last-Event-ID
    // [drive]
    transfer(source, seen, "id: 2\ndata: b\n\n", now);
    assert(seen == "ab");
    source.close();
    assert(source.poll(now) == ssekit::source_action::stop);

    ssekit::event_source refused("https://example.org/events");
    assert(refused.poll(now) == ssekit::source_action::connect);
    refuse(refused, R"({"error":"who are you?"})", now);
    assert(refused.poll(now) == ssekit::source_action::stop);
    assert(refused.end() == ssekit::source_end::bad_status && refused.status() == 401);
    assert(refused.answer_body() == R"({"error":"who are you?"})" && refused.is_answer_whole());
}
