// SPDX-License-Identifier: MIT
//
// The example that asks a language model, against a server that answers as the published interface
// has it: a chunk of JSON for each piece of text, one with the reason for the end, perhaps one with
// the usage and no choices, then [DONE].
#include "support/json.hpp"
#include "support/process.hpp"
#include "support/scripted_server.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using support::scripted_connection;
using support::scripted_server;

struct asking : support::process {
    explicit asking(const scripted_server& server)
        : process({support::example("client_chat_completion"), server.url("/v1/chat/completions"),
                   "small"}) {
        write("Say \"hi\"\nto me");
        close_input();
        REQUIRE(until_given());
    }
    bool until_out(std::string_view text) {
        return until([&] { return out() == text; });
    }
};

std::string chunk_of(std::string_view delta, std::string_view reason = "null") {
    std::string out = R"({"id":"c-1","object":"chat.completion.chunk","choices":[{"index":0,)";
    out.append(R"("delta":)").append(delta).append(R"(,"finish_reason":)").append(reason);
    return "data: " + out.append("}]}\n\n");
}

scripted_connection begin(scripted_server& server) {
    scripted_connection connection = server.accept();
    static_cast<void>(connection.read_request());
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n");
    return connection;
}

} // namespace

TEST_CASE("chat_completion: the request is what the interface wants") {
    setenv("API_KEY", "secret", 1);
    scripted_server server;
    asking client(server);
    unsetenv("API_KEY");
    scripted_connection connection = server.accept();
    const support::seen_request request = connection.read_request();
    CHECK(request.line == "POST /v1/chat/completions HTTP/1.1");
    CHECK(request.header("Content-Type") == "application/json");
    CHECK(request.header("Authorization") == "Bearer secret");
    const auto body = support::json::parse(request.body);
    REQUIRE(body.document);
    CHECK(body.document->at("model").string() == "small");
    const auto& message = body.document->at("messages").items.at(0);
    CHECK(message.at("role").string() == "user");
    CHECK(message.at("content").string() == "Say \"hi\"\nto me");
    connection.close();
    CHECK(client.wait() == 1);
    CHECK_FALSE(server.has_caller()); // it is paid for once
}

TEST_CASE("chat_completion: words are shown as they come, up to [DONE]") {
    scripted_server server;
    asking client(server);
    scripted_connection connection = begin(server);
    connection.send_chunk(": waiting\n\n");
    connection.send_chunk(chunk_of(R"({"role":"assistant","content":""})"));
    std::string shown;
    for (const std::string_view word : {"Hi", " ", "the\\nre", " \\u2026"}) {
        const std::string event = chunk_of(R"({"content":")" + std::string(word) + "\"}");
        connection.send_chunk(event.substr(0, 70)); // cut where no event ends
        connection.send_chunk(event.substr(70));
        shown += word == "the\\nre" ? "the\nre" : word == " \\u2026" ? " …" : word;
        CHECK(client.until_out(shown));
    }
    connection.send_chunk(chunk_of("{}", "\"stop\""));
    connection.send_chunk("data: {\"choices\":[],\"usage\":{\"total_tokens\":7}}\n\n");
    connection.send_chunk("data: [DONE]\n\n");
    CHECK(client.wait() == 0);
    CHECK(client.out() == shown + "\n");
    CHECK(client.err() == "");
}

TEST_CASE("chat_completion: what is not as it should be is no crash") {
    scripted_server server;
    asking client(server);
    scripted_connection connection = begin(server);
    for (const std::string_view data :
         {"no json", "[]", "7", R"({"error":null})", "{}", R"({"choices":7})", R"({"choices":[7]})",
          R"({"choices":[{"delta":7}]})", R"({"choices":[{"delta":{"content":7}}]})", ""}) {
        connection.send_chunk("data: " + std::string(data) + "\n\n");
    }
    connection.send_chunk(chunk_of(R"({"content":"ok"})"));
    connection.send_chunk("data: [DONE]\n\n");
    CHECK(client.wait() == 0);
    CHECK(client.out() == "ok\n");
}

TEST_CASE("chat_completion: an error is told, in the stream or in its place, and so is a cut") {
    {
        scripted_server server;
        asking client(server);
        begin(server).send_chunk("data: {\"error\":{\"message\":\"overloaded\"}}\n\n");
        CHECK(client.wait() == 1);
        CHECK(client.err().find("overloaded") != std::string::npos);
    }
    {
        scripted_server server;
        asking client(server);
        scripted_connection connection = server.accept();
        static_cast<void>(connection.read_request());
        connection.send("HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n"
                        "Retry-After: 1\r\nContent-Length: 2\r\n\r\n{}");
        CHECK(client.wait() == 1);
        CHECK(client.err().find("429") != std::string::npos);
        CHECK_FALSE(server.has_caller());
    }
    {
        scripted_server server;
        asking client(server);
        scripted_connection connection = begin(server);
        connection.send_chunk(chunk_of(R"({"content":"half"})"));
        CHECK(client.until_out("half"));
        connection.reset();
        CHECK(client.wait() == 1);
        CHECK(client.err().find("broken off before its end") != std::string::npos);
        CHECK_FALSE(server.has_caller());
    }
}
