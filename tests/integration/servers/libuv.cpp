// SPDX-License-Identifier: MIT
//
// Draining on a libuv loop, into a socket pair whose far end reads when a case wants it to.
#if defined(SSEKIT_TEST_LIBUV) // says the build where libuv is linked

#include <ssekit/adapters/libuv.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/text_generator.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

using ssekit::drain_status;
using ssekit::uv_drain;
using std::chrono::steady_clock;
using support::numbers;
using support::text_generator;
using namespace std::chrono_literals;

namespace {

/// A loop with one stream, and the stream's far end.
struct loop_pair {
    loop_pair() {
        std::signal(SIGPIPE, SIG_IGN);
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
        const int size = 4096;
        ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        far = ends[1];
        REQUIRE(uv_loop_init(&loop) == 0);
        REQUIRE(uv_pipe_init(&loop, &pipe, 0) == 0);
        REQUIRE(uv_pipe_open(&pipe, ends[0]) == 0);
    }
    loop_pair(const loop_pair&) = delete;
    loop_pair& operator=(const loop_pair&) = delete;
    ~loop_pair() {
        close();
        hang_up();
        CHECK(uv_loop_close(&loop) == 0);
    }

    void close() {
        const auto handle = reinterpret_cast<uv_handle_t*>(&pipe);
        if (uv_is_closing(handle) == 0) uv_close(handle, nullptr);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    void hang_up() {
        if (far >= 0) ::close(std::exchange(far, -1));
    }
    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&pipe); }

    /// What has arrived at the far end by now.
    [[nodiscard]] std::string receive() const {
        std::string all;
        std::array<char, 4096> part;
        for (;;) {
            const ssize_t got = ::recv(far, part.data(), part.size(), MSG_DONTWAIT);
            if (got <= 0) return all;
            all.append(part.data(), static_cast<std::size_t>(got));
        }
    }

    uv_loop_t loop{};
    uv_pipe_t pipe{};
    int far = -1;
};

using statuses = std::vector<drain_status>;

void record(void* list, drain_status status) noexcept {
    static_cast<statuses*>(list)->push_back(status);
}

} // namespace

