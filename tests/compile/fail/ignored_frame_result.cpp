// expect: nodiscard
// SPDX-License-Identifier: MIT
#include <ssekit/frame.hpp>

#include <string>

#pragma GCC diagnostic error "-Wunused-result"

void use(const ssekit::event_view& event) {
#ifdef CORRECTED
    (void)ssekit::frame::make(event);
#else
    ssekit::frame::make(event);
#endif
}
