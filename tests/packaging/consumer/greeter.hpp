// SPDX-License-Identifier: MIT
#ifndef GREETER_HPP
#define GREETER_HPP

#include <ssekit/encoder.hpp>

#include <string>
#include <string_view>

namespace greeter {

inline std::string greeting(std::string_view text) {
    std::string out;
    ssekit::append_to(out, {.type = "greeting", .data = text});
    return out;
}

} // namespace greeter

#endif
