// SPDX-License-Identifier: MIT
//
// Most blocks lie whole in one chunk and hold one line of data, an id and a type at most, all of
// them well-formed and within the limits. Such a block is read here, where the compiler keeps it in
// registers: nothing of it is written to the parser but the id, at the end. At the first line that
// is anything else the block is given up, which hands what it has so far to the parser, as if
// block_reader had read it, and block_reader goes on with that line.
#include <ssekit/parser.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_PLAIN_BLOCK_HPP
#define SSEKIT_DETAIL_PLAIN_BLOCK_HPP

#include <ssekit/detail/block_reader.hpp>
#include <ssekit/detail/first_bytes.hpp>
#include <ssekit/detail/scan.hpp>
#include <ssekit/detail/sink.hpp>
#include <ssekit/detail/tuning.hpp>
#include <ssekit/detail/utf8.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace ssekit::detail {

template <class Sink>
class plain_block {
  public:
    constexpr explicit plain_block(parser& self) noexcept : self_(self) {}

    /// Takes the line [p, end) of a chunk.
    /// \returns false, with nothing changed, when it is not for here.
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
    /// \returns false when the rest is not for here.
    SSEKIT_INLINED constexpr bool commit(const char* chunk_end) noexcept {
        if (!open_.data_is_utf8 && self_.options_.utf8 == utf8_policy::replace &&
            !is_utf8(open_.data)) {
            return false;
        }
        return !parser::is_there(open_.id) ||
               self_.last_id_.assign(open_.id, buffer::max_size, readable(open_.id, chunk_end));
    }

    /// Delivers the event of the block that `commit` has ended, if it has data.
    /// \returns false when the sink wants to stop.
    SSEKIT_INLINED constexpr bool deliver(block_reader<Sink>& block) {
        if (parser::is_there(open_.id)) block.announce_id();
        event_view own;
        const event_view& event = block.fill(own, open_);
        const bool dispatches = parser::is_there(open_.data);
        open_ = {};
        self_.data_buffer_.clear(); // moves no bytes: the event's views stay good
        return !dispatches || block.deliver(event);
    }

    /// Hands over to the parser what there is.
    SSEKIT_INLINED constexpr void give_up() noexcept { self_.open_ = std::exchange(open_, {}); }

    /// Takes over from the parser what there is.
    /// Preconditions: no line is open.
    /// \returns false, with nothing changed, when the block is not for here.
    SSEKIT_INLINED constexpr bool resume() noexcept {
        if (for_size || has_on_data_chunk<Sink>) return false;
        if (self_.dropping_ || self_.block_retry_) return false;
        if (self_.id_buffer_.size() != 0 || self_.type_buffer_.size() != 0) return false;
        open_ = std::exchange(self_.open_, {});
        return true;
    }

  private:
    using buffer = parser::buffer;

    constexpr const parser_limits& limits() const noexcept { return self_.options_.limits; }

    // The line's end can be read, and is no space.
    static constexpr std::string_view value_at(const char* p, const char* end) noexcept {
        if (*p == ' ') ++p;
        return {p, static_cast<std::size_t>(end - p)};
    }

    SSEKIT_INLINED constexpr bool take_data(std::string_view data, const char* chunk_end,
                                            const line_ends& scan) noexcept {
        const bool plain = scan.is_plain(data.data());
        if (!plain && self_.options_.utf8 == utf8_policy::report) return false;
        if (parser::is_there(open_.data)) {
            if (!join(data, chunk_end)) return false;
        } else {
            if (data.size() > limits().data) return false;
            open_.data = data;
        }
        open_.data_is_utf8 = open_.data_is_utf8 && plain;
        return true;
    }

    SSEKIT_INLINED constexpr bool join(std::string_view line, const char* chunk_end) noexcept {
        buffer& joined = self_.data_buffer_;
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

    parser& self_;
    parser::open_block open_ = {};
};

} // namespace ssekit::detail

#endif
