// SPDX-License-Identifier: MIT
//
// The contract of the server byte for byte; what clients make of it readers/mcp.mjs shows.
#include "use.hpp"

#include "support/json.hpp"

#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using headers = std::vector<std::string>;

support::json::value parsed(const std::string& text) {
    const auto result = support::json::parse(text);
    REQUIRE(result.document);
    return *result.document;
}

std::string written(std::string_view method, const headers& more, std::string_view body) {
    std::string request(method);
    request += " /mcp HTTP/1.1\r\nHost: localhost\r\n";
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    for (const std::string& each : more) request += each + "\r\n";
    return request + "\r\n" + std::string(body);
}

const std::string accept_both = "Accept: application/json, text/event-stream";
const std::string is_json = "Content-Type: application/json";

struct answered : support::response {
    [[nodiscard]] std::int64_t error() const {
        return parsed(body).at("error").at("code").integer();
    }
};

struct server : uses::program {
    server() : program("mcp") {}

    [[nodiscard]] answered send(std::string_view method, const headers& more,
                                std::string_view body = {}) const {
        support::tcp_client client(port);
        client.send(written(method, more, body));
        return {support::read_response(client)};
    }
    [[nodiscard]] answered post(std::string_view body, headers more = {}) const {
        more.insert(more.end(), {accept_both, is_json});
        return send("POST", more, body);
    }
    /// \returns the header of a new session.
    [[nodiscard]] std::string session(std::string_view revision = "2025-11-25") const {
        const answered begun =
            post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" +
                 std::string(revision) + R"(","capabilities":{},"clientInfo":{}}})");
        REQUIRE(begun.status == 200);
        CHECK(begun.header("Content-Type") == "application/json");
        const auto result = parsed(begun.body);
        CHECK(result.at("result").at("protocolVersion").string() == revision);
        const std::string id = begun.header("MCP-Session-Id");
        CHECK(id.size() == 32);
        return "MCP-Session-Id: " + id;
    }
    [[nodiscard]] std::string call(const std::string& in, const std::string& arguments,
                                   const std::string& id = "1") const {
        return written("POST", {accept_both, is_json, in},
                       R"({"jsonrpc":"2.0","id":)" + id +
                           R"(,"method":"tools/call","params":{"name":"count","arguments":)" +
                           arguments + R"(,"_meta":{"progressToken":"p"}}})");
    }
};

std::string stateless(std::string_view method, const std::string& more,
                      std::string_view revision = "2026-07-28") {
    return R"({"jsonrpc":"2.0","id":5,"method":")" + std::string(method) + R"(","params":{)" +
           more + R"("_meta":{"io.modelcontextprotocol/protocolVersion":")" +
           std::string(revision) + R"(","io.modelcontextprotocol/clientCapabilities":{},)" +
           R"("progressToken":"p"}}})";
}
headers modern(std::string_view method, const std::string& name = {}) {
    headers all = {"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: " + std::string(method)};
    if (!name.empty()) all.push_back("Mcp-Name: " + name);
    return all;
}

std::string data_of(const uses::posted_stream& stream, std::size_t i) {
    REQUIRE(i < stream.seen.events.size());
    return stream.seen.events[i].data;
}

void check_progress(const std::string& data, int step) {
    const auto message = parsed(data);
    CHECK(message.at("method").string() == "notifications/progress");
    CHECK(message.at("params").at("progress").integer() == step);
    CHECK(message.at("params").at("progressToken").string() == "p");
}

} // namespace

TEST_CASE("use mcp: a priming event comes at once, then progress, then the result") {
    const server tools;
    uses::posted_stream answer(tools.port,
                               tools.call(tools.session(), R"({"steps":3})", R"("a\nb")"));
    CHECK(answer.head.status == 200);
    CHECK(answer.head.header("Content-Type") == "text/event-stream");
    CHECK(answer.head.header("X-Accel-Buffering") == "no");
    REQUIRE(answer.until_end());
    REQUIRE(answer.seen.events.size() == 6);
    CHECK(data_of(answer, 0).empty());
    CHECK(parsed(data_of(answer, 1)).at("method").string() == "notifications/message");
    for (int step = 1; step <= 3; ++step) {
        check_progress(data_of(answer, std::size_t(step) + 1), step);
    }
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(answer.seen.events[i].last_event_id == "2." + std::to_string(i));
    }
    const auto result = parsed(data_of(answer, 5));
    CHECK(result.at("id").string() == "a\nb");
    CHECK(result.at("result").at("content").items.at(0).at("text").string() == "counted to 3");
    CHECK(tools.until_answer("/calls", R"({"cancelled":0,"finished":1,"sessions":1})"));
}

