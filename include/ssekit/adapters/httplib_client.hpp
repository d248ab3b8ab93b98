// SPDX-License-Identifier: MIT
//
// An event source over the client of cpp-httplib, which blocks: a thread that calls `run` connects,
// hands events to a sink, waits, and connects again, until the source has ended.
//
//     ssekit::httplib_source client(source);
//     client.run([](const ssekit::event_view& event) { ... });
//
// The library takes its timeouts before a request and cannot be told others while it reads. So a
// second thread sleeps beside each source until its next deadline, or until `stop`, and then shuts
// the socket down. That does not end what comes before the request: looking up a name, and
// connecting, for which each address has as much time as the head of the response.
//
// The library's view of HTTP limits what streams there can be. It takes a 1xx response other than
// 100 for the answer, which is then a bad status; a line of more than 8 KiB in a head is a failure;
// a request with a body and no Content-Type is sent as text/plain; a user and a password in a URL
// are not sent. A coded body, which was not asked for, is not an event stream here. Ignore SIGPIPE,
// because the library does not.
#ifndef SSEKIT_ADAPTERS_HTTPLIB_CLIENT_HPP
#define SSEKIT_ADAPTERS_HTTPLIB_CLIENT_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/http/url.hpp>
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
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <httplib.h>

namespace ssekit::inline SSEKIT_ABI {

/// Lifetime: borrows the source. Thread safety: as an int, but for `stop`.
class httplib_source {
  public:
    using client_hook = std::function<void(httplib::Client&)>;

    /// \param prepare called with the client of each connection before it connects: for
    /// certificates, a proxy, a user agent.
    /// Throws std::bad_alloc, std::system_error.
    explicit httplib_source(event_source& source, client_hook prepare = {})
        : source_(source), prepare_(std::move(prepare)), watcher_([this] { watch(); }) {}
    httplib_source(const httplib_source&) = delete;
    httplib_source& operator=(const httplib_source&) = delete;
    ~httplib_source() {
        change([this] { ending_ = true; });
        watcher_.join();
    }

    /// Effects: does what the source says until it has ended.
    /// \tparam Sink as for `event_source::receive`. It may take its time, which does not count as
    /// silence of the server.
    /// Throws what the sink and `prepare` throw, std::bad_alloc, and std::invalid_argument when the
    /// library lacks the TLS for a URL. The connection has failed then, and `run` may be called
    /// again.
    template <class Sink>
    void run(Sink&& sink);

    /// Effects: closes the source; `run` returns as soon as the library lets it.
    /// Thread safety: for any thread, as long as the object lives.
    void stop() noexcept {
        change([this] { stopped_ = true; });
    }

  private:
    static time_point now() noexcept { return std::chrono::steady_clock::now(); }
    template <class Change>
    void change(const Change& make) noexcept {
        const std::lock_guard locked(lock_);
        make();
        changed_.notify_all();
    }
    bool allow_until(time_point deadline) noexcept;
    bool sleep_until(time_point time) noexcept;
    void watch() noexcept;

    [[nodiscard]] httplib::Request make_request() const;
    [[nodiscard]] std::shared_ptr<httplib::Client> make_client() const;
    bool take_head(const httplib::Response& response);
    template <class Sink>
    void transfer(Sink& sink);

    event_source& source_;
    client_hook prepare_;

