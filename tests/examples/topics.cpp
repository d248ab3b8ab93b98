// SPDX-License-Identifier: MIT
//
// Who gets what: topics, patterns, tags, and what a client gets that cannot keep up.

#undef NDEBUG // the asserts are the point
#include <ssekit/epoch.hpp>
#include <ssekit/http.hpp>
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
    check(hub.publish_transient("news", {.type = "typing", .data = "eve"}).ec); // not kept either
    check(hub.keep_pattern("jobs/*", {.events = 50})); // also while nobody reads it
    check(hub.close_topic("jobs/12", {.type = "complete", .data = ""}));
    // [topics]

    browser seen;
    assert(drain(stream, seen) == ssekit::drain_status::idle);
    assert(seen.got == line(hub, 0) + "\n" + line(hub, 1) + "data: to all readers of news\n\n" +
                           line(hub, 2) + "event: progress\ndata: 50\n\n" + line(hub, 3) +
                           "data: to all tabs of one user\n\n" + line(hub, 4) +
                           "data: to everybody\n\n" + "data: to this stream alone\n\n" +
                           line(hub, 5) + "data: to readers of either, once\n\n" +
                           "event: typing\ndata: eve\n\n" + line(hub, 7) +
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

void topics_that_come_and_go() {
    int answered = 0;
    const auto answer = [&](const ssekit::refusal& how) { answered = how.status; };
    // [jobs]
    ssekit::hub hub(ssekit::new_epoch(), steady_clock::now(), {.max_topics = 1000});
    check(hub.publish("jobs/12", {.type = "progress", .data = "50"}).ec);
    check(hub.close_topic("jobs/12", {.type = "complete", .data = ""}, 10min));

    const std::string asked = "jobs/13"; // what a client wants to follow
    auto [stream, refused] = hub.subscribe({.topics = asked, .must_exist = true});
    if (refused != ssekit::errc::ok) answer(ssekit::refusal_of(refused)); // 404: there is none
    // [jobs]
    assert(answered == 404);
    assert(hub.find_topic("jobs/12")->closed);
}

void one_stream_each() {
    // [windows]
    const auto now = steady_clock::now();
    ssekit::hub hub(ssekit::new_epoch(), now,
                    {.max_subscribers_per_tag = 1,
                     .on_full_tag = ssekit::full_tag::oldest_gives_way,
                     .give_way_type = "moved"});
    auto [before, refused] = hub.subscribe({.topics = "news", .tag = "user-7"});
    check(refused);
    // The page is loaded again, with a token that ends in ten minutes.
    auto [after, refused_too] =
        hub.subscribe({.topics = "news", .tag = "user-7", .expires_at = now + 10min});
    check(refused_too);
    check(after.expire_at(now + 1h)); // the token has been renewed
    // [windows]
    browser seen;
    assert(drain(before, seen) == ssekit::drain_status::done);
    assert(before.end() == ssekit::stream_end::replaced);
    assert(seen.got.find("event: moved\n") != seen.got.npos);
    assert(drain(after, seen) == ssekit::drain_status::idle);
    hub.tick(now + 59min);
    assert(after.end() == ssekit::stream_end::open);
}

void newest_first() {
    ssekit::hub hub(ssekit::new_epoch(), steady_clock::now());
    // [values]
    check(hub.keep("gauges", {.events = 100, .values = {.keys = 1000}}));
    check(hub.publish("gauges", {.data = "boiler 71"}, "boiler").ec);
    check(hub.publish("gauges", {.data = "pump 3"}, "pump").ec);
    check(hub.publish("gauges", {.data = "boiler 72"}, "boiler").ec);
    check(hub.publish("gauges", {.data = "pump gone"}, ssekit::removal_of("pump")).ec);

    auto [stream, refused] = hub.subscribe({
        .topics = "gauges",
        .start = ssekit::start_point::newest_of_each_key, // boiler 72, however long ago that was
        .on_gap = ssekit::gap_policy::newest_of_each_key, // also after too long an absence
        .on_lag = ssekit::lag_policy::newest_of_each_key, // also for a client that is too slow
    });
    check(refused);
    // [values]
    browser seen;
    assert(drain(stream, seen) == ssekit::drain_status::idle);
    assert(seen.got == line(hub, 3) + "data: boiler 72\n\n");
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

void careful_publisher() {
    ssekit::hub hub(ssekit::new_epoch(), steady_clock::now(),
                    {.keep = {.burst = {.events = 1024}}});
    ssekit::subscribe_result made = hub.subscribe({.topics = "import"});
    check(made.ec);
    browser seen;
    std::size_t waits = 0;
    const auto let_them_read = [&] {
        ++waits;
        assert(drain(made.subscription, seen) == ssekit::drain_status::idle);
    };
    for (int row = 0; row < 3000; ++row) {
        // [pressure]
        const std::string data = std::to_string(row);
        const std::size_t bytes = data.size() + 64; // with its id
        // Would anybody lose an event by it?
        if (hub.would_lag("import", bytes) != 0) let_them_read();
        check(hub.publish("import", {.data = data}).ec);
        // [pressure]
    }
    assert(waits == 2);
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
    topics_that_come_and_go();
    one_stream_each();
    newest_first();
    slow_clients();
    careful_publisher();
    metrics();
}
