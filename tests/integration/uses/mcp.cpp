// SPDX-License-Identifier: MIT
#include "use.hpp"

#include "support/json.hpp"

#include <csignal>
#include <string>

namespace {

std::string call(int steps) {
    return R"({"jsonrpc":"2.0","id":"a\nb","method":"tools/call","params":{"arguments":{"steps":)" +
           std::to_string(steps) + "}}}";
}

support::json::value parsed(const std::string& text) {
    const auto result = support::json::parse(text);
    REQUIRE(result.document);
    return *result.document;
}

} // namespace

TEST_CASE("use mcp: the head comes at once, comments until there is something to say, the result") {
    const uses::program tools("mcp");
    uses::posted_stream answer(tools.port, "/mcp", call(3));
    CHECK(answer.head.status == 200);
    REQUIRE(answer.until_count(1));
    CHECK(!answer.seen.comments.empty());
    REQUIRE(answer.until_end());
    REQUIRE(answer.seen.events.size() == 4);
    for (int i = 0; i < 3; ++i) {
        const auto progress = parsed(answer.seen.events[std::size_t(i)].data);
        CHECK(progress.at("method").string() == "notifications/progress");
        CHECK(progress.at("params").at("progress").integer() == i + 1);
    }
    const auto result = parsed(answer.seen.events[3].data);
    CHECK(result.at("id").string() == "a\nb");
    CHECK(result.at("result").at("steps").integer() == 3);
    CHECK(tools.until_answer("/calls", R"({"cancelled":0,"finished":1,"topics":0})"));
}

TEST_CASE("use mcp: a client that goes cancels its call, and the others go on") {
    const uses::program tools("mcp");
    uses::posted_stream other(tools.port, "/mcp", call(20));
    {
        uses::posted_stream answer(tools.port, "/mcp", call(100'000));
        REQUIRE(answer.until_count(1));
    }
    REQUIRE(other.until_end());
    CHECK(other.seen.events.size() == 21);
    CHECK(tools.until_answer("/calls", R"({"cancelled":1,"finished":1,"topics":0})"));
}

TEST_CASE("use mcp: what is no call is refused") {
    const uses::program tools("mcp");
    for (const std::string_view body :
         {"", "{", "[]", "{}", R"({"id":1})", R"({"id":1,"method":"ping"})",
          R"({"id":1,"method":7})", R"({"id":1,"method":"tools/call","params":[1]})"}) {
        CHECK(tools.post("/mcp", body) == 400);
    }
    CHECK(tools.post("/mcp", call(0)) == 400);
    CHECK(tools.post("/mcp", call(-1)) == 400);
}

TEST_CASE("use mcp: a call that is under way when the server is stopped gets its result") {
    uses::program tools("mcp");
    uses::posted_stream answer(tools.port, "/mcp", call(10));
    REQUIRE(answer.until_count(1));
    tools.signal(SIGTERM);
    REQUIRE(answer.until_end());
    REQUIRE(answer.seen.events.size() == 11);
    CHECK(parsed(answer.seen.events[10].data).at("result").at("steps").integer() == 10);
}
