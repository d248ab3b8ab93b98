// expect: on_comments is never called: it is on_comment
// SPDX-License-Identifier: MIT
#include <ssekit/event_source.hpp>

struct reader {
    void operator()(const ssekit::event_view&) {}
#ifdef CORRECTED
    void on_comment(std::string_view) {}
#else
    void on_comments(std::string_view) {}
#endif
};

void read(ssekit::event_source& source, reader& sink) {
    source.receive("", sink, {});
}
