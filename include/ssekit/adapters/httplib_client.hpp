// SPDX-License-Identifier: MIT
//
// An event source over the client of cpp-httplib, which blocks: a thread that calls `run` connects,
// hands events to a sink, waits, and connects again, until the source has ended.
//
//     ssekit::httplib_source client(source);
//     client.run([](const ssekit::event_view& event) { ... });
//
// The library takes its timeouts before a request, cannot be told others while it reads, and does
// not say when it is connected. So a second thread watches each transfer until the source's next
// deadline, or until `stop`, and then shuts the socket down. It also sees when a connection is
// there: over http when TCP is, over https when OpenSSL has shaken hands; with another TLS library,
// TLS is part of the wait for an answer. What cannot be interrupted is the look-up of a name: it is
// waited for after `stop`, and only later versions of the library bound it, by `connect_timeout`.
// On Windows the socket is not seen: the library alone bounds connecting there, by
// `connect_timeout` for each address and for TLS, and `stop` waits for that too.
//
// With CPPHTTPLIB_OPENSSL_SUPPORT, link libssl and libcrypto. Ignore SIGPIPE, because the library
// does not.
//
// The library's view of HTTP limits what streams there can be. It takes a 1xx response other than
// 100 for the answer, which is then a bad status. A line of more than 8 KiB in a head is a failure.
// A request with a body and no Content-Type is sent as text/plain. It answers no challenge: 401 is
// the end, whatever set_digest_auth was told. Over https the first origin is also sent the
// credentials that are for a proxy.
//
// Versions before 0.22 bound neither heads nor trailers. On Linux it is done here: a connection of
// which 256 KiB have been read without anything of a body has failed. They also decode percent
// signs in the values of headers. All before 0.53 match the status line with a regular expression,
// for which a server can make the stack too small: do not use them with servers that you do not
// trust. Version 0.53 takes no control characters in a head, so that a redirect with one in its
// place is a lost connection.
#ifndef SSEKIT_ADAPTERS_HTTPLIB_CLIENT_HPP
#define SSEKIT_ADAPTERS_HTTPLIB_CLIENT_HPP

#include <ssekit/adapters/httplib_socket.hpp>
#include <ssekit/adapters/httplib_words.hpp>
#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/event_source.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <httplib.h>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: borrows the source. Thread safety: as an int, but for `stop`.
class httplib_source {
    template <class Change>
    auto change(const Change& make) noexcept {
        const std::lock_guard locked(lock_);
        changed_.notify_all();
        return make();
    }

  public:
    using client_hook = std::function<void(httplib::Client&)>;
    using socket_hook = std::function<void(socket_t)>;

    /// \param prepare called with the client of each connection before it connects: for
    /// certificates, a proxy, a user agent, credentials. Where a redirect leads to another origin,
    /// its credentials, its default headers and its client certificate are taken away again; those
    /// for a proxy stay. Timeouts, redirects, decompression and socket options are not its own.
    /// \param on_socket called with each socket before it is connected, for its options
    /// Throws std::bad_alloc, std::system_error.
    explicit httplib_source(event_source& source, client_hook prepare = {},
                            socket_hook on_socket = {})
        : source_(source), prepare_(std::move(prepare)), on_socket_(std::move(on_socket)),
          watcher_([this] { watch(); }) {}
    httplib_source(const httplib_source&) = delete;
    httplib_source& operator=(const httplib_source&) = delete;
    ~httplib_source() {
        change([this] { ending_ = true; });
        watcher_.join();
    }

    /// Effects: does what the source says until it has ended.
    /// \tparam Sink as for `event_source::receive`. It may take its time, as may the source's
    /// hooks, and that does not count as silence of the server.
    /// Throws what the sink and `prepare` throw, std::bad_alloc, and
    /// std::invalid_argument when the library lacks the TLS for a URL. The connection has failed
    /// then, and `run` may be called again.
    template <class Sink>
    void run(Sink&& sink);

    /// Effects: closes the source; `run` returns as soon as the library lets it, which is at once
    /// but for the look-up of a name. When `run` is not under way, the next one does so; after that
    /// a source that has been assigned anew can be run.
    /// Thread safety: for any thread, as long as the object lives.
    void stop() noexcept {
        change([this] { stopped_ = true; });
    }

  private:
    /// Where a transfer is. While it connects, the source belongs to who holds the lock.
    enum class phase : std::uint8_t { none, connecting, connected, answered };

    static time_point now() noexcept { return std::chrono::steady_clock::now(); }
    void pause_since(time_point before) noexcept {
        source_.receive_pause(detail::between(before, now()));
    }
    bool allow_until(time_point deadline) noexcept;
    bool sleep_until(time_point time) noexcept;
    void watch() noexcept;
    bool look() noexcept;
    void connected() noexcept;
    void see(socket_t socket) noexcept;

