// SPDX-License-Identifier: MIT
//
// Stopping a cpp-httplib server, with whatever hub.
#if defined(SSEKIT_TEST_HTTPLIB) // says the build where cpp-httplib is linked

#include <ssekit/adapters/httplib.hpp>
#include <ssekit/doorbell.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/time.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST_CASE("httplib: the deadline of a stop counts from now, whenever the hub was told the time") {
    httplib::Server server;
    ssekit::shared_hub hub(1);
    const ssekit::time_point before = steady_clock::now();
    hub.tick(before - 1h);
    ssekit::httplib_stop(server, hub, {.deadline = 1min});
    CHECK(hub.next_deadline() >= before + 1min);
}

TEST_CASE("httplib: a stop lets every stream come to its end and needs no loop of the hub") {
    httplib::Server server;
    ssekit::shared_hub hub(1);
    hub.tick(steady_clock::now());
    server.Get("/events", [&](const httplib::Request& request, httplib::Response& response) {
        ssekit::httplib_stream(hub, request, response, {.topics = "news"});
    });
    const int port = server.bind_to_any_port("127.0.0.1");
    REQUIRE(port > 0);
    std::thread accepting([&] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();

    std::string got;
    bool whole = false;
    ssekit::doorbell connected;
    std::thread reading([&] {
        httplib::Client client("127.0.0.1", port);
        client.set_read_timeout(1min);
        const auto result = client.Get("/events", [&](const char* bytes, std::size_t size) {
            got.append(bytes, size);
            connected.ring();
            return true;
        });
        whole = bool(result);
        connected.ring();
    });
    CHECK(connected.wait_until(steady_clock::now() + 1min));
    ssekit::httplib_stop(server, hub, {.farewell = {.type = "bye", .data = ""}});
    CHECK(hub.metrics().subscribers == 0);
    CHECK(hub.metrics().flushed == 1);
    accepting.join();
    reading.join();
    CHECK(whole);
    CHECK(got == "id: 1.0\n\nevent: bye\ndata: \n\n");
}

#endif
