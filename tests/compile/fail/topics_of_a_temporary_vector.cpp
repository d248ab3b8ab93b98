// expect: deleted function|selected deleted|call to deleted
// SPDX-License-Identifier: MIT
#include <ssekit/subscribe_options.hpp>

#include <string>
#include <vector>

void use(ssekit::subscribe_options& options) {
#ifdef CORRECTED
    static const std::vector<std::string> names = {"x", "y"};
    options.topics = names;
#else
    options.topics = std::vector<std::string>{"x", "y"}; // gone before it is read
#endif
}
