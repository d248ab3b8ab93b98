// expect: on_data_chunk is never called: a typed_sink decodes data that is whole
// SPDX-License-Identifier: MIT
#include <ssekit/typed_sink.hpp>

#include <optional>
#include <string_view>

struct handler {
    void operator()(const ssekit::event_view&, int) {}
    void on_comment(std::string_view) {}
#ifndef CORRECTED
    void on_data_chunk(std::string_view) {}
#endif
};

std::optional<int> decode(std::string_view text) {
    return static_cast<int>(text.size());
}

void make() {
    ssekit::typed_sink sink(&decode, handler());
}
