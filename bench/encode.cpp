// SPDX-License-Identifier: MIT
//
// encode/<data>/<who>: time of one event with id and type, beside what a user would write and, as
// the floor, memcpy of the finished block. Who writes other bytes than the encoder does is not
// measured but reported. The encoder also splits lines at CR, which the others do not look for and
// no data here has.
//
// encode_to has exactly the room that it needs, and so has to count first; encode_to-roomy does
// not. encode_to+malloc is what a frame cannot do without: encoding into memory that is allocated
// and freed.
//
// encode/size/<bytes>/<who>: the same over the size of the data, one line of it.

#include "run.hpp"

#include <ssekit/encoder.hpp>
#include <ssekit/frame.hpp>

#include <benchmark/benchmark.h>

#ifdef SSEKIT_BENCH_FMT
#include <fmt/compile.h>
#include <fmt/format.h>
#endif

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

struct sample {
    std::string data;

    [[nodiscard]] ssekit::event_view event() const {
        return {.id = "1234567", .type = "tick", .data = std::string_view(data)};
    }
    [[nodiscard]] std::string block() const {
        std::string out;
        (void)ssekit::append_to(out, event());
        return out;
    }
};

// Room for what anybody writes, and for encode_to not to count.
std::vector<char> room_for(const sample& s) {
    return std::vector<char>(8 * s.data.size() + 256);
}

