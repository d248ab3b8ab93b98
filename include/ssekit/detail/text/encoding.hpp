// SPDX-License-Identifier: MIT
//
// How an event becomes the bytes of a block. Everything that writes does it through an `Out`, which
// takes bytes and counts them or puts them somewhere; so what `measure` counts is what `put_event`
// writes. `admit` is asked before either.
#ifndef SSEKIT_DETAIL_TEXT_ENCODING_HPP
#define SSEKIT_DETAIL_TEXT_ENCODING_HPP

#include <ssekit/detail/base/buffer.hpp>
#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/detail/base/size.hpp>
#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/text/line_splitter.hpp>
#include <ssekit/detail/text/utf8.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Writes where the room is known to suffice.
struct unchecked_out {
    char* p;
    SSEKIT_INLINED constexpr void append(const char* bytes, std::size_t size) noexcept {
        copy_few(p, bytes, size);
        p += size;
    }
};

/// Counts, and cannot wrap: what `admit` accepts is short enough.
struct counting_out {
    std::size_t size = 0;
    constexpr void append(const char*, std::size_t more) noexcept { size += more; }
};

template <class Out>
SSEKIT_INLINED constexpr void put(Out& out, std::string_view bytes) {
    out.append(bytes.data(), bytes.size());
}

template <class Out>
constexpr void put_replaced(Out& out, std::string_view text) {
    for_each_replaced(text, [&](std::string_view piece) { put(out, piece); });
}

template <class Out>
SSEKIT_INLINED constexpr void put_text(Out& out, std::string_view text, utf8_policy utf8) {
    if (utf8 == utf8_policy::replace) return put_replaced(out, text);
    put(out, text);
}

template <class Out>
SSEKIT_INLINED constexpr void put_id(Out& out, const event_view& event, utf8_policy utf8) {
    if (!event.id) return;
    put(out, "id: ");
    put_text(out, *event.id, utf8);
    put(out, "\n");
}

template <class Out>
SSEKIT_INLINED constexpr void put_type(Out& out, const event_view& event, utf8_policy utf8) {
    if (!event.data || event.type.empty() || event.type == "message") return;
    put(out, "event: ");
    put_text(out, event.type, utf8);
    put(out, "\n");
}

template <class Out>
SSEKIT_INLINED constexpr void put_head(Out& out, const event_view& event, encode_options options) {
    if (options.order == field_order::id_first) put_id(out, event, options.utf8);
    put_type(out, event, options.utf8);
    if (options.order != field_order::id_first) put_id(out, event, options.utf8);
    if (event.retry) {
        put(out, "retry: ");
        put(out, decimal(static_cast<std::uint64_t>(event.retry->count())).view());
        put(out, "\n");
    }
}

// By value, so that `out` stays in a register, here and in the callers. \returns where it is then.
template <class Out>
[[nodiscard]] constexpr Out put_lines(Out out, std::string_view text, bool& after_cr) {
    split_lines(
        text, after_cr, [&](std::string_view piece) { put(out, piece); },
        [&] { put(out, "\ndata: "); });
    return out;
}

template <class Out>
[[nodiscard]] constexpr Out put_data(Out out, std::string_view data, utf8_policy utf8) {
    bool after_cr = false;
    if (utf8 != utf8_policy::replace) return put_lines(out, data, after_cr);
    for_each_replaced(data, [&](std::string_view text) { out = put_lines(out, text, after_cr); });
    return out;
}

/// \param as_it_is `put_data` is known to change nothing.
template <class Out>
SSEKIT_INLINED constexpr void put_event(Out& out, const event_view& event, encode_options options,
                                        bool as_it_is = false) {
    put_head(out, event, options);
    if (event.data) {
        put(out, "data: ");
        if (as_it_is) {
            put(out, *event.data);
        } else {
            out = put_data(out, *event.data, options.utf8);
        }
        put(out, "\n");
    }
    put(out, "\n");
}

template <class Out>
constexpr void put_comment(Out& out, std::string_view text, comment_form form) {
    bool after_cr = false;
    put(out, text.empty() ? ":" : ": ");
    split_lines(
        text, after_cr, [&](std::string_view piece) { put(out, piece); },
        [&] { put(out, "\n: "); });
    put(out, form == comment_form::block ? "\n\n" : "\n");
}

struct measured_event {
    std::size_t size;
    bool as_it_is; // the data
};

/// What `put_event` has to know of an event that `admit` has accepted.
[[nodiscard]] constexpr measured_event measure(const event_view& event, utf8_policy utf8) noexcept {
    counting_out out;
    put_head(out, event, utf8);
    put(out, "\n");
    if (!event.data) return {out.size, false};
    put(out, "data: \n");
    const counting_out data = put_data(counting_out(), *event.data, utf8);
    const bool same_size = data.size == event.data->size(); // every line end adds to it
    return {out.size + data.size, same_size && utf8 != utf8_policy::replace};
}

/// The one gate before every encoder.
[[nodiscard]] constexpr errc admit(const event_view& event, utf8_policy utf8) noexcept {
    std::size_t sizes = event.type.size();
    if (event.id) sizes |= event.id->size();
    if (event.data) sizes |= event.data->size();
    if (!is_encodable(sizes)) return errc::data_too_long;
    if (const errc code = validate(event); code != errc::ok) return code;
    if (!event.data && !event.id && !event.retry) return errc::nothing_to_send;
    if (utf8 != utf8_policy::report) return errc::ok;
    const bool right = is_utf8(event.type) && (!event.id || is_utf8(*event.id)) &&
                       (!event.data || is_utf8(*event.data));
    return right ? errc::ok : errc::malformed_utf8;
}

/// An event whose texts may lie in bytes that are about to move.
class anchored_event {
  public:
    constexpr anchored_event(const event_view& event, std::string_view bytes) noexcept
        : event_(event), id_(offset_of(event.id, bytes)), type_(offset_of(event.type, bytes)),
          data_(offset_of(event.data, bytes)) {}

    /// The same event once the bytes have moved.
    [[nodiscard]] constexpr event_view in(const char* bytes) const noexcept {
        event_view event = event_;
        if (id_ != nowhere) event.id = std::string_view{bytes + id_, event.id->size()};
        if (type_ != nowhere) event.type = {bytes + type_, event.type.size()};
        if (data_ != nowhere) event.data = std::string_view{bytes + data_, event.data->size()};
        return event;
    }

  private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

    static constexpr std::size_t offset_of(std::optional<std::string_view> text,
                                           std::string_view bytes) noexcept {
        // At compile time addresses are not numbers; there a text that has moved is an error.
        if (!text || std::is_constant_evaluated()) return nowhere;
        const std::size_t at = reinterpret_cast<std::uintptr_t>(text->data()) -
                               reinterpret_cast<std::uintptr_t>(bytes.data());
        return at <= bytes.size() && text->size() <= bytes.size() - at ? at : nowhere;
    }

    event_view event_;
    std::size_t id_;
    std::size_t type_;
    std::size_t data_;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
