// SPDX-License-Identifier: MIT
//
// Who is in the room: a newcomer gets the list of those who are there, and then everybody who comes
// and goes. A page that is loaded again has not gone.
//
//     GET /room?name=NAME    the stream: "here" with the list, then "presence" for each change
//     GET /people            how many are there
#include "http_server.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using uses::Request;
using uses::Response;

bool is_name(std::string_view text) {
    const auto good = [](char c) { return c == '-' || (c >= 'a' && c <= 'z'); };
    return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), good);
}

// [recipe]
// A window that was closed is noticed when a heartbeat cannot be written.
constexpr ssekit::hub_options with_presence = {
    .heartbeat = {.interval = 500ms},
    .presence = ssekit::presence_options{.topic = "room", .grace = 1500ms},
};

std::string people_in(const ssekit::shared_hub& hub) {
    std::string list;
    hub.for_each_present([&](std::string_view name) { list.append(name).append("\n"); });
    return list;
}
// [recipe]

} // namespace

int main(int argc, char** argv) {
    uses::http_server server(argc, argv, with_presence);
    // [recipe]
    server.get("/room", [&](const Request& request, Response& response) {
        const std::string name = request.get_param_value("name");
        response.status = 400;
        if (!is_name(name)) return;
        auto* const stream = ssekit::httplib_stream(server.hub(), request, response,
                                                    {.topics = "room", .tag = name});
        if (stream == nullptr) return; // refused, and answered
        uses::taken(stream->send({.type = "here", .data = people_in(server.hub())}));
    });
    // [recipe]
    server.get("/people", [&](const Request&, Response& response) {
        const std::string count = std::to_string(server.hub().metrics().tags_present);
        response.set_content(count + "\n", "text/plain");
    });
    return server.run();
}
