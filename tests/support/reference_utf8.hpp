// SPDX-License-Identifier: MIT
//
// The UTF-8 decoder of the Encoding standard, step by step as section 8.1.1 writes it down.
#ifndef SSEKIT_TESTS_SUPPORT_REFERENCE_UTF8_HPP
#define SSEKIT_TESTS_SUPPORT_REFERENCE_UTF8_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace support {

struct reference_decoding {
    std::string text;                           // malformed parts replaced by U+FFFD
    std::optional<std::size_t> first_malformed; // where the first such part begins
};

[[nodiscard]] inline reference_decoding reference_decode_utf8(std::string_view bytes) {
    reference_decoding out;
    std::size_t begin = 0; // of the sequence being read
    std::size_t needed = 0;
    unsigned lower = 0x80;
    unsigned upper = 0xBF;
    const auto malformed = [&] {
        if (!out.first_malformed) out.first_malformed = begin;
        out.text += "\xEF\xBF\xBD";
    };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const unsigned byte = static_cast<unsigned char>(bytes[i]);
        if (needed != 0) {
            if (byte >= lower && byte <= upper) {
                lower = 0x80;
                upper = 0xBF;
                if (--needed == 0) out.text += bytes.substr(begin, i + 1 - begin);
                continue;
            }
            needed = 0;
            lower = 0x80;
            upper = 0xBF;
            malformed();
            // and the byte is looked at once more
        }
        begin = i;
        if (byte <= 0x7F) {
            out.text += bytes[i];
        } else if (byte >= 0xC2 && byte <= 0xDF) {
            needed = 1;
        } else if (byte >= 0xE0 && byte <= 0xEF) {
            if (byte == 0xE0) lower = 0xA0;
            if (byte == 0xED) upper = 0x9F;
            needed = 2;
        } else if (byte >= 0xF0 && byte <= 0xF4) {
            if (byte == 0xF0) lower = 0x90;
            if (byte == 0xF4) upper = 0x8F;
            needed = 3;
        } else {
            malformed();
        }
    }
    if (needed != 0) malformed();
    return out;
}

} // namespace support

#endif
