// SPDX-License-Identifier: MIT
//
// Event streams from GNU libmicrohttpd: a thread of its own polls and serves, the main thread tells
// the hub the time. With MHD_OPTION_THREAD_POOL_SIZE there are more of its threads.
#include "news.hpp"

#include <ssekit/adapters/microhttpd.hpp>
#include <ssekit/doorbell.hpp>
#include <ssekit/epoch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace {

using std::chrono::steady_clock;

/// From its first line to its completion.
struct incoming {
    std::string target;
    bool has_head = false;
};

class server {
  public:
    explicit server(const news::settings& wanted)
        : wanted_(wanted), hub_(ssekit::new_epoch(), std::chrono::steady_clock::now(),
                                news::hub_options(wanted), bell_.waker()) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(wanted.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        hub_.tick(steady_clock::now());
        // clang-format off
        daemon_ = MHD_start_daemon(
            MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME,
            0, nullptr, nullptr, &serve, this,
            MHD_OPTION_SOCK_ADDR, &address,
            MHD_OPTION_CONNECTION_TIMEOUT, 60u, // also for streams whose clients take nothing
            MHD_OPTION_URI_LOG_CALLBACK, &begin, nullptr,
            MHD_OPTION_NOTIFY_COMPLETED, &complete, nullptr,
            MHD_OPTION_END);
        // clang-format on
    }
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server() {
        if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
    }

    /// The port, or 0 when the server could not be started.
    [[nodiscard]] unsigned port() const {
        if (daemon_ == nullptr) return 0;
        return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
    }

    /// Tells the hub the time, until it has been closed and its last stream has left.
    void run() {
        while (!deserted_) {
            const auto now = steady_clock::now();
            hub_.tick(now);
            // What happens on the other threads is dated by the last tick.
            bell_.wait_until(std::min(hub_.next_deadline(), now + std::chrono::seconds(1)));
        }
    }

    void close() {
        news::must(
            hub_.close(news::farewell(wanted_), {[](void* self) noexcept {
                                                     static_cast<server*>(self)->deserted_ = true;
                                                     static_cast<server*>(self)->bell_.ring();
                                                 },
                                                 this}));
    }

  private:
    // What the library calls is noexcept: no exception can pass through its frames.

    // Nothing else gives the target as it came.
    static void* begin(void*, const char* target, MHD_Connection*) noexcept {
        return new incoming{target};
    }
    static void complete(void*, MHD_Connection*, void** context,
                         MHD_RequestTerminationCode) noexcept {
        delete static_cast<incoming*>(*context);
    }

    static MHD_Result serve(void* self, MHD_Connection* connection, const char*, const char* method,
                            const char*, const char*, std::size_t* body, void** context) noexcept {
        auto& from = *static_cast<incoming*>(*context);
        if (std::exchange(from.has_head, true) && *body == 0) {
            return static_cast<server*>(self)->answer(connection, method, from.target);
        }
        *body = 0; // nobody reads it
        return MHD_YES;
    }

    MHD_Result answer(MHD_Connection* connection, std::string_view method,
                      std::string_view target) {
        const ssekit::request_view request = ssekit::read_request(
            method, target, [&](std::string_view name) -> std::optional<std::string_view> {
                const char* const found =
                    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name.data());
                return found == nullptr ? std::nullopt : std::optional<std::string_view>(found);
            });
        const news::answer what = news::answer_to(hub_, request);
        if (!what.is_stream()) return respond(connection, what);
        // [recipe]
        const auto [response, refused] = ssekit::microhttpd_response(
            connection, hub_,
            {.topics = news::topic, .last_event_id = request.last_event_id.value_or("")});
        if (refused != ssekit::errc::ok)
            return respond(connection, news::refused(hub_, request, refused));
        if (method == MHD_HTTP_METHOD_HEAD) { // or the head is followed by a last chunk
            MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
        }
        const MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
        MHD_destroy_response(response); // the connection has it
        return queued;
        // [recipe]
    }

    static MHD_Result respond(MHD_Connection* connection, const news::answer& what) {
        MHD_Response* const response = MHD_create_response_from_buffer(
            what.body.size(), const_cast<char*>(what.body.data()), MHD_RESPMEM_MUST_COPY);
        if (response == nullptr) return MHD_NO;
        MHD_add_response_header(response, "Content-Type", what.type.c_str());
        for (const auto& [name, value] : what.more) {
            MHD_add_response_header(response, name.c_str(), value.c_str());
        }
        const MHD_Result queued =
            MHD_queue_response(connection, static_cast<unsigned>(what.status), response);
        MHD_destroy_response(response);
        return queued;
    }

    news::settings wanted_;
    ssekit::doorbell bell_; // of the main thread
    std::atomic<bool> deserted_ = false;
    ssekit::shared_hub hub_;
    MHD_Daemon* daemon_ = nullptr;
};

} // namespace

int main(int argc, char** argv) {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr); // in the server's threads as well

    server news(news::read_settings(argc, argv));
    if (news.port() == 0) return std::perror("MHD_start_daemon"), 1;
    news::announce(news.port());
    std::thread goodbye([&] {
        int which = 0;
        sigwait(&ending, &which);
        news.close();
    });
    news.run();
    goodbye.join();
}
