// expect: deleted function|selected deleted|call to deleted
// SPDX-License-Identifier: MIT
#include <ssekit/subscribe_options.hpp>

#include <string>

void use(ssekit::subscribe_options& options) {
#ifdef CORRECTED
    options.patterns = {"x/*", "y/*"};
#else
    options.patterns = {"x/*", std::string("y/*")}; // gone before it is read
#endif
}
