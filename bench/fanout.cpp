// SPDX-License-Identifier: MIT
//
// fanout/<subscribers>/<who>: one event to every subscriber, in process, as items per second. The
// contestants hold what each subscriber still has to get in different ways: the hub (one log, many
// cursors), a ring of shared frames for each subscriber, and what one writes first, a deque of
// shared_ptr<string>.
//
// publish/<subscribers>: what publishing costs while nobody takes anything. It has to be flat.
// publish-parked/<subscribers>: the same when each event finds everybody waiting at the topic, and
// the caches as the delivery to all of them has left them; the two readings of the clock are in it.
// publish-tags/<subscribers>x<tags>: as publish, where each subscriber has one of so many tags.
// newest/<keys>-of-<events>: a client that begins with the newest event of each key, among so many
// events that are kept. It has to depend on the keys alone.
// replay/<events>x<clients>: kept events to clients that come back. memory/<subscribers>: what the
// allocator has given out for each idle subscriber.

#include "clients.hpp"
#include "run.hpp"

#include <ssekit/frame.hpp>
#include <ssekit/hub.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

using namespace std::chrono_literals;

void count_items(benchmark::State& state, std::size_t each_time) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each_time));
}

void take(bench::counting_writer& out, std::string_view slice) {
    benchmark::DoNotOptimize(slice.data());
    out.write_some({&slice, 1});
}

void fanout_hub(benchmark::State& state, std::size_t count) {
    ssekit::hub hub(1, {}, {.heartbeat = {.interval = 0ms}});
    bench::clients clients(hub, count);
    for (auto _ : state) {
        static_cast<void>(hub.publish("ticks", {.data = bench::payload}));
        clients.deliver();
    }
    count_items(state, count);
}

void fanout_ring_each(benchmark::State& state, std::size_t count) {
    struct ring {
        std::array<ssekit::frame, 16> frames;
        std::uint32_t first = 0;
        std::uint32_t end = 0;
    };
    std::vector<ring> rings(count);
    bench::counting_writer out;
    for (auto _ : state) {
        const ssekit::frame event =
            ssekit::frame::make({.id = "1.123456", .data = bench::payload}).frame;
        for (ring& each : rings) each.frames[each.end++ % 16] = event;
        for (ring& each : rings) {
            while (each.first != each.end) {
                ssekit::frame& next = each.frames[each.first++ % 16];
                take(out, next.wire());
                next = {};
            }
        }
    }
    count_items(state, count);
}

void fanout_deque(benchmark::State& state, std::size_t count) {
    std::vector<std::deque<std::shared_ptr<const std::string>>> queues(count);
    bench::counting_writer out;
    for (auto _ : state) {
        const auto block = std::make_shared<const std::string>(
            "id: 1.123456\ndata: " + std::string(bench::payload) + "\n\n");
        for (auto& queue : queues) queue.push_back(block);
        for (auto& queue : queues) {
            while (!queue.empty()) {
                take(out, *queue.front());
                queue.pop_front();
            }
        }
    }
    count_items(state, count);
}

void publish(benchmark::State& state, std::size_t count) {
    ssekit::hub hub(1, {}, {.heartbeat = {.interval = 0ms}});
    const bench::clients clients(hub, count);
    for (auto _ : state) static_cast<void>(hub.publish("ticks", {.data = bench::payload}));
}

void publish_parked(benchmark::State& state, std::size_t count) {
    ssekit::hub hub(1, {}, {.heartbeat = {.interval = 0ms}});
    bench::clients clients(hub, count);
    for (auto _ : state) {
        const auto begin = std::chrono::steady_clock::now();
        static_cast<void>(hub.publish("ticks", {.data = bench::payload}));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        state.SetIterationTime(took.count());
        clients.deliver();
    }
}

void publish_tags(benchmark::State& state) {
    constexpr std::size_t count = 1'000'000;
    constexpr std::size_t tags = 100'000;
    ssekit::hub hub(1, {}, {.heartbeat = {.interval = 0ms}});
    std::vector<ssekit::subscription> streams(count);
    bench::counting_writer out;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string tag = std::to_string(i % tags);
        streams[i] =
            hub.subscribe({.topics = "ticks", .tag = tag, .user = &streams[i]}).subscription;
        static_cast<void>(drain(streams[i], out));
    }
    for (auto _ : state) static_cast<void>(hub.publish("ticks", {.data = bench::payload}));
}

