// SPDX-License-Identifier: MIT
//
// Who gets what: topics, patterns, tags, and what a client gets that can not keep up.

#undef NDEBUG // the asserts are the point
#include <ssekit/hub.hpp>
#include <ssekit/openmetrics.hpp>
#include <ssekit/writer.hpp>

#include <array>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace {

struct browser {
    std::string got = {};

    ssekit::write_result write_some(std::span<const std::string_view> slices) noexcept {
        std::size_t bytes = 0;
        for (const std::string_view slice : slices) {
            got += slice;
            bytes += slice.size();
        }
        return {bytes, ssekit::io_status::ready};
    }
};

void who_gets_what() {
    // [topics]
    ssekit::hub hub(1, {.max_subscribers_per_tag = 8}); // eight tabs a user
    auto [stream, refused] = hub.subscribe({
        .topics = "news",
        .patterns = "jobs/*", // every job, those to come as well
        .tag = "user-7",
    });
    assert(refused == ssekit::errc::ok);

    hub.publish("news", {.data = "to all readers of news"});
    hub.publish("jobs/12", {.type = "progress", .data = "50"});
    hub.publish_to_tag("user-7", {.data = "to all tabs of one user"});
    hub.publish_to_all({.data = "to everybody"});
    stream.send({.data = "to this stream alone"}); // without an id, and not kept
    hub.close_topic("jobs/12", {.type = "complete", .data = ""});
    // [topics]

    browser seen;
    assert(drain(stream, seen) == ssekit::drain_status::idle);
    assert(seen.got == "id: 1.0\n\n"
                       "id: 1.1\ndata: to all readers of news\n\n"
                       "id: 1.2\nevent: progress\ndata: 50\n\n"
                       "id: 1.3\ndata: to all tabs of one user\n\n"
                       "id: 1.4\ndata: to everybody\n\n"
                       "data: to this stream alone\n\n"
                       "id: 1.5\nevent: complete\ndata: \n\n");
}

void slow_clients() {
    ssekit::hub hub(1);
    hub.tick(ssekit::time_point(1h));
    // [ticker]
    auto [ticker, refused] = hub.subscribe({
        .topics = "prices",
        .on_lag = ssekit::lag_policy::coalesce, // of each key the newest is enough
        .throttle = 250ms,                      // and four times a second
    });
    hub.publish("prices", {.data = "ACME 41"}, "ACME");
    hub.publish("prices", {.data = "WILE 7"}, "WILE");
    hub.publish("prices", {.data = "ACME 42"}, "ACME"); // replaces 41
    // [ticker]
    assert(refused == ssekit::errc::ok);
    browser seen;
    assert(drain(ticker, seen) == ssekit::drain_status::idle);
    assert(seen.got == "id: 1.0\n\nid: 1.2\ndata: WILE 7\n\nid: 1.3\ndata: ACME 42\n\n");
}

void metrics() {
    ssekit::hub hub(1);
    // [metrics]
    std::string answer; // to GET /metrics
    ssekit::append_metrics(answer, hub.metrics(), ssekit::metrics_format::openmetrics);
    // [metrics]
    assert(answer.ends_with("# EOF\n"));
}

} // namespace

int main() {
    who_gets_what();
    slow_clients();
    metrics();
}
