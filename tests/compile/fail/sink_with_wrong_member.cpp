// expect: a member of the sink can not be called with the arguments of its name
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct forgetful_sink {
    void on_event(const ssekit::event_view&) {}
#ifdef CORRECTED
    void on_id(std::string_view) {}
#else
    void on_id(int) {}
#endif
};

void read(ssekit::parser& parser, forgetful_sink& sink) {
    ssekit::feed(parser, "", sink);
}
