// expect: malformed_event_literal
// SPDX-License-Identifier: MIT
#include <ssekit/event.hpp>

ssekit::event_view literal() {
#ifdef CORRECTED
    return ssekit::checked({.retry = std::chrono::milliseconds(1)});
#else
    return ssekit::checked({.retry = std::chrono::milliseconds(-1)});
#endif
}