template <class EachLine>
void for_each_line(std::string_view text, EachLine&& each) {
    for (;;) {
        const std::size_t end = text.find('\n');
        each(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

// ---- measuring

// `encode(event)` \returns the block as it lies somewhere.
template <class Encode>
void measure(benchmark::State& state, const sample& s, Encode&& encode) {
    ssekit::event_view event = s.event();
    if (std::string_view(encode(event)) != s.block()) {
        return state.SkipWithError("writes other bytes than append_to");
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(event);
        auto block = encode(event);
        benchmark::DoNotOptimize(block);
        benchmark::ClobberMemory();
    }
}

void memcpy_floor(benchmark::State& state, const sample& s) {
    const std::string block = s.block();
    std::vector<char> buffer = room_for(s);
    measure(state, s, [&](const ssekit::event_view&) {
        std::memcpy(buffer.data(), block.data(), block.size());
        return std::string_view(buffer.data(), block.size());
    });
}

void encode_into(benchmark::State& state, const sample& s, std::vector<char> buffer) {
    char* const begin = buffer.data();
    char* const end = begin + buffer.size();
    measure(state, s, [&](const ssekit::event_view& event) {
        return std::string_view(begin, ssekit::encode_to(begin, end, event).ptr);
    });
}

void encode_to(benchmark::State& state, const sample& s) {
    encode_into(state, s, std::vector<char>(ssekit::encoded_size(s.event())));
}

void encode_to_roomy(benchmark::State& state, const sample& s) {
    encode_into(state, s, room_for(s));
}

void encode_to_malloc(benchmark::State& state, const sample& s) {
    constexpr std::size_t beside = 32; // owners, sizes, head and tail of a chunk
    const std::size_t size = ssekit::encoded_size(s.event());
    ssekit::event_view event = s.event();
    for (auto _ : state) {
        benchmark::DoNotOptimize(event);
        auto* memory = static_cast<char*>(std::malloc(beside + size));
        auto result = ssekit::encode_to(memory + beside, memory + beside + size, event);
        benchmark::DoNotOptimize(result);
        benchmark::DoNotOptimize(memory);
        std::free(memory);
    }
}

void frame(benchmark::State& state, const sample& s) {
    ssekit::event_view event = s.event();
    for (auto _ : state) {
        benchmark::DoNotOptimize(event);
        auto made = ssekit::frame::make(event);
        benchmark::DoNotOptimize(made);
    }
}

void string(benchmark::State& state, const sample& s) {
    std::string out;
    measure(state, s, [&](const ssekit::event_view& event) -> std::string_view {
        out.assign("id: ").append(*event.id).append("\nevent: ").append(event.type).append("\n");
        for_each_line(*event.data, [&](std::string_view line) {
            out.append("data: ").append(line).append("\n");
        });
        return out.append("\n");
    });
}

void ostringstream(benchmark::State& state, const sample& s) {
    measure(state, s, [&](const ssekit::event_view& event) {
        std::ostringstream out;
        out << "id: " << *event.id << "\nevent: " << event.type << '\n';
        for_each_line(*event.data, [&](std::string_view line) { out << "data: " << line << '\n'; });
        out << '\n';
        return std::move(out).str();
    });
}

#ifdef SSEKIT_BENCH_FMT

// Who knows that the data is one line needs one call; who does not, one for each line.
template <class Out>
Out format(Out out, const ssekit::event_view& event, bool one_line) {
    if (one_line) {
        return fmt::format_to(out, "id: {}\nevent: {}\ndata: {}\n\n", *event.id, event.type,
                              *event.data);
    }
    out = fmt::format_to(out, "id: {}\nevent: {}\n", *event.id, event.type);
    for_each_line(*event.data,
                  [&](std::string_view line) { out = fmt::format_to(out, "data: {}\n", line); });
    *out++ = '\n';
    return out;
}

template <class Out>
Out format_compiled(Out out, const ssekit::event_view& event, bool one_line) {
    if (one_line) {
        return fmt::format_to(out, FMT_COMPILE("id: {}\nevent: {}\ndata: {}\n\n"), *event.id,
                              event.type, *event.data);
    }
    out = fmt::format_to(out, FMT_COMPILE("id: {}\nevent: {}\n"), *event.id, event.type);
    for_each_line(*event.data, [&](std::string_view line) {
        out = fmt::format_to(out, FMT_COMPILE("data: {}\n"), line);
    });
    *out++ = '\n';
    return out;
}

bool is_one_line(const sample& s) {
    return s.data.find('\n') == std::string::npos;
}

void fmt_buffer(benchmark::State& state, const sample& s) {
    std::vector<char> buffer = room_for(s);
    const bool one_line = is_one_line(s);
    measure(state, s, [&](const ssekit::event_view& event) {
        return std::string_view(buffer.data(), format(buffer.data(), event, one_line));
    });
}

void fmt_compiled(benchmark::State& state, const sample& s) {
    std::vector<char> buffer = room_for(s);
    const bool one_line = is_one_line(s);
    measure(state, s, [&](const ssekit::event_view& event) {
        return std::string_view(buffer.data(), format_compiled(buffer.data(), event, one_line));
    });
}

void fmt_memory_buffer(benchmark::State& state, const sample& s) {
    fmt::memory_buffer buffer;
    const bool one_line = is_one_line(s);
    measure(state, s, [&](const ssekit::event_view& event) {
        buffer.clear();
        format(std::back_inserter(buffer), event, one_line);
        return std::string_view(buffer.data(), buffer.size());
    });
}

#endif

// ---- names

using measured = void (*)(benchmark::State&, const sample&);

struct contestant {
    const char* who;
    measured run;
    bool over_sizes; // whether it is in that series, too
};

constexpr contestant contestants[] = {
    {"memcpy", memcpy_floor, true},
    {"encode_to", encode_to, true},
    {"encode_to-roomy", encode_to_roomy, true},
    {"encode_to+malloc", encode_to_malloc, false},
    {"frame", frame, false},
    {"string", string, true},
    {"ostringstream", ostringstream, false},
#ifdef SSEKIT_BENCH_FMT
    {"fmt-format_to", fmt_buffer, true},
    {"fmt-compiled", fmt_compiled, false},
    {"fmt-memory_buffer", fmt_memory_buffer, false},
#endif
};

void add(const std::string& prefix, const contestant& each, const sample& s) {
    benchmark::RegisterBenchmark((prefix + "/" + each.who).c_str(),
                                 [s, run = each.run](benchmark::State& state) { run(state, s); });
}

std::string lines(std::size_t size) {
    std::string text;
    while (text.size() < size) text += std::string(80, 'x') + '\n';
    return text;
}

} // namespace

int main(int argc, char** argv) {
    const std::pair<const char*, sample> samples[] = {{"12B", {std::string(12, 'x')}},
                                                      {"128B", {std::string(128, 'x')}},
                                                      {"4K", {std::string(4096, 'x')}},
                                                      {"4K-lines", {lines(4096)}}};
    for (const auto& [name, s] : samples) {
        for (const contestant& each : contestants) add("encode/" + std::string(name), each, s);
    }
    for (std::size_t size = 16; size <= std::size_t{64} << 10; size *= 4) {
        for (const contestant& each : contestants) {
            if (!each.over_sizes) continue;
            add("encode/size/" + std::to_string(size), each, {std::string(size, 'x')});
        }
    }
    return bench::run(argc, argv);
}
