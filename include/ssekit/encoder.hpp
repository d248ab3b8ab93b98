// SPDX-License-Identifier: MIT
//
// The encoder turns an event into the bytes of a block: one line for each field, one `data` line
// for each line of the data, a blank line.
//
// Data and comments are split at CR, LF and CRLF alike, because a client ends a line at each of
// them; text that is split can say nothing but data. An id or a type cannot be split, so one that
// holds a line end is refused before the first byte is written. So no input can add a field, and
// what a parser reads back is what was given, with its line ends turned into LF.
#ifndef SSEKIT_ENCODER_HPP
#define SSEKIT_ENCODER_HPP

#include <ssekit/detail/base/size.hpp>
#include <ssekit/detail/text/encoding.hpp>
#include <ssekit/detail/text/line_splitter.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>

#include <cstddef>
#include <iterator>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// As std::to_chars_result.
struct [[nodiscard]] encode_result {
    char* ptr; ///< after the last byte written; where the caller began when ec is not errc::ok
    errc ec;
};

/// The shortest thing that shows a connection to be alive: an empty comment, which no client
/// dispatches and which leaves id, type and data as they are.
inline constexpr std::string_view heartbeat_comment = ":\n\n";
/// The same as comment_form::line.
inline constexpr std::string_view heartbeat_line = ":\n";

/// \returns the bytes that `encode_to` needs; 0 when it would refuse.
/// Complexity: linear.
[[nodiscard]] constexpr std::size_t encoded_size(const event_view& event,
                                                 encode_options options = {}) noexcept;

/// Effects: writes the block to [first, last), or nothing at all. A type without data is left out,
/// since no client would ever see it.
/// Preconditions: no text of the event lies in [first, last).
/// \returns errc::ok; what `validate` says; errc::nothing_to_send for an event without data, id and
/// retry; errc::malformed_utf8 under utf8_policy::report; errc::buffer_too_small; and
/// errc::data_too_long for a text that is longer than a sixteenth of what a size can count, which
/// is 256 MiB on a 32-bit machine, so that no size is ever wrong.
/// Spec: HTML, 9.2.5; the inverse of 9.2.6.
[[nodiscard]] constexpr encode_result encode_to(char* first, char* last, const event_view& event,
                                                encode_options options = {}) noexcept;

/// \returns the bytes that `encode_comment_to` needs; 0 when it would refuse.
[[nodiscard]] constexpr std::size_t
encoded_comment_size(std::string_view text, comment_form form = comment_form::block) noexcept;

/// Effects: writes `text` as comment lines, which clients ignore.
/// \returns errc::ok, errc::buffer_too_small, or errc::comment_too_long where `encode_to` would say
/// data_too_long.
[[nodiscard]] constexpr encode_result
encode_comment_to(char* first, char* last, std::string_view text,
                  comment_form form = comment_form::block) noexcept;

/// Effects: appends the block to a container of char: std::string, std::vector<char>. The texts of
/// the event may lie in the container itself.
/// \returns what `encode_to` returns; the container is as before when that is not errc::ok.
template <class Container>
constexpr errc append_to(Container& out, const event_view& event, encode_options options = {});

/// What a data_writer writes to: std::string, frame_builder. One that also has `begin_block(errc)`
/// is told that an event begins and what `validate` says of it, so that no error is lost where only
/// the sink is checked in the end.
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
/// Lifetime: `out` outlives the writer, and no text that is written lies in it. Thread safety: as
/// an int.
template <byte_sink Out>
class data_writer {
  public:
    class iterator;

    /// Effects: writes id, type and retry of `head`, and its data if it has any. When they are not
    /// valid, nothing is written, then or later.
    constexpr explicit data_writer(Out& out, const event_view& head = {},
                                   field_order order = field_order::id_first);

    /// What `validate` said of the head.
    [[nodiscard]] constexpr errc error() const noexcept { return error_; }

    constexpr data_writer& write(std::string_view text);

    /// Effects: writes each line of the text as a line of its own, after `prefix`, which holds no
    /// line end: what readers need that find a name at the start of each line, such as Datastar.
    constexpr data_writer& write_lines(std::string_view prefix, std::string_view text);

    /// An output iterator for char. All iterators of one writer write to the same place.
    [[nodiscard]] constexpr iterator out() noexcept { return iterator(this); }

