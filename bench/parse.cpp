// SPDX-License-Identifier: MIT
//
// parse/<data>/<chunk>/<who>: bytes per second of the parser, of what one writes by hand
// (baselines.hpp) and, as floors, of memchr to each LF, which finds line ends and does nothing with
// them, of std::getline, which also copies the lines, and of memcpy. Who finds other events than
// the parser does is not measured but reported.
//
// parse/size/<bytes>/<who>: events with so much data, in chunks of 16 KiB that all come in the same
// buffer, as they do from a socket. The cost of a byte has to be flat.

#include "baselines.hpp"
#include "data.hpp"
#include "run.hpp"

#include <ssekit/parser.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t usual_chunk = std::size_t{16} << 10;

// ---- what is parsed

class cut_text {
  public:
    cut_text(std::string_view text, std::size_t chunk) : text_(text), chunk_(chunk) {}

    [[nodiscard]] std::string_view text() const { return text_; }
    [[nodiscard]] std::size_t size() const { return chunk_; }
    [[nodiscard]] std::size_t bytes() const { return text_.size(); }

    template <class Each>
    void for_each(Each&& each) const {
        bench::in_chunks(text_, chunk_, each);
    }

  private:
    std::string_view text_;
    std::size_t chunk_;
};

// At least one chunk of whole events with `size` bytes of data each. What is between the first
// chunk and the last of a long event is one piece of memory, time and again.
class reused_buffer {
  public:
    explicit reused_buffer(std::size_t size) {
        const std::string_view head = "data: ";
        const std::string_view tail = "\n\n";
        if (head.size() + size + tail.size() <= usual_chunk) {
            while (begin_.size() < usual_chunk) {
                begin_.append(head).append(size, 'x').append(tail);
            }
            return;
        }
        const std::size_t rest = size - (usual_chunk - head.size());
        begin_.append(head).append(usual_chunk - head.size(), 'x');
        middle_.append(usual_chunk, 'x');
        times_ = rest / usual_chunk;
        end_.append(rest % usual_chunk, 'x').append(tail);
    }

    [[nodiscard]] std::size_t bytes() const {
        return begin_.size() + times_ * middle_.size() + end_.size();
    }

    template <class Each>
    void for_each(Each&& each) const {
        bench::in_chunks(begin_, usual_chunk, each);
        for (std::size_t i = 0; i < times_; ++i) each(std::string_view(middle_));
        bench::in_chunks(end_, usual_chunk, each);
    }

  private:
    std::string begin_;
    std::string middle_;
    std::size_t times_ = 0;
    std::string end_;
};

// Made when it is first asked for: most runs are of one set.
std::string_view text_of(const bench::data_set& data) {
    static std::map<std::string_view, std::string> texts;
    std::string& text = texts[data.name()];
    if (text.empty()) text = data.make(std::size_t{1} << 20);
    return text;
}

// ---- who parses

// No event here meets a limit.
constexpr ssekit::parser_limits limits{.data = std::size_t{128} << 20};

template <ssekit::utf8_policy Utf8>
class pushing {
  public:
    template <class Chunks, class OnEvent>
    void run(const Chunks& chunks, OnEvent&& on_event) {
        chunks.for_each([&](std::string_view chunk) { ssekit::feed(parser_, chunk, on_event); });
    }

  private:
    ssekit::parser parser_{{.limits = limits, .utf8 = Utf8}};
};

using feed = pushing<ssekit::utf8_policy::replace>;
using feed_pass_through = pushing<ssekit::utf8_policy::pass_through>;

class next {
  public:
    template <class Chunks, class OnEvent>
    void run(const Chunks& chunks, OnEvent&& on_event) {
        chunks.for_each([&](std::string_view chunk) {
            while (const ssekit::event_view* const event = parser_.next(chunk)) on_event(*event);
        });
    }

  private:
    ssekit::parser parser_{{.limits = limits}};
};

// ---- measuring

void count_bytes(benchmark::State& state, std::size_t each_time) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(each_time));
}

struct digest {
    std::uint64_t events = 0;
    std::size_t sum = 0;

    void operator()(const ssekit::event_view& event) {
        const std::hash<std::string_view> hash;
        ++events;
        sum = sum * 31 + hash(event.id.value_or("none"));
        sum = sum * 31 + hash(event.type);
        sum = sum * 31 + hash(*event.data);
    }
    friend bool operator==(const digest&, const digest&) = default;
};

template <class Contestant, class Chunks>
digest digest_of(const Chunks& chunks) {
    digest got;
    Contestant().run(chunks, got);
    return got;
}

template <class Contestant, class Chunks>
void parse(benchmark::State& state, const Chunks& chunks) {
    Contestant contestant;
    std::uint64_t events = 0;
    const auto on_event = [&events](const ssekit::event_view& event) {
        benchmark::DoNotOptimize(event.data->data());
        ++events;
    };
    contestant.run(chunks, on_event); // so that its buffers have grown
    events = 0;
    for (auto _ : state) contestant.run(chunks, on_event);
    count_bytes(state, chunks.bytes());
    state.counters["events"] =
        benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}

