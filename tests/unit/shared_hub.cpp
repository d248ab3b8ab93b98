// SPDX-License-Identifier: MIT
#include <ssekit/shared_hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/doorbell.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::shared_hub;
using ssekit::shared_subscription;
using ssekit::stream_end;
using ssekit::time_point;
using support::bell;
using support::doorbell;
using support::scripted_writer;

static_assert(ssekit::buffers_generator<shared_subscription>);

namespace {

constexpr time_point start{10h};

/// A client that reads on a thread of its own, goes away after some events, and comes back with its
/// id until it has heard "bye".
class roamer {
  public:
    roamer(shared_hub& hub, std::size_t publishers, unsigned seed)
        : hub_(hub), next_(publishers), dice_(seed) {}

    void run() {
        while (!over_ && !failed_) visit();
    }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] const std::vector<int>& next() const { return next_; }
    [[nodiscard]] int visits() const { return visits_; }

  private:
    void visit() {
        doorbell bell;
        auto [stream, code] = hub_.subscribe({.topics = "all",
                                              .last_event_id = id_,
                                              .start = ssekit::start_point::earliest,
                                              .on_lag = ssekit::lag_policy::skip_to_oldest},
                                             bell.waker());
        failed_ = failed_ || code != errc::ok;
        ++visits_;
        ssekit::parser parser;
        for (std::size_t events = roll() % 200; events != 0 && !over_ && !failed_;) {
            std::array<std::string_view, 4> slices;
            const std::size_t count = stream.prepare(slices);
            if (count == 0) {
                if (stream.is_done()) over_ = true;
                if (!over_ && !bell.wait()) failed_ = true;
                continue;
            }
            // Slow, and in pieces; when it goes away the rest is lost to it, but not to the hub.
            const std::string_view piece = slices[0].substr(0, 1 + roll() % slices[0].size());
            std::string_view rest = piece;
            while (const ssekit::event_view* event = parser.next(rest)) {
                if (events != 0) --events;
                take(*event);
            }
            if (!parser.last_event_id().empty()) id_ = parser.last_event_id();
            stream.consume(piece.size());
        }
    }

    void take(const ssekit::event_view& event) {
        if (event.type == "bye") {
            over_ = true;
        } else if (event.type == "gap") {
            failed_ = true;
        } else {
            const std::size_t colon = event.data->find(':');
            const auto publisher = static_cast<std::size_t>(number(event.data->substr(0, colon)));
            if (number(event.data->substr(colon + 1)) != next_[publisher]++) failed_ = true;
        }
    }

    static int number(std::string_view text) {
        int value = -1;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    }
    std::size_t roll() {
        dice_ = dice_ * 1664525 + 1013904223;
        return dice_ >> 8;
    }

    shared_hub& hub_;
    std::vector<int> next_; // of each publisher
    unsigned dice_;
    std::string id_;
    int visits_ = 0;
    bool over_ = false;
    bool failed_ = false;
};

} // namespace

TEST_CASE("publishers and streams on many threads lose nothing and double nothing") {
    constexpr int publishers = 3;
    constexpr int each = 400;
    constexpr int clients = 4;
    shared_hub hub(1, {.keep = {.events = publishers * each + 1}});
    hub.tick(start);
    std::vector<std::unique_ptr<roamer>> people;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < clients; ++i) {
        people.push_back(std::make_unique<roamer>(hub, publishers, i));
        threads.emplace_back([&person = *people.back()] { person.run(); });
    }
    // One who never reads, and one whose connection breaks all the time.
    const auto stuck = hub.subscribe({.topics = "all"});
    std::atomic<bool> running = true;
    threads.emplace_back([&] {
        while (running) {
            bell rings;
            auto gone = hub.subscribe({.topics = "all"}, rings.waker());
            std::array<std::string_view, 2> slices;
            gone.subscription.prepare(slices);
        }
    });
    std::vector<std::thread> writers;
    for (int p = 0; p < publishers; ++p) {
        writers.emplace_back([&hub, p] {
            for (int i = 0; i < each; ++i) {
                const std::string data = std::to_string(p) + ":" + std::to_string(i);
                while (hub.publish("all", {.data = data}).ec != errc::ok) std::this_thread::yield();
                hub.tick(start + i * 1ms);
            }
        });
    }
    for (std::thread& writer : writers) writer.join();
    running = false;
    // A farewell is not kept for who comes late, so everybody gets it as an event.
    CHECK(hub.publish("all", {.type = "bye", .data = ""}).ec == errc::ok);
    for (std::thread& thread : threads) thread.join();
    for (const auto& person : people) {
        CHECK_FALSE(person->failed());
        CHECK(person->next() == std::vector<int>(publishers, each));
        CHECK(person->visits() > 1);
    }
    CHECK(hub.metrics().subscribers == 1);
    CHECK(stuck.subscription.end() == stream_end::open);
}

