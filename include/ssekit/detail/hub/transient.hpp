// SPDX-License-Identifier: MIT
//
// How an event that is not kept gets to those who listen now: into the companion of each topic and
// pattern that somebody reads, or into none. It takes an offset, so that it has its place among the
// others, and no id: clients do not come back with it.
#ifndef SSEKIT_DETAIL_HUB_TRANSIENT_HPP
#define SSEKIT_DETAIL_HUB_TRANSIENT_HPP

#include <ssekit/detail/hub/parting.hpp>
#include <ssekit/detail/hub/publishing.hpp>
#include <ssekit/detail/hub/state.hpp>
#include <ssekit/detail/hub/waiting.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/topic_list.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

[[nodiscard]] inline frame_result encode_transient(const hub_state& hub, const event_view& event,
                                                   const frame_label& label) noexcept {
    if (hub.options.ids == event_ids::by_sequence) return {frame(), errc::out_of_sequence};
    if (event.id) return {frame(), errc::id_is_assigned};
    if (const errc code = admit_to_hub(event); code != errc::ok) return {frame(), code};
    return hub.encode(event, label);
}

/// Effects: the event is in the companions of all of the topics, or in none.
/// \param for_each_topic calls what it is given with each topic, perhaps more than once
template <class ForEachTopic>
[[nodiscard]] publish_result append_transient(hub_state& hub, const frame& event,
                                              ForEachTopic&& for_each_topic) noexcept {
    const auto for_each_read = [&](auto&& call) {
        for_each_topic([&](std::uint32_t topic) {
            if (hub.topics[topic].readers != 0) call(topic);
        });
    };
    const bool key = !event.label().key.empty();
    bool room = true;
    for_each_read([&](std::uint32_t topic) {
        room = room && hub.topics.reserve_transient(topic, key, hub.clock.now);
    });
    if (!room) {
        for_each_read(
            [&](std::uint32_t topic) { hub.topics.forget_unused_companion(topic, hub.clock.now); });
        return {0, errc::out_of_memory};
    }
    const std::uint64_t offset = hub.last_offset + 1;
    for_each_read([&](std::uint32_t topic) {
        hub.unusual = true;
        hub.topics.append_transient(topic, event, offset, hub.clock.now,
                                    [&](std::uint32_t told) { report_idle(hub, told); });
    });
    hub.last_offset = offset;
    ++hub.metrics.published;
    return {offset, errc::ok};
}

[[nodiscard]] inline publish_result publish_transient(hub_state& hub, topic_kind kind,
                                                      const topic_list& names,
                                                      const event_view& event,
                                                      std::string_view key) noexcept {
    if (is_shut(hub, kind, names)) return {0, errc::closed};
    const auto [made, refused] = encode_transient(hub, event, label_of(names, key));
    if (refused != errc::ok) return {0, refused};
    if (names.empty()) return {0, errc::invalid_topic};
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!hub.topics.may_be_named(names[i])) return {0, errc::invalid_topic};
        const std::uint32_t found = hub.topics.find(kind, names[i]);
        if (found != 0 && hub.topics[found].closed) return {0, errc::topic_closed};
    }
    return append_transient(hub, made, [&](auto&& call) {
        for (std::size_t i = 0; i < names.size(); ++i) {
            hub.topics.for_each_fed(kind, names[i], call);
        }
    });
}

[[nodiscard]] inline publish_result
publish_transient_to_all(hub_state& hub, const event_view& event, std::string_view key) noexcept {
    if (hub.closing) return {0, errc::closed};
    const auto [made, refused] = encode_transient(hub, event, {{}, key});
    if (refused != errc::ok) return {0, refused};
    return append_transient(hub, made, [&](auto&& call) {
        for (const topic_kind kind : {topic_kind::name, topic_kind::pattern}) {
            hub.topics.for_each(kind, [&](std::uint32_t topic) {
                if (!hub.topics[topic].closed) call(topic);
            });
        }
    });
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
