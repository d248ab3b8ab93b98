// SPDX-License-Identifier: MIT
//
// What all clients in this folder do, so that each of them shows only what its library needs: they
// connect to a URL, print each event as a line of JSON, and come back when the connection is lost.
// What there is to say besides goes to standard error.
#ifndef SSEKIT_EXAMPLES_CLIENTS_WATCH_HPP
#define SSEKIT_EXAMPLES_CLIENTS_WATCH_HPP

#include "../json_lines.hpp"
#include "watch_options.hpp"

#include <ssekit/event_source.hpp>
#include <ssekit/stream_item.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <pthread.h>

namespace watch {

/// \returns text from outside as a terminal may see it: without control characters and malformed
/// UTF-8.
inline std::string harmless(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto step = ssekit::detail::decode_step(text.data(), text.data() + text.size());
        const std::string_view piece = text.substr(0, step.length);
        text.remove_prefix(step.length);
        const auto first = static_cast<unsigned char>(piece[0]);
        const bool is_control = first < 0x20 || first == 0x7F || // C0, DEL and C1
                                (piece.size() == 2 && first == 0xC2 && piece[1] < '\xA0');
        const bool is_space = first == '\n' || first == '\t';
        out += step.valid && (!is_control || is_space) ? piece : std::string_view("?");
    }
    return out;
}

inline void say(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
}

/// What it says when a stream begins, is lost, or was none.
class reporter {
  public:
    explicit reporter(const settings& wanted) noexcept : wanted_(wanted) {}

    void tell(ssekit::event_source& source) noexcept {
        if (source.state() == ssekit::ready_state::open) {
            was_open_ = true;
            say_headers(source);
        } else if (source.state() == ssekit::ready_state::connecting) {
            say_lost(source);
            was_open_ = false;
        }
    }

    /// Why there is no more, if that is a fault.
    void say_end(const ssekit::event_source& source) const noexcept {
        std::string said(ssekit::message(source.end()));
        const bool is_answer = source.failure().empty() || is_about_answer(source.end());
        if (is_answer && source.status() != 0) {
            said += " (status " + std::to_string(source.status()) + ")";
        }
        if (!source.failure().empty()) said += ": " + harmless(source.failure());
        say(said + '\n');
        if (is_answer) say_answer(source, wanted_.source.max_answer_body);
    }

  private:
    static constexpr std::size_t glimpse = 1000; // bytes, of an answer that is tried again

    static bool is_about_answer(ssekit::source_end end) noexcept {
        using ssekit::source_end;
        return end == source_end::bad_status || end == source_end::bad_media_type ||
               end == source_end::bad_redirect || end == source_end::not_passed_on;
    }

    void say_lost(const ssekit::event_source& source) const noexcept {
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
            source.next_attempt() - std::chrono::steady_clock::now());
        std::string said = was_open_ ? "connection lost" : "no connection";
        if (source.was_cut()) said += " inside an event";
        if (source.failure().empty()) {
            said = "no stream (status " + std::to_string(source.status()) + ")";
        } else {
            said += ": " + harmless(source.failure());
        }
        say(said + "; trying again in " + std::to_string(wait.count()) + " ms\n");
        if (source.failure().empty()) say_answer(source, glimpse);
    }

    void say_headers(const ssekit::event_source& source) const {
        for (const std::string& name : wanted_.source.keep_headers) {
            const std::optional<std::string_view> value = source.answer_header(name);
            if (value) say(harmless(name) + ": " + harmless(*value) + '\n');
        }
    }

    void say_answer(const ssekit::event_source& source, std::size_t most) const {
        say_headers(source);
        const std::string_view body = source.answer_body().substr(0, most);
        if (body.empty()) return;
        const bool is_whole =
            source.is_answer_whole() && body.size() == source.answer_body().size();
        say(harmless(body) + (is_whole ? "" : "\n(and more)"));
        if (!is_whole || !body.ends_with('\n')) say("\n");
    }

    const settings& wanted_;
    bool was_open_ = false; // the connection that is lost
};

