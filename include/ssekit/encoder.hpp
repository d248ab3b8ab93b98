// SPDX-License-Identifier: MIT
//
// The encoder turns an event into the bytes of a block: one line for each field, one `data` line
// for each line of the data, a blank line.
//
// Data and comments are split at CR, LF and CRLF alike, because a client ends a line at each of
// them; text that is split can say nothing but data. An id or a type cannot be split, so one that
// holds a line end is refused, and refused before the first byte is written. So no input can add a
// field, and what a parser reads back is what was given, with its line ends turned into LF.
#ifndef SSEKIT_ENCODER_HPP
#define SSEKIT_ENCODER_HPP

#include <ssekit/detail/decimal.hpp>
#include <ssekit/detail/line_splitter.hpp>
#include <ssekit/detail/utf8.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace ssekit {

/// As std::to_chars_result.
struct encode_result {
    char* ptr; ///< behind the last byte written; where the caller began when ec is not errc::ok
    errc ec;
};

/// The shortest thing that shows a connection to be alive: an empty comment, which no client
/// dispatches and which leaves id, type and data as they are.
inline constexpr std::string_view heartbeat_comment = ":\n\n";

/// \returns the bytes that `encode_to` needs; 0 when it would refuse.
/// Complexity: linear.
[[nodiscard]] constexpr std::size_t
encoded_size(const event_view& event, utf8_policy utf8 = utf8_policy::pass_through) noexcept;

/// Effects: writes the block to [first, last), or nothing at all.
/// \returns errc::ok; what `validate` says; errc::nothing_to_send for an event without data, id and
/// retry; errc::malformed_utf8 under utf8_policy::report; errc::buffer_too_small.
/// A type without data is left out, since no client would ever see it.
/// Spec: HTML, 9.2.5; the inverse of 9.2.6.
[[nodiscard]] constexpr encode_result
encode_to(char* first, char* last, const event_view& event,
          utf8_policy utf8 = utf8_policy::pass_through) noexcept;

/// \returns the bytes that `encode_comment_to` needs.
[[nodiscard]] constexpr std::size_t encoded_comment_size(std::string_view text) noexcept;

/// Effects: writes `text` as a block of comment lines, which clients ignore.
/// \returns errc::ok or errc::buffer_too_small.
[[nodiscard]] constexpr encode_result encode_comment_to(char* first, char* last,
                                                        std::string_view text) noexcept;

/// Effects: appends the block to a container of char: std::string, std::vector<char>.
/// \returns what `encode_to` returns; the container is as before when that is not errc::ok.
template <class Container>
constexpr errc append_to(Container& out, const event_view& event,
                         utf8_policy utf8 = utf8_policy::pass_through);

/// What a data_writer writes to: std::string, frame_builder.
template <class T>
concept byte_sink = requires(T& out, const char* bytes, std::size_t size) {
    out.append(bytes, size);
};

/// Writes the data of one event while it is being made: a formatter or a JSON serialiser writes
/// into it as into any other output, and the lines are split on the way.
///
///     std::string block;
///     ssekit::data_writer data(block, {.type = "tick"});
///     std::format_to(data.out(), "{} {}", symbol, price);
///     data.finish();
///
/// Lifetime: `out` outlives the writer. Thread safety: as an int.
template <byte_sink Out>
class data_writer {
  public:
    class iterator;

    /// Effects: writes id, type and retry of `head`, and its data if it has any. When they are not
    /// valid nothing is written, now or later.
    constexpr explicit data_writer(Out& out, const event_view& head = {});

    /// What `validate` said of the head.
    [[nodiscard]] constexpr errc error() const noexcept { return error_; }

    constexpr data_writer& write(std::string_view text);

    /// An output iterator for char. All iterators of one writer write to the same place.
    [[nodiscard]] constexpr iterator out() noexcept { return iterator(this); }

    /// Effects: ends the event. To be called once, last.
    constexpr void finish() {
        if (error_ == errc::ok) put("\n\n");
    }

