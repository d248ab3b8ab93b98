// SPDX-License-Identifier: MIT
//
// The cable of a client is pulled, and each server in examples/servers notices, while it sends
// heartbeats as well as while it has nothing to say. The clients are in a network of their own, at
// the far end of a pair of virtual interfaces: what a pulled cable is to TCP cannot be had on the
// loopback interface. It needs Linux and the rights of root, and is skipped without. All servers run
// at the same time, so that they are waited for once.
#include "all_servers.hpp"
#include "support/process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// A network namespace, which goes with the process that holds it.
class network : public support::process {
  public:
    network() : process({"/usr/bin/env", "unshare", "--net", "sh", "-c", "echo made && exec cat"}) {
        made = until([&] { return !out().empty(); }) && out() == "made\n";
    }

    bool made = false;

    /// The command line that runs a program there.
    [[nodiscard]] std::vector<std::string> command(std::vector<std::string> arguments) const {
        std::vector<std::string> line = {"/usr/bin/env", "nsenter",
                                         "--net=/proc/" + std::to_string(pid()) + "/ns/net"};
        line.insert(line.end(), arguments.begin(), arguments.end());
        return line;
    }
    /// \returns whether `ip` has done it.
    [[nodiscard]] bool ip(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "ip");
        return support::run(command(std::move(arguments))).status == 0;
    }
};

constexpr const char* server_address = "192.0.2.1"; // Spec: RFC 5737, 3
constexpr const char* client_address = "192.0.2.2";

/// \returns whether the two are joined by a cable, an interface in each of that name.
bool join(const network& servers, const network& clients) {
    return servers.made && clients.made && servers.ip({"link", "set", "lo", "up"}) &&
           servers.ip({"link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns",
                       std::to_string(clients.pid())}) &&
           servers.ip({"address", "add", std::string(server_address) + "/24", "dev", "cable"}) &&
           clients.ip({"address", "add", std::string(client_address) + "/24", "dev", "cable"}) &&
           servers.ip({"link", "set", "cable", "up"}) && clients.ip({"link", "set", "cable", "up"});
}

/// A server, and a stream of it at the other end of the cable.
class pair {
  public:
    pair(const network& servers, const network& clients, std::string name, std::string heartbeat)
        : what(name + ", a heartbeat every " + heartbeat + " ms"), servers_(servers),
          server_(servers.command({support::example("server_" + name), "--bind", "0.0.0.0",
                                   "--port", "0", "--heartbeat", std::move(heartbeat)})) {
        if (name.ends_with("_tls")) options_ = {"--insecure"};
        if (name == "nghttp2") options_ = {"--http2-prior-knowledge"};
        scheme_ = name.ends_with("_tls") ? "https://" : "http://";
        port_ = port_of(server_);
        client_ =
            std::make_unique<support::process>(clients.command(curl(server_address, "/events")));
        REQUIRE_MESSAGE(client_->until([&] { return client_->out().ends_with("\n\n"); }), what);
    }

    std::string what;

    [[nodiscard]] bool has_subscribers(int count) const {
        const auto [status, out, err] =
            support::run(servers_.command(curl("127.0.0.1", "/metrics")));
        return out.find("\nssekit_subscribers " + std::to_string(count) + "\n") != out.npos;
    }

  private:
    [[nodiscard]] std::vector<std::string> curl(const std::string& address,
                                                const std::string& path) const {
        std::vector<std::string> line = {"curl", "-sN", "--max-time", "110"};
        line.insert(line.end(), options_.begin(), options_.end());
        line.push_back(scheme_ + address + ":" + std::to_string(port_) + path);
        return line;
    }

    const network& servers_;
    support::process server_;
    std::unique_ptr<support::process> client_;
    std::vector<std::string> options_;
    std::string scheme_;
    std::uint16_t port_ = 0;
};

} // namespace

TEST_CASE("cable: every server notices within half a minute that a client's cable is pulled") {
    network servers;
    network clients;
    if (!join(servers, clients)) {
        MESSAGE("skipped: networks cannot be made here");
        return;
    }
    std::vector<std::unique_ptr<pair>> all;
    for (const std::string& name : names_of_servers()) {
        for (const char* const heartbeat : {"1000", "600000"}) {
            all.push_back(std::make_unique<pair>(servers, clients, name, heartbeat));
        }
    }
    for (const auto& each : all) CHECK_MESSAGE(each->has_subscribers(1), each->what);

    REQUIRE(clients.ip({"link", "set", "cable", "down"}));
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!all.empty() && std::chrono::steady_clock::now() < deadline) {
        std::erase_if(all, [](const auto& each) { return each->has_subscribers(0); });
        std::this_thread::sleep_for(500ms); // between two rounds of a dozen clients
    }
    for (const auto& each : all) FAIL_CHECK(each->what);
}
