// SPDX-License-Identifier: MIT
//
// A user and a password in a URL, which no request line carries: they become an Authorization of
// the Basic scheme, as in curl and in browsers.
// Spec: RFC 3986, 3.2.1; RFC 7617, 2; RFC 4648, 4.
#ifndef SSEKIT_DETAIL_HTTP_USER_INFO_HPP
#define SSEKIT_DETAIL_HTTP_USER_INFO_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/detail/http/url.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns what stands before the '@' of the authority; a view of nothing where there is none.
[[nodiscard]] constexpr std::string_view user_info_of(const url_parts& url) noexcept {
    const std::size_t at = url.authority.find('@');
    return at == url.authority.npos ? std::string_view() : url.authority.substr(0, at);
}

/// Throws std::bad_alloc.
[[nodiscard]] inline std::string without_user_info(std::string_view url) {
    const std::string_view user = user_info_of(split_url(url));
    if (user.data() == nullptr) return std::string(url);
    const auto at = static_cast<std::size_t>(user.data() - url.data());
    return std::string(url.substr(0, at)).append(url.substr(at + user.size() + 1));
}

/// Effects: appends. Throws std::bad_alloc.
inline void append_base64(std::string& out, std::string_view bytes) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    while (!bytes.empty()) {
        const std::string_view three = bytes.substr(0, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            bits = bits << 8 | (i < three.size() ? static_cast<unsigned char>(three[i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            out.push_back(i <= three.size() ? digits[bits >> (18 - 6 * i) & 63] : '=');
        }
        bytes.remove_prefix(three.size());
    }
}

/// \returns the value of the header; "" when what is encoded by percent signs is malformed, or no
/// user may have it: a control character, a colon in the name. Throws std::bad_alloc.
[[nodiscard]] inline std::string basic_credentials(std::string_view user_info) {
    std::string decoded;
    std::size_t colon = user_info.npos; // in `decoded`
    for (std::size_t i = 0; i < user_info.size(); ++i) {
        char c = user_info[i];
        if (c == '%') {
            if (user_info.size() - i < 3) return {};
            const int high = hex_value(user_info[i + 1]);
            const int low = hex_value(user_info[i + 2]);
            if (high < 0 || low < 0) return {};
            c = static_cast<char>(high * 16 + low);
            i += 2;
            if (c == ':' && colon == user_info.npos) return {};
        } else if (c == ':' && colon == user_info.npos) {
            colon = decoded.size();
        }
        decoded.push_back(c);
    }
    if (colon == user_info.npos) decoded.push_back(':'); // a user without a password
    for (const char c : decoded) {
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') return {};
    }
    std::string out = "Basic ";
    append_base64(out, decoded);
    return out;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