// Data that is handed on as it comes, and never kept.
void feed_on_data_chunk(benchmark::State& state, const reused_buffer& chunks) {
    struct piecewise {
        void on_data_chunk(std::string_view piece) { benchmark::DoNotOptimize(piece.data()); }
        void on_event(const ssekit::event_view& event) {
            benchmark::DoNotOptimize(event.type.data());
        }
    } sink;
    ssekit::parser parser({.limits = limits});
    for (auto _ : state) {
        chunks.for_each([&](std::string_view chunk) { ssekit::feed(parser, chunk, sink); });
    }
    count_bytes(state, chunks.bytes());
}

template <class Chunks>
void memchr_floor(benchmark::State& state, const Chunks& chunks) {
    for (auto _ : state) {
        chunks.for_each([](std::string_view chunk) {
            const char* p = chunk.data();
            const char* const end = p + chunk.size();
            while (const void* hit = std::memchr(p, '\n', static_cast<std::size_t>(end - p))) {
                benchmark::DoNotOptimize(hit);
                p = static_cast<const char*>(hit) + 1;
            }
        });
    }
    count_bytes(state, chunks.bytes());
}

// What keeping all of it in one place costs.
template <class Chunks>
void memcpy_floor(benchmark::State& state, const Chunks& chunks) {
    std::vector<char> buffer(chunks.bytes());
    for (auto _ : state) {
        char* to = buffer.data();
        chunks.for_each([&](std::string_view chunk) {
            std::memcpy(to, chunk.data(), chunk.size());
            to += chunk.size();
        });
        benchmark::DoNotOptimize(buffer.data());
        benchmark::ClobberMemory();
    }
    count_bytes(state, chunks.bytes());
}

void getline_floor(benchmark::State& state, const cut_text& chunks) {
    std::string line;
    for (auto _ : state) {
        bench::chunk_buffer buffer(chunks.text(), chunks.size());
        std::istream in(&buffer);
        while (std::getline(in, line)) benchmark::DoNotOptimize(line.data());
    }
    count_bytes(state, chunks.bytes());
}

// ---- names

void add(const std::string& name, std::function<void(benchmark::State&)> run) {
    benchmark::RegisterBenchmark(name.c_str(), std::move(run));
}

template <class Contestant>
void add_parser(const std::string& name, const bench::data_set& data, std::size_t chunk) {
    add(name, [&data, chunk, checked = false](benchmark::State& state) mutable {
        const std::string_view text = text_of(data);
        const cut_text chunks(text, std::min(chunk, text.size()));
        if (!checked && digest_of<Contestant>(chunks) != digest_of<next>(cut_text(text, 1))) {
            return state.SkipWithError("finds other events than parser::next does byte by byte");
        }
        checked = true;
        parse<Contestant>(state, chunks);
    });
}

void add_data(const bench::data_set& data) {
    constexpr std::pair<const char*, std::size_t> chunks[] = {
        {"whole", ~std::size_t{0}}, {"16K", usual_chunk}, {"1400", 1400}, {"64", 64}, {"1", 1}};
    const std::string set = "parse/" + std::string(data.name());
    const auto add_floor = [&](const char* who, auto* floor) {
        add(set + "/whole/" + who, [&data, floor](benchmark::State& state) {
            floor(state, cut_text(text_of(data), text_of(data).size()));
        });
    };
    add_floor("memchr", memchr_floor<cut_text>);
    add_floor("getline", getline_floor);
    add_floor("memcpy", memcpy_floor<cut_text>);
    for (const auto& [label, chunk] : chunks) {
        const std::string prefix = set + "/" + label;
        add_parser<feed_pass_through>(prefix + "/feed-pass-through", data, chunk);
        add_parser<feed>(prefix + "/feed", data, chunk);
        add_parser<next>(prefix + "/next", data, chunk);
        add_parser<bench::state_machine>(prefix + "/state-machine", data, chunk);
        // It does not know the line ends of the hostile one, and nobody gives an istream 64 bytes.
        if (chunk >= usual_chunk && data.name() != "hostile") {
            add_parser<bench::getline_parser>(prefix + "/getline-parser", data, chunk);
        }
    }
}

void add_size(std::size_t size) {
    const std::string prefix = "parse/size/" + std::to_string(size) + "/";
    const auto add_each = [&](const char* who, auto* run) {
        add(prefix + who,
            [size, run](benchmark::State& state) { run(state, reused_buffer(size)); });
    };
    add_each("memchr", memchr_floor<reused_buffer>);
    add_each("memcpy", memcpy_floor<reused_buffer>);
    add_each("feed-pass-through", parse<feed_pass_through, reused_buffer>);
    add_each("feed", parse<feed, reused_buffer>);
    add_each("feed-on_data_chunk", feed_on_data_chunk);
    add_each("state-machine", parse<bench::state_machine, reused_buffer>);
}

} // namespace

int main(int argc, char** argv) {
    for (const bench::data_set* const data : bench::data_sets) add_data(*data);
    for (std::size_t size = 1 << 10; size <= std::size_t{64} << 20; size *= 4) add_size(size);
    return bench::run(argc, argv);
}
