// SPDX-License-Identifier: MIT
//
// Just enough of an HTTP client to look at a server from outside, byte for byte: a TCP connection
// that collects what comes, complete responses taken off it, and event streams read by the parser.
#ifndef SSEKIT_TESTS_SUPPORT_HTTP_CLIENT_HPP
#define SSEKIT_TESTS_SUPPORT_HTTP_CLIENT_HPP

#include "support/client.hpp"
#include "support/process.hpp"
#include "support/recorder.hpp"

#include <ssekit/http.hpp>
#include <ssekit/parser.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace support {

class tcp_client {
  public:
    /// Connects to 127.0.0.1. A small receive buffer makes a client that is easily overrun.
    explicit tcp_client(std::uint16_t port, int receive_buffer = 0)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (receive_buffer > 0) {
            setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                       sizeof receive_buffer);
        }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("cannot connect");
        }
    }

    /// Everything that has come and was not taken.
    std::string received;

    /// The other side has ended, in order or by a reset.
    [[nodiscard]] bool closed() const { return closed_; }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t size = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (size < 0 && errno == EINTR) continue;
            if (size < 0) return; // the other side has had enough; what it said can still be read
            bytes.remove_prefix(static_cast<std::size_t>(size));
        }
    }
    void end_output() { shutdown(socket_.get(), SHUT_WR); }

    /// Reads until `done()` holds. \returns whether it does.
    template <class Condition>
    bool until(Condition&& done, std::chrono::milliseconds within = patience) {
        const auto deadline = std::chrono::steady_clock::now() + within;
        while (!done()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            if (closed_ || left.count() <= 0) return false;
            receive(static_cast<int>(left.count()));
        }
        return true;
    }
    bool until_closed(std::chrono::milliseconds within = patience) {
        return until([this] { return closed_; }, within);
    }

  private:
    void receive(int timeout) {
        pollfd wait{socket_.get(), POLLIN, 0};
        if (poll(&wait, 1, timeout) <= 0) return;
        std::array<char, 65536> bytes;
        const ssize_t size = recv(socket_.get(), bytes.data(), bytes.size(), 0);
        if (size > 0) {
            received.append(bytes.data(), static_cast<std::size_t>(size));
        } else if (size == 0 || errno != EINTR) {
            closed_ = true;
        }
    }

    descriptor socket_;
    bool closed_ = false;
};

struct response {
    int status = 0; // 0: none came
    std::string head;
    std::string body;

    [[nodiscard]] std::string header(std::string_view name) const {
        return std::string(ssekit::find_header(head, name).value_or(""));
    }
};

/// Takes the head of a response off the connection.
inline response read_head(tcp_client& from, std::chrono::milliseconds within = patience) {
    std::size_t end = 0;
    const bool came = from.until(
        [&] { return (end = from.received.find("\r\n\r\n")) != std::string::npos; }, within);
    if (!came || !from.received.starts_with("HTTP/1.1 ")) return {};
    response result;
    result.head = from.received.substr(0, end + 4);
    from.received.erase(0, end + 4);
    std::from_chars(result.head.data() + 9, result.head.data() + 12, result.status);
    return result;
}

/// Takes a response with Content-Length off the connection.
inline response read_response(tcp_client& from, bool has_body = true,
                              std::chrono::milliseconds within = patience) {
    response result = read_head(from, within);
    const std::string length = result.header("Content-Length");
    std::size_t size = 0;
    std::from_chars(length.data(), length.data() + length.size(), size);
    if (!has_body || size == 0) return result;
    if (!from.until([&] { return from.received.size() >= size; }, within)) return {};
    result.body = from.received.substr(0, size);
    from.received.erase(0, size);
    return result;
}

/// Sends one request on a connection of its own.
inline response ask(std::uint16_t port, std::string_view method_and_target,
                    std::string_view body = {}) {
    tcp_client client(port);
    std::string request(method_and_target);
    request += " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    request += "\r\n";
    client.send(request += body);
    return read_response(client, !method_and_target.starts_with("HEAD "));
}

/// A client that reads an event stream.
class stream_client {
  public:
    explicit stream_client(std::uint16_t port, std::string_view target = "/events",
                           std::string_view last_event_id = {},
                           std::string_view version = "HTTP/1.1", int receive_buffer = 0)
        : tcp_(port, receive_buffer) {
        std::string request = "GET " + std::string(target) + " " + std::string(version);
        request += "\r\nHost: localhost\r\nAccept: text/event-stream\r\n";
        if (!last_event_id.empty()) {
            request += "Last-Event-ID: " + std::string(last_event_id) + "\r\n";
        }
        tcp_.send(request += "\r\n");
        head = read_head(tcp_);
        chunked_ = head.header("Transfer-Encoding") == "chunked";
        read();
    }

    response head;
    std::string body; // of the response, without chunk framing
    std::vector<seen_event> events;

    [[nodiscard]] std::string last_event_id() const { return std::string(parser_.last_event_id()); }
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry() const { return parser_.retry(); }

    /// The stream has come to its proper end, the last chunk.
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] bool closed() const { return tcp_.closed(); }
    /// What came were chunks where there should be chunks.
    [[nodiscard]] bool well_formed() const { return well_formed_; }

    /// Reads until `done()` holds. \returns whether it does.
    template <class Condition>
    bool until(Condition&& done, std::chrono::milliseconds within = patience) {
        return tcp_.until(
            [&] {
                read();
                return done();
            },
            within);
    }
    bool until_count(std::size_t count) {
        return until([&] { return events.size() >= count; });
    }
    bool until_type(std::string_view type) {
        return until([&] { return !events.empty() && find(type) != nullptr; });
    }
    bool until_closed() {
        return until([this] { return closed(); });
    }

    /// The newest event of that type.
    [[nodiscard]] const seen_event* find(std::string_view type) const {
        for (auto it = events.rbegin(); it != events.rend(); ++it) {
            if (it->type == type) return &*it;
        }
        return nullptr;
    }

  private:
    void read() {
        const std::size_t before = body.size();
        if (chunked_) {
            dechunked all = dechunk(tcp_.received);
            body = std::move(all.body);
            ended_ = all.ended;
            well_formed_ = all.intact;
        } else {
            body = tcp_.received;
        }
        ssekit::feed(
            parser_, std::string_view(body).substr(before),
            [this](const ssekit::event_view& event) {
                events.push_back(
                    {std::string(event.type), std::string(*event.data), last_event_id(), {}, {}});
            });
    }

    tcp_client tcp_;
    ssekit::parser parser_;
    bool chunked_ = false;
    bool ended_ = false;
    bool well_formed_ = true;
};

} // namespace support

#endif
