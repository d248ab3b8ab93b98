// SPDX-License-Identifier: MIT
//
// A server over epoll, one thread, and what its connections speak: HTTP/1.1 by `http_connection`,
// which takes any transport that is a writer and can read, each connection bringing one request.
//
// Nobody may disturb the others: a request has a deadline; a client that sends without a pause is
// read in parts, with the others' turns in between; where no descriptor is left, the next is
// accepted later; and where there is no memory, one connection goes. What a public server also
// needs, a bound on connections, is in ../live.cpp. Needs Linux.
#ifndef SSEKIT_EXAMPLES_SERVERS_EPOLL_SERVER_HPP
#define SSEKIT_EXAMPLES_SERVERS_EPOLL_SERVER_HPP

#include "news.hpp"

#include <ssekit/adapters/posix.hpp>
#include <ssekit/epoch.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/time.hpp>
#include <ssekit/writer.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <list>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace epoll {

using clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(10);           // for a request, to its last byte
constexpr auto accept_pause = std::chrono::milliseconds(100); // where no descriptor is left
constexpr int reads_at_a_time = 4;                            // of one client, 4 or 16 KiB each

[[noreturn]] inline void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// Owns a file descriptor.
class descriptor {
  public:
    explicit descriptor(int number, const char* what = "accept") : number_(number) {
        if (number < 0) fail(what);
    }
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) = delete;
    ~descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    [[nodiscard]] int get() const noexcept { return number_; }

  private:
    int number_;
};

