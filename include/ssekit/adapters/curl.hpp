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
// certificates, a proxy or a user agent; what a request needs is set on top at each connection.
#ifndef SSEKIT_ADAPTERS_CURL_HPP
#define SSEKIT_ADAPTERS_CURL_HPP

#include <ssekit/event_source.hpp>
#include <ssekit/event_stream.hpp>
#include <ssekit/http_request.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <curl/curl.h>

namespace ssekit::inline SSEKIT_ABI {

namespace detail {

template <auto Free>
struct curl_free {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

template <class T>
T* curl_made(T* object) {
    if (object == nullptr) throw std::bad_alloc();
    return object;
}

/// One easy handle and the transfers that it makes, one after the other, for one source.
class curl_transfer {
  public:
    curl_transfer() : easy_(curl_made(curl_easy_init())) {}
    curl_transfer(const curl_transfer&) = delete;
    curl_transfer& operator=(const curl_transfer&) = delete;
    ~curl_transfer() { end(); }

    [[nodiscard]] CURL* handle() const noexcept { return easy_.get(); }
    [[nodiscard]] const event_source& source() const noexcept { return *source_; }
    [[nodiscard]] bool is_under_way() const noexcept { return multi_ != nullptr; }
    /// Whether the head has come since this was asked the last time.
    [[nodiscard]] bool take_news() noexcept { return std::exchange(news_, false); }

    /// `write` is a CURLOPT_WRITEFUNCTION, called for the body of a stream alone.
    void begin(CURLM* multi, event_source& source, curl_write_callback write, void* context);
    void finish(CURLcode result) noexcept;
    void end() noexcept {
        if (multi_ != nullptr) curl_multi_remove_handle(std::exchange(multi_, nullptr), handle());
    }

  private:
    static constexpr std::size_t max_head = 64 << 10; // bytes, of one response

    void add_header(const std::string& line);
    std::size_t read_line(std::string_view line) noexcept;
    static std::size_t header_line(char* bytes, std::size_t, std::size_t size,
                                   void* self) noexcept {
        return static_cast<curl_transfer*>(self)->read_line({bytes, size});
    }
    static time_point now() noexcept { return std::chrono::steady_clock::now(); }

    std::unique_ptr<CURL, curl_free<curl_easy_cleanup>> easy_;
    std::unique_ptr<curl_slist, curl_free<curl_slist_free_all>> headers_ = {};
    CURLM* multi_ = nullptr; // while a transfer is under way
    event_source* source_ = nullptr;
    std::string head_ = {};
    std::array<char, CURL_ERROR_SIZE> error_ = {}; // in words
    std::size_t trailers_ = 0;                     // bytes
    bool told_ = false;                            // the head, which may be followed by trailers
    bool news_ = false;
};

} // namespace detail

/// A blocking_transport.
/// Thread safety: as an int, but for `stop`.
class curl_transport {
  public:
    /// Throws std::bad_alloc. Where there are threads, call curl_global_init first.
    curl_transport() : multi_(detail::curl_made(curl_multi_init())) {}

    [[nodiscard]] CURL* handle() const noexcept { return transfer_.handle(); }

    /// Effects: closes the source in its next `wait`, or in the one that is under way.
    /// Thread safety: for any thread, as long as the object lives.
    void stop() noexcept {
        stopped_ = true;
        curl_multi_wakeup(multi_.get());
    }

    [[nodiscard]] static time_point now() noexcept { return std::chrono::steady_clock::now(); }
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

/// One source on a multi handle. CURLOPT_PRIVATE is its own.
/// \tparam Sink as for `event_source::receive`
/// Lifetime: borrows all three. Thread safety: that of the multi handle.
template <class Sink>
class curl_stream {
  public:
    /// Throws std::bad_alloc.
    curl_stream(CURLM* multi, event_source& source, Sink& sink)
        : multi_(multi), source_(source), sink_(sink) {}

    [[nodiscard]] CURL* handle() const noexcept { return transfer_.handle(); }

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
        stream.turn();
    }

