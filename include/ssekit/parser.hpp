// SPDX-License-Identifier: MIT
//
// The incremental parser of event streams.
//
// Chunks come as the network cut them. Lines are found by one pass over the chunk (detail/scan.hpp)
// and a whole line is looked at where it lies: its value is a view into the chunk. Blocks without
// anything unusual are read in registers (detail/plain_block.hpp), the others line by line
// (detail/block_reader.hpp). Only what a chunk leaves open is kept: `spill` copies the values of an
// unfinished event, `absorb` takes an unfinished line apart piece by piece. A line that cannot
// become a known field, and a comment that nobody listens to, leave nothing but a state behind.
//
// A CR ends its line at once; whether an LF follows is the next byte's business. So an event is
// delivered by the call that brings its last necessary byte. Values are split as bytes and decoded
// when they are complete, which is right because decoding UTF-8 never swallows an ASCII byte.
//
// Everything is bounded by `parser_limits`. Past a limit the event is dropped, the error says
// where, and the parser goes on behind the next blank line. The id of an event that was too long is
// still committed, or a reconnect would fetch that same event again for ever.
#ifndef SSEKIT_PARSER_HPP
#define SSEKIT_PARSER_HPP

#include <ssekit/detail/buffer.hpp>
#include <ssekit/detail/utf8_stream.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ssekit {

/// Bytes of one value as it is delivered; names, colons and line ends are not counted, the LF that
/// joins two data lines is. A value of exactly the limit passes.
struct parser_limits {
    std::size_t data = std::size_t{16} << 20;
    std::size_t id = 1024;
    std::size_t type = 1024;
    std::size_t comment = 4096; ///< matters only for a sink that has on_comment
};

struct parser_options {
    parser_limits limits = {};
    utf8_policy utf8 = utf8_policy::replace;
    bool strip_bom = true; ///< false when somebody before has decoded the stream already
};

namespace detail {
template <class Sink>
class parser_run;
template <class Sink>
class block_reader;
template <class Sink>
class plain_block;
} // namespace detail

/// Turns bytes into events, exactly as HTML 9.2.6 says and in any chunking. Two ways to use it:
/// `next` pulls event after event out of a chunk; `feed` pushes everything that a chunk holds into
/// a sink.
/// Thread safety: as an int. Moves are cheap, there are no copies; a parser that was moved from can
/// only be assigned to or destroyed.
/// Spec: HTML, 9.2.5 "Parsing an event stream" and 9.2.6 "Interpreting an event stream".
class parser {
  public:
    /// Buffers grow on the heap as needed, up to the limits. Nothing is allocated before a value
    /// crosses the end of a chunk, is joined of several lines, or sets the last event ID.
    constexpr explicit parser(const parser_options& options = {}) noexcept : options_(options) {}

    /// Runs on the caller's memory alone.
    /// Preconditions: `memory` has `memory_needed(options.limits)` bytes and outlives the parser.
    constexpr parser(const parser_options& options, std::span<char> memory) noexcept
        : options_(options) {
        const parser_limits& limits = options_.limits;
        const auto take = [&memory](std::size_t size) {
            const std::span<char> part = memory.first(size);
            memory = memory.subspan(size);
            return buffer(part);
        };
        data_buffer_ = take(limits.data);
        id_buffer_ = take(limits.id);
        last_id_ = take(limits.id);
        type_buffer_ = take(limits.type);
        line_buffer_ = take(longest_line(limits));
    }

    /// What the constructor that takes memory asks for, in bytes.
    [[nodiscard]] static constexpr std::size_t memory_needed(const parser_limits& limits) noexcept {
        return limits.data + 2 * limits.id + limits.type + longest_line(limits);
    }

    /// Takes bytes off the front of `input` up to and including the end of the next event.
    /// \returns the event; nullptr when the input is used up, or when `error` is not errc::ok, in
    /// which case the call is simply repeated.
    /// Lifetime: the event's views hold until the next call of any member that is not const, and no
    /// longer than the bytes of `input`.
    /// Complexity: linear in the bytes taken.
    [[nodiscard]] constexpr const event_view* next(std::string_view& input) noexcept;

    /// The stream has ended. An unfinished event is dropped, as the standard says.
    /// \returns errc::incomplete when there was one, else errc::ok. Safe to repeat.
    constexpr errc finish() noexcept {
        const bool open = is_there(open_.data) || is_there(open_.id) || !open_.type.empty() ||
                          dropping_ || state_ == state::name || state_ == state::colon ||
                          state_ == state::value;
        clear_event();
        clear_line();
        return open ? errc::incomplete : errc::ok;
    }

    /// A new connection begins: forgets everything but the last event ID and the reconnection time.
    constexpr void reconnect() noexcept {
        finish();
        error_ = errc::ok;
        offset_ = error_offset_ = 0;
        bom_ = 0;
        swallow_lf_ = false;
    }

