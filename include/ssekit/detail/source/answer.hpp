// SPDX-License-Identifier: MIT
//
// What the head of a response means for an event source.
#ifndef SSEKIT_DETAIL_SOURCE_ANSWER_HPP
#define SSEKIT_DETAIL_SOURCE_ANSWER_HPP

#include <ssekit/detail/http/proxy_status.hpp>
#include <ssekit/detail/http/text.hpp>
#include <ssekit/event_source_options.hpp>
#include <ssekit/source_answer.hpp>

#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Spec: HTML, 9.2.2: the essence of the media type counts, not its parameters.
[[nodiscard]] constexpr bool is_event_stream(std::string_view media_type) noexcept {
    return equal_ignoring_case(trim(media_type.substr(0, media_type.find(';'))),
                               "text/event-stream");
}

[[nodiscard]] constexpr bool is_redirect(int status) noexcept {
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/// Whether the same request may well be answered otherwise later: what the SDKs of language models
/// take for that, without 501 and 505, which say that it will not.
[[nodiscard]] constexpr bool is_temporary(int status) noexcept {
    return status == 408 || status == 409 || status == 425 || status == 429 ||
           (status >= 500 && status <= 599 && status != 501 && status != 505);
}

[[nodiscard]] constexpr proxy_refusal judge_proxy(std::string_view proxy_status) noexcept {
    if (has_proxy_error(proxy_status, "incremental_refused")) return proxy_refusal::incremental;
    const bool full = has_proxy_error(proxy_status, "connection_limit_reached");
    return full ? proxy_refusal::connection_limit : proxy_refusal::none;
}

enum class source_answer : std::uint8_t {
    stream,
    redirect,
    no_content,
    // Of these the body is kept.
    again, ///< it may be better later
    retry, ///< so its owner says
    whole, ///< no stream, and wanted
    bad_media_type,
    bad_status,
};

/// Spec: HTML, 9.2.3.
[[nodiscard]] constexpr source_answer judge_answer(int status, std::string_view media_type,
                                                   status_policy policy) noexcept {
    if (status == 200) {
        return is_event_stream(media_type) ? source_answer::stream : source_answer::bad_media_type;
    }
    if (status == 204) return source_answer::no_content;
    if (is_redirect(status)) return source_answer::redirect;
    const bool again = policy == status_policy::sdk && is_temporary(status);
    return again ? source_answer::again : source_answer::bad_status;
}

/// The same where its owner has a word in it.
[[nodiscard]] constexpr source_answer judge_answer(answer_verdict verdict, int status,
                                                   std::string_view media_type,
                                                   status_policy policy) noexcept {
    switch (verdict) {
    case answer_verdict::stream: return source_answer::stream;
    case answer_verdict::whole: return source_answer::whole;
    case answer_verdict::retry: return source_answer::retry;
    case answer_verdict::fail: return source_answer::bad_status;
    default: return judge_answer(status, media_type, policy);
    }
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
