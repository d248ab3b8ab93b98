// SPDX-License-Identifier: MIT
//
// What the fields of a block mean: HTML 9.2.6, "Interpreting an event stream". A block collects its
// values as views; `spill` copies those that outlive the chunk, `blank_line` commits the id and
// dispatches the event.
//
// The parser is consistent whenever on_event or on_error is called, for the sink may end it there:
// a line is always finished first, a block is cleared before its event is delivered (which moves no
// bytes, so the event's views stay good), and after a false nothing of the parser is touched.
#include <ssekit/parser.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_BLOCK_READER_HPP
#define SSEKIT_DETAIL_BLOCK_READER_HPP

#include <ssekit/detail/decimal.hpp>
#include <ssekit/detail/sink.hpp>
#include <ssekit/detail/utf8.hpp>
#include <ssekit/detail/utf8_stream.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ssekit::detail {

template <class Sink>
class block_reader {
  public:
    using field = parser::field;

    /// The value of a field, and where it lies.
    struct value {
        const char* begin;
        const char* end;
        std::uint64_t offset; // of its first byte, in the connection
        bool in_chunk;

        constexpr std::string_view view() const noexcept { return {begin, size()}; }
        constexpr std::size_t size() const noexcept {
            return static_cast<std::size_t>(end - begin);
        }
    };

    /// \param offset of the chunk in the connection.
    constexpr block_reader(parser& self, Sink& sink, const char* chunk,
                           std::uint64_t offset) noexcept
        : self_(self), sink_(sink), chunk_(chunk), offset_(offset) {}

    [[nodiscard]] constexpr std::uint64_t position(const char* p) const noexcept {
        return offset_ + static_cast<std::uint64_t>(p - chunk_);
    }

    // ---- data: a whole line, or a line in pieces

    constexpr void take_data(const value& data) {
        if constexpr (!streams_data) {
            if (!self_.has_data_ && !self_.dropping_ && data.size() <= self_.options_.limits.data) {
                self_.data_ = data.view();
                self_.has_data_ = self_.data_in_chunk_ = true;
                return end_data_line(data.offset + data.size());
            }
        }
        begin_data_line(data.offset);
        append_data(data);
        end_data_line(data.offset + data.size());
    }

    constexpr void begin_data_line(std::uint64_t offset) {
        if (self_.dropping_) return;
        const bool joins = std::exchange(self_.has_data_, true);
        if (!joins) return;
        if constexpr (streams_data) {
            sink_.on_data_chunk(std::string_view("\n"));
        } else {
            spill_data(offset);
            store_data("\n", offset);
        }
    }

    constexpr void append_data(const value& data) {
        if (self_.dropping_) return;
        if constexpr (streams_data) {
            if (self_.options_.utf8 == utf8_policy::pass_through) {
                if (data.size() != 0) sink_.on_data_chunk(data.view());
            } else {
                self_.utf8_stream_.write(data.view(), data.offset, streamed{*this});
            }
        } else {
            store_data(data.view(), data.offset);
        }
    }

    constexpr void end_data_line(std::uint64_t line_end) {
        if (self_.dropping_) return;
        if constexpr (streams_data) {
            self_.utf8_stream_.finish(line_end, streamed{*this});
        } else if (self_.options_.utf8 == utf8_policy::report) {
            const char* const last = self_.data_.data() + self_.data_.size();
            const char* first = last; // of this line: those before are known to be right
            while (first != self_.data_.data() && first[-1] != '\n') --first;
            const char* const bad = find_malformed(first, last);
            if (bad == last) return;
            drop(errc::malformed_utf8, line_end - static_cast<std::uint64_t>(last - bad));
        }
    }

    // ---- the other fields, and comments

    constexpr std::size_t text_limit(field name) const noexcept {
        return name == field::id ? self_.options_.limits.id : self_.options_.limits.type;
    }

    static constexpr errc text_too_long(field name) noexcept {
        return name == field::id ? errc::id_too_long : errc::type_too_long;
    }

