// SPDX-License-Identifier: MIT
//
// sockets/<connections>/<events in a burst>/<who>: processor time of the sending thread for one
// burst over loopback TCP, to clients in a process of their own that read and throw away. `raw` is
// the floor that a server is compared with: one send of the finished bytes for each event and
// socket. `hub` publishes the burst and drains whom the hub reports. Needs Linux.
#ifdef __linux__

#include "run.hpp"

#include <ssekit/adapters/posix.hpp>
#include <ssekit/hub.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;

const std::string payload(128, 'x');

double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

[[noreturn]] void give_up(const char* what) {
    std::perror(what);
    std::exit(1);
}

/// `count` loopback connections, whose other ends another process reads.
class audience {
  public:
    explicit audience(std::size_t count) {
        void* const shared = mmap(nullptr, sizeof(counter), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) give_up("mmap");
        heard_ = ::new (shared) counter(0);
        const int listener = socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        if (bind(listener, any, size) != 0 || listen(listener, 1024) != 0) give_up("listen");
        getsockname(listener, any, &size);
        const timeval patience{30, 0};
        setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        reader_ = fork();
        if (reader_ < 0) give_up("fork");
        if (reader_ == 0) read_all(address, count);
        for (std::size_t i = 0; i < count; ++i) {
            const int accepted = accept(listener, nullptr, nullptr);
            if (accepted < 0) give_up("accept");
            const int on = 1;
            setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            sockets_.push_back(accepted);
        }
        close(listener);
    }
    audience(const audience&) = delete;
    audience& operator=(const audience&) = delete;
    ~audience() {
        for (const int each : sockets_) close(each);
        kill(reader_, SIGKILL);
        waitpid(reader_, nullptr, 0);
        munmap(heard_, sizeof(counter));
    }

    [[nodiscard]] const std::vector<int>& sockets() const { return sockets_; }

    /// Waits until the clients have read this many bytes in all, so that no buffer ever fills.
    void wait_for(std::uint64_t bytes) const {
        while (heard_->load(std::memory_order_relaxed) < bytes) {
            timespec little{0, 50'000};
            nanosleep(&little, nullptr);
            if (waitpid(reader_, nullptr, WNOHANG) != 0) give_up("the clients have gone");
        }
    }

    /// Bytes sent since the connections were made.
    std::uint64_t told = 0;

  private:
    using counter = std::atomic<std::uint64_t>;

    [[noreturn]] void read_all(sockaddr_in address, std::size_t count) const {
        const int loop = epoll_create1(0);
        for (std::size_t i = 0; i < count; ++i) {
            const int made = socket(AF_INET, SOCK_STREAM, 0);
            if (connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
                give_up("connect");
            }
            epoll_event interest{};
            interest.events = EPOLLIN;
            interest.data.fd = made;
            epoll_ctl(loop, EPOLL_CTL_ADD, made, &interest);
        }
        std::array<epoll_event, 256> events{};
        std::array<char, 65536> bytes{};
        for (;;) {
            const int ready = epoll_wait(loop, events.data(), static_cast<int>(events.size()), -1);
            std::uint64_t sum = 0;
            for (int i = 0; i < ready; ++i) {
                const int from = events[static_cast<std::size_t>(i)].data.fd;
                const ssize_t size = recv(from, bytes.data(), bytes.size(), 0);
                if (size <= 0) _exit(0);
                sum += static_cast<std::uint64_t>(size);
            }
            heard_->fetch_add(sum, std::memory_order_relaxed);
        }
    }

    counter* heard_ = nullptr;
    pid_t reader_ = -1;
    std::vector<int> sockets_;
};

bool allow_descriptors(std::size_t count) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < count) {
        limit.rlim_cur = count;
        if (limit.rlim_max < count) limit.rlim_max = count;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur >= count;
}

struct load {
    std::size_t connections;
    std::size_t burst;
};

// Each iteration is a burst; only what `send_burst` does is timed.
template <class SendBurst>
void measure(benchmark::State& state, const load& of, audience& clients, SendBurst&& send_burst) {
    for (auto _ : state) {
        const double begin = thread_seconds();
        clients.told += send_burst();
        state.SetIterationTime(thread_seconds() - begin);
        clients.wait_for(clients.told);
    }
    const auto deliveries = static_cast<std::int64_t>(of.connections * of.burst);
    state.SetItemsProcessed(state.iterations() * deliveries);
}

void raw(benchmark::State& state, const load& of) {
    if (!allow_descriptors(of.connections + 64)) {
        return state.SkipWithError("too few descriptors");
    }
    audience clients(of.connections);
    const ssekit::frame frame = ssekit::frame::make({.id = "1.123456", .data = payload}).frame;
    const std::string_view bytes = frame.chunked();
    measure(state, of, clients, [&] {
        for (std::size_t i = 0; i < of.burst; ++i) {
            for (const int to : clients.sockets()) {
                if (send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) give_up("send");
            }
        }
        return bytes.size() * of.connections * of.burst;
    });
}

void hub(benchmark::State& state, const load& of) {
    struct client {
        ssekit::posix_writer out;
        ssekit::subscription stream;
    };
    if (!allow_descriptors(of.connections + 64)) {
        return state.SkipWithError("too few descriptors");
    }
    audience audience(of.connections);
    ssekit::hub hub(1, {}, {});
    ssekit::time_point now(1h);
    hub.tick(now);
    std::vector<client> clients(of.connections);
    for (std::size_t i = 0; i < of.connections; ++i) {
        client& each = clients[i];
        each.out.descriptor = audience.sockets()[i];
        each.stream =
            hub.subscribe({.topics = "t", .framing = ssekit::framing::chunked, .user = &each})
                .subscription;
        static_cast<void>(drain(each.stream, each.out));
    }
    audience.told = hub.metrics().bytes;
    measure(state, of, audience, [&] {
        const std::uint64_t before = hub.metrics().bytes;
        hub.tick(now += 10ms);
        for (std::size_t i = 0; i < of.burst; ++i)
            static_cast<void>(hub.publish("t", {.data = payload}));
        while (void* const ready = hub.next_ready()) {
            client& each = *static_cast<client*>(ready);
            if (drain(each.stream, each.out) != ssekit::drain_status::idle) give_up("drain");
        }
        return hub.metrics().bytes - before;
    });
}

} // namespace

int main(int argc, char** argv) {
    using measured = void (*)(benchmark::State&, const load&);
    const std::pair<const char*, measured> contestants[] = {{"raw", raw}, {"hub", hub}};
    for (const std::size_t connections : {100u, 1'000u, 10'000u}) {
        for (const std::size_t burst : {1u, 16u}) {
            const std::string prefix =
                "sockets/" + std::to_string(connections) + "/" + std::to_string(burst) + "/";
            for (const auto& [who, run] : contestants) {
                const load of{connections, burst};
                benchmark::RegisterBenchmark(
                    (prefix + who).c_str(),
                    [run = run, of](benchmark::State& state) { run(state, of); })
                    ->UseManualTime()
                    ->Unit(benchmark::kMicrosecond);
            }
        }
    }
    return bench::run(argc, argv);
}

#else
int main() {}
#endif
