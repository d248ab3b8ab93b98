// SPDX-License-Identifier: MIT
//
// What a Last-Event-ID is worth, and the block that a stream opens with.
//
// The opening block carries the id of the last event that the stream will not bring, without data,
// so that a client which is cut off before the first event still comes back to the right place. A
// gap goes in the same block: in one of its own it could be cut off after the id, and then the next
// stream would resume from there as if nothing were missing.
#ifndef SSEKIT_DETAIL_HUB_RESUME_HPP
#define SSEKIT_DETAIL_HUB_RESUME_HPP

#include <ssekit/detail/hub/object_text.hpp>
#include <ssekit/detail/log/event_ids.hpp>
#include <ssekit/event.hpp>
#include <ssekit/frame.hpp>
#include <ssekit/hub_options.hpp>
#include <ssekit/memory.hpp>
#include <ssekit/subscribe_options.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ssekit::inline SSEKIT_ABI::detail {

/// Where a client stands.
struct resume_point {
    resumption how = resumption::fresh;
    std::uint64_t seen = 0;                ///< it has what was published through this offset
    start_point begin = start_point::live; ///< earliest: with what comes after `seen`
    bool fetches = false;                  ///< what comes after `seen` it is fed: history.hpp
};

/// \param ahead how far after `newest` an offset may be
[[nodiscard]] inline resume_point resume_from(std::string_view id, const epoch_text& epoch,
                                              std::uint64_t newest, std::uint64_t ahead) noexcept {
    if (id.empty()) return {};
    const auto parsed = parse_id(id);
    if (!parsed) return {resumption::malformed};
    if (parsed->epoch != epoch.view()) return {resumption::unknown};
    if (parsed->offset > newest && parsed->offset - newest > ahead) return {resumption::future};
    return {resumption::resumed, parsed->offset};
}

/// What openings and gap events call it.
[[nodiscard]] constexpr std::string_view word_for(resumption how) noexcept {
    constexpr std::string_view words[] = {"fresh",   "resumed", "malformed",
                                          "unknown", "expired", "future"};
    return words[static_cast<std::size_t>(how)];
}

/// What is said of events that are missing; nothing of what is not known.
struct missing_words {
    std::uint64_t events = 0;
    std::string_view from = {}; ///< the id after which they are missing
    std::string_view through = {};
};

inline void add_missing(object_text& out, const missing_words& missing) noexcept {
    if (missing.events != 0) out.add("missed", missing.events);
    if (!missing.from.empty()) out.add("from", missing.from);
    if (!missing.through.empty()) out.add("through", missing.through);
}

/// \returns the event of opening_form::verdict.
/// \param with the id and reconnection time that it carries
[[nodiscard]] inline frame_result make_verdict(const hub_options& options, resumption how,
                                               const missing_words& missing,
                                               event_view with) noexcept {
    object_text text(options.memory, options.order);
    text.add("resumption", word_for(how));
    if (with.id) text.add("cursor", *with.id);
    add_missing(text, missing);
    return text.event(options.opening_type, with);
}

/// \returns the event of hub_options::caught_up_type.
/// \param with the id that it carries
[[nodiscard]] inline frame_result make_caught_up(const hub_options& options,
                                                 event_view with) noexcept {
    object_text text(options.memory, options.order);
    if (with.id) text.add("cursor", *with.id);
    return text.event(options.caught_up_type, with);
}

/// \returns a gap event: {"reason":"lagged","missed":12,"from":"1k.30","through":"1k.42"}.
/// \param with the id and reconnection time that it carries
[[nodiscard]] inline frame_result make_gap(const hub_options& options, std::string_view reason,
                                           const missing_words& missing, event_view with) noexcept {
    object_text text(options.memory, options.order);
    text.add("reason", reason);
    add_missing(text, missing);
    return text.event(options.gap_type, with);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