/// A sink that prints, and that ends the stream when there are enough events or nobody reads them.
class printer {
  public:
    printer(const settings& wanted, ssekit::event_source& source) noexcept
        : source_(source), left_(wanted.max_events), shows_comments_(wanted.shows_comments) {}

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
        if (code == ssekit::errc::comment_too_long) return;
        status_ = dropped_events;
        std::fprintf(stderr, "an event was dropped: %s\n", ssekit::message(code).data());
    }
    void on_comment(std::string_view text) const {
        if (shows_comments_) say(":" + harmless(text) + "\n");
    }
    /// The same for loops that see more than events.
    void on_item(const ssekit::stream_item& item) {
        if (item.kind == ssekit::item_kind::event) on_event(*item.event);
        if (item.kind == ssekit::item_kind::dropped) on_error(item.error, 0);
    }

    [[nodiscard]] exit_status conclude(const reporter& report) const {
        if (failed_ && failed_->code != EPIPE) {
            std::fprintf(stderr, "%s: %s\n", failed_->doing, std::strerror(failed_->code));
            return gave_up;
        }
        switch (source_.end()) {
        case ssekit::source_end::closed:
        case ssekit::source_end::completed:
        case ssekit::source_end::no_content: return status_;
        default: report.say_end(source_); return gave_up;
        }
    }

  private:
    ssekit::event_source& source_;
    std::uint64_t left_;
    bool shows_comments_;
    exit_status status_ = success;
    std::optional<io_error> failed_ = {};
    json_lines out_;
};

/// SIGTERM, SIGINT, and one for our own use.
inline sigset_t watched_signals() {
    sigset_t out;
    sigemptyset(&out);
    for (const int each : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&out, each);
    return out;
}

/// Calls a function, on another thread, when SIGTERM or SIGINT comes; the second one ends the
/// program.
class on_signal {
  public:
    template <class Stop>
    explicit on_signal(Stop stop) : waiting_([stop] { wait(stop); }) {}
    on_signal(const on_signal&) = delete;
    on_signal& operator=(const on_signal&) = delete;
    ~on_signal() {
        pthread_kill(waiting_.native_handle(), SIGUSR1);
        waiting_.join();
    }

  private:
    template <class Stop>
    static void wait(const Stop& stop) {
        sigset_t set = watched_signals();
        int number = 0;
        sigwait(&set, &number);
        if (number == SIGUSR1) return;
        stop();
        sigset_t fatal = set;
        sigdelset(&fatal, SIGUSR1);
        pthread_sigmask(SIG_UNBLOCK, &fatal, nullptr);
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigwait(&set, &number);
    }

    std::thread waiting_;
};

/// Runs a client.
/// \param follow has an on_signal; called with the settings, the source and a printer for its events; returns when
/// the source has ended.
/// \returns the exit status.
template <class Follow>
int run(int argc, char** argv, const Follow& follow) {
    std::signal(SIGPIPE, SIG_IGN);
    const sigset_t watched = watched_signals(); // by on_signal, and by no other thread
    pthread_sigmask(SIG_BLOCK, &watched, nullptr);
    try {
        settings wanted = read_settings(argc, argv);
        reporter report(wanted);
        wanted.source.on_change = [&report](ssekit::event_source& source) noexcept {
            report.tell(source);
        };
        if (wanted.has_last) {
            wanted.source.is_last = [&wanted](const ssekit::event_view& event) noexcept {
                return event.data == wanted.last;
            };
        }
        if (wanted.shows_comments) { // of loops; sinks are told anyway
            wanted.source.on_comment = [](std::string_view text) noexcept {
                say(":" + harmless(text) + "\n");
            };
        }
        ssekit::event_source source(wanted.url, wanted.source);
        printer print(wanted, source);
        follow(wanted, source, print);
        return print.conclude(report);
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
