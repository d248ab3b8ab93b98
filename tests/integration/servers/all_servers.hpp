// SPDX-License-Identifier: MIT
//
// For tests that run all servers at the same time, since they have to wait: SSEKIT_SERVERS names
// those that were built.
#ifndef SSEKIT_TESTS_INTEGRATION_SERVERS_ALL_SERVERS_HPP
#define SSEKIT_TESTS_INTEGRATION_SERVERS_ALL_SERVERS_HPP

#include "support/process.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

inline std::vector<std::string> names_of_servers() {
    const char* const names = std::getenv("SSEKIT_SERVERS");
    REQUIRE_MESSAGE(names != nullptr, "SSEKIT_SERVERS names the servers");
    std::vector<std::string> out;
    std::string_view rest = names;
    while (!rest.empty()) {
        out.emplace_back(rest.substr(0, rest.find(',')));
        rest.remove_prefix(std::min(out.back().size() + 1, rest.size()));
    }
    return out;
}

/// Waits until the server has said where it listens.
inline std::uint16_t port_of(support::process& server) {
    std::uint16_t port = 0;
    REQUIRE(server.until([&] { return server.out().ends_with("\n"); }));
    const std::string_view line = server.out();
    const char* const digits = line.data() + line.rfind(' ') + 1;
    REQUIRE(std::from_chars(digits, line.data() + line.size(), port).ec == std::errc());
    return port;
}

#endif
