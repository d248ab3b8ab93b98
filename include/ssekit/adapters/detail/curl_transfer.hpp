// SPDX-License-Identifier: MIT
//
// One easy handle of libcurl, and the transfers that it makes for event sources, one after the
// other. What the handle's owner has set on it stays as it is: what a request needs is set on top,
// and a request to another origin is made by a copy of the handle from which the credentials were
// taken.
#ifndef SSEKIT_ADAPTERS_DETAIL_CURL_TRANSFER_HPP
#define SSEKIT_ADAPTERS_DETAIL_CURL_TRANSFER_HPP

#include <ssekit/adapters/detail/curl_handle.hpp>
#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/source/attempts.hpp>
#include <ssekit/detail/source/backoff.hpp>
#include <ssekit/event_source.hpp>
#include <ssekit/header.hpp>
#include <ssekit/http_request.hpp>
#include <ssekit/time.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <curl/curl.h>

namespace ssekit::inline SSEKIT_ABI::detail {

class curl_transfer {
  public:
    /// Throws std::bad_alloc.
    curl_transfer();
    curl_transfer(const curl_transfer&) = delete;
    curl_transfer& operator=(const curl_transfer&) = delete;
    ~curl_transfer() { end(); }

    /// The owner's.
    [[nodiscard]] CURL* handle() const noexcept { return easy_.get(); }
    /// The one of the newest transfer.
    [[nodiscard]] CURL* in_use() const noexcept { return abroad_ ? abroad_.get() : easy_.get(); }
    [[nodiscard]] bool is_under_way() const noexcept { return multi_ != nullptr; }
    /// Whether a body is wanted by the source of the newest transfer.
    [[nodiscard]] bool wants_body() const noexcept { return source_->wants_body(); }
    /// Whether the source was told something since this was asked the last time.
    [[nodiscard]] bool take_news() noexcept { return std::exchange(news_, false); }

    /// What was done since then is no silence of the server.
    static void add_pause(event_source& source, time_point since) noexcept {
        source.receive_pause(between(since, now()));
    }

    /// `write` is a CURLOPT_WRITEFUNCTION. Throws std::bad_alloc.
    void begin(CURLM* multi, event_source& source, curl_write_callback write, void* context);
    void finish(CURLcode result) noexcept;
    void end() noexcept {
        if (multi_ != nullptr) curl_multi_remove_handle(std::exchange(multi_, nullptr), in_use());
    }

  private:
    /// Of all lines of one answer: heads, those before the real one, and trailers. libcurl keeps
    /// them all, and bounds some.
    static constexpr std::size_t max_lines = 128 << 10; // bytes

    template <class Value>
    void set(CURLoption option, Value value) {
        // The name is a macro as well, which wants to see which option it is.
        if ((curl_easy_setopt)(in_use(), option, value) == CURLE_OUT_OF_MEMORY) {
            throw std::bad_alloc();
        }
    }
    void set_request(const source_request& request);
    void set_headers(const source_request& request);
    void add_header(const std::string& line);
    void read_line(std::string_view line);
    void note_sending() noexcept {
        is_sent_ = news_ = true;
        source_->receive_connected(now());
    }
    static int before_request(void* self, char*, char*, int, int) noexcept {
        static_cast<curl_transfer*>(self)->note_sending();
        return 0; // CURL_PREREQFUNC_OK
    }
    static std::size_t header_line(char* bytes, std::size_t, std::size_t size, void* self) noexcept;
    static time_point now() noexcept { return std::chrono::steady_clock::now(); }

