// SPDX-License-Identifier: MIT
//
// One chunk on its way through a parser into a sink: HTML 9.2.5, "Parsing an event stream". A line
// that the chunk holds whole is taken apart where it lies. One that is cut is absorbed piece by
// piece: its state, the first letters of its name, and of its value what is worth keeping.
#include <ssekit/parser.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_PARSER_RUN_HPP
#define SSEKIT_DETAIL_PARSER_RUN_HPP

#include <ssekit/detail/block_reader.hpp>
#include <ssekit/detail/decimal.hpp>
#include <ssekit/detail/first_bytes.hpp>
#include <ssekit/detail/plain_block.hpp>
#include <ssekit/detail/scan.hpp>
#include <ssekit/detail/sink.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace ssekit::detail {

template <class Sink>
class parser_run {
  public:
    constexpr parser_run(parser& self, Sink& sink, std::string_view input) noexcept
        : self_(self), chunk_(input.data()), end_(chunk_ + input.size()),
          block_(self, sink, input, self.offset_) {}

    /// \returns how many bytes were taken.
    constexpr std::size_t run() {
        const char* p = chunk_;
        if (self_.swallow_lf_ && p != end_) {
            self_.swallow_lf_ = false;
            if (*p == '\n') ++p;
        }
        if (self_.bom_ < bom.size() && self_.options_.strip_bom) p = match_bom(p);
        line_ends ends(p, end_);
        plain_block<Sink> plain(self_);
        for (;;) {
            const bool is_plain = self_.state_ == state::line_start && plain.resume();
            const char* line_end = nullptr;
            const char* next = nullptr;
            for (;;) { // once, or until a line is not for the plain block
                line_end = ends.next();
                if (line_end == end_) {
                    if (is_plain) plain.give_up();
                    return finish(p, ends);
                }
                next = behind(line_end, ends);
                if (!is_plain) break;
                if (p != line_end) {
                    if (!plain.take(p, line_end, end_, ends)) break;
                } else {
                    if (!plain.commit(end_)) break;
                    self_.offset_ = position(next);
                    if (!plain.deliver(block_)) return static_cast<std::size_t>(next - chunk_);
                }
                p = next;
            }
            if (is_plain) plain.give_up();
            self_.offset_ = position(next);
            block_.expect(ends.is_plain(p));
            if (!take_line(p, line_end) || !block_.report_failure(next))
                return static_cast<std::size_t>(next - chunk_);
            p = next;
        }
    }

  private:
    using state = parser::state;
    using field = parser::field;
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
    SSEKIT_INLINED constexpr const char* behind(const char* line_end, line_ends& ends) noexcept {
        const char* const next = line_end + 1;
        if (*line_end != '\r') return next;
        if (next == end_) {
            self_.swallow_lf_ = true;
            return next;
        }
        if (*next != '\n') return next;
        ends.skip(next);
        return next + 1;
    }

    // The chunk ends inside of the line at p, or right before it.
    constexpr std::size_t finish(const char* p, const line_ends& ends) {
        self_.offset_ = position(end_);
        block_.expect(ends.is_plain(p));
        absorb(p, end_);
        block_.spill(end_);
        (void)block_.report_failure(end_);
        return static_cast<std::size_t>(end_ - chunk_);
    }