    std::mutex lock_; // of all the rest
    std::condition_variable changed_;
    std::shared_ptr<httplib::Client> client_ = {}; // of the transfer that there is
    time_point deadline_ = never;                  // of that transfer
    time_point wakes_at_ = never;                  // the watcher
    bool was_shut_ = false;                        // the transfer's socket, by the watcher
    bool stopped_ = false;
    bool ending_ = false;
    std::thread watcher_; // started once the members above exist
};

// ---- how

template <class Sink>
void httplib_source::run(Sink&& sink) {
    for (;;) {
        if (sleep_until(time_point())) source_.close(); // which only asks
        switch (source_.poll(now())) {
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
    if (deadline < wakes_at_) changed_.notify_all();
    return stopped_;
}

inline void httplib_source::watch() noexcept {
    std::unique_lock locked(lock_);
    while (!ending_) {
        if (!client_ || (!stopped_ && deadline_ > now())) {
            wakes_at_ = detail::within_an_hour(client_ ? deadline_ : never);
            changed_.wait_until(locked, wakes_at_);
            continue;
        }
        was_shut_ = true;
        const std::shared_ptr<httplib::Client> client = client_;
        locked.unlock(); // the library holds a lock of its own while it connects
        client->stop();
        locked.lock();
        // Before the request has begun this has no effect, so it is repeated until the transfer is
        // over.
        const std::chrono::milliseconds soon(10);
        changed_.wait_for(locked, soon, [&] { return client_ != client; });
    }
}

inline httplib::Request httplib_source::make_request() const {
    const source_request wanted = source_.request();
    const detail::url_parts url = detail::split_url(wanted.url);
    httplib::Request out;
    out.method = wanted.method;
    out.path.append(url.path.empty() ? "/" : url.path).append(url.query);
    out.body = wanted.body;
    for (const header& each : wanted.headers) {
        out.headers.emplace(std::string(each.name), std::string(each.value));
    }
    if (!out.has_header("Accept-Encoding")) out.headers.emplace("Accept-Encoding", "identity");
    return out;
}

inline std::shared_ptr<httplib::Client> httplib_source::make_client() const {
    const detail::url_parts url = detail::split_url(source_.request().url);
    const std::string_view port = detail::port_of(url);
    std::string origin(detail::equal_ignoring_case(url.scheme, "https") ? "https://" : "http://");
    origin.append(url.host).append(":").append(port);
    const auto out = std::make_shared<httplib::Client>(origin);
    if (prepare_) prepare_(*out);
    // All but connecting is left to the watcher; the library counts milliseconds in an int.
    const time_point::duration longest = std::chrono::hours(24 * 24);
    const time_point::duration left = source_.next_deadline() - now();
    out->set_connection_timeout(std::clamp(left, time_point::duration(), longest));
    out->set_read_timeout(longest);
    out->set_write_timeout(longest);
    out->set_tcp_nodelay(true);
    out->set_follow_location(false); // that is for the source to do
    out->set_decompress(false);
    [](auto& client) { // the path is sent as it is; later versions have another word for that
        if constexpr (requires { client.set_path_encode(false); }) {
            client.set_path_encode(false);
        } else {
            client.set_url_encode(false);
        }
    }(*out);
    return out;
}

inline bool httplib_source::take_head(const httplib::Response& response) {
    const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
        const auto found = response.headers.find(std::string(name));
        if (found == response.headers.end()) return std::nullopt;
        return found->second;
    };
    const auto coding = find("Content-Encoding").value_or("identity");
    const bool is_plain = detail::equal_ignoring_case(coding, "identity");
    const auto find_if_plain = [&](std::string_view name) {
        return is_plain || name != "Content-Type" ? find(name) : std::nullopt;
    };
    return source_.receive_head(response.status, find_if_plain, now());
}

template <class Sink>
void httplib_source::transfer(Sink& sink) {
    bool has_head = false;
    bool complete = false;
    httplib::Error error{};
    std::exception_ptr thrown;
    const auto take_body = [&](const char* bytes, std::size_t size, std::uint64_t, std::uint64_t) {
        if (allow_until(never)) return false;
        const time_point came = now();
        try {
            source_.receive({bytes, size}, sink, came);
        } catch (...) { // not through the library, which is in the middle of things
            thrown = std::current_exception();
            return false;
        }
        const time_point deadline = source_.next_deadline();
        allow_until(deadline == never ? never : deadline + (now() - came));
        return source_.state() == ready_state::open;
    };
    try {
        httplib::Request request = make_request();
        httplib::Response response;
        request.response_handler = [&](const httplib::Response& head) {
            has_head = true;
            const bool is_stream = take_head(head);
            allow_until(source_.next_deadline());
            return is_stream;
        };
        request.content_receiver = take_body;
        const auto client = make_client();
        change([&] {
            client_ = client;
            deadline_ = source_.next_deadline();
            was_shut_ = false;
        });
        complete = client->send(request, response, error);
        if (complete && !has_head) take_head(response); // where there can be no body
    } catch (...) {
        thrown = std::current_exception();
    }
    change([&] {
        client_.reset();
        complete = complete && !was_shut_;
    });
    if (complete) {
        source_.receive_end(now());
    } else {
        source_.receive_failure(now(), httplib::to_string(error));
    }
    if (thrown) std::rethrow_exception(thrown);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
