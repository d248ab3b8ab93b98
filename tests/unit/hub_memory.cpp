// SPDX-License-Identifier: MIT
//
// Counting down to failure: each allocation of each operation fails once.
#include <ssekit/hub.hpp>

#include "support/allocations.hpp"
#include "support/client.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

using ssekit::drain_status;
using ssekit::errc;
using ssekit::hub;
using ssekit::stream_end;
using support::client;
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
            hub server(1);
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

TEST_CASE("publishing without memory is refused and spends no offset") {
    const std::size_t failures = count_down([](std::size_t grace) {
        hub server(1);
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
        hub server(1, {.keep = {.events = 1}});
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
            CHECK(status == drain_status::done);
            CHECK(poor.stream.end() == stream_end::out_of_memory);
        } else {
            CHECK(status == drain_status::idle);
            CHECK(poor.events() == texts{gap("lagged", 1), "2"});
        }
        CHECK(other.drain() == drain_status::done); // lagged
        client third(server, to({"a"}));
        say(server, "a", "3");
        CHECK(third.drain() == drain_status::idle);
        CHECK(third.events() == texts{"3"});
        return struck;
    });
    CHECK(failures >= 1);
}

TEST_CASE("closing without memory ends every stream all the same") {
    count_down([](std::size_t grace) {
        hub server(1);
        client reader(server, to({"a"}));
        reader.socket.got.reserve(1000);
        reader.socket.slices.reserve(10);
        reader.drain();
        bool struck = false;
        drain_status status{};
        {
            const support::failing_allocations limit(grace);
            using namespace std::chrono_literals;
            server.close({.farewell = {.data = "bye"}, .retry_min = 1s, .retry_max = 2s});
            status = reader.drain();
            struck = limit.struck();
        }
        CHECK(status == drain_status::done);
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
        server.emplace(1);
    }
    client reader(*server, to({"a"}, {.framing = ssekit::framing::chunked}));
    reader.drain();
    server->tick(ssekit::time_point(std::chrono::hours(1)));
    reader.drain();
    say(*server, "a", "1");
    server->close();
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"1"});
}