TEST_CASE("libuv: what does not fit goes on by itself") {
    for (const std::size_t size : {std::size_t{1}, std::size_t{1'000}, std::size_t{1'000'000}}) {
        loop_pair ends;
        statuses told;
        uv_drain<text_generator> drain(ends.stream(), &told, record);
        const std::string text = numbers(50'000);
        drain.generator = {text, size};
        drain.run();
        REQUIRE(told == statuses{drain_status::would_block});
        drain.run(); // does no harm
        REQUIRE(told.size() == 2);
        std::string got;
        while (told.back() == drain_status::would_block) {
            uv_run(&ends.loop, UV_RUN_NOWAIT);
            got += ends.receive();
        }
        got += ends.receive();
        CHECK(told.back() == drain_status::done);
        CHECK(got == text);
    }
}

TEST_CASE("libuv: a client that has gone is told as closed") {
    for (const bool blocked : {false, true}) {
        loop_pair ends;
        statuses told;
        uv_drain<text_generator> drain(ends.stream(), &told, record);
        const std::string text = numbers(50'000);
        drain.generator = {text};
        if (blocked) drain.run();
        ends.hang_up();
        if (!blocked) drain.run();
        uv_run(&ends.loop, UV_RUN_DEFAULT);
        CHECK(told.back() == drain_status::closed);
        CHECK(told.size() == (blocked ? 2 : 1));
    }
}

TEST_CASE("libuv: closed in the middle of a write, a stream lives until libuv lets go") {
    ssekit::hub hub(ssekit::new_epoch(), steady_clock::now());
    loop_pair ends;
    statuses told;
    std::optional<uv_drain<ssekit::subscription>> drain(std::in_place, ends.stream(), &told,
                                                        record);
    drain->generator = hub.subscribe({.topics = "news"}).subscription;
    REQUIRE(hub.publish("news", {.data = std::string(1'000'000, 'x')}).ec == ssekit::errc::ok);
    drain->run();
    CHECK(told == statuses{drain_status::would_block});
    ends.pipe.data = &drain;
    uv_close(reinterpret_cast<uv_handle_t*>(&ends.pipe), [](uv_handle_t* handle) {
        static_cast<std::optional<uv_drain<ssekit::subscription>>*>(handle->data)->reset();
    });
    uv_run(&ends.loop, UV_RUN_DEFAULT);
    CHECK(!drain);
    CHECK(told.size() == 1); // the owner knows
    CHECK(hub.subscribers() == 0);
}

TEST_CASE("libuv: a client that stalls for too long is cut, whatever libuv still has") {
    ssekit::time_point now{};
    ssekit::hub hub(ssekit::new_epoch(), now, {.write_deadline = 10s});
    loop_pair ends;
    statuses told;
    uv_drain<ssekit::subscription> drain(ends.stream(), &told, record);
    drain.generator = hub.subscribe({.topics = "news", .user = &drain}).subscription;
    REQUIRE(hub.publish("news", {.data = std::string(1'000'000, 'x')}).ec == ssekit::errc::ok);
    drain.run();
    hub.tick(now += 11s);
    CHECK(hub.next_ready() == &drain);
    drain.run();
    CHECK(told == statuses{drain_status::would_block, drain_status::cut});
    ends.close();
}

TEST_CASE("libuv: what has broken off is told as cut, whatever was under way") {
    for (const std::size_t size : {std::size_t{1}, std::size_t{1'000'000}}) {
        ssekit::hub hub(ssekit::new_epoch(), steady_clock::now());
        loop_pair ends;
        statuses told;
        uv_drain<ssekit::subscription> drain(ends.stream(), &told, record);
        drain.generator = hub.subscribe({.topics = "news", .user = &drain}).subscription;
        REQUIRE(hub.publish("news", {.data = std::string(size, 'x')}).ec == ssekit::errc::ok);
        drain.run();
        CHECK(told == statuses{size == 1 ? drain_status::idle : drain_status::would_block});
        hub.cut();
        CHECK(hub.next_ready() == &drain);
        drain.run();
        CHECK(told.back() == drain_status::cut);
        ends.close();
    }
}

TEST_CASE("libuv: other threads publish") {
    constexpr int count = 2'000;
    loop_pair ends;
    uv_async_t wake{};
    REQUIRE(uv_async_init(&ends.loop, &wake, [](uv_async_t*) {}) == 0);
    ssekit::shared_hub hub(
        ssekit::new_epoch(), steady_clock::now(), {.keep = {.events = count}},
        {[](void* async) noexcept { uv_async_send(static_cast<uv_async_t*>(async)); }, &wake});
    statuses told;
    uv_drain<ssekit::shared_subscription> drain(ends.stream(), &told, record);
    drain.generator = hub.subscribe({.topics = "news", .user = &drain}).subscription;
    drain.run();

    int refused = 0;
    std::thread publisher([&] {
        for (int i = 0; i < count; ++i) {
            if (hub.publish("news", {.data = std::to_string(i)}).ec != ssekit::errc::ok) ++refused;
        }
        CHECK(hub.close() == ssekit::errc::ok);
    });
    std::string got;
    std::thread reader([&, far = ends.far] {
        std::array<char, 4096> part;
        for (ssize_t size = 0; (size = ::recv(far, part.data(), part.size(), 0)) > 0;) {
            got.append(part.data(), static_cast<std::size_t>(size));
        }
    });
    while (told.back() != drain_status::done) {
        while (hub.next_ready() != nullptr) drain.run();
        if (told.back() != drain_status::done && hub.next_deadline() > ssekit::time_point::min()) {
            uv_run(&ends.loop, UV_RUN_ONCE);
        }
    }
    uv_close(reinterpret_cast<uv_handle_t*>(&wake), nullptr);
    ends.close();
    publisher.join();
    reader.join();
    CHECK(refused == 0);
    const auto id_of = [&](int offset) {
        return hub.with([&](ssekit::hub& all) {
            return "id: " + std::string(all.id_of(static_cast<std::uint64_t>(offset))) + "\n";
        });
    };
    std::string expected = id_of(0) + "\n";
    for (int i = 0; i < count; ++i) {
        expected += id_of(i + 1) + "data: " + std::to_string(i) + "\n\n";
    }
    CHECK(got == expected);
}

#endif
