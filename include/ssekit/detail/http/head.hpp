// SPDX-License-Identifier: MIT
//
// The lines of a head, and the rules under which every server on its way reads the same request.
// Requests are smuggled in lines that one program takes for a header and another does not. So lines
// end with CRLF and nothing else, nothing stands between a name and its colon, no value is folded
// or holds a control character, and the length of the body is given once.
// Spec: RFC 9112, 2.2, 5 and 6.3.
#ifndef SSEKIT_DETAIL_HTTP_HEAD_HPP
#define SSEKIT_DETAIL_HTTP_HEAD_HPP

#include <ssekit/detail/http/text.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Takes a line off the front of `rest`, and its line end, which is not part of what is returned.
constexpr std::string_view take_line(std::string_view& rest, std::string_view end) noexcept {
    const std::size_t at = rest.find(end);
    const std::string_view line = rest.substr(0, at);
    rest.remove_prefix(at == rest.npos ? rest.size() : at + end.size());
    return line;
}

struct field_line {
    bool is_good;
    std::string_view name;
    std::string_view value; // without the white space around it
};

[[nodiscard]] constexpr field_line read_field(std::string_view line) noexcept {
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return {false, {}, {}};
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = line.substr(colon + 1);
    return {is_token(name) && is_field_value(value), name, trim(value)};
}

/// How long the body is said to be, over all field lines of a head.
class body_length {
  public:
    /// \returns false when the line is not valid, alone or together with those before.
    [[nodiscard]] constexpr bool take(std::string_view name, std::string_view value) noexcept {
        if (equal_ignoring_case(name, "Content-Length")) {
            if (value.empty() || value.find_first_not_of("0123456789") != value.npos) return false;
            if (length_ && *length_ != value) return false;
            length_ = value;
        }
        if (equal_ignoring_case(name, "Transfer-Encoding")) {
            is_coded_ = true;
            while (!value.empty()) last_coding_ = trim(take_unquoted(value, ','));
        }
        return true;
    }
    [[nodiscard]] constexpr bool is_good(bool is_http_1_0) const noexcept {
        if (!is_coded_) return true;
        return !is_http_1_0 && !length_ && equal_ignoring_case(last_coding_, "chunked");
    }

  private:
    std::optional<std::string_view> length_ = {};
    std::string_view last_coding_ = {};
    bool is_coded_ = false;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
