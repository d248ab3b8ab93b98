// SPDX-License-Identifier: MIT
//
// Streams of the Model Context Protocol on a hub: what each revision needs of `hub_options`, and
// the ids of events. mcp_request.hpp has what comes before, the answer to each request.
//
// Where there are sessions, each request that is answered by a stream has a topic of its own, which
// nobody else reads, and a number. An event's id is that number and its place in the stream, "7.3":
// so a GET that brings it as Last-Event-ID names its topic, and a stream never brings what is
// another's. Since 2025-11-25 a stream's first event has an id and empty data (a priming event), so
// that a client that is cut off at once can come back. The server publishes it before anything
// else, and the stream begins with start_point::earliest:
//
//     hub.publish(topic, mcp_priming_event("7.0"));
//     hub.subscribe({.topics = topic, .tag = topic, .start = start_point::earliest});
//     hub.publish(topic, {.id = "7.1", .data = progress});
//     hub.close_topic(topic, {.id = "7.2", .data = response}, one_minute);
//
// With its topic as its tag, a stream gives way to the one that resumes it: a connection that is
// dead, and not yet known to be, does not stand in the way, and no event goes to two streams.
// `hub::evict` closes a connection early, in order; the client polls after `hub_options::retry`.
//
// In 2026-07-28 nothing has an id; a topic that nobody reads any more (`hub_options::on_topic`) is
// a request that is cancelled.
#ifndef SSEKIT_MCP_HPP
#define SSEKIT_MCP_HPP

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/event.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/mcp_request.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace ssekit::inline SSEKIT_ABI {

/// Whether a stream begins with a priming event: an older client takes each event for a message,
/// and a newer one knows no ids. Spec: 2025-11-25, "Sending Messages to the Server".
[[nodiscard]] constexpr bool has_mcp_priming(mcp_revision revision) noexcept {
    return revision == mcp_revision::v2025_11_25;
}

/// \returns options for the hub that has the streams of a revision; those of 2025-03-26 and
/// 2025-06-18 may share one. It sets `ids`, `opening`, `max_subscribers_per_tag`,
/// `on_full_tag` and, where there are ids and `more` has none, a `retry` of one second. All else is
/// as in `more`. A stream that is resumed opens with the id it was resumed from, in a form that the
/// revision's clients remember.
[[nodiscard]] inline hub_options mcp_hub_options(mcp_revision revision,
                                                 hub_options more = {}) noexcept {
    const bool has_ids = has_mcp_sessions(revision);
    more.ids = has_ids ? event_ids::by_publisher : event_ids::none;
    more.opening = has_mcp_priming(revision) ? opening_form::empty_data : opening_form::quiet;
    more.max_subscribers_per_tag = 1;
    more.on_full_tag = full_tag::oldest_gives_way;
    if (has_ids && !more.retry) more.retry = std::chrono::seconds(1);
    return more;
}

/// The id of an event: of which stream it is, and which one there.
/// Spec: 2025, "Resumability and Redelivery".
struct mcp_event_id {
    std::uint64_t stream = 0; ///< unlike that of any other stream of the hub
    std::uint64_t number = 0; ///< 0 for the priming event; it grows
};

/// Effects: appends "7.3".
template <class String>
constexpr void append_mcp_event_id(String& out, const mcp_event_id& id) {
    const detail::decimal stream(id.stream);
    const detail::decimal number(id.number);
    out.append(stream.view().data(), stream.view().size());
    out.push_back('.');
    out.append(number.view().data(), number.view().size());
}

/// \returns nullopt for what that function cannot have written: a Last-Event-ID is anybody's text.
[[nodiscard]] inline std::optional<mcp_event_id> read_mcp_event_id(std::string_view text) noexcept {
    mcp_event_id id;
    const auto take = [&](std::uint64_t& number) {
        const char* const first = text.data();
        const auto [end, error] = std::from_chars(first, first + text.size(), number);
        const auto size = static_cast<std::size_t>(end - first);
        const bool good = error == std::errc() && detail::decimal(number).view().size() == size;
        text.remove_prefix(size);
        return good;
    };
    if (!take(id.stream) || !text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
    if (!take(id.number) || !text.empty()) return std::nullopt;
    return id;
}

/// \param id as `append_mcp_event_id` writes it, with number 0. Lifetime: a view of it.
[[nodiscard]] constexpr event_view mcp_priming_event(std::string_view id) noexcept {
    return {.id = id, .data = ""};
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
