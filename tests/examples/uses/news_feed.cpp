// SPDX-License-Identifier: MIT
//
// News on several subjects, each reader's choice merged on one stream. Each subject is an event
// type, so that a page listens to what it shows; one Last-Event-ID says for all what was read.
//
//     GET  /news?about=sport,weather    the stream, of all subjects without `about`
//     POST /news/SUBJECT                the body is the news
#include "http_server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace {

using uses::Request;
using uses::Response;

constexpr std::array<std::string_view, 3> subjects = {"politics", "sport", "weather"};

bool exists(std::string_view subject) {
    return std::find(subjects.begin(), subjects.end(), subject) != subjects.end();
}

/// \returns the subjects of "a,b,c", none when one of them does not exist.
std::vector<std::string_view> split(std::string_view list) {
    std::vector<std::string_view> found;
    for (;;) {
        const std::size_t comma = list.find(',');
        found.push_back(list.substr(0, comma));
        if (!exists(found.back())) return {};
        if (comma == list.npos) return found;
        list.remove_prefix(comma + 1);
    }
}

} // namespace

int main(int argc, char** argv) {
    uses::http_server server(argc, argv, {.retry = std::chrono::seconds(1)});
    // [recipe]
    server.get("/news", [&](const Request& request, Response& response) {
        const std::string about = request.get_param_value("about");
        std::vector<std::string_view> wanted = split(about);
        if (about.empty()) wanted.assign(subjects.begin(), subjects.end());
        response.status = 400;
        if (wanted.empty()) return;
        ssekit::httplib_stream(server.hub(), request, response, {.topics = wanted});
    });
    server.post(
        "/news/([a-z]+)", [&](const Request& request, Response& response, const std::string& news) {
            const std::string about = request.matches[1];
            response.status = 404;
            if (!exists(about)) return;
            uses::answer(response, server.hub().publish(about, {.type = about, .data = news}).ec);
        });
    // [recipe]
    return server.run();
}
