// SPDX-License-Identifier: MIT
//
// Counting down to failure: each allocation of each operation fails once.
#include <ssekit/hub.hpp>

#include "support/allocations.hpp"
#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using ssekit::drain_status;
using ssekit::errc;
using ssekit::hub;
using ssekit::stream_end;
using support::client;
using support::exactly;
using support::gap;
using support::say;
using support::texts;
using support::to;

namespace {

/// Calls `run(grace)` with 0, 1, 2 ... allocations that succeed, until none fails.
/// \returns how often one has failed.
template <class Run>
std::size_t count_down(Run&& run) {
    if (!support::counts_allocations) return 1;
    for (std::size_t grace = 0;; ++grace) {
        REQUIRE(grace < 100);
        if (!run(grace)) return grace;
    }
}

} // namespace

TEST_CASE("subscribing without memory is refused and leaves nothing behind") {
    for (const std::string_view id : {"", "1.1", "nonsense"}) {
        const std::size_t failures = count_down([&](std::size_t grace) {
            hub server(1, {}, {});
            say(server, "a", "1");
            bool struck = false;
            std::optional<client> made;
            {
                const support::failing_allocations limit(grace);
                made.emplace(server, to({"a", "b", "c"}, {.last_event_id = id}));
                struck = limit.struck();
            }
            CHECK(made->ec == (struck ? errc::out_of_memory : errc::ok));
            CHECK(bool(made->stream) == !struck);
            CHECK(server.subscribers() == (struck ? 0 : 1));
            CHECK(server.metrics().topics == (struck ? 1 : 3));
            client again(server, to({"a", "b", "c"}));
            again.drain();
            say(server, "c", "2");
            again.drain();
            CHECK(again.events() == texts{"2"});
            return struck;
        });
        if (support::counts_allocations) CHECK(failures >= 5);
    }
}

TEST_CASE("a closed hub says that it is closed, whether there is memory or not") {
    if (!support::counts_allocations) return;
    hub server(1, {}, {});
    REQUIRE(server.close() == errc::ok);
    const support::failing_allocations limit(0);
    CHECK(server.subscribe({.topics = "a"}).ec == errc::closed);
}

TEST_CASE("publishing without memory is refused and spends no offset") {
    const std::size_t failures = count_down([](std::size_t grace) {
        hub server(1, {}, {});
        client reader(server, to({"a"}));
        reader.drain();
        bool struck = false;
        ssekit::publish_result result{};
        {
            const support::failing_allocations limit(grace);
            result = server.publish("b", {.data = "1"});
            struck = limit.struck();
        }
        CHECK(result.ec == (struck ? errc::out_of_memory : errc::ok));
        CHECK(result.offset == (struck ? 0 : 1));
        CHECK(server.metrics().topics == (struck ? 1 : 2));
        CHECK(server.metrics().published == (struck ? 0 : 1));
        CHECK(say(server, "a", "2") == (struck ? 1 : 2));
        reader.drain();
        CHECK(reader.events() == texts{"2"});
        return struck;
    });
    if (support::counts_allocations) CHECK(failures >= 3);
}

TEST_CASE("a stream that finds no memory ends and the others do not") {
    const std::size_t failures = count_down([](std::size_t grace) {
        hub server(1, {}, {.keep = exactly(1)});
        client other(server, to({"a"}));
        client poor(server, to({"a"}, {.on_lag = ssekit::lag_policy::skip_to_newest}));
        poor.socket.got.reserve(1000);
        poor.socket.slices.reserve(10);
        poor.drain();
        // A hand from the pool would hide one of the allocations.
        other.drain_bytes(3);
        say(server, "a", "1");
        say(server, "a", "2");
        bool struck = false;
        drain_status status{};
        {
            const support::failing_allocations limit(grace);
            status = poor.drain();
            struck = limit.struck();
        }
        if (struck) {
            CHECK(status == drain_status::cut);
            CHECK(poor.stream.end() == stream_end::out_of_memory);
        } else {
            CHECK(status == drain_status::idle);
            CHECK(poor.events() == texts{gap("lagged", 1), "2"});
        }
        CHECK(other.drain() == drain_status::cut); // lagged
        client third(server, to({"a"}));
        say(server, "a", "3");
        CHECK(third.drain() == drain_status::idle);
        CHECK(third.events() == texts{"3"});
        return struck;
    });
    CHECK(failures >= 1);
}

