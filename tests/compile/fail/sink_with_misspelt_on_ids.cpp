// expect: on_ids is never called: it is on_id
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct misspelt_sink {
    void on_comment(std::string_view) {}
#ifdef CORRECTED
    void on_id(std::string_view) {}
#else
    void on_ids(std::string_view) {}
#endif
};

void read(ssekit::parser& parser, misspelt_sink& sink) {
    ssekit::feed(parser, "", sink);
}
