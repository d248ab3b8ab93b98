// SPDX-License-Identifier: MIT
#include "use.hpp"

#include "support/json.hpp"

#include <csignal>
#include <optional>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view route = "/v1/chat/completions";

std::string asking(const std::string& prompt_in_json, std::string_view more = R"("stream":true)") {
    return R"({"model":"echo","messages":[{"role":"user","content":")" + prompt_in_json + "\"}]," +
           std::string(more) + "}";
}

support::json::value parsed(const std::string& text) {
    const auto result = support::json::parse(text);
    REQUIRE_MESSAGE(result.document.has_value(), text);
    return *result.document;
}

/// What an answer comes to for a client that knows the API.
struct answer_text {
    std::string text = {};
    std::string role = {};
    std::string finish_reason = {};
    std::optional<support::json::value> usage = {};
    std::string last = {};

    explicit answer_text(const uses::posted_stream& answer) {
        for (const auto& event : answer.seen.events) {
            CHECK(event.type == "message");
            last = event.data;
            if (last == "[DONE]") continue;
            const auto chunk = parsed(event.data);
            CHECK(chunk.at("object").string() == "chat.completion.chunk");
            CHECK(chunk.at("model").string() == "echo");
            CHECK(chunk.at("created").integer() > 0);
            CHECK(chunk.at("id").string().starts_with("chatcmpl-"));
            for (const auto& choice : chunk.at("choices").items) {
                const auto& delta = choice.at("delta");
                if (delta.find("role") != nullptr) role += delta.at("role").string();
                if (delta.find("content") != nullptr) text += delta.at("content").string();
                const auto& reason = choice.at("finish_reason");
                if (!reason.is_null()) finish_reason += reason.string();
            }
            if (chunk.at("choices").items.empty()) usage = chunk.at("usage");
        }
    }
};

} // namespace

TEST_CASE("use completion: the answer comes token by token, and [DONE] ends it") {
    const uses::program model("completion");
    uses::posted_stream answer(model.port, route,
                               asking("data: one  two\\nthree \\n\\nevent: four"));
    CHECK(answer.head.status == 200);
    CHECK(answer.head.header("Content-Type") == "text/event-stream");
    CHECK(answer.head.header("Cache-Control") == "no-store, no-transform");
    REQUIRE(answer.until_end());
    CHECK(answer.seen.events.size() > 8);
    const answer_text got(answer);
    CHECK(got.text == "data: one  two\nthree \n\nevent: four");
    CHECK(got.role == "assistant");
    CHECK(got.finish_reason == "stop");
    CHECK(!got.usage);
    CHECK(got.last == "[DONE]");
    CHECK(answer.seen.last_event_id() == "");
    CHECK(model.until_answer("/completions", "finished 1, broken off 0\n"));
}

TEST_CASE("use completion: each event is whole characters, although tokens are not") {
    const uses::program model("completion");
    const std::string prompt = "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC caf\xC3\xA9";
    uses::posted_stream answer(model.port, route, asking(prompt));
    REQUIRE(answer.until_end());
    CHECK(answer_text(answer).text == prompt); // what is malformed would be replaced
    CHECK(answer.seen.events.size() > 4);
}

TEST_CASE("use completion: the usage comes where it is asked for, and a limit is kept") {
    const uses::program model("completion");
    constexpr std::string_view more =
        R"("stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":2)";
    uses::posted_stream answer(model.port, route, asking("one two three", more));
    REQUIRE(answer.until_end());
    const answer_text got(answer);
    CHECK(got.text == "one two");
    CHECK(got.finish_reason == "length");
    REQUIRE(got.usage);
    CHECK(got.usage->at("prompt_tokens").integer() == 3);
    CHECK(got.usage->at("completion_tokens").integer() == 2);
    CHECK(got.usage->at("total_tokens").integer() == 5);
    CHECK(got.last == "[DONE]");
}

TEST_CASE("use completion: without a stream the answer is one object") {
    const uses::program model("completion");
    const auto answer =
        model.ask("POST /v1/chat/completions", asking("one \xC3\xA9 two", R"("stream":false)"));
    CHECK(answer.status == 200);
    CHECK(answer.header("Content-Type") == "application/json");
    const auto body = parsed(answer.body);
    CHECK(body.at("object").string() == "chat.completion");
    const auto& choice = body.at("choices").items.at(0);
    CHECK(choice.at("message").at("content").string() == "one \xC3\xA9 two");
    CHECK(choice.at("finish_reason").string() == "stop");
    CHECK(body.at("usage").at("total_tokens").integer() == 6);
}

