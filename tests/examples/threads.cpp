// SPDX-License-Identifier: MIT
//
// A thread for each stream, as blocking servers have it, and publishers on other threads.
#include <ssekit/doorbell.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/writer.hpp>

#include <chrono>
#include <cstdint>
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
    void end() { received += "the end"; } // in HTTP/1.1 the last chunk
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
        if (status == ssekit::drain_status::done) return client.end(); // it is whole
        if (status == ssekit::drain_status::cut) return;               // and this is not
        if (status == ssekit::drain_status::closed) return;
    }
}
// [serve]

} // namespace

int main() {
    ssekit::shared_hub hub(ssekit::new_epoch(), std::chrono::steady_clock::now());
    // The clients have seen nothing of this hub: from the id before the first event on they miss
    // nothing, whenever their threads start.
    const auto id_of = [&](std::uint64_t offset) {
        return hub.with([&](ssekit::hub& all) { return std::string(all.id_of(offset)); });
    };
    const std::string before = id_of(0);
    std::vector<connection> clients(3);
    std::vector<std::thread> threads;
    for (connection& client : clients) {
        threads.emplace_back([&] { serve(hub, before, client); });
    }
    std::string expected = "id: " + before + "\n\n";
    for (const std::string text : {"one", "two", "three"}) {
        const auto [offset, refused] = hub.publish("news", {.data = text});
        if (refused != ssekit::errc::ok) return std::puts(ssekit::message(refused).data()), 1;
        expected += "id: " + id_of(offset) + "\ndata: " + text + "\n\n";
    }
    while (hub.metrics().accepted < clients.size()) std::this_thread::yield();
    const ssekit::errc refused = hub.close({.farewell = {.type = "bye", .data = ""}});
    if (refused != ssekit::errc::ok) return std::puts(ssekit::message(refused).data()), 1;
    for (std::thread& thread : threads) thread.join();

    expected += "event: bye\ndata: \n\nthe end";
    for (const connection& client : clients) {
        if (client.received != expected) {
            std::fputs(client.received.c_str(), stderr);
            return 1;
        }
    }
    std::puts("three threads have read the same three events");
}
