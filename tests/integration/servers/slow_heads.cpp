// SPDX-License-Identifier: MIT
//
// Clients whose requests come a byte at a time, and never to an end: each byte is a sign of life, so
// that a time limit for silence does not help. A server gives a request ten seconds, whatever comes.
#include "all_servers.hpp"
#include "support/http_client.hpp"
#include "support/process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

class slow_client {
  public:
    explicit slow_client(std::string server)
        : name(std::move(server)), server_({support::example("server_" + name), "--port", "0"}),
          tcp_(port_of(server_)) {
        if (name.ends_with("_tls")) {
            bytes_ = std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", 11);
        } else if (name == "nghttp2") {
            bytes_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
            bytes_ += std::string("\x00\x00\xc0\x04\x00\x00\x00\x00\x00", 9); // settings
        } else {
            bytes_ = "GET /metrics HTTP/1.1\r\nX: ";
        }
        bytes_.resize(600, name == "nghttp2" ? '\0' : 'a');
    }

    std::string name;

    /// Sends one byte more. \returns whether the server has had enough.
    bool is_over() {
        tcp_.send(std::string_view(bytes_).substr(sent_++, 1));
        return tcp_.until([&] { return tcp_.closed(); }, 1ms);
    }

  private:
    support::process server_;
    support::tcp_client tcp_;
    std::string bytes_;
    std::size_t sent_ = 0;
};

} // namespace

TEST_CASE("slow heads: a request that comes a byte at a time is not waited for without end") {
    std::vector<std::unique_ptr<slow_client>> all;
    for (const std::string& name : names_of_servers()) {
        // These two know a limit for silence only, and keep what would be needed to themselves.
        if (name == "httplib" || name == "libevent") continue;
        all.push_back(std::make_unique<slow_client>(name));
    }
    const auto deadline = std::chrono::steady_clock::now() + 25s;
    while (!all.empty() && std::chrono::steady_clock::now() < deadline) {
        std::erase_if(all, [](const auto& each) { return each->is_over(); });
        std::this_thread::sleep_for(200ms);
    }
    for (const auto& each : all) FAIL_CHECK(each->name);
}