TEST_CASE("use completion: what cannot be answered is refused as the API does it") {
    const uses::program model("completion");
    struct refused {
        std::string body;
        int status;
        std::string param;
    };
    const refused cases[] = {
        {"", 400, ""},
        {"{", 400, ""},
        {"[]", 400, ""},
        {R"({"model":"echo"})", 400, ""},
        {R"({"model":7,"messages":[]})", 400, ""},
        {R"({"model":"echo","messages":[]})", 400, "messages"},
        {R"({"model":"echo","messages":[{"role":"user"}]})", 400, ""},
        {R"({"model":"echo","messages":[{"role":"user","content":{"a":"b"}}]})", 400, ""},
        {asking("a", R"("max_tokens":0)"), 400, "max_tokens"},
        {asking("a", R"("max_tokens":1e300)"), 400, "max_tokens"},
        {asking("a", R"("stream":"yes")"), 400, ""},
        {asking("a", R"("stream_options":[7],"stream":true,"model":7)"), 400, ""},
        {asking("\xFF"), 400, ""},
        {R"({"model":"another","messages":[{"role":"user","content":"a"}]})", 404, "model"},
    };
    for (const refused& each : cases) {
        CAPTURE(each.body);
        const auto answer = model.ask("POST /v1/chat/completions", each.body);
        CHECK(answer.status == each.status);
        CHECK(answer.header("Content-Type") == "application/json");
        const auto error = parsed(answer.body).at("error");
        CHECK(error.at("type").string() == "invalid_request_error");
        CHECK(error.at("message").string() != "");
        CHECK((each.param.empty() ? error.at("param").is_null()
                                  : error.at("param").string() == each.param));
    }
}

TEST_CASE("use completion: what does not matter is passed over, however deep") {
    const uses::program model("completion");
    const std::string deep = std::string(15'000, '[') + std::string(15'000, ']');
    uses::posted_stream answer(
        model.port, route,
        asking("one", R"("max_tokens":null,"stream":true,"stream_options":)" + deep +
                          R"(,"tools":)" + deep));
    REQUIRE(answer.until_end());
    CHECK(answer_text(answer).text == "one");
    CHECK(model
              .ask("POST /v1/chat/completions",
                   R"({"model":"echo","messages":[{"content":)" + deep + "}]}")
              .status == 400);
}

TEST_CASE("use completion: a client that goes stops the model") {
    const uses::program model("completion");
    std::string prompt = "word";
    for (int i = 0; i < 5000; ++i) prompt += " word"; // most of a minute
    {
        uses::posted_stream answer(model.port, route, asking(prompt));
        CHECK(answer.until_count(2));
    }
    CHECK(model.until_answer("/completions", "finished 0, broken off 1\n"));
    uses::posted_stream nothing(model.port, route, asking(""));
    CHECK(nothing.until_end());
    CHECK(nothing.seen.events.size() == 3);
}

TEST_CASE("use completion: an answer that is under way when the server is stopped is finished") {
    uses::program model("completion");
    std::string prompt = "word";
    for (int i = 0; i < 50; ++i) prompt += " word"; // about half a second
    uses::posted_stream answer(model.port, route, asking(prompt));
    REQUIRE(answer.until_count(2));
    model.signal(SIGTERM);
    REQUIRE(answer.until_end());
    CHECK(answer.seen.events.back().data == "[DONE]");
}

TEST_CASE("use completion: there is a description of it for tools") {
    const uses::program model("completion");
    const auto answer = model.ask("GET /openapi.json");
    CHECK(answer.status == 200);
    CHECK(answer.header("Content-Type") == "application/json");
    const auto document = parsed(answer.body);
    CHECK(document.at("openapi").string() == "3.2.0");
    const auto& post = document.at("paths").at("/chat/completions").at("post");
    const auto& content = post.at("responses").at("200").at("content");
    CHECK(content.at("text/event-stream").find("itemSchema") != nullptr);
}
