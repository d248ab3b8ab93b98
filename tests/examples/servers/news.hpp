// SPDX-License-Identifier: MIT
//
// What all servers in this folder serve, so that each of them shows only what its library needs:
//
//     GET  /events                      the news, from Last-Event-ID on
//     POST /publish?data=TEXT&type=TYPE one event more
//     POST /close                       there will be no more news
//     POST /cut                         cuts all streams, like a shutdown that no longer waits
//     GET  /metrics                     what the hub counts
//
//     NAME [--port N] [--bind ADDRESS] [--heartbeat MILLISECONDS] [--keep EVENTS]
//          [--drain MILLISECONDS]
//
// A server prints "listening on port N". At SIGINT or SIGTERM it says goodbye to its streams and ends
// when they have gone; with --drain the news goes on until it is closed, at most for that time. As
// long as there are streams the server listens: who comes meanwhile is told to come back. A stream
// that has broken off does not end as others do: its connection is closed without a last chunk, or
// reset where there are no chunks, or its HTTP/2 stream is reset; and so its client knows that it is
// not whole.
#ifndef SSEKIT_EXAMPLES_SERVERS_NEWS_HPP
#define SSEKIT_EXAMPLES_SERVERS_NEWS_HPP

#include <ssekit/errc.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/openmetrics.hpp>
#include <ssekit/soft_refusal.hpp>
#include <ssekit/stream_route.hpp>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace news {

inline constexpr std::string_view topic = "news";

