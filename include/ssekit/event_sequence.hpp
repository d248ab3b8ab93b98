// SPDX-License-Identifier: MIT
//
// Ids and frames for several hubs that publish the same events, for instance one hub for each event
// loop. A sequence gives each event its id and encodes it, once for all of them, and every hub of
// the same epoch publishes it unchanged. A client may then come back to any of them with its
// Last-Event-ID.
//
//     publisher:  lock; event = sequence.make("orders", {...}); post it to every loop; unlock
//     each loop:  hub.publish_sequenced("orders", event)   (a hub of event_ids::by_sequence)
//
// The lock, or whatever else puts all events in one order, is held over both steps, so that every
// loop sees the events in the order of their offsets.
#ifndef SSEKIT_EVENT_SEQUENCE_HPP
#define SSEKIT_EVENT_SEQUENCE_HPP

#include <ssekit/detail/log/event_ids.hpp>
#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>
#include <ssekit/event_key.hpp>
#include <ssekit/frame.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace ssekit::inline SSEKIT_ABI {

/// An event with its place in a sequence. It may go to any thread, as a frame may.
struct sequenced_event {
    ssekit::frame frame; ///< empty when ec is not errc::ok, and of a mark
    std::uint64_t epoch = 0;
    std::uint64_t offset = 0;
    errc ec = errc::ok;
    /// For a hub that is given only some of the events, by topics that somebody reads: the offset
    /// of the one before it of those; what lies between is nobody's there. nullopt: the hub is
    /// given all. See `hub_options::by_interest`.
    std::optional<std::uint64_t> previous = {};
};

/// Thread safety: as an int.
class event_sequence {
  public:
    /// Preconditions: as for `hub`; the hubs that publish its events have the same epoch.
    /// \param last the offset of the newest event that exists already
    explicit event_sequence(std::uint64_t epoch, std::uint64_t last = 0) noexcept
        : epoch_(epoch), text_(epoch), last_(last) {}

    /// \param topic the first of the topics that it is for \param key as for `hub::publish`
    /// \returns the event, or why there is none, as `hub::publish` does; in that case no offset is
    /// used up.
    [[nodiscard]] sequenced_event make(std::string_view topic, const event_view& event,
                                       event_key key = {}) noexcept {
        if (event.id) return refuse(errc::id_is_assigned);
        if (key.removes() && key.view().empty()) return refuse(errc::key_is_missing);
        if (const errc code = detail::admit_to_hub(event); code != errc::ok) return refuse(code);
        const detail::event_id_text id(text_, last_ + 1);
        event_view numbered = event;
        numbered.id = id.view();
        auto [made, code] =
            frame::make(numbered, utf8_policy::pass_through, {topic, key.view(), key.removes()});
        if (code != errc::ok) return refuse(code);
        return {std::move(made), epoch_, ++last_, errc::ok, {}};
    }

    /// \returns an offset that is no event: a mark, for whoever keeps the events to say something
    /// to himself in their order. A hub passes over it.
    [[nodiscard]] sequenced_event mark() noexcept {
        return {frame(), epoch_, ++last_, errc::ok, {}};
    }

    /// The offset of the newest event.
    [[nodiscard]] std::uint64_t last() const noexcept { return last_; }

  private:
    static sequenced_event refuse(errc code) noexcept { return {frame(), 0, 0, code, {}}; }

    std::uint64_t epoch_;
    detail::epoch_text text_;
    std::uint64_t last_;
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
