// expect: deleted function|selected deleted|call to deleted
// SPDX-License-Identifier: MIT
#include <ssekit/subscribe_options.hpp>

#include <string>

void use(ssekit::subscribe_options& options) {
#ifdef CORRECTED
    static const std::string name("x");
    options.last_event_id = name;
#else
    options.last_event_id = std::string("x"); // gone before it is read
#endif
}
