// SPDX-License-Identifier: MIT
//
// Event streams from Crow, as far as that goes: Crow cannot stream. A crow::response is sent as a
// whole, with its Content-Length, when `end` is called, and no part of it before: `write` appends
// to the body, `stream_threshold` cuts large bodies that are complete, and a socket is handed over
// to WebSocket routes alone. Nor may a response wait for events: one that is ended after its
// handler has returned destroys its connection while it is in use (issue 843, seen with 1.3.3 and
// master).
//
// So this is polling dressed as an event stream. Each request is answered at once with what is kept
// after its Last-Event-ID; the client, any EventSource, sends the next one after the reconnection
// time that the answer gives. Within what the log keeps, nothing is lost and nothing comes twice.
// An event may be late by that time, and each client sends one request per such interval: set
// `hub_options::retry` to a second, say.
//
// Everything happens in the handler, on any thread: no wakers, no heartbeats, no stream that lives
// on. A client that does not read blocks a thread of the app, because Crow writes a response with a
// blocking call; so `most` should fit in the socket's buffer.
//
// Written against templates: include <crow.h> beside it. Read: 1.3.3, http_response.h and
// http_connection.h.
#ifndef SSEKIT_ADAPTERS_CROW_HPP
#define SSEKIT_ADAPTERS_CROW_HPP

#include <ssekit/header.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/stream_answer.hpp>
#include <ssekit/stream_route.hpp>
#include <ssekit/writer.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// \returns what matters to streams of a crow::request. Lifetime: views of `request`; the method is
/// taken to be the route's.
template <class Request>
[[nodiscard]] request_view crow_request(const Request& request);

/// Effects: answers a request with the events of the hub after its Last-Event-ID, or after the one
/// in `options` if there is one; with none for a client that comes for the first time, unless
/// `options.start` says earliest; or as stream_answer.hpp has it where there is no stream. Throws
/// std::bad_alloc.
/// \param response the crow::response of the same handler; it is ended
/// \param most how many bytes are enough, exceeded by at most one event; the rest comes with the
/// next answer
template <class Request, class Response>
void crow_poll(shared_hub& hub, const Request& request, Response& response,
               const subscribe_options& options, std::size_t most = 16 << 10,
               const stream_route& route = {.allow = ""});

// ---- how

namespace detail {

// A writer.
struct crow_body {
    std::string text = {};

    write_result write_some(std::span<const std::string_view> slices) noexcept {
        text.append(slices[0]);
        return {slices[0].size(), io_status::ready};
    }
};

} // namespace detail

template <class Request>
request_view crow_request(const Request& request) {
    return read_request("GET", request.raw_url, [&](std::string_view name) {
        return std::string_view(request.get_header_value(std::string(name)));
    });
}

template <class Request, class Response>
void crow_poll(shared_hub& hub, const Request& request, Response& response,
               const subscribe_options& options, std::size_t most, const stream_route& route) {
    const request_view asked = crow_request(request);
    detail::crow_body body;
    const auto begin = [&](subscribe_options wanted) {
        wanted.framing = framing::raw;
        auto [stream, refused] = hub.subscribe(wanted);
        // Whatever it says: what is there are whole events, and the client asks for what follows
        // the last of them. If the stream has broken off, the next answer says what is missing.
        if (refused == errc::ok) static_cast<void>(drain(stream, body, most));
        return refused;
    };
    const stream_answer answer = answer_request(hub, asked, route, options, begin);
    response.code = answer.status;
    answer.for_each_header(route, asked, [&](const header& each) {
        response.set_header(std::string(each.name), std::string(each.value));
    });
    if (answer.kind == answer_kind::whole) body.text = answer.body;
    response.end(body.text); // of a HEAD, Crow keeps the body
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
