// SPDX-License-Identifier: MIT
//
// What the fields of a block mean: HTML 9.2.6, "Interpreting an event stream". A block collects its
// values as views; `spill` copies those that outlive the chunk, `blank_line` commits the id and
// dispatches the event.
//
// The parser is consistent whenever on_event or on_error is called, for the sink may end it there:
// a line is always finished first, a block is cleared before its event is delivered (which moves no
// bytes, so the event's views stay valid), and after a false the parser is not touched.
#ifndef SSEKIT_DETAIL_PARSER_BLOCK_READER_HPP
#define SSEKIT_DETAIL_PARSER_BLOCK_READER_HPP

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/detail/parser/sink.hpp>
#include <ssekit/detail/parser/state.hpp>
#include <ssekit/detail/parser/utf8_stream.hpp>
#include <ssekit/detail/text/utf8.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

template <class Sink>
class block_reader {
  public:
    using field = line_field;

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
    constexpr block_reader(parser_state& self, Sink& sink, std::string_view chunk,
                           std::uint64_t offset) noexcept
        : self_(self), sink_(sink), chunk_(chunk.data()), chunk_end_(chunk_ + chunk.size()),
          offset_(offset) {}

    [[nodiscard]] constexpr std::uint64_t position(const char* p) const noexcept {
        return offset_ + static_cast<std::uint64_t>(p - chunk_);
    }

    /// What the scan has seen of the line, or of the piece of one, that comes next.
    constexpr void expect(bool plain) noexcept { line_is_plain_ = plain; }

    // ---- data: a whole line, or a line in pieces

    constexpr void take_data(const value& data) {
        if constexpr (!streams_data) {
            if (!is_there(open().data) && !self_.dropping &&
                data.size() <= self_.options.limits.data) {
                open().data = data.view();
                open().data_is_utf8 = line_is_plain_;
                return end_data_line(data.offset + data.size());
            }
        }
        begin_data_line(data.offset);
        append_data(data);
        end_data_line(data.offset + data.size());
    }

    constexpr void begin_data_line(std::uint64_t offset) {
        if (self_.dropping) return;
        if (!is_there(open().data)) {
            open().data = self_.data_buffer.view(); // which is empty
            return;
        }
        if constexpr (streams_data) {
            sink_.on_data_chunk(std::string_view("\n"));
        } else {
            spill_data(offset);
            store_data("\n", 1, offset);
        }
    }

    SSEKIT_INLINED constexpr void append_data(const value& data) {
        if (self_.dropping) return;
        if constexpr (streams_data) {
            const bool is_right = line_is_plain_ && !self_.streamed.is_waiting();
            if (is_right || self_.options.utf8 == utf8_policy::pass_through) {
                if (data.size() != 0) sink_.on_data_chunk(data.view());
            } else {
                self_.streamed.write(data.view(), data.offset, streamed{*this});
            }
        } else {
            store_data(data.view(), static_cast<std::size_t>(chunk_end_ - data.begin), data.offset);
            open().data_is_utf8 = open().data_is_utf8 && line_is_plain_;
        }
    }

    constexpr void end_data_line(std::uint64_t line_end) {
        if (self_.dropping) return;
        if constexpr (streams_data) {
            self_.streamed.finish(line_end, streamed{*this});
        } else if (self_.options.utf8 == utf8_policy::report) {
            const std::string_view data = open().data;
            const char* const last = data.data() + data.size();
            const char* first = last; // of this line: the lines before are known to be well-formed
            while (first != data.data() && first[-1] != '\n') --first;
            const char* const bad = find_malformed(first, last);
            if (bad == last) return;
            drop(errc::malformed_utf8, line_end - static_cast<std::uint64_t>(last - bad));
        }
    }

    // ---- the other fields, and comments

    constexpr std::size_t text_limit(field name) const noexcept {
        return name == field::id ? self_.options.limits.id : self_.options.limits.type;
    }

    static constexpr errc text_too_long(field name) noexcept {
        return name == field::id ? errc::id_too_long : errc::type_too_long;
    }

