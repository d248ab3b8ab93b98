// SPDX-License-Identifier: MIT
//
// A dashboard: gauges that change four times a second, and one that has been quiet since the
// program began. A new client sees all of them at once, and a slow one sees the newest of each.
//
//     GET /         a page
//     GET /gauges   the stream
#include "http_server.hpp"

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace {

using uses::Request;
using uses::Response;

constexpr std::string_view page = R"(<!doctype html>
<meta charset="utf-8">
<title>Gauges</title>
<dl></dl>
<script>
const list = document.querySelector("dl"), cells = {};
new EventSource("/gauges").addEventListener("gauge", event => {
    const { name, value } = JSON.parse(event.data);
    if (!cells[name]) {
        list.append(Object.assign(document.createElement("dt"), { textContent: name }));
        list.append(cells[name] = document.createElement("dd"));
    }
    cells[name].textContent = value;
});
</script>
)";

// [recipe]
struct gauge {
    std::string_view name;
    std::uint64_t value;
};

void publish(ssekit::shared_hub& hub, const gauge& what) {
    const std::string data = "{\"name\":\"" + std::string(what.name) +
                             "\",\"value\":" + std::to_string(what.value) + "}";
    // The name is the key.
    uses::taken(hub.publish("gauges", {.type = "gauge", .data = data}, what.name).ec);
}

// The log is short, for few come back to it; the newest value of each gauge stays for ever.
constexpr ssekit::retention last_seconds = {.events = 12, .values = {.keys = 1000}};

constexpr ssekit::subscribe_options newest_of_each = {
    .topics = "gauges",
    .start = ssekit::start_point::newest_of_each_key,
    .on_gap = ssekit::gap_policy::newest_of_each_key,
    .on_lag = ssekit::lag_policy::coalesce,
};
// [recipe]

void measure(ssekit::shared_hub& hub, const std::stop_token& stop) {
    uses::taken(hub.keep("gauges", last_seconds));
    publish(hub, {"version", 7}); // once, and then never again
    std::uint64_t rounds = 0;
    do {
        const ssekit::hub_metrics now = hub.metrics();
        publish(hub, {"rounds", ++rounds});
        publish(hub, {"streams", now.subscribers});
        publish(hub, {"published", now.published});
    } while (uses::go_on_after(std::chrono::milliseconds(250), stop));
}

} // namespace

int main(int argc, char** argv) {
    uses::http_server server(argc, argv);
    server.get("/", [](const Request&, Response& response) {
        response.set_content(page.data(), page.size(), "text/html");
    });
    server.get("/gauges", [&](const Request& request, Response& response) {
        ssekit::httplib_stream(server.hub(), request, response, newest_of_each);
    });
    const std::jthread meter([&](const std::stop_token& stop) { measure(server.hub(), stop); });
    return server.run();
}
