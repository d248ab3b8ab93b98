// expect: on_event must be callable as on_event.const ssekit::event_view&.
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct counting_sink {
    int events = 0;
    void on_event(const ssekit::event_view&) { ++events; }
};

#ifdef CORRECTED
void read(ssekit::parser& parser, counting_sink& sink) {
#else
void read(ssekit::parser& parser, const counting_sink& sink) {
#endif
    ssekit::feed(parser, "", sink);
}