TEST_CASE("closing without memory says so, and ends every stream once there is some") {
    count_down([](std::size_t grace) {
        hub server(1, {}, {});
        client reader(server, to({"a"}));
        reader.socket.got.reserve(1000);
        reader.socket.slices.reserve(10);
        reader.drain();
        bool struck = false;
        drain_status status{};
        errc code{};
        {
            const support::failing_allocations limit(grace);
            using namespace std::chrono_literals;
            code = server.close({.farewell = {.data = "bye"}, .retry_min = 1s, .retry_max = 2s});
            status = reader.drain();
            struck = limit.struck();
        }
        if (code != errc::ok) { // there is no farewell, so it is not closed
            CHECK(struck);
            CHECK(code == errc::out_of_memory);
            CHECK(status == drain_status::idle);
            CHECK(say(server, "a", "1") == 1);
            CHECK(server.close({.farewell = {.data = "bye"}}) == errc::ok);
            CHECK(reader.drain() == drain_status::done);
            CHECK(reader.events() == texts{"1", "bye"});
            return struck;
        }
        // A hand that cannot be had ends the stream abruptly.
        CHECK(status ==
              (reader.stream.end() == stream_end::closed ? drain_status::done : drain_status::cut));
        CHECK(reader.stream.is_done());
        if (!struck) CHECK(reader.events() == texts{"bye"});
        return struck;
    });
}

TEST_CASE("a hub that is made without memory works once there is some") {
    if (!support::counts_allocations) return;
    std::optional<hub> server;
    {
        const support::failing_allocations none(0);
        server.emplace(1, ssekit::time_point());
    }
    {
        const support::failing_allocations none(0);
        CHECK(server->subscribe(to({"a"})).ec == errc::out_of_memory);
    }
    client reader(*server, to({"a"}, {.framing = ssekit::framing::chunked}));
    reader.drain();
    server->tick(ssekit::time_point(std::chrono::hours(1)));
    reader.drain();
    say(*server, "a", "1");
    CHECK(server->close() == errc::ok);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"1"});
    CHECK(reader.socket.got.ends_with("\r\n0\r\n\r\n")); // else it would look torn
}

TEST_CASE("all memory of a hub comes from where it is told") {
    if (!support::counts_allocations) return;
    struct place final : ssekit::memory_resource {
        std::size_t live = 0;
        void* allocate(std::size_t size, std::size_t) noexcept override {
            void* const made = std::malloc(size);
            if (made != nullptr) ++live;
            return made;
        }
        void deallocate(void* memory, std::size_t, std::size_t) noexcept override {
            --live;
            std::free(memory);
        }
    } memory;
    using namespace std::chrono_literals;
    char user = 'x';
    bool (*const all)(void*, const ssekit::event_summary&) noexcept =
        [](void*, const ssekit::event_summary&) noexcept { return true; };
    std::array<std::string_view, 8> slices;
    const auto drain = [&](ssekit::subscription& stream) { // without a socket, which would allocate
        for (std::size_t count = 0; (count = stream.prepare(slices)) != 0;) {
            for (std::size_t i = 0; i < count; ++i) stream.consume(slices[i].size());
        }
    };
    const support::allocation_watch heap;
    {
        hub server(
            1, {},
            {.keep = exactly(2), .heartbeat = {.interval = 15s, .jitter = 0}, .memory = &memory});
        auto quiet = server.subscribe({.topics = "a"}).subscription;
        auto special = server
                           .subscribe({.topics = {"b", "c"},
                                       .patterns = "x/*",
                                       .tag = "me",
                                       .on_lag = ssekit::lag_policy::skip_to_oldest,
                                       .filter = {all, nullptr},
                                       .user = &user})
                           .subscription;
        drain(quiet);
        drain(special);
        for (int i = 0; i < 5; ++i) say(server, {"b", "x/1"}, {.data = "1"}, "key");
        CHECK(special.send({.data = "2"}) == errc::ok);
        drain(special);
        CHECK(heap.allocations() == 0);
        server.tick(ssekit::time_point(16s)); // a heartbeat with an id
        drain(quiet);
        CHECK(server.metrics().heartbeats == 1);
        CHECK(heap.allocations() == 0);
        CHECK(server.close_topic("b", {.data = "end"}) == errc::ok);
        CHECK(server.close({.farewell = {.data = "bye"}, .retry_min = 1s, .retry_max = 2s}) ==
              errc::ok);
        drain(quiet);
        drain(special);
        CHECK(memory.live > 0);
    }
    CHECK(memory.live == 0);
    CHECK(heap.allocations() == 0);
}