    // A byte order mark that turns out to be none was the start of a line with an unknown name.
    constexpr const char* match_bom(const char* p) noexcept {
        while (p != end_ && self_.bom_ < bom.size()) {
            if (*p != bom[self_.bom_]) {
                if (self_.bom_ != 0) self_.state_ = state::skip;
                self_.bom_ = static_cast<std::uint8_t>(bom.size());
                return p;
            }
            ++self_.bom_;
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
        if (self_.state_ != state::line_start) {
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
        const std::string_view head = line.substr(0, parser::longest_name + 1);
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

    // What chunks cut is mostly the data of a long line.
    constexpr bool is_in_data() const noexcept {
        return self_.state_ == state::value && self_.field_ == field::data;
    }

    constexpr void absorb_from(const char* p, const char* end) {
        while (p != end) {
            switch (self_.state_) {
            case state::line_start:
                if (!for_size && static_cast<std::size_t>(end - p) >= first_bytes::count &&
                    first_bytes(p).are("data:")) { // the one that chunks cut
                    self_.field_ = field::data;
                    self_.state_ = state::colon;
                    p += 5;
                    break;
                }
                self_.state_ = *p == ':' ? state::comment : state::name;
                if (*p == ':') ++p;
                break;
            case state::name: p = absorb_name(p, end); break;
            case state::colon:
                if (*p == ' ') ++p;
                self_.state_ = state::value;
                self_.line_retry_.reset();
                if (self_.field_ == field::data) block_.begin_data_line(position(p));
                break;
            case state::value:
                if (self_.field_ == field::data)
                    return block_.append_data({p, end, position(p), true});
                if (self_.field_ == field::retry) return absorb_retry(p, end);
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
                self_.field_ = field_of({self_.name_, self_.name_size_});
                self_.state_ = self_.field_ == field::unknown ? state::skip : state::colon;
                return p + 1;
            }
            if (self_.name_size_ == parser::longest_name) {
                self_.state_ = state::skip;
                return p;
            }
            self_.name_[self_.name_size_++] = *p;
        }
        return p;
    }

    constexpr void absorb_text(const char* p, const char* end) {
        const bool comment = self_.state_ == state::comment;
        const std::size_t limit =
            comment ? self_.options_.limits.comment : block_.text_limit(self_.field_);
        const std::size_t room = limit - self_.line_buffer_.size();
        const auto size = static_cast<std::size_t>(end - p);
        if (size <= room && self_.line_buffer_.append({p, size})) return;
        self_.state_ = state::skip;
        if (size <= room) return block_.drop(errc::out_of_memory, position(p));
        if (comment) return block_.fail(errc::comment_too_long, position(p + room));
        block_.drop(block_.text_too_long(self_.field_), position(p + room));
    }

    constexpr void absorb_retry(const char* p, const char* end) noexcept {
        for (; p != end; ++p) {
            if (!self_.line_retry_) self_.line_retry_.emplace();
            if (!add_digit(*self_.line_retry_, *p)) {
                self_.state_ = state::skip;
                return;
            }
        }
    }

    constexpr void end_absorbed_line(const char* line_end) {
        if (is_in_data()) {
            self_.clear_line();
            return block_.end_data_line(position(line_end));
        }
        const state open = self_.state_;
        const std::string_view text = self_.line_buffer_.view();
        const value kept{text.data(), text.data() + text.size(), position(line_end) - text.size(),
                         false};
        const field name =
            open == state::name ? field_of({self_.name_, self_.name_size_}) : self_.field_;
        self_.clear_line();
        switch (open) {
        case state::name:
        case state::colon: return take_value(name, value_at(line_end, line_end));
        case state::value:
            if (name != field::retry) return block_.take_text(name, kept);
            if (self_.line_retry_) block_.set_retry(*self_.line_retry_);
            return;
        case state::comment: return block_.take_comment(kept);
        default: return;
        }
    }

    parser& self_;
    const char* const chunk_;
    const char* const end_;
    block_reader<Sink> block_;
};

} // namespace ssekit::detail

namespace ssekit {

constexpr const event_view* parser::next(std::string_view& input) noexcept {
    error_ = errc::ok;
    detail::pull_sink sink{event_};
    input.remove_prefix(detail::parser_run<detail::pull_sink>(*this, sink, input).run());
    return sink.found ? &event_ : nullptr;
}

template <class Sink>
constexpr std::size_t feed(parser& parser, std::string_view input, Sink&& sink) {
    using plain = std::remove_cvref_t<Sink>;
    parser.error_ = errc::ok;
    if constexpr (std::invocable<plain&, const event_view&>) {
        detail::callable_sink<std::remove_reference_t<Sink>> named{sink};
        return detail::parser_run<decltype(named)>(parser, named, input).run();
    } else {
        static_assert(detail::event_sink<plain>,
                      "a sink needs at least one of on_event, on_error, on_id, on_retry, "
                      "on_comment, on_data_chunk");
        static_assert(detail::well_formed_sink<plain>,
                      "a member of the sink can not be called with the arguments of its name");
        return detail::parser_run<std::remove_reference_t<Sink>>(parser, sink, input).run();
    }
}

} // namespace ssekit

#endif
