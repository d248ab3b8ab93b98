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

#include <ssekit/detail/base/decimal.hpp>
#include <ssekit/detail/frame/growing_block.hpp>
#include <ssekit/detail/log/event_ids.hpp>
#include <ssekit/encoder.hpp>
#include <ssekit/errc.hpp>
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

/// Effects: appends a string of JSON, quotes included. \returns false without memory.
/// Spec: RFC 8259, 7 "Strings".
[[nodiscard]] inline bool put_json(growing_block& out, std::string_view text) noexcept {
    bool room = out.append("\"");
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            const char escaped[] = {'\\', c};
            room = room && out.append({escaped, 2});
        } else if (byte < 0x20) {
            constexpr std::string_view digits = "0123456789abcdef";
            const char escaped[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
            room = room && out.append({escaped, 6});
        } else {
            room = room && out.append({&c, 1});
        }
    }
    return room && out.append("\"");
}

/// What is said of events that are missing; nothing of what is not known.
struct missing_words {
    std::uint64_t events = 0;
    std::string_view from = {}; ///< the id after which they are missing
    std::string_view through = {};
};

/// Effects: appends what is known, as members of an object. \returns false without memory.
[[nodiscard]] inline bool put_missing(growing_block& out, const missing_words& missing) noexcept {
    bool room = true;
    if (missing.events != 0) {
        room = out.append(R"(,"missed":)") && out.append(decimal(missing.events).view());
    }
    if (!missing.from.empty()) {
        room = room && out.append(R"(,"from":)") && put_json(out, missing.from);
    }
    if (!missing.through.empty()) {
        room = room && out.append(R"(,"through":)") && put_json(out, missing.through);
    }
    return room;
}

/// \returns the event of opening_form::verdict.
/// \param with the id and reconnection time that it carries
[[nodiscard]] inline frame_result make_verdict(event_type type, resumption how,
                                               const missing_words& missing, event_view with,
                                               memory_resource* memory) noexcept {
    growing_block text(memory);
    bool room = text.append(R"({"resumption":)") && put_json(text, word_for(how));
    if (with.id) room = room && text.append(R"(,"cursor":)") && put_json(text, *with.id);
    room = room && put_missing(text, missing) && text.append("}");
    if (!room) return {frame(), errc::out_of_memory};
    with.type = type;
    const std::string_view data = text.wire();
    with.data = data;
    return frame::make(with, utf8_policy::pass_through, {}, memory);
}

/// \returns the event of hub_options::caught_up_type.
/// \param with the id that it carries
[[nodiscard]] inline frame_result make_caught_up(event_type type, event_view with,
                                                 memory_resource* memory) noexcept {
    growing_block text(memory);
    bool room = text.append("{");
    if (with.id) room = room && text.append(R"("cursor":)") && put_json(text, *with.id);
    if (!room || !text.append("}")) return {frame(), errc::out_of_memory};
    with.type = type;
    const std::string_view data = text.wire();
    with.data = data;
    return frame::make(with, utf8_policy::pass_through, {}, memory);
}

/// \returns a gap event: {"reason":"lagged","missed":12,"from":"1k.30","through":"1k.42"}.
/// \param with the id and reconnection time that it carries
[[nodiscard]] inline frame_result make_gap(event_type type, std::string_view reason,
                                           const missing_words& missing, event_view with,
                                           memory_resource* memory) noexcept {
    growing_block text(memory);
    const bool room = text.append(R"({"reason":)") && put_json(text, reason) &&
                      put_missing(text, missing) && text.append("}");
    if (!room) return {frame(), errc::out_of_memory};
    with.type = type;
    const std::string_view data = text.wire();
    with.data = data;
    return frame::make(with, utf8_policy::pass_through, {}, memory);
}

} // namespace ssekit::inline SSEKIT_ABI::detail

#endif
