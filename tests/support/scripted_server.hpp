// SPDX-License-Identifier: MIT
//
// The other side of an HTTP client, as a test wants it: a server at 127.0.0.1 whose every move is
// made by the test's own thread, to the byte; and a proxy that cuts connections on their way to
// some other server.
#ifndef SSEKIT_TESTS_SUPPORT_SCRIPTED_SERVER_HPP
#define SSEKIT_TESTS_SUPPORT_SCRIPTED_SERVER_HPP

#include "support/http_client.hpp"
#include "support/process.hpp"

#include <ssekit/detail/http/text.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace support {

/// What a client has sent, byte for byte.
struct seen_request {
    std::string line;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    /// The values of all headers of that name.
    [[nodiscard]] std::vector<std::string> all(std::string_view name) const {
        std::vector<std::string> out;
        for (const auto& [key, value] : headers) {
            if (ssekit::detail::equal_ignoring_case(key, name)) out.push_back(value);
        }
        return out;
    }
    /// The value of the one that there is; what cannot be one where there are none or more.
    [[nodiscard]] std::string header(std::string_view name) const {
        const std::vector<std::string> values = all(name);
        if (values.size() == 1) return values[0];
        return "(" + std::to_string(values.size()) + " headers)";
    }
    [[nodiscard]] bool has(std::string_view name) const { return !all(name).empty(); }
};

namespace detail {

inline bool is_ready(int fd, short events, std::chrono::milliseconds within) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd wait{fd, events, 0};
        const int count = poll(&wait, 1, static_cast<int>(std::max<long long>(left.count(), 0)));
        if (count >= 0 || errno != EINTR) return count > 0;
    }
}

/// A socket at a port of 127.0.0.1, at any that is free if it is 0. It shares the port with others
/// of this kind.
inline descriptor bind_local(std::uint16_t port) {
    descriptor out(::socket(AF_INET, SOCK_STREAM, 0));
    fcntl(out.get(), F_SETFD, FD_CLOEXEC);
    const int on = 1;
    setsockopt(out.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(out.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("cannot bind");
    }
    return out;
}

inline std::uint16_t port_of(const descriptor& bound) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(bound.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
}

inline std::string local_url(std::uint16_t port, std::string_view target) {
    return "http://127.0.0.1:" + std::to_string(port) + std::string(target);
}

/// Ends a connection by a RST, which also throws away what was not yet read.
inline void reset(descriptor& socket) {
    const linger at_once{1, 0};
    setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket.reset();
}

} // namespace detail

/// A chunk of a chunked body; an empty one is the last.
inline std::string chunk(std::string_view bytes) {
    std::array<char, 16> digits;
    char* const end =
        std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size(), 16).ptr;
    return std::string(digits.data(), end).append("\r\n").append(bytes).append("\r\n");
}

/// One connection that a client has made.
class scripted_connection {
  public:
    explicit scripted_connection(descriptor socket) : socket_(std::move(socket)) {
        const int on = 1;
        setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }

    /// Takes a request off the connection, with the body that its Content-Length announces.
    /// Throws std::runtime_error when none comes.
    [[nodiscard]] seen_request read_request() {
        std::size_t end = 0;
        until([&] { return (end = received_.find("\r\n\r\n")) != received_.npos; });
        seen_request out;
        std::string_view head = std::string_view(received_).substr(0, end + 2);
        out.line = take_line(head);
        while (!head.empty()) {
            std::string_view value = take_line(head);
            const std::string_view name = ssekit::detail::take_until(value, ':');
            out.headers.emplace_back(name, ssekit::detail::trim(value));
        }
        received_.erase(0, end + 4);
        std::size_t size = 0;
        if (out.has("Content-Length")) {
            const std::string digits = out.header("Content-Length");
            std::from_chars(digits.data(), digits.data() + digits.size(), size);
        }
        until([&] { return received_.size() >= size; });
        out.body = received_.substr(0, size);
        received_.erase(0, size);
        return out;
    }

    /// Waits for what is no request, such as a handshake of TLS, and takes nothing off.
    /// Throws std::runtime_error when nothing comes.
    [[nodiscard]] char first_byte() {
        until([&] { return !received_.empty(); });
        return received_[0];
    }