    curl_easy easy_;
    curl_easy abroad_ = {};
    std::unique_ptr<curl_slist, curl_free<curl_slist_free_all>> headers_ = {};
    CURLM* multi_ = nullptr; // while a transfer is under way
    event_source* source_ = nullptr;
    std::string head_ = {};
    std::array<char, CURL_ERROR_SIZE> error_ = {}; // in libcurl's words
    const char* refused_ = nullptr;                // in ours, if it was ended by us
    std::size_t lines_ = 0;                        // bytes
    bool tells_sending_ = false;                   // this version of libcurl does
    bool is_sent_ = false;                         // so far as it tells
    bool told_ = false;                            // the head, which may be followed by trailers
    bool news_ = false;
};

// ---- how

inline curl_transfer::curl_transfer() : easy_(curl_made(curl_easy_init())) {
    // A name is asked for again soon: who fails over changes it.
    set(CURLOPT_DNS_CACHE_TIMEOUT, 5L);
#if LIBCURL_VERSION_NUM >= 0x075700
    set(CURLOPT_QUICK_EXIT, 1L); // does not wait for a silent name server
#endif
}

inline void curl_transfer::add_header(const std::string& line) {
    curl_slist* const longer = curl_made(curl_slist_append(headers_.get(), line.c_str()));
    static_cast<void>(headers_.release());
    headers_.reset(longer);
}

inline void curl_transfer::set_headers(const source_request& request) {
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
    set(CURLOPT_HTTPHEADER, headers_.get());
}

inline void curl_transfer::set_request(const source_request& request) {
    const std::string method(request.method);
    set(CURLOPT_URL, std::string(request.url).c_str());
    set(CURLOPT_HTTPGET, 1L);
    set(CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
    if (method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
    } else if (method != "GET" || !request.body.empty()) {
        // It is copied: the source may be given another body while this one is being sent.
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(CURLOPT_COPYPOSTFIELDS, request.body.empty() ? "" : request.body.data());
        set(CURLOPT_CUSTOMREQUEST, method.c_str());
    }
    set_headers(request);
    // On a connection that it has kept, libcurl repeats a request that gets no answer. One that may
    // have effects it would send twice.
    set(CURLOPT_FRESH_CONNECT, only_reads(method) ? 0L : 1L);
}

inline void curl_transfer::begin(CURLM* multi, event_source& source, curl_write_callback write,
                                 void* context) {
    const source_request request = source.request();
    abroad_.reset();
    if (request.is_abroad) {
        abroad_.reset(curl_made(curl_easy_duphandle(handle())));
        drop_credentials(abroad_.get());
    }
    set_request(request);
    set(CURLOPT_HEADERFUNCTION, &header_line);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(CURLOPT_WRITEFUNCTION, write);
    set(CURLOPT_WRITEDATA, context);
    set(CURLOPT_PRIVATE, context);
    set(CURLOPT_FOLLOWLOCATION, 0L);          // that is for the source to do
    set(CURLOPT_ACCEPT_ENCODING, "identity"); // decodes others all the same
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_ERRORBUFFER, error_.data());
#if LIBCURL_VERSION_NUM >= 0x075500
    set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075000
    set(CURLOPT_PREREQDATA, static_cast<void*>(this));
    // The library that runs may be older than its header.
    tells_sending_ =
        (curl_easy_setopt)(in_use(), CURLOPT_PREREQFUNCTION, &before_request) == CURLE_OK;
#endif
    source_ = &source;
    head_.clear();
    error_[0] = 0;
    refused_ = nullptr;
    lines_ = 0;
    is_sent_ = told_ = news_ = false;
    if (curl_multi_add_handle(multi, in_use()) == CURLM_OK) {
        multi_ = multi;
    } else {
        source.receive_failure(now(), "libcurl took no transfer", request_reach::unsent);
    }
}

inline void curl_transfer::read_line(std::string_view line) {
    if (line.starts_with("HTTP/")) head_.clear();
    head_ += line;
    if (line != "\r\n" && line != "\n") return;
    long status = 0;
    curl_easy_getinfo(in_use(), CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) return; // another head follows
    told_ = news_ = true;
    const auto find = [&](std::string_view name) {
        // libcurl takes codings off, or the transfer fails.
        const bool is_done = equal_ignoring_case(name, "Content-Encoding");
        return is_done ? std::nullopt : find_header(head_, name);
    };
    const time_point began = now();
    source_->receive_head(static_cast<int>(status), find, began);
    add_pause(*source_, began); // the time of hooks
}

inline std::size_t curl_transfer::header_line(char* bytes, std::size_t, std::size_t size,
                                              void* self) noexcept {
    auto& transfer = *static_cast<curl_transfer*>(self);
    transfer.lines_ += size;
    if (transfer.lines_ > max_lines) {
        transfer.refused_ = "too many headers";
        return 0;
    }
    try {
        if (!transfer.told_) transfer.read_line({bytes, size});
    } catch (const std::exception&) { // not through the frames of libcurl
        transfer.refused_ = "no memory for the head of the answer";
        return 0;
    }
    return size;
}

inline void curl_transfer::finish(CURLcode result) noexcept {
    end();
    if (result == CURLE_OK) return source_->receive_end(now());
    std::array<char, CURL_ERROR_SIZE + 32> why;
    const char* text = error_[0] != 0 ? error_.data() : curl_easy_strerror(result);
    if (refused_ != nullptr) text = refused_;
    // As the program of that name says it.
    std::snprintf(why.data(), why.size(), "curl: (%d) %s", static_cast<int>(result), text);
    const bool is_unsent = tells_sending_ ? !is_sent_ : is_before_request(result);
    source_->receive_failure(now(), why.data(),
                             is_unsent ? request_reach::unsent : request_reach::unknown);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
