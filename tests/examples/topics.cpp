// SPDX-License-Identifier: MIT
//
// Who gets what: topics, patterns, tags, and what a client gets that cannot keep up.

#undef NDEBUG // the asserts are the point
#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/openmetrics.hpp>
#include <ssekit/writer.hpp>

#include <array>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using std::chrono::steady_clock;

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

/// What to do about a refusal is each program's own affair; this one ends.
void check(ssekit::errc code) {
    if (code == ssekit::errc::ok) return;
    std::fprintf(stderr, "%s\n", ssekit::message(code).data());
    std::exit(1);
}

/// The line of an event's id.
std::string line(const ssekit::hub& hub, std::uint64_t offset) {
    return "id: " + std::string(hub.id_of(offset)) + "\n";
}

void who_gets_what() {
    // [topics]
    ssekit::hub hub(ssekit::new_epoch(), steady_clock::now(),
                    {.max_subscribers_per_tag = 8}); // eight tabs a user
    auto [stream, refused] = hub.subscribe({
        .topics = "news",
        .patterns = "jobs/*", // every job, those to come as well
        .tag = "user-7",
    });
    check(refused);

    check(hub.publish("news", {.data = "to all readers of news"}).ec); // or why it was refused
    check(hub.publish("jobs/12", {.type = "progress", .data = "50"}).ec);
    check(hub.publish_to_tag("user-7", {.data = "to all tabs of one user"}).ec);
    check(hub.publish_to_all({.data = "to everybody"}).ec);
    check(stream.send({.data = "to this stream alone"})); // without an id, and not kept
    check(hub.publish({"news", "jobs/12"}, {.data = "to readers of either, once"}).ec);
    check(hub.keep_pattern("jobs/*", {.events = 50})); // also while nobody reads it
    check(hub.close_topic("jobs/12", {.type = "complete", .data = ""}));
    // [topics]

    browser seen;
    assert(drain(stream, seen) == ssekit::drain_status::idle);
    assert(seen.got == line(hub, 0) + "\n" + line(hub, 1) + "data: to all readers of news\n\n" +
                           line(hub, 2) + "event: progress\ndata: 50\n\n" + line(hub, 3) +
                           "data: to all tabs of one user\n\n" + line(hub, 4) +
                           "data: to everybody\n\n" + "data: to this stream alone\n\n" +
                           line(hub, 5) + "data: to readers of either, once\n\n" + line(hub, 6) +
                           "event: complete\ndata: \n\n");
}

void page_that_goes_on() {
    ssekit::hub hub(ssekit::new_epoch(), steady_clock::now());
    check(hub.publish("orders", {.data = "order 1 was paid"}).ec);
    // [cursor]
    // While the page is rendered: first the cursor, then the state that the page shows.
    const std::string cursor(hub.cursor("orders").view()); // <main data-cursor="...">
    check(hub.publish("orders", {.data = "order 2 was paid"}).ec);
    // Its script opens new EventSource("/events?lastEventId=" + cursor), and gets order 2.
    auto [stream, refused] = hub.subscribe({.topics = "orders", .last_event_id = cursor});
    check(refused);
    // [cursor]
    browser seen;
    assert(drain(stream, seen) == ssekit::drain_status::idle);
    assert(seen.got == line(hub, 1) + "\n" + line(hub, 2) + "data: order 2 was paid\n\n");
}

void slow_clients() {
    ssekit::hub hub(ssekit::new_epoch(), steady_clock::now());
    // [ticker]
    auto [ticker, refused] = hub.subscribe({
        .topics = "prices",
        .on_lag = ssekit::lag_policy::coalesce, // of each key the newest is enough
        .throttle = 250ms,                      // and four times a second
    });
    check(refused);
    check(hub.publish("prices", {.data = "ACME 41"}, "ACME").ec);
    check(hub.publish("prices", {.data = "WILE 7"}, "WILE").ec);
    check(hub.publish("prices", {.data = "ACME 42"}, "ACME").ec); // replaces 41
    // [ticker]
    browser seen;
    assert(drain(ticker, seen) == ssekit::drain_status::idle);
    assert(seen.got == line(hub, 0) + "\n" + line(hub, 2) + "data: WILE 7\n\n" + line(hub, 3) +
                           "data: ACME 42\n\n");
}

void metrics() {
    const ssekit::hub hub(ssekit::new_epoch(), steady_clock::now());
    // [metrics]
    std::string answer; // to GET /metrics
    ssekit::append_metrics(answer, hub.metrics(), ssekit::metrics_format::openmetrics);
    // [metrics]
    assert(answer.ends_with("# EOF\n"));
}

} // namespace

int main() {
    who_gets_what();
    page_that_goes_on();
    slow_clients();
    metrics();
}
