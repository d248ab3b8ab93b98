// SPDX-License-Identifier: MIT

#include <ssekit/hub.hpp> // outside the guard, for it includes this file at its end

#ifndef SSEKIT_DETAIL_SUBSCRIBER_HPP
#define SSEKIT_DETAIL_SUBSCRIBER_HPP

#include <algorithm>
#include <cstddef>
#include <span>

namespace ssekit::detail {

/// What the hub knows of one stream; its subscription owns it.
struct subscriber : heartbeat::entry, list_node<subscriber> {
    hub* home = nullptr; // null when the hub is gone
    void* user = nullptr;
    waker wake;
    cursor* cursors = nullptr;
    std::size_t cursor_count = 0;
    hand* in_hand = nullptr;
    frame opening;
    framing form = framing::raw;
    lag_policy on_lag = lag_policy::disconnect;
    resumption how = resumption::fresh;
    stream_end end = stream_end::open;
    bool reported = true; // to its owner, and it has not been idle since
    bool heartbeat_due = false;
    bool retry_told = false;
    bool farewell_told = false;

    ~subscriber() { delete[] cursors; }

    [[nodiscard]] std::span<cursor> all_cursors() const noexcept { return {cursors, cursor_count}; }

    [[nodiscard]] bool has_events() const noexcept {
        return std::ranges::any_of(all_cursors(),
                                   [](const cursor& c) { return c.next != c.where->log.end(); });
    }
};

} // namespace ssekit::detail

#endif
