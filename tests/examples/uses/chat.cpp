// SPDX-License-Identifier: MIT
//
// Rooms to chat in: everybody in a room sees what is posted to it, and a newcomer sees what was
// said last. A message is text of any kind and any number of lines; its first line says who spoke.
//
//     GET  /rooms/NAME             the stream of a room
//     POST /rooms/NAME?from=WHO    the body is the message
#include "http_server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace {

using uses::Request;
using uses::Response;

// If clients could choose names, they could make topics: these are the only rooms.
constexpr std::array<std::string_view, 3> rooms = {"garden", "kitchen", "library"};

bool exists(const std::string& room) {
    return std::find(rooms.begin(), rooms.end(), room) != rooms.end();
}

bool is_name(std::string_view text) {
    const auto good = [](char c) { return c == '-' || (c >= 'a' && c <= 'z'); };
    return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), good);
}

} // namespace

int main(int argc, char** argv) {
    uses::http_server server(argc, argv, {.keep = {.events = 100, .age = std::chrono::hours(24)}});
    // [recipe]
    server.get("/rooms/([a-z]+)", [&](const Request& request, Response& response) {
        const std::string room = request.matches[1];
        response.status = 404;
        if (!exists(room)) return;
        ssekit::httplib_stream(server.hub(), request, response,
                               {.topics = room, .start = ssekit::start_point::earliest});
    });
    server.post("/rooms/([a-z]+)", [&](const Request& request, Response& response,
                                       const std::string& text) {
        const std::string room = request.matches[1];
        const std::string from = request.get_param_value("from");
        response.status = exists(room) ? 400 : 404;
        if (!exists(room) || !is_name(from)) return;
        uses::answer(response, server.hub().publish(room, {.data = from + "\n" + text}).ec);
    });
    // [recipe]
    return server.run();
}
