// SPDX-License-Identifier: MIT
//
// What all servers in this folder serve, so that each of them shows only what its library needs:
//
//     GET  /events                      the news, from Last-Event-ID on
//     POST /publish?data=TEXT&type=TYPE one event more
//     POST /cut                         cuts all streams, like a shutdown that no longer waits
//     GET  /metrics                     what the hub counts
//
//     NAME [--port N] [--heartbeat MILLISECONDS] [--keep EVENTS]
//
// A server prints "listening on port N". At SIGINT or SIGTERM it says goodbye to its streams and ends
// when they have gone. A stream that has broken off does not end as others do: its connection is
// closed, or its HTTP/2 stream reset, and so its client knows that it is not whole.
#ifndef SSEKIT_EXAMPLES_SERVERS_NEWS_HPP
#define SSEKIT_EXAMPLES_SERVERS_NEWS_HPP

#include <ssekit/errc.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/openmetrics.hpp>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace news {

inline constexpr std::string_view topic = "news";

struct settings {
    std::uint16_t port = 8080;
    std::chrono::milliseconds heartbeat = std::chrono::seconds(15);
    std::size_t keep = 1024;
};

/// Reads the command line, or says what is wrong with it and exits.
inline settings read_settings(int argc, char** argv) {
    settings out;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view name = argv[i];
        const std::string_view value = i + 1 < argc ? argv[i + 1] : "";
        unsigned number = 0;
        const char* const end = value.data() + value.size();
        const auto [stop, error] = std::from_chars(value.data(), end, number);
        const bool good = stop == end && error == std::errc();
        if (good && name == "--port" && number <= 65535) {
            out.port = static_cast<std::uint16_t>(number);
        } else if (good && name == "--heartbeat") {
            out.heartbeat = std::chrono::milliseconds(number);
        } else if (good && name == "--keep") {
            out.keep = number;
        } else {
            std::fprintf(stderr,
                         "usage: %s [--port N] [--heartbeat MILLISECONDS] [--keep EVENTS]\n",
                         argv[0]);
            std::exit(name == "--help" ? 0 : 64);
        }
    }
    return out;
}

inline void announce(unsigned port) {
    std::printf("listening on port %u\n", port);
    std::fflush(stdout);
}

inline ssekit::hub_options hub_options(const settings& wanted) {
    return {.keep = {.events = wanted.keep},
            .heartbeat = {.interval = wanted.heartbeat},
            .retry = std::chrono::seconds(1)};
}

inline ssekit::close_options farewell() {
    return {.farewell = {.type = "bye", .data = ""}};
}

/// For what cannot be refused here.
inline void must(ssekit::errc code) {
    if (code == ssekit::errc::ok) return;
    std::fprintf(stderr, "%s\n", ssekit::message(code).data());
    std::abort();
}

struct answer {
    int status = 200;
    std::string type = "text/plain";
    std::string body = {};
    std::string retry_after = {}; ///< for the header of that name, unless it is empty

    [[nodiscard]] bool is_stream() const { return type == "text/event-stream"; }
};

/// Decides on a request. For a stream the answer's status is 200 and its body is empty: subscribe,
/// unless the method is HEAD.
/// \param hub a hub or a shared_hub.
template <class Hub>
answer answer_to(Hub& hub, const ssekit::request_view& request) {
    if (request.method.empty()) return {400};
    if (request.path() == "/events") {
        const int status = ssekit::stream_status(request);
        return {status, status == 200 ? "text/event-stream" : "text/plain"};
    }
    if (request.path() == "/publish") {
        std::string data;
        std::string type;
        if (request.method != "POST") return {405};
        const auto find = [&](std::string_view name) {
            return ssekit::find_query(request.target, name).value_or("");
        };
        if (!ssekit::percent_decode(find("data"), data)) return {400};
        if (!ssekit::percent_decode(find("type"), type)) return {400};
        const auto [offset, refused] = hub.publish(topic, {.type = type, .data = data});
        if (refused == ssekit::errc::ok) return {202};
        return {400, "text/plain", std::string(ssekit::message(refused)) + "\n"};
    }
    if (request.path() == "/cut") {
        if (request.method != "POST") return {405};
        hub.cut();
        return {202};
    }
    if (request.path() == "/metrics") {
        answer out{200, std::string(media_type(ssekit::metrics_format::openmetrics))};
        ssekit::append_metrics(out.body, hub.metrics(), ssekit::metrics_format::openmetrics);
        out.body += ssekit::openmetrics_end;
        return out;
    }
    return {404};
}

/// The answer to a client whose subscription was refused.
inline answer refused(ssekit::errc code) {
    const ssekit::refusal how = ssekit::refusal_of(code);
    answer out{how.status, "text/plain", std::string(ssekit::message(code)) + "\n"};
    if (how.retry_after.count() != 0) out.retry_after = std::to_string(how.retry_after.count());
    return out;
}

/// The whole HTTP/1.1 response, for servers that have no function for it.
inline std::string response(const answer& what) {
    std::string out;
    const ssekit::header headers[] = {
        {"Content-Type", what.type}, {"Connection", "close"}, {"Retry-After", what.retry_after}};
    ssekit::append_response(out, what.status,
                            std::span(headers).first(what.retry_after.empty() ? 2 : 3), what.body);
    return out;
}

} // namespace news

#endif