  private:
    static std::size_t write(char* bytes, std::size_t, std::size_t size, void* self) noexcept {
        auto& stream = *static_cast<curl_stream*>(self);
        stream.source_.receive({bytes, size}, stream.sink_, std::chrono::steady_clock::now());
        return stream.source_.state() == ready_state::open ? size : 0;
    }

    CURLM* multi_;
    event_source& source_;
    Sink& sink_;
    detail::curl_transfer transfer_ = {};
};

// ---- how

namespace detail {

inline void curl_transfer::add_header(const std::string& line) {
    curl_slist* const longer = curl_made(curl_slist_append(headers_.get(), line.c_str()));
    static_cast<void>(headers_.release());
    headers_.reset(longer);
}

inline void curl_transfer::begin(CURLM* multi, event_source& source, curl_write_callback write,
                                 void* context) {
    const source_request request = source.request();
    CURL* const easy = handle();
    const std::string method(request.method);
    bool has_type = false;
    headers_.reset();
    for (const header& each : request.headers) {
        has_type = has_type || equal_ignoring_case(each.name, "Content-Type");
        // For libcurl a name without a value takes a header away, and with a semicolon sends it.
        const std::string_view between = each.value.empty() ? ";" : ": ";
        add_header(std::string(each.name).append(between).append(each.value));
    }
    if (!has_type) add_header("Content-Type:"); // libcurl would call every POST a form
    add_header("Expect:");                      // and wait for a 100 before a long body

    curl_easy_setopt(easy, CURLOPT_URL, std::string(request.url).c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
    if (method != "GET") {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &header_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, context);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);          // that is for the source to do
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "identity"); // decodes others all the same
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // On a connection that it has kept, libcurl repeats a request that gets no answer. One that may
    // have effects it would send twice.
    const bool reads = method == "GET" || method == "HEAD" || method == "QUERY";
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, reads ? 0L : 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // does not wait for a silent name server
#endif
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    source_ = &source;
    head_.clear();
    error_[0] = 0;
    trailers_ = 0;
    told_ = news_ = false;
    if (curl_multi_add_handle(multi, easy) == CURLM_OK) {
        multi_ = multi;
    } else {
        source.receive_failure(now(), "libcurl took no transfer");
    }
}

inline std::size_t curl_transfer::read_line(std::string_view line) noexcept {
    if (told_) { // trailers, which libcurl would keep without a bound
        trailers_ += line.size();
        return trailers_ > max_head ? 0 : line.size();
    }
    if (line.starts_with("HTTP/")) head_.clear();
    if (head_.size() + line.size() > max_head) return 0;
    head_ += line;
    if (line != "\r\n" && line != "\n") return line.size();
    long status = 0;
    curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) return line.size(); // another head follows
    told_ = news_ = true;
    const auto find = [&](std::string_view name) { return find_header(head_, name); };
    source_->receive_head(static_cast<int>(status), find, now());
    return line.size();
}

inline void curl_transfer::finish(CURLcode result) noexcept {
    end();
    if (result == CURLE_OK) {
        source_->receive_end(now());
    } else {
        source_->receive_failure(now(),
                                 error_[0] != 0 ? error_.data() : curl_easy_strerror(result));
    }
}

} // namespace detail

inline std::size_t curl_transport::write(char* bytes, std::size_t, std::size_t size,
                                         void* self) noexcept {
    auto& transport = *static_cast<curl_transport*>(self);
    if (transport.transfer_.source().state() != ready_state::open) return 0;
    if (transport.body_.size() + size > most) {
        transport.paused_ = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    transport.body_.append(bytes, size);
    return size;
}

inline void curl_transport::perform() noexcept {
    if (std::exchange(paused_, false)) curl_easy_pause(handle(), CURLPAUSE_CONT);
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
        switch (source_.poll(std::chrono::steady_clock::now())) {
        case source_action::connect: transfer_.begin(multi_, source_, &write, this); break;
        case source_action::disconnect: transfer_.end(); break;
        case source_action::stop: transfer_.end(); return;
        case source_action::wait: return;
        }
    }
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
