// SPDX-License-Identifier: MIT
//
// Sizes that cannot wrap. A size that is made of a caller's sizes is either computed with
// `add_sizes`, which stays at the largest value, or of texts that `is_encodable` has accepted,
// which leaves room for the largest block that they can become. All are templates on the type of
// the sizes, so that a test on a 64-bit machine sees what happens with 32 bits.
#ifndef SSEKIT_DETAIL_BASE_SIZE_HPP
#define SSEKIT_DETAIL_BASE_SIZE_HPP

#include <ssekit/version.hpp>

#include <concepts>

namespace ssekit::inline SSEKIT_ABI::detail {

template <std::unsigned_integral Size>
inline constexpr Size largest_size = static_cast<Size>(-1);

/// \returns the sum, or the largest size where that would wrap: no memory has so many bytes.
template <std::unsigned_integral Size>
[[nodiscard]] constexpr Size add_sizes(Size a, Size b) noexcept {
    return b > largest_size<Size> - a ? largest_size<Size> : static_cast<Size>(a + b);
}

/// The longest text of an event, or comment, that is encoded: 256 MiB where sizes have 32 bits.
template <std::unsigned_integral Size>
inline constexpr Size max_encodable = largest_size<Size> / 16;

/// \returns whether each of the texts can be encoded.
template <std::unsigned_integral Size, std::same_as<Size>... Sizes>
[[nodiscard]] constexpr bool is_encodable(Size size, Sizes... sizes) noexcept {
    return (size | ... | sizes) <= max_encodable<Size>; // which is all ones
}

/// The most bytes that a block of these texts takes. A byte of data becomes seven at most, an LF
/// and the name of the next line, a byte of an id or a type three, U+FFFD.
/// Preconditions: is_encodable(id, type, data).
template <std::unsigned_integral Size>
[[nodiscard]] constexpr Size block_size_bound(Size id, Size type, Size data) noexcept {
    constexpr Size names = sizeof "id: \nevent: \nretry: 01234567890123456789\ndata: \n\n";
    return static_cast<Size>(names + 3 * id + 3 * type + 7 * data);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
