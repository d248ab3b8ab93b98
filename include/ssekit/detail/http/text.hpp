// SPDX-License-Identifier: MIT
//
// The small pieces of HTTP: white space, tokens, lists.
#ifndef SSEKIT_DETAIL_HTTP_TEXT_HPP
#define SSEKIT_DETAIL_HTTP_TEXT_HPP

#include <ssekit/version.hpp>

#include <cstddef>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

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

/// The same, but a separator inside a quoted string does not count. Spec: RFC 9110, 5.6.4.
constexpr std::string_view take_unquoted(std::string_view& text, char separator) noexcept {
    std::size_t at = 0;
    bool is_quoted = false;
    while (at < text.size() && (is_quoted || text[at] != separator)) {
        if (is_quoted && text[at] == '\\' && at + 1 < text.size())
            ++at;
        else if (text[at] == '"')
            is_quoted = !is_quoted;
        ++at;
    }
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at == text.size() ? at : at + 1);
    return taken;
}

constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

constexpr bool is_letter(char c) noexcept {
    return lower(c) >= 'a' && lower(c) <= 'z';
}

constexpr bool consists_of(std::string_view text, std::string_view others) noexcept {
    for (const char c : text) {
        if (!is_digit(c) && !is_letter(c) && others.find(c) == others.npos) return false;
    }
    return !text.empty();
}

/// The name of a method or of a header. Spec: RFC 9110, 5.6.2.
constexpr bool is_token(std::string_view text) noexcept {
    return consists_of(text, "!#$%&'*+-.^_`|~");
}

/// Spec: RFC 6750, 2.1.
constexpr bool is_bearer_token(std::string_view text) noexcept {
    const std::size_t last = text.find_last_not_of('=');
    return last != text.npos && consists_of(text.substr(0, last + 1), "-._~+/");
}

/// The value of a header: no control character but the tab. Spec: RFC 9110, 5.5.
constexpr bool is_field_value(std::string_view text) noexcept {
    for (const char c : text) {
        if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7F') return false;
    }
    return true;
}

/// Neither spaces nor control characters: what may stand in the first line of a request.
constexpr bool has_no_space(std::string_view text) noexcept {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) <= ' ' || c == '\x7F') return false;
    }
    return true;
}

constexpr bool is_ascii(std::string_view text) noexcept {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) > 0x7F) return false;
    }
    return true;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
