// expect: nodiscard
// SPDX-License-Identifier: MIT
#include <ssekit/encoder.hpp>

#include <string>

#pragma GCC diagnostic error "-Wunused-result"

void use(std::string& out, const ssekit::event_view& event) {
#ifdef CORRECTED
    const ssekit::errc code = ssekit::append_to(out, event);
    (void)code;
#else
    ssekit::append_to(out, event);
#endif
}
