// expect: malformed_event_literal
// SPDX-License-Identifier: MIT
#include <ssekit/event.hpp>

ssekit::event_id literal() {
#ifdef CORRECTED
    return ssekit::event_id("1");
#else
    return ssekit::event_id("1\n");
#endif
}
