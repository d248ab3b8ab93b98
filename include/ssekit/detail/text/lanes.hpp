// SPDX-License-Identifier: MIT
//
// Bytes side by side in one vector register: the few operations that finding line ends and
// validating UTF-8 are made of, for SSE2, AVX2 and NEON, whichever version.hpp has chosen.
// Everything above this file is written once. With none of the three there are no lanes, and
// SSEKIT_VECTORS is 0.
#ifndef SSEKIT_DETAIL_TEXT_LANES_HPP
#define SSEKIT_DETAIL_TEXT_LANES_HPP

#include <ssekit/version.hpp>

#include <cstddef>
#include <cstdint>

#if SSEKIT_VECTORS == 1
#include <emmintrin.h>
#elif SSEKIT_VECTORS == 2
#include <immintrin.h>
#elif SSEKIT_VECTORS == 3
#include <arm_neon.h>
#endif

namespace ssekit::inline SSEKIT_ABI::detail {

#if SSEKIT_VECTORS != 0

/// Unsigned bytes. A comparison gives 0xff in each lane where it holds, and 0 elsewhere.
struct lanes {
#if SSEKIT_VECTORS == 2
    __m256i v;

    static lanes load(const char* p) noexcept {
        return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
    }
    static lanes all(unsigned char byte) noexcept {
        return {_mm256_set1_epi8(static_cast<char>(byte))};
    }
    friend lanes operator|(lanes a, lanes b) noexcept {
        return {_mm256_or_si256(a.v, b.v)};
    }
    friend lanes operator&(lanes a, lanes b) noexcept {
        return {_mm256_and_si256(a.v, b.v)};
    }
    friend lanes operator^(lanes a, lanes b) noexcept {
        return {_mm256_xor_si256(a.v, b.v)};
    }
    friend lanes lower(lanes a, lanes b) noexcept {
        return {_mm256_min_epu8(a.v, b.v)};
    }
    friend lanes equal(lanes a, lanes b) noexcept {
        return {_mm256_cmpeq_epi8(a.v, b.v)};
    }
    /// 0 where a <= b.
    friend lanes excess(lanes a, lanes b) noexcept {
        return {_mm256_subs_epu8(a.v, b.v)};
    }
    /// Bit i is the highest bit of lane i.
    [[nodiscard]] std::uint64_t bits() const noexcept {
        return static_cast<std::uint32_t>(_mm256_movemask_epi8(v));
    }
    [[nodiscard]] bool any_high() const noexcept {
        return _mm256_movemask_epi8(v) != 0;
    }
#elif SSEKIT_VECTORS == 1
    __m128i v;

    static lanes load(const char* p) noexcept {
        return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))};
    }
    static lanes all(unsigned char byte) noexcept {
        return {_mm_set1_epi8(static_cast<char>(byte))};
    }
    friend lanes operator|(lanes a, lanes b) noexcept {
        return {_mm_or_si128(a.v, b.v)};
    }
    friend lanes operator&(lanes a, lanes b) noexcept {
        return {_mm_and_si128(a.v, b.v)};
    }
    friend lanes operator^(lanes a, lanes b) noexcept {
        return {_mm_xor_si128(a.v, b.v)};
    }
    friend lanes lower(lanes a, lanes b) noexcept {
        return {_mm_min_epu8(a.v, b.v)};
    }
    friend lanes equal(lanes a, lanes b) noexcept {
        return {_mm_cmpeq_epi8(a.v, b.v)};
    }
    /// 0 where a <= b.
    friend lanes excess(lanes a, lanes b) noexcept {
        return {_mm_subs_epu8(a.v, b.v)};
    }
    /// Bit i is the highest bit of lane i.
    [[nodiscard]] std::uint64_t bits() const noexcept {
        return static_cast<std::uint32_t>(_mm_movemask_epi8(v));
    }
    [[nodiscard]] bool any_high() const noexcept {
        return _mm_movemask_epi8(v) != 0;
    }
#else
    uint8x16_t v;

    static lanes load(const char* p) noexcept {
        return {vld1q_u8(reinterpret_cast<const std::uint8_t*>(p))};
    }
    static lanes all(unsigned char byte) noexcept {
        return {vdupq_n_u8(byte)};
    }
    friend lanes operator|(lanes a, lanes b) noexcept {
        return {vorrq_u8(a.v, b.v)};
    }
    friend lanes operator&(lanes a, lanes b) noexcept {
        return {vandq_u8(a.v, b.v)};
    }
    friend lanes operator^(lanes a, lanes b) noexcept {
        return {veorq_u8(a.v, b.v)};
    }
    friend lanes lower(lanes a, lanes b) noexcept {
        return {vminq_u8(a.v, b.v)};
    }
    friend lanes equal(lanes a, lanes b) noexcept {
        return {vceqq_u8(a.v, b.v)};
    }
    /// 0 where a <= b.
    friend lanes excess(lanes a, lanes b) noexcept {
        return {vqsubq_u8(a.v, b.v)};
    }
    /// Bit i is the highest bit of lane i.
    [[nodiscard]] std::uint64_t bits() const noexcept {
        const uint8x16_t weight = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        const uint8x16_t high = vreinterpretq_u8_s8(vshrq_n_s8(vreinterpretq_s8_u8(v), 7));
        const uint8x16_t hits = vandq_u8(high, weight);
        return vaddv_u8(vget_low_u8(hits)) |
               (static_cast<std::uint64_t>(vaddv_u8(vget_high_u8(hits))) << 8);
    }
    [[nodiscard]] bool any_high() const noexcept {
        return vmaxvq_u8(v) >= 0x80;
    }
#endif
    static constexpr std::size_t count = sizeof(v);
};

#endif

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
