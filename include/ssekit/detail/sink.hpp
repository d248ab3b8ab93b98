// SPDX-License-Identifier: MIT
//
// What `feed` takes: a sink has some of six members, and those it lacks cost nothing.
#ifndef SSEKIT_DETAIL_SINK_HPP
#define SSEKIT_DETAIL_SINK_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string_view>

namespace ssekit::detail {

// clang-format 14 takes these for expressions.
// clang-format off
template <class S>
concept has_on_event = requires(S& s, const event_view& event) { s.on_event(event); };
template <class S>
concept has_on_error = requires(S& s, errc code, std::uint64_t at) { s.on_error(code, at); };
template <class S>
concept has_on_id = requires(S& s, std::string_view id) { s.on_id(id); };
template <class S>
concept has_on_retry = requires(S& s, std::chrono::milliseconds time) { s.on_retry(time); };
template <class S>
concept has_on_comment = requires(S& s, std::string_view text) { s.on_comment(text); };
template <class S>
concept has_on_data_chunk = requires(S& s, std::string_view piece) { s.on_data_chunk(piece); };
template <class S>
concept event_sink = has_on_event<S> || has_on_error<S> || has_on_id<S> || has_on_retry<S> ||
                     has_on_comment<S> || has_on_data_chunk<S>;

// A member that has one of the names but can not be called would be passed over in silence.
template <class S>
concept well_formed_sink = (has_on_event<S> || !requires { &S::on_event; }) &&
                           (has_on_error<S> || !requires { &S::on_error; }) &&
                           (has_on_id<S> || !requires { &S::on_id; }) &&
                           (has_on_retry<S> || !requires { &S::on_retry; }) &&
                           (has_on_comment<S> || !requires { &S::on_comment; }) &&
                           (has_on_data_chunk<S> || !requires { &S::on_data_chunk; });
// clang-format on

/// Calls what may return bool for "go on", or nothing at all.
template <class Call>
constexpr bool goes_on(Call&& call) {
    if constexpr (std::same_as<decltype(call()), bool>) {
        return call();
    } else {
        call();
        return true;
    }
}

/// Takes one event or error at a time: `parser::next`. The event is made where it is to stay:
/// copying what has just been written in smaller pieces makes a processor wait.
struct pull_sink {
    event_view& event;
    bool found = false;

    constexpr bool on_event(const event_view&) noexcept {
        found = true;
        return false;
    }
    constexpr bool on_error(errc, std::uint64_t) const noexcept { return false; }
};

/// A plain callable in the place of on_event.
template <class Callable>
struct callable_sink {
    Callable& on_event;
};

} // namespace ssekit::detail

#endif