    /// \returns whether something has come that was not yet taken.
    [[nodiscard]] bool has_input(std::chrono::milliseconds within = {}) {
        if (received_.empty() && detail::is_ready(socket_.get(), POLLIN, within)) receive();
        return !received_.empty();
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) return; // the client has gone, which the test will see
            bytes.remove_prefix(static_cast<std::size_t>(size));
        }
    }
    void send_slowly(std::string_view bytes) {
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            send(bytes.substr(i, 1));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    void send_chunk(std::string_view bytes) { send(chunk(bytes)); }

    /// Ends the connection in order; what was sent arrives.
    void close() { socket_.reset(); }
    /// Ends it by a RST.
    void reset() { detail::reset(socket_); }

    /// \returns whether the client ends the connection.
    [[nodiscard]] bool until_closed(std::chrono::milliseconds within = patience) {
        const auto deadline = std::chrono::steady_clock::now() + within;
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0) return false;
            if (detail::is_ready(socket_.get(), POLLIN, left) && !receive()) return true;
        }
    }

  private:
    static std::string_view take_line(std::string_view& head) {
        std::string_view line = ssekit::detail::take_until(head, '\n');
        line.remove_suffix(line.ends_with('\r') ? 1 : 0);
        return line;
    }
    template <class Condition>
    void until(const Condition& done) {
        while (!done()) {
            if (!detail::is_ready(socket_.get(), POLLIN, patience) || !receive()) {
                throw std::runtime_error("no request came, but " + received_);
            }
        }
    }
    bool receive() {
        std::array<char, 65536> bytes;
        const ssize_t size = recv(socket_.get(), bytes.data(), bytes.size(), 0);
        if (size > 0) received_.append(bytes.data(), static_cast<std::size_t>(size));
        return size > 0 || (size < 0 && errno == EINTR);
    }

    descriptor socket_;
    std::string received_;
};

class scripted_server {
  public:
    scripted_server() { listen(); }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string url(std::string_view target = "/events") const {
        return detail::local_url(port_, target);
    }

    /// Throws std::runtime_error when nobody connects.
    [[nodiscard]] scripted_connection accept() {
        if (!has_caller(patience)) throw std::runtime_error("nobody has connected");
        descriptor socket(::accept(listener_.get(), nullptr, nullptr));
        fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
        return scripted_connection(std::move(socket));
    }
    /// \returns whether there is a connection to accept.
    [[nodiscard]] bool has_caller(std::chrono::milliseconds within = {}) const {
        return detail::is_ready(listener_.get(), POLLIN, within);
    }

    /// Connections are refused until it listens again, at the same port.
    void stop_listening() { listener_.reset(); }
    void listen() {
        listener_ = detail::bind_local(port_);
        if (::listen(listener_.get(), 16) != 0) throw std::runtime_error("cannot listen");
    }

  private:
    descriptor place_ = detail::bind_local(0); // nobody else gets the port
    std::uint16_t port_ = detail::port_of(place_);
    descriptor listener_;
};

/// Stands before a server and passes on what it hears, one connection after the other, on a thread
/// of its own.
class cutting_proxy {
  public:
    /// \param cuts the first connection is reset when so many bytes have come from the server, the
    /// next one when so many, and so on; those behind are left alone.
    explicit cutting_proxy(std::vector<std::size_t> cuts = {}) : cuts_(std::move(cuts)) {
        listener_ = detail::bind_local(0);
        port_ = detail::port_of(listener_);
        if (listen(listener_.get(), 16) != 0) throw std::runtime_error("cannot listen");
        thread_ = std::thread([this] { run(); });
    }
    ~cutting_proxy() {
        ending_ = true;
        thread_.join();
    }

    [[nodiscard]] std::string url(std::string_view target = "/events") const {
        return detail::local_url(port_, target);
    }
    /// How many connections have been cut.
    [[nodiscard]] std::size_t cut() const { return cut_; }

    /// The server's port; 0: nobody is there, and who calls is turned away.
    void forward_to(std::uint16_t port) { server_ = port; }

  private:
    static constexpr std::chrono::milliseconds tick{10};

    void run() {
        while (!ending_) {
            if (!detail::is_ready(listener_.get(), POLLIN, tick)) continue;
            descriptor client(accept(listener_.get(), nullptr, nullptr));
            fcntl(client.get(), F_SETFD, FD_CLOEXEC);
            if (server_ != 0) pass(client);
        }
    }

    void pass(descriptor& client) {
        descriptor server(::socket(AF_INET, SOCK_STREAM, 0));
        fcntl(server.get(), F_SETFD, FD_CLOEXEC);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(server_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            return;
        }
        constexpr std::size_t all = static_cast<std::size_t>(-1);
        std::size_t asked = all;
        std::size_t left = cut_ < cuts_.size() ? cuts_[cut_] : all;
        while (!ending_ && left > 0) {
            std::array<pollfd, 2> fds = {{{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}}};
            if (poll(fds.data(), fds.size(), static_cast<int>(tick.count())) <= 0) continue;
            if (fds[0].revents != 0 && !move_some(client, server, asked)) return;
            if (fds[1].revents != 0 && !move_some(server, client, left)) return;
        }
        if (left > 0) return;
        ++cut_;
        detail::reset(client);
    }

    static bool move_some(const descriptor& from, const descriptor& to, std::size_t& left) {
        std::array<char, 4096> bytes;
        const ssize_t size = recv(from.get(), bytes.data(), std::min(bytes.size(), left), 0);
        if (size <= 0) return false;
        left -= static_cast<std::size_t>(size);
        return send(to.get(), bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
    }

    std::vector<std::size_t> cuts_;
    descriptor listener_;
    std::uint16_t port_ = 0;
    std::atomic<std::size_t> cut_ = 0;
    std::atomic<std::uint16_t> server_ = 0;
    std::atomic<bool> ending_ = false;
    std::thread thread_;
};

} // namespace support

#endif
