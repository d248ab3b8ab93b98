// SPDX-License-Identifier: MIT
#include <ssekit/doorbell.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

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
using ssekit::doorbell;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::shared_hub;
using ssekit::shared_subscription;
using ssekit::stream_end;
using ssekit::time_point;
using support::bell;
using support::exactly;
using support::morning;
using support::scripted_writer;

static_assert(ssekit::buffers_generator<shared_subscription>);

namespace {

/// \returns whether it has rung, within a time that only a hang exceeds.
bool rang(doorbell& bell) {
    return bell.wait_until(std::chrono::steady_clock::now() + 1min);
}

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
                if (!over_ && !rang(bell)) failed_ = true;
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
    shared_hub hub(1, {}, {.keep = exactly(publishers * each + 1)});
    hub.tick(morning);
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
                hub.tick(morning + i * 1ms);
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
    shared_hub hub(1, {}, {});
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
    std::optional<shared_hub> hub(std::in_place, 1, ssekit::time_point());
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
    shared_hub hub(1, {}, {.heartbeat = {.interval = 15s}}, rings.waker());
    hub.tick(morning);
    CHECK(hub.next_deadline() == ssekit::never);
    char user = 'x';
    auto stream = hub.subscribe({.topics = "a", .user = &user}).subscription;
    CHECK(rings.take() == 1); // the next deadline has moved
    CHECK(hub.next_deadline() <= morning + 15s);
    scripted_writer socket;
    CHECK(ssekit::drain(stream, socket) == drain_status::idle);
    CHECK(rings.take() == 0);
    CHECK(hub.publish("a", {.data = "1"}).ec == errc::ok);
    CHECK(hub.publish("a", {.data = "2"}).ec == errc::ok);
    CHECK(rings.take() == 1);
    CHECK(hub.next_ready() == &user);
    CHECK(hub.next_ready() == nullptr);
    CHECK(ssekit::drain(stream, socket) == drain_status::idle);
    CHECK(hub.next_deadline() <= morning + 15s);
    CHECK(hub.publish("a", {.data = "3"}).ec == errc::ok);
    CHECK(rings.take() == 1);
    CHECK(hub.next_deadline() == time_point::min()); // somebody is ready
    CHECK(hub.next_ready() == &user);
    stream.reschedule();
    CHECK(rings.take() == 0);
    CHECK(hub.next_deadline() == morning);
}

TEST_CASE("the loop is told when the end of a subscription moves the next deadline") {
    bell told;
    shared_hub hub(1, {},
                   {.keep = {.age = 1min}, .heartbeat = {.interval = 0s}, .write_deadline = 0s},
                   told.waker());
    hub.tick(morning);
    auto stream = hub.subscribe({.topics = "a"}).subscription;
    CHECK(hub.publish("a", {.data = "1"}).ec == errc::ok); // a reader keeps the newest
    CHECK(hub.next_deadline() == ssekit::never);
    told.take();
    stream = {};
    CHECK(told.take() == 1);
    CHECK(hub.next_deadline() <= morning + 1min);
}

TEST_CASE("the closer of a hub is told once when the last subscription has been destroyed") {
    bell gone;
    shared_hub hub(1, {}, {});
    hub.tick(morning);
    auto destroyed = std::make_unique<shared_subscription>();
    *destroyed = hub.subscribe({.topics = "a"}).subscription;
    auto assigned = hub.subscribe({.topics = "a"}).subscription;
    auto inside = hub.with([](ssekit::hub& server) { return server.subscribe({.topics = "a"}); });
    CHECK(hub.close({.deadline = 1s}, gone.waker()) == errc::ok);
    scripted_writer socket;
    CHECK(ssekit::drain(*destroyed, socket) == drain_status::done);
    hub.tick(morning + 2s); // which cuts the others
    CHECK(assigned.end() == stream_end::cut);
    CHECK(gone.take() == 0); // all have ended, but they are there

    SUBCASE("by its destructor") {
        assigned = {};
        hub.with([&](ssekit::hub&) { inside.subscription = {}; });
        CHECK(gone.take() == 0);
        destroyed.reset();
    }
    SUBCASE("by being moved into") {
        destroyed.reset();
        hub.with([&](ssekit::hub&) { inside.subscription = {}; });
        CHECK(gone.take() == 0);
        assigned = {};
    }
    SUBCASE("under the lock") {
        destroyed.reset();
        assigned = {};
        CHECK(gone.take() == 0);
        hub.with([&](ssekit::hub&) { inside.subscription = {}; });
    }
    CHECK(gone.take() == 1);
    CHECK(hub.subscribe({.topics = "a"}).ec == errc::closed);
    hub.tick(morning + 3s);
    CHECK(hub.close() == errc::ok);
    CHECK(gone.take() == 0);
}

