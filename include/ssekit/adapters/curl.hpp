// SPDX-License-Identifier: MIT
//
// Event sources over libcurl, which brings TLS, proxies, HTTP/2 and everything else that an easy
// handle offers. The source decides when and where to connect, follows redirects and knows what a
// stream is; libcurl transfers the bytes.
//
// `curl_transport` blocks, for a loop over an `event_stream`:
//
//     ssekit::curl_transport transport;
//     for (const ssekit::event_view& event : ssekit::event_stream(source, transport)) ...
//
// What has come waits for its reader in a block of at most 64 KiB; when that is full libcurl
// pauses, and the server has to wait. Any thread may `stop` it.
//
// `curl_stream` takes part in a multi handle of yours, beside other transfers, and hands events to
// a sink. libcurl calls the sink, so it may not throw, nor use the multi handle; closing the source
// is what ends the stream. Call `turn` once to begin, `done` with each CURLMSG_DONE, `turn` at the
// source's next deadline and when you have closed it.
//
// Both have an easy handle of their own. Set on it what the library should know, such as
// certificates, a proxy, a user agent or a password; what a request needs is set on top at each
// connection, and CURLOPT_PRIVATE and CURLOPT_PREREQFUNCTION are taken. Two defaults differ from
// libcurl's: CURLOPT_DNS_CACHE_TIMEOUT is 5 s, so that a server that moves is found again, and
// CURLOPT_QUICK_EXIT is set (from version 7.87 on), so that nothing waits for a silent name server.
//
// Where a redirect leads to another origin, credentials of the handle stay at home: user and
// password, bearer token, cookies and where they are kept, .netrc, client certificate and key,
// AWS signatures. What CURLOPT_SSL_CTX_FUNCTION does, and CURLSSLOPT_AUTO_CLIENT_CERT, goes along.
//
// `connect_timeout` ends with the connection, and `answer_timeout` begins, from version 7.80 on;
// before that `connect_timeout` is the time for both.
#ifndef SSEKIT_ADAPTERS_CURL_HPP
#define SSEKIT_ADAPTERS_CURL_HPP

#include <ssekit/adapters/detail/curl_transfer.hpp>
#include <ssekit/event_source.hpp>
#include <ssekit/event_stream.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <curl/curl.h>

namespace ssekit::inline SSEKIT_ABI {

/// A blocking_transport.
/// Thread safety: as an int, but for `stop`.
class curl_transport {
  public:
    /// Throws std::bad_alloc. Where there are threads, call curl_global_init first.
    curl_transport() : multi_(detail::curl_made(curl_multi_init())) { body_.reserve(most); }

    [[nodiscard]] CURL* handle() const noexcept { return transfer_.handle(); }

    /// Effects: closes the source in its next `wait`, or in the one that is under way, which ends
    /// at once, whatever it waits for. After that the transport serves another source.
    /// Thread safety: for any thread, as long as the object lives.
    void stop() noexcept {
        stopped_ = true;
        curl_multi_wakeup(multi_.get());
    }

    [[nodiscard]] static time_point now() noexcept { return std::chrono::steady_clock::now(); }
    /// Throws std::bad_alloc.
    void begin(event_source& source) {
        end();
        transfer_.begin(multi_.get(), source, &write, this);
    }
    void end() noexcept {
        transfer_.end();
        body_.clear();
        result_.reset();
        paused_ = false;
    }
    std::string_view wait(event_source& source, time_point until) noexcept;

  private:
    static constexpr std::size_t most = 64 << 10; // bytes that wait

    static std::size_t write(char* bytes, std::size_t, std::size_t size, void* self) noexcept;
    void perform() noexcept;

