// expect: on_event must be callable as on_event.const ssekit::event_view&.
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct forgetful_sink {
    void on_comment(std::string_view) {}
#ifdef CORRECTED
    void on_event(const ssekit::event_view&) {}
#else
    void on_event(int) {}
#endif
};

void read(ssekit::parser& parser, forgetful_sink& sink) {
    ssekit::feed(parser, "", sink);
}