    constexpr void take_text(field name, const value& text) {
        const std::size_t limit = text_limit(name);
        if (text.size() > limit) return drop(text_too_long(name), text.offset + limit);
        if (name == field::id && text.view().find('\0') != std::string_view::npos) return;
        buffer& storage = name == field::id ? self_.id_buffer : self_.type_buffer;
        std::string_view& open_text = name == field::id ? open().id : open().type;
        if (self_.options.utf8 == utf8_policy::pass_through || is_utf8(text.view())) {
            if (text.in_chunk) {
                open_text = text.view();
                return storage.clear();
            }
            if (!storage.assign(text.view())) return drop(errc::out_of_memory, text.offset);
        } else if (self_.options.utf8 == utf8_policy::report) {
            const char* const bad = find_malformed(text.begin, text.end);
            return drop(errc::malformed_utf8,
                        text.offset + static_cast<std::uint64_t>(bad - text.begin));
        } else {
            const std::size_t size = replaced_size(text.view());
            if (size > limit) return drop(text_too_long(name), text.offset + text.size());
            open_text = {};
            storage.clear();
            if (!storage.extend(size)) return drop(errc::out_of_memory, text.offset);
            replace_malformed(text.view(), storage.data());
        }
        open_text = storage.view();
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
        self_.retry = self_.block_retry = time;
        if constexpr (has_on_retry<Sink>) sink_.on_retry(time);
    }

    constexpr void take_comment(const value& text) {
        if constexpr (has_on_comment<Sink>) {
            const std::size_t limit = self_.options.limits.comment;
            if (text.size() > limit) return fail(errc::comment_too_long, text.offset + limit);
            sink_.on_comment(text.view());
        }
    }

    // ---- the end of a block, of a chunk, of a line

    /// \returns false when the sink wants to stop.
    constexpr bool blank_line(const char* line_end) {
        if (is_there(open().id)) {
            if (!self_.last_id.assign(open().id)) {
                open().id = {};
                drop(errc::out_of_memory, position(line_end));
            } else {
                announce_id();
            }
        }
        if (is_there(open().data)) decode_data(position(line_end));
        const bool dispatches = is_there(open().data);
        event_view own;
        event_view& event = fill(own, open());
        event.retry = self_.block_retry;
        self_.clear_event();
        return !dispatches || deliver(event);
    }

    /// \returns the event of a block without its retry, in `own` unless the sink has a place.
    SSEKIT_INLINED constexpr event_view& fill(event_view& own, const open_block& from) {
        event_view* event = &own;
        if constexpr (std::same_as<Sink, pull_sink>) event = &sink_.event;
        if (is_there(from.id)) {
            event->id = from.id;
        } else {
            event->id.reset();
        }
        event->type = from.type.empty() ? std::string_view("message") : from.type;
        event->data = from.data;
        event->retry.reset();
        return *event;
    }

    /// \returns false when the sink wants to stop.
    constexpr bool deliver(const event_view& event) {
        if constexpr (has_on_event<Sink>) {
            return goes_on([&] { return sink_.on_event(event); });
        } else {
            return true;
        }
    }

    constexpr void announce_id() {
        if constexpr (has_on_id<Sink>) sink_.on_id(self_.last_id.view());
    }

    /// The chunk ends at `end`: everything in it that is still needed is copied.
    SSEKIT_INLINED constexpr void spill(const char* end) {
        // The id of a dropped block too: it is still to be committed.
        spill_text(open().id, self_.id_buffer, end);
        if (self_.dropping) open().type = {};
        spill_text(open().type, self_.type_buffer, end);
        spill_data(position(end));
    }

    constexpr void fail(errc code, std::uint64_t offset) noexcept {
        if (failure_ != errc::ok) return;
        failure_ = code;
        failure_offset_ = offset;
    }

    // The block's id is still read and committed, its data is not.
    constexpr void drop(errc code, std::uint64_t offset) noexcept {
        fail(code, offset);
        self_.dropping = true;
        open().data = open().type = {};
        self_.data_buffer.clear();
    }

