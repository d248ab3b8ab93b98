// SPDX-License-Identifier: MIT
//
// The incremental parser of event streams.
//
// Chunks come as the network cut them. Lines are found by one pass over the chunk
// (detail/text/scan.hpp), and a whole line is looked at where it lies: its value is a view into the
// chunk. Blocks without anything unusual are read in registers (detail/parser/plain_block.hpp), the
// others line by line (detail/parser/block_reader.hpp). Only what a chunk leaves open is kept
// (detail/parser/state.hpp): the values of an unfinished event are copied, an unfinished line is
// taken apart piece by piece. A line that cannot become a known field, and a comment for which
// there is no sink, leave nothing but a state.
//
// A CR ends its line at once; whether an LF follows is checked with the next byte. So an event is
// delivered by the call that brings its last necessary byte. Values are split as bytes and decoded
// when they are complete, which is right because decoding UTF-8 never swallows an ASCII byte.
//
// Everything is bounded by `parser_limits`. Past a limit the event is dropped, the error says
// where, and the parser goes on after the next blank line. The id of an event that was too long is
// still committed, or every reconnection would fetch that same event again.
#ifndef SSEKIT_PARSER_HPP
#define SSEKIT_PARSER_HPP

#include <ssekit/detail/parser/run.hpp>
#include <ssekit/detail/parser/sink.hpp>
#include <ssekit/detail/parser/state.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/parser_options.hpp>
#include <ssekit/waker.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// Turns bytes into events, exactly as HTML 9.2.6 says and in any chunking. Two ways to use it:
/// `next` pulls event after event out of a chunk; `feed` pushes everything that a chunk holds into
/// a sink.
/// Thread safety: as an int. Moves are cheap, there are no copies; a moved-from parser can only be
/// assigned to or destroyed.
/// Spec: HTML, 9.2.5 "Parsing an event stream" and 9.2.6 "Interpreting an event stream".
class parser {
  public:
    /// Buffers grow on the heap as needed, up to the limits. Nothing is allocated before a value
    /// crosses the end of a chunk, is joined of several lines, or sets the last event ID.
    constexpr explicit parser(const parser_options& options = {}) noexcept : state_(options) {}

    /// Runs in the caller's memory alone.
    /// Preconditions: `memory` has `memory_needed(options.limits)` bytes and outlives the parser.
    constexpr parser(const parser_options& options, std::span<char> memory) noexcept
        : state_(options, memory) {}

    /// What the constructor that takes memory asks for, in bytes; the largest size for limits that
    /// no memory is large enough for.
    [[nodiscard]] static constexpr std::size_t memory_needed(const parser_limits& limits) noexcept {
        return detail::parser_state::memory_needed(limits);
    }

    /// Takes bytes off the front of `input` up to and including the end of the next event.
    /// \returns the event; nullptr when the input is used up, or when `error` is not errc::ok, in
    /// which case the call is simply repeated.
    /// Lifetime: the event's views hold until the next call of any member that is not const, and no
    /// longer than the bytes of `input`.
    /// Complexity: linear in the bytes taken.
    [[nodiscard]] constexpr const event_view* next(std::string_view& input) noexcept {
        state_.begin_call();
        detail::pull_sink sink{event_};
        input.remove_prefix(detail::parser_run<detail::pull_sink>(state_, sink, input).run());
        return sink.found ? &event_ : nullptr;
    }

    /// The same, and calls `on_comment` with the text of each comment on the way. A comment past
    /// `parser_limits::comment` is an error of its own, and drops no event.
    [[nodiscard]] const event_view* next(std::string_view& input,
                                         callback<void(std::string_view)> on_comment) noexcept {
        state_.begin_call();
        detail::comment_pull_sink sink{event_, on_comment};
        input.remove_prefix(
            detail::parser_run<detail::comment_pull_sink>(state_, sink, input).run());
        return sink.found ? &event_ : nullptr;
    }

    /// Pushes a chunk into a sink: `ssekit::feed`, which says what a sink is.
    template <class Sink>
    constexpr std::size_t feed(std::string_view input, Sink&& sink) {
        state_.begin_call();
        return detail::run_into(state_, input, sink);
    }

    /// The stream has ended. An unfinished event is dropped, as the standard says.
    /// \returns errc::incomplete when there was one, else errc::ok. Safe to repeat.
    constexpr errc finish() noexcept {
        const bool cut = state_.is_inside_event();
        state_.clear_event();
        state_.clear_line();
        return cut ? errc::incomplete : errc::ok;
    }

