// SPDX-License-Identifier: MIT
//
// Testing an endpoint of your own without a server, a socket or a clock: the hub is real, the
// client's socket is a recorder, and what the client has seen is a list of events to compare. The
// test decides what time it is, how much fits into the socket and when it breaks.
#include <ssekit/epoch.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/testing/event_collector.hpp>
#include <ssekit/testing/recorder.hpp>
#include <ssekit/writer.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

using ssekit::testing::collected_event;
using ssekit::testing::events_of;
using ssekit::testing::recorder;

// ---- what is tested: orders, and their stream

class orders {
  public:
    explicit orders(ssekit::time_point now)
        : hub_(ssekit::new_epoch(), now, {.keep = {.events = 3}}) {}

    /// \returns the id of its event, "" if it was refused.
    std::string place(std::string_view what) {
        const auto [offset, ec] = hub_.publish("orders", {.type = "placed", .data = what});
        return ec == ssekit::errc::ok ? std::string(hub_.id_of(offset)) : "";
    }

    ssekit::subscription follow(const ssekit::request_view& request) {
        return hub_
            .subscribe({.topics = "orders", .last_event_id = request.last_event_id.value_or("")})
            .subscription;
    }

    void pass(ssekit::time_point now) { hub_.tick(now); }

  private:
    ssekit::hub hub_;
};

// ---- the test

class checks {
  public:
    void expect(bool holds, const char* claim) {
        std::printf("%s: %s\n", holds ? "ok" : "NOT OK", claim);
        failed_ = failed_ || !holds;
    }
    [[nodiscard]] int status() const { return failed_ ? 1 : 0; }

  private:
    bool failed_ = false;
};

constexpr ssekit::time_point noon{std::chrono::hours(12)};

// [recipe]
void resumes(checks& test) {
    orders endpoint(noon);
    ssekit::subscription stream = endpoint.follow({.target = "/orders"});
    recorder socket;
    const std::string id = endpoint.place("tea");
    test.expect(ssekit::drain(stream, socket) == ssekit::drain_status::idle, "all of it leaves");
    const std::vector<collected_event> seen = events_of(socket.bytes);
    test.expect(seen == std::vector<collected_event>{{"placed", "tea", id}}, "a client sees it");

    endpoint.place("milk"); // while the client is away
    ssekit::subscription again = endpoint.follow({.last_event_id = seen.back().last_event_id});
    recorder other;
    test.expect(ssekit::drain(again, other) == ssekit::drain_status::idle, "and again");
    test.expect(events_of(other.bytes).front().data == "milk", "it comes back and misses nothing");
}
// [recipe]

void says_what_was_lost(checks& test) {
    orders endpoint(noon);
    const std::string first = endpoint.place("1");
    for (const char* each : {"2", "3", "4", "5"}) endpoint.place(each);
    ssekit::subscription stream = endpoint.follow({.last_event_id = first});
    recorder socket;
    test.expect(ssekit::drain(stream, socket) == ssekit::drain_status::idle, "all of it leaves");
    test.expect(events_of(socket.bytes).front().type == "gap", "who was away too long is told");
}

void stalls(checks& test) {
    orders endpoint(noon);
    ssekit::subscription stream = endpoint.follow({});
    recorder socket{.room = 30}; // bytes: the opening, and the first of an event
    endpoint.place("sugar");
    test.expect(ssekit::drain(stream, socket) == ssekit::drain_status::would_block, "it is full");
    ssekit::testing::event_collector client;
    client.feed(socket.bytes);
    test.expect(client.events.empty(), "half an event is none");
    socket.room = 1000;
    test.expect(ssekit::drain(stream, socket) == ssekit::drain_status::idle, "there is room");
    test.expect(events_of(socket.bytes).size() == 1, "the rest follows, and it is one");
    socket.closed = true;
    endpoint.place("salt");
    test.expect(ssekit::drain(stream, socket) == ssekit::drain_status::closed, "it breaks");
}

void is_silent(checks& test) {
    orders endpoint(noon);
    ssekit::subscription stream = endpoint.follow({});
    recorder socket;
    test.expect(ssekit::drain(stream, socket) == ssekit::drain_status::idle, "it is connected");
    endpoint.pass(noon + std::chrono::minutes(1));
    test.expect(ssekit::drain(stream, socket) == ssekit::drain_status::idle, "nothing is left");
    ssekit::testing::event_collector client;
    client.feed(socket.bytes);
    test.expect(client.comments.size() == 1 && client.events.empty(), "silence has a heartbeat");
}

} // namespace

int main() {
    checks test;
    resumes(test);
    says_what_was_lost(test);
    stalls(test);
    is_silent(test);
    return test.status();
}
