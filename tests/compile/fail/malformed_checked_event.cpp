// expect: malformed_event_literal
// SPDX-License-Identifier: MIT
#include <ssekit/event.hpp>

ssekit::event_view literal() {
#ifdef CORRECTED
    return ssekit::checked({.type = "ping", .data = "1"});
#else
    return ssekit::checked({.type = "ping\n", .data = "1"});
#endif
}
