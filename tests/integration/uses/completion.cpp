// SPDX-License-Identifier: MIT
#include "use.hpp"

#include <csignal>
#include <string>

TEST_CASE("use completion: the answer comes token by token, and [DONE] ends it") {
    const uses::program model("completion");
    const std::string prompt = "data: one  two\nthree \n\nevent: four";
    uses::posted_stream answer(model.port, "/completions", prompt);
    CHECK(answer.head.status == 200);
    CHECK(answer.head.header("Content-Type") == "text/event-stream");
    CHECK(answer.head.header("Cache-Control") == "no-store, no-transform");
    REQUIRE(answer.until_end());
    std::string text;
    for (const auto& event : answer.seen.events) text += event.data;
    CHECK(text == prompt + "[DONE]");
    CHECK(answer.seen.events.size() > 5);
    CHECK(answer.seen.events.back().data == "[DONE]");
    CHECK(model.until_answer("/completions", "finished 1, broken off 0\n"));
}

TEST_CASE("use completion: each event is whole characters, although tokens are not") {
    const uses::program model("completion");
    const std::string prompt = "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC caf\xC3\xA9";
    uses::posted_stream answer(model.port, "/completions", prompt);
    REQUIRE(answer.until_end());
    std::string text;
    for (const auto& event : answer.seen.events) text += event.data; // malformed parts are replaced
    CHECK(text == prompt + "[DONE]");
    CHECK(answer.seen.events.size() > 2);
}

TEST_CASE("use completion: a client that goes stops the model") {
    const uses::program model("completion");
    std::string prompt = "word";
    for (int i = 0; i < 5000; ++i) prompt += " word"; // most of a minute
    {
        uses::posted_stream answer(model.port, "/completions", prompt);
        CHECK(answer.until_count(2));
    }
    CHECK(model.until_answer("/completions", "finished 0, broken off 1\n"));
    uses::posted_stream nothing(model.port, "/completions", "");
    CHECK(nothing.until_end());
    CHECK(nothing.seen.events.size() == 1);
}

TEST_CASE("use completion: an answer that is under way when the server is stopped is finished") {
    uses::program model("completion");
    std::string prompt = "word";
    for (int i = 0; i < 50; ++i) prompt += " word"; // about half a second
    uses::posted_stream answer(model.port, "/completions", prompt);
    REQUIRE(answer.until_count(2));
    model.signal(SIGTERM);
    REQUIRE(answer.until_end());
    CHECK(answer.seen.events.back().data == "[DONE]");
}
