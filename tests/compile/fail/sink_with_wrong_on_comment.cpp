// expect: on_comment must be callable as on_comment.std::string_view.
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct forgetful_sink {
    void on_id(std::string_view) {}
#ifdef CORRECTED
    void on_comment(std::string_view) {}
#else
    void on_comment() {}
#endif
};

void read(ssekit::parser& parser, forgetful_sink& sink) {
    ssekit::feed(parser, "", sink);
}
