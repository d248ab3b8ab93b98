// SPDX-License-Identifier: MIT
//
// What stands between `feed` and the sink of an event source's owner: it hands on every member that
// the sink has, and nothing any more once the source is not open.
#ifndef SSEKIT_DETAIL_SOURCE_OPEN_SINK_HPP
#define SSEKIT_DETAIL_SOURCE_OPEN_SINK_HPP

#include <ssekit/detail/parser/sink.hpp>
#include <ssekit/detail/source/state.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// An event with text shows that a server works; one without may be just its opening block.
[[nodiscard]] constexpr bool is_progress(const event_view& event) noexcept {
    return !event.data.value_or(std::string_view()).empty();
}

/// A sink for `feed` over another one.
/// \param Note called with each event before it is handed on
template <class Sink, class Note>
struct open_sink {
    using passes_on = Sink;

    Sink& sink;
    const source_state& state;
    bool& progress;
    const bool& is_over; // the last event has been handed on
    Note note;

    bool on_event(const event_view& event) {
        note(event);
        if constexpr (std::invocable<Sink&, const event_view&>) {
            return call([&] { return sink(event); });
        } else if constexpr (has_on_event<Sink>) {
            return call([&] { return sink.on_event(event); });
        } else {
            return state.is_open() && !is_over;
        }
    }
    bool on_error(errc code, std::uint64_t at) {
        if constexpr (has_on_error<Sink>) {
            return call([&] { return sink.on_error(code, at); });
        } else {
            return state.is_open();
        }
    }
    void on_id(std::string_view id) requires has_on_id<Sink> {
        if (state.is_open()) sink.on_id(id);
    }
    void on_retry(std::chrono::milliseconds time) requires has_on_retry<Sink> {
        if (state.is_open()) sink.on_retry(time);
    }
    void on_comment(std::string_view text) requires has_on_comment<Sink> {
        if (state.is_open()) sink.on_comment(text);
    }
    void on_data_chunk(std::string_view piece) requires has_on_data_chunk<Sink> {
        progress = progress || !piece.empty();
        if (state.is_open()) sink.on_data_chunk(piece);
    }

  private:
    template <class Call>
    bool call(Call&& each) {
        if (!state.is_open()) return false;
        const bool wants_more = goes_on(each);
        return wants_more && state.is_open() && !is_over;
    }
};

template <class Sink, class Note>
open_sink(Sink&, const source_state&, bool&, const bool&, Note) -> open_sink<Sink, Note>;

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
