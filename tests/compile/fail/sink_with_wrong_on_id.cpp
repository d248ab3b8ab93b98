// expect: on_id must be callable as on_id.std::string_view.
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct forgetful_sink {
    void on_comment(std::string_view) {}
#ifdef CORRECTED
    void on_id(std::string_view) {}
#else
    void on_id(int) {}
#endif
};

void read(ssekit::parser& parser, forgetful_sink& sink) {
    ssekit::feed(parser, "", sink);
}
