// SPDX-License-Identifier: MIT
//
// The example that asks language models, against a server that answers as each published interface
// has it: their words, their pings, their ends, their errors.
#include "support/json.hpp"
#include "support/process.hpp"
#include "support/scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using support::scripted_connection;
using support::scripted_server;

const std::string chat = "/v1/chat/completions";
const std::string responses = "/v1/responses";
const std::string messages = "/v1/messages";
const std::string contents = "/v1beta/models/small:streamGenerateContent?alt=sse";

struct asking : support::process {
    explicit asking(const scripted_server& server, const std::string& target = chat,
                    const std::vector<std::string>& options = {})
        : process(command(server.url(target), options)) {
        write("Say \"hi\"\nto me");
        close_input();
        REQUIRE(until_given());
    }
    bool until_out(std::string_view text) {
        return until([&] { return out() == text; });
    }
    bool says(std::string_view text) const { return err().find(text) != std::string::npos; }

  private:
    static std::vector<std::string> command(const std::string& url,
                                            const std::vector<std::string>& options) {
        std::vector<std::string> out{support::example("client_chat_completion")};
        out.insert(out.end(), options.begin(), options.end());
        out.insert(out.end(), {url, "small"});
        return out;
    }
};

struct set_variable {
    set_variable(std::string name, const char* value) : name_(std::move(name)) {
        setenv(name_.c_str(), value, 1);
    }
    set_variable(const set_variable&) = delete;
    set_variable& operator=(const set_variable&) = delete;
    ~set_variable() { unsetenv(name_.c_str()); }

  private:
    std::string name_;
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

/// Answers the next request with JSON, and closes.
support::seen_request refuse(scripted_server& server, std::string_view status,
                             std::string_view headers, std::string_view body) {
    scripted_connection connection = server.accept();
    support::seen_request request = connection.read_request();
    connection.send("HTTP/1.1 " + std::string(status) +
                    "\r\nContent-Type: application/json\r\nConnection: close\r\n" +
                    std::string(headers) + "Content-Length: " + std::to_string(body.size()) +
                    "\r\n\r\n" + std::string(body));
    connection.close();
    return request;
}

support::json::value parsed(const std::string& text) {
    const auto result = support::json::parse(text);
    REQUIRE(result.document);
    return *result.document;
}

std::string named(std::string_view type, std::string_view more = "") {
    std::string out = "event: " + std::string(type) + "\ndata: {\"type\":\"" + std::string(type);
    return out.append("\"").append(more).append("}\n\n");
}

std::string candidate(std::string_view text, std::string_view more = "") {
    std::string out = R"(data: {"candidates":[{"content":{"role":"model","parts":[{"text":")";
    return out.append(text).append("\"}]}").append(more).append("}]}\r\n\r\n");
}

/// A whole answer, "Hello", in its dialect.
struct specimen {
    std::string target;
    std::string begins; // up to "Hel"
    std::string goes_on;
    std::string ends;
};

std::vector<specimen> specimens() {
    const auto block = [](std::string_view text) {
        return named("content_block_delta", R"(,"index":0,"delta":{"type":"text_delta","text":")" +
                                                std::string(text) + "\"}");
    };
    const auto delta = [](std::string_view text) {
        return named("response.output_text.delta", R"(,"delta":")" + std::string(text) + "\"");
    };
    return {
        {chat, ": PROCESSING\n\n" + chunk_of(R"({"role":"assistant","content":"Hel"})"),
         chunk_of(R"({"content":[{"type":"text","text":"lo"}]})") + chunk_of("{}", "\"stop\"") +
             "data: {\"choices\":[],\"usage\":{\"total_tokens\":7},\"error\":null}\n\n",
         "data: [DONE]\n\n"},
        {responses, named("response.created", R"(,"response":{"error":null})") + delta("Hel"),
         delta("lo") + named("response.output_text.done", R"(,"text":"Hello")"),
         named("response.completed", R"(,"response":{"status":"completed","error":null})")},
        {messages,
         named("message_start", R"(,"message":{"content":[],"stop_reason":null})") + named("ping") +
             block("Hel"),
         block("lo") + named("message_delta", R"(,"delta":{"stop_reason":"end_turn"})"),
         named("message_stop")},
        {contents, candidate("Hel"), "", candidate("lo", R"(,"finishReason":"STOP")")},
    };
}

} // namespace