TEST_CASE("the closer of a hub without streams is told at once") {
    bell gone;
    shared_hub hub(1, {}, {});
    CHECK(hub.close({}, gone.waker()) == errc::ok);
    CHECK(gone.take() == 1);
    bell again;
    CHECK(hub.close({}, again.waker()) == errc::ok);
    CHECK(gone.take() == 0);
    CHECK(again.take() == 1);
}

TEST_CASE("of several closers of a hub the last one with a waker is told") {
    bell first;
    bell second;
    shared_hub hub(1, {}, {});
    auto stream = hub.subscribe({.topics = "a"}).subscription;
    CHECK(hub.close({}, first.waker()) == errc::ok);
    CHECK(hub.close({}, second.waker()) == errc::ok);
    CHECK(hub.close() == errc::ok);
    stream = {};
    CHECK(first.take() == 0);
    CHECK(second.take() == 1);
}

TEST_CASE("what is unfinished goes on in a shared hub, and only then has the last stream gone") {
    bell gone;
    shared_hub hub(1, morning, {.refused_retry_min = 3s, .refused_retry_max = 3s});
    CHECK(hub.refused_retry() == 3s);
    {
        auto working = hub.subscribe({.topics = "job"});
        REQUIRE(working.ec == errc::ok);
        scripted_writer out;
        CHECK(hub.close({.retry_min = 5s, .retry_max = 5s, .unfinished = "job"}, gone.waker()) ==
              errc::ok);
        CHECK(hub.refused_retry() == 5s);
        CHECK(hub.publish("job", {.data = "1"}).ec == errc::ok);
        CHECK(drain(working.subscription, out) == drain_status::idle);
        CHECK(hub.close_topic("job") == errc::ok);
        CHECK(drain(working.subscription, out) == drain_status::done);
        CHECK(gone.take() == 0);
    }
    CHECK(gone.take() == 1);
}

TEST_CASE("a hub that dies first tells nobody that its streams have gone") {
    bell loop;
    std::optional<shared_subscription> stream;
    bell gone;
    {
        shared_hub hub(1, {}, {}, loop.waker());
        stream = hub.subscribe({.topics = "a"}).subscription;
        CHECK(hub.close({}, gone.waker()) == errc::ok);
        loop.take();
    }
    stream.reset();
    CHECK(gone.take() == 0);
    CHECK(loop.take() == 0);
}

TEST_CASE("streams on many threads leave a closed hub, and its closer may destroy it") {
    constexpr int rounds = 50;
    constexpr int clients = 4;
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::thread> threads;
        std::optional<shared_hub> hub(std::in_place, 1, ssekit::time_point());
        for (int i = 0; i < clients; ++i) {
            auto bell = std::make_unique<doorbell>();
            auto made = hub->subscribe({.topics = "a"}, bell->waker());
            threads.emplace_back(
                [bell = std::move(bell), stream = std::move(made.subscription)]() mutable {
                    scripted_writer socket;
                    while (ssekit::drain(stream, socket) != drain_status::done) bell->wait();
                    stream = {}; // before its bell
                });
        }
        doorbell gone;
        CHECK(hub->close({}, gone.waker()) == errc::ok);
        CHECK(rang(gone));
        CHECK(hub->metrics().subscribers == 0);
        CHECK(hub->metrics().flushed == clients);
        hub.reset();
        for (std::thread& thread : threads) thread.join();
    }
}

TEST_CASE("several steps under one lock belong together") {
    shared_hub hub(1, {}, {});
    auto stream = hub.subscribe({.topics = "a"}).subscription;
    hub.with([](ssekit::hub& server) {
        CHECK(server.publish("a", {.data = "1"}).ec == errc::ok);
        CHECK(server.publish("a", {.data = "2"}).ec == errc::ok);
    });
    CHECK(stream.send({.data = "you"}) == errc::ok);
    CHECK(stream.add_topics("b") == errc::ok);
    CHECK(hub.publish("b", {.data = "3"}).ec == errc::ok);
    CHECK(stream.remove_topics("a") == errc::ok);
    CHECK(hub.close({.farewell = {.data = "bye"}}) == errc::ok);
    scripted_writer socket;
    CHECK(ssekit::drain(stream, socket) == drain_status::done);
    CHECK(socket.got == "id: 1.0\n\ndata: you\n\nid: 1.3\ndata: 3\n\ndata: bye\n\n");
    CHECK(hub.subscribe({.topics = "a"}).ec == errc::closed);
    CHECK(hub.close_topic("a") == errc::closed);
    CHECK(hub.with([](const ssekit::hub& server) { return server.subscriptions(); }) == 1);
}

