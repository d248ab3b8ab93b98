// SPDX-License-Identifier: MIT
//
// sse_cat: an event stream on standard input becomes one JSON object a line on standard output.
//
//     curl -sN http://127.0.0.1:8080/events | sse_cat
//     {"type":"metric","data":"41.7","lastEventId":"3f.120"}
//
// It is the whole of reading a stream with ssekit: hand `parser::next` what the network brought, take
// the events out until it asks for more. read(2) returns as soon as there is anything, and what has
// been made of it is written before the next read, so a live stream is shown live; a file goes through
// in blocks of 64 KiB.
#include "json_lines.hpp"

#include <ssekit/parser.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <poll.h>
#include <unistd.h>

namespace {

constexpr std::string_view help =
    R"(usage: sse_cat [--chunk N] [--whole] [--limit BYTES] < event-stream

Reads an event stream and prints one JSON object a line, as the events come:
  {"type":"message","data":"...","lastEventId":"..."}
and at the end of input, with null for a retry that was never set:
  {"last_event_id":"...","retry":1500}
A retry beyond 2^53-1 is printed as a string. An event that the input leaves unfinished is dropped.

  --chunk N      feed the parser at most N bytes at a time
  --whole        read all input before the first byte is parsed
  --limit BYTES  drop events with more data than this, or a longer id or type (default 16777216 of
                 data, 65536 of an id or a type)
  --help         print this

exit status: 0  all went well, also when the reader of the output has gone
             1  reading or writing failed
             2  events were dropped because of a limit; each is named on standard error
             64 the command line is wrong
)";

enum exit_status { success = 0, io_failed = 1, dropped_events = 2, usage_error = 64 };

struct settings {
    std::size_t chunk = std::string_view::npos;
    bool whole = false;
    ssekit::parser_options parser;
};

// ---- input and output

/// \returns what there is; nothing only at the end of input.
std::string_view read_some(std::array<char, 65536>& memory) {
    for (;;) {
        const ssize_t size = read(STDIN_FILENO, memory.data(), memory.size());
        if (size >= 0) return {memory.data(), static_cast<std::size_t>(size)};
        if (!try_again(STDIN_FILENO, POLLIN)) throw io_error{"reading standard input", errno};
    }
}

// ---- the stream

class cat {
  public:
    explicit cat(const settings& wanted) : settings_(wanted), parser_(wanted.parser) {}

    exit_status run() {
        std::array<char, 65536> memory;
        std::string all; // with --whole
        for (;;) {
            const std::string_view input = read_some(memory);
            if (input.empty()) break;
            if (settings_.whole) {
                all += input;
            } else {
                feed(input);
                out_.flush();
            }
        }
        feed(all);
        static_cast<void>(parser_.finish()); // the standard drops an event that is cut off
        out_.end(parser_.last_event_id(), parser_.retry());
        out_.flush();
        return status_;
    }

  private:
    void feed(std::string_view input) {
        while (!input.empty()) {
            std::string_view chunk = input.substr(0, settings_.chunk);
            input.remove_prefix(chunk.size());
            feed_chunk(chunk);
        }
    }

    void feed_chunk(std::string_view chunk) {
        for (;;) {
            if (const ssekit::event_view* event = parser_.next(chunk)) {
                out_.event(*event, parser_.last_event_id());
            } else if (parser_.error() != ssekit::errc::ok) {
                report();
            } else {
                return;
            }
        }
    }

    void report() {
        status_ = dropped_events;
        out_.flush(); // so that the message stands where it belongs when both go to a terminal
        const std::string_view what = ssekit::message(parser_.error());
        std::fprintf(stderr, "sse_cat: byte %llu: %.*s\n",
                     static_cast<unsigned long long>(parser_.error_offset()),
                     static_cast<int>(what.size()), what.data());
    }

    settings settings_;
    ssekit::parser parser_;
    json_lines out_;
    exit_status status_ = success;
};

// ---- the command line

/// \returns the number, or nothing when the text is not one or is less than `least`.
std::optional<std::size_t> parse_number(std::string_view text, std::size_t least) {
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (stop != end || error != std::errc{} || number < least) return std::nullopt;
    return number;
}

exit_status complain(const char* what, const char* about) {
    std::fprintf(stderr, "sse_cat: %s%s\nTry 'sse_cat --help'.\n", what, about);
    return usage_error;
}

exit_status run(int argc, char** argv) {
    settings wanted;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--help") {
            std::fwrite(help.data(), 1, help.size(), stdout);
            return success;
        }
        if (option == "--whole") {
            wanted.whole = true;
        } else if (option == "--chunk" || option == "--limit") {
            if (++i == argc) return complain("a number must follow ", argv[i - 1]);
            const bool is_chunk = option == "--chunk";
            const std::optional<std::size_t> number = parse_number(argv[i], is_chunk ? 1 : 0);
            if (!number) return complain("not a number of bytes: ", argv[i]);
            ssekit::parser_limits& limits = wanted.parser.limits;
            if (is_chunk) {
                wanted.chunk = *number;
            } else {
                limits.data = limits.id = limits.type = *number;
            }
        } else {
            return complain("unknown argument: ", argv[i]);
        }
    }
    return cat(wanted).run();
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN); // `sse_cat | head -1` is no failure
    try {
        return run(argc, argv);
    } catch (const io_error& error) {
        if (error.code == EPIPE) return success;
        std::fprintf(stderr, "sse_cat: %s: %s\n", error.doing, std::strerror(error.code));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sse_cat: %s\n", error.what());
    }
    return io_failed;
}
