// SPDX-License-Identifier: MIT
//
// What an Accept header says about a media type. Of all ranges that match, the most specific one
// decides, so a header in several lines is judged line by line: the line that holds that range
// decides for all of them.
// Spec: RFC 9110, 12.5.1.
#ifndef SSEKIT_DETAIL_HTTP_ACCEPT_HPP
#define SSEKIT_DETAIL_HTTP_ACCEPT_HPP

#include <ssekit/detail/http/text.hpp>

#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Whether the parameters of a media range refuse it: q=0, q=0.0 ...
constexpr bool has_zero_quality(std::string_view parameters) noexcept {
    while (!parameters.empty()) {
        const std::string_view parameter = trim(take_unquoted(parameters, ';'));
        if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
        return parameter.substr(2).find_first_not_of("0.") == parameter.npos;
    }
    return false;
}

struct accept_verdict {
    int rank; // of the range that decides: 0 is the most specific; 3: none; 4: nothing is said
    bool allowed;
};

/// The ranges that match a media type, the most specific one first.
struct media_ranges {
    std::string_view range[3];
};
inline constexpr media_ranges event_stream_ranges{{"text/event-stream", "text/*", "*/*"}};
inline constexpr media_ranges json_ranges{{"application/json", "application/*", "*/*"}};

constexpr accept_verdict judge_accept(std::string_view accept,
                                      const media_ranges& of = event_stream_ranges) noexcept {
    if (trim(accept).empty()) return {4, true};
    accept_verdict out{3, false};
    while (!accept.empty()) {
        std::string_view item = take_unquoted(accept, ',');
        const std::string_view range = trim(take_unquoted(item, ';'));
        for (int i = 0; i < out.rank; ++i) {
            if (equal_ignoring_case(range, of.range[i])) out = {i, !has_zero_quality(item)};
        }
    }
    return out;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