TEST_CASE("what a hub can do, a shared one can") {
    shared_hub hub(1, morning, {.keep = exactly(8)});
    char user = 'x';
    auto first = hub.subscribe({.topics = {"a", "b"}, .tag = "me", .user = &user}).subscription;
    auto second = hub.subscribe({.patterns = "x/*"}).subscription;
    CHECK(hub.subscribers() == 2);
    CHECK(hub.subscribers("a") == 1);
    CHECK(hub.subscribers("x/*") == 1);
    CHECK(hub.subscribers_with_tag("me") == 1);
    CHECK(hub.subscriptions() == 2);
    CHECK(first.id() != 0);
    std::vector<std::uint64_t> ids;
    hub.for_each_subscriber([&](const ssekit::subscriber_info& info) { ids.push_back(info.id); });
    CHECK(ids == std::vector{first.id(), second.id()});
    ids.clear();
    hub.for_each_subscriber_with_tag("me", [&](const ssekit::subscriber_info& info) {
        CHECK(info.user == &user);
        ids.push_back(info.id);
    });
    CHECK(ids == std::vector{first.id()});

    CHECK(hub.room("a").events == 8);
    CHECK(hub.keep("a", exactly(5)) == errc::ok);
    CHECK(hub.keep_pattern("x/*", exactly(6)) == errc::ok);
    CHECK(hub.room("a").events == 5);
    CHECK(hub.room("x/*").events == 6);
    hub.keep_no_more("a");
    hub.keep_pattern_no_more("x/*");
    CHECK(hub.room("a").events == 8);
    CHECK(hub.room("x/*").events == 8);

    CHECK(hub.publish({"a", "x/1"}, {.data = "1"}).offset == 1);
    CHECK(hub.publish("a", ssekit::frame::make({.data = "2"}).frame).offset == 2);
    ssekit::frame_builder block;
    block.append("data: 3\n\n", 9);
    CHECK(hub.publish("x/1", block).offset == 3);
    CHECK(hub.publish_to_tag("me", {.data = "4"}).offset == 4);
    CHECK(hub.publish_to_all({.data = "5"}).offset == 5);
    CHECK(hub.publish_sequenced("a", {}).ec == errc::out_of_sequence);
    std::size_t topics = 0;
    hub.for_each_topic([&](const ssekit::topic_info&) { ++topics; });
    CHECK(topics == 4);
    CHECK(hub.metrics().published == 5);
    CHECK(hub.metrics().refused_events[errc::out_of_sequence] == 1);
    CHECK(second.add_patterns("y/*") == errc::ok);
    scripted_writer socket;
    CHECK(ssekit::drain(second, socket) == drain_status::idle);
    CHECK(socket.got == "id: 1.0\n\nid: 1.1\ndata: 1\n\nid: 1.3\ndata: 3\n\nid: 1.5\ndata: 5\n\n");

    CHECK(hub.evict(first.id()));
    CHECK_FALSE(hub.evict(first.id()));
    CHECK(first.end() == stream_end::evicted);
    CHECK(hub.subscribers() == 1);
    hub.cut();
    CHECK(second.end() == stream_end::cut);
    CHECK(second.is_abrupt());
    CHECK(ssekit::drain(second, socket) == drain_status::cut);
    CHECK(hub.subscribers() == 0);
    CHECK(hub.subscriptions() == 2);
}

TEST_CASE("a waker of a stream that is rescheduled is fired by the next tick") {
    shared_hub hub(1, morning, {});
    bell rings;
    auto stream = hub.subscribe({.topics = "a"}, rings.waker()).subscription;
    stream.reschedule();
    CHECK(rings.take() == 0);
    hub.tick(morning);
    CHECK(rings.take() == 1);
}

TEST_CASE("a hub that cannot say its farewell is not closed and tells nobody that it is") {
    bell gone;
    shared_hub hub(1, morning, {});
    CHECK(hub.close({.farewell = {.type = "\n", .data = "x"}}, gone.waker()) == errc::invalid_type);
    CHECK(gone.take() == 0);
    CHECK(hub.publish("a", {.data = "1"}).ec == errc::ok);
    CHECK(hub.close({}, gone.waker()) == errc::ok);
    CHECK(gone.take() == 1);
}

TEST_CASE("topics of a shared hub are found, opened again and forgotten") {
    shared_hub hub(1, morning);
    CHECK_FALSE(hub.find_topic("a"));
    CHECK(hub.subscribe({.topics = "a", .must_exist = true}).ec == errc::no_such_topic);
    CHECK(hub.publish("a", {.data = "1"}).ec == errc::ok);
    CHECK(hub.close_topic("a") == errc::ok);
    REQUIRE(hub.find_topic("a"));
    CHECK(hub.find_topic("a")->closed);
    CHECK(hub.reopen_topic("a") == errc::ok);
    auto [reader, refused] = hub.subscribe({.topics = "a", .must_exist = true});
    CHECK(refused == errc::ok);
    CHECK(hub.forget_topic("a"));
    CHECK_FALSE(hub.find_topic("a"));
}
