// SPDX-License-Identifier: MIT
//
// fanout/<subscribers>/<who>: one event to every subscriber, in process, as items per second. The
// contestants hold what each subscriber still has to get in different ways: the hub (one log, many
// cursors), a ring of shared frames for each subscriber, and what one writes first, a deque of
// shared_ptr<string>. publish/<subscribers>: what publishing costs while nobody is listening to the
// topic's subscribers: it has to be flat. replay/...: 10^4 kept events to 10^3 clients that come
// back. heartbeat/...: the wheel at a million connections, alone and as the hub uses it. memory/...:
// what the allocator has given out for each idle subscriber.

#include <ssekit/hub.hpp>
#include <ssekit/writer.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

using namespace std::chrono_literals;

constexpr std::string_view payload =
    "{\"price\":101.25,\"size\":300,\"venue\":\"X\",\"side\":\"buy\"}";

struct null_writer {
    std::uint64_t bytes = 0;

    ssekit::write_result write_some(std::span<const std::string_view> slices) noexcept {
        std::size_t taken = 0;
        for (const std::string_view slice : slices) {
            benchmark::DoNotOptimize(slice.data());
            taken += slice.size();
        }
        bytes += taken;
        return {taken, ssekit::io_status::ready};
    }
};

struct client {
    ssekit::subscription stream;
};

std::vector<client> connect(ssekit::hub& hub, std::size_t count) {
    std::vector<client> clients(count);
    null_writer out;
    for (client& c : clients) {
        c.stream = hub.subscribe({.topics = "ticks", .user = &c}).subscription;
        drain(c.stream, out);
    }
    return clients;
}

void fanout_hub(benchmark::State& state) {
    ssekit::hub hub(1, {.heartbeat = {.interval = 0ms}});
    std::vector<client> clients = connect(hub, static_cast<std::size_t>(state.range(0)));
    null_writer out;
    for (auto _ : state) {
        hub.publish("ticks", {.data = payload});
        while (void* ready = hub.next_ready()) drain(static_cast<client*>(ready)->stream, out);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void fanout_ring_each(benchmark::State& state) {
    struct ring {
        std::array<ssekit::frame, 16> frames;
        std::uint32_t first = 0;
        std::uint32_t end = 0;
    };
    std::vector<ring> rings(static_cast<std::size_t>(state.range(0)));
    null_writer out;
    for (auto _ : state) {
        const ssekit::frame frame = ssekit::frame::make({.id = "1.123456", .data = payload}).frame;
        for (ring& r : rings) r.frames[r.end++ % 16] = frame;
        for (ring& r : rings) {
            while (r.first != r.end) {
                ssekit::frame& next = r.frames[r.first++ % 16];
                const std::string_view slice = next.wire();
                out.write_some({&slice, 1});
                next = {};
            }
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void fanout_deque(benchmark::State& state) {
    std::vector<std::deque<std::shared_ptr<const std::string>>> queues(
        static_cast<std::size_t>(state.range(0)));
    null_writer out;
    for (auto _ : state) {
        const auto block = std::make_shared<const std::string>(
            "id: 1.123456\ndata: " + std::string(payload) + "\n\n");
        for (auto& queue : queues) queue.push_back(block);
        for (auto& queue : queues) {
            while (!queue.empty()) {
                const std::string_view slice = *queue.front();
                out.write_some({&slice, 1});
                queue.pop_front();
            }
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void publish(benchmark::State& state) {
    ssekit::hub hub(1, {.heartbeat = {.interval = 0ms}});
    std::vector<client> clients = connect(hub, static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) hub.publish("ticks", {.data = payload});
}

void replay(benchmark::State& state) {
    constexpr std::size_t events = 10'000;
    constexpr std::size_t clients = 1'000;
    ssekit::hub hub(1, {.keep = {.events = events, .bytes = std::size_t{1} << 30}});
    for (std::size_t i = 0; i < events; ++i) hub.publish("ticks", {.data = payload});
    null_writer out;
    for (auto _ : state) {
        for (std::size_t i = 0; i < clients; ++i) {
            ssekit::subscription stream =
                hub.subscribe({.topics = "ticks", .last_event_id = "1.0"}).subscription;
            drain(stream, out, ~std::size_t{0});
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events * clients));
}

void memory(benchmark::State& state) {
#ifdef __GLIBC__
    const auto in_use = [] {
        const auto info = ::mallinfo2();
        return info.uordblks + info.hblkhd;
    };
    const auto count = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        std::vector<ssekit::subscription> streams(count);
        null_writer out;
        const std::size_t before = in_use();
        ssekit::hub hub(1);
        for (auto& stream : streams) {
            stream = hub.subscribe({.topics = "ticks", .user = &stream}).subscription;
            drain(stream, out);
        }
        state.counters["bytes/subscriber"] =
            static_cast<double>(in_use() - before) / static_cast<double>(count);
    }
    state.counters["bytes/handle"] = sizeof(ssekit::subscription);
#else
    state.SkipWithError("needs mallinfo2");
#endif
}

struct beating {
    explicit beating(std::size_t count) : entries(count) {
        for (auto& entry : entries) wheel.arm(entry, now);
    }

    ssekit::time_point now{1h};
    ssekit::heartbeat wheel{{.interval = 15s}};
    std::vector<ssekit::heartbeat::entry> entries;
};

void heartbeat_touch(benchmark::State& state) {
    beating all(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        all.now += 1ms;
        for (auto& entry : all.entries) ssekit::heartbeat::touch(entry, all.now);
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

void heartbeat_expire(benchmark::State& state) {
    beating all(static_cast<std::size_t>(state.range(0)));
    std::size_t due = 0;
    for (auto _ : state) {
        // One interval in steps of the wheel: everyone falls due once.
        for (int step = 0; step < 32; ++step) {
            all.now += 15'000ms / 32;
            due += all.wheel.expire(
                all.now, [](ssekit::heartbeat::entry& entry) { benchmark::DoNotOptimize(&entry); });
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(due));
}

void heartbeat_hub(benchmark::State& state) {
    ssekit::hub hub(1);
    ssekit::time_point now{1h};
    hub.tick(now);
    std::vector<client> clients = connect(hub, static_cast<std::size_t>(state.range(0)));
    null_writer out;
    const auto before = hub.metrics().heartbeats;
    for (auto _ : state) {
        for (int step = 0; step < 32; ++step) {
            now += 15'000ms / 32;
            hub.tick(now);
            while (void* ready = hub.next_ready()) drain(static_cast<client*>(ready)->stream, out);
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(hub.metrics().heartbeats - before));
}

BENCHMARK(fanout_hub)->Name("fanout/hub")->Arg(100)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(fanout_ring_each)->Name("fanout/ring-each")->Arg(100)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(fanout_deque)->Name("fanout/deque-shared_ptr")->Arg(100)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(publish)->Name("publish")->Arg(1)->Arg(1'000)->Arg(1'000'000);
BENCHMARK(replay)->Name("replay/10000x1000")->Unit(benchmark::kMillisecond);
BENCHMARK(heartbeat_touch)->Name("heartbeat/touch")->Arg(1'000'000);
BENCHMARK(heartbeat_expire)->Name("heartbeat/expire")->Arg(1'000'000);
BENCHMARK(heartbeat_hub)->Name("heartbeat/hub")->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(memory)->Name("memory")->Arg(1'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