    /// \returns false when the sink wants to stop. The line ends at `end`.
    constexpr bool report_failure(const char* end) {
        if (failure_ == errc::ok) [[likely]]
            return true;
        spill(end); // a sink that stops here may go on with other memory
        const errc code = std::exchange(failure_, errc::ok);
        if (self_.error == errc::ok) {
            self_.error = code;
            self_.error_offset = failure_offset_;
        }
        if constexpr (has_on_error<Sink>) {
            return goes_on([&] { return sink_.on_error(code, failure_offset_); });
        } else {
            return true;
        }
    }

  private:
    static constexpr bool streams_data = has_on_data_chunk<Sink>;

    /// Where a utf8_stream writes to.
    struct streamed {
        block_reader& block;

        constexpr void text(std::string_view piece) const { block.sink_.on_data_chunk(piece); }
        constexpr bool malformed(std::uint64_t offset) const {
            if (block.self_.options.utf8 != utf8_policy::report) {
                block.sink_.on_data_chunk(replacement_character);
                return true;
            }
            block.drop(errc::malformed_utf8, offset);
            return false;
        }
    };

    // `readable`: bytes of the piece and after it.
    SSEKIT_INLINED constexpr void store_data(std::string_view piece, std::size_t readable,
                                             std::uint64_t offset) {
        if (self_.dropping) return;
        const std::size_t room = self_.options.limits.data - self_.data_buffer.size();
        if (piece.size() > room) return drop(errc::data_too_long, offset + room);
        if (!self_.data_buffer.append(piece, self_.options.limits.data, readable)) {
            return drop(errc::out_of_memory, offset);
        }
        open().data = self_.data_buffer.view();
    }

    // All lines are there: what the standard does while reading is done once here, and only if
    // needed.
    constexpr void decode_data(std::uint64_t offset) {
        if (streams_data || self_.options.utf8 != utf8_policy::replace) return;
        if (open().data_is_utf8 || is_utf8(open().data)) return;
        const std::size_t before = open().data.size();
        const std::size_t after = replaced_size(open().data);
        if (after > self_.options.limits.data) return drop(errc::data_too_long, offset);
        spill_data(offset);
        buffer& storage = self_.data_buffer;
        if (self_.dropping) return;
        if (!storage.extend(after - before, self_.options.limits.data))
            return drop(errc::out_of_memory, offset);
        // In place: moved to the end and decoded towards the front. A replacement is never shorter
        // than what it replaces, so the writing never overtakes the reading.
        char* const tail = storage.data() + (after - before);
        move_bytes_up(tail, storage.data(), before);
        replace_malformed({tail, before}, storage.data());
        open().data = storage.view();
    }

    static constexpr void replace_malformed(std::string_view text, char* to) noexcept {
        for_each_replaced(text, [&to](std::string_view piece) {
            move_bytes_down(to, piece.data(), piece.size());
            to += piece.size();
        });
    }

    SSEKIT_INLINED constexpr void spill_text(std::string_view& text, buffer& storage,
                                             const char* end) {
        if (!is_there(text) || storage.size() != 0) return;
        const bool done = storage.assign(text);
        text = done ? storage.view() : std::string_view();
        if (!done) drop(errc::out_of_memory, position(end));
    }

    SSEKIT_INLINED constexpr void spill_data(std::uint64_t offset) {
        buffer& storage = self_.data_buffer;
        if (!is_there(open().data) || storage.size() != 0) return;
        if (!storage.assign(open().data, self_.options.limits.data)) {
            return drop(errc::out_of_memory, offset);
        }
        open().data = storage.view();
    }

    constexpr open_block& open() noexcept { return self_.open; }

    parser_state& self_;
    Sink& sink_;
    const char* const chunk_;
    const char* const chunk_end_;
    const std::uint64_t offset_;
    bool line_is_plain_ = false;
    errc failure_ = errc::ok; // of the current line
    std::uint64_t failure_offset_ = 0;
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
