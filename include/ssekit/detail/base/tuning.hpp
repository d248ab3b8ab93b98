// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_TUNING_HPP
#define SSEKIT_DETAIL_BASE_TUNING_HPP

#include <ssekit/version.hpp>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Whether code is to be small (-Os): then shortcuts that only save time are left out.
inline constexpr bool for_size = SSEKIT_SMALL == 1;

} // namespace ssekit::inline SSEKIT_ABI::detail

// A function that keeps its data in registers only as a part of its caller. Where one source has
// many sinks, compilers would stop inlining it: `multi` of the benchmarks then takes 1.3 times as
// long. In a large program they would also call the small steps that each event takes through a
// hub: a delivery is then 620 instructions instead of 530.
#if defined(__GNUC__) && !SSEKIT_SMALL
#define SSEKIT_INLINED [[gnu::always_inline]]
#else
#define SSEKIT_INLINED
#endif

#endif
