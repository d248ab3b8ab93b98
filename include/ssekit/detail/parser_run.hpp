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
#include <ssekit/detail/scan.hpp>
#include <ssekit/detail/sink.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace ssekit::detail {

template <class Sink>
class parser_run {
  public:
    constexpr parser_run(parser& self, Sink& sink, std::string_view input) noexcept
        : self_(self), chunk_(input.data()), end_(chunk_ + input.size()),
          block_(self, sink, chunk_, self.offset_) {}

    /// \returns how many bytes were taken.
    constexpr std::size_t run() {
        const char* p = chunk_;
        if (self_.swallow_lf_ && p != end_) {
            self_.swallow_lf_ = false;
            if (*p == '\n') ++p;
        }
        if (self_.bom_ < bom.size() && self_.options_.strip_bom) p = match_bom(p);
        line_ends ends(p, end_);
        for (const char* line_end = ends.next(); line_end != end_; line_end = ends.next()) {
            const char* next = line_end + 1;
            if (*line_end == '\r') {
                if (next == end_) {
                    self_.swallow_lf_ = true;
                } else if (*next == '\n') {
                    ends.skip(next);
                    ++next;
                }
            }
            self_.offset_ = position(next);
            bool goes_on = true;
            if (self_.state_ != parser::state::line_start) {
                absorb(p, line_end);
                end_absorbed_line(line_end);
            } else if (p != line_end) {
                whole_line(p, line_end);
            } else {
                goes_on = block_.blank_line(line_end);
            }
            if (!goes_on || !block_.report_failure(next))
                return static_cast<std::size_t>(next - chunk_);
            p = next;
        }
        self_.offset_ = position(end_);
        absorb(p, end_);
        block_.spill(end_);
        (void)block_.report_failure(end_);
        return static_cast<std::size_t>(end_ - chunk_);
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

    // Comparing with a literal of known size compiles to one or two loads.
    template <std::size_t N>
    static constexpr bool begins(const char* p, const char* end, const char (&name)[N]) noexcept {
        return static_cast<std::size_t>(end - p) >= N - 1 &&
               std::char_traits<char>::compare(p, name, N - 1) == 0;
    }

    constexpr void whole_line(const char* p, const char* end) {
        switch (*p) {
        case 'd':
            if (begins(p, end, "data:")) return block_.take_data(value_at(p + 5, end));
            break;
        case 'i':
            if (begins(p, end, "id:")) return block_.take_text(field::id, value_at(p + 3, end));
            break;
        case 'e':
            if (begins(p, end, "event:"))
                return block_.take_text(field::event, value_at(p + 6, end));
            break;
        case 'r':
            if (begins(p, end, "retry:")) return block_.take_retry(value_at(p + 6, end));
            break;
        case ':': return block_.take_comment({p + 1, end, position(p + 1), true});
        default: return;
        }
        const std::string_view name(p, static_cast<std::size_t>(end - p));
        if (name.size() <= parser::longest_name) take_empty(field_of(name), end);
    }

    constexpr void take_empty(field name, const char* line_end) {
        const value empty{line_end, line_end, position(line_end), true};
        if (name == field::data) return block_.take_data(empty);
        if (name == field::id || name == field::event) return block_.take_text(name, empty);
    }

    // ---- a line in pieces

    constexpr void absorb(const char* p, const char* end) {
        while (p != end) {
            switch (self_.state_) {
            case state::line_start:
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
        const state open = self_.state_;
        const std::string_view text = self_.line_buffer_.view();
        const value kept{text.data(), text.data() + text.size(), position(line_end) - text.size(),
                         false};
        const field name =
            open == state::name ? field_of({self_.name_, self_.name_size_}) : self_.field_;
        self_.clear_line();
        switch (open) {
        case state::name:
        case state::colon: return take_empty(name, line_end);
        case state::value:
            if (name == field::data) return block_.end_data_line(position(line_end));
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
    detail::pull_sink sink;
    input.remove_prefix(detail::parser_run<detail::pull_sink>(*this, sink, input).run());
    return sink.event;
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
