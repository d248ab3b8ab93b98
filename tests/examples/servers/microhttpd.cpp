// SPDX-License-Identifier: MIT
//
// Event streams from GNU libmicrohttpd: a thread of its own polls and serves, the main thread tells
// the hub the time. With MHD_OPTION_THREAD_POOL_SIZE there are more of its threads.
//
// The library knows no deadline but for silence, and drops requests that it cannot take in without a
// word about them. So what this program has to remember of a request belongs to its connection, and
// the main thread looks after them: who has not brought a request in time goes, and so do, first of
// all, those that have waited longest where too many wait.
#include "news.hpp"

#include <ssekit/adapters/microhttpd.hpp>
#include <ssekit/adapters/posix.hpp>
#include <ssekit/doorbell.hpp>
#include <ssekit/epoch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <list>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace {

using std::chrono::steady_clock;

constexpr std::size_t max_streams = 800;
constexpr std::size_t max_waiting = 128; // connections that have not brought a request
constexpr unsigned max_connections = 1000;
constexpr auto patience = std::chrono::seconds(10); // for a request, to its last byte
constexpr auto look_around = std::chrono::milliseconds(250);

struct client {
    int socket;
    steady_clock::time_point since = steady_clock::now();
    bool waits = true; ///< there is no whole request to be answered
    std::string target = {};
    bool has_head = false;
};

/// All connections, those first that have waited longest.
/// Thread safety: any thread. What a client holds of a request is for the thread that serves it.
class crowd {
  public:
    /// Throws std::bad_alloc.
    client* add(int socket) {
        const std::lock_guard locked(lock_);
        all_.push_back({.socket = socket});
        ++waiting_;
        if (waiting_ > max_waiting) drop_oldest();
        return &all_.back();
    }
    void remove(client* gone) noexcept {
        const std::lock_guard locked(lock_);
        if (gone->waits) --waiting_;
        all_.remove_if([&](const client& each) { return &each == gone; });
    }
    void set_waits(client& who, bool waits) noexcept {
        const std::lock_guard locked(lock_);
        if (who.waits == waits) return;
        who.waits = waits;
        waits ? ++waiting_ : --waiting_;
        if (!waits) return;
        who.since = steady_clock::now();
        const auto place = std::find_if(all_.begin(), all_.end(),
                                        [&](const client& each) { return &each == &who; });
        all_.splice(all_.end(), all_, place);
    }
    void drop_late(steady_clock::time_point now) noexcept {
        const std::lock_guard locked(lock_);
        for (client& each : all_) {
            if (each.since > now - patience) return;
            if (each.waits) drop(each);
        }
    }

  private:
    void drop_oldest() noexcept {
        for (client& each : all_) {
            if (each.waits) return drop(each);
        }
    }
    // The library sees that it is over, and closes it. It is not waited for any more.
    void drop(client& late) noexcept {
        shutdown(late.socket, SHUT_RDWR);
        late.waits = false;
        --waiting_;
    }

    std::mutex lock_;
    std::list<client> all_;
    std::size_t waiting_ = 0;
};