    std::unique_ptr<CURLM, detail::curl_free<curl_multi_cleanup>> multi_;
    detail::curl_transfer transfer_ = {}; // dies before the multi handle
    std::string body_ = {};
    std::optional<CURLcode> result_ = {}; // once the transfer is done
    bool paused_ = false;
    std::atomic<bool> stopped_ = false;
};

static_assert(blocking_transport<curl_transport>);

/// One source on a multi handle. What libcurl calls may change its next deadline.
/// \tparam Sink as for `event_source::receive`
/// Lifetime: borrows all three. Thread safety: that of the multi handle.
template <class Sink>
class curl_stream {
  public:
    /// Throws std::bad_alloc.
    curl_stream(CURLM* multi, event_source& source, Sink& sink)
        : multi_(multi), source_(source), sink_(sink) {}

    [[nodiscard]] CURL* handle() const noexcept { return transfer_.handle(); }
    /// Whether its transfer is made by that handle: abroad it is a copy of its own.
    [[nodiscard]] bool uses(const CURL* easy) const noexcept { return transfer_.in_use() == easy; }

    /// Effects: does what the source says. Throws std::bad_alloc.
    /// Preconditions: it is not called from one of libcurl's callbacks.
    void turn();

    /// Effects: tells the stream whose transfer is done, and takes its turn.
    /// Preconditions: the message is CURLMSG_DONE, of a handle of such a stream.
    static void done(const CURLMsg& message) {
        char* self = nullptr;
        curl_easy_getinfo(message.easy_handle, CURLINFO_PRIVATE, &self);
        auto& stream = *static_cast<curl_stream*>(static_cast<void*>(self));
        stream.transfer_.finish(message.data.result); // which ends the life of the message
        stream.source_.receive({}, stream.sink_, std::chrono::steady_clock::now());
        stream.turn();
    }

  private:
    static std::size_t write(char* bytes, std::size_t, std::size_t size, void* self) noexcept {
        auto& stream = *static_cast<curl_stream*>(self);
        const time_point began = std::chrono::steady_clock::now();
        stream.source_.receive({bytes, size}, stream.sink_, began);
        detail::curl_transfer::add_pause(stream.source_, began); // the sink's time
        return stream.source_.wants_body() ? size : 0;
    }

    CURLM* multi_;
    event_source& source_;
    Sink& sink_;
    detail::curl_transfer transfer_ = {};
};

// ---- how

inline std::size_t curl_transport::write(char* bytes, std::size_t, std::size_t size,
                                         void* self) noexcept {
    auto& transport = *static_cast<curl_transport*>(self);
    if (!transport.transfer_.wants_body()) return 0;
    if (!transport.body_.empty() && transport.body_.size() + size > most) {
        transport.paused_ = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    transport.body_.append(bytes, size);
    return size;
}

inline void curl_transport::perform() noexcept {
    if (std::exchange(paused_, false)) curl_easy_pause(transfer_.in_use(), CURLPAUSE_CONT);
    int count = 0;
    curl_multi_perform(multi_.get(), &count);
    while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &count)) {
        if (message->msg == CURLMSG_DONE) result_ = message->data.result;
    }
}

inline std::string_view curl_transport::wait(event_source& source, time_point until) noexcept {
    body_.clear();
    for (;;) {
        if (stopped_.exchange(false)) source.close();
        if (source.state() == ready_state::closed) return {};
        if (transfer_.is_under_way() && !result_) perform();
        if (transfer_.take_news() || !body_.empty()) return body_;
        if (result_) {
            transfer_.finish(*std::exchange(result_, std::nullopt));
            return {};
        }
        const time_point time = now();
        if (time >= until) return {};
        const auto left = std::min<time_point::duration>(until - time, std::chrono::hours(1));
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(wait), nullptr);
    }
}

template <class Sink>
void curl_stream<Sink>::turn() {
    for (;;) {
        const time_point began = std::chrono::steady_clock::now();
        switch (source_.poll(began)) {
        case source_action::connect:
            detail::curl_transfer::add_pause(source_, began); // the time of a hook
            transfer_.begin(multi_, source_, &write, this);
            break;
        case source_action::disconnect: transfer_.end(); break;
        case source_action::stop: transfer_.end(); return;
        case source_action::wait: return;
        }
    }
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
