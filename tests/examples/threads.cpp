// SPDX-License-Identifier: MIT
//
// A thread for each stream, as blocking servers have it, and publishers on other threads.
#include <ssekit/doorbell.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/writer.hpp>

#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

/// Stands for a connection that blocks until it has taken everything.
struct connection {
    std::string received = {};

    ssekit::write_result write_some(std::span<const std::string_view> slices) noexcept {
        received += slices[0];
        return {slices[0].size(), ssekit::io_status::ready};
    }
};

// [serve]
void serve(ssekit::shared_hub& hub, std::string_view last_event_id, connection& client) {
    ssekit::doorbell bell;
    auto [stream, refused] =
        hub.subscribe({.topics = "news", .last_event_id = last_event_id}, bell.waker());
    if (refused != ssekit::errc::ok) return;
    for (;;) {
        const ssekit::drain_status status = ssekit::drain(stream, client);
        if (status == ssekit::drain_status::idle) bell.wait();
        if (status == ssekit::drain_status::done) return;
        if (status == ssekit::drain_status::closed) return;
    }
}
// [serve]

} // namespace

int main() {
    ssekit::shared_hub hub(1);
    // The client has seen nothing of this hub: from the id before the first event on it misses
    // nothing, whenever its thread starts.
    std::vector<connection> clients(3);
    std::vector<std::thread> threads;
    for (connection& client : clients) {
        threads.emplace_back([&] { serve(hub, "1.0", client); });
    }
    threads.emplace_back([&] {
        for (const char* text : {"one", "two", "three"}) hub.publish("news", {.data = text});
    });
    threads.back().join();
    threads.pop_back();
    while (hub.metrics().accepted < clients.size()) std::this_thread::yield();
    hub.close({.farewell = {.type = "bye", .data = ""}});
    for (std::thread& thread : threads) thread.join();

    for (const connection& client : clients) {
        if (client.received != "id: 1.0\n\nid: 1.1\ndata: one\n\nid: 1.2\ndata: two\n\n"
                               "id: 1.3\ndata: three\n\nevent: bye\ndata: \n\n") {
            std::fputs(client.received.c_str(), stderr);
            return 1;
        }
    }
    std::puts("three threads have read the same three events");
}
