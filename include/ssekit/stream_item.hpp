// SPDX-License-Identifier: MIT
#ifndef SSEKIT_STREAM_ITEM_HPP
#define SSEKIT_STREAM_ITEM_HPP

#include <ssekit/errc.hpp>
#include <ssekit/event.hpp>

#include <cstdint>

namespace ssekit::inline SSEKIT_ABI {

/// What a loop over a stream can see besides events.
enum class item_kind : std::uint8_t {
    event,
    dropped, ///< an event that was dropped because of `parser_limits` or malformed UTF-8
    quiet,   ///< nothing, for as long as was asked for
    end,     ///< there will be no more, see `event_source::end`
};

/// Lifetime: as the event's.
struct stream_item {
    item_kind kind = item_kind::end;
    const event_view* event = nullptr; ///< of item_kind::event alone
    errc error = errc::ok;             ///< of item_kind::dropped alone
};

} // namespace ssekit::inline SSEKIT_ABI

#endif
