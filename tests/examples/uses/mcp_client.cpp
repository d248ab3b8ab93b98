// SPDX-License-Identifier: MIT
//
// mcp_client: calls a tool of an MCP server, and shows what comes while it works.
//
//     use_mcp_client URL                                       lists the tools
//     use_mcp_client --call count --arguments '{"steps":9}' URL
//
// What it takes to be a client is in mcp/client.hpp.
#include "../clients/watch.hpp"
#include "mcp/client.hpp"

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <pthread.h>

namespace {

using namespace uses::mcp;

constexpr std::string_view usage =
    "usage: use_mcp_client [OPTION]... URL\n"
    "\n"
    "Lists the tools of a server of the Model Context Protocol, or calls one and prints what "
    "comes.\n"
    "\n"
    "  --call NAME        call that tool\n"
    "  --arguments JSON   with these arguments, an object\n"
    "  --revision DATE    of the protocol, to begin with: 2025-11-25, or 2026-07-28\n"
    "  --listen           open the stream for what belongs to no call as well\n"
    "  --accept-defaults  fill in what a server asks for with the values that it suggests\n"
    "  --timeout SECONDS  how long to wait for a message (300)\n"
    "  --help             this\n"
    "\n"
    "status: 0 done; 1 there is no response; 2 the server or the tool says that it has failed; 64\n"
    "wrong usage\n";

struct settings {
    client_settings client = {};
    std::string call = {};
    json arguments = json::object();
    bool listens = false;
};

/// Throws std::invalid_argument.
settings read_arguments(const std::vector<std::string>& arguments) {
    settings out;
    const auto fail = [](const std::string& why) -> void { throw std::invalid_argument(why); };
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& each = arguments[i];
        const auto value = [&]() -> const std::string& {
            if (++i == arguments.size()) fail(each + " needs a value");
            return arguments[i];
        };
        if (each == "--listen") {
            out.listens = true;
        } else if (each == "--accept-defaults") {
            out.client.accepts_defaults = true;
        } else if (each == "--call") {
            out.call = value();
        } else if (each == "--arguments") {
            out.arguments = json::parse(value(), nullptr, false);
            if (!out.arguments.is_object()) fail("--arguments takes an object of JSON");
        } else if (each == "--revision") {
            const auto found = ssekit::find_mcp_revision(value());
            if (!found) fail("no revision " + arguments[i]);
            out.client.revision = *found;
        } else if (each == "--timeout") {
            const std::string& text = value();
            int seconds = 0;
            const char* const end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, seconds);
            if (error != std::errc() || stop != end || seconds < 1) {
                fail("--timeout takes seconds, 1 or more");
            }
            out.client.timeout = std::chrono::seconds(seconds);
        } else if (each.starts_with("--")) {
            fail("no option " + each);
        } else if (out.client.url.empty()) {
            out.client.url = each;
        } else {
            fail("one URL is enough");
        }
    }
    if (out.client.url.empty()) fail("a URL is needed");
    return out;
}

void print(const std::string& line) {
    std::cout << watch::harmless(line) << std::endl;
}

std::string shown(const json& value) {
    return value.is_string() ? value.get<std::string>()
                             : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void show(const message& heard) {
    const json& params = heard.params();
    if (heard.method == "notifications/progress") {
        std::string line = "progress " + member(params, "progress").dump();
        if (const json& total = member(params, "total"); !total.is_null()) {
            line += " of " + total.dump();
        }
        print(line);
    } else if (heard.method == "notifications/message") {
        print("log " + text_of(params, "level") + ": " + shown(member(params, "data")));
    } else {
        print(heard.method);
    }
}

/// \returns the status of the program.
int show_result(const json& result) {
    for (const json& part : member(result, "content")) {
        print(text_of(part, "type") == "text" ? text_of(part, "text") : shown(part));
    }
    if (text_of(result, "resultType") == "input_required") {
        throw no_response("the server wants to be told more, which this client does not do");
    }
    return member(result, "isError") == true ? 2 : 0;
}

int run(client& server, const settings& wanted) {
    server.open();
    if (wanted.listens) server.listen();
    if (wanted.call.empty()) {
        const json listed = server.request("tools/list");
        for (const json& tool : member(listed, "tools")) {
            print(text_of(tool, "name") + ": " + text_of(tool, "description"));
        }
        return 0;
    }
    return show_result(
        server.request("tools/call", {{"name", wanted.call}, {"arguments", wanted.arguments}}));
}

int say_failure(std::string_view what, int status) {
    watch::say("mcp_client: " + watch::harmless(what) + '\n');
    return status;
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    for (const std::string& each : arguments) {
        if (each == "--help") return std::cout << usage, 0;
    }
    settings wanted;
    try {
        wanted = read_arguments(arguments);
    } catch (const std::invalid_argument& wrong) {
        say_failure(wrong.what(), 0);
        watch::say("\n" + std::string(usage));
        return 64;
    }
    const sigset_t watched = watch::watched_signals(); // by on_signal, and by no other thread
    pthread_sigmask(SIG_BLOCK, &watched, nullptr);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    client server(wanted.client, &show);
    const watch::on_signal stop([&] { server.stop(); });
    int status = 0;
    try {
        status = run(server, wanted);
    } catch (const rpc_error& failed) {
        status = say_failure("the server says: " + std::string(failed.what()) + " (" +
                                 std::to_string(static_cast<int>(failed.code)) + ")",
                             2);
    } catch (const std::exception& failed) {
        status = say_failure(failed.what(), 1);
    }
    server.close();
    if (server.unread() != 0) {
        say_failure(std::to_string(server.unread()) + " events were no messages", 0);
    }
    return status;
}