    /// As new, but keeps the buffers.
    constexpr void reset() noexcept {
        reconnect();
        last_id_.clear();
        retry_.reset();
    }

    /// The standard's last event ID string; empty when there is none. It changes at blank lines
    /// only.
    /// Lifetime: until the next call of a member that is not const.
    [[nodiscard]] constexpr std::string_view last_event_id() const noexcept {
        return last_id_.view();
    }

    /// The reconnection time if the stream has set one. It changes as soon as the line has ended.
    /// Digits beyond the range of the type mean its largest value.
    [[nodiscard]] constexpr std::optional<std::chrono::milliseconds> retry() const noexcept {
        return retry_;
    }

    /// What stopped the last call of `next`, or the first error of the last `feed`.
    [[nodiscard]] constexpr errc error() const noexcept { return error_; }

    /// Where in the connection's bytes the error is: the first byte past the limit, or the first
    /// that is not UTF-8. Where only the replacement of malformed bytes has made a value too long,
    /// it is the end of the value, or the blank line for data.
    [[nodiscard]] constexpr std::uint64_t error_offset() const noexcept { return error_offset_; }

    /// Bytes taken since the connection began.
    [[nodiscard]] constexpr std::uint64_t offset() const noexcept { return offset_; }

  private:
    template <class Sink>
    friend class detail::parser_run;
    template <class Sink>
    friend class detail::block_reader;
    template <class Sink>
    friend class detail::plain_block;
    template <class Sink>
    friend constexpr std::size_t feed(parser&, std::string_view, Sink&&);

    using buffer = detail::buffer;

    enum class state : std::uint8_t { line_start, name, colon, value, comment, skip };
    enum class field : std::uint8_t { unknown, data, id, event, retry };

    static constexpr std::size_t longest_name = 5;

    static constexpr std::size_t longest_line(const parser_limits& limits) noexcept {
        return std::max({limits.id, limits.type, limits.comment});
    }

    /// The fields of the block being read. One that has not come yet is a view of nothing. The
    /// others are views of the chunk while their buffers are empty, and of what is kept there else.
    struct open_block {
        std::string_view data = {};
        std::string_view id = {};
        std::string_view type = {};
        bool data_is_utf8 = true; // false: not known
    };

    static constexpr bool is_there(std::string_view field) noexcept {
        return field.data() != nullptr;
    }

    constexpr void clear_event() noexcept {
        open_ = {};
        block_retry_.reset();
        dropping_ = false;
        utf8_stream_.clear();
        data_buffer_.clear();
        id_buffer_.clear();
        type_buffer_.clear();
    }

    constexpr void clear_line() noexcept {
        state_ = state::line_start;
        name_size_ = 0;
        line_buffer_.clear();
    }

    parser_options options_;
    event_view event_ = {}; // what `next` has returned

    // The block being read.
    open_block open_ = {};
    std::optional<std::chrono::milliseconds> block_retry_ = {};
    bool dropping_ = false; // it has met a limit

    // The line that the last chunk left open.
    state state_ = state::line_start;
    field field_ = field::unknown;
    std::uint8_t name_size_ = 0;
    char name_[longest_name] = {};
    detail::utf8_stream utf8_stream_; // of data that is handed on as it comes
    std::optional<std::chrono::milliseconds> line_retry_ = {}; // nullopt: no digit yet

    std::uint8_t bom_ = 0; // bytes of it seen; 3 once the question is settled
    bool swallow_lf_ = false;
    errc error_ = errc::ok;

    buffer data_buffer_;
    buffer id_buffer_;
    buffer type_buffer_;
    buffer line_buffer_; // id, type or comment of the open line
    buffer last_id_;
    std::optional<std::chrono::milliseconds> retry_ = {};

    std::uint64_t offset_ = 0;
    std::uint64_t error_offset_ = 0;
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
/// | `on_comment(std::string_view)`         | for each comment: what stands behind the colon,     |
/// |                                        | whatever bytes those are                            |
/// | `on_data_chunk(std::string_view)`      | for each piece of data while it arrives; then       |
/// |                                        | `parser_limits::data` does not apply and the event  |
/// |                                        | comes with empty data; pieces are void that are     |
/// |                                        | followed by on_error, unless it is about a comment, |
/// |                                        | or by errc::incomplete                              |
///
/// A plain callable takes the place of on_event. A sink without on_data_chunk and one with it, or
/// `next`, do not mix within one event. on_event and on_error may return bool: false
/// stops. They may also destroy, move or reset the parser, and must then return false; the other
/// members may only look at it.
/// \returns how many bytes were taken: all of them, unless the sink has stopped.
/// Lifetime: the views that the sink gets hold during the call.
template <class Sink>
constexpr std::size_t feed(parser& parser, std::string_view input, Sink&& sink);

} // namespace ssekit

#include <ssekit/detail/parser_run.hpp>

#endif
