// SPDX-License-Identifier: MIT
//
// One chunk on its way through a parser into a sink: HTML 9.2.5, "Parsing an event stream". A line
// that the chunk holds whole is taken apart where it lies. One that is cut is absorbed piece by
// piece: its state, the first letters of its name, and as much of its value as is needed.
#ifndef SSEKIT_DETAIL_PARSER_RUN_HPP
#define SSEKIT_DETAIL_PARSER_RUN_HPP

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/detail/parser/block_reader.hpp>
#include <ssekit/detail/parser/first_bytes.hpp>
#include <ssekit/detail/parser/plain_block.hpp>
#include <ssekit/detail/parser/sink.hpp>
#include <ssekit/detail/parser/state.hpp>
#include <ssekit/detail/text/scan.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace ssekit::inline SSEKIT_ABI::detail {

template <class Sink>
class parser_run {
  public:
    constexpr parser_run(parser_state& self, Sink& sink, std::string_view input) noexcept
        : self_(self), chunk_(input.data()), end_(chunk_ + input.size()),
          block_(self, sink, input, self.offset) {}

    /// \returns how many bytes were taken.
    constexpr std::size_t run() {
        const char* p = chunk_;
        if (self_.swallow_lf && p != end_) {
            self_.swallow_lf = false;
            if (*p == '\n') ++p;
        }
        if (self_.bom < bom.size() && self_.options.strip_bom) p = match_bom(p);
        line_ends ends(p, end_);
        plain_block<Sink> plain(self_);
        for (;;) {
            const bool is_plain = self_.line == state::start && plain.resume();
            const char* line_end = nullptr;
            const char* next = nullptr;
            for (;;) { // once, or until a line is not for the plain block
                line_end = ends.next();
                if (line_end == end_) {
                    if (is_plain) plain.give_up();
                    return finish(p, ends);
                }
                next = after(line_end, ends);
                if (!is_plain) break;
                if (p != line_end) {
                    if (!plain.take(p, line_end, end_, ends)) break;
                } else {
                    if (!plain.commit(end_)) break;
                    self_.offset = position(next);
                    if (!plain.deliver(block_)) return static_cast<std::size_t>(next - chunk_);
                }
                p = next;
            }
            if (is_plain) plain.give_up();
            self_.offset = position(next);
            block_.expect(ends.is_plain(p));
            if (!take_line(p, line_end) || !block_.report_failure(next))
                return static_cast<std::size_t>(next - chunk_);
            p = next;
        }
    }

  private:
    using state = line_state;
    using field = line_field;
    using value = typename block_reader<Sink>::value;

    static constexpr std::string_view bom = "\xEF\xBB\xBF";

    [[nodiscard]] constexpr std::uint64_t position(const char* p) const noexcept {
        return block_.position(p);
    }

    constexpr value value_at(const char* p, const char* end) const noexcept {
        if (p != end && *p == ' ') ++p;
        return {p, end, position(p), true};
    }

    /// \returns where the next line begins.
    SSEKIT_INLINED constexpr const char* after(const char* line_end, line_ends& ends) noexcept {
        const char* const next = line_end + 1;
        if (*line_end != '\r') return next;
        if (next == end_) {
            self_.swallow_lf = true;
            return next;
        }
        if (*next != '\n') return next;
        ends.skip(next);
        return next + 1;
    }

    // The chunk ends inside the line at p, or right before it.
    constexpr std::size_t finish(const char* p, const line_ends& ends) {
        self_.offset = position(end_);
        block_.expect(ends.is_plain(p));
        absorb(p, end_);
        block_.spill(end_);
        (void)block_.report_failure(end_);
        return static_cast<std::size_t>(end_ - chunk_);
    }

    // What turns out not to be a byte order mark was the start of a line with an unknown name.
    constexpr const char* match_bom(const char* p) noexcept {
        while (p != end_ && self_.bom < bom.size()) {
            if (*p != bom[self_.bom]) {
                if (self_.bom != 0) self_.line = state::skip;
                self_.bom = static_cast<std::uint8_t>(bom.size());
                return p;
            }
            ++self_.bom;
            ++p;
        }
        return p;
    }

    static constexpr field field_of(std::string_view name) noexcept {
        if (name == "data") return field::data;
        if (name == "id") return field::id;
        if (name == "event") return field::event;
        if (name == "retry") return field::retry;
        return field::unknown;
    }

    constexpr bool take_line(const char* p, const char* end) {
        if (self_.line != state::start) {
            absorb(p, end);
            end_absorbed_line(end);
        } else if (p != end) {
            whole_line(p, end);
        } else {
            return block_.blank_line(end);
        }
        return true;
    }

    constexpr void whole_line(const char* p, const char* end) {
        if (*p == ':') return block_.take_comment({p + 1, end, position(p + 1), true});
        const std::string_view line(p, static_cast<std::size_t>(end - p));
        const std::string_view head = line.substr(0, parser_state::longest_name + 1);
        const std::size_t colon = head.find(':');
        if (colon != std::string_view::npos) {
            take_value(field_of(head.substr(0, colon)), value_at(p + colon + 1, end));
        } else if (head.size() == line.size()) {
            take_value(field_of(head), value_at(end, end));
        }
    }

