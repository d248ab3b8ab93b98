// SPDX-License-Identifier: MIT
//
// Values of headers that repeat what stands in a request's body. What cannot stand in a header as
// it is comes in base64, between "=?base64?" and "?=". To compare, the body's value is encoded: so
// nothing is decoded, nothing is stored, and an encoding that is not the one of that value, with
// bad padding for instance, never matches.
// Spec: MCP 2026-07-28, Streamable HTTP, "Value Encoding"; RFC 4648, 4.
#ifndef SSEKIT_DETAIL_HTTP_ENCODED_VALUE_HPP
#define SSEKIT_DETAIL_HTTP_ENCODED_VALUE_HPP

#include <ssekit/version.hpp>

#include <cstddef>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns whether `text` is the base64 of these bytes, with its padding.
constexpr bool is_base64_of(std::string_view text, std::string_view bytes) noexcept {
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text.size() % 4 != 0 || text.size() / 4 != bytes.size() / 3 + (bytes.size() % 3 != 0)) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t first = i / 4 * 3; // of the three bytes that these four letters stand for
        unsigned three = 0;
        for (std::size_t at = first; at < first + 3; ++at) {
            three = three << 8 | (at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U);
        }
        const bool padding = i % 4 > bytes.size() - first; // two letters for one byte, and so on
        const char expected = padding ? '=' : letters[three >> (18 - i % 4 * 6) & 63U];
        if (text[i] != expected) return false;
    }
    return true;
}

/// \returns whether a header says the same as a value of the body.
constexpr bool matches_value(std::string_view header, std::string_view value) noexcept {
    constexpr std::string_view open = "=?base64?";
    constexpr std::string_view close = "?=";
    if (header.size() >= open.size() + close.size() && header.starts_with(open) &&
        header.ends_with(close)) {
        header.remove_prefix(open.size());
        header.remove_suffix(close.size());
        return is_base64_of(header, value);
    }
    for (const char c : header) {
        if ((c < ' ' || c > '~') && c != '\t') return false; // it had to be encoded
    }
    return header == value;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
