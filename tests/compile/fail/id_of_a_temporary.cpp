// expect: deleted
// SPDX-License-Identifier: MIT
#include <ssekit/event.hpp>

#include <string>

std::string name();

bool use() {
#ifdef CORRECTED
    const std::string text = name();
    const auto made = ssekit::event_id::make(text);
#else
    const auto made = ssekit::event_id::make(name());
#endif
    return made.has_value() && !made->view().empty();
}
