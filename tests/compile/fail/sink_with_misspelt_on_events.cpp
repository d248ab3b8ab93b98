// expect: on_events is never called: it is on_event
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct misspelt_sink {
    void on_comment(std::string_view) {}
#ifdef CORRECTED
    void on_event(const ssekit::event_view&) {}
#else
    void on_events(const ssekit::event_view&) {}
#endif
};

void read(ssekit::parser& parser, misspelt_sink& sink) {
    ssekit::feed(parser, "", sink);
}