    [[nodiscard]] std::shared_ptr<httplib::Client> make_client();
    bool take_head(const httplib::Response& response);
    template <class Sink>
    bool take_body(std::string_view bytes, Sink& sink);
    template <class Sink>
    void transfer(Sink& sink);
    void conclude(bool complete, std::string_view why, bool is_unsent);

    event_source& source_;
    client_hook prepare_;
    socket_hook on_socket_;
    bool sees_handshake_ = false; // of the transfer that there is

    std::mutex lock_; // of all the rest
    std::condition_variable changed_;
    std::shared_ptr<httplib::Client> client_ = {}; // of the transfer that there is
    detail::httplib_socket socket_;                // its newest one
    phase phase_ = phase::none;
    time_point deadline_ = never; // of that transfer
    time_point wakes_at_ = never; // the watcher
    std::uint64_t calls_ = 0;     // of the library, with a head or a piece of the body
    std::uint64_t calls_seen_ = 0;
    std::uint64_t taken_ = 0;  // bytes, when the watcher saw one
    bool is_late_ = false;     // so the watcher has shut the socket
    bool is_too_long_ = false; // and so
    bool is_repeated_ = false; // the library was about to send the request again
    bool stopped_ = false;
    bool ending_ = false;
    std::thread watcher_; // started once the members above exist
};

// ---- how

template <class Sink>
void httplib_source::run(Sink&& sink) {
    for (;;) {
        if (change([this] { return std::exchange(stopped_, false); })) source_.close();
        const time_point before = now();
        const source_action action = source_.poll(before);
        pause_since(before);
        switch (action) {
        case source_action::connect: transfer(sink); break;
        case source_action::disconnect: break; // a transfer is over when it returns
        case source_action::stop: return;
        case source_action::wait:
            if (source_.state() == ready_state::closed) return;
            sleep_until(source_.next_deadline());
        }
    }
}

namespace detail {

// Waiting for time_point::max() overflows in some standard libraries.
[[nodiscard]] inline time_point within_an_hour(time_point time) noexcept {
    return (std::min)(time, std::chrono::steady_clock::now() + std::chrono::hours(1));
}

} // namespace detail

/// \returns whether it was stopped.
inline bool httplib_source::sleep_until(time_point time) noexcept {
    std::unique_lock locked(lock_);
    const time_point until = detail::within_an_hour(time);
    return changed_.wait_until(locked, until, [this] { return stopped_; });
}

/// \returns whether it was stopped.
inline bool httplib_source::allow_until(time_point deadline) noexcept {
    const std::lock_guard locked(lock_);
    deadline_ = deadline;
    ++calls_;
    if (deadline < wakes_at_) changed_.notify_all();
    return stopped_;
}

inline void httplib_source::watch() noexcept {
    std::unique_lock locked(lock_);
    while (!ending_) {
        // How often to look at what nobody tells. Memory is at stake with old versions alone.
        constexpr int often = detail::httplib_is_old ? 100 : 500;
        const std::chrono::milliseconds pause(phase_ == phase::connecting ? 10 : often);
        if (client_ && look()) {
            is_late_ = !stopped_ && !is_too_long_;
            // Old versions would match what there is of a status line, or read on to its end.
            const bool at_once = phase_ == phase::connected || is_too_long_;
            at_once ? socket_.reset() : socket_.shut();
            const std::shared_ptr<httplib::Client> client = client_;
            if (!detail::httplib_socket::can_shut) {
                locked.unlock(); // the library holds a lock of its own while it connects
                client->stop();
                locked.lock();
            }
            // It may be about to make a socket, so this is repeated until the transfer is over.
            const std::chrono::milliseconds soon(10);
            changed_.wait_for(locked, soon, [&] { return client_ != client; });
        } else {
            wakes_at_ = detail::within_an_hour(client_ ? deadline_ : never);
            if (client_) wakes_at_ = (std::min)(wakes_at_, now() + pause);
            changed_.wait_until(locked, wakes_at_);
        }
    }
}

/// \returns whether the transfer has to end.
inline bool httplib_source::look() noexcept {
    if (phase_ == phase::connecting && !sees_handshake_ && socket_.is_connected()) connected();
    if (stopped_ || deadline_ <= now()) return true;
    // What the library has taken without giving anything of a body is a head, a trailer or a line.
    constexpr std::uint64_t most = 256 << 10;
    const std::uint64_t taken = socket_.taken();
    if (std::exchange(calls_seen_, calls_) != calls_) taken_ = taken;
    is_too_long_ = is_too_long_ || taken > taken_ + most;
    return is_too_long_;
}

// Preconditions: the lock is held, and it has been connecting.
inline void httplib_source::connected() noexcept {
    phase_ = phase::connected;
    source_.receive_connected(now());
    deadline_ = source_.next_deadline();
}