TEST_CASE("use mcp: a stream that was cut goes on where it was, by GET, in its session alone") {
    const server tools;
    const std::string session = tools.session();
    std::string seen;
    {
        uses::posted_stream cut(tools.port, tools.call(session, R"({"steps":10,"pause":50})"));
        REQUIRE(cut.until_count(4));
        seen = cut.seen.events[3].last_event_id;
    }
    const std::string stranger = tools.session();
    const headers back = {"Accept: text/event-stream", "Last-Event-ID: " + seen};
    CHECK(tools.send("GET", {back[0], back[1], stranger}).status == 400);
    uses::posted_stream rest(tools.port, written("GET", {back[0], back[1], session}, {}));
    CHECK(rest.head.status == 200);
    REQUIRE(rest.until_end());
    // The id again, then steps 3 to 10, and the result.
    REQUIRE(rest.seen.events.size() == 10);
    CHECK(data_of(rest, 0).empty());
    for (int step = 3; step <= 10; ++step)
        check_progress(data_of(rest, std::size_t(step) - 2), step);
    CHECK(parsed(data_of(rest, 9)).at("id").integer() == 1);
    // A second time, after its end.
    uses::posted_stream again(tools.port, written("GET", {back[0], back[1], session}, {}));
    REQUIRE(again.until_end());
    CHECK(again.seen.events.size() == 10);
    CHECK(tools.until_answer("/calls", R"({"cancelled":0,"finished":1,"sessions":2})"));
}

TEST_CASE("use mcp: earlier revisions get no event without a message") {
    const server tools;
    for (const std::string_view revision : {"2025-03-26", "2025-06-18"}) {
        uses::posted_stream answer(tools.port,
                                   tools.call(tools.session(revision), R"({"steps":1})"));
        REQUIRE(answer.until_end());
        REQUIRE(answer.seen.events.size() == 3);
        for (const auto& each : answer.seen.events) {
            CHECK(!each.data.empty());
            CHECK(!each.last_event_id.empty());
        }
    }
}

TEST_CASE("use mcp: a session has one general stream, and the newer one takes it over") {
    const server tools;
    const std::string session = tools.session();
    const std::string get = written("GET", {"Accept: text/event-stream", session}, {});
    uses::posted_stream first(tools.port, get);
    REQUIRE(first.until_count(1));
    uses::posted_stream second(tools.port, get);
    REQUIRE(second.until_count(1));
    REQUIRE(first.until_end());
    const answered told = tools.post(
        R"({"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"test_trigger_tool_change"}})",
        {session});
    CHECK(told.status == 200);
    REQUIRE(second.until_count(2));
    CHECK(parsed(data_of(second, 1)).at("method").string() == "notifications/tools/list_changed");
    CHECK(first.seen.events.size() == 1);
    // DELETE ends it in order, and then there is no such session.
    CHECK(tools.send("DELETE", {session}).status == 204);
    REQUIRE(second.until_end());
    CHECK(tools.send("GET", {"Accept: text/event-stream", session}).status == 404);
    CHECK(tools.send("DELETE", {session}).status == 404);
    CHECK(tools.post(R"({"jsonrpc":"2.0","id":1,"method":"ping"})", {session}).status == 404);
}

TEST_CASE("use mcp: a call is cancelled by its client's word, not by a cut, and with its session") {
    const server tools;
    const std::string session = tools.session();
    const std::string forever = R"({"steps":1000,"pause":50})";
    uses::posted_stream answer(tools.port, tools.call(session, forever, "7"));
    REQUIRE(answer.until_count(3));
    CHECK(tools
              .post(R"({"jsonrpc":"2.0","method":"notifications/cancelled",)"
                    R"("params":{"requestId":7}})",
                    {session})
              .status == 202);
    REQUIRE(answer.until_end());
    CHECK(data_of(answer, answer.seen.events.size() - 1).find("result") == std::string::npos);
    CHECK(tools.until_answer("/calls", R"({"cancelled":1,"finished":0,"sessions":1})"));

    uses::posted_stream other(tools.port, tools.call(session, forever, "8"));
    REQUIRE(other.until_count(3));
    CHECK(tools.send("DELETE", {session}).status == 204);
    REQUIRE(other.until_end());
    CHECK(tools.until_answer("/calls", R"({"cancelled":2,"finished":0,"sessions":0})"));
}

