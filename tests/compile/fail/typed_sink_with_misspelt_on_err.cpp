// expect: on_err is never called: it is on_error
// SPDX-License-Identifier: MIT
#include <ssekit/typed_sink.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

struct handler {
    void operator()(const ssekit::event_view&, int) {}
#ifdef CORRECTED
    void on_error(ssekit::errc, std::uint64_t) {}
#else
    void on_err(ssekit::errc, std::uint64_t) {}
#endif
};

std::optional<int> decode(std::string_view text) {
    return static_cast<int>(text.size());
}

void make() {
    ssekit::typed_sink sink(&decode, handler());
}
