// SPDX-License-Identifier: MIT
//
// Retry-After: seconds, or a date, which the Date of the same response turns into seconds without a
// clock.
#ifndef SSEKIT_DETAIL_HTTP_DATE_HPP
#define SSEKIT_DETAIL_HTTP_DATE_HPP

#include <ssekit/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// \returns the number that the whole of `text` is; nullopt when it is none or has too many digits.
[[nodiscard]] constexpr std::optional<std::uint32_t> whole_number(std::string_view text) noexcept {
    if (text.empty() || text.size() > 9) return std::nullopt;
    std::uint32_t out = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        out = out * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return out;
}

/// Reads "Sun, 06 Nov 1994 08:49:37 GMT", the one form that servers may still send.
/// Spec: RFC 9110, 5.6.7.
[[nodiscard]] constexpr std::optional<std::chrono::sys_seconds>
parse_http_date(std::string_view text) noexcept {
    using namespace std::chrono;
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    constexpr std::string_view form = "???, ?? ??? ???? ??:??:?? GMT";
    if (text.size() != form.size()) return std::nullopt;
    for (std::size_t i = 0; i < form.size(); ++i) {
        if (form[i] != '?' && form[i] != text[i]) return std::nullopt;
    }
    const std::size_t month_at = months.find(text.substr(8, 3));
    const auto number = [&](std::size_t at, std::size_t size) {
        return whole_number(text.substr(at, size));
    };
    const auto d = number(5, 2);
    const auto y = number(12, 4);
    const auto h = number(17, 2);
    const auto m = number(20, 2);
    const auto s = number(23, 2);
    if (month_at % 3 != 0 || !d || !y || !h || !m || !s) return std::nullopt; // npos % 3 == 0 too
    if (month_at == months.npos || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
    const year_month_day date(year(static_cast<int>(*y)),
                              month(static_cast<unsigned>(month_at / 3 + 1)), day(*d));
    if (!date.ok()) return std::nullopt;
    return sys_days(date) + hours(*h) + minutes(*m) + seconds(*s);
}

/// \param date the Date header of the same response.
/// \returns nullopt when it holds no time.
/// Spec: RFC 9110, 10.2.3.
[[nodiscard]] constexpr std::optional<std::chrono::seconds>
retry_after(std::string_view value, std::string_view date) noexcept {
    if (const auto number = whole_number(value)) return std::chrono::seconds(*number);
    const auto then = parse_http_date(value);
    const auto now = parse_http_date(date);
    if (!then || !now) return std::nullopt;
    return *then > *now ? *then - *now : std::chrono::seconds(0);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
