// SPDX-License-Identifier: MIT
//
// The client at a server, and what it says of one that is none; readers/mcp_client.mjs cuts its streams.
#include "use.hpp"

#include "support/scripted_server.hpp"

#include <csignal>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

struct ran : support::process {
    explicit ran(std::vector<std::string> arguments) : process(command(std::move(arguments))) {
        close_input();
        status = wait();
    }
    int status = -1;
    [[nodiscard]] bool says(std::string_view text) const {
        return err().find(text) != std::string::npos;
    }

  private:
    static std::vector<std::string> command(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), support::example("use_mcp_client"));
        return arguments;
    }
};

} // namespace

TEST_CASE("use mcp_client: it lists tools, and calls one, in both ages of the protocol") {
    const uses::program server("mcp");
    const std::string url = "http://127.0.0.1:" + std::to_string(server.port) + "/mcp";
    for (const std::string revision : {"2025-03-26", "2025-11-25", "2026-07-28"}) {
        INFO(revision);
        const ran listed({"--revision", revision, url});
        CHECK(listed.status == 0);
        CHECK(listed.err() == "");
        CHECK(listed.out().find("count: Counts, and says how far it is.\n") != std::string::npos);
        const ran called({"--revision", revision, "--call", "count", "--arguments",
                          R"({"steps":2,"pause":1})", url});
        CHECK(called.status == 0);
        CHECK(called.out().ends_with("progress 1 of 2\nprogress 2 of 2\ncounted to 2\n"));
    }
    CHECK(server.until_answer("/calls", R"({"cancelled":0,"finished":3,"sessions":0})"));
}

TEST_CASE("use mcp_client: what is no server is told, with what it has said") {
    const ran nobody({"http://127.0.0.1:1/mcp"});
    CHECK(nobody.status == 1);
    CHECK(nobody.says("curl: (7)"));

    support::scripted_server server;
    support::process client({support::example("use_mcp_client"), server.url("/mcp")});
    support::scripted_connection connection = server.accept();
    const support::seen_request request = connection.read_request();
    CHECK(request.header("Accept") == "application/json, text/event-stream");
    connection.send("HTTP/1.1 401 No\r\nContent-Length: 15\r\n\r\nwho are you \x1b[1");
    CHECK(client.wait() == 1);
    CHECK(client.err().find("(status 401): who are you ?[1") != std::string::npos);
    CHECK_FALSE(server.has_caller());
}

TEST_CASE("use mcp_client: SIGINT cancels the call, and ends the session") {
    const uses::program server("mcp");
    support::process client({support::example("use_mcp_client"), "--listen", "--call", "count",
                             "--arguments", R"({"steps":1000,"pause":100})",
                             "http://127.0.0.1:" + std::to_string(server.port) + "/mcp"});
    REQUIRE(client.until([&] { return client.out().find("progress 1 ") != std::string::npos; }));
    client.signal(SIGINT);
    CHECK(client.wait() == 1);
    CHECK(client.err().find("closed") != std::string::npos);
    CHECK(server.until_answer("/calls", R"({"cancelled":1,"finished":0,"sessions":0})"));
}

TEST_CASE("use mcp_client: wrong usage is told") {
    CHECK(ran({"--help"}).status == 0);
    CHECK(ran({}).status == 64);
    CHECK(ran({"--revision", "1999-12-31", "http://a/"}).says("no revision 1999-12-31"));
    CHECK(ran({"--arguments", "[]", "http://a/"}).says("an object of JSON"));
    CHECK(ran({"--timeout", "-1", "http://a/"}).status == 64);
}
