// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_TUNING_HPP
#define SSEKIT_DETAIL_TUNING_HPP

namespace ssekit::detail {

/// Whether the compiler is to make small code of it (-Os): then short cuts that do nothing but save
/// time are left out.
#if defined(__OPTIMIZE_SIZE__)
inline constexpr bool for_size = true;
#else
inline constexpr bool for_size = false;
#endif

} // namespace ssekit::detail

// A function that keeps what it works on in registers only as a part of its caller. Where many
// sinks are in one source, compilers would stop inlining it: `multi` of the benchmarks then takes
// 1.3 times as long.
#if defined(__GNUC__) && !defined(__OPTIMIZE_SIZE__)
#define SSEKIT_INLINED [[gnu::always_inline]]
#else
#define SSEKIT_INLINED
#endif

#endif