class server {
  public:
    explicit server(const news::settings& wanted)
        : wanted_(wanted),
          hub_(ssekit::new_epoch(), steady_clock::now(), options(wanted), bell_.waker()) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(wanted.port);
        if (inet_pton(AF_INET, wanted.bind.c_str(), &address.sin_addr) != 1) return;
        hub_.tick(steady_clock::now());
        // clang-format off
        daemon_ = MHD_start_daemon(
            MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME,
            0, nullptr, nullptr, &serve, this,
            MHD_OPTION_SOCK_ADDR, &address,
            MHD_OPTION_CONNECTION_LIMIT, max_connections,
            MHD_OPTION_CONNECTION_TIMEOUT, 60u, // also for streams whose clients take nothing
            MHD_OPTION_NOTIFY_CONNECTION, &connect, this,
            MHD_OPTION_URI_LOG_CALLBACK, &begin, nullptr,
            MHD_OPTION_NOTIFY_COMPLETED, &complete, this,
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
            streams_.drop_gone();
            crowd_.drop_late(now);
            // What happens on the other threads is dated by the last tick.
            bell_.wait_until(std::min(hub_.next_deadline(), now + look_around));
        }
    }

    void close() {
        const ssekit::waker deserted = {[](void* self) noexcept {
                                            static_cast<server*>(self)->deserted_ = true;
                                            static_cast<server*>(self)->bell_.ring();
                                        },
                                        this};
        news::close(hub_, wanted_, deserted);
    }

  private:
    static ssekit::hub_options options(const news::settings& wanted) {
        ssekit::hub_options out = news::hub_options(wanted);
        out.max_subscribers = max_streams;
        return out;
    }

    // What the library calls is noexcept: no exception can pass through its frames. Where there is no
    // memory, a connection ends, and nothing else does.

    static void connect(void* self, MHD_Connection* connection, void** context,
                        MHD_ConnectionNotificationCode what) noexcept {
        crowd& all = static_cast<server*>(self)->crowd_;
        if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
            if (*context != nullptr) all.remove(static_cast<client*>(*context));
            return;
        }
        const int socket =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        ssekit::notice_dead_peer(socket);
        try {
            *context = all.add(socket);
        } catch (const std::bad_alloc&) {
            shutdown(socket, SHUT_RDWR);
        }
    }

    // Nothing else gives the target as it came.
    static void* begin(void*, const char* target, MHD_Connection* connection) noexcept {
        void* const context =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        if (context == nullptr) return nullptr;
        client& from = *static_cast<client*>(context);
        from.has_head = false;
        try {
            from.target = target;
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
        return context;
    }
    static void complete(void* self, MHD_Connection*, void** context,
                         MHD_RequestTerminationCode) noexcept {
        if (*context == nullptr) return;
        static_cast<server*>(self)->crowd_.set_waits(*static_cast<client*>(*context), true);
    }

    static MHD_Result serve(void* self, MHD_Connection* connection, const char*, const char* method,
                            const char* version, const char*, std::size_t* body,
                            void** context) noexcept {
        if (*context == nullptr) return MHD_NO;
        auto& from = *static_cast<client*>(*context);
        if (!std::exchange(from.has_head, true) || *body != 0) {
            *body = 0; // nobody reads it
            return MHD_YES;
        }
        server& home = *static_cast<server*>(self);
        home.crowd_.set_waits(from, false);
        try {
            return home.answer(connection, method, from.target, version);
        } catch (const std::bad_alloc&) {
            return MHD_NO;
        }
    }

    MHD_Result answer(MHD_Connection* connection, std::string_view method, std::string_view target,
                      std::string_view version) {
        ssekit::request_view request = ssekit::read_request(
            method, target, [&](std::string_view name) -> std::optional<std::string_view> {
                const char* const found =
                    MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name.data());
                return found == nullptr ? std::nullopt : std::optional<std::string_view>(found);
            });
        request.is_http_1_0 = version == MHD_HTTP_VERSION_1_0;
        const news::answer what = news::answer_to(hub_, request);
        if (!what.is_stream()) return respond(connection, what);
        // [recipe]
        const auto make = [&] {
            return ssekit::microhttpd_response(
                connection, hub_,
                {.topics = news::topic, .last_event_id = request.last_event_id.value_or("")},
                ssekit::framing_for(request), &streams_);
        };
        auto [response, refused] = make();
        if (refused == ssekit::errc::too_many_subscribers && looks_again()) {
            streams_.drop_gone();
            const ssekit::microhttpd_result again = make();
            response = again.response;
            refused = again.ec;
        }
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

    /// Whether it is time to look for dead streams, because there is no place for one more: that is
    /// work, and clients could ask for it as often as they like.
    bool looks_again() {
        const auto now = steady_clock::now();
        if (now < looked_ + std::chrono::milliseconds(20)) return false;
        looked_ = now;
        return true;
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
    crowd crowd_;
    ssekit::microhttpd_streams streams_;
    steady_clock::time_point looked_ = {}; // for the thread that serves
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