    constexpr void take_text(field name, const value& text) {
        const std::size_t limit = text_limit(name);
        if (text.size() > limit) return drop(text_too_long(name), text.offset + limit);
        if (name == field::id && text.view().find('\0') != std::string_view::npos) return;
        buffer& storage = name == field::id ? self_.id_buffer_ : self_.type_buffer_;
        std::string_view kept = text.view();
        bool in_chunk = text.in_chunk;
        if (self_.options_.utf8 != utf8_policy::pass_through && !is_utf8(kept)) {
            if (self_.options_.utf8 == utf8_policy::report) {
                const char* const bad = find_malformed(text.begin, text.end);
                return drop(errc::malformed_utf8,
                            text.offset + static_cast<std::uint64_t>(bad - text.begin));
            }
            const std::size_t size = replaced_size(kept);
            if (size > limit) return drop(text_too_long(name), text.offset + text.size());
            storage.clear();
            if (!storage.extend(size)) return drop(errc::out_of_memory, text.offset);
            replace_malformed(kept, storage.data());
            in_chunk = false;
        } else if (!in_chunk && !storage.assign(kept)) {
            return drop(errc::out_of_memory, text.offset);
        }
        if (!in_chunk) kept = storage.view();
        if (name == field::id) {
            self_.id_ = kept;
            self_.has_id_ = true;
            self_.id_in_chunk_ = in_chunk;
        } else {
            self_.type_ = kept;
            self_.type_in_chunk_ = in_chunk;
        }
    }

    constexpr void take_retry(const value& digits) {
        if (digits.size() == 0) return;
        std::chrono::milliseconds time{};
        for (const char c : digits.view()) {
            if (!add_digit(time, c)) return;
        }
        set_retry(time);
    }

    constexpr void set_retry(std::chrono::milliseconds time) {
        self_.retry_ = self_.block_retry_ = time;
        if constexpr (has_on_retry<Sink>) sink_.on_retry(time);
    }

    constexpr void take_comment(const value& text) {
        if constexpr (has_on_comment<Sink>) {
            const std::size_t limit = self_.options_.limits.comment;
            if (text.size() > limit) return fail(errc::comment_too_long, text.offset + limit);
            sink_.on_comment(text.view());
        }
    }

    // ---- the end of a block, of a chunk, of a line

    /// \returns false when the sink wants to stop.
    constexpr bool blank_line(const char* line_end) {
        if (self_.has_id_) {
            if (!self_.last_id_.assign(self_.id_)) {
                self_.has_id_ = false;
                drop(errc::out_of_memory, position(line_end));
            } else if constexpr (has_on_id<Sink>) {
                sink_.on_id(self_.last_event_id());
            }
        }
        if (self_.has_data_ && !self_.dropping_) decode_data(position(line_end));
        const bool dispatches = self_.has_data_ && !self_.dropping_;
        if (dispatches) {
            event_view& event = self_.event_;
            event.id = self_.has_id_ ? std::optional(self_.id_) : std::nullopt;
            event.type = self_.type_.empty() ? std::string_view("message") : self_.type_;
            event.data = self_.data_;
            event.retry = self_.block_retry_;
        }
        self_.clear_event();
        if constexpr (has_on_event<Sink>) {
            if (dispatches)
                return goes_on([&] { return sink_.on_event(std::as_const(self_.event_)); });
        }
        return true;
    }

    /// The chunk ends at `end`: whatever lies in it and is still needed is copied.
    constexpr void spill(const char* end) {
        // The id also of a block that is dropped: it is still to be committed.
        if (self_.id_in_chunk_ && !spill_text(self_.id_, self_.id_buffer_, end))
            self_.has_id_ = false;
        if (self_.type_in_chunk_ && !self_.dropping_)
            spill_text(self_.type_, self_.type_buffer_, end);
        if (self_.data_in_chunk_ && !self_.dropping_) spill_data(position(end));
        self_.id_in_chunk_ = self_.type_in_chunk_ = false;
    }

