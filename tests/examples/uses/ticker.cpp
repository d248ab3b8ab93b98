// SPDX-License-Identifier: MIT
//
// Prices that change more often than anybody can look: a reader gets what is new at most five times
// a second, and of each symbol the newest price only.
//
//     GET /prices    the stream: "SYMBOL PRICE"
#include "http_server.hpp"

#include <array>
#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace {

using uses::Request;
using uses::Response;

constexpr std::array<std::string_view, 5> symbols = {"AAA", "BBB", "CCC", "DDD", "EEE"};

void trade(ssekit::shared_hub& hub, const std::stop_token& stop) {
    int price = 0;
    do {
        ++price;
        for (const std::string_view symbol : symbols) {
            const std::string data = std::string(symbol) + " " + std::to_string(price);
            uses::taken(hub.publish("prices", {.data = data}, symbol).ec); // the symbol is the key
        }
    } while (uses::go_on_after(std::chrono::milliseconds(1), stop));
}

} // namespace

int main(int argc, char** argv) {
    uses::http_server server(argc, argv);
    // [recipe]
    server.get("/prices", [&](const Request& request, Response& response) {
        ssekit::httplib_stream(server.hub(), request, response,
                               {.topics = "prices",
                                .on_lag = ssekit::lag_policy::coalesce,
                                .throttle = std::chrono::milliseconds(200)});
    });
    // [recipe]
    const std::jthread market([&](const std::stop_token& stop) { trade(server.hub(), stop); });
    return server.run();
}
