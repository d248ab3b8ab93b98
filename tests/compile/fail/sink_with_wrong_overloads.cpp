// expect: on_error must be callable as on_error.ssekit::errc, std::uint64_t.
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

#include <string>

struct overloaded_sink {
    void on_event(const ssekit::event_view&) {}
    void on_error(int) {}
    void on_error(std::string) {}
#ifdef CORRECTED
    void on_error(ssekit::errc, std::uint64_t) {}
#endif
};

void read(ssekit::parser& parser, overloaded_sink& sink) {
    ssekit::feed(parser, "", sink);
}
