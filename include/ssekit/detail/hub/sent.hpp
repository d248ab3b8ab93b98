// SPDX-License-Identifier: MIT
//
// Events for one stream alone. Each leaves after what was published before it was sent.
#ifndef SSEKIT_DETAIL_HUB_SENT_HPP
#define SSEKIT_DETAIL_HUB_SENT_HPP

#include <ssekit/detail/hub/state.hpp>
#include <ssekit/frame.hpp>

#include <cstdint>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: the last of what was sent to the stream. \returns false without memory.
[[nodiscard]] inline bool queue(hub_state& hub, side& extra, frame event) noexcept {
    const std::uint32_t item = hub.sent.make(sent_event{std::move(event), hub.last_offset});
    if (item == 0) return false;
    (extra.sent_first == 0 ? extra.sent_first : hub.sent[extra.sent_last].next) = item;
    extra.sent_last = item;
    ++extra.sent_count;
    return true;
}

/// \returns what was sent to the stream before the event of that offset, or where nothing waits. At
/// offset 0 stands only the beginning of an epoch, which all that was sent before it precedes.
[[nodiscard]] inline frame take_sent(hub_state& hub, side& extra, bool nothing_waits,
                                     std::uint64_t before) noexcept {
    const std::uint32_t first = extra.sent_first;
    if (first == 0) return {};
    const std::uint64_t after = hub.sent[first].after;
    const bool comes_later = before == 0 ? after != 0 : after >= before;
    if (!nothing_waits && comes_later) return {};
    frame out = std::move(hub.sent[first].frame);
    extra.sent_first = hub.sent[first].next;
    --extra.sent_count;
    hub.sent.destroy(first);
    return out;
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
