// expect: on_event is never called: what can be called with an event is called itself
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct reader {
    void operator()(const ssekit::event_view&) {}
#ifndef CORRECTED
    void on_event(const ssekit::event_view&) {}
#endif
};

void read(ssekit::parser& parser, reader& sink) {
    ssekit::feed(parser, "", sink);
}
