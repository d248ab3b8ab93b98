// SPDX-License-Identifier: MIT
//
// The first screen of the README, as a program.

#undef NDEBUG // the asserts are the point
// [quickstart]
#include <ssekit/ssekit.hpp>

#include <cassert>
#include <chrono>
#include <string>

// Anything that takes bytes and says how many it took can carry a stream: here, a string.
struct string_writer {
    std::string got;

    ssekit::write_result write_some(std::span<const std::string_view> slices) noexcept {
        std::size_t bytes = 0;
        for (const std::string_view slice : slices) {
            got += slice;
            bytes += slice.size();
        }
        return {bytes, ssekit::io_status::ready};
    }
};

int main() {
    // Publish once, deliver to everybody, replay what a client has missed.
    ssekit::hub hub(ssekit::new_epoch(), std::chrono::steady_clock::now());
    const auto first = hub.publish("greetings", {.type = "hello", .data = "first"});
    const auto second = hub.publish("greetings", {.data = "two\nlines"});
    assert(first.ec == ssekit::errc::ok && second.ec == ssekit::errc::ok);

    const std::string seen(hub.id_of(first.offset)); // what a client brings that comes back
    auto [stream, code] = hub.subscribe({.topics = "greetings", .last_event_id = seen});
    assert(code == ssekit::errc::ok && stream.resumption() == ssekit::resumption::resumed);

    string_writer client;
    assert(drain(stream, client) == ssekit::drain_status::idle);
    const std::string newest(hub.id_of(second.offset));
    assert(client.got == "id: " + seen + "\n\n" + // come back here if cut off now
                             "id: " + newest + "\ndata: two\ndata: lines\n\n");

    // Read a stream back, in whatever pieces it comes.
    ssekit::parser parser;
    std::string_view input = client.got;
    while (const ssekit::event_view* event = parser.next(input)) {
        assert(event->type == "message" && event->data == "two\nlines");
    }
    assert(parser.last_event_id() == newest);

    // What could inject an event is refused; a malformed literal does not even compile.
    std::string out;
    const auto refused = ssekit::append_to(out, {.id = "1\ndata: INJECTED", .data = "x"});
    assert(refused == ssekit::errc::invalid_id && out.empty());
}
// [quickstart]
