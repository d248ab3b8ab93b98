// SPDX-License-Identifier: MIT
//
// Both ends of the toolkit on one clock: an event source reads a hub over connections that break
// wherever they like.
#include <ssekit/event_source.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/testing/recorder.hpp>

#include "support/allocations.hpp"
#include "support/dice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::source_action;

namespace {

/// A client, its server, and what lies between them.
class soak {
  public:
    explicit soak(std::uint32_t seed) : random_(seed) { hub_.tick(now_); }

    /// From the request to the loss: the client gets the beginning of what leaves, up to any byte.
    void live_through_a_connection() {
        ssekit::subscription stream = connect();
        ssekit::testing::recorder socket;
        for (std::size_t rounds = random_.below(4); rounds > 0; --rounds) {
            publish();
            CHECK(ssekit::drain(stream, socket) == ssekit::drain_status::idle);
        }
        const std::size_t arrived = random_.below(socket.bytes.size() + 1);
        for (std::string_view rest = std::string_view(socket.bytes).substr(0, arrived);
             !rest.empty();) {
            const std::string_view chunk = rest.substr(0, 1 + random_.below(100));
            receive(chunk);
            rest.remove_prefix(chunk.size());
        }
        now_ += 10ms;
        if (random_.one_in(2)) {
            source_.receive_failure(now_);
        } else {
            source_.receive_end(now_);
        }
    }

    /// A connection that holds until everything has come.
    void catch_up() {
        ssekit::subscription stream = connect();
        ssekit::testing::recorder socket;
        CHECK(ssekit::drain(stream, socket) == ssekit::drain_status::idle);
        receive(socket.bytes);
        CHECK(seen_ == published_);
        source_.receive_end(now_);
    }

    [[nodiscard]] std::uint64_t seen() const { return seen_; }
    [[nodiscard]] std::size_t subscribers() const { return hub_.subscribers(); }
    [[nodiscard]] ssekit::hub_metrics metrics() const { return hub_.metrics(); }

  private:
    ssekit::subscription connect() {
        now_ = std::max(now_, source_.next_deadline());
        REQUIRE(source_.poll(now_) == source_action::connect);
        hub_.tick(now_);
        publish(); // while the client was away
        std::string_view id;
        for (const ssekit::header& each : source_.request().headers) {
            if (each.name == "Last-Event-ID") id = each.value;
        }
        auto [stream, refused] = hub_.subscribe(
            {.topics = "a", .last_event_id = id, .start = ssekit::start_point::earliest});
        REQUIRE(refused == ssekit::errc::ok);
        const auto find = [](std::string_view) { return std::optional("text/event-stream"); };
        REQUIRE(source_.receive_head(200, find, now_));
        return std::move(stream);
    }
    void publish() {
        for (std::size_t count = random_.below(3); count > 0; --count) {
            const std::string data = std::to_string(++published_);
            REQUIRE(hub_.publish("a", {.data = data}).ec == ssekit::errc::ok);
        }
    }
    void receive(std::string_view bytes) {
        source_.receive(
            bytes,
            [&](const ssekit::event_view& event) {
                REQUIRE(*event.data == std::to_string(++seen_)); // none lost, none twice
            },
            now_);
    }

    support::dice random_;
    ssekit::time_point now_{1h};
    ssekit::hub hub_{1, {}};
    ssekit::event_source source_{"http://a/"};
    std::uint64_t published_ = 0;
    std::uint64_t seen_ = 0;
};

} // namespace

TEST_CASE("10,000 connections that break anywhere lose nothing, double nothing and leave nothing") {
    soak both(7);
    const auto run = [&](int connections) {
        for (int i = 0; i < connections; ++i) both.live_through_a_connection();
        both.catch_up();
    };
    run(1000); // by now everything is as large as it gets
    const support::allocation_watch watch;
    run(9000);
    CHECK(both.seen() > 10'000);
    CHECK(both.subscribers() == 0);
    CHECK(both.metrics().gaps == 0);
    if (support::counts_allocations) {
        const std::size_t left = watch.allocations() - watch.frees();
        CHECK(left < 64); // the log may hold a few events more than it did
    }
}