TEST_CASE("use mcp: in 2026-07-28 a client that goes cancels its call, and the others go on") {
    const server tools;
    const auto call = [&](const std::string& arguments) {
        headers all = modern("tools/call", "count");
        all.insert(all.end(), {accept_both, is_json, "Last-Event-ID: 1.1"});
        const std::string body =
            stateless("tools/call", R"("name":"count","arguments":)" + arguments + ",");
        return written("POST", all, body);
    };
    uses::posted_stream other(tools.port, call(R"({"steps":20})"));
    {
        uses::posted_stream answer(tools.port, call(R"({"steps":1000})"));
        REQUIRE(answer.until_count(1));
    }
    REQUIRE(other.until_end());
    REQUIRE(other.seen.events.size() == 21); // and nothing of the Last-Event-ID
    for (int step = 1; step <= 20; ++step)
        check_progress(data_of(other, std::size_t(step) - 1), step);
    for (const auto& each : other.seen.events) CHECK(each.last_event_id.empty());
    CHECK(parsed(data_of(other, 20)).at("result").at("resultType").string() == "complete");
    CHECK(tools.until_answer("/calls", R"({"cancelled":1,"finished":1,"sessions":0})"));
}

TEST_CASE("use mcp: who listens in 2026-07-28 is told that it has ended, when the server stops") {
    server tools;
    headers all = modern("subscriptions/listen");
    all.insert(all.end(), {accept_both, is_json});
    uses::posted_stream listener(
        tools.port, written("POST", all,
                            stateless("subscriptions/listen",
                                      R"("notifications":{"toolsListChanged":true,"x":1},)")));
    REQUIRE(listener.until_count(1));
    const auto first = parsed(data_of(listener, 0));
    CHECK(first.at("method").string() == "notifications/subscriptions/acknowledged");
    tools.signal(SIGTERM);
    REQUIRE(listener.until_end());
    REQUIRE(listener.seen.events.size() == 2);
    const auto last = parsed(data_of(listener, 1));
    CHECK(last.at("id").integer() == 5);
    CHECK(last.at("result").at("resultType").string() == "complete");
}

TEST_CASE("use mcp: a call that is under way when the server is stopped gets its result") {
    server tools;
    uses::posted_stream answer(tools.port,
                               tools.call(tools.session(), R"({"steps":20,"pause":20})"));
    REQUIRE(answer.until_count(2));
    tools.signal(SIGTERM);
    REQUIRE(answer.until_end());
    REQUIRE(answer.seen.events.size() == 23);
    CHECK(parsed(data_of(answer, 22)).at("result").at("content").items.at(0).at("text").string() ==
          "counted to 20");
}

TEST_CASE("use mcp: what is no message is refused, with the code of JSON-RPC") {
    const server tools;
    const std::string session = tools.session();
    CHECK(tools.post("{", {session}).error() == -32700);
    for (const std::string_view body :
         {"[]", "{}", "7", R"({"id":1,"method":"ping"})", R"({"jsonrpc":"2.0","id":1})",
          R"({"jsonrpc":"2.0","id":null,"method":"ping"})",
          R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})",
          R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[1]})",
          R"({"jsonrpc":"2.0","id":1,"method":7})"}) {
        CAPTURE(body);
        const answered refused = tools.post(body, {session});
        CHECK(refused.status == 400);
        CHECK(refused.error() == -32600);
    }
    CHECK(tools.post(R"({"jsonrpc":"2.0","id":1,"method":"no/such"})", {session}).error() ==
          -32601);
    CHECK(tools
              .post(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"no"}})",
                    {session})
              .error() == -32602);
    uses::posted_stream bad(tools.port, tools.call(session, R"({"steps":0})"));
    REQUIRE(bad.until_end());
    CHECK(parsed(data_of(bad, 1)).at("error").at("code").integer() == -32602);
    uses::posted_stream worse(tools.port, tools.call(session, R"({"steps":"many"})"));
    REQUIRE(worse.until_end());
    CHECK(parsed(data_of(worse, 1)).at("result").at("isError").truth);
}

