// SPDX-License-Identifier: MIT
//
// heartbeat/<what>/<connections>, as items per second. touch: what re-arms a connection when it has
// been written to, in the order of memory, and shuffled in one that caches and prefetching know
// nothing of. arm: the same by leaving the wheel and entering it anew. expire: everybody falls due
// once an interval. hub: the same in a hub that also reports, hands out, drains and parks each
// stream.

#include "clients.hpp"
#include "run.hpp"

#include <ssekit/heartbeat.hpp>
#include <ssekit/hub.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

// An interval passes in the steps of the wheel.
constexpr int steps = 32;
constexpr auto interval = 15'000ms;

struct beating {
    explicit beating(std::size_t count) : entries(count) {
        for (auto& entry : entries) wheel.arm(entry, now);
    }

    ssekit::time_point now{1h};
    ssekit::heartbeat wheel{{.interval = interval}};
    std::vector<ssekit::heartbeat::entry> entries;
};

void count_items(benchmark::State& state, std::size_t each_time) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each_time));
}

void touch(benchmark::State& state, std::size_t count) {
    beating all(count);
    for (auto _ : state) {
        all.now += 1ms;
        for (auto& entry : all.entries) ssekit::heartbeat::touch(entry, all.now);
        benchmark::ClobberMemory();
    }
    count_items(state, count);
}

void touch_shuffled(benchmark::State& state, std::size_t count) {
    beating all(count);
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), std::mt19937(7));
    for (auto _ : state) {
        all.now += 1ms;
        for (const auto at : order) ssekit::heartbeat::touch(all.entries[at], all.now);
        benchmark::ClobberMemory();
    }
    count_items(state, count);
}

void arm(benchmark::State& state, std::size_t count) {
    beating all(count);
    for (auto _ : state) {
        all.now += 1ms;
        for (auto& entry : all.entries) all.wheel.arm(entry, all.now);
    }
    count_items(state, count);
}

void expire(benchmark::State& state, std::size_t count) {
    beating all(count);
    std::size_t due = 0;
    for (auto _ : state) {
        for (int step = 0; step < steps; ++step) {
            all.now += interval / steps;
            due += all.wheel.expire(
                all.now, [](ssekit::heartbeat::entry& entry) { benchmark::DoNotOptimize(&entry); });
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(due));
}

void hub(benchmark::State& state, std::size_t count) {
    ssekit::hub hub(1, {}, {.heartbeat = {.interval = interval}});
    ssekit::time_point now{1h};
    hub.tick(now);
    bench::clients clients(hub, count);
    const std::uint64_t before = hub.metrics().heartbeats;
    for (auto _ : state) {
        for (int step = 0; step < steps; ++step) {
            now += interval / steps;
            hub.tick(now);
            clients.deliver();
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(hub.metrics().heartbeats - before));
}

} // namespace

int main(int argc, char** argv) {
    using measured = void (*)(benchmark::State&, std::size_t);
    const std::pair<const char*, measured> contestants[] = {{"touch", touch},
                                                            {"touch-shuffled", touch_shuffled},
                                                            {"arm", arm},
                                                            {"expire", expire},
                                                            {"hub", hub}};
    constexpr std::size_t count = 1'000'000;
    for (const auto& [what, run] : contestants) {
        const std::string name = "heartbeat/" + std::string(what) + "/" + std::to_string(count);
        benchmark::RegisterBenchmark(name.c_str(), [run = run](benchmark::State& state) {
            run(state, count);
        })->Unit(benchmark::kMillisecond);
    }
    return bench::run(argc, argv);
}
