// SPDX-License-Identifier: MIT
//
// What the official conformance suite, @modelcontextprotocol/conformance, calls by name: its
// scenarios ask for these tools, prompts and resources.
#ifndef SSEKIT_EXAMPLES_USES_MCP_SUITE_HPP
#define SSEKIT_EXAMPLES_USES_MCP_SUITE_HPP

#include "library.hpp"

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace uses::mcp {

inline const std::string suite_image = // one transparent pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg==";
inline const std::string suite_sound = // a head, and no samples
    "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

inline json suite_file(const std::string& uri, const std::string& type, const std::string& text) {
    return {{"uri", uri}, {"mimeType", type}, {"text", text}};
}
inline json suite_content(const json& content) {
    return {{"content", json::array({content})}};
}
inline json suite_message(const json& content) {
    return {{"role", "user"}, {"content", content}};
}

// ---- tools that answer at once

inline void add_suite_content_tools(library& to) {
    const json image = {{"type", "image"}, {"data", suite_image}, {"mimeType", "image/png"}};
    const auto always = [&](const std::string& name, json result) {
        to.tools.push_back({listed_tool(name, "Always answers the same."), "",
                            [result = std::move(result)](call&) { return result; }});
    };
    always("test_simple_text", text_result("a simple text"));
    always("test_image_content", suite_content(image));
    always("test_audio_content",
           suite_content({{"type", "audio"}, {"data", suite_sound}, {"mimeType", "audio/wav"}}));
    always("test_embedded_resource",
           suite_content({{"type", "resource"},
                          {"resource", suite_file("test://embedded-resource", "text/plain",
                                                  "an embedded resource")}}));
    always("test_multiple_content_types",
           {{"content",
             {text_content("several kinds of content:"),
              image,
              {{"type", "resource"},
               {"resource", suite_file("test://mixed-content-resource", "application/json",
                                       R"({"test":"data"})")}}}}});
    to.tools.push_back({listed_tool("test_error_handling", "Always fails."), "",
                        [](call&) -> json { throw std::runtime_error("this tool always fails"); }});
    to.tools.push_back({listed_tool("test_missing_capability", "Needs a client that can sample."),
                        "sampling", [](call&) { return text_result("it can"); }});
    to.tools.push_back(
        {listed_tool("test_custom_header", "Has a parameter that a header repeats.",
                     {{"region", {{"type", "string"}, {"x-mcp-header", "Region"}}}}),
         "", [](call& c) { return text_result("region " + text_of(c.arguments(), "region")); }});

    const json letters = {{"type", "string"}};
    json address = {{"$anchor", "address"},
                    {"type", "object"},
                    {"properties", {{"street", letters}, {"city", letters}}}};
    json schema = {
        {"$schema", "https://json-schema.org/draft/2020-12/schema"},
        {"type", "object"},
        {"$defs", {{"address", std::move(address)}}},
        {"properties",
         {{"name", letters},
          {"address", {{"$ref", "#/$defs/address"}}},
          {"contactMethod", {{"type", "string"}, {"enum", {"phone", "email"}}}},
          {"phone", letters},
          {"email", letters}}},
        {"allOf",
         json::array({{{"anyOf", {{{"required", {"phone"}}}, {{"required", {"email"}}}}}}})},
        {"if", {{"properties", {{"contactMethod", {{"const", "phone"}}}}}}},
        {"then", {{"required", {"phone"}}}},
        {"else", {{"required", {"email"}}}},
        {"additionalProperties", false}};
    to.tools.push_back({{{"name", "json_schema_2020_12_tool"},
                         {"description", "Has a schema with much in it."},
                         {"inputSchema", std::move(schema)}},
                        "",
                        [](call& c) { return text_result(c.arguments().dump()); }});
}

// ---- tools that say something before they answer

inline void add_suite_stream_tools(library& to) {
    to.tools.push_back(
        {listed_tool("test_tool_with_logging", "Logs three times."), "", [](call& c) {
             for (const char* const what : {"begun", "going on", "done"}) {
                 c.log("info", what);
                 c.go_on_after(50ms);
             }
             return text_result("logged three times");
         }});
    to.tools.push_back(
        {listed_tool("test_logging_tool", "Logs if it is asked to."), "", [](call& c) {
             c.log("info", "somebody listens");
             return text_result("done");
         }});
    to.tools.push_back(
        {listed_tool("test_tool_with_progress", "Says how far it is."), "", [](call& c) {
             for (const int done : {0, 50, 100}) {
                 c.progress(done, 100);
                 c.go_on_after(50ms);
             }
             return text_result("progress was said");
         }});
    to.tools.push_back(
        {listed_tool("test_reconnection", "Closes its connection, then goes on."), "", [](call& c) {
             c.let_go();
             c.go_on_after(100ms);
             return text_result("the rest, after the connection was closed");
         }});
}

/// \param tools, prompts called when a list has changed
inline void add_suite_triggers(library& to, const std::function<void()>& tools,
                               const std::function<void()>& prompts) {
    to.tools.push_back(
        {listed_tool("test_trigger_tool_change", "The list of tools changes."), "", [tools](call&) {
             tools();
             return text_result("told");
         }});
    to.tools.push_back({listed_tool("test_trigger_prompt_change", "The list of prompts changes."),
                        "", [prompts](call&) {
                            prompts();
                            return text_result("told");
                        }});
}

// ---- tools that ask

inline json suite_sampling(const std::string& prompt) {
    return {{"method", "sampling/createMessage"},
            {"params",
             {{"messages", json::array({{{"role", "user"}, {"content", text_content(prompt)}}})},
              {"maxTokens", 100}}}};
}
inline json suite_elicitation(const std::string& message, json properties,
                              json required = json::array()) {
    return {{"method", "elicitation/create"},
            {"params",
             {{"message", message},
              {"requestedSchema",
               {{"type", "object"},
                {"properties", std::move(properties)},
                {"required", std::move(required)}}}}}};
}
inline json suite_described(json schema, const std::string& what) {
    schema["description"] = what;
    return schema;
}

/// A tool that asks these things, and says what came.
inline void add_asking(library& to, const std::string& name, const json& listed,
                       std::function<json(const call&)> requests) {
    to.tools.push_back({listed_tool(name, "Asks its client.", listed), "",
                        [requests = std::move(requests)](call& c) {
                            const json answers = c.ask(requests(c));
                            std::string text = "the client says";
                            for (const json& each : answers) {
                                if (each.contains("action")) {
                                    text += " action=" + text_of(each, "action") +
                                            ", content=" + member(each, "content").dump();
                                } else if (each.contains("content")) {
                                    text += " " + text_of(each["content"], "text");
                                } else {
                                    text += " " + each.dump();
                                }
                            }
                            return text_result(text);
                        }});
}

inline void add_suite_asking_tools(library& to) {
    const json letters = {{"type", "string"}};
    add_asking(to, "test_sampling", {{"prompt", letters}}, [](const call& c) {
        return json{{"answer", suite_sampling(text_of(c.arguments(), "prompt"))}};
    });
    add_asking(to, "test_elicitation", {{"message", letters}}, [letters](const call& c) {
        return json{{"answer", suite_elicitation(text_of(c.arguments(), "message"),
                                                 {{"response", suite_described(letters, "yours")}},
                                                 {"response"})}};
    });
    add_asking(to, "test_elicitation_sep1034_defaults", json::object(), [](const call&) -> json {
        json form = {
            {"name", {{"type", "string"}, {"default", "John Doe"}}},
            {"age", {{"type", "integer"}, {"default", 30}}},
            {"score", {{"type", "number"}, {"default", 95.5}}},
            {"status",
             {{"type", "string"},
              {"enum", {"active", "inactive", "pending"}},
              {"default", "active"}}},
            {"verified", {{"type", "boolean"}, {"default", true}}},
        };
        for (auto& [name, schema] : form.items()) schema["description"] = name;
        return {{"answer", suite_elicitation("look it over", std::move(form))}};
    });
    add_asking(to, "test_elicitation_sep1330_enums", json::object(), [](const call&) -> json {
        const auto choice = [](const char* value, const char* title) -> json {
            return {{"const", value}, {"title", title}};
        };
        const json options = {"option1", "option2", "option3"};
        const json choices = {choice("value1", "First"), choice("value2", "Second"),
                              choice("value3", "Third")};
        json form = {
            {"untitledSingle", {{"type", "string"}, {"enum", options}}},
            {"titledSingle", {{"type", "string"}, {"oneOf", choices}}},
            {"legacyEnum",
             {{"type", "string"},
              {"enum", {"opt1", "opt2", "opt3"}},
              {"enumNames", {"Option One", "Option Two", "Option Three"}}}},
            {"untitledMulti",
             {{"type", "array"},
              {"minItems", 1},
              {"maxItems", 3},
              {"items", {{"type", "string"}, {"enum", options}}}}},
            {"titledMulti",
             {{"type", "array"},
              {"minItems", 1},
              {"maxItems", 3},
              {"items", {{"anyOf", choices}}}}},
        };
        for (auto& [name, schema] : form.items()) schema["description"] = name;
        return {{"answer", suite_elicitation("choose", std::move(form))}};
    });

    // Of 2026-07-28: the names of the questions are the suite's too.
    const json user_name = suite_elicitation("What is your name?", {{"name", letters}}, {"name"});
    const json capital = suite_sampling("What is the capital of France?");
    const json roots = {{"method", "roots/list"}, {"params", json::object()}};
    const auto asks = [&](const std::string& name, const json& requests) {
        add_asking(to, name, json::object(), [requests](const call&) { return requests; });
    };
    asks("test_streaming_elicitation", {{"user_name", user_name}});
    asks("test_input_required_result_elicitation", {{"user_name", user_name}});
    asks("test_input_required_result_sampling", {{"capital_question", capital}});
    asks("test_input_required_result_list_roots", {{"client_roots", roots}});
    asks("test_input_required_result_capabilities", {{"capital_question", capital}});
    asks("test_input_required_result_multiple_inputs", {{"user_name", user_name},
                                                        {"greeting", suite_sampling("Greet me")},
                                                        {"client_roots", roots}});
    const json confirm = suite_elicitation("Is it so?", {{"ok", {{"type", "boolean"}}}}, {"ok"});
    asks("test_input_required_result_request_state", {{"confirm", confirm}});
    asks("test_input_required_result_tampered_state", {{"confirm", confirm}});
    const json color = suite_elicitation("What is your colour?", {{"color", letters}}, {"color"});
    to.tools.push_back({listed_tool("test_input_required_result_multi_round", "Asks twice."), "",
                        [user_name, color](call& c) {
                            const json first = c.ask({{"step1", user_name}});
                            const json second = c.ask({{"step2", color}});
                            return text_result(first.dump() + second.dump());
                        }});
}

// ---- prompts and resources

inline void add_suite_prompts(library& to) {
    const auto add = [&](const std::string& name, const json& arguments,
                         std::function<json(const json&, const json&)> messages) {
        json listed = {{"name", name}, {"description", "A prompt of the suite."}};
        if (!arguments.empty()) listed["arguments"] = arguments;
        to.prompts.push_back(
            {std::move(listed), [messages = std::move(messages)](const json& a, const json& known) {
                 return json{{"messages", messages(a, known)}};
             }});
    };
    const auto argument = [](const std::string& name) -> json {
        return {{"name", name}, {"description", "An argument."}, {"required", true}};
    };
    add("test_simple_prompt", json::array(), [](const json&, const json&) -> json {
        return json::array({suite_message(text_content("a simple prompt"))});
    });
    add("test_prompt_with_arguments", {argument("arg1"), argument("arg2")},
        [](const json& a, const json&) -> json {
            return json::array({suite_message(text_content(
                "arg1='" + text_of(a, "arg1") + "', arg2='" + text_of(a, "arg2") + "'"))});
        });
    add("test_prompt_with_embedded_resource", json::array({argument("resourceUri")}),
        [](const json& a, const json&) -> json {
            return {suite_message({{"type", "resource"},
                                   {"resource", suite_file(text_of(a, "resourceUri"), "text/plain",
                                                           "an embedded resource")}}),
                    suite_message(text_content("look at the resource above"))};
        });
    add("test_prompt_with_image", json::array(), [](const json&, const json&) -> json {
        return {
            suite_message({{"type", "image"}, {"data", suite_image}, {"mimeType", "image/png"}}),
            suite_message(text_content("look at the image above"))};
    });
    const json context = suite_elicitation("About what?", {{"context", {{"type", "string"}}}});
    add("test_input_required_result_prompt", json::array(),
        [context](const json&, const json& known) -> json {
            const json answers = answers_in(known, {{"user_context", context}});
            return json::array({suite_message(text_content(answers.dump()))});
        });
}

inline void add_suite_resources(library& to) {
    const auto listed = [](const std::string& uri, const std::string& type) -> json {
        return {{"uri", uri}, {"name", uri}, {"description", "Of the suite."}, {"mimeType", type}};
    };
    to.resources = {listed("test://static-text", "text/plain"),
                    listed("test://static-binary", "image/png"),
                    listed("test://watched-resource", "text/plain")};
    to.templates = {{{"uriTemplate", "test://template/{id}/data"},
                     {"name", "template"},
                     {"description", "Of the suite."},
                     {"mimeType", "application/json"}}};
    to.read = [](const std::string& uri) -> std::optional<json> {
        const std::string before = "test://template/";
        const std::string after = "/data";
        if (uri == "test://static-text" || uri == "test://watched-resource") {
            return suite_file(uri, "text/plain", "the content of a resource");
        }
        if (uri == "test://static-binary") {
            return json{{"uri", uri}, {"mimeType", "image/png"}, {"blob", suite_image}};
        }
        if (uri.starts_with(before) && uri.ends_with(after) &&
            uri.size() > before.size() + after.size()) {
            const std::string id =
                uri.substr(before.size(), uri.size() - before.size() - after.size());
            return suite_file(uri, "application/json",
                              json{{"id", id}, {"templateTest", true}}.dump());
        }
        return std::nullopt;
    };
}

inline void add_suite(library& to, const std::function<void()>& tools_changed,
                      const std::function<void()>& prompts_changed) {
    add_suite_content_tools(to);
    add_suite_stream_tools(to);
    add_suite_asking_tools(to);
    add_suite_triggers(to, tools_changed, prompts_changed);
    add_suite_prompts(to);
    add_suite_resources(to);
}

} // namespace uses::mcp

#endif
