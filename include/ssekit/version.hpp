// SPDX-License-Identifier: MIT
//
// The version, and the kind of code that the compiler makes. Every header of the toolkit includes
// this one first.
//
// Inline functions of one name have to be the same in all sources of a program. These are not: they
// use the vector instructions that the compiler's flags allow, and leave out shortcuts where code
// is to be small (-Os). So everything is declared in an inline namespace whose name gives the
// version and the kind. Sources with different -m flags, levels of optimisation or versions of the
// toolkit may then meet in one program: each has its own functions. Types of different kinds are
// different types, so only bytes and numbers can cross from one such source to another.
//
// The kind is chosen here, from the compiler's flags, or by SSEKIT_VECTORS:
//
// | SSEKIT_VECTORS | name       | needs                                            |
// |----------------|------------|--------------------------------------------------|
// | 0              | `portable` | nothing: words of 64 bits                        |
// | 1              | `sse2`     | x86 with SSE2, which x86-64 always has           |
// | 2              | `avx2`     | x86 with AVX2: -mavx2, /arch:AVX2                |
// | 3              | `neon`     | AArch64 with Advanced SIMD, which it always has  |
#ifndef SSEKIT_VERSION_HPP
#define SSEKIT_VERSION_HPP

#if defined(_MSVC_LANG) ? _MSVC_LANG <= 201703L : __cplusplus <= 201703L
#error "ssekit needs C++20: compile with -std=c++20 (MSVC: /std:c++20)"
#include "ssekit needs C++20" // g++ and clang go on after #error, but not after this
#endif

#include <compare>

// The version stands here and nowhere else: CMakeLists.txt and meson.build read these three lines.
#define SSEKIT_VERSION_MAJOR 0
#define SSEKIT_VERSION_MINOR 1
#define SSEKIT_VERSION_PATCH 0

#if !defined(SSEKIT_VECTORS)
#if defined(__AVX2__)
#define SSEKIT_VECTORS 2
#elif defined(__SSE2__) || defined(_M_X64)
#define SSEKIT_VECTORS 1
#elif defined(__ARM_NEON) && defined(__aarch64__)
#define SSEKIT_VECTORS 3
#else
#define SSEKIT_VECTORS 0
#endif
#endif

#if SSEKIT_VECTORS == 0
#define SSEKIT_VECTORS_NAME portable
#elif SSEKIT_VECTORS == 1 && (defined(__SSE2__) || defined(_M_X64))
#define SSEKIT_VECTORS_NAME sse2
#elif SSEKIT_VECTORS == 2 && defined(__AVX2__)
#define SSEKIT_VECTORS_NAME avx2
#elif SSEKIT_VECTORS == 3 && defined(__ARM_NEON) && defined(__aarch64__)
#define SSEKIT_VECTORS_NAME neon
#else
#error "SSEKIT_VECTORS asks for instructions that the compiler has not been told of"
#endif

// 1 where code is to be small: then shortcuts that only save time are left out.
#if defined(__OPTIMIZE_SIZE__)
#define SSEKIT_SMALL 1
#define SSEKIT_NAME_OF_KIND(major, minor, vectors) v##major##_##minor##_##vectors##_small
#else
#define SSEKIT_SMALL 0
#define SSEKIT_NAME_OF_KIND(major, minor, vectors) v##major##_##minor##_##vectors
#endif

#define SSEKIT_KIND(major, minor, vectors) SSEKIT_NAME_OF_KIND(major, minor, vectors)
#define SSEKIT_ABI SSEKIT_KIND(SSEKIT_VERSION_MAJOR, SSEKIT_VERSION_MINOR, SSEKIT_VECTORS_NAME)

namespace ssekit::inline SSEKIT_ABI {

/// A version of this library; versions compare in their natural order.
struct version_info {
    int major;
    int minor;
    int patch;

    friend constexpr auto operator<=>(const version_info&, const version_info&) noexcept = default;
};

/// The version of the headers in use.
inline constexpr version_info version{SSEKIT_VERSION_MAJOR, SSEKIT_VERSION_MINOR,
                                      SSEKIT_VERSION_PATCH};

} // namespace ssekit::inline SSEKIT_ABI

#endif
