// SPDX-License-Identifier: MIT
//
// What all programs in this folder have in common, so that each of them shows only its own: an HTTP
// server with a hub.
//
//     use_NAME [--port N]
//
// It prints "listening on port N". At SIGINT or SIGTERM it ends its streams, and then itself.
#ifndef SSEKIT_EXAMPLES_USES_HTTP_SERVER_HPP
#define SSEKIT_EXAMPLES_USES_HTTP_SERVER_HPP

#include <ssekit/adapters/httplib.hpp>
#include <ssekit/doorbell.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/http.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/ticking_hub.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace uses {

using httplib::Request;
using httplib::Response;

class http_server {
    // Each stream has a thread; some are left for other requests.
    static constexpr std::size_t most_streams = 64;
    static constexpr std::size_t threads = most_streams + 8;

  public:
    http_server(int argc, char** argv, const ssekit::hub_options& options = {})
        : port_(read_port(argc, argv)), hub_(ssekit::new_epoch(), bounded(options)) {
        http_.new_task_queue = [] { return new httplib::ThreadPool(threads); };
        http_.set_tcp_nodelay(true);
        http_.set_write_timeout(std::chrono::minutes(1));
        http_.set_keep_alive_max_count(1); // a connection that waits holds a thread
        http_.set_payload_max_length(std::size_t{64} << 10);
    }

    [[nodiscard]] ssekit::shared_hub& hub() noexcept { return hub_; }

    void get(const std::string& path, httplib::Server::Handler handler) {
        http_.Get(path, std::move(handler));
    }
    /// DELETE, OPTIONS, PATCH and PUT; a body is not read.
    void other(const std::string& path, const httplib::Server::Handler& handler) {
        const auto without_body = [handler](const Request& request, Response& response,
                                            const httplib::ContentReader&) {
            handler(request, response);
        };
        http_.Delete(path, without_body);
        http_.Options(path, handler);
        http_.Patch(path, without_body);
        http_.Put(path, without_body);
    }
    /// Serves what is in a folder, if there is one.
    void files(const std::string& path, const std::string& folder) {
        http_.set_mount_point(path, folder);
    }
    /// A request without a length has no body; the library alone would wait for one.
    void post(const std::string& path,
              const std::function<void(const Request&, Response&, const std::string&)>& handler) {
        http_.Post(path, [handler](const Request& request, Response& response,
                                   const httplib::ContentReader& read) {
            std::string body;
            const auto append = [&](const char* bytes, std::size_t size) {
                body.append(bytes, size);
                return true;
            };
            const bool has_body =
                request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
            if (!has_body || read(append)) handler(request, response, body);
        });
    }

    /// Another hub whose streams end with those of the first. Lifetime: until `run` returns.
    void also(ssekit::shared_hub& hub) { more_hubs_.push_back(&hub); }

    /// Serves until a signal comes, and then until the streams that are named have done their work,
    /// or five seconds are over. \param at_end called first when the signal has come
    /// \returns the exit status.
    int run(const ssekit::subscriber_filter& is_unfinished = {},
            const std::function<void()>& at_end = {}) {
        const int port = bind();
        if (port < 0) {
            std::perror("bind");
            return 1;
        }
        std::thread accepting([this] { http_.listen_after_bind(); });
        while (!http_.is_running()) std::this_thread::yield();
        std::printf("listening on port %d\n", port);
        std::fflush(stdout);
        int number = 0;
        sigwait(&signals_, &number);
        if (at_end) at_end();
        const ssekit::close_options how{.deadline = std::chrono::seconds(5),
                                        .is_unfinished = is_unfinished};
        // There is no farewell that could be refused.
        for (ssekit::shared_hub* const each : more_hubs_) {
            ssekit::doorbell gone;
            static_cast<void>(each->close(how, gone.waker()));
            gone.wait();
        }
        static_cast<void>(ssekit::httplib_stop(http_, hub_, how));
        accepting.join();
        return 0;
    }

  private:
    static int read_port(int argc, char** argv) {
        const std::string_view text = argc == 3 ? argv[2] : "8080";
        std::uint16_t port = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
        const bool good = end == text.data() + text.size() && error == std::errc();
        if (good && (argc == 1 || (argc == 3 && argv[1] == std::string_view("--port")))) {
            return port;
        }
        std::fprintf(stderr, "usage: %s [--port N]\n", argv[0]);
        std::exit(64);
    }

    static ssekit::hub_options bounded(ssekit::hub_options options) {
        options.max_subscribers = (std::min)(options.max_subscribers, most_streams);
        return options;
    }

    /// The signals that end the program, blocked in this thread and those that it makes.
    static sigset_t end_signals() {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &signals, nullptr);
        return signals;
    }

    int bind() {
        if (port_ == 0) return http_.bind_to_any_port("127.0.0.1");
        return http_.bind_to_port("127.0.0.1", port_) ? port_ : -1;
    }

    int port_;
    sigset_t signals_ = end_signals(); // before the hub makes its thread
    ssekit::ticking_hub hub_;
    std::vector<ssekit::shared_hub*> more_hubs_;
    httplib::Server http_;
};

/// Answers a request to publish, which may be refused.
inline void answer(Response& response, ssekit::errc code) {
    response.status = code == ssekit::errc::ok ? 202 : ssekit::refusal_of(code).status;
    response.set_content(std::string(ssekit::message(code)) + "\n", "text/plain");
}

/// For publishing without a request to answer. \returns whether it was taken: once the hub closes
/// nothing is; any other refusal is printed on stderr.
inline bool taken(ssekit::errc code) {
    if (code != ssekit::errc::ok && code != ssekit::errc::closed) {
        std::fprintf(stderr, "%s\n", ssekit::message(code).data());
    }
    return code == ssekit::errc::ok;
}

/// Waits this long, or until the thread is to stop. \returns whether it is to go on.
inline bool go_on_after(std::chrono::milliseconds pause, const std::stop_token& stop) {
    std::mutex lock;
    std::condition_variable_any never;
    std::unique_lock locked(lock);
    never.wait_for(locked, stop, pause, [] { return false; });
    return !stop.stop_requested();
}

} // namespace uses

#endif
