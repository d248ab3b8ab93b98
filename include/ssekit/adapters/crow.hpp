// SPDX-License-Identifier: MIT
//
// Event streams from Crow, as far as they go: Crow can not stream. A crow::response is a whole, and
// leaves with its Content-Length when `end` is called, nothing of it before: `write` appends to the
// body, `stream_threshold` cuts large bodies that are complete, and a socket is handed over to
// WebSocket routes alone. Nor may a response wait for events: one that is ended after its handler
// has returned destroys its connection while it is in use (issue 843, seen with 1.3.3 and master).
//
// So this is polling in the clothes of an event stream. Each request is answered at once with what
// is kept behind its Last-Event-ID; the client, any EventSource, comes back with the next one after
// the reconnection time that the answer gives. Nothing is lost and nothing doubled, within what the
// log keeps. An event is as late as that time is long, and each client costs a request for each:
// set `hub_options::retry` to a second, say.
//
// Everything happens in the handler, on whatever thread: no wakers, no heartbeats, no stream that
// lives on. A client that does not read holds a thread of the app up, for Crow writes a response
// with a blocking call; `most` is to fit into the socket's buffer.
//
// Written against templates: include <crow.h> beside it. Read: 1.3.3, http_response.h and
// http_connection.h.
#ifndef SSEKIT_ADAPTERS_CROW_HPP
#define SSEKIT_ADAPTERS_CROW_HPP

#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/shared_hub.hpp>
#include <ssekit/writer.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ssekit {

/// \returns what matters to streams of a crow::request. Lifetime: views of `request`; the method is
/// taken to be the route's.
template <class Request>
[[nodiscard]] request_view crow_request(const Request& request);

/// Effects: answers a request with the events of the hub behind its Last-Event-ID, or behind that
/// of `options` if it brings one, none from a client that comes for the first time unless
/// `options.start` says earliest; or with the status that says why there is no stream. Headers of
/// your own, those of cors.hpp for example, may be set before. Throws std::bad_alloc.
/// \param response the crow::response of the same handler; it is ended
/// \param most how many bytes are enough, by at most an event; the rest comes with the next answer
template <class Request, class Response>
void crow_poll(shared_hub& hub, const Request& request, Response& response,
               subscribe_options options, std::size_t most = 16 << 10);

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

template <class Response>
void crow_refuse(Response& response, refusal how, std::string_view why) {
    response.code = how.status;
    if (how.retry_after.count() != 0) {
        response.set_header("Retry-After", std::to_string(how.retry_after.count()));
    }
    if (how.status == 204) return response.end();
    response.set_header("Content-Type", "text/plain");
    response.end(std::string(why) + "\n");
}

} // namespace detail

template <class Request>
request_view crow_request(const Request& request) {
    return read_request("GET", request.raw_url, [&](std::string_view name) {
        return std::string_view(request.get_header_value(std::string(name)));
    });
}

template <class Request, class Response>
void crow_poll(shared_hub& hub, const Request& request, Response& response,
               subscribe_options options, std::size_t most) {
    const request_view asked = crow_request(request);
    if (const int status = stream_status(asked); status != 200) {
        return detail::crow_refuse(response, {status, {}}, reason_phrase(status));
    }
    std::string id;
    last_event_id(asked, id, id_source::header_or_query);
    if (options.last_event_id.empty()) options.last_event_id = id;
    options.framing = framing::raw;
    detail::crow_body body;
    {
        auto [stream, refused] = hub.subscribe(options);
        if (refused != errc::ok) {
            return detail::crow_refuse(response, refusal_of(refused), message(refused));
        }
        drain(stream, body, most);
    }
    for (const header& each : stream_headers) {
        response.set_header(std::string(each.name), std::string(each.value));
    }
    response.end(body.text); // of a HEAD, Crow keeps the body
}

} // namespace ssekit

#endif
