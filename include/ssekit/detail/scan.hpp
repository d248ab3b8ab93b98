// SPDX-License-Identifier: MIT
//
// Finding line ends. 64 bytes become one bit mask of CR and LF, whose set bits are then walked: for
// the short lines of an event stream this beats a memchr per line, because most blocks hold several
// ends. A line that is still open after 256 bytes is handed to memchr, which knows the widest
// vectors of the machine. It looks for LF in windows that double, and for CR in what lies before
// that LF, so each byte is read at most three times whatever the input is.
#ifndef SSEKIT_DETAIL_SCAN_HPP
#define SSEKIT_DETAIL_SCAN_HPP

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace ssekit::detail {

[[nodiscard]] constexpr bool is_line_end(char c) noexcept {
    return c == '\n' || c == '\r';
}

inline constexpr std::size_t block_size = 64;

/// Bit i is set when p[i] ends a line. Reads exactly 64 bytes.
[[nodiscard]] inline std::uint64_t line_end_mask(const char* p) noexcept {
#if defined(__AVX2__)
    const __m256i lf = _mm256_set1_epi8('\n');
    const __m256i cr = _mm256_set1_epi8('\r');
    const auto half = [&](const char* q) {
        const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q));
        const __m256i hit = _mm256_or_si256(_mm256_cmpeq_epi8(v, lf), _mm256_cmpeq_epi8(v, cr));
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(hit)));
    };
    return half(p) | (half(p + 32) << 32);
#elif defined(__SSE2__) || defined(_M_X64)
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r');
    const auto quarter = [&](const char* q) {
        const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q));
        const __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, lf), _mm_cmpeq_epi8(v, cr));
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(hit)));
    };
    return quarter(p) | (quarter(p + 16) << 16) | (quarter(p + 32) << 32) | (quarter(p + 48) << 48);
#elif defined(__ARM_NEON) && defined(__aarch64__)
    const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const auto hits = [&](const char* q) {
        const uint8x16_t v = vld1q_u8(reinterpret_cast<const std::uint8_t*>(q));
        const uint8x16_t hit =
            vorrq_u8(vceqq_u8(v, vdupq_n_u8('\n')), vceqq_u8(v, vdupq_n_u8('\r')));
        return vandq_u8(hit, bit);
    };
    const uint8x16_t low = vpaddq_u8(hits(p), hits(p + 16));
    const uint8x16_t high = vpaddq_u8(hits(p + 32), hits(p + 48));
    const uint8x16_t all = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
#else
    // Eight bytes at a time in a plain register; 0x80 marks a zero byte of x exactly.
    constexpr auto zero_bytes = [](std::uint64_t x) {
        constexpr std::uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
        return ~(((x & low7) + low7) | x | low7);
    };
    std::uint64_t mask = 0;
    for (unsigned i = 0; i < block_size; i += 8) {
        std::uint64_t word = 0;
        if constexpr (std::endian::native == std::endian::little) {
            std::memcpy(&word, p + i, 8);
        } else {
            for (unsigned k = 8; k-- > 0;) word = word << 8 | static_cast<unsigned char>(p[i + k]);
        }
        const std::uint64_t hit =
            zero_bytes(word ^ 0x0a0a0a0a0a0a0a0a) | zero_bytes(word ^ 0x0d0d0d0d0d0d0d0d);
        mask |= (((hit >> 7) * 0x0102040810204080) >> 56) << i;
    }
    return mask;
#endif
}

/// \returns the first CR or LF of a long run without one, or `end`.
[[nodiscard]] inline const char* find_far_line_end(const char* p, const char* end) noexcept {
    for (std::size_t window = 512; p != end; window *= 2) {
        const std::size_t size = std::min(window, static_cast<std::size_t>(end - p));
        const auto* lf = static_cast<const char*>(std::memchr(p, '\n', size));
        const char* const limit = lf != nullptr ? lf : p + size;
        const auto* cr =
            static_cast<const char*>(std::memchr(p, '\r', static_cast<std::size_t>(limit - p)));
        if (cr != nullptr) return cr;
        if (lf != nullptr) return lf;
        p = limit;
    }
    return end;
}

/// Walks the line ends of one chunk in order.
class line_ends {
  public:
    constexpr line_ends(const char* begin, const char* end) noexcept
        : begin_(begin), next_(begin), end_(end) {}

    /// \returns the next CR or LF, or the chunk's end.
    [[nodiscard]] constexpr const char* next() noexcept {
        if (std::is_constant_evaluated()) return step();
        for (int blocks = 0; bits_ == 0; ++blocks) {
            const std::size_t left = static_cast<std::size_t>(end_ - next_);
            if (left < block_size) {
                if (left == 0) return end_;
                load_tail(left);
            } else if (blocks < 4) {
                load(next_, 0);
            } else {
                const char* const hit = find_far_line_end(next_, end_);
                next_ = hit == end_ ? hit : hit + 1;
                return hit;
            }
        }
        const char* const hit = base_ + std::countr_zero(bits_);
        bits_ &= bits_ - 1;
        return hit;
    }

    /// Passes over one byte, the LF of a CRLF, which stands right behind what `next` gave.
    constexpr void skip(const char* line_feed) noexcept {
        if (bits_ != 0) {
            bits_ &= bits_ - 1;
        } else if (next_ == line_feed) {
            ++next_;
        }
    }

  private:
    constexpr const char* step() noexcept {
        while (next_ != end_ && !is_line_end(*next_)) ++next_;
        return next_ == end_ ? end_ : next_++;
    }

    // The first `known` bytes have been looked at before.
    void load(const char* base, unsigned known) noexcept {
        base_ = base;
        bits_ = line_end_mask(base) >> known << known;
        next_ = base + block_size;
    }

    void load_tail(std::size_t left) noexcept {
        if (static_cast<std::size_t>(end_ - begin_) >= block_size) {
            return load(end_ - block_size, static_cast<unsigned>(block_size - left));
        }
        char padded[block_size] = {};
        std::memcpy(padded, next_, left);
        base_ = next_;
        bits_ = line_end_mask(padded);
        next_ = end_;
    }

    const char* begin_;
    const char* base_ = nullptr; // what bit 0 of bits_ stands for
    std::uint64_t bits_ = 0;     // ends that are known and not yet given
    const char* next_;           // first byte that no bit speaks of
    const char* end_;
};

} // namespace ssekit::detail

#endif
