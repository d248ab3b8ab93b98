// SPDX-License-Identifier: MIT
//
// UTF-8 as the Encoding standard decodes it: each maximal ill-formed part becomes one U+FFFD, and a
// byte that cannot continue a sequence is looked at again as the start of the next. An ASCII byte
// is therefore never swallowed, which is what makes it right to split a stream on CR, LF and ':'
// first and to decode each value later.
#ifndef SSEKIT_DETAIL_UTF8_HPP
#define SSEKIT_DETAIL_UTF8_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace ssekit::detail {

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// One step of the decoder.
struct utf8_step {
    std::size_t length; // of the sequence, or of the ill-formed part
    bool valid;
    bool cut; // ill-formed only because the input ends here
};

/// Preconditions: p != end.
[[nodiscard]] constexpr utf8_step decode_step(const char* p, const char* end) noexcept {
    const auto byte = [p](std::size_t i) { return static_cast<unsigned char>(p[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {1, true, false};
    std::size_t length = 0;
    unsigned char low = 0x80;  // what the second byte may be: no overlong forms, no surrogates,
    unsigned char high = 0xBF; // nothing past U+10FFFF
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if ((lead & 0xF0) == 0xE0) {
        length = 3;
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
    } else {
        return {1, false, false};
    }
    for (std::size_t i = 1; i < length; ++i) {
        if (p + i == end) return {i, false, true};
        if (byte(i) < low || byte(i) > high) return {i, false, false};
        low = 0x80;
        high = 0xBF;
    }
    return {length, true, false};
}

/// \returns the end of the ASCII run at p.
[[nodiscard]] constexpr const char* skip_ascii(const char* p, const char* end) noexcept {
    if (!std::is_constant_evaluated()) {
        constexpr std::uint64_t high = 0x8080808080808080;
        for (; end - p >= 32; p += 32) {
            std::uint64_t word[4];
            std::memcpy(word, p, 32);
            if (((word[0] | word[1] | word[2] | word[3]) & high) != 0) break;
        }
        for (; end - p >= 8; p += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, p, 8);
            if ((word & high) != 0) break;
        }
    }
    while (p != end && static_cast<unsigned char>(*p) < 0x80) ++p;
    return p;
}

/// \returns the first byte that is not part of a well-formed sequence, or `end`.
[[nodiscard]] constexpr const char* find_malformed(const char* p, const char* end) noexcept {
    for (;;) {
        p = skip_ascii(p, end);
        if (p == end) return end;
        do {
            const utf8_step step = decode_step(p, end);
            if (!step.valid) return p;
            p += step.length;
        } while (p != end && static_cast<unsigned char>(*p) >= 0x80);
    }
}

[[nodiscard]] constexpr bool is_utf8(std::string_view text) noexcept {
    const char* const end = text.data() + text.size();
    return find_malformed(text.data(), end) == end;
}

/// Calls `out(std::string_view)` for the pieces of `text` with each ill-formed part replaced.
template <class Out>
constexpr void for_each_replaced(std::string_view text, Out&& out) {
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p != end) {
        const char* const bad = find_malformed(p, end);
        if (bad != p) out(std::string_view(p, static_cast<std::size_t>(bad - p)));
        if (bad == end) return;
        p = bad + decode_step(bad, end).length; // first: `out` may write over what is read
        out(replacement_character);
    }
}

/// The size of `text` with each ill-formed part replaced.
[[nodiscard]] constexpr std::size_t replaced_size(std::string_view text) noexcept {
    std::size_t size = 0;
    for_each_replaced(text, [&](std::string_view piece) { size += piece.size(); });
    return size;
}

} // namespace ssekit::detail

#endif
