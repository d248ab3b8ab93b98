// SPDX-License-Identifier: MIT
//
// What the head of a response means for an event source.
#ifndef SSEKIT_DETAIL_SOURCE_ANSWER_HPP
#define SSEKIT_DETAIL_SOURCE_ANSWER_HPP

#include <ssekit/detail/http/proxy_status.hpp>
#include <ssekit/detail/http/text.hpp>
#include <ssekit/event_source_options.hpp>

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

[[nodiscard]] constexpr bool is_temporary(int status) noexcept {
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

[[nodiscard]] constexpr proxy_refusal judge_proxy(std::string_view proxy_status) noexcept {
    if (has_proxy_error(proxy_status, "incremental_refused")) return proxy_refusal::incremental;
    const bool full = has_proxy_error(proxy_status, "connection_limit_reached");
    return full ? proxy_refusal::connection_limit : proxy_refusal::none;
}

enum class source_answer : std::uint8_t {
    stream,
    redirect,
    again, ///< it may be better later
    no_content,
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

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
