// SPDX-License-Identifier: MIT
//
// encode/<data>/<who>: time of one event, beside what a user would write himself and, as the floor,
// memcpy of the finished block.

#include <ssekit/encoder.hpp>
#include <ssekit/frame.hpp>

#include <benchmark/benchmark.h>

#include <cstring>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct sample {
    std::string name;
    std::string data;

    ssekit::event_view event() const {
        return {.id = "1234567", .type = "tick", .data = std::string_view(data)};
    }
};

std::vector<sample> samples() {
    std::string lines;
    while (lines.size() < 4096) lines += std::string(80, 'x') + '\n';
    return {{"12B", std::string(12, 'x')},
            {"128B", std::string(128, 'x')},
            {"4K", std::string(4096, 'x')},
            {"4K-lines", lines}};
}

void memcpy_floor(benchmark::State& state, const sample& s) {
    std::string block;
    (void)ssekit::append_to(block, s.event());
    std::vector<char> buffer(block.size());
    for (auto _ : state) {
        benchmark::DoNotOptimize(block.data());
        std::memcpy(buffer.data(), block.data(), block.size());
        benchmark::DoNotOptimize(buffer.data());
        benchmark::ClobberMemory();
    }
}

void encode_to(benchmark::State& state, const sample& s) {
    std::vector<char> buffer(ssekit::encoded_size(s.event()));
    ssekit::event_view event = s.event();
    for (auto _ : state) {
        benchmark::DoNotOptimize(event);
        auto result = ssekit::encode_to(buffer.data(), buffer.data() + buffer.size(), event);
        benchmark::DoNotOptimize(result);
        benchmark::ClobberMemory();
    }
}

void encode_to_roomy(benchmark::State& state, const sample& s) {
    std::vector<char> buffer(8 * s.data.size() + 256);
    ssekit::event_view event = s.event();
    for (auto _ : state) {
        benchmark::DoNotOptimize(event);
        auto result = ssekit::encode_to(buffer.data(), buffer.data() + buffer.size(), event);
        benchmark::DoNotOptimize(result);
        benchmark::ClobberMemory();
    }
}

void make_frame(benchmark::State& state, const sample& s) {
    ssekit::event_view event = s.event();
    for (auto _ : state) {
        benchmark::DoNotOptimize(event);
        auto made = ssekit::frame::make(event);
        benchmark::DoNotOptimize(made);
    }
}

void string_append(benchmark::State& state, const sample& s) {
    std::string out;
    for (auto _ : state) {
        out.clear();
        out.append("id: 1234567\nevent: tick\ndata: ");
        for (const char c : s.data) {
            out.push_back(c);
            if (c == '\n') out.append("data: ");
        }
        out.append("\n\n");
        benchmark::DoNotOptimize(out.data());
        benchmark::ClobberMemory();
    }
}

void ostringstream(benchmark::State& state, const sample& s) {
    for (auto _ : state) {
        std::ostringstream out;
        out << "id: " << 1234567 << "\nevent: "
            << "tick"
            << "\ndata: ";
        for (const char c : s.data) {
            out << c;
            if (c == '\n') out << "data: ";
        }
        out << "\n\n";
        benchmark::DoNotOptimize(out.str().data());
    }
}

} // namespace

int main(int argc, char** argv) {
    using measured = void (*)(benchmark::State&, const sample&);
    const std::pair<const char*, measured> contestants[] = {
        {"memcpy", memcpy_floor}, {"encode_to", encode_to},  {"encode_to-roomy", encode_to_roomy},
        {"frame", make_frame},    {"string", string_append}, {"ostringstream", ostringstream}};
    for (const sample& s : samples()) {
        for (const auto& [who, run] : contestants) {
            benchmark::RegisterBenchmark(
                ("encode/" + s.name + "/" + who).c_str(),
                [s, run = run](benchmark::State& state) { run(state, s); });
        }
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
}