TEST_CASE("chat_completion: the request is what the interface wants") {
    const set_variable key("API_KEY", "secret");
    scripted_server server;
    SUBCASE("chat completions") {
        asking client(server);
        const support::seen_request request = refuse(server, "400 No", "", "{}");
        CHECK(request.line == "POST /v1/chat/completions HTTP/1.1");
        CHECK(request.header("Content-Type") == "application/json");
        CHECK(request.header("Authorization") == "Bearer secret");
        const auto body = parsed(request.body);
        CHECK(body.at("model").string() == "small");
        const auto& message = body.at("messages").items.at(0);
        CHECK(message.at("role").string() == "user");
        CHECK(message.at("content").string() == "Say \"hi\"\nto me");
        CHECK(client.wait() == 1);
    }
    SUBCASE("responses") {
        asking client(server, responses);
        const support::seen_request request = refuse(server, "400 No", "", "{}");
        CHECK(request.header("Authorization") == "Bearer secret");
        CHECK(parsed(request.body).at("input").string() == "Say \"hi\"\nto me");
        CHECK(client.wait() == 1);
    }
    SUBCASE("messages") {
        asking client(server, messages);
        const support::seen_request request = refuse(server, "400 No", "", "{}");
        CHECK(request.header("x-api-key") == "secret");
        CHECK_FALSE(request.has("Authorization"));
        CHECK(request.header("anthropic-version") == "2023-06-01");
        CHECK(parsed(request.body).at("max_tokens").integer() > 0);
        CHECK(client.wait() == 1);
    }
    SUBCASE("contents") {
        asking client(server, contents);
        const support::seen_request request = refuse(server, "400 No", "", "{}");
        CHECK(request.header("x-goog-api-key") == "secret");
        const auto body = parsed(request.body);
        const auto& part = body.at("contents").items.at(0).at("parts").items.at(0);
        CHECK(part.at("text").string() == "Say \"hi\"\nto me");
        CHECK(client.wait() == 1);
    }
}

TEST_CASE("chat_completion: a provider's key is for its own host, or where it is named") {
    const set_variable key("MISTRAL_API_KEY", "theirs");
    const set_variable other("OPENAI_API_KEY", "others");
    scripted_server server;
    {
        asking client(server);
        CHECK_FALSE(refuse(server, "400 No", "", "{}").has("Authorization"));
        CHECK(client.wait() == 1);
    }
    asking client(server, chat, {"--dialect", "mistral"});
    CHECK(refuse(server, "400 No", "", "{}").header("Authorization") == "Bearer theirs");
    CHECK(client.wait() == 1);
}

TEST_CASE("chat_completion: words are shown as they come, up to the end of the dialect") {
    for (const specimen& each : specimens()) {
        INFO(each.target);
        scripted_server server;
        asking client(server, each.target);
        scripted_connection connection = begin(server);
        const std::size_t half = each.begins.size() / 2;
        connection.send_chunk(each.begins.substr(0, half)); // cut where no event ends
        connection.send_chunk(each.begins.substr(half));
        CHECK(client.until_out("Hel"));
        connection.send_chunk(each.goes_on + each.ends);
        if (each.target == contents) connection.send_chunk(""); // it has no mark
        CHECK(client.wait() == 0);
        CHECK(client.out() == "Hello\n");
        CHECK(client.err() == "");
        CHECK_FALSE(server.has_caller());
    }
}

TEST_CASE(
    "chat_completion: an answer that ends before its end is none, though the bytes end well") {
    for (const specimen& each : specimens()) {
        INFO(each.target);
        scripted_server server;
        asking client(server, each.target);
        scripted_connection connection = begin(server);
        connection.send_chunk(each.begins + each.goes_on);
        connection.send_chunk("");
        CHECK(client.wait() == 1);
        CHECK(client.says("broken off before its end"));
        CHECK_FALSE(server.has_caller()); // a stream had begun
    }
}

TEST_CASE("chat_completion: a last event without its blank line is whole if it is an end") {
    for (const specimen& each : specimens()) {
        if (each.target != chat && each.target != contents) continue;
        INFO(each.target);
        scripted_server server;
        asking client(server, each.target);
        scripted_connection connection = begin(server);
        std::string all = each.begins + each.goes_on + each.ends;
        while (all.back() == '\n' || all.back() == '\r') all.pop_back();
        connection.send_chunk(all + "\n");
        connection.send_chunk("");
        CHECK(client.wait() == 0);
        CHECK(client.out() == "Hello\n");
    }
}

TEST_CASE("chat_completion: an error in a stream is told in the server's words") {
    const std::vector<std::pair<std::string, std::string>> errors = {
        {chat, "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"},
        {responses, named("error", R"(,"code":"x","message":"overloaded")")},
        {responses, named("response.failed", R"(,"response":{"error":{"message":"overloaded"}})")},
        {messages, named("error", R"(,"error":{"type":"overloaded_error"})")},
        {contents, "data: {\"error\":{\"code\":503,\"message\":\"overloaded\"}}\r\n\r\n"},
    };
    for (const auto& [target, event] : errors) {
        INFO(target);
        scripted_server server;
        asking client(server, target);
        scripted_connection connection = begin(server);
        connection.send_chunk(event);
        CHECK(client.wait() == 1);
        CHECK(client.says("overloaded"));
        CHECK_FALSE(server.has_caller());
    }
}

TEST_CASE("chat_completion: a model that was not let finish is told") {
    scripted_server server;
    asking client(server);
    scripted_connection connection = begin(server);
    connection.send_chunk(chunk_of(R"({"content":"half"})", "\"length\"") + "data: [DONE]\n\n");
    CHECK(client.wait() == 1);
    CHECK(client.out() == "half\n");
    CHECK(client.says("stopped early: length"));
}

