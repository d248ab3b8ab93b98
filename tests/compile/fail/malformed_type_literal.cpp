// expect: malformed_event_literal
// SPDX-License-Identifier: MIT
#include <ssekit/event.hpp>

ssekit::event_type literal() {
#ifdef CORRECTED
    return ssekit::event_type("tick");
#else
    return ssekit::event_type("tick\rid: 1");
#endif
}