TEST_CASE("destroying a subscription waits for a waker that is running") {
    struct slow_waker {
        std::atomic<bool> running = false;
        std::atomic<bool> finished = false;
        std::atomic<bool> destroying = false;
    } state;
    shared_hub hub(1);
    std::optional<shared_subscription> stream(
        hub.subscribe({.topics = "a"}, {[](void* context) noexcept {
                                            auto& self = *static_cast<slow_waker*>(context);
                                            self.running = true;
                                            self.running.notify_all();
                                            self.destroying.wait(false);
                                            std::this_thread::yield();
                                            self.finished = true;
                                        },
                                        &state})
            .subscription);
    scripted_writer socket;
    CHECK(ssekit::drain(*stream, socket) == drain_status::idle);
    std::thread publisher([&] { CHECK(hub.publish("a", {.data = "1"}).ec == errc::ok); });
    state.running.wait(false);
    state.destroying = true;
    state.destroying.notify_all();
    stream.reset();
    CHECK(state.finished);
    publisher.join();
    CHECK(hub.publish("a", {.data = "2"}).ec == errc::ok);
}

TEST_CASE("a stream outlives its hub and keeps what it has given out") {
    bell rings;
    std::optional<shared_hub> hub(std::in_place, 1);
    auto stream = hub->subscribe({.topics = "a"}, rings.waker()).subscription;
    std::array<std::string_view, 2> slices;
    REQUIRE(stream.prepare(slices) == 1);
    hub.reset();
    CHECK(rings.take() == 1);
    CHECK(slices[0] == "id: 1.0\n\n");
    CHECK(stream.end() == stream_end::cut);
    CHECK(stream.is_done());
    CHECK(stream.prepare(slices) == 0);
    stream.consume(4);
}

TEST_CASE("the loop is woken once until it has looked") {
    bell rings;
    shared_hub hub(1, {.heartbeat = {.interval = 15s}}, rings.waker());
    hub.tick(start);
    CHECK(hub.next_deadline() == ssekit::never);
    char user = 'x';
    auto stream = hub.subscribe({.topics = "a", .user = &user}).subscription;
    CHECK(rings.take() == 1); // the next deadline has moved
    CHECK(hub.next_deadline() <= start + 15s);
    scripted_writer socket;
    CHECK(ssekit::drain(stream, socket) == drain_status::idle);
    CHECK(rings.take() == 0);
    CHECK(hub.publish("a", {.data = "1"}).ec == errc::ok);
    CHECK(hub.publish("a", {.data = "2"}).ec == errc::ok);
    CHECK(rings.take() == 1);
    CHECK(hub.next_ready() == &user);
    CHECK(hub.next_ready() == nullptr);
    CHECK(ssekit::drain(stream, socket) == drain_status::idle);
    CHECK(hub.next_deadline() <= start + 15s);
    CHECK(hub.publish("a", {.data = "3"}).ec == errc::ok);
    CHECK(rings.take() == 1);
    CHECK(hub.next_deadline() == time_point::min()); // somebody is ready
    CHECK(hub.next_ready() == &user);
    stream.reschedule();
    CHECK(rings.take() == 0);
    CHECK(hub.next_deadline() == start);
}

TEST_CASE("several steps under one lock belong together") {
    shared_hub hub(1);
    auto stream = hub.subscribe({.topics = "a"}).subscription;
    hub.with([](ssekit::hub& server) {
        server.publish("a", {.data = "1"});
        server.publish("a", {.data = "2"});
    });
    CHECK(stream.send({.data = "you"}) == errc::ok);
    CHECK(stream.add_topics("b") == errc::ok);
    CHECK(hub.publish("b", {.data = "3"}).ec == errc::ok);
    CHECK(stream.remove_topics("a") == errc::ok);
    hub.close({.farewell = {.data = "bye"}});
    scripted_writer socket;
    CHECK(ssekit::drain(stream, socket) == drain_status::done);
    CHECK(socket.got == "id: 1.0\n\ndata: you\n\nid: 1.3\ndata: 3\n\ndata: bye\n\n");
    CHECK(hub.subscribe({.topics = "a"}).ec == errc::closed);
    CHECK(hub.close_topic("a") == errc::closed);
    CHECK(hub.with([](const ssekit::hub& server) { return server.subscribers("b"); }) == 1);
}
