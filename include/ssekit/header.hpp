// SPDX-License-Identifier: MIT
#ifndef SSEKIT_HEADER_HPP
#define SSEKIT_HEADER_HPP

#include <ssekit/detail/http/text.hpp>
#include <ssekit/version.hpp>

#include <string>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// A header of a request or a response. Lifetime: borrows both.
struct header {
    std::string_view name;
    std::string_view value;
};

/// \returns whether it can be sent: a name that is a token, a value without line breaks or other
/// control characters. Check whatever comes from outside; nothing checks it again.
/// Spec: RFC 9110, 5.1 and 5.5.
[[nodiscard]] constexpr bool is_valid_header(const header& field) noexcept {
    return detail::is_token(field.name) && detail::is_field_value(field.value);
}

/// A header that owns its text, for the requests that an event source makes.
struct source_header {
    std::string name;
    std::string value;
    /// It stays with the origin of the first URL, as Authorization and Cookie always do: a key in a
    /// header of its own, for instance.
    bool is_secret = false;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
