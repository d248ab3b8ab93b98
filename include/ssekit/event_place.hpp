// SPDX-License-Identifier: MIT
//
// The ids that hubs and sequences give, as numbers and as text: "1k.42" is the epoch in base 36, a
// dot, and the offset. A Last-Event-ID is whatever a client sends, so reading one can fail; what is
// read and written again is the same text, byte by byte.
//
// Where publishers give the ids (event_ids::by_publisher) a text may look like one of these and be
// something else.
#ifndef SSEKIT_EVENT_PLACE_HPP
#define SSEKIT_EVENT_PLACE_HPP

#include <ssekit/detail/log/event_ids.hpp>
#include <ssekit/errc.hpp>

#include <compare>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI {

/// A place in the events of a hub, or of a sequence that several hubs share: the event with this
/// offset, or the end of what was published up to it. 0 is the place before the first event.
struct event_place {
    std::uint64_t epoch = 0;
    std::uint64_t offset = 0;

    /// The order of publishing within one epoch; between epochs it says nothing.
    friend auto operator<=>(const event_place&, const event_place&) = default;
};

struct [[nodiscard]] event_place_result {
    event_place id; ///< {0, 0} when ec is not errc::ok
    errc ec;
};

/// \returns the id that the text stands for; errc::malformed_id for a text that no hub writes: a
/// capital letter, a zero too many, a number of more than 64 bits, a space.
/// Complexity: O(1), for what is longer than an id can be is refused by its length.
[[nodiscard]] inline event_place_result parse_event_id(std::string_view text) noexcept {
    constexpr event_place_result malformed{{}, errc::malformed_id};
    const auto parsed = detail::parse_id(text.substr(0, detail::longest_event_id + 1));
    if (!parsed || (parsed->epoch.size() > 1 && parsed->epoch[0] == '0')) return malformed;
    event_place id{0, parsed->offset};
    for (const char c : parsed->epoch) {
        const auto digit = static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
        if (id.epoch > (~std::uint64_t{0} - digit) / 36) return malformed;
        id.epoch = id.epoch * 36 + digit;
    }
    return {id, errc::ok};
}

/// \returns the id as it stands on the wire, in an object with `view()`, which converts to
/// std::string_view. Lifetime: the view, that of the object.
[[nodiscard]] inline detail::event_id_text text_of(const event_place& id) noexcept {
    return {detail::epoch_text(id.epoch), id.offset};
}

} // namespace ssekit::inline SSEKIT_ABI

#endif
