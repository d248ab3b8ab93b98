// SPDX-License-Identifier: MIT
//
// For tests that count allocations: sinks and streams that make none of their own.
#ifndef SSEKIT_TESTS_SUPPORT_COUNTER_HPP
#define SSEKIT_TESTS_SUPPORT_COUNTER_HPP

#include <ssekit/parser.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace support {

/// A sink that costs nothing itself.
struct counter {
    std::size_t events = 0;
    std::size_t data_size = 0;
    std::size_t errors = 0;
    ssekit::errc last_error = ssekit::errc::ok;
    std::uint64_t last_offset = 0;

    void on_event(const ssekit::event_view& event) noexcept {
        ++events;
        data_size = event.data->size();
    }
    void on_error(ssekit::errc code, std::uint64_t offset) noexcept {
        ++errors;
        last_error = code;
        last_offset = offset;
    }
};

struct comment_counter : counter {
    std::size_t comments = 0;
    void on_comment(std::string_view) noexcept { ++comments; }
};

template <class Sink>
void feed_in_pieces(ssekit::parser& parser, std::string_view stream, std::size_t size, Sink& sink) {
    for (; !stream.empty(); stream.remove_prefix(std::min(size, stream.size()))) {
        ssekit::feed(parser, stream.substr(0, size), sink);
    }
}

/// Feeds `text` again and again without ever allocating.
template <class Sink>
void feed_repeatedly(ssekit::parser& parser, std::string_view text, std::size_t times, Sink& sink) {
    for (std::size_t i = 0; i < times; ++i) ssekit::feed(parser, text, sink);
}

[[nodiscard]] inline std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    out.reserve(text.size() * times);
    while (times-- > 0) out += text;
    return out;
}

} // namespace support

#endif