TEST_CASE("use mcp: a batch is answered on one stream, in 2025-03-26 alone") {
    const server tools;
    const std::string session = tools.session("2025-03-26");
    const std::string batch =
        R"([{"jsonrpc":"2.0","id":1,"method":"ping"},)"
        R"({"jsonrpc":"2.0","method":"notifications/initialized"},)"
        R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"test_simple_text"}},)"
        R"({"jsonrpc":"2.0","id":3,"method":"no/such"}])";
    uses::posted_stream answer(tools.port, written("POST", {accept_both, is_json, session}, batch));
    REQUIRE(answer.until_end());
    REQUIRE(answer.seen.events.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(parsed(data_of(answer, i)).at("id").integer() == std::int64_t(i) + 1);
    }
    CHECK(parsed(data_of(answer, 2)).at("error").at("code").integer() == -32601);
    CHECK(tools.post(R"([{"jsonrpc":"2.0","method":"notifications/initialized"}])", {session})
              .status == 202);
    CHECK(tools.post("[]", {session}).status == 400);
    CHECK(tools.post("[7]", {session}).status == 400);
    CHECK(tools.post(batch, {tools.session("2025-06-18")}).status == 400);
    CHECK(tools.post(batch).status == 400);
    CHECK(tools.post(batch, {"MCP-Session-Id: unknown"}).status == 404);
}

TEST_CASE("use mcp: what is nested without end is refused before anything looks at it") {
    const server tools;
    const std::string session = tools.session();
    const auto nested = [](std::size_t depth) {
        return R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":)" +
               std::string(depth, '[') + std::string(depth, ']') + "}}";
    };
    CHECK(tools.post(nested(60), {session}).status == 200);
    const answered refused = tools.post(nested(20'000), {session});
    CHECK(refused.status == 400);
    CHECK(refused.error() == -32600);
    CHECK(tools.post(nested(40'000), {session}).status == 413); // 64 KiB at most
}

TEST_CASE("use mcp: what its head turns away is not answered") {
    const server tools;
    const std::string ping = R"({"jsonrpc":"2.0","id":5,"method":"ping"})";
    CHECK(tools.post(ping).status == 400); // without a session
    CHECK(tools.post(ping, {"MCP-Session-Id: unknown"}).status == 404);
    const answered evil = tools.post(ping, {"Origin: http://evil.example.com"});
    CHECK(evil.status == 403);
    CHECK(parsed(evil.body).at("id").integer() == 5);
    CHECK(tools.send("POST", {is_json, "Accept: application/json"}, ping).status == 406);
    CHECK(tools.send("POST", {accept_both}, ping).status == 415);
    for (const std::string_view method : {"PUT", "PATCH", "OPTIONS"}) {
        const answered refused = tools.send(method, {});
        CHECK(refused.status == 405);
        CHECK(refused.header("Allow") == "GET, POST, DELETE");
    }
    const answered gone = tools.send("GET", {"MCP-Protocol-Version: 2026-07-28"});
    CHECK(gone.status == 405);
    CHECK(gone.header("Allow") == "POST");
    const answered unknown = tools.post(ping, {"MCP-Protocol-Version: v999.0.0"});
    CHECK(unknown.status == 400);
    CHECK(unknown.error() == -32022);
    CHECK(parsed(unknown.body).at("error").at("data").at("requested").string() == "v999.0.0");
    const answered other = tools.post(stateless("tools/list", ""), modern("prompts/list"));
    CHECK(other.status == 400);
    CHECK(other.error() == -32020);
    CHECK(tools.post(stateless("ping", ""), modern("ping")).status == 404);
}

TEST_CASE("use mcp: the 65th session has to wait, until one ends") {
    const server tools;
    const std::string first = tools.session();
    for (int i = 1; i < 64; ++i) static_cast<void>(tools.session());
    const std::string initialize =
        R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})";
    const answered full = tools.post(initialize);
    CHECK(full.status == 503);
    CHECK(full.header("Retry-After") == "30");
    CHECK(full.header("MCP-Session-Id").empty());
    CHECK(tools.send("DELETE", {first}).status == 204);
    CHECK(tools.post(initialize).status == 200);
}