    /// Effects: ends the event; without it a client takes the next event for a part of this one.
    /// To be called once, last.
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
    bool has_text_ = false; // the data is no longer empty
};

// The arguments are meant to be deduced.
template <class Out>
data_writer(Out&) -> data_writer<Out>;
template <class Out>
data_writer(Out&, const event_view&) -> data_writer<Out>;
template <class Out>
data_writer(Out&, const event_view&, field_order) -> data_writer<Out>;

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

constexpr std::size_t encoded_size(const event_view& event, encode_options options) noexcept {
    const bool admitted = detail::admit(event, options.utf8) == errc::ok;
    return admitted ? detail::measure(event, options.utf8).size : 0;
}

constexpr encode_result encode_to(char* first, char* last, const event_view& event,
                                  encode_options options) noexcept {
    const utf8_policy utf8 = options.utf8;
    if (const errc code = detail::admit(event, utf8); code != errc::ok) return {first, code};
    const auto room = static_cast<std::size_t>(last - first);
    // Counting reads the data once more, so it is done only where room is scarce.
    bool as_it_is = false;
    const auto size_of = [](const auto& text) { return text ? text->size() : std::size_t{0}; };
    if (room <
        detail::block_size_bound(size_of(event.id), event.type.size(), size_of(event.data))) {
        const detail::measured_event measured = detail::measure(event, utf8);
        if (room < measured.size) return {first, errc::buffer_too_small};
        as_it_is = measured.as_it_is;
    }
    detail::unchecked_out out{first};
    detail::put_event(out, event, options, as_it_is);
    return {out.p, errc::ok};
}

constexpr std::size_t encoded_comment_size(std::string_view text, comment_form form) noexcept {
    if (!detail::is_encodable(text.size())) return 0;
    detail::counting_out out;
    detail::put_comment(out, text, form);
    return out.size;
}

constexpr encode_result encode_comment_to(char* first, char* last, std::string_view text,
                                          comment_form form) noexcept {
    if (!detail::is_encodable(text.size())) return {first, errc::comment_too_long};
    if (static_cast<std::size_t>(last - first) < encoded_comment_size(text, form)) {
        return {first, errc::buffer_too_small};
    }
    detail::unchecked_out out{first};
    detail::put_comment(out, text, form);
    return {out.p, errc::ok};
}

template <class Container>
constexpr errc append_to(Container& out, const event_view& event, encode_options options) {
    if (const errc code = detail::admit(event, options.utf8); code != errc::ok) return code;
    const std::size_t before = out.size();
    const detail::measured_event measured = detail::measure(event, options.utf8);
    if (measured.size > detail::largest_size<std::size_t> - before) return errc::data_too_long;
    const detail::anchored_event anchored(event, {out.data(), before});
    out.resize(before + measured.size);
    detail::unchecked_out at{out.data() + before};
    detail::put_event(at, anchored.in(out.data()), options, measured.as_it_is);
    return errc::ok;
}

template <byte_sink Out>
constexpr data_writer<Out>::data_writer(Out& out, const event_view& head, field_order order)
    : out_(&out), error_(validate(head)) {
    if constexpr (requires { out.begin_block(error_); }) out.begin_block(error_);
    if (error_ != errc::ok) return;
    event_view dispatched = head; // there will be data, so the type counts
    if (!dispatched.data) dispatched.data = "";
    detail::put_head(out, dispatched, order);
    put("data: ");
    write(*dispatched.data);
}

template <byte_sink Out>
constexpr data_writer<Out>& data_writer<Out>::write(std::string_view text) {
    if (error_ == errc::ok) {
        detail::split_lines(
            text, after_cr_, [&](std::string_view piece) { put(piece); }, [&] { put("\ndata: "); });
        has_text_ = has_text_ || !text.empty();
    }
    return *this;
}

template <byte_sink Out>
constexpr data_writer<Out>& data_writer<Out>::write_lines(std::string_view prefix,
                                                          std::string_view text) {
    if (error_ != errc::ok) return *this;
    if (has_text_) put("\ndata: ");
    put(prefix);
    after_cr_ = false;
    detail::split_lines(
        text, after_cr_, [&](std::string_view piece) { put(piece); },
        [&] {
            put("\ndata: ");
            put(prefix);
        });
    after_cr_ = false; // a CRLF does not go on in what is written next
    has_text_ = true;
    return *this;
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
