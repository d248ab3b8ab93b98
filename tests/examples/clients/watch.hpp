// SPDX-License-Identifier: MIT
//
// What all clients in this folder do, so that each of them shows only what its library needs: they
// connect to a URL, print each event as a line of JSON, and come back when the connection is lost.
#ifndef SSEKIT_EXAMPLES_CLIENTS_WATCH_HPP
#define SSEKIT_EXAMPLES_CLIENTS_WATCH_HPP

#include "../json_lines.hpp"

#include <ssekit/event_source.hpp>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace watch {

inline constexpr const char* help =
    R"(usage: %s [options] URL

Prints each event of a stream as a line of JSON,
  {"type":"message","data":"...","lastEventId":"..."}
and comes back with the last event ID when the connection is lost.

  --header 'NAME: VALUE'    send this header too; may be repeated
  --post FILE               send a POST with what is in FILE, - for standard input; it is sent once
  --repeat                  a POST may be sent again
  --from ID                 begin behind this event
  --max-events N            end after so many
  --retry-errors            try again after 408, 429, 500, 502, 503 and 504
  --max-failures N          give up after so many failures in a row; 0, the default: never
  --reconnection-time MS    between two attempts, until the server says; default 1000
  --idle-timeout MS         a connection without a byte for so long is lost; default: none is
  --ca FILE                 trust these certificates instead of the system's
  --help                    print this

exit status: 0  the stream came to its end, or to --max-events, or nobody reads the output
             1  it was given up; standard error says why
             2  events were dropped because of a limit
             64 the command line is wrong
)";

enum exit_status { success = 0, gave_up = 1, dropped_events = 2, usage_error = 64 };

struct settings {
    std::string url = {};
    ssekit::event_source_options source = {};
    std::uint64_t max_events = std::numeric_limits<std::uint64_t>::max();
    std::string ca = {}; ///< "": the system's
};

/// Thrown to end the program, with a message for the user.
struct wrong_usage {
    std::string what;
};

inline std::uint64_t number(const std::string& option, std::string_view text) {
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (end != text.data() + text.size() || error != std::errc() || out > 1'000'000'000'000) {
        throw wrong_usage{option + " takes a number, not \"" + std::string(text) + "\""};
    }
    return out;
}

inline ssekit::source_header header(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos) throw wrong_usage{"--header takes 'NAME: VALUE'"};
    return {std::string(text.substr(0, colon)),
            std::string(ssekit::detail::trim(text.substr(colon + 1)))};
}

inline std::string contents(const std::string& file) {
    std::ifstream opened;
    if (file != "-") opened.open(file, std::ios::binary);
    std::istream& in = file == "-" ? std::cin : opened;
    std::string out(std::istreambuf_iterator<char>(in), {});
    if (!in) throw wrong_usage{"cannot read " + file + ": " + std::strerror(errno)};
    return out;
}

inline settings read_settings(int argc, char** argv) {
    settings out;
    out.source.seed = std::random_device()();
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        if (option == "--help") {
            std::printf(help, argv[0]);
            std::exit(success);
        }
        if (!option.starts_with("--")) {
            if (!out.url.empty()) throw wrong_usage{"one URL, not two"};
            out.url = option;
            continue;
        }
        if (option == "--repeat") {
            out.source.repeat = ssekit::repeat_policy::always;
            continue;
        }
        if (option == "--retry-errors") {
            out.source.on_status = ssekit::status_policy::sdk;
            continue;
        }
        if (++i == argc) throw wrong_usage{"unknown, or something must follow: " + option};
        const std::string value = argv[i];
        const auto milliseconds = [&] { return std::chrono::milliseconds(number(option, value)); };
        if (option == "--header") {
            out.source.headers.push_back(header(value));
        } else if (option == "--post") {
            out.source.method = "POST";
            out.source.body = contents(value);
        } else if (option == "--from") {
            out.source.last_event_id = value;
        } else if (option == "--max-events") {
            out.max_events = number(option, value);
            if (out.max_events == 0) throw wrong_usage{"--max-events takes at least 1"};
        } else if (option == "--max-failures") {
            out.source.max_failures = static_cast<unsigned>(number(option, value));
        } else if (option == "--reconnection-time") {
            out.source.reconnection_time = milliseconds();
        } else if (option == "--idle-timeout") {
            out.source.idle_timeout = milliseconds();
        } else if (option == "--ca") {
            out.ca = value;
        } else {
            throw wrong_usage{"unknown option " + option};
        }
    }
    if (out.url.empty()) throw wrong_usage{"a URL is missing"};
    return out;
}

/// A sink that prints, and that ends the stream when there are enough events or nobody reads them.
class printer {
  public:
    printer(const settings& wanted, ssekit::event_source& source) noexcept
        : source_(source), left_(wanted.max_events) {}

    void on_event(const ssekit::event_view& event) {
        try {
            out_.event(event, source_.last_event_id());
            out_.flush();
        } catch (const io_error& error) { // not through the frames of a library
            failed_ = error;
            source_.close();
        }
        if (--left_ == 0) source_.close();
    }
    void on_error(ssekit::errc code, std::uint64_t) {
        status_ = dropped_events;
        std::fprintf(stderr, "an event was dropped: %s\n", ssekit::message(code).data());
    }

    [[nodiscard]] exit_status conclude() const {
        if (failed_ && failed_->code != EPIPE) {
            std::fprintf(stderr, "%s: %s\n", failed_->doing, std::strerror(failed_->code));
            return gave_up;
        }
        switch (source_.end()) {
        case ssekit::source_end::closed:
        case ssekit::source_end::completed:
        case ssekit::source_end::no_content: return status_;
        default: break;
        }
        std::fprintf(stderr, "%s", ssekit::message(source_.end()).data());
        if (source_.status() != 0) std::fprintf(stderr, " (status %d)", source_.status());
        std::fprintf(stderr, "\n");
        return gave_up;
    }

  private:
    ssekit::event_source& source_;
    std::uint64_t left_;
    exit_status status_ = success;
    std::optional<io_error> failed_ = {};
    json_lines out_;
};

/// Says that there is no connection, and when the next attempt follows.
inline void tell(void*, ssekit::event_source& source) noexcept {
    if (source.state() != ssekit::ready_state::connecting) return;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
        source.next_attempt() - std::chrono::steady_clock::now());
    const std::string_view why = source.failure();
    std::fprintf(stderr, "%s%s%.*s; trying again in %lld ms\n",
                 source.was_cut() ? "connection lost inside an event" : "no connection",
                 why.empty() ? "" : ": ", static_cast<int>(why.size()), why.data(),
                 static_cast<long long>(wait.count()));
}

/// Runs a client.
/// \param follow called with the settings, the source and a printer for its events; returns when
/// the source has ended.
/// \returns the exit status.
template <class Follow>
int run(int argc, char** argv, const Follow& follow) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        settings wanted = read_settings(argc, argv);
        wanted.source.on_change = {&tell, nullptr};
        ssekit::event_source source(wanted.url, wanted.source);
        printer print(wanted, source);
        follow(wanted, source, print);
        return print.conclude();
    } catch (const wrong_usage& wrong) {
        std::fprintf(stderr, "%s\nTry '%s --help'.\n", wrong.what.c_str(), argv[0]);
        return usage_error;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return gave_up;
    }
}

} // namespace watch

#endif
