// SPDX-License-Identifier: MIT
//
// Event streams in the forms that client libraries and SDKs need: the README's table "What readers
// need" is tried out against this program, with and without the option that a reader needs.
//
//     use_for_readers [--port N [OPTION...]]
//
//     no-ids           events have no ids
//     empty-data       the first block has empty data besides its id
//     verdict          the first block is an event that says what the Last-Event-ID was worth
//     retry            the first block has a reconnection time, 100 ms
//     no-heartbeat-ids heartbeats have no ids
//     type-first       the line with the type comes before that with the id
//     short-comments   comments end with their line
//     ping             heartbeats are events of the type "ping", without text
//     ping-data        they have a text, {"type":"ping"}
//     last-word        the last event says why the stream has ended
//
//     GET  /streams/TOPIC             what is published from now on
//     POST /streams/TOPIC             everything that the topic keeps as well, as SDKs ask for it
//     POST /publish/TOPIC?type=TYPE   the body becomes an event; the type may be left out
//     POST /close/TOPIC               the topic is over
#include "http_server.hpp"

#include <ssekit/stream_route.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

namespace {

using uses::Request;
using uses::Response;

using ssekit::hub_options;

struct option {
    std::string_view name;
    void (*apply)(hub_options&);
};
constexpr option all_options[] = {
    {"no-ids", [](hub_options& o) { o.ids = ssekit::event_ids::none; }},
    {"empty-data", [](hub_options& o) { o.opening = ssekit::opening_form::empty_data; }},
    {"verdict", [](hub_options& o) { o.opening = ssekit::opening_form::verdict; }},
    {"retry", [](hub_options& o) { o.retry = std::chrono::milliseconds(100); }},
    {"no-heartbeat-ids", [](hub_options& o) { o.heartbeat_id = false; }},
    {"type-first", [](hub_options& o) { o.order = ssekit::field_order::type_first; }},
    {"short-comments", [](hub_options& o) { o.comments = ssekit::comment_form::line; }},
    {"ping", [](hub_options& o) { o.heartbeat_type = "ping"; }},
    {"ping-data", [](hub_options& o) { o.heartbeat_data = R"({"type":"ping"})"; }},
    {"last-word", [](hub_options& o) { o.end_type = "end"; }},
};

hub_options read_options(std::span<char* const> words) {
    hub_options options = {.heartbeat = {.interval = std::chrono::milliseconds(100)}};
    for (const char* const word : words) {
        const auto* const found =
            std::find_if(std::begin(all_options), std::end(all_options),
                         [&](const option& each) { return each.name == word; });
        if (found == std::end(all_options)) {
            std::fprintf(stderr, "there is no option %s\n", word);
            std::exit(64);
        }
        found->apply(options);
    }
    return options;
}

} // namespace

int main(int argc, char** argv) {
    const int own = std::min(argc, 3); // the server's
    uses::http_server server(own, argv, read_options({argv + own, argv + argc}));

    const auto stream = [&](const Request& request, Response& response, ssekit::start_point start) {
        const std::string topic = request.matches[1].str();
        ssekit::httplib_stream(server.hub(), request, response, {.topics = topic, .start = start},
                               {.allow = "", .accept = ssekit::accept_rule::of_none});
    };
    server.get("/streams/(.+)", [&](const Request& request, Response& response) {
        stream(request, response, ssekit::start_point::live);
    });
    server.post("/streams/(.+)",
                [&](const Request& request, Response& response, const std::string&) {
                    stream(request, response, ssekit::start_point::earliest);
                });
    server.post(
        "/publish/(.+)", [&](const Request& request, Response& response, const std::string& body) {
            const std::string type = request.get_param_value("type");
            const std::string topic = request.matches[1].str();
            uses::answer(response, server.hub().publish(topic, {.type = type, .data = body}).ec);
        });
    server.post("/close/(.+)", [&](const Request& request, Response& response, const std::string&) {
        uses::answer(response, server.hub().close_topic(request.matches[1].str()));
    });
    return server.run();
}
