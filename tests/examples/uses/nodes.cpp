// SPDX-License-Identifier: MIT
//
// One of several servers that share their events through a file: what is posted to one of them comes
// to the readers of all, and a reader may come back to any of them with its last id, also after all
// of them were gone.
//
//     use_nodes [--port N] FILE
//
//     POST /events    publishes what is in the body; with an Idempotency-Key at most once
//     GET /events     the stream
//     GET /health     200 once readers may come, and what is wrong if something is
#include "http_server.hpp"

#include <ssekit/adapters/sqlite.hpp>
#include <ssekit/relay.hpp>

#include <chrono>
#include <cstdio>
#include <stop_token>
#include <string>
#include <thread>

namespace {

using uses::Request;
using uses::Response;

/// Those who balance load ask for it, and readers are told to come back.
bool is_ready(const ssekit::relay<ssekit::sqlite_journal>& link, Response& response) {
    if (link.is_ready()) return true;
    response.status = 503;
    response.set_header("Retry-After", "1");
    response.set_content(link.health().error + "\n", "text/plain");
    return false;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 4) {
        std::fprintf(stderr, "usage: %s [--port N] FILE\n", argv[0]);
        return 64;
    }
    const std::string file = argv[argc - 1];
    // [recipe]
    ssekit::doorbell bell;
    uses::http_server server(argc - 1, argv,
                             {.ids = ssekit::event_ids::by_sequence,
                              .on_need = [&bell](const auto&) noexcept { bell.ring(); }});
    ssekit::relay<ssekit::sqlite_journal> link({}, bell.waker(), file);
    const std::jthread feeding([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            while (link.turn(server.hub())) continue;
            bell.wait_until(std::chrono::steady_clock::now() + std::chrono::milliseconds(100));
        }
    });
    server.post("/events", [&](const Request& request, Response& response, const auto& body) {
        const std::string key = request.get_header_value("Idempotency-Key");
        uses::answer(response, link.publish("news", {.data = body}, {}, {.once = key}));
    });
    server.get("/events", [&](const Request& request, Response& response) {
        if (!is_ready(link, response)) return;
        ssekit::httplib_stream(server.hub(), request, response,
                               {.topics = "news", .on_gap = ssekit::gap_policy::fetch});
    });
    // [recipe]
    server.get("/health", [&](const Request&, Response& response) {
        if (!is_ready(link, response)) return;
        const ssekit::relay_health health = link.health();
        response.set_content(health.connected ? "ok\n" : health.error + "\n", "text/plain");
    });
    return server.run({}, [&] { link.close(); });
}
