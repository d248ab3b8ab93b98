// expect: on_retry must be callable as on_retry.std::chrono::milliseconds.
// SPDX-License-Identifier: MIT
#include <ssekit/parser.hpp>

struct forgetful_sink {
    void on_comment(std::string_view) {}
#ifdef CORRECTED
    void on_retry(std::chrono::milliseconds) {}
#else
    void on_retry(std::chrono::hours) {}
#endif
};

void read(ssekit::parser& parser, forgetful_sink& sink) {
    ssekit::feed(parser, "", sink);
}