inline descriptor listen_at(const news::settings& wanted) {
    descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    const int on = 1;
    setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(wanted.port);
    if (inet_pton(AF_INET, wanted.bind.c_str(), &address.sin_addr) != 1) {
        errno = EADDRNOTAVAIL;
        fail("bind");
    }
    if (bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind");
    if (listen(made.get(), SOMAXCONN) != 0) fail("listen");
    return made;
}

/// A descriptor that is readable when somebody wants the program to end.
inline descriptor signals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return descriptor(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
}

/// HTTP/1.1 over a transport that is a writer and has these:
///
///     context                                    what all of them share
///     Transport(int socket, const context&)
///     write_result read_some(char* into, std::size_t size) noexcept;
///     io_status end() noexcept;                  says that no more comes; after would_block, again
template <class Transport>
class http_connection {
  public:
    using context = typename Transport::context;

    http_connection(descriptor accepted, ssekit::hub& hub, const context& shared)
        : socket_(std::move(accepted)), io_(socket_.get(), shared), hub_(hub) {}

    [[nodiscard]] bool is_gone() const { return gone_; }
    /// When it is to be gone, unless it has brought a request and, if that asks for no stream, taken
    /// the answer.
    [[nodiscard]] ssekit::time_point deadline() const { return deadline_; }
    /// There is more to be read, of which nothing will be reported.
    [[nodiscard]] bool has_more() const { return has_more_; }

    /// Effects: reads and writes until both would block, or it is the turn of others. Whatever the
    /// socket has reported, both are tried: over TLS each may have waited for the other.
    void serve() {
        std::array<char, 4096> bytes;
        has_more_ = true;
        for (int reads = 0; reads < reads_at_a_time; ++reads) {
            const ssekit::write_result got = io_.read_some(bytes.data(), bytes.size());
            if (!answered_) in_.append(bytes.data(), got.bytes);
            if (!answered_) answer();
            if (got.status == ssekit::io_status::closed) gone_ = true;
            if (got.status == ssekit::io_status::ready) continue;
            has_more_ = false;
            break;
        }
        send();
    }

    static void resume(void* user) { static_cast<http_connection*>(user)->send(); }
    void finish_turn() {}
    void close() { gone_ = gone_ || !answered_; }
    void drop() { gone_ = true; }

  private:
    void answer() {
        const auto [status, head] = ssekit::find_head(in_);
        if (status == ssekit::head_status::incomplete) return;
        answered_ = true;
        if (status == ssekit::head_status::too_long) return respond({431});
        const ssekit::request_view request = ssekit::read_request(head);
        const news::answer what = news::answer_to(hub_, request);
        if (!what.is_stream()) return respond(what);
        form_ = ssekit::framing_for(request);
        out_ = ssekit::response_head(form_);
        if (request.method == "HEAD") return;
        auto [stream, refused] =
            hub_.subscribe({.topics = news::topic,
                            .last_event_id = request.last_event_id.value_or(""),
                            .framing = form_,
                            .user = this});
        if (refused != ssekit::errc::ok) return respond(news::refused(hub_, request, refused));
        stream_ = std::move(stream);
        deadline_ = ssekit::never; // from now on the hub's count
    }

    void respond(const news::answer& what) { out_ = news::response(what); }

    void send() {
        if (!answered_ || gone_) return;
        while (!out_.empty()) {
            const std::string_view all = out_;
            const ssekit::write_result wrote = io_.write_some({&all, 1});
            out_.erase(0, wrote.bytes);
            if (wrote.status == ssekit::io_status::closed) gone_ = true;
            if (wrote.status != ssekit::io_status::ready) return;
        }
        switch (ssekit::drain(stream_, io_)) {
        case ssekit::drain_status::budget_spent: return stream_.reschedule();
        case ssekit::drain_status::closed: gone_ = true; return;
        case ssekit::drain_status::cut: // without an end
            if (form_ == ssekit::framing::raw) ssekit::reset_connection(socket_.get());
            gone_ = true;
            return;
        case ssekit::drain_status::done: // as a stream that there is not: the response was all
            if (io_.end() != ssekit::io_status::would_block) gone_ = true;
            return;
        default: return;
        }
    }

    descriptor socket_;
    Transport io_;
    ssekit::hub& hub_;
    std::string in_ = {};  // the request
    std::string out_ = {}; // the head of the response, or all of it
    ssekit::subscription stream_ = {};
    ssekit::framing form_ = ssekit::framing::chunked;
    ssekit::time_point deadline_ = clock::now() + patience;
    bool has_more_ = false;
    bool answered_ = false;
    bool gone_ = false;
};

/// \tparam Client has what http_connection has in public.
template <class Client>
class server {
  public:
    explicit server(const news::settings& wanted, const typename Client::context& shared = {})
        : wanted_(wanted), shared_(shared),
          hub_(ssekit::new_epoch(), clock::now(), news::hub_options(wanted)),
          listener_(listen_at(wanted)) {
        watch(listener_->get(), EPOLLIN, &listener_);
        watch(signals_.get(), EPOLLIN, &signals_);
        sockaddr_in address{};
        socklen_t size = sizeof address;
        getsockname(listener_->get(), reinterpret_cast<sockaddr*>(&address), &size);
        news::announce(ntohs(address.sin_port));
    }

    void run() {
        while (listener_ || !clients_.empty()) {
            std::array<epoll_event, 64> events;
            const int count = epoll_wait(loop_.get(), events.data(), 64, timeout());
            hub_.tick(clock::now());
            if (accept_again_ <= clock::now()) pause_accepting(ssekit::never);
            for (int i = 0; i < count; ++i) {
                void* const who = events[static_cast<std::size_t>(i)].data.ptr;
                if (who == &listener_) {
                    accept_all();
                } else if (who == &signals_) {
                    close();
                } else {
                    serve(*static_cast<Client*>(who));
                }
            }
            while (void* const ready = hub_.next_ready()) Client::resume(ready);
            finish_turn();
            if (closing_ && hub_.subscriptions() == 0) stop_listening();
        }
    }

  private:
    void watch(int descriptor, std::uint32_t events, void* who) {
        epoll_event interest{};
        interest.events = events;
        interest.data.ptr = who;
        if (epoll_ctl(loop_.get(), EPOLL_CTL_ADD, descriptor, &interest) != 0) fail("epoll_ctl");
    }

    int timeout() {
        if (has_more_) return 0;
        const auto due = std::min({hub_.next_deadline(), next_deadline_, accept_again_});
        if (due == ssekit::never) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - clock::now()).count();
        return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }

    static void serve(Client& client) {
        try {
            client.serve();
        } catch (const std::bad_alloc&) {
            client.drop();
        }
    }

    void finish_turn() {
        const auto now = clock::now();
        has_more_ = false;
        next_deadline_ = ssekit::never;
        for (Client& each : clients_) {
            if (each.has_more()) serve(each);
            try {
                each.finish_turn();
            } catch (const std::bad_alloc&) {
                each.drop();
            }
            if (each.deadline() <= now) each.drop();
            if (each.is_gone()) continue;
            has_more_ = has_more_ || each.has_more();
            next_deadline_ = std::min(next_deadline_, each.deadline());
        }
        clients_.remove_if([](const Client& each) { return each.is_gone(); });
    }

    // Until then the listener is readable, and nothing can be done about it.
    void pause_accepting(ssekit::time_point until) {
        accept_again_ = until;
        if (!listener_) return;
        epoll_event interest{};
        if (until == ssekit::never) interest.events = EPOLLIN;
        interest.data.ptr = &listener_;
        epoll_ctl(loop_.get(), EPOLL_CTL_MOD, listener_->get(), &interest);
    }

    void accept_all() {
        while (listener_) {
            const int made =
                accept4(listener_->get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (made < 0) {
                if (errno == EINTR || errno == ECONNABORTED) continue;
                const bool none = errno == EAGAIN || errno == EWOULDBLOCK;
                return none ? void() : pause_accepting(clock::now() + accept_pause);
            }
            const int on = 1;
            setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            ssekit::notice_dead_peer(made);
            std::list<Client> added;
            try {
                added.emplace_back(descriptor(made), hub_, shared_);
                // Edge-triggered: each wakeup is followed by reads and writes until there is no
                // more.
                watch(made, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &added.back());
            } catch (const std::exception&) { // no memory, here or in the kernel
                continue;
            }
            clients_.splice(clients_.end(), added);
        }
    }

    void close() {
        signalfd_siginfo which;
        [[maybe_unused]] const ssize_t size = read(signals_.get(), &which, sizeof which);
        closing_ = true;
        news::close(hub_, wanted_);
    }
    // Up to now, who came was told to come back: the hub refuses streams while it closes.
    void stop_listening() {
        if (!listener_) return;
        listener_.reset();
        for (Client& each : clients_) each.close();
        finish_turn();
    }

    news::settings wanted_;
    typename Client::context shared_;
    ssekit::hub hub_;
    std::optional<descriptor> listener_;
    descriptor signals_ = signals();
    descriptor loop_{epoll_create1(EPOLL_CLOEXEC), "epoll_create1"};
    std::list<Client> clients_;
    ssekit::time_point next_deadline_ = ssekit::never; // of the clients
    ssekit::time_point accept_again_ = ssekit::never;
    bool has_more_ = false;
    bool closing_ = false;
};

} // namespace epoll

#endif
