// SPDX-License-Identifier: MIT
//
// Reading an event stream, here the answer of a language model as it comes off the network: in pieces
// that end anywhere, even inside a character.

#undef NDEBUG // the asserts are the point
#include <ssekit/parser.hpp>

#include <cassert>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

// [read]
struct completion {
    std::string text;
    bool finished = false;

    bool on_event(const ssekit::event_view& event) {
        if (event.data == "[DONE]") {
            finished = true;
            return false; // stop here; feed says how much it has taken
        }
        text += *event.data; // a view into the chunk: parse JSON from it in place
        return true;
    }
    void on_error(ssekit::errc code, std::uint64_t offset) {
        std::fprintf(stderr, "byte %llu: %s\n", static_cast<unsigned long long>(offset),
                     ssekit::message(code).data());
    }
};

std::string read_completion(auto&& receive) {
    ssekit::parser parser({.limits = {.data = std::size_t{1} << 20}});
    completion answer;
    for (std::string_view chunk = receive(); !chunk.empty() && !answer.finished;
         chunk = receive()) {
        ssekit::feed(parser, chunk, answer);
    }
    if (!answer.finished && parser.finish() == ssekit::errc::incomplete)
        answer.text += " (cut off)";
    return answer.text;
}
// [read]

int main() {
    const std::string stream = "\xEF\xBB\xBF: ok\r\n\r\n"
                               "data: Gr\xC3\xBC\xC3\x9F\r\n\r\n"
                               "data: e!\n\ndata: [DONE]\n\ndata: never seen\n\n";
    for (std::size_t size = 1; size <= stream.size(); ++size) {
        std::string_view rest = stream;
        const std::string text = read_completion([&] {
            const std::string_view chunk = rest.substr(0, size);
            rest.remove_prefix(chunk.size());
            return chunk;
        });
        assert(text == "Gr\xC3\xBC\xC3\x9F"
                       "e!");
    }
    std::string_view cut = "data: Hel\n\ndata: lo";
    assert(read_completion([&] { return std::exchange(cut, {}); }) == "Hel (cut off)");
}