TEST_CASE("chat_completion: what is not as it should be is no crash, and what is no JSON is told") {
    scripted_server server;
    asking client(server);
    scripted_connection connection = begin(server);
    for (const std::string_view data :
         {R"({"error":null})", "{}", R"({"choices":7})", R"({"choices":[7]})",
          R"({"choices":[{"delta":7}]})", R"({"choices":[{"delta":{"content":7}}]})", ""}) {
        connection.send_chunk("data: " + std::string(data) + "\n\n");
    }
    SUBCASE("odd") {
        connection.send_chunk(chunk_of(R"({"content":"ok"})") + "data: [DONE]\n\n");
        CHECK(client.wait() == 0);
        CHECK(client.err() == "");
    }
    SUBCASE("no JSON, or no object") {
        connection.send_chunk("data: no json\n\ndata: [7]\n\ndata: {\"choices\":\n\n");
        connection.send_chunk(chunk_of(R"({"content":"ok"})") + "data: [DONE]\n\n");
        CHECK(client.wait() == 2);
        CHECK(client.says("3 events could not be read"));
    }
    CHECK(client.out() == "ok\n");
}

TEST_CASE("chat_completion: it asks again as SDKs do, until a stream has begun") {
    scripted_server server;
    SUBCASE("three times, and then the server's words") {
        asking client(server);
        for (int i = 0; i < 3; ++i) {
            refuse(server, "429 Too Many Requests", "Retry-After: 0\r\n",
                   R"({"error":{"message":"slow down"}})");
        }
        CHECK(client.wait() == 1);
        CHECK(client.says("slow down"));
        CHECK(client.says("429"));
        CHECK_FALSE(server.has_caller());
    }
    SUBCASE("and never after a stream has begun") {
        asking client(server);
        refuse(server, "529 Overloaded", "", "{}");
        scripted_connection connection = begin(server);
        connection.send_chunk(chunk_of(R"({"content":"half"})"));
        CHECK(client.until_out("half"));
        connection.reset();
        CHECK(client.wait() == 1);
        CHECK(client.says("broken off before its end"));
        CHECK_FALSE(server.has_caller());
    }
    SUBCASE("unless the server says that it is no use") {
        asking client(server);
        refuse(server, "503 No", "x-should-retry: false\r\n", R"({"error":"out of money"})");
        CHECK(client.wait() == 1);
        CHECK(client.says("out of money"));
        CHECK_FALSE(server.has_caller());
    }
    SUBCASE("nor what a request is to blame for, in whatever form that is told") {
        asking client(server);
        refuse(server, "200 OK", "", R"({"error":{"message":"no such \u001b[31mmodel"}})");
        CHECK(client.wait() == 1);
        CHECK(client.says("no such ?[31mmodel"));
        CHECK_FALSE(server.has_caller());
    }
}

TEST_CASE("chat_completion: a model that has stalled is given up, whatever keeps it alive") {
    scripted_server server;
    asking client(server, messages, {"--timeout", "1"});
    scripted_connection connection = begin(server);
    std::string_view sign;
    SUBCASE("comments") {
        sign = ": ping\n\n";
    }
    SUBCASE("events of that name") {
        sign = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    }
    connection.send_chunk(sign);
    while (!client.until([&] { return !client.err().empty(); }, std::chrono::milliseconds(100))) {
        connection.send_chunk(sign);
    }
    CHECK(client.wait() == 1);
    const bool is_told = client.says("no event in time") || client.says("nothing but pings");
    CHECK(is_told);
}

TEST_CASE("chat_completion: SIGINT ends it in order") {
    scripted_server server;
    asking client(server);
    scripted_connection connection = begin(server);
    connection.send_chunk(chunk_of(R"({"content":"half"})"));
    CHECK(client.until_out("half"));
    client.signal(SIGINT);
    CHECK(client.wait() == 1);
    CHECK(client.says("closed"));
    CHECK(connection.until_closed());
}

TEST_CASE("chat_completion: wrong usage is told") {
    const std::string program = support::example("client_chat_completion");
    const auto run = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), program);
        support::process client(arguments);
        client.close_input();
        const int status = client.wait();
        return std::pair(status, client.out() + client.err());
    };
    CHECK(run({"--help"}).first == 0);
    CHECK(run({}).first == 64);
    CHECK(run({"http://127.0.0.1:1/v1/chat/completions"}).first == 64);
    CHECK(run({"--dialect", "latin", "http://127.0.0.1:1/", "m"}).second.find("no dialect latin") !=
          std::string::npos);
    CHECK(run({"--timeout", "0", "http://127.0.0.1:1/", "m"}).first == 64);
    CHECK(run({"http://127.0.0.1:1/api/chat", "m"}).second.find("--dialect NAME") !=
          std::string::npos);
}
