// SPDX-License-Identifier: MIT
//
// The command line of the clients in this folder.
#ifndef SSEKIT_EXAMPLES_CLIENTS_WATCH_OPTIONS_HPP
#define SSEKIT_EXAMPLES_CLIENTS_WATCH_OPTIONS_HPP

#include <ssekit/event_source.hpp>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

namespace watch {

inline constexpr const char* help =
    R"(usage: %s [options] URL

Prints each event of a stream as a line of JSON,
  {"type":"message","data":"...","lastEventId":"..."}
and comes back with the last event ID when the connection is lost. A name and a password in the URL
are sent as an Authorization of the Basic scheme.

the request
  --header 'NAME: VALUE'    send this header too; may be repeated
  --secret-header 'NAME: VALUE'
                            the same, but a redirect to another origin does not take it along, as it
                            never does Authorization and Cookie
  --post FILE               send a POST with what is in FILE, - for standard input; it is sent once,
                            unless nothing of it could be sent
  --until-stream            a POST may be sent again until a stream has begun
  --repeat                  a POST may be sent again
  --body-may-travel         a redirect may take the body to another origin
  --from ID                 begin after this event
  --ca FILE                 trust these certificates instead of the system's

when to try again, and when to end
  --retry-errors            try again after 408, 409, 425, 429 and 5xx but 501 and 505
  --max-failures N          give up after so many failures in a row; 0, the default: never
  --reconnection-time MS    between two attempts, until the server says; default 1000
  --connect-timeout MS      to wait for a connection; default 30000
  --answer-timeout MS       to wait, once connected, for an answer; default 300000
  --idle-timeout MS         to wait for a byte of a stream; default: for ever
  --event-timeout MS        to wait for an event, whatever comments come; default: for ever
                            Of these four, 0 means for ever.
  --max-events N            end after so many
  --last DATA               end after the event with this data, such as [DONE]; of a POST, an answer
                            that ends before it was cut short

what is printed
  --unfinished              also the last event of a response if its blank line is missing
  --limit BYTES             drop events with more data than this, or a longer id or type; default
                            16777216 of data, 65536 of the others
  --comments                comments, on standard error
  --keep-header NAME        this header of each answer, on standard error; may be repeated
  --max-answer-body BYTES   so much of an answer that is no stream, on standard error; default 65536
  --help                    this

exit status: 0  the stream came to its end, to --last or to --max-events, or nobody reads the output;
                or SIGTERM or SIGINT came
             1  it was given up; standard error says why
             2  events were dropped because of a limit; each is named on standard error
             64 the command line is wrong
)";

enum exit_status { success = 0, gave_up = 1, dropped_events = 2, usage_error = 64 };

struct settings {
    std::string url = {};
    ssekit::event_source_options source = {};
    std::uint64_t max_events = std::numeric_limits<std::uint64_t>::max();
    std::string ca = {}; ///< "": the system's
    std::string last = {};
    bool has_last = false;
    bool shows_comments = false;
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

inline ssekit::source_header header(const std::string& option, std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos) throw wrong_usage{option + " takes 'NAME: VALUE'"};
    return {std::string(text.substr(0, colon)),
            std::string(ssekit::detail::trim(text.substr(colon + 1))), option == "--secret-header"};
}

inline std::string contents(const std::string& file) {
    std::ifstream opened;
    if (file != "-") opened.open(file, std::ios::binary);
    std::istream& in = file == "-" ? std::cin : opened;
    std::string out(std::istreambuf_iterator<char>(in), {});
    if (!in) throw wrong_usage{"cannot read " + file + ": " + std::strerror(errno)};
    return out;
}

/// \returns whether there is such an option that stands alone.
inline bool read_switch(settings& out, const std::string& option) {
    if (option == "--repeat") {
        out.source.repeat = ssekit::repeat_policy::always;
    } else if (option == "--until-stream") {
        out.source.repeat = ssekit::repeat_policy::until_stream;
    } else if (option == "--body-may-travel") {
        out.source.body_may_travel = true;
    } else if (option == "--retry-errors") {
        out.source.on_status = ssekit::status_policy::sdk;
    } else if (option == "--unfinished") {
        out.source.deliver_unfinished = true;
    } else if (option == "--comments") {
        out.shows_comments = true;
    } else {
        return false;
    }
    return true;
}

/// \returns whether there is such an option about times.
inline bool read_time(settings& out, const std::string& option, const std::string& value) {
    struct time {
        std::string_view name;
        std::chrono::milliseconds ssekit::event_source_options::*member;
    };
    using options = ssekit::event_source_options;
    for (const time& each : {time{"--reconnection-time", &options::reconnection_time},
                             time{"--connect-timeout", &options::connect_timeout},
                             time{"--answer-timeout", &options::answer_timeout},
                             time{"--idle-timeout", &options::idle_timeout},
                             time{"--event-timeout", &options::event_timeout}}) {
        if (option != each.name) continue;
        out.source.*each.member = std::chrono::milliseconds(number(option, value));
        return true;
    }
    return false;
}

inline void read_option(settings& out, const std::string& option, const std::string& value) {
    if (read_time(out, option, value)) return;
    if (option == "--header" || option == "--secret-header") {
        out.source.headers.push_back(header(option, value));
    } else if (option == "--post") {
        out.source.method = "POST";
        out.source.body = contents(value);
    } else if (option == "--from") {
        out.source.last_event_id = value;
    } else if (option == "--max-events") {
        out.max_events = number(option, value);
        if (out.max_events == 0) throw wrong_usage{"--max-events takes at least 1"};
    } else if (option == "--last") {
        out.last = value;
        out.has_last = true;
    } else if (option == "--max-failures") {
        out.source.max_failures = static_cast<unsigned>(number(option, value));
    } else if (option == "--limit") {
        ssekit::parser_limits& limits = out.source.parser.limits;
        limits.data = limits.id = limits.type = static_cast<std::size_t>(number(option, value));
    } else if (option == "--keep-header") {
        out.source.keep_headers.push_back(value);
    } else if (option == "--max-answer-body") {
        out.source.max_answer_body = static_cast<std::size_t>(number(option, value));
    } else if (option == "--ca") {
        out.ca = value;
    } else {
        throw wrong_usage{"unknown option " + option};
    }
}

inline settings read_settings(int argc, char** argv) {
    settings out;
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        if (option == "--help") {
            std::printf(help, argv[0]);
            std::exit(success);
        }
        if (!option.starts_with("--")) {
            if (!out.url.empty()) throw wrong_usage{"one URL, not two"};
            out.url = option;
        } else if (!read_switch(out, option)) {
            if (++i == argc) throw wrong_usage{"unknown, or something must follow: " + option};
            read_option(out, option, argv[i]);
        }
    }
    if (out.url.empty()) throw wrong_usage{"a URL is missing"};
    return out;
}

} // namespace watch

#endif
