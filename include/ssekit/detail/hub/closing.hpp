// SPDX-License-Identifier: MIT
//
// How a hub closes. Who goes on is decided once, when it begins: what was named is marked at the
// topics and streams themselves, so nothing of the caller is kept. parting.hpp says what the marks
// do. At the deadline `tick` cuts what is left, also what has put off its leaving.
#ifndef SSEKIT_DETAIL_HUB_CLOSING_HPP
#define SSEKIT_DETAIL_HUB_CLOSING_HPP

#include <ssekit/detail/hub/deadlines.hpp>
#include <ssekit/detail/hub/parting.hpp>
#include <ssekit/detail/hub/presence.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/view.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Effects: the topics that are named take events from now on as if the hub did not close, the
/// streams that read one of them put off their leaving, and so do those that the filter names; what
/// these read takes events as well.
inline void mark_unfinished(hub_state& hub, const topic_list& names,
                            const subscriber_filter& filter) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::uint32_t found = hub.topics.find(topic_kind::name, names[i]);
        if (found != 0) hub.topics[found].unfinished = true;
    }
    const auto put_off = [&](std::uint32_t stream) {
        subscriber& item = hub.streams[stream];
        item.set_parting(parting::put_off);
        item.last_given = 0; // also of a proper end of its own there is more to say
    };
    const auto for_each_open = [&](auto&& call) {
        hub.streams.for_each([&](std::uint32_t stream) {
            if (hub.streams[stream].end() == stream_end::open) call(stream);
        });
    };
    for_each_open([&](std::uint32_t stream) {
        if (reads_unfinished(hub, stream)) put_off(stream);
    });
    if (!filter) return;
    for_each_open([&](std::uint32_t stream) {
        if (!filter(info(hub, stream))) return;
        put_off(stream);
        for_each_seat(hub, hub.streams[stream], stream, [&](std::uint32_t, std::uint32_t topic) {
            hub.topics[topic].unfinished = true;
        });
    });
}

/// Effects: see hub::close. \returns why the farewell cannot be sent, with nothing done.
[[nodiscard]] inline errc close(hub_state& hub, const close_options& options) noexcept {
    const time_point cut_at = options.deadline.count() == 0
                                  ? never
                                  : hub.clock.now + time_limits::bounded(options.deadline);
    if (hub.closing) {
        hub.cut_at = (std::min)(hub.cut_at, cut_at);
        return errc::ok;
    }
    frame_result last{};
    if (options.farewell.data) {
        event_view farewell = options.farewell;
        farewell.id.reset(); // clients would come back with it, and the hub gives the ids
        last = hub.encode(farewell);
        if (last.ec != errc::ok) return last.ec;
    }
    mark_unfinished(hub, options.unfinished, options.is_unfinished);
    hub.begin_closing();
    forget_departures(hub);
    hub.farewell = std::move(last.frame);
    if ((std::max)(options.retry_min, options.retry_max).count() > 0) {
        hub.retry_min = time_limits::for_clients(options.retry_min);
        hub.retry_max = (std::max)(hub.retry_min, time_limits::for_clients(options.retry_max));
    }
    hub.cut_at = cut_at;
    hub.streams.for_each([&](std::uint32_t stream) {
        if (hub.streams[stream].end() == stream_end::open && is_leaving(hub, stream)) {
            signal(hub, stream);
        }
    });
    return errc::ok;
}

/// \returns see hub::refused_retry.
[[nodiscard]] inline std::chrono::milliseconds refused_retry(hub_state& hub) noexcept {
    const bool told = hub.closing && hub.retry_max.count() > 0;
    const auto least =
        told ? hub.retry_min : time_limits::for_clients(hub.options.refused_retry_min);
    const auto most =
        told ? hub.retry_max : time_limits::for_clients(hub.options.refused_retry_max);
    return draw_retry(hub, least, (std::max)(least, most));
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