    constexpr void fail(errc code, std::uint64_t offset) noexcept {
        if (failure_ != errc::ok) return;
        failure_ = code;
        failure_offset_ = offset;
    }

    // The block's id is still read and committed, its data is not.
    constexpr void drop(errc code, std::uint64_t offset) noexcept {
        fail(code, offset);
        self_.dropping_ = true;
        self_.data_ = {};
        self_.data_in_chunk_ = false;
        self_.data_buffer_.clear();
    }

    /// \returns false when the sink wants to stop. The line ends at `end`.
    constexpr bool report_failure(const char* end) {
        if (failure_ == errc::ok) [[likely]]
            return true;
        spill(end); // a sink that stops here may go on with other memory
        const errc code = std::exchange(failure_, errc::ok);
        if (self_.error_ == errc::ok) {
            self_.error_ = code;
            self_.error_offset_ = failure_offset_;
        }
        if constexpr (has_on_error<Sink>) {
            return goes_on([&] { return sink_.on_error(code, failure_offset_); });
        } else {
            return true;
        }
    }

  private:
    using buffer = parser::buffer;

    static constexpr bool streams_data = has_on_data_chunk<Sink>;

    /// Where a utf8_stream writes to.
    struct streamed {
        block_reader& block;

        constexpr void text(std::string_view piece) const { block.sink_.on_data_chunk(piece); }
        constexpr bool malformed(std::uint64_t offset) const {
            if (block.self_.options_.utf8 != utf8_policy::report) {
                block.sink_.on_data_chunk(replacement_character);
                return true;
            }
            block.drop(errc::malformed_utf8, offset);
            return false;
        }
    };

    constexpr void store_data(std::string_view piece, std::uint64_t offset) {
        if (self_.dropping_) return;
        const std::size_t room = self_.options_.limits.data - self_.data_buffer_.size();
        if (piece.size() > room) return drop(errc::data_too_long, offset + room);
        if (!self_.data_buffer_.append(piece, self_.options_.limits.data)) {
            return drop(errc::out_of_memory, offset);
        }
        self_.data_ = self_.data_buffer_.view();
    }

    // All lines are there: what the standard does while it reads is done once, and only if needed.
    constexpr void decode_data(std::uint64_t offset) {
        if (streams_data || self_.options_.utf8 != utf8_policy::replace || is_utf8(self_.data_)) {
            return;
        }
        const std::size_t before = self_.data_.size();
        const std::size_t after = replaced_size(self_.data_);
        if (after > self_.options_.limits.data) return drop(errc::data_too_long, offset);
        spill_data(offset);
        buffer& storage = self_.data_buffer_;
        if (self_.dropping_) return;
        if (!storage.extend(after - before)) return drop(errc::out_of_memory, offset);
        // In place: moved to the end and decoded towards the front. A replacement is never shorter
        // than what it replaces, so the writing never overtakes the reading.
        char* const tail = storage.data() + (after - before);
        move_bytes_up(tail, storage.data(), before);
        replace_malformed({tail, before}, storage.data());
        self_.data_ = storage.view();
    }

    static constexpr void replace_malformed(std::string_view text, char* to) noexcept {
        for_each_replaced(text, [&to](std::string_view piece) {
            move_bytes_down(to, piece.data(), piece.size());
            to += piece.size();
        });
    }

    constexpr bool spill_text(std::string_view& text, buffer& storage, const char* end) {
        const bool done = storage.assign(text);
        if (!done) drop(errc::out_of_memory, position(end));
        text = done ? storage.view() : std::string_view();
        return done;
    }

    constexpr void spill_data(std::uint64_t offset) {
        if (!std::exchange(self_.data_in_chunk_, false)) return;
        if (!self_.data_buffer_.assign(self_.data_)) return drop(errc::out_of_memory, offset);
        self_.data_ = self_.data_buffer_.view();
    }

    parser& self_;
    Sink& sink_;
    const char* const chunk_;
    const std::uint64_t offset_;
    errc failure_ = errc::ok; // of the current line
    std::uint64_t failure_offset_ = 0;
};

} // namespace ssekit::detail

#endif
