// expect: nodiscard
// SPDX-License-Identifier: MIT
#include <ssekit/encoder.hpp>

#include <string>

#pragma GCC diagnostic error "-Wunused-result"

void use(std::string& out, const ssekit::event_view& event) {
#ifdef CORRECTED
    (void)ssekit::encode_to(out.data(), out.data() + out.size(), event);
#else
    ssekit::encode_to(out.data(), out.data() + out.size(), event);
#endif
}