    // For std::back_inserter.
    using value_type = char;
    constexpr void push_back(char c) { write({&c, 1}); }

  private:
    constexpr void put(std::string_view bytes) { out_->append(bytes.data(), bytes.size()); }

    Out* out_;
    errc error_;
    bool after_cr_ = false;
};

// The arguments are meant to be deduced.
template <class Out>
data_writer(Out&) -> data_writer<Out>;
template <class Out>
data_writer(Out&, const event_view&) -> data_writer<Out>;

template <byte_sink Out>
class data_writer<Out>::iterator {
  public:
    using iterator_category = std::output_iterator_tag;
    using value_type = void;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = void;

    constexpr iterator() noexcept = default;
    constexpr explicit iterator(data_writer* writer) noexcept : writer_(writer) {}

    constexpr iterator& operator=(char c) {
        writer_->push_back(c);
        return *this;
    }
    constexpr iterator& operator*() noexcept { return *this; }
    constexpr iterator& operator++() noexcept { return *this; }
    constexpr iterator operator++(int) noexcept { return *this; }

  private:
    data_writer* writer_ = nullptr;
};

// ---- how

namespace detail {

/// Writes where the room is known to suffice.
struct unchecked_out {
    char* p;
    constexpr void append(const char* bytes, std::size_t size) noexcept {
        copy_few(p, bytes, size);
        p += size;
    }
};

struct counting_out {
    std::size_t size = 0;
    constexpr void append(const char*, std::size_t more) noexcept { size += more; }
};

template <class Out>
constexpr void put(Out& out, std::string_view bytes) {
    out.append(bytes.data(), bytes.size());
}

template <class Out>
constexpr void put_text(Out& out, std::string_view text, utf8_policy utf8) {
    if (utf8 != utf8_policy::replace) return put(out, text);
    for_each_replaced(text, [&](std::string_view piece) { put(out, piece); });
}

template <class Out>
constexpr void put_head(Out& out, const event_view& event, utf8_policy utf8) {
    if (event.id) {
        put(out, "id: ");
        put_text(out, *event.id, utf8);
        put(out, "\n");
    }
    if (event.data && event.name() != "message") {
        put(out, "event: ");
        put_text(out, event.type, utf8);
        put(out, "\n");
    }
    if (event.retry) {
        put(out, "retry: ");
        put(out, decimal(static_cast<std::uint64_t>(event.retry->count())).view());
        put(out, "\n");
    }
}

template <class Out>
constexpr void put_data(Out& out, std::string_view data, utf8_policy utf8) {
    bool after_cr = false;
    const auto put_lines = [&](std::string_view text) {
        split_lines(
            text, after_cr, [&](std::string_view piece) { put(out, piece); },
            [&] { put(out, "\ndata: "); });
    };
    if (utf8 == utf8_policy::replace) {
        for_each_replaced(data, put_lines);
    } else {
        put_lines(data);
    }
}

/// \param as_it_is `put_data` is known to change nothing.
template <class Out>
constexpr void put_event(Out& out, const event_view& event, utf8_policy utf8,
                         bool as_it_is = false) {
    put_head(out, event, utf8);
    if (event.data) {
        put(out, "data: ");
        if (as_it_is) {
            put(out, *event.data);
        } else {
            put_data(out, *event.data, utf8);
        }
        put(out, "\n");
    }
    put(out, "\n");
}

template <class Out>
constexpr void put_comment(Out& out, std::string_view text) {
    bool after_cr = false;
    put(out, text.empty() ? ":" : ": ");
    split_lines(
        text, after_cr, [&](std::string_view piece) { put(out, piece); },
        [&] { put(out, "\n: "); });
    put(out, "\n\n");
}

struct measured_event {
    std::size_t size;
    bool as_it_is; // the data
};

/// What `put_event` has to know of an event that `admit` has let in.
[[nodiscard]] constexpr measured_event measure(const event_view& event, utf8_policy utf8) noexcept {
    counting_out out;
    put_head(out, event, utf8);
    put(out, "\n");
    if (!event.data) return {out.size, false};
    put(out, "data: \n");
    counting_out data;
    put_data(data, *event.data, utf8);
    const bool same_size = data.size == event.data->size(); // every line end adds to it
    return {out.size + data.size, same_size && utf8 != utf8_policy::replace};
}

/// The one gate in front of every encoder.
[[nodiscard]] constexpr errc admit(const event_view& event, utf8_policy utf8) noexcept {
    if (const errc code = validate(event); code != errc::ok) return code;
    if (!event.data && !event.id && !event.retry) return errc::nothing_to_send;
    if (utf8 != utf8_policy::report) return errc::ok;
    const bool right = is_utf8(event.type) && (!event.id || is_utf8(*event.id)) &&
                       (!event.data || is_utf8(*event.data));
    return right ? errc::ok : errc::malformed_utf8;
}

/// No event needs more: every byte of data a line end, every byte of the rest replaced.
[[nodiscard]] constexpr std::size_t encoded_size_bound(const event_view& event) noexcept {
    constexpr std::size_t names = sizeof "id: \nevent: \nretry: 01234567890123456789\ndata: \n\n";
    return names + 3 * event.type.size() + (event.id ? 3 * event.id->size() : 0) +
           (event.data ? 7 * event.data->size() : 0);
}

} // namespace detail

