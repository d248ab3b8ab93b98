// SPDX-License-Identifier: MIT
//
// UTF-8 as the Encoding standard decodes it: each maximal ill-formed part becomes one U+FFFD, and a
// byte that cannot continue a sequence is looked at again as the start of the next. So an ASCII
// byte is never swallowed, and it is right to split a stream on CR, LF and ':' first and to decode
// each value later.
#ifndef SSEKIT_DETAIL_TEXT_UTF8_HPP
#define SSEKIT_DETAIL_TEXT_UTF8_HPP

#include <ssekit/detail/base/size.hpp>
#include <ssekit/detail/text/lanes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace ssekit::inline SSEKIT_ABI::detail {

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

#if SSEKIT_VECTORS != 0

/// Whether each of many bytes is what the three before it require. Only the highest bit of a lane
/// counts here, as yes or no.
class utf8_lanes {
  public:
    /// Preconditions: the three bytes before p can be read and are well-formed so far.
    explicit utf8_lanes(const char* p) noexcept
        : here_(lanes::load(p)), before_(lanes::load(p - 1)) {
        const lanes asked =
            from(0xC0, before_) | from(0xE0, lanes::load(p - 2)) | from(0xF0, lanes::load(p - 3));
        const lanes continues = here_ ^ from(0xC0, here_);
        wrong_ = asked ^ continues;
    }

    [[nodiscard]] bool is_well_formed() const noexcept {
        const lanes rare = is_before(0xE0) | is_before(0xED) | is_overlong() | from(0xF0, before_);
        return !(wrong_ | rare).any_high() || !(wrong_ | is_forbidden()).any_high();
    }

  private:
    // b <= a, for b from 0x80 on.
    static lanes from(unsigned b, lanes a) noexcept {
        return excess(a, lanes::all(static_cast<unsigned char>(b - 0x80)));
    }
    lanes is_before(unsigned char lead) const noexcept { return equal(before_, lanes::all(lead)); }
    lanes is_overlong() const noexcept {
        return equal(before_ & lanes::all(0xFE), lanes::all(0xC0));
    }
    // Overlong forms, surrogates, and what lies past U+10FFFF.
    lanes is_forbidden() const noexcept {
        const lanes is_e0 = is_before(0xE0);
        const lanes is_f0 = is_before(0xF0);
        return is_overlong() | (is_e0 & (is_e0 ^ from(0xA0, here_))) |
               (is_before(0xED) & from(0xA0, here_)) | (is_f0 & (is_f0 ^ from(0x90, here_))) |
               (is_before(0xF4) & from(0x90, here_)) | from(0xF5, before_);
    }

    lanes here_;
    lanes before_; // what stands one byte before
    lanes wrong_;  // a continuation byte is missing, or one too many
};

/// \returns how far the text is well-formed, except for a sequence at the end of the part. May be
/// p.
/// Preconditions: begin + 3 <= p; all before p is well-formed.
[[nodiscard]] inline const char* skip_vectors(const char* begin, const char* p,
                                              const char* end) noexcept {
    constexpr auto step = static_cast<std::ptrdiff_t>(lanes::count);
    for (; end - p >= step; p += step) {
        if (!utf8_lanes(p).is_well_formed()) return p;
    }
    return end - begin >= step + 3 && utf8_lanes(end - step).is_well_formed() ? end : p;
}

#endif

/// \returns the end of a part of [p, end) that is well-formed, which may be short.
/// Preconditions: p stands between sequences.
[[nodiscard]] constexpr const char* skip_well_formed(const char* p, const char* end) noexcept {
    const char* const begin = p;
    while (p != end && p - begin < 3) {
        const utf8_step step = decode_step(p, end);
        if (!step.valid) return p;
        p += step.length;
    }
#if SSEKIT_VECTORS != 0
    if (!std::is_constant_evaluated() && p != end) {
        const char* const known = skip_vectors(begin, p, end);
        if (known == p) return p;
        p = known - 1; // back to where the last sequence begins, for it may be cut
        while ((static_cast<unsigned char>(*p) & 0xC0) == 0x80) --p;
    }
#endif
    return p;
}

/// \returns the first byte that is not part of a well-formed sequence, or `end`.
[[nodiscard]] constexpr const char* find_malformed(const char* p, const char* end) noexcept {
    for (;;) {
        p = skip_ascii(p, end);
        if (p == end) return end;
        p = skip_well_formed(p, end);
        if (p != end && !decode_step(p, end).valid) return p;
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

/// The size of `text` with each ill-formed part replaced; the largest size where that would wrap.
[[nodiscard]] constexpr std::size_t replaced_size(std::string_view text) noexcept {
    std::size_t size = 0;
    for_each_replaced(text, [&](std::string_view piece) { size = add_sizes(size, piece.size()); });
    return size;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
