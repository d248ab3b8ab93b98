// SPDX-License-Identifier: MIT
//
// What stands between `feed` and the sink of an event source's owner: it hands on every member that
// the sink has, and nothing any more once the source is not open.
#ifndef SSEKIT_DETAIL_SOURCE_OPEN_SINK_HPP
#define SSEKIT_DETAIL_SOURCE_OPEN_SINK_HPP

#include <ssekit/detail/parser/sink.hpp>
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
/// \tparam Watcher is told of what comes, before it is handed on, and knows whether there may be
/// more of it
template <class Sink, class Watcher>
struct open_sink {
    using passes_on = Sink;

    Sink& sink;
    Watcher watcher;
    bool has_stopped = false; // by on_event or on_error

    bool on_event(const event_view& event) {
        watcher.note_event(event);
        if constexpr (std::invocable<Sink&, const event_view&>) {
            return call([&] { return sink(event); });
        } else if constexpr (has_on_event<Sink>) {
            return call([&] { return sink.on_event(event); });
        } else {
            return goes_on_if(true);
        }
    }
    bool on_error(errc code, std::uint64_t at) {
        watcher.note_error(code, at);
        if constexpr (has_on_error<Sink>) {
            return call([&] { return sink.on_error(code, at); });
        } else {
            return goes_on_if(true);
        }
    }
    void on_id(std::string_view id) requires has_on_id<Sink> {
        if (watcher.is_open()) sink.on_id(id);
    }
    void on_retry(std::chrono::milliseconds time) requires has_on_retry<Sink> {
        if (watcher.is_open()) sink.on_retry(time);
    }
    void on_comment(std::string_view text) requires has_on_comment<Sink> {
        if (watcher.is_open()) sink.on_comment(text);
    }
    void on_data_chunk(std::string_view piece) requires has_on_data_chunk<Sink> {
        if (!piece.empty()) watcher.note_piece();
        if (watcher.is_open()) sink.on_data_chunk(piece);
    }

  private:
    template <class Call>
    bool call(Call&& each) {
        return goes_on_if(watcher.is_open() && goes_on(each));
    }
    bool goes_on_if(bool wants_more) {
        has_stopped = !wants_more || !watcher.is_open() || watcher.is_over();
        return !has_stopped;
    }
};

template <class Sink, class Watcher>
open_sink(Sink&, Watcher) -> open_sink<Sink, Watcher>;

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
