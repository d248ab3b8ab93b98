// expect: a sink needs at least one of on_event
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct empty_sink {
#ifdef CORRECTED
    void on_comment(std::string_view) {}
#endif
};

void read(ssekit::parser& parser, empty_sink& sink) {
    ssekit::feed(parser, "", sink);
}
