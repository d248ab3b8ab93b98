// SPDX-License-Identifier: MIT
//
// parse/<data>/<chunk>/<who>: bytes per second of the parser and, in the same run, of the floor that
// no parser gets under: memchr to each LF, which finds line ends and does nothing with them.

#include <ssekit/parser.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t total = std::size_t{1} << 20;

std::string letters(std::mt19937& random, std::size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 26);
    return text;
}

std::string repeat(const std::function<std::string(std::mt19937&)>& block) {
    std::mt19937 random(7);
    std::string text;
    while (text.size() < total) text += block(random);
    return text;
}

// The chunk of a chat completion, about 250 bytes.
std::string llm() {
    return repeat([](std::mt19937& random) {
        return "data: {\"id\":\"chatcmpl-" + letters(random, 29) +
               "\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m-"
               "large\","
               "\"system_fingerprint\":\"fp_" +
               letters(random, 10) + "\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" " +
               letters(random, 5) + "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
    });
}

std::string small_with(const std::string& line_end) {
    int id = 0;
    return repeat([&](std::mt19937& random) {
        return "id: " + std::to_string(++id) + line_end + "event: tick" + line_end +
               "data: " + letters(random, 12) + line_end + line_end;
    });
}

std::string multi() {
    return repeat([](std::mt19937& random) {
        std::string block;
        for (int i = 0; i < 8; ++i) block += "data: " + letters(random, 60 + random() % 31) + "\n";
        return block + "\n";
    });
}

std::string big() {
    return repeat([](std::mt19937& random) {
        return "data: " + letters(random, std::size_t{64} << 10) + "\n\n";
    });
}

std::string cjk() {
    return repeat([](std::mt19937& random) {
        std::string text;
        for (int i = 0; i < 60; ++i) {
            const auto code = 0x4e00 + random() % 0x5000;
            text += static_cast<char>(0xe0 | code >> 12);
            text += static_cast<char>(0x80 | (code >> 6 & 63));
            text += static_cast<char>(0x80 | (code & 63));
        }
        return "data: " + text + "\n\n";
    });
}

std::string comments() {
    return repeat([](std::mt19937&) { return std::string(": keep-alive\n\n"); });
}

std::string hostile() {
    return repeat([](std::mt19937& random) {
        constexpr std::string_view pieces[] = {"\n",  "\r",  "\r\n",   "data\n",
                                               "d\r", ":\n", "x:y\r\n"};
        return std::string(pieces[random() % std::size(pieces)]);
    });
}

template <class Each>
void in_chunks(std::string_view text, std::size_t chunk, Each&& each) {
    for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) {
        each(text.substr(0, chunk));
    }
}

void count_bytes(benchmark::State& state, const std::string& data) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(data.size()));
}

void push(benchmark::State& state, const std::string& data, std::size_t chunk,
          ssekit::utf8_policy utf8) {
    ssekit::parser parser({.utf8 = utf8});
    std::uint64_t events = 0;
    for (auto _ : state) {
        in_chunks(data, chunk, [&](std::string_view piece) {
            ssekit::feed(parser, piece, [&](const ssekit::event_view& event) {
                benchmark::DoNotOptimize(event.data->data());
                ++events;
            });
        });
    }
    count_bytes(state, data);
    state.counters["events"] =
        benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}

void pull(benchmark::State& state, const std::string& data, std::size_t chunk) {
    ssekit::parser parser;
    for (auto _ : state) {
        in_chunks(data, chunk, [&](std::string_view piece) {
            while (const auto* event = parser.next(piece)) {
                benchmark::DoNotOptimize(event->data->data());
            }
        });
    }
    count_bytes(state, data);
}

void memchr_floor(benchmark::State& state, const std::string& data) {
    for (auto _ : state) {
        const char* p = data.data();
        const char* const end = p + data.size();
        while (const void* hit = std::memchr(p, '\n', static_cast<std::size_t>(end - p))) {
            benchmark::DoNotOptimize(hit);
            p = static_cast<const char*>(hit) + 1;
        }
    }
    count_bytes(state, data);
}

void add(const std::string& name, const std::string& data) {
    benchmark::RegisterBenchmark(("parse/" + name + "/whole/memchr").c_str(),
                                 [data](benchmark::State& s) { memchr_floor(s, data); });
    const std::pair<const char*, std::size_t> chunks[] = {
        {"whole", data.size()}, {"16K", 16384}, {"1400", 1400}, {"64", 64}, {"1", 1}};
    for (const auto& [label, size] : chunks) {
        const std::string prefix = "parse/" + name + "/" + label + "/";
        benchmark::RegisterBenchmark((prefix + "feed-pass-through").c_str(),
                                     [data, size = size](benchmark::State& s) {
                                         push(s, data, size, ssekit::utf8_policy::pass_through);
                                     });
        benchmark::RegisterBenchmark((prefix + "feed").c_str(),
                                     [data, size = size](benchmark::State& s) {
                                         push(s, data, size, ssekit::utf8_policy::replace);
                                     });
        benchmark::RegisterBenchmark(
            (prefix + "next").c_str(),
            [data, size = size](benchmark::State& s) { pull(s, data, size); });
    }
}

} // namespace

int main(int argc, char** argv) {
    add("llm", llm());
    add("small", small_with("\n"));
    add("crlf", small_with("\r\n"));
    add("multi", multi());
    add("big", big());
    add("cjk", cjk());
    add("comments", comments());
    add("hostile", hostile());
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
}