struct settings {
    std::uint16_t port = 8080;
    std::string bind = "127.0.0.1"; ///< an IPv4 address of this machine; 0.0.0.0 for all
    std::chrono::milliseconds heartbeat = std::chrono::seconds(15);
    std::size_t keep = 1024;
    std::chrono::milliseconds drain = {}; ///< how long the news goes on after a signal
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
        if (name == "--bind" && !value.empty()) {
            out.bind = value;
        } else if (good && name == "--port" && number <= 65535) {
            out.port = static_cast<std::uint16_t>(number);
        } else if (good && name == "--heartbeat") {
            out.heartbeat = std::chrono::milliseconds(number);
        } else if (good && name == "--keep") {
            out.keep = number;
        } else if (good && name == "--drain") {
            out.drain = std::chrono::milliseconds(number);
        } else {
            std::fprintf(stderr,
                         "usage: %s [--port N] [--bind ADDRESS] [--heartbeat MILLISECONDS]"
                         " [--keep EVENTS] [--drain MILLISECONDS]\n",
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

// [close]
/// How the hub is closed: all say goodbye at once, or when the news is closed.
inline ssekit::close_options farewell(const settings& wanted) {
    ssekit::close_options how{.farewell = {.type = "bye", .data = ""},
                              .deadline = std::chrono::seconds(5)};
    if (wanted.drain.count() != 0) {
        how.deadline = wanted.drain;
        how.unfinished = topic;
    }
    return how;
}
// [close]

/// For what cannot be refused here.
inline void must(ssekit::errc code) {
    if (code == ssekit::errc::ok) return;
    std::fprintf(stderr, "%s\n", ssekit::message(code).data());
    std::abort();
}

/// Closes a hub, without its goodbye where there is no memory for one.
/// \param wake fired when all have gone; for a shared_hub.
template <class Hub, class... Waker>
void close(Hub& hub, const settings& wanted, Waker... wake) {
    ssekit::close_options how = farewell(wanted);
    if (hub.close(how, wake...) == ssekit::errc::ok) return;
    how.farewell = {};
    must(hub.close(how, wake...));
}

/// Counts itself, for as long as it lives: an asynchronous operation that has been given up, for want
/// of memory, never calls its handler, but destroys it.
class counted {
  public:
    explicit counted(int& count) noexcept : count_(&count) { ++count; }
    counted(counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    counted& operator=(counted&&) = delete;
    ~counted() {
        if (count_ != nullptr) --*count_;
    }

  private:
    int* count_;
};

struct answer {
    int status = 200;
    std::string type = "text/plain";
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> more = {}; ///< further headers
    bool omits_body = false; ///< it answers HEAD, where only the body's length is told

    [[nodiscard]] bool is_stream() const { return type == "text/event-stream" && body.empty(); }
};

/// The answer to a method that is not among those allowed; with 204, to the question which are.
inline answer allow(std::string_view methods, int status = 405) {
    return {status, "text/plain", {}, {{"Allow", std::string(methods)}}};
}

template <class Hub>
answer answer_with_body(Hub& hub, const ssekit::request_view& request) {
    if (request.method.empty()) return {400};
    if (request.path() == "/events") {
        const int status = ssekit::stream_status(request);
        if (status == 204 || status == 405) return allow(ssekit::stream_methods, status);
        return {status, status == 200 ? "text/event-stream" : "text/plain"};
    }
    if (request.path() == "/publish") {
        std::string data;
        std::string type;
        if (request.method != "POST") return allow("POST");
        const auto find = [&](std::string_view name) {
            return ssekit::find_query(request.target, name).value_or("");
        };
        if (!ssekit::percent_decode(find("data"), data)) return {400};
        if (!ssekit::percent_decode(find("type"), type)) return {400};
        const auto [offset, refused] = hub.publish(topic, {.type = type, .data = data});
        if (refused == ssekit::errc::ok) return {202};
        return {400, "text/plain", std::string(ssekit::message(refused)) + "\n"};
    }
    if (request.path() == "/close") {
        if (request.method != "POST") return allow("POST");
        const ssekit::errc refused = hub.close_topic(topic);
        return {refused == ssekit::errc::ok ? 202 : 400};
    }
    if (request.path() == "/cut") {
        if (request.method != "POST") return allow("POST");
        hub.cut();
        return {202};
    }
    if (request.path() == "/metrics") {
        if (request.method != "GET" && request.method != "HEAD") return allow("GET, HEAD");
        answer out{200, std::string(media_type(ssekit::metrics_format::openmetrics))};
        ssekit::append_metrics(out.body, hub.metrics(), ssekit::metrics_format::openmetrics);
        out.body += ssekit::openmetrics_end;
        return out;
    }
    return {404};
}

/// Decides on a request. For a stream the answer's status is 200 and its body is empty: subscribe,
/// unless the method is HEAD.
/// \param hub a hub or a shared_hub.
template <class Hub>
answer answer_to(Hub& hub, const ssekit::request_view& request) {
    answer out = answer_with_body(hub, request);
    out.omits_body = request.method == "HEAD";
    return out;
}

// [refused]
/// The answer to a client whose subscription was refused: a browser is to come back.
template <class Hub>
answer refused(Hub& hub, const ssekit::request_view& request, ssekit::errc code) {
    if (ssekit::is_refused_softly(code, request)) {
        const ssekit::soft_refusal soft(hub.refused_retry());
        answer out{200, "text/event-stream", std::string(soft.body())};
        out.omits_body = request.method == "HEAD";
        for (const auto& [name, value] : ssekit::stream_headers) {
            if (name != "Content-Type") out.more.emplace_back(name, value);
        }
        return out;
    }
    const ssekit::refusal how = ssekit::refusal_of(code);
    answer out{how.status, "text/plain", std::string(ssekit::message(code)) + "\n"};
    out.omits_body = request.method == "HEAD";
    if (how.retry_after.count() != 0) {
        out.more.emplace_back("Retry-After", std::to_string(how.retry_after.count()));
    }
    return out;
}
// [refused]

/// The whole HTTP/1.1 response, for servers that have no function for it.
inline std::string response(const answer& what) {
    std::string out;
    std::vector<ssekit::header> headers = {{"Content-Type", what.type}, {"Connection", "close"}};
    for (const auto& [name, value] : what.more) headers.push_back({name, value});
    ssekit::append_response(out, what.status, headers, what.body);
    if (what.omits_body) out.resize(out.size() - what.body.size());
    return out;
}

} // namespace news

#endif
