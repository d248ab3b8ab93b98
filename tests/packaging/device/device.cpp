// SPDX-License-Identifier: MIT
//
// What a device links that reads streams and writes events: its code is counted.
#include <ssekit/encoder.hpp>
#include <ssekit/parser.hpp>

#include <new>
#include <span>
#include <string_view>

void construct(void* place, std::span<char> memory) noexcept {
    ::new (place) ssekit::parser({.limits = {.data = 64, .id = 8, .type = 16}}, memory);
}

const ssekit::event_view* parse(ssekit::parser& parser, std::string_view& input) noexcept {
    return parser.next(input);
}

ssekit::encode_result encode(char* first, char* last, const ssekit::event_view& event) noexcept {
    return ssekit::encode_to(first, last, event);
}
