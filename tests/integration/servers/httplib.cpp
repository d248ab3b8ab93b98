// SPDX-License-Identifier: MIT
//
// Stopping a cpp-httplib server, with whatever hub.
#if defined(SSEKIT_TEST_HTTPLIB) // says the build where cpp-httplib is linked

#include <ssekit/adapters/httplib.hpp>
#include <ssekit/doorbell.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/time.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST_CASE("httplib: the deadline of a stop counts from now, whenever the hub was told the time") {
    httplib::Server server;
    const ssekit::time_point before = steady_clock::now();
    ssekit::shared_hub hub(ssekit::new_epoch(), before - 1h);
    CHECK(ssekit::httplib_stop(server, hub, {.deadline = 1min}) == ssekit::errc::ok);
    CHECK(hub.next_deadline() >= before + 1min);
}

TEST_CASE("httplib: a stop lets every stream come to its end and needs no loop of the hub") {
    httplib::Server server;
    ssekit::shared_hub hub(ssekit::new_epoch(), steady_clock::now());
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
    const ssekit::close_options bye = {.farewell = {.type = "bye", .data = ""}};
    CHECK(ssekit::httplib_stop(server, hub, bye) == ssekit::errc::ok);
    CHECK(hub.subscriptions() == 0);
    CHECK(hub.metrics().flushed == 1);
    accepting.join();
    reading.join();
    CHECK(whole);
    const std::string id(hub.with([](ssekit::hub& all) { return all.id_of(0); }));
    CHECK(got == "id: " + id + "\n\nevent: bye\ndata: \n\n");
}

TEST_CASE("httplib: a stream that has broken off is no whole response, also when it was idle") {
    for (const bool destroyed : {false, true}) {
        httplib::Server server;
        std::optional<ssekit::shared_hub> hub(std::in_place, ssekit::new_epoch(),
                                              steady_clock::now());
        server.Get("/events", [&](const httplib::Request& request, httplib::Response& response) {
            ssekit::httplib_stream(*hub, request, response, {.topics = "news"});
        });
        const int port = server.bind_to_any_port("127.0.0.1");
        REQUIRE(port > 0);
        std::thread accepting([&] { server.listen_after_bind(); });
        while (!server.is_running()) std::this_thread::yield();

        bool whole = true;
        ssekit::doorbell connected;
        std::thread reading([&] {
            httplib::Client client("127.0.0.1", port);
            client.set_read_timeout(1min);
            whole = bool(client.Get("/events", [&](const char*, std::size_t) {
                connected.ring();
                return true;
            }));
        });
        CHECK(connected.wait_until(steady_clock::now() + 1min));
        if (destroyed) {
            hub.reset();
        } else {
            hub->with([](ssekit::hub& all) { all.cut(); });
        }
        reading.join();
        CHECK_FALSE(whole);
        server.stop();
        accepting.join();
    }
}

#endif
