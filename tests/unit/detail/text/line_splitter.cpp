// SPDX-License-Identifier: MIT
#include <ssekit/detail/text/line_splitter.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

TEST_CASE("lines end at CR, LF and CRLF wherever the text is cut") {
    const std::string_view text = "one\ntwo\r\nthree\rfour\r\r\n\n\n\rend\r\n";
    const std::string_view expected = "one|two|three|four|||||end|";
    const std::string far(70, 'x');
    for (std::size_t a = 0; a <= text.size(); ++a) {
        for (std::size_t b = a; b <= text.size(); ++b) {
            std::string out;
            bool after_cr = false;
            const auto split = [&](std::string_view piece) {
                ssekit::detail::split_lines(
                    piece, after_cr, [&](std::string_view line) { out += line; },
                    [&] { out += '|'; });
            };
            split(text.substr(0, a));
            split(text.substr(a, b - a));
            split(text.substr(b));
            REQUIRE(out == expected);
        }
    }
}
