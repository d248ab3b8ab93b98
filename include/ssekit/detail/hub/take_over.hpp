// SPDX-License-Identifier: MIT
//
// Where a tag has as many streams as it may have, its oldest one can give way to a new one.
//
// Two clients that both come back by themselves would take the last place from each other for ever.
// So the one that gives way is told to wait, and each time that this happens again soon, which is
// within twice the last wait, the wait doubles: they take turns ever more rarely.
#ifndef SSEKIT_DETAIL_HUB_TAKE_OVER_HPP
#define SSEKIT_DETAIL_HUB_TAKE_OVER_HPP

#include <ssekit/detail/hub/deadlines.hpp>
#include <ssekit/detail/hub/ending.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/topic.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/encoder.hpp>
#include <ssekit/event.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// How long those wait that give way one after another.
struct give_way_wait {
    std::chrono::milliseconds first{}; ///< zero: nothing is told
    std::chrono::milliseconds most{};

    constexpr give_way_wait(std::chrono::milliseconds least,
                            std::chrono::milliseconds longest) noexcept
        : first(time_limits::bounded(least)),
          most((std::max)(first, time_limits::bounded(longest))) {}

    /// \returns the wait after so many before it.
    [[nodiscard]] constexpr std::chrono::milliseconds after(std::uint8_t turns) const noexcept {
        std::chrono::milliseconds wait = first;
        for (; turns != 0 && wait < most; --turns) wait *= 2;
        return (std::min)(wait, most);
    }
    /// \param turns how often one has given way in this row, counted on
    /// \param last when one gave way last
    [[nodiscard]] constexpr std::chrono::milliseconds next(std::uint8_t& turns, time_point last,
                                                           time_point now) const noexcept {
        if (turns != 0 && now - last > 2 * after(static_cast<std::uint8_t>(turns - 1))) turns = 0;
        const std::chrono::milliseconds wait = after(turns);
        // At most 35 doublings lead to a year. One more is counted, so that the last wait is known.
        if (turns == 0 || after(static_cast<std::uint8_t>(turns - 1)) < wait) ++turns;
        return wait;
    }
};

/// \returns the stream that ends for a new one with this tag; 0 for none.
[[nodiscard]] inline std::uint32_t next_to_give_way(const hub_state& hub,
                                                    std::string_view tag) noexcept {
    if (hub.options.on_full_tag == full_tag::refuse || tag.empty()) return 0;
    const std::uint32_t found = hub.topics.find(topic_kind::tag, tag);
    if (found == 0) return 0;
    const topic& all = hub.topics[found];
    if (all.readers == 0 || all.readers < hub.options.max_subscribers_per_tag) return 0;
    return hub.cursors[all.tagged.next].owner; // they are in the order of joining
}

/// Effects: the stream gives out what it has in hand, and its last words if there are any, and
/// ends. Without memory, or where nothing more fits into its hand, it ends without them.
inline void give_way(hub_state& hub, std::uint32_t stream) noexcept {
    subscriber& item = hub.streams[stream];
    topic& tag = hub.topics[hub.sides.of(stream).tag];
    const give_way_wait waits(hub.options.give_way_retry, hub.options.give_way_retry_max);
    const std::chrono::milliseconds wait =
        waits.next(tag.gave_way, std::exchange(tag.gave_way_at, hub.clock.now), hub.clock.now);
    event_view last{.type = hub.options.give_way_type.view()};
    if (!last.type.empty()) last.data = "";
    if (wait.count() != 0) last.retry = time_limits::for_clients(wait);
    if (last.data || last.retry) {
        frame words = hub.say(last).frame;
        if (item.hand == 0 && words) {
            static_cast<void>(hub.hands.take(std::move(words), hub.clock.coarse_now, item.hand));
        } else if (words) {
            hub.hands[item.hand].add(std::move(words));
        }
    }
    end_stream(hub, stream, stream_end::replaced);
    signal(hub, stream);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
