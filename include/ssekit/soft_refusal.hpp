// SPDX-License-Identifier: MIT
//
// How to refuse a browser for now. An EventSource that is answered with 503 or 429 gives up for
// ever, in every browser, whatever Retry-After says; but when a stream comes to its end, it waits
// for its reconnection time and comes back with its Last-Event-ID. So the soft answer is the
// shortest stream there is: status 200, the headers of a stream, a reconnection time, the end.
//
// Who does not ask as an EventSource does is told the status that says why (`refusal_of`): a client
// that sends a POST would take a stream without a result for a broken one, and what asks whether
// the server is well would take 200 for yes.
#ifndef SSEKIT_SOFT_REFUSAL_HPP
#define SSEKIT_SOFT_REFUSAL_HPP

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/detail/http/accept.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/header.hpp>
#include <ssekit/http.hpp>
#include <ssekit/http_request.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// \returns whether a soft_refusal is the better answer: what refuses the stream passes, as
/// `refusal::retry_after` says, and the request is a GET whose Accept names text/event-stream,
/// which is what an EventSource sends.
[[nodiscard]] constexpr bool is_refused_softly(errc code, const request_view& request) noexcept;

/// The body of such an answer, whole; its headers are `stream_headers`. It has a known length, so
/// it needs no chunks, and a client of HTTP/1.0 reads it as well.
class soft_refusal {
  public:
    /// Times outside of these do harm: with 0 a browser comes back thousands of times a second, and
    /// beyond 31 bits some clients come back at once.
    static constexpr std::chrono::milliseconds least_retry{100};
    static constexpr std::chrono::milliseconds most_retry = longest_retry;

    /// \param retry how long the client waits before it comes back, such as `hub::refused_retry`,
    /// brought within those bounds
    explicit constexpr soft_refusal(std::chrono::milliseconds retry) noexcept {
        const detail::decimal digits(
            static_cast<std::uint64_t>(std::clamp(retry, least_retry, most_retry).count()));
        for (const std::string_view part :
             {std::string_view("retry: "), digits.view(), std::string_view("\n\n")}) {
            for (const char c : part) text_[size_++] = c;
        }
    }

    /// Lifetime: that of this object.
    [[nodiscard]] constexpr std::string_view body() const noexcept { return {text_, size_}; }

  private:
    char text_[24] = {};
    std::size_t size_ = 0;
};

/// Effects: appends the whole HTTP/1.1 response, with further headers, those of cors.hpp or
/// Connection for example. Preconditions: `is_valid_header` holds for each of `more`.
template <class String>
constexpr void append_soft_refusal(String& out, const soft_refusal& answer,
                                   std::span<const header> more = {});

// ---- how

constexpr bool is_refused_softly(errc code, const request_view& request) noexcept {
    if (request.method != "GET" || refusal_of(code).retry_after.count() == 0) return false;
    const detail::accept_verdict asked = detail::judge_accept(request.accept.value_or(""));
    return asked.rank == 0 && asked.allowed;
}

template <class String>
constexpr void append_soft_refusal(String& out, const soft_refusal& answer,
                                   std::span<const header> more) {
    const std::string_view body = answer.body();
    detail::append_text(out, "HTTP/1.1 200 OK\r\n");
    detail::append_headers(out, stream_headers);
    detail::append_headers(out, more);
    detail::append_text(out, "Content-Length: ");
    detail::append_text(out, detail::decimal(body.size()).view());
    detail::append_text(out, "\r\n\r\n");
    detail::append_text(out, body);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
