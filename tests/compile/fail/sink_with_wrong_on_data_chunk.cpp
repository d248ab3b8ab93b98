// expect: on_data_chunk must be callable as on_data_chunk.std::string_view.
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct forgetful_sink {
    void on_comment(std::string_view) {}
#ifdef CORRECTED
    void on_data_chunk(std::string_view) {}
#else
    void on_data_chunk(std::string_view, bool) {}
#endif
};

void read(ssekit::parser& parser, forgetful_sink& sink) {
    ssekit::feed(parser, "", sink);
}
