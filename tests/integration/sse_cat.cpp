// SPDX-License-Identifier: MIT
#include "support/cases.hpp"
#include "support/json.hpp"
#include "support/process.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

namespace json = support::json;

support::run_result sse_cat(std::vector<std::string> options, std::string_view input) {
    options.insert(options.begin(), support::example("sse_cat"));
    return support::run(options, input);
}

std::string joined(const std::vector<std::string>& options) {
    std::string text;
    for (const std::string& option : options) text += option + " ";
    return text;
}

std::vector<json::value> lines_of(std::string_view text) {
    std::vector<json::value> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        REQUIRE(end != text.npos);
        json::parse_result line = json::parse(text.substr(0, end));
        REQUIRE_MESSAGE(line.document, line.error << ": " << text.substr(0, end));
        lines.push_back(std::move(*line.document));
        text.remove_prefix(end + 1);
    }
    return lines;
}

void check_case(const json::value& test, const std::string& out) {
    const json::value& expected = test.at("exp");
    std::vector<json::value> lines = lines_of(out);
    REQUIRE(!lines.empty());
    const json::value end = lines.back();
    lines.pop_back();

    std::vector<support::expected_event> events;
    events.reserve(lines.size());
    for (const json::value& line : lines) {
        events.push_back(
            {line.at("type").string(), line.at("data").string(), line.at("lastEventId").string()});
    }
    CHECK(events == support::events_of(&expected.at("events")));
    CHECK(end.at("last_event_id").string() == expected.at("last").string());
    CHECK(end.at("retry").type == expected.at("retry").type);
    CHECK(end.at("retry").text == expected.at("retry").text);
}

} // namespace

TEST_CASE("sse_cat: every conformance case comes out the same in every mode") {
    const std::vector<std::vector<std::string>> modes = {
        {}, {"--whole"}, {"--chunk", "1"}, {"--chunk", "3"}, {"--whole", "--chunk", "2"}};
    for (const json::value& test : support::load_cases("parser-cases.json")) {
        INFO(support::name_of(test));
        for (const std::vector<std::string>& mode : modes) {
            INFO(joined(mode));
            const support::run_result result = sse_cat(mode, support::input_of(test));
            CHECK(result.status == 0);
            CHECK(result.err == "");
            check_case(test, result.out);
        }
    }
}

TEST_CASE("sse_cat: the lines are exactly as documented") {
    const support::run_result result = sse_cat({}, "id: a\"\\\nevent: t\xC3\xA9\tx\n"
                                                   "data: \x01\x1f\xFF\ndata: \xF0\x9F\x91\x8D/\n\n"
                                                   "retry: 1500\n");
    CHECK(result.out == R"({"type":"té\tx","data":"\u0001\u001f�\n👍/","lastEventId":"a\"\\"})"
                        "\n"
                        R"({"last_event_id":"a\"\\","retry":1500})"
                        "\n");
}

TEST_CASE("sse_cat: a retry that a JSON number cannot carry is a string") {
    const auto retry = [](const char* digits) {
        const support::run_result result = sse_cat({}, std::string("retry: ") + digits + "\n");
        return lines_of(result.out).back().at("retry");
    };
    CHECK(retry("9007199254740991").type == json::kind::number);
    CHECK(retry("9007199254740992").type == json::kind::string);
    CHECK(retry("9007199254740992").text == "9007199254740992");
}

TEST_CASE("sse_cat: an event is printed before the input has ended") {
    support::process cat({support::example("sse_cat")});
    cat.write("id: 1\ndata: first\n\nda");
    CHECK(cat.until([&] { return cat.out().find("first") != std::string::npos; }));
    cat.write("ta: second\r\r");
    CHECK(cat.until([&] { return cat.out().find("second") != std::string::npos; }));
    CHECK(cat.out().find("last_event_id") == std::string::npos);
    cat.close_input();
    CHECK(cat.wait() == 0);
    CHECK(cat.out().ends_with("{\"last_event_id\":\"1\",\"retry\":null}\n"));
}

TEST_CASE("sse_cat: an event past the limit is named with its byte, and the rest is processed") {
    // 12 bytes, then data whose fifth byte is number 22
    constexpr std::string_view input =
        "data: 1234\n\ndata: 12345\nid: 7\n\ndata: after\n\ndata: x\n\n";
    const std::string_view expected = R"({"type":"message","data":"1234","lastEventId":""})"
                                      "\n"
                                      R"({"type":"message","data":"x","lastEventId":"7"})"
                                      "\n"
                                      R"({"last_event_id":"7","retry":null})"
                                      "\n";
    for (const std::vector<std::string>& mode : std::vector<std::vector<std::string>>{
             {"--limit", "4"}, {"--whole", "--limit", "4"}, {"--chunk", "1", "--limit", "4"}}) {
        INFO(joined(mode));
        const support::run_result result = sse_cat(mode, input);
        CHECK(result.status == 2);
        CHECK(result.out == expected);
        CHECK(result.err == "sse_cat: byte 22: the data of an event is too long\n"
                            "sse_cat: byte 41: the data of an event is too long\n");
    }
    CHECK(sse_cat({"--limit", "5"}, input).status == 0);
    CHECK(sse_cat({}, "id: " + std::string((64 << 10) + 1, 'x') + "\ndata: x\n\n").status == 2);
}

TEST_CASE("sse_cat: a large input goes through whole") {
    std::string input;
    for (int i = 0; i < 20000; ++i) input += "data: " + std::string(100, 'x') + "\n\n";
    const support::run_result result = sse_cat({"--whole"}, input);
    CHECK(result.status == 0);
    CHECK(lines_of(result.out).size() == 20001);
    CHECK(sse_cat({}, input).out == result.out);
}

TEST_CASE("sse_cat: a wrong command line is explained") {
    const std::vector<std::vector<std::string>> wrong = {
        {"--chunk"},     {"--chunk", "0"}, {"--chunk", "-1"}, {"--limit", "1k"},
        {"--limit", ""}, {"--nonsense"},   {"file"},          {"--limit", "99999999999999999999"},
    };
    for (const std::vector<std::string>& options : wrong) {
        INFO(joined(options));
        const support::run_result result = sse_cat(options, "data: x\n\n");
        CHECK(result.status == 64);
        CHECK(result.out == "");
        CHECK(result.err.find(options.back()) != std::string::npos);
        CHECK(result.err.find("--help") != std::string::npos);
    }
    const support::run_result help = sse_cat({"--help"}, {});
    CHECK(help.status == 0);
    CHECK(help.out.find("--limit BYTES") != std::string::npos);
}

TEST_CASE("sse_cat: a reader that goes away ends it quietly") {
    support::process cat({support::example("sse_cat")});
    cat.close_output();
    cat.write("data: x\n\n");
    CHECK(cat.wait() == 0);
    CHECK(cat.err() == "");
}

TEST_CASE("sse_cat: input that cannot be read is an error") {
    const std::string command = support::example("sse_cat") + " < /";
    const support::run_result result = support::run({"/bin/sh", "-c", command});
    CHECK(result.status == 1);
    CHECK(result.out == "");
    CHECK(result.err.starts_with("sse_cat: reading standard input: "));
}