    /// Whether an event has begun whose blank line has not come.
    [[nodiscard]] constexpr bool is_inside_event() const noexcept {
        return state_.is_inside_event();
    }

    /// A new connection begins: forgets everything but the last event ID and the reconnection time.
    constexpr void reconnect() noexcept {
        (void)finish();
        state_.error = errc::ok;
        state_.offset = state_.error_offset = 0;
        state_.bom = 0;
        state_.swallow_lf = false;
    }

    /// As new, but keeps the buffers.
    constexpr void reset() noexcept {
        reconnect();
        state_.last_id.clear();
        state_.retry.reset();
    }

    /// The standard's last event ID string; empty when there is none. It changes at blank lines
    /// only.
    /// Lifetime: until the next call of a member that is not const.
    [[nodiscard]] constexpr std::string_view last_event_id() const noexcept {
        return state_.last_id.view();
    }

    /// As if a stream had set it: the id of an earlier run.
    /// \returns errc::invalid_id for one that no stream can set (with CR, LF or NUL), id_too_long,
    /// malformed_utf8 unless `utf8_policy::pass_through`, out_of_memory; then nothing has changed.
    constexpr errc set_last_event_id(std::string_view id) noexcept {
        if (const errc code = validate_id(id); code != errc::ok) return code;
        if (id.size() > state_.options.limits.id) return errc::id_too_long;
        const bool is_raw = state_.options.utf8 == utf8_policy::pass_through;
        if (!is_raw && !detail::is_utf8(id)) return errc::malformed_utf8;
        return state_.last_id.assign(id) ? errc::ok : errc::out_of_memory;
    }

    /// The reconnection time if the stream has set one. It changes as soon as the line has ended.
    /// Digits beyond the range of the type mean its largest value.
    [[nodiscard]] constexpr std::optional<std::chrono::milliseconds> retry() const noexcept {
        return state_.retry;
    }

    /// As if a stream had set it, or none had.
    constexpr void set_retry(std::optional<std::chrono::milliseconds> time) noexcept {
        state_.retry = time;
    }

    /// What stopped the last call of `next`, or the first error of the last `feed`.
    [[nodiscard]] constexpr errc error() const noexcept { return state_.error; }

    /// Where in the connection's bytes the error is: the first byte past the limit, or the first
    /// that is not UTF-8. Where only the replacement of malformed bytes has made a value too long,
    /// it is the end of the value, or the blank line for data.
    [[nodiscard]] constexpr std::uint64_t error_offset() const noexcept {
        return state_.error_offset;
    }

    /// Bytes taken since the connection began.
    [[nodiscard]] constexpr std::uint64_t offset() const noexcept { return state_.offset; }

  private:
    detail::parser_state state_;
    event_view event_ = {}; // what `next` has returned
};

/// Pushes a chunk through the parser into a sink. Every member of the sink is optional, at least
/// one must be there:
///
/// | member                                 | called                                              |
/// |----------------------------------------|-----------------------------------------------------|
/// | `on_event(const event_view&)`          | for each event, at its blank line                   |
/// | `on_error(errc, std::uint64_t offset)` | when a limit or malformed UTF-8 has dropped a block |
/// | `on_id(std::string_view)`              | when the last event ID is set, before on_event      |
/// | `on_retry(std::chrono::milliseconds)`  | as soon as a retry line has ended                   |
/// | `on_comment(std::string_view)`         | for each comment: what stands after the colon,      |
/// |                                        | whatever bytes those are                            |
/// | `on_data_chunk(std::string_view)`      | for each piece of data while it arrives; then       |
/// |                                        | `parser_limits::data` does not apply and the event  |
/// |                                        | comes with empty data; pieces are void that are     |
/// |                                        | followed by on_error, unless it is about a comment, |
/// |                                        | or by errc::incomplete                              |
///
/// A member with one of these names that cannot be called like this is an error, and so is one
/// whose name is nearly right, such as on_err, on_events, on_message or on_data.
///
/// A plain callable takes the place of on_event. A sink without on_data_chunk and one with it, or
/// `next`, do not mix within one event. on_event and on_error may return bool: false
/// stops. They may also destroy, move or reset the parser, and must then return false; the other
/// members may only look at it.
/// \returns how many bytes were taken: all of them, unless the sink has stopped.
/// Lifetime: the views that the sink gets hold during the call.
template <class Sink>
constexpr std::size_t feed(parser& parser, std::string_view input, Sink&& sink) {
    return parser.feed(input, sink);
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
