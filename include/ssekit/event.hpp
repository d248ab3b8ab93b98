// SPDX-License-Identifier: MIT
//
// An event is four optional fields. `event_view` is the one shape for both directions: what the
// encoder takes and what the parser gives. It owns nothing.
//
// Three byte values can break the framing: CR and LF end a line wherever they stand, and a NUL
// makes every client ignore an id. Data may hold them (it is split into lines), an id or a type may
// not. `validate` is the only gate: every encoder asks it before the first byte, and the checked
// types below ask it when they are made, so text from outside is checked once and early.
#ifndef SSEKIT_EVENT_HPP
#define SSEKIT_EVENT_HPP

#include <ssekit/detail/base/temporary_text.hpp>
#include <ssekit/errc.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// The reconnection times that do no harm. Told 0, a browser comes back thousands of times a
/// second; beyond 31 bits of milliseconds some clients come back at once.
inline constexpr std::chrono::milliseconds shortest_retry{1};
inline constexpr std::chrono::milliseconds longest_retry{0x7fff'ffff};

/// One event, or a block that only sets the id or the reconnection time.
/// Lifetime: views; each function that hands out an event_view says how long they hold. A text that
/// is made in the braces lives as long as the full expression: `publish("t", {.data = to_json(x)})`
/// is right, `event_view e{.data = to_json(x)};` is a view of nothing.
/// Spec: HTML, 9.2.6 "Interpreting an event stream".
struct event_view {
    /// nullopt: the client keeps its last one; "": it forgets it.
    std::optional<std::string_view> id = {};
    /// "" means "message"; the parser always spells it out.
    std::string_view type = {};
    /// nullopt: the block dispatches nothing.
    std::optional<std::string_view> data = {};
    /// The client's new reconnection time. A hub takes those from `shortest_retry` to
    /// `longest_retry`; the standard knows no bounds.
    std::optional<std::chrono::milliseconds> retry = {};

    /// The type that a client sees.
    [[nodiscard]] constexpr std::string_view name() const noexcept {
        return type.empty() ? std::string_view("message") : type;
    }

    /// Equal for a client: same fields present, same bytes, "" and "message" being the same type.
    friend constexpr bool operator==(const event_view& a, const event_view& b) noexcept {
        return a.id == b.id && a.name() == b.name() && a.data == b.data && a.retry == b.retry;
    }
};

/// What to do with bytes that are not UTF-8.
enum class utf8_policy : std::uint8_t {
    replace,      ///< one U+FFFD for each maximal ill-formed part: what the standard says
    pass_through, ///< hand on the bytes as they are
    report,       ///< errc::malformed_utf8
};

/// Which line of a block comes first. It means nothing to a parser that follows the standard, but
/// some readers look at the first line to learn what the block is.
enum class field_order : std::uint8_t {
    id_first,   ///< id, event, retry, data: an id counts even where the rest cannot be read
    type_first, ///< event, id, retry, data
};

/// How a comment ends.
enum class comment_form : std::uint8_t {
    block, ///< with a blank line, as an event does
    line,  ///< with its line; some readers make an empty event of a block without data
};

/// How an event is turned into bytes. Either of the two converts to it.
struct encode_options {
    utf8_policy utf8 = utf8_policy::pass_through;
    field_order order = field_order::id_first;

    constexpr encode_options() noexcept = default;
    constexpr encode_options(utf8_policy bytes, field_order lines = field_order::id_first) noexcept
        : utf8(bytes), order(lines) {}
    constexpr encode_options(field_order lines) noexcept : order(lines) {}
};

namespace detail {

/// \returns why a hub does not take the event, whatever its id, and before it is encoded.
[[nodiscard]] constexpr errc admit_to_hub(const event_view& event) noexcept {
    if (!event.retry) return event.data ? errc::ok : errc::nothing_to_send;
    const bool harmless = *event.retry >= shortest_retry && *event.retry <= longest_retry;
    return harmless ? errc::ok : errc::invalid_retry;
}

/// False when no byte is NUL or ends a line; eight bytes are looked at together.
[[nodiscard]] constexpr bool may_be_broken(std::string_view text) noexcept {
    if (std::is_constant_evaluated()) return true;
    constexpr std::uint64_t ones = 0x0101010101010101;
    const auto has_control = [](std::uint64_t x) {
        return ((x - 14 * ones) & ~x & 0x80 * ones) != 0; // a byte up to CR
    };
    const auto load = [](const char* p, auto word) {
        std::memcpy(&word, p, sizeof word);
        return std::uint64_t{word};
    };
    const char* const p = text.data();
    const std::size_t size = text.size();
    if (size >= 8) {
        for (std::size_t i = 0; i < size - 8; i += 8) {
            if (has_control(load(p + i, std::uint64_t{}))) return true;
        }
        return has_control(load(p + size - 8, std::uint64_t{}));
    }
    if (size >= 4) {
        return has_control(load(p, std::uint32_t{}) << 32 | load(p + size - 4, std::uint32_t{}));
    }
    return size != 0;
}

} // namespace detail

/// \returns errc::ok, or why an id made of these bytes would not reach a client.
[[nodiscard]] constexpr errc validate_id(std::string_view id) noexcept {
    if (!detail::may_be_broken(id)) return errc::ok;
    for (const char c : id) {
        if (c == '\r' || c == '\n' || c == '\0') return errc::invalid_id;
    }
    return errc::ok;
}

/// \returns errc::ok, or why a type made of these bytes would not reach a client.
[[nodiscard]] constexpr errc validate_type(std::string_view type) noexcept {
    if (!detail::may_be_broken(type)) return errc::ok;
    for (const char c : type) {
        if (c == '\r' || c == '\n') return errc::invalid_type;
    }
    return errc::ok;
}

/// \returns errc::ok when the event can be encoded; data never stands in the way.
[[nodiscard]] constexpr errc validate(const event_view& event) noexcept {
    if (event.id) {
        if (const errc code = validate_id(*event.id); code != errc::ok) return code;
    }
    if (event.retry && *event.retry < std::chrono::milliseconds::zero()) return errc::invalid_retry;
    return validate_type(event.type);
}

namespace detail {

// Not constexpr on purpose: a consteval caller that gets here does not compile, and the compiler
// prints this name.
inline void malformed_event_literal() noexcept {}

} // namespace detail

/// Text that has passed `Validate` once, so that nobody has to ask again.
/// A literal is checked while it compiles; everything else goes through `make`.
template <errc (*Validate)(std::string_view) noexcept>
class checked_text {
  public:
    /// Effects: takes a string literal; one that is not valid does not compile.
    template <std::size_t N>
    consteval checked_text(const char (&literal)[N]) : text_(literal, N - 1) {
        if (Validate(text_) != errc::ok) detail::malformed_event_literal();
    }

    /// \returns the checked text, or nullopt when it is not valid.
    /// Lifetime: a view of `text`, which therefore cannot be a temporary string.
    [[nodiscard]] static constexpr std::optional<checked_text>
    make(std::string_view text) noexcept {
        if (Validate(text) != errc::ok) return std::nullopt;
        return checked_text(text);
    }
    template <detail::temporary_text Text>
    static std::optional<checked_text> make(Text&&) = delete;

    [[nodiscard]] constexpr std::string_view view() const noexcept { return text_; }
    constexpr operator std::string_view() const noexcept { return text_; }

  private:
    constexpr explicit checked_text(std::string_view text) noexcept : text_(text) {}

    std::string_view text_;
};

using event_id = checked_text<validate_id>;     ///< `event_id("42")`, `event_id::make(text)`
using event_type = checked_text<validate_type>; ///< `event_type("tick")`, `event_type::make(text)`

/// A literal event: `checked({.type = "ping", .data = "1"})`. A malformed one does not compile.
[[nodiscard]] consteval event_view checked(event_view event) {
    if (validate(event) != errc::ok) detail::malformed_event_literal();
    return event;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
