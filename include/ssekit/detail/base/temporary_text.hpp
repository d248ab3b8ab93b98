// SPDX-License-Identifier: MIT
#ifndef SSEKIT_DETAIL_BASE_TEMPORARY_TEXT_HPP
#define SSEKIT_DETAIL_BASE_TEMPORARY_TEXT_HPP

#include <ssekit/version.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Text that is gone at the end of the full expression, such as a std::string returned by a
/// function, deduced from a forwarding reference. Literals and views are not temporary, because
/// they own nothing. A function that returns a view of its argument has a deleted overload for it.
template <class T>
concept temporary_text = !std::is_lvalue_reference_v<T> && !std::is_trivially_copyable_v<T> &&
                         std::convertible_to<const T&, std::string_view>;

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
