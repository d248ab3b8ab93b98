// SPDX-License-Identifier: MIT
//
// Everything that a parser keeps from one chunk to the next, as plain data. What reads a chunk
// (run.hpp) works on it, and so do the two readers of blocks (plain_block.hpp, block_reader.hpp);
// parser.hpp holds one.
//
// A value is a view of the chunk while the chunk is there, and of one of the buffers afterwards. A
// line that a chunk leaves open is not kept as it stands: only its state, the first letters of its
// name, and as much of its value as is needed.
#ifndef SSEKIT_DETAIL_PARSER_STATE_HPP
#define SSEKIT_DETAIL_PARSER_STATE_HPP

#include <ssekit/detail/base/buffer.hpp>
#include <ssekit/detail/base/size.hpp>
#include <ssekit/detail/parser/utf8_stream.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/parser_options.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Where in a line the last chunk ended.
enum class line_state : std::uint8_t { start, name, colon, value, comment, skip };
enum class line_field : std::uint8_t { unknown, data, id, event, retry };

/// The fields of the block being read. One that has not come yet is a view of nothing. The others
/// are views of the chunk while their buffers are empty, and of what is kept there otherwise.
struct open_block {
    std::string_view data = {};
    std::string_view id = {};
    std::string_view type = {};
    bool data_is_utf8 = true; // false: not known
};

[[nodiscard]] constexpr bool is_there(std::string_view field) noexcept {
    return field.data() != nullptr;
}

struct parser_state {
    static constexpr std::size_t longest_name = 5;

    constexpr explicit parser_state(const parser_options& chosen) noexcept : options(chosen) {}

    /// Preconditions: `memory` has `memory_needed(chosen.limits)` bytes.
    constexpr parser_state(const parser_options& chosen, std::span<char> memory) noexcept
        : options(chosen) {
        const parser_limits& limits = options.limits;
        const auto take = [&memory](std::size_t size) {
            const std::span<char> part = memory.first(size);
            memory = memory.subspan(size);
            return buffer(part);
        };
        data_buffer = take(limits.data);
        id_buffer = take(limits.id);
        last_id = take(limits.id);
        type_buffer = take(limits.type);
        line_buffer = take(longest_line(limits));
    }

    /// The largest size where the sum would wrap.
    [[nodiscard]] static constexpr std::size_t memory_needed(const parser_limits& limits) noexcept {
        const std::size_t ids = add_sizes(limits.id, limits.id);
        return add_sizes(add_sizes(limits.data, ids), add_sizes(limits.type, longest_line(limits)));
    }

    /// Whether an event has begun that is not complete.
    [[nodiscard]] constexpr bool is_inside_event() const noexcept {
        return is_there(open.data) || is_there(open.id) || !open.type.empty() || dropping ||
               line == line_state::name || line == line_state::colon || line == line_state::value;
    }

    /// Views of what the last call gave out are void from here on.
    SSEKIT_INLINED constexpr void begin_call() noexcept {
        error = errc::ok;
        if (data_buffer.capacity() > options.kept_memory && data_buffer.size() == 0) [[unlikely]] {
            data_buffer.clear_beyond(options.kept_memory);
        }
    }

    constexpr void clear_event() noexcept {
        open = {};
        block_retry.reset();
        dropping = false;
        streamed.clear();
        data_buffer.clear();
        id_buffer.clear();
        type_buffer.clear();
    }

    constexpr void clear_line() noexcept {
        line = line_state::start;
        name_size = 0;
        line_buffer.clear();
    }

    parser_options options;

    // The block being read.
    open_block open = {};
    std::optional<std::chrono::milliseconds> block_retry = {};
    bool dropping = false; // it has met a limit

    // The line that the last chunk left open.
    line_state line = line_state::start;
    line_field field = line_field::unknown;
    std::uint8_t name_size = 0;
    char name[longest_name] = {};
    utf8_stream streamed;                                     // data that is handed on as it comes
    std::optional<std::chrono::milliseconds> line_retry = {}; // nullopt: no digit yet

    std::uint8_t bom = 0; // bytes of it seen; 3 once the question is settled
    bool swallow_lf = false;
    errc error = errc::ok;

    buffer data_buffer;
    buffer id_buffer;
    buffer type_buffer;
    buffer line_buffer; // id, type or comment of the open line
    buffer last_id;
    std::optional<std::chrono::milliseconds> retry = {};

    std::uint64_t offset = 0;
    std::uint64_t error_offset = 0;

  private:
    static constexpr std::size_t longest_line(const parser_limits& limits) noexcept {
        return (std::max)({limits.id, limits.type, limits.comment});
    }
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
