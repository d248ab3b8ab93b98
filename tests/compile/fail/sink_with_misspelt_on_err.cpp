// expect: on_err is never called: it is on_error
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct misspelt_sink {
    void on_comment(std::string_view) {}
#ifdef CORRECTED
    void on_error(ssekit::errc, std::uint64_t) {}
#else
    void on_err(ssekit::errc, std::uint64_t) {}
#endif
};

void read(ssekit::parser& parser, misspelt_sink& sink) {
    ssekit::feed(parser, "", sink);
}
