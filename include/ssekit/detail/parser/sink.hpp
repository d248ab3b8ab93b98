// SPDX-License-Identifier: MIT
//
// What `feed` takes: a sink has some of six members, and members that it lacks cost nothing.
#ifndef SSEKIT_DETAIL_PARSER_SINK_HPP
#define SSEKIT_DETAIL_PARSER_SINK_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/waker.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace ssekit::inline SSEKIT_ABI::detail {

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

// clang-format on

// Whether a class has a member of one of the names, of any kind and any number: a class that
// inherits the name from two bases cannot say which one it means.
struct each_name {
    int on_event, on_error, on_id, on_retry, on_comment, on_data_chunk;
};
template <class S>
struct with_each_name : S, each_name {};

// clang-format off
template <class S>
concept can_be_base = std::is_class_v<S> && !std::is_final_v<S>;
template <class S>
concept names_on_event = requires { &S::on_event; } ||
    (can_be_base<S> && !requires { &with_each_name<S>::on_event; });
template <class S>
concept names_on_error = requires { &S::on_error; } ||
    (can_be_base<S> && !requires { &with_each_name<S>::on_error; });
template <class S>
concept names_on_id = requires { &S::on_id; } ||
    (can_be_base<S> && !requires { &with_each_name<S>::on_id; });
template <class S>
concept names_on_retry = requires { &S::on_retry; } ||
    (can_be_base<S> && !requires { &with_each_name<S>::on_retry; });
template <class S>
concept names_on_comment = requires { &S::on_comment; } ||
    (can_be_base<S> && !requires { &with_each_name<S>::on_comment; });
template <class S>
concept names_on_data_chunk = requires { &S::on_data_chunk; } ||
    (can_be_base<S> && !requires { &with_each_name<S>::on_data_chunk; });
// clang-format on

/// A member that is never called would be ignored silently: one that has the right name but takes
/// something else, or is not const where the sink is, and one whose name is nearly right. The wrong
/// names are the likely ones; others cannot be detected.
template <class Sink>
consteval void check_names() {
    using plain = std::remove_cv_t<Sink>;
    static_assert(has_on_event<Sink> || !names_on_event<plain>,
                  "on_event must be callable as on_event(const ssekit::event_view&)");
    static_assert(has_on_error<Sink> || !names_on_error<plain>,
                  "on_error must be callable as on_error(ssekit::errc, std::uint64_t)");
    static_assert(has_on_id<Sink> || !names_on_id<plain>,
                  "on_id must be callable as on_id(std::string_view)");
    static_assert(has_on_retry<Sink> || !names_on_retry<plain>,
                  "on_retry must be callable as on_retry(std::chrono::milliseconds)");
    static_assert(has_on_comment<Sink> || !names_on_comment<plain>,
                  "on_comment must be callable as on_comment(std::string_view)");
    static_assert(has_on_data_chunk<Sink> || !names_on_data_chunk<plain>,
                  "on_data_chunk must be callable as on_data_chunk(std::string_view)");

    static_assert(
        !requires { &plain::on_events; }, "on_events is never called: it is on_event");
    static_assert(
        !requires { &plain::on_message; }, "on_message is never called: it is on_event");
    static_assert(
        !requires { &plain::on_err; }, "on_err is never called: it is on_error");
    static_assert(
        !requires { &plain::on_errors; }, "on_errors is never called: it is on_error");
    static_assert(
        !requires { &plain::on_ids; }, "on_ids is never called: it is on_id");
    static_assert(
        !requires { &plain::on_event_id; }, "on_event_id is never called: it is on_id");
    static_assert(
        !requires { &plain::on_last_event_id; }, "on_last_event_id is never called: it is on_id");
    static_assert(
        !requires { &plain::on_retries; }, "on_retries is never called: it is on_retry");
    static_assert(
        !requires { &plain::on_comments; }, "on_comments is never called: it is on_comment");
    static_assert(
        !requires { &plain::on_data; }, "on_data is never called: it is on_data_chunk");
    static_assert(
        !requires { &plain::on_chunk; }, "on_chunk is never called: it is on_data_chunk");
    static_assert(
        !requires { &plain::on_data_chunks; },
        "on_data_chunks is never called: it is on_data_chunk");
}

template <class Sink>
consteval void check_members() {
    using plain = std::remove_cv_t<Sink>;
    static_assert(event_sink<Sink> || names_on_event<plain> || names_on_error<plain> ||
                      names_on_id<plain> || names_on_retry<plain> || names_on_comment<plain> ||
                      names_on_data_chunk<plain>,
                  "a sink needs at least one of on_event, on_error, on_id, on_retry, on_comment, "
                  "on_data_chunk");
    check_names<Sink>();
}

/// Of what is called itself, instead of on_event.
template <class Callable>
consteval void check_callable() {
    static_assert(!names_on_event<std::remove_cv_t<Callable>>,
                  "on_event is never called: what can be called with an event is called itself");
    check_names<Callable>();
}

/// A sink over another one has a member only where the other has it. It has a type `passes_on`,
/// because a member that is absent looks like a misnamed one.
template <class Sink>
consteval void check_sink() {
    if constexpr (!requires { typename std::remove_cv_t<Sink>::passes_on; }) {
        if constexpr (std::invocable<Sink&, const event_view&>) {
            check_callable<Sink>();
        } else {
            check_members<Sink>();
        }
    }
}

/// Calls a function that returns bool for "go on", or nothing.
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

/// The same, and comments besides.
struct comment_pull_sink {
    event_view& event;
    callback<void(std::string_view)> on_comment;
    bool found = false;

    bool on_event(const event_view& one) noexcept {
        event = one;
        found = true;
        return false;
    }
    bool on_error(errc, std::uint64_t) const noexcept { return false; }
};

/// A callable instead of on_event, and the other members that it has.
template <class Callable>
struct callable_sink {
    using passes_on = Callable;

    Callable& on_event;

    constexpr decltype(auto) on_error(errc code, std::uint64_t at) requires has_on_error<Callable> {
        return on_event.on_error(code, at);
    }
    constexpr void on_id(std::string_view id) requires has_on_id<Callable> { on_event.on_id(id); }
    constexpr void on_retry(std::chrono::milliseconds time) requires has_on_retry<Callable> {
        on_event.on_retry(time);
    }
    constexpr void on_comment(std::string_view text) requires has_on_comment<Callable> {
        on_event.on_comment(text);
    }
    constexpr void on_data_chunk(std::string_view piece) requires has_on_data_chunk<Callable> {
        on_event.on_data_chunk(piece);
    }
};

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
