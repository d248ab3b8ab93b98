// SPDX-License-Identifier: MIT
//
// A program of somebody else's. It uses what its own library, greeter.hpp, gives on top of ssekit,
// and ssekit itself.
#include "greeter.hpp"

#include <ssekit/ssekit.hpp>

#include <cstdio>
#include <string>
#include <string_view>

int main() {
    ssekit::parser parser;
    const std::string stream = greeter::greeting("two\nlines");
    std::string_view input = stream;
    const ssekit::event_view* const event = parser.next(input);
    if (event == nullptr || event->data != "two\nlines") return 1;
    std::printf("%d.%d.%d\n", ssekit::version.major, ssekit::version.minor, ssekit::version.patch);
}