constexpr std::size_t encoded_size(const event_view& event, utf8_policy utf8) noexcept {
    return detail::admit(event, utf8) == errc::ok ? detail::measure(event, utf8).size : 0;
}

constexpr encode_result encode_to(char* first, char* last, const event_view& event,
                                  utf8_policy utf8) noexcept {
    if (const errc code = detail::admit(event, utf8); code != errc::ok) return {first, code};
    const auto room = static_cast<std::size_t>(last - first);
    // Counting reads the data once more, so it is done only where room is scarce.
    bool as_it_is = false;
    if (room < detail::encoded_size_bound(event)) {
        const detail::measured_event measured = detail::measure(event, utf8);
        if (room < measured.size) return {first, errc::buffer_too_small};
        as_it_is = measured.as_it_is;
    }
    detail::unchecked_out out{first};
    detail::put_event(out, event, utf8, as_it_is);
    return {out.p, errc::ok};
}

constexpr std::size_t encoded_comment_size(std::string_view text) noexcept {
    detail::counting_out out;
    detail::put_comment(out, text);
    return out.size;
}

constexpr encode_result encode_comment_to(char* first, char* last, std::string_view text) noexcept {
    if (static_cast<std::size_t>(last - first) < encoded_comment_size(text)) {
        return {first, errc::buffer_too_small};
    }
    detail::unchecked_out out{first};
    detail::put_comment(out, text);
    return {out.p, errc::ok};
}

template <class Container>
constexpr errc append_to(Container& out, const event_view& event, utf8_policy utf8) {
    if (const errc code = detail::admit(event, utf8); code != errc::ok) return code;
    const std::size_t before = out.size();
    const detail::measured_event measured = detail::measure(event, utf8);
    out.resize(before + measured.size);
    detail::unchecked_out at{out.data() + before};
    detail::put_event(at, event, utf8, measured.as_it_is);
    return errc::ok;
}

template <byte_sink Out>
constexpr data_writer<Out>::data_writer(Out& out, const event_view& head)
    : out_(&out), error_(validate(head)) {
    if (error_ != errc::ok) return;
    event_view dispatched = head; // there will be data, so the type counts
    if (!dispatched.data) dispatched.data = "";
    detail::put_head(out, dispatched, utf8_policy::pass_through);
    put("data: ");
    write(*dispatched.data);
}

template <byte_sink Out>
constexpr data_writer<Out>& data_writer<Out>::write(std::string_view text) {
    if (error_ == errc::ok) {
        detail::split_lines(
            text, after_cr_, [&](std::string_view piece) { put(piece); }, [&] { put("\ndata: "); });
    }
    return *this;
}

} // namespace ssekit

#endif
