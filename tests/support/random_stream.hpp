// SPDX-License-Identifier: MIT
#ifndef SSEKIT_TESTS_SUPPORT_RANDOM_STREAM_HPP
#define SSEKIT_TESTS_SUPPORT_RANDOM_STREAM_HPP

#include "support/dice.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace support {

/// A stream made of what parsers trip over: field names and pieces of them, every line end, the
/// byte order mark, whole and broken UTF-8, any byte at all.
[[nodiscard]] inline std::string random_stream(std::uint32_t seed) {
    constexpr std::string_view parts[] = {
        "data",  "data:",  "data: ",  "id",          "id: ",     "event: ",      "event",
        "retry", "retry:", "retry: ", "12",          ":",        ": ",           " ",
        "dat",   "datax",  "\t",      {"\0", 1},     "\xE2\x82", "\xE2\x82\xAC", "\xF0\x9F\x91\x8D",
        "\xFF",  "\xEF",   "\xBB",    "\xEF\xBB\xBF"};
    constexpr std::string_view line_ends[] = {"\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\r\r"};
    dice random(seed);
    std::string stream;
    if (random.one_in(4)) stream += "\xEF\xBB\xBF";
    for (std::size_t n = random.below(40); n > 0; --n) {
        if (random.one_in(3)) {
            stream += random.pick(line_ends);
        } else if (random.one_in(20)) {
            stream += random.byte();
        } else if (random.one_in(20)) {
            stream += "a longer piece of text that fills a block";
        } else {
            stream += random.pick(parts);
        }
    }
    return stream;
}

} // namespace support

#endif