void newest(benchmark::State& state, std::size_t events) {
    constexpr std::size_t keys = 10'000;
    ssekit::hub hub(1, {},
                    {.keep = {.events = events,
                              .bytes = std::size_t{1} << 30,
                              .values = {.keys = keys, .bytes = std::size_t{1} << 30}}});
    for (std::size_t i = 0; i < events; ++i) {
        const std::string key = std::to_string(i % keys);
        static_cast<void>(hub.publish("ticks", {.data = bench::payload}, key));
    }
    bench::counting_writer out;
    for (auto _ : state) {
        ssekit::subscription stream =
            hub.subscribe({.topics = "ticks", .start = ssekit::start_point::newest_of_each_key})
                .subscription;
        static_cast<void>(drain(stream, out, ~std::size_t{0}));
    }
    count_items(state, keys);
}

void replay(benchmark::State& state) {
    constexpr std::size_t events = 10'000;
    constexpr std::size_t clients = 1'000;
    ssekit::hub hub(1, {}, {.keep = {.events = events, .bytes = std::size_t{1} << 30}});
    for (std::size_t i = 0; i < events; ++i)
        static_cast<void>(hub.publish("ticks", {.data = bench::payload}));
    bench::counting_writer out;
    for (auto _ : state) {
        for (std::size_t i = 0; i < clients; ++i) {
            ssekit::subscription stream =
                hub.subscribe({.topics = "ticks", .last_event_id = "1.0"}).subscription;
            static_cast<void>(drain(stream, out, ~std::size_t{0}));
        }
    }
    count_items(state, events * clients);
}

void memory(benchmark::State& state, std::size_t count) {
#ifdef __GLIBC__
    const auto in_use = [] {
        const auto info = ::mallinfo2();
        return info.uordblks + info.hblkhd;
    };
    for (auto _ : state) {
        std::vector<ssekit::subscription> streams(count);
        bench::counting_writer out;
        const std::size_t before = in_use();
        ssekit::hub hub(1, {}, {});
        for (auto& stream : streams) {
            stream = hub.subscribe({.topics = "ticks", .user = &stream}).subscription;
            static_cast<void>(drain(stream, out));
        }
        state.counters["bytes/subscriber"] =
            static_cast<double>(in_use() - before) / static_cast<double>(count);
    }
    state.counters["bytes/handle"] = sizeof(ssekit::subscription);
#else
    (void)count;
    state.SkipWithError("needs mallinfo2");
#endif
}

auto* add(const std::string& name, void (*run)(benchmark::State&, std::size_t), std::size_t count) {
    return benchmark::RegisterBenchmark(
        name.c_str(), [run, count](benchmark::State& state) { run(state, count); });
}

} // namespace

int main(int argc, char** argv) {
    for (const std::size_t count : {100u, 10'000u, 1'000'000u}) {
        const std::string prefix = "fanout/" + std::to_string(count);
        add(prefix + "/hub", fanout_hub, count);
        add(prefix + "/ring-each", fanout_ring_each, count);
        add(prefix + "/deque-shared_ptr", fanout_deque, count);
    }
    for (const std::size_t count : {1u, 1'000u, 1'000'000u}) {
        const std::string idle = std::to_string(count);
        add("publish/" + idle, publish, count);
        // Every delivery in between takes its time and is not what is measured.
        const int iterations = count == 1'000'000 ? 10 : 1'000;
        add("publish-parked/" + idle, publish_parked, count)
            ->Iterations(iterations)
            ->UseManualTime();
    }
    benchmark::RegisterBenchmark("publish-tags/1000000x100000", publish_tags);
    add("newest/10000-of-10000", newest, 10'000);
    add("newest/10000-of-1000000", newest, 1'000'000);
    benchmark::RegisterBenchmark("replay/10000x1000", replay)->Unit(benchmark::kMillisecond);
    for (const std::size_t count : {1'000u, 1'000'000u}) {
        add("memory/" + std::to_string(count), memory, count)
            ->Iterations(1)
            ->Unit(benchmark::kMillisecond);
    }
    return bench::run(argc, argv);
}
