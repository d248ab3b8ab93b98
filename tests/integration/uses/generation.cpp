// SPDX-License-Identifier: MIT
#include "use.hpp"

#include "support/json.hpp"

#include <csignal>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// A text of so many words, which take some 10 ms each.
std::string words(int count) {
    std::string text = "word";
    for (int i = 1; i < count; ++i) text += " word";
    return text;
}

/// \returns the address of the stream of a new one.
std::string begin(const uses::program& model, const std::string& prompt) {
    const auto begun = model.ask("POST /generations", R"({"prompt":")" + prompt + "\"}");
    CHECK(begun.status == 201);
    return begun.header("Location");
}

std::string chat(std::string_view id, const std::string& prompt) {
    return R"({"id":")" + std::string(id) +
           R"(","messages":[{"role":"user","parts":[{"type":"text","text":")" + prompt + "\"}]}]}";
}

template <class Events>
std::string text_of(const Events& events) {
    std::string text;
    for (const auto& event : events) {
        if (event.data == "[DONE]") continue;
        const auto part = support::json::parse(event.data);
        REQUIRE(part.document.has_value());
        if (part.document->at("type").string() == "text-delta") {
            text += part.document->at("delta").string();
        }
    }
    return text;
}

template <class Events>
std::vector<std::string> data_of(const Events& events) {
    std::vector<std::string> all;
    for (const auto& event : events) all.push_back(event.data);
    return all;
}

bool until_last(support::stream_client& client) {
    return client.until([&] { return client.ended(); });
}

} // namespace

TEST_CASE("use generation: it goes on when its reader leaves, and is joined from its beginning") {
    const uses::program model("generation");
    const std::string prompt = words(40) + " caf\xC3\xA9";
    const std::string stream = begin(model, prompt);
    {
        support::stream_client reader(model.port, stream);
        CHECK(reader.head.header("x-vercel-ai-ui-message-stream") == "v1");
        REQUIRE(reader.until_count(5));
    } // nobody reads it
    support::stream_client second(model.port, stream);
    support::stream_client third(model.port, stream);
    REQUIRE(until_last(second));
    REQUIRE(until_last(third));
    CHECK(text_of(second.events) == prompt);
    CHECK(second.events.back().data == "[DONE]");
    CHECK(data_of(third.events) == data_of(second.events));
    CHECK(model.until_answer("/generations", "0 under way\n"));
    support::stream_client late(model.port, stream);
    REQUIRE(until_last(late));
    CHECK(data_of(late.events) == data_of(second.events));
}

TEST_CASE("use generation: who comes back with the last id gets what is missing, then nothing") {
    const uses::program model("generation");
    const std::string stream = begin(model, words(40));
    std::vector<std::string> got;
    std::string id;
    {
        support::stream_client reader(model.port, stream);
        REQUIRE(reader.until_count(9));
        got = data_of(reader.events);
        id = reader.last_event_id();
    }
    support::stream_client again(model.port, stream, id);
    REQUIRE(until_last(again));
    for (const std::string& data : data_of(again.events)) got.push_back(data);
    support::stream_client whole(model.port, stream);
    REQUIRE(until_last(whole));
    CHECK(got == data_of(whole.events));
    CHECK(support::stream_client(model.port, stream, whole.last_event_id()).head.status == 204);
}

TEST_CASE("use generation: a chat begins one and joins it while it is under way") {
    const uses::program model("generation");
    uses::posted_stream answer(model.port, "/api/chat", chat("c-1", words(300)));
    CHECK(answer.head.status == 200);
    CHECK(answer.head.header("x-vercel-ai-ui-message-stream") == "v1");
    REQUIRE(answer.until_count(4));
    CHECK(model.post("/api/chat", chat("c-1", "another")) == 409);
    support::stream_client joined(model.port, "/api/chat/c-1/stream");
    REQUIRE(answer.until_end());
    REQUIRE(until_last(joined));
    CHECK(data_of(joined.events) == data_of(answer.seen.events));
    CHECK(text_of(joined.events) == words(300));
    CHECK(model.until_answer("/generations", "0 under way\n"));
    CHECK(model.ask("GET /api/chat/c-1/stream").status == 204);
    CHECK(model.ask("GET /api/chat/c-2/stream").status == 204);
    // The next one of that chat has nothing of the last.
    uses::posted_stream next(model.port, "/api/chat", chat("c-1", "another"));
    REQUIRE(next.until_end());
    CHECK(text_of(next.seen.events) == "another");
}

TEST_CASE("use generation: one is stopped by its id, which its readers are told") {
    const uses::program model("generation");
    const std::string stream = begin(model, words(5000));
    support::stream_client reader(model.port, stream);
    REQUIRE(reader.until_count(5));
    const std::string stop = stream.substr(0, stream.rfind('/')) + "/stop";
    CHECK(model.post(stop) == 202);
    REQUIRE(until_last(reader));
    REQUIRE(reader.events.size() >= 2);
    CHECK(reader.events[reader.events.size() - 2].data == R"({"type":"abort"})");
    CHECK(reader.events.back().data == "[DONE]");
    CHECK(model.until_answer("/generations", "0 under way\n"));
    CHECK(model.post(stop) == 404);
}

TEST_CASE("use generation: what cannot be is refused, and there are never too many") {
    const uses::program model("generation");
    CHECK(model.post("/generations", "") == 400);
    CHECK(model.post("/generations", R"({"prompt":7})") == 400);
    CHECK(model.post("/api/chat", "[]") == 400);
    const std::string deep = std::string(30'000, '[') + std::string(30'000, ']');
    CHECK(model.post("/generations", R"({"prompt":)" + deep + "}") == 400);
    CHECK(model.post("/api/chat", R"({"id":"a","messages":)" + deep + "}") == 400);
    CHECK(model.post("/api/chat", R"({"id":"a","messages":[{"parts":7}]})") == 400);
    CHECK(model.post("/api/chat", chat("a/b", "x")) == 400);
    CHECK(model.post("/api/chat", chat(std::string(65, 'a'), "x")) == 400);
    CHECK(model.ask("GET /generations/never/stream").status == 404);
    CHECK(model.post("/generations/never/stop") == 404);
    for (int i = 0; i < 32; ++i) begin(model, words(5000));
    CHECK(model.post("/generations", R"({"prompt":"one too many"})") == 503);
}

TEST_CASE("use generation: a reader gets the rest when the server is stopped") {
    uses::program model("generation");
    support::stream_client reader(model.port, begin(model, words(50)));
    const std::string unread = begin(model, words(5000)); // for which nobody waits
    REQUIRE(reader.until_count(5));
    model.signal(SIGTERM);
    REQUIRE(until_last(reader));
    CHECK(text_of(reader.events) == words(50));
    CHECK(reader.events.back().data == "[DONE]");
}
