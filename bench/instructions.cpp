// SPDX-License-Identifier: MIT
//
// Work for callgrind to count. A case prepares, runs one round to warm up and then as many as it is
// told, prints for how many units that was and leaves on the spot: so what is counted for two
// rounds, less what is counted for one, is one round and nothing else. instructions.py does that
// and compares.
//
//     bench_instructions                 lists the cases
//     bench_instructions CASE ROUNDS     runs one, 1 or 2 rounds
//     bench_instructions --made-for      says what the counts depend on

#include "clients.hpp"
#include "data.hpp"

#include <ssekit/encoder.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/heartbeat.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/parser.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

namespace {

using namespace std::chrono_literals;

constexpr int most_rounds = 2;

// The compiler may not know what is in there, nor that nobody reads it.
template <class T>
void keep(T& value) {
#ifdef __GNUC__
    asm volatile("" : : "r"(&value) : "memory");
#else
    static volatile const void* sink;
    sink = &value;
#endif
}

// `round(number)` \returns the units that it has done. Nothing is taken apart at the end, for what
// that costs depends on the rounds.
template <class Round>
[[noreturn]] void repeat(int rounds, Round&& round) {
    round(0);
    std::uint64_t units = 0;
    for (int number = 1; number <= rounds; ++number) units += round(number);
    std::printf("%llu\n", static_cast<unsigned long long>(units));
    std::fflush(stdout);
    std::_Exit(0);
}

// ---- parsing, 16 KiB at a time: an event, or a block where there are none

template <const bench::data_set& Data, ssekit::utf8_policy Utf8>
[[noreturn]] void parse(int rounds) {
    const std::string text = Data.make(std::size_t{128} << 10);
    ssekit::parser parser({.utf8 = Utf8});
    repeat(rounds, [&](int) {
        std::uint64_t events = 0;
        bench::in_chunks(text, std::size_t{16} << 10, [&](std::string_view chunk) {
            ssekit::feed(parser, chunk, [&events](const ssekit::event_view& event) {
                keep(event);
                ++events;
            });
        });
        const bool comments = &Data == &bench::comments;
        return comments ? text.size() / std::string_view(": keep-alive\n\n").size() : events;
    });
}

// ---- encoding: an event

constexpr int blocks = 1'000;

std::string lines() {
    std::string text;
    while (text.size() < 4096) text += std::string(80, 'x') + '\n';
    return text;
}

[[noreturn]] void encode(int rounds, const std::string& data, std::size_t to_spare) {
    ssekit::event_view event{.id = "1234567", .type = "tick", .data = std::string_view(data)};
    std::vector<char> buffer(ssekit::encoded_size(event) + to_spare);
    repeat(rounds, [&](int) {
        for (int i = 0; i < blocks; ++i) {
            keep(event);
            auto result = ssekit::encode_to(buffer.data(), buffer.data() + buffer.size(), event);
            keep(result);
        }
        return std::uint64_t{blocks};
    });
}

[[noreturn]] void encode_128(int rounds) {
    encode(rounds, std::string(128, 'x'), 0);
}
[[noreturn]] void encode_128_roomy(int rounds) {
    encode(rounds, std::string(128, 'x'), 4096);
}
[[noreturn]] void encode_lines(int rounds) {
    encode(rounds, lines(), 0);
}

[[noreturn]] void make_frame(int rounds) {
    const std::string data(128, 'x');
    ssekit::event_view event{.id = "1234567", .type = "tick", .data = std::string_view(data)};
    repeat(rounds, [&](int) {
        for (int i = 0; i < blocks; ++i) {
            keep(event);
            auto made = ssekit::frame::make(event);
            keep(made);
        }
        return std::uint64_t{blocks};
    });
}

// ---- the hub

// An event for each of some topics, at which so many subscribers wait: they get nothing meanwhile.
template <std::size_t Waiting>
[[noreturn]] void publish(int rounds) {
    constexpr std::size_t topics = 16; // for each round
    constexpr std::size_t kept = 64;   // so that the logs are full before anything is counted
    ssekit::hub hub(
        1, {},
        {.keep = {.events = kept, .burst = {.within = 0ms}}, .heartbeat = {.interval = 0ms}});
    std::vector<std::string> names;
    std::vector<ssekit::subscription> streams;
    bench::counting_writer out;
    for (std::size_t i = 0; i < topics * (most_rounds + 1); ++i) {
        const std::string& name = names.emplace_back("topic-" + std::to_string(100 + i));
        for (std::size_t j = 0; j < 2 * kept; ++j)
            static_cast<void>(hub.publish(name, {.data = bench::payload}));
        for (std::size_t j = 0; j < Waiting; ++j) {
            streams.push_back(hub.subscribe({.topics = name, .user = &hub}).subscription);
            static_cast<void>(drain(streams.back(), out));
        }
    }
    repeat(rounds, [&](int number) {
        for (std::size_t i = 0; i < topics; ++i) {
            const std::size_t at = topics * static_cast<std::size_t>(number) + i;
            static_cast<void>(hub.publish(names[at], {.data = bench::payload}));
        }
        return std::uint64_t{topics};
    });
}

// An event to one subscriber, with its share of the publishing.
[[noreturn]] void deliver(int rounds) {
    constexpr std::size_t subscribers = 1'000;
    ssekit::hub hub(1, {}, {.heartbeat = {.interval = 0ms}});
    bench::clients clients(hub, subscribers);
    repeat(rounds, [&](int) {
        for (int i = 0; i < 4; ++i) {
            static_cast<void>(hub.publish("ticks", {.data = bench::payload}));
            clients.deliver();
        }
        return std::uint64_t{4 * subscribers};
    });
}

// ---- heartbeats: a connection

struct beating {
    beating() {
        for (auto& entry : entries) wheel.arm(entry, now);
    }

