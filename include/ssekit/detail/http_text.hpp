// SPDX-License-Identifier: MIT
//
// The small words of HTTP: white space, tokens, lists.
#ifndef SSEKIT_DETAIL_HTTP_TEXT_HPP
#define SSEKIT_DETAIL_HTTP_TEXT_HPP

#include <cstddef>
#include <string_view>

namespace ssekit::detail {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

constexpr std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view space = " \t";
    const std::size_t first = text.find_first_not_of(space);
    if (first == text.npos) return text.substr(text.size()); // empty, yet a view of `text`
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

/// Takes what stands before the next `separator` off the front of `text`, and the separator too.
constexpr std::string_view take_until(std::string_view& text, char separator) noexcept {
    const std::size_t at = text.find(separator);
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + 1);
    return taken;
}

constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr bool is_alphanumeric(char c) noexcept {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

constexpr bool consists_of(std::string_view text, std::string_view others) noexcept {
    for (const char c : text) {
        if (!is_alphanumeric(c) && others.find(c) == others.npos) return false;
    }
    return !text.empty();
}

/// Spec: RFC 9110, 5.6.2.
constexpr bool is_token(std::string_view text) noexcept {
    return consists_of(text, "!#$%&'*+-.^_`|~");
}

/// Spec: RFC 6750, 2.1.
constexpr bool is_bearer_token(std::string_view text) noexcept {
    const std::size_t last = text.find_last_not_of('=');
    return last != text.npos && consists_of(text.substr(0, last + 1), "-._~+/");
}

/// A path with perhaps a query, of visible ASCII. Spec: RFC 9112, 3.2.1.
constexpr bool is_target(std::string_view text) noexcept {
    for (const char c : text) {
        if (c <= ' ' || c >= '\x7F') return false;
    }
    return text.starts_with('/');
}

/// Whether the parameters of a media range refuse it: q=0, q=0.0 ...
constexpr bool has_zero_quality(std::string_view parameters) noexcept {
    while (!parameters.empty()) {
        const std::string_view parameter = trim(take_until(parameters, ';'));
        if (parameter.size() < 2 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
        return parameter.substr(2).find_first_not_of("0.") == parameter.npos;
    }
    return false;
}

} // namespace ssekit::detail

#endif