    constexpr void take_value(field name, const value& taken) {
        switch (name) {
        case field::data: return block_.take_data(taken);
        case field::id:
        case field::event: return block_.take_text(name, taken);
        case field::retry: return block_.take_retry(taken);
        case field::unknown: return;
        }
    }

    // ---- a line in pieces

    SSEKIT_INLINED constexpr void absorb(const char* p, const char* end) {
        if (is_in_data()) {
            if (p != end) block_.append_data({p, end, position(p), true});
        } else {
            absorb_from(p, end);
        }
    }

    // What chunks cut is usually the data of a long line.
    constexpr bool is_in_data() const noexcept {
        return self_.line == state::value && self_.field == field::data;
    }

    constexpr void absorb_from(const char* p, const char* end) {
        while (p != end) {
            switch (self_.line) {
            case state::start:
                if (!for_size && static_cast<std::size_t>(end - p) >= first_bytes::count &&
                    first_bytes(p).are("data:")) { // the one that chunks cut
                    self_.field = field::data;
                    self_.line = state::colon;
                    p += 5;
                    break;
                }
                self_.line = *p == ':' ? state::comment : state::name;
                if (*p == ':') ++p;
                break;
            case state::name: p = absorb_name(p, end); break;
            case state::colon:
                if (*p == ' ') ++p;
                self_.line = state::value;
                self_.line_retry.reset();
                if (self_.field == field::data) block_.begin_data_line(position(p));
                break;
            case state::value:
                if (self_.field == field::data)
                    return block_.append_data({p, end, position(p), true});
                if (self_.field == field::retry) return absorb_retry(p, end);
                return absorb_text(p, end);
            case state::comment:
                if constexpr (has_on_comment<Sink>) absorb_text(p, end);
                return;
            case state::skip: return;
            }
        }
    }

    constexpr const char* absorb_name(const char* p, const char* end) noexcept {
        for (; p != end; ++p) {
            if (*p == ':') {
                self_.field = field_of({self_.name, self_.name_size});
                self_.line = self_.field == field::unknown ? state::skip : state::colon;
                return p + 1;
            }
            if (self_.name_size == parser_state::longest_name) {
                self_.line = state::skip;
                return p;
            }
            self_.name[self_.name_size++] = *p;
        }
        return p;
    }

    constexpr void absorb_text(const char* p, const char* end) {
        const bool comment = self_.line == state::comment;
        const std::size_t limit =
            comment ? self_.options.limits.comment : block_.text_limit(self_.field);
        const std::size_t room = limit - self_.line_buffer.size();
        const auto size = static_cast<std::size_t>(end - p);
        if (size <= room && self_.line_buffer.append({p, size})) return;
        self_.line = state::skip;
        if (size <= room) return block_.drop(errc::out_of_memory, position(p));
        if (comment) return block_.fail(errc::comment_too_long, position(p + room));
        block_.drop(block_.text_too_long(self_.field), position(p + room));
    }

    constexpr void absorb_retry(const char* p, const char* end) noexcept {
        for (; p != end; ++p) {
            if (!self_.line_retry) self_.line_retry.emplace();
            if (!add_digit(*self_.line_retry, *p)) {
                self_.line = state::skip;
                return;
            }
        }
    }

    constexpr void end_absorbed_line(const char* line_end) {
        if (is_in_data()) {
            self_.clear_line();
            return block_.end_data_line(position(line_end));
        }
        const state open = self_.line;
        const std::string_view text = self_.line_buffer.view();
        const value kept{text.data(), text.data() + text.size(), position(line_end) - text.size(),
                         false};
        const field name =
            open == state::name ? field_of({self_.name, self_.name_size}) : self_.field;
        self_.clear_line();
        switch (open) {
        case state::name:
        case state::colon: return take_value(name, value_at(line_end, line_end));
        case state::value:
            if (name != field::retry) return block_.take_text(name, kept);
            if (self_.line_retry) block_.set_retry(*self_.line_retry);
            return;
        case state::comment: return block_.take_comment(kept);
        default: return;
        }
    }

    parser_state& self_;
    const char* const chunk_;
    const char* const end_;
    block_reader<Sink> block_;
};

/// Pushes a chunk into whatever `feed` takes for a sink.
/// \returns how many bytes were taken.
template <class Sink>
constexpr std::size_t run_into(parser_state& state, std::string_view input, Sink& sink) {
    check_sink<Sink>();
    if constexpr (std::invocable<Sink&, const event_view&>) {
        callable_sink<Sink> named{sink};
        return parser_run<callable_sink<Sink>>(state, named, input).run();
    } else {
        return parser_run<Sink>(state, sink, input).run();
    }
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