// The library is about to connect a socket. Over TLS later versions send a request again when the
// server closes the connection after it, and do not say so.
inline void httplib_source::see(socket_t socket) noexcept {
    const std::lock_guard locked(lock_);
    is_repeated_ = is_repeated_ || phase_ > phase::connecting;
    socket_.see(socket);
    taken_ = 0;
    if (is_repeated_ || is_late_ || stopped_) detail::httplib_socket::spoil(socket);
}

inline std::shared_ptr<httplib::Client> httplib_source::make_client() {
    const auto out = std::make_shared<httplib::Client>(detail::httplib_origin(source_.request()));
    const time_point before = now();
    if (prepare_) prepare_(*out);
    pause_since(before);
    if (source_.request().is_abroad) detail::leave_credentials(*out);
    // All but connecting is left to the watcher; the library counts milliseconds in an int.
    const time_point::duration longest = std::chrono::hours(24 * 24);
    const time_point::duration left = source_.next_deadline() - now();
    out->set_connection_timeout(std::clamp(left, time_point::duration(), longest));
    out->set_read_timeout(longest);
    out->set_write_timeout(longest);
    out->set_tcp_nodelay(true);
    out->set_socket_options([this](socket_t socket) {
        if (on_socket_) on_socket_(socket);
        see(socket);
    });
    out->set_follow_location(false); // that is for the source to do
    out->set_decompress(false);
    detail::send_path_as_it_is(*out);
    sees_handshake_ = detail::tell_of_handshake(*out, this, [](void* self) noexcept {
        auto& of = *static_cast<httplib_source*>(self);
        const std::lock_guard locked(of.lock_);
        if (of.phase_ == phase::connecting) of.connected();
    });
    return out;
}

inline bool httplib_source::take_head(const httplib::Response& response) {
    change([this] {
        if (phase_ == phase::connecting) connected();
        phase_ = phase::answered;
        deadline_ = never;
    });
    detail::httplib_head head(response, source_.has_decoder());
    const time_point before = now();
    const bool is_wanted = source_.receive_head(response.status, head, before);
    pause_since(before);
    return !allow_until(source_.next_deadline()) && is_wanted;
}

/// \returns whether more is wanted.
template <class Sink>
bool httplib_source::take_body(std::string_view bytes, Sink& sink) {
    if (allow_until(never)) return false;
    const time_point before = now();
    source_.receive(bytes, sink, before);
    pause_since(before);
    return !allow_until(source_.next_deadline()) && source_.wants_body();
}

template <class Sink>
void httplib_source::transfer(Sink& sink) {
    bool has_head = false;
    bool has_begun = false;
    bool complete = false;
    std::exception_ptr thrown;
    httplib::Error error{};
    std::string why = "an exception";
    const auto safely = [&](const auto& call) { // no exception goes through the library
        try {
            return call();
        } catch (...) {
            thrown = std::current_exception();
            return false;
        }
    };
    safely([&] {
        httplib::Request request = detail::make_httplib_request(source_.request());
        httplib::Response response;
        request.response_handler = [&](const httplib::Response& head) {
            has_head = true;
            return safely([&] { return take_head(head); });
        };
        request.content_receiver = [&](const char* bytes, std::size_t size, std::uint64_t,
                                       std::uint64_t) {
            return safely([&] { return take_body({bytes, size}, sink); });
        };
        const std::shared_ptr<httplib::Client> client = make_client();
        change([&] {
            client_ = client;
            phase_ = phase::connecting;
            deadline_ = source_.next_deadline();
            calls_ = calls_seen_ = taken_ = 0;
            is_late_ = is_too_long_ = is_repeated_ = false;
        });
        has_begun = true;
        complete = client->send(request, response, error);
        if (complete && !has_head) take_head(response); // where there can be no body
        if (!thrown) why = detail::explain(*client, error, socket_.is_known());
        return true;
    });
    const bool was_connected = change([this] {
        client_.reset();
        socket_.forget();
        return std::exchange(phase_, phase::none) > phase::connecting;
    });
    const bool is_unsent = !has_begun || detail::was_unsent(error, was_connected, sees_handshake_);
    conclude(complete && !thrown, why, is_unsent && !has_head);
    if (thrown) std::rethrow_exception(thrown);
    source_.receive({}, sink, now()); // if the end is the end of an event
}

// Preconditions: no transfer is under way, so the watcher changes nothing.
inline void httplib_source::conclude(bool complete, std::string_view why, bool is_unsent) {
    const request_reach reach = is_unsent ? request_reach::unsent : request_reach::unknown;
    if (change([this] { return stopped_; })) return source_.close();
    if (is_too_long_) return source_.receive_failure(now(), "a line or a head without an end");
    if (is_repeated_) return source_.receive_failure(now(), "closed by the server, unanswered");
    if (is_late_ && is_unsent)
        return source_.receive_failure(now(), "no connection in time", reach);
    if (is_late_) return; // what for is for the source to say, which knows it as well
    if (complete) return source_.receive_end(now());
    source_.receive_failure(now(), why, reach);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
