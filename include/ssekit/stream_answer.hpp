// SPDX-License-Identifier: MIT
//
// From a request to its answer, for every server: what the route says, what the client brings, what
// the hub says, and the words for all of that. A server passes in how it subscribes, and writes the
// answer as it writes others. There are three kinds:
//
//     stream   the status and headers, then what the subscription gives out
//     head     the status and headers alone, because HEAD was asked for
//     whole    the status, the headers and `body`: a refusal, the answer to OPTIONS, or an event
//              stream that is a soft_refusal
#ifndef SSEKIT_STREAM_ANSWER_HPP
#define SSEKIT_STREAM_ANSWER_HPP

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/framing.hpp>
#include <ssekit/header.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/soft_refusal.hpp>
#include <ssekit/stream_route.hpp>
#include <ssekit/subscribe_options.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

enum class answer_kind : std::uint8_t { stream, head, whole };

struct stream_answer {
    answer_kind kind = answer_kind::whole;
    int status = 200;
    bool is_event_stream = false;                   ///< its headers are `stream_headers`
    ssekit::framing framing = ssekit::framing::raw; ///< what the client understands, in HTTP/1
    std::string retry_after = {};                   ///< for the header, in seconds; empty: none
    std::string body = {};                          ///< of a whole answer; empty after 204

    /// Effects: calls `sink(header)` for each header but those of the framing. Lifetime: the header
    /// views the route, the request and this.
    template <class Sink>
    void for_each_header(const stream_route& route, const request_view& request, Sink&& sink) const;

    /// Effects: appends the bytes of HTTP/1.1: the head, or all of a whole answer.
    /// \param more further headers: `Connection: close` for a whole answer, for example; a stream
    /// whose framing is raw has that already
    template <class String>
    void append_to(String& out, const stream_route& route, const request_view& request,
                   std::span<const header> more = {}) const;
};

/// Effects: decides on a request, and subscribes where a stream may begin.
/// \param hub a hub or a shared_hub
/// \param options the client's Last-Event-ID, from the header or the query, and the framing for its
/// version are put in, unless there is an id already
/// \param begin called at most once, with the options: subscribes. \returns what refuses it.
/// Throws std::bad_alloc, and what `begin` throws.
template <class Hub, class Begin>
[[nodiscard]] stream_answer answer_request(Hub& hub, const request_view& request,
                                           const stream_route& route, subscribe_options options,
                                           Begin&& begin);

// ---- how

template <class Sink>
void stream_answer::for_each_header(const stream_route& route, const request_view& request,
                                    Sink&& sink) const {
    if (is_event_stream) {
        for (const header& each : stream_headers) sink(each);
    } else if (!body.empty()) {
        sink(header{"Content-Type", "text/plain"});
    }
    if (!retry_after.empty()) sink(header{"Retry-After", retry_after});
    for_each_route_header(route, request, status, sink);
}

template <class String>
void stream_answer::append_to(String& out, const stream_route& route, const request_view& request,
                              std::span<const header> more) const {
    detail::append_status_line(out, status);
    for_each_header(route, request, [&](const header& each) {
        detail::append_headers(out, {&each, 1});
    });
    detail::append_headers(out, more);
    if (kind == answer_kind::whole) return detail::append_content(out, status, body);
    detail::append_text(out, framing == ssekit::framing::chunked
                                 ? "Transfer-Encoding: chunked\r\n\r\n"
                                 : "Connection: close\r\n\r\n");
}

template <class Hub, class Begin>
stream_answer answer_request(Hub& hub, const request_view& request, const stream_route& route,
                             subscribe_options options, Begin&& begin) {
    stream_answer out{.framing = framing_for(request)};
    const auto refuse = [&out](refusal how, std::string_view why) {
        out.status = how.status;
        if (how.retry_after.count() != 0) {
            const auto seconds = static_cast<std::uint64_t>(how.retry_after.count());
            out.retry_after = detail::decimal(seconds).view();
        }
        if (how.status != 204) out.body.append(why).append("\n");
    };
    if (const int status = stream_status(request, route); status != 200) {
        refuse({status, {}}, reason_phrase(status));
        return out;
    }
    out.is_event_stream = true;
    if (request.method == "HEAD") {
        out.kind = answer_kind::head;
        return out;
    }
    std::string id;
    last_event_id(request, id, id_source::header_or_query);
    if (options.last_event_id.empty()) options.last_event_id = id;
    options.framing = out.framing;
    const errc refused = begin(static_cast<const subscribe_options&>(options));
    if (refused == errc::ok) {
        out.kind = answer_kind::stream;
    } else if (is_refused_softly(refused, request)) {
        out.body = soft_refusal(hub.refused_retry()).body();
    } else {
        out.is_event_stream = false;
        refuse(refusal_of(refused), message(refused));
    }
    return out;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
