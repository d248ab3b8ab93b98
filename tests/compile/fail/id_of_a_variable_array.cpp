// expect: constant expression|not usable in a constant
// SPDX-License-Identifier: MIT
#include <ssekit/event.hpp>

ssekit::event_id id_of(const char (&text)[4]) {
#ifdef CORRECTED
    return ssekit::event_id::make(text).value();
#else
    return ssekit::event_id(text);
#endif
}