    ssekit::time_point now{1h};
    ssekit::heartbeat wheel{{.interval = 15s}};
    std::array<ssekit::heartbeat::entry, 1'000> entries;
};

[[noreturn]] void touch(int rounds) {
    beating all;
    repeat(rounds, [&](int) {
        all.now += 1ms;
        for (auto& entry : all.entries) {
            ssekit::heartbeat::touch(entry, all.now);
            keep(entry);
        }
        return std::uint64_t{all.entries.size()};
    });
}

[[noreturn]] void arm(int rounds) {
    beating all;
    repeat(rounds, [&](int) {
        all.now += 1ms;
        for (auto& entry : all.entries) all.wheel.arm(entry, all.now);
        return std::uint64_t{all.entries.size()};
    });
}

[[noreturn]] void expire(int rounds) {
    beating all;
    repeat(rounds, [&](int) {
        std::uint64_t due = 0;
        for (int step = 0; step < 32; ++step) {
            all.now += 15'000ms / 32;
            due += all.wheel.expire(all.now, [](ssekit::heartbeat::entry& entry) { keep(entry); });
        }
        return due;
    });
}

// ---- what is asked for

struct work {
    std::string_view name;
    void (*run)(int rounds); // does not return
};

constexpr auto replace = ssekit::utf8_policy::replace;
constexpr auto pass_through = ssekit::utf8_policy::pass_through;

constexpr work cases[] = {
    {"parse/llm/feed", parse<bench::llm, replace>},
    {"parse/llm/feed-pass-through", parse<bench::llm, pass_through>},
    {"parse/small/feed", parse<bench::small, replace>},
    {"parse/small/feed-pass-through", parse<bench::small, pass_through>},
    {"parse/crlf/feed", parse<bench::crlf, replace>},
    {"parse/multi/feed", parse<bench::multi, replace>},
    {"parse/multi/feed-pass-through", parse<bench::multi, pass_through>},
    {"parse/big/feed", parse<bench::big, replace>},
    {"parse/big/feed-pass-through", parse<bench::big, pass_through>},
    {"parse/cjk/feed", parse<bench::cjk, replace>},
    {"parse/comments/feed", parse<bench::comments, replace>},
    {"parse/hostile/feed", parse<bench::hostile, replace>},
    {"encode/128B", encode_128},
    {"encode/128B-roomy", encode_128_roomy},
    {"encode/4K-lines", encode_lines},
    {"frame/128B", make_frame},
    {"publish/1", publish<1>},
    {"publish/1000", publish<1'000>},
    {"deliver", deliver},
    {"heartbeat/touch", touch},
    {"heartbeat/arm", arm},
    {"heartbeat/expire", expire},
};

// Valgrind shows a processor of its own, so this is to be asked under it.
void print_made_for() {
    std::string text;
#if defined(__clang__)
    text += "clang " + std::to_string(__clang_major__);
#elif defined(__GNUC__)
    text += "g++ " + std::to_string(__GNUC__);
#else
    text += "another compiler";
#endif
#ifdef SSEKIT_BENCH_CONFIG
    text += " " SSEKIT_BENCH_CONFIG;
#endif
#if defined(__x86_64__)
    text += ", x86-64";
#if defined(__AVX2__)
    text += " for AVX2";
#endif
    text += __builtin_cpu_supports("avx2") ? " with AVX2" : " without AVX2";
#else
    text += ", another machine";
#endif
#ifdef __GLIBC__
    text += std::string(", glibc ") + gnu_get_libc_version();
#endif
    std::puts(text.c_str());
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view name = argc > 1 ? argv[1] : "";
    if (argc == 1) {
        for (const work& each : cases) std::printf("%s\n", each.name.data());
        return 0;
    }
    if (argc == 2 && name == "--made-for") {
        print_made_for();
        return 0;
    }
    const int rounds = argc == 3 ? std::atoi(argv[2]) : 0;
    for (const work& each : cases) {
        if (each.name == name && rounds >= 1 && rounds <= most_rounds) each.run(rounds);
    }
    std::fprintf(stderr, "usage: %s [CASE 1|2 | --made-for]\n", argv[0]);
    return 2;
}
