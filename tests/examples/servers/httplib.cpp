// SPDX-License-Identifier: MIT
//
// Event streams from cpp-httplib: a thread for each.
#include "news.hpp"

#include <ssekit/adapters/httplib.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/epoch.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <string>
#include <thread>

namespace {

// Each stream has a thread. Some are left for publishing, and to refuse one stream too many.
constexpr std::size_t most_streams = 256;
constexpr std::size_t threads = most_streams + 8;

/// The signals that end the program, blocked in all threads that are made from now on.
sigset_t end_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

} // namespace

int main(int argc, char** argv) {
    const news::settings wanted = news::read_settings(argc, argv);
    const sigset_t signals = end_signals();
    ssekit::hub_options options = news::hub_options(wanted);
    options.max_subscribers = most_streams;

    // [recipe]
    ssekit::ticking_hub hub(ssekit::new_epoch(), options);
    httplib::Server server;
    server.new_task_queue = [] { return new httplib::ThreadPool(threads); };
    server.set_tcp_nodelay(true);
    server.set_write_timeout(std::chrono::minutes(1)); // how long a client may stall
    server.set_socket_options([](socket_t listener) {  // those that it accepts are like it
        const int on = 1;
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        ssekit::notice_dead_peer(listener);
    });
    server.Get("/events", [&](const httplib::Request& request, httplib::Response& response) {
        ssekit::httplib_stream(hub, request, response, {.topics = news::topic});
    });
    // [recipe]

    const auto answer = [&](const httplib::Request& request, httplib::Response& response) {
        const news::answer what = news::answer_to(hub, ssekit::httplib_request(request));
        response.status = what.status;
        response.set_content(what.body, what.type);
        for (const auto& [name, value] : what.more) response.set_header(name, value);
    };
    // The body is not asked for: where no length is given, the library would wait for one. A method
    // that the library does not route, such as PROPFIND, it answers itself, with 400.
    const auto answer_at_once = [&](const httplib::Request& request, httplib::Response& response,
                                    const httplib::ContentReader&) { answer(request, response); };
    server.Get(".*", answer);
    server.Options(".*", answer);
    server.Post(".*", answer_at_once);
    server.Put(".*", answer_at_once);
    server.Patch(".*", answer_at_once);
    server.Delete(".*", answer_at_once);
    server.set_keep_alive_max_count(1); // so what is not read of one is not taken for the next

    const std::string& address = wanted.bind;
    const int port = wanted.port == 0 ? server.bind_to_any_port(address) : wanted.port;
    if (port < 0 || (wanted.port != 0 && !server.bind_to_port(address, port))) {
        std::perror("bind");
        return 1;
    }
    std::thread accepting([&] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
    news::announce(static_cast<unsigned>(port));

    int number = 0;
    sigwait(&signals, &number);
    news::must(ssekit::httplib_stop(server, hub, news::farewell(wanted)));
    accepting.join();
}
