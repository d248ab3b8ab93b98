// SPDX-License-Identifier: MIT
//
// A program that imports the toolkit instead of including it.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

import ssekit;

int main() {
    ssekit::hub hub(ssekit::new_epoch(), std::chrono::steady_clock::now());
    if (hub.publish("a", {.type = "greeting", .data = "hello"}).ec != ssekit::errc::ok) return 6;
    auto [stream, refused] = hub.subscribe({.topics = "a", .start = ssekit::start_point::earliest});
    if (refused != ssekit::errc::ok) return 1;
    ssekit::testing::recorder socket;
    if (ssekit::drain(stream, socket) != ssekit::drain_status::idle) return 2;

    ssekit::event_source source("http://127.0.0.1/");
    if (source.poll({}) != ssekit::source_action::connect) return 3;
    const auto find = [](std::string_view) { return std::optional("text/event-stream"); };
    if (!source.receive_head(200, find, {})) return 4;
    std::string seen;
    source.receive(socket.bytes, [&](const ssekit::event_view& event) { seen = *event.data; }, {});
    return seen == "hello" && ssekit::version.major == 0 ? 0 : 5;
}
