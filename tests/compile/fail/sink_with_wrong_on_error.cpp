// expect: on_error must be callable as on_error.ssekit::errc, std::uint64_t.
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct forgetful_sink {
    void on_comment(std::string_view) {}
#ifdef CORRECTED
    void on_error(ssekit::errc, std::uint64_t) {}
#else
    void on_error(ssekit::errc) {}
#endif
};

void read(ssekit::parser& parser, forgetful_sink& sink) {
    ssekit::feed(parser, "", sink);
}
