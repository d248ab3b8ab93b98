// SPDX-License-Identifier: MIT
//
// Most blocks lie whole in one chunk and hold at most one line of data, an id and a type, all of
// them well-formed and within the limits. Such a block is read here, where the compiler keeps it in
// registers: only the id is written to the parser, at the end. At the first line that is anything
// else, the block is given up: what it has so far goes to the parser, as if block_reader had read
// it, and block_reader goes on with that line.
#ifndef SSEKIT_DETAIL_PARSER_PLAIN_BLOCK_HPP
#define SSEKIT_DETAIL_PARSER_PLAIN_BLOCK_HPP

#include <ssekit/detail/base/tuning.hpp>
#include <ssekit/detail/parser/block_reader.hpp>
#include <ssekit/detail/parser/first_bytes.hpp>
#include <ssekit/detail/parser/sink.hpp>
#include <ssekit/detail/parser/state.hpp>
#include <ssekit/detail/text/scan.hpp>
#include <ssekit/detail/text/utf8.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

template <class Sink>
class plain_block {
  public:
    constexpr explicit plain_block(parser_state& self) noexcept : self_(self) {}

    /// Takes the line [p, end) of a chunk.
    /// \returns false, with nothing changed, when block_reader has to take it.
    SSEKIT_INLINED constexpr bool take(const char* p, const char* end, const char* chunk_end,
                                       const line_ends& scan) noexcept {
        if (static_cast<std::size_t>(chunk_end - p) < first_bytes::count) return false;
        const first_bytes head(p);
        if (head.are("data:")) return take_data(value_at(p + 5, end), chunk_end, scan);
        if (head.are("id:")) {
            return take_text(open_.id, limits().id, p + 3, end, scan);
        }
        if (head.are("event:")) {
            return take_text(open_.type, limits().type, p + 6, end, scan);
        }
        if (*p == ':') return !has_on_comment<Sink>;
        return *p != 'd' && *p != 'i' && *p != 'e' && *p != 'r'; // an unknown field
    }

    /// The block ends: commits its id.
    /// \returns false when block_reader has to take the rest.
    SSEKIT_INLINED constexpr bool commit(const char* chunk_end) noexcept {
        if (!open_.data_is_utf8 && self_.options.utf8 == utf8_policy::replace &&
            !is_utf8(open_.data)) {
            return false;
        }
        return !is_there(open_.id) ||
               self_.last_id.assign(open_.id, buffer::max_size, readable(open_.id, chunk_end));
    }

    /// Delivers the event of the block that `commit` has ended, if it has data.
    /// \returns false when the sink wants to stop.
    SSEKIT_INLINED constexpr bool deliver(block_reader<Sink>& block) {
        if (is_there(open_.id)) block.announce_id();
        event_view own;
        const event_view& event = block.fill(own, open_);
        const bool dispatches = is_there(open_.data);
        open_ = {};
        self_.data_buffer.clear(); // moves no bytes: the event's views stay good
        return !dispatches || block.deliver(event);
    }

    /// Hands over to the parser what there is.
    SSEKIT_INLINED constexpr void give_up() noexcept { self_.open = std::exchange(open_, {}); }

    /// Takes over from the parser what there is.
    /// Preconditions: no line is open.
    /// \returns false, with nothing changed, when block_reader has to take the block.
    SSEKIT_INLINED constexpr bool resume() noexcept {
        if (for_size || has_on_data_chunk<Sink>) return false;
        if (self_.dropping || self_.block_retry) return false;
        if (self_.id_buffer.size() != 0 || self_.type_buffer.size() != 0) return false;
        open_ = std::exchange(self_.open, {});
        return true;
    }

  private:
    constexpr const parser_limits& limits() const noexcept { return self_.options.limits; }

    // The line's end can be read, and is not a space.
    static constexpr std::string_view value_at(const char* p, const char* end) noexcept {
        if (*p == ' ') ++p;
        return {p, static_cast<std::size_t>(end - p)};
    }

    SSEKIT_INLINED constexpr bool take_data(std::string_view data, const char* chunk_end,
                                            const line_ends& scan) noexcept {
        const bool plain = scan.is_plain(data.data());
        if (!plain && self_.options.utf8 == utf8_policy::report) return false;
        if (is_there(open_.data)) {
            if (!join(data, chunk_end)) return false;
        } else {
            if (data.size() > limits().data) return false;
            open_.data = data;
        }
        open_.data_is_utf8 = open_.data_is_utf8 && plain;
        return true;
    }

    SSEKIT_INLINED constexpr bool join(std::string_view line, const char* chunk_end) noexcept {
        buffer& joined = self_.data_buffer;
        const std::size_t most = limits().data;
        if (joined.size() == 0) {
            if (!joined.assign(open_.data, most, readable(open_.data, chunk_end))) return false;
            open_.data = joined.view();
        }
        if (!joined.append_line(line, readable(line, chunk_end), most)) return false;
        open_.data = joined.view();
        return true;
    }

    // The bytes from a value in the chunk on. (One that is empty may be no part of it.)
    static constexpr std::size_t readable(std::string_view value, const char* chunk_end) noexcept {
        return value.empty() ? 0 : static_cast<std::size_t>(chunk_end - value.data());
    }

    SSEKIT_INLINED static constexpr bool take_text(std::string_view& text, std::size_t limit,
                                                   const char* p, const char* end,
                                                   const line_ends& scan) noexcept {
        const std::string_view value = value_at(p, end);
        if (value.size() > limit || !scan.is_plain(p)) return false;
        text = value;
        return true;
    }

    parser_state& self_;
    open_block open_ = {};
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
