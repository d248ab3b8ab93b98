// SPDX-License-Identifier: MIT
//
// What bells and streams do on executors as they are, the same for both libraries: the including
// file says which, by `net`, `error_code`, `bell` and SSEKIT_NET, the beginning of the names.
#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/allocations.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// A stream that takes everything.
class sink {
  public:
    using executor_type = net::any_io_executor;

    explicit sink(executor_type where) : executor_(std::move(where)) {}
    [[nodiscard]] executor_type get_executor() const { return executor_; }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        std::size_t size = 0;
        for (const auto& each : buffers) {
            got.append(static_cast<const char*>(each.data()), each.size());
            size += each.size();
        }
        return net::async_compose<Token, void(error_code, std::size_t)>(
            [size, posted = false](auto& self) mutable {
                if (std::exchange(posted, true)) return self.complete({}, size);
                net::post(std::move(self));
            },
            token, executor_);
    }
    static void close() {}

    std::string got = {};

  private:
    executor_type executor_;
};

/// One client, served until its stream has ended.
template <class Hub>
class client {
  public:
    client(Hub& hub, const net::any_io_executor& where) : out_(where), bell_(where) {
        auto [made, refused] = hub.subscribe({.topics = "news"}, bell_.waker());
        REQUIRE(refused == ssekit::errc::ok);
        events_ = std::move(made);
        ssekit::async_serve(out_, events_, bell_, [this](error_code how) {
            ended = how;
            over = true;
        });
    }
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    [[nodiscard]] std::string_view got() const { return out_.got; }

    error_code ended = {};
    std::atomic<bool> over = false;

  private:
    sink out_;
    bell bell_;
    decltype(std::declval<Hub&>().subscribe({}).subscription) events_;
};

/// The line of an event's id.
std::string line(const ssekit::hub& hub, std::uint64_t offset) {
    return "id: " + std::string(hub.id_of(offset)) + "\n";
}

/// A socket whose far end reads when a case wants it to.
struct socket_pair {
    explicit socket_pair(net::io_context& io) : near(io), far(io) {
        net::local::connect_pair(near, far);
    }
    net::local::stream_protocol::socket near;
    net::local::stream_protocol::socket far;
};

} // namespace

TEST_CASE(SSEKIT_NET ": to wake up a thousand idle streams allocates nothing") {
    for (const bool strands : {false, true}) {
        CAPTURE(strands);
        net::io_context io;
        const auto executor = [&]() -> net::any_io_executor {
            if (strands) return net::make_strand(io);
            return io.get_executor();
        };
        ssekit::hub hub(ssekit::new_epoch(), steady_clock::now());
        std::vector<std::unique_ptr<client<ssekit::hub>>> clients;
        for (int i = 0; i < 1000; ++i) {
            clients.push_back(std::make_unique<client<ssekit::hub>>(hub, executor()));
        }
        io.poll();
        for (int i = 1; i <= 3; ++i) {
            const support::allocation_watch watch;
            CHECK(hub.publish("news", {.data = std::to_string(i)}).ec == ssekit::errc::ok);
            // The event's own frame and, at first, the log.
            if (support::counts_allocations) CHECK(watch.allocations() <= 4);
            io.poll();
        }
        for (const auto& each : clients) {
            CHECK(each->got() == line(hub, 0) + "\n" + line(hub, 1) + "data: 1\n\n" + line(hub, 2) +
                                     "data: 2\n\n" + line(hub, 3) + "data: 3\n\n");
        }
        CHECK(hub.close() == ssekit::errc::ok);
        io.run();
        for (const auto& each : clients) CHECK((each->over && !each->ended));
    }
}

TEST_CASE(SSEKIT_NET ": bells of many streams on several threads, rung from others") {
    constexpr int events = 2000;
    net::io_context io;
    auto hub = std::make_unique<ssekit::shared_hub>(
        ssekit::new_epoch(), steady_clock::now(), ssekit::hub_options{.keep = {.events = events}});
    std::vector<std::unique_ptr<client<ssekit::shared_hub>>> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(std::make_unique<client<ssekit::shared_hub>>(*hub, net::make_strand(io)));
    }
    std::array<std::thread, 2> loops;
    for (std::thread& each : loops) each = std::thread([&] { io.run(); });
    std::array<std::thread, 2> publishers;
    std::atomic<int> refused = 0;
    for (std::thread& each : publishers) {
        each = std::thread([&] {
            for (int i = 0; i < events / 2; ++i) {
                if (hub->publish("news", {.data = "x"}).ec != ssekit::errc::ok) ++refused;
            }
        });
    }
    for (std::thread& each : publishers) each.join();
    CHECK(refused == 0);
    CHECK(hub->close({.farewell = {.type = "bye", .data = ""}}) == ssekit::errc::ok);
    for (std::thread& each : loops) each.join(); // nothing is left to do when all have ended
    std::string expected = hub->with([](ssekit::hub& all) {
        std::string text = line(all, 0) + "\n";
        for (std::uint64_t i = 1; i <= events; ++i) text += line(all, i) + "data: x\n\n";
        return text;
    });
    expected += "event: bye\ndata: \n\n";
    for (const auto& each : clients) {
        CHECK((each->over && !each->ended));
        CHECK(each->got() == expected);
    }
}

TEST_CASE(SSEKIT_NET ": a hub that dies ends the streams on other threads as broken off") {
    net::io_context io;
    auto hub = std::make_unique<ssekit::shared_hub>(ssekit::new_epoch(), steady_clock::now());
    std::vector<std::unique_ptr<client<ssekit::shared_hub>>> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(std::make_unique<client<ssekit::shared_hub>>(*hub, net::make_strand(io)));
    }
    std::array<std::thread, 2> loops;
    for (std::thread& each : loops) each = std::thread([&] { io.run(); });
    hub.reset();
    for (std::thread& each : loops) each.join();
    for (const auto& each : clients) {
        CHECK(each->over);
        CHECK(each->ended == net::error::connection_aborted);
    }
}

TEST_CASE(SSEKIT_NET ": a stream that is cut in the middle of an event does not end in order") {
    for (const bool stalled : {false, true}) { // or the write is complete, and its handler waits
        CAPTURE(stalled);
        net::io_context io;
        ssekit::hub hub(ssekit::new_epoch(), steady_clock::now(),
                        {.keep = {.bytes = std::size_t{64} << 20}});
        bell rings(io.get_executor());
        auto [events, refused] = hub.subscribe({.topics = "news"}, rings.waker());
        REQUIRE(refused == ssekit::errc::ok);
        socket_pair ends(io);
        const std::string big(8 << 20, 'x');
        REQUIRE(hub.publish("news", {.data = big}).ec == ssekit::errc::ok);
        std::optional<error_code> result;
        ssekit::async_serve(ends.near, events, rings, [&](error_code how) { result = how; });
        if (stalled) {
            io.poll();
        } else {
            io.poll_one();
        }
        CHECK(!result);
        hub.cut();
        io.run();
        CHECK(result == net::error::connection_aborted);
        CHECK(ends.near.is_open() != stalled);
        const std::size_t left = ends.far.available();
        CHECK((left > 0 && left < big.size()));
        ends.near.close();

        std::optional<ssekit::drain_status> status;
        ssekit::async_drain(ends.near, events, [&](error_code how, ssekit::drain_status what) {
            result = how;
            status = what;
        });
        io.restart();
        io.run();
        CHECK(result == net::error::connection_aborted);
        CHECK(status == ssekit::drain_status::cut);
    }
}
