// SPDX-License-Identifier: MIT
//
// How language models are asked, and what their streams say: one row for each interface. They agree
// on little but the event stream: each has its own words for the text, for the end, for an error.
//
//     openai, mistral, ollama   POST .../chat/completions    data: [DONE] ends it
//     openai-responses          POST .../responses           an event response.completed or a kin
//     anthropic                 POST .../messages            an event message_stop
//     gemini                    POST ...:streamGenerateContent?alt=sse    no mark: the last chunk
//                               has a finishReason, but so may earlier ones
//
// Ollama's own interface, /api/chat, is no event stream but lines of JSON.
#ifndef SSEKIT_EXAMPLES_CLIENTS_DIALECTS_HPP
#define SSEKIT_EXAMPLES_CLIENTS_DIALECTS_HPP

#include <ssekit/event_source.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace dialects {

using nlohmann::json;

/// \returns null where there is no such member, or no object.
inline const json& member(const json& of, std::string_view name) {
    static const json none;
    if (!of.is_object()) return none;
    const auto found = of.find(name);
    return found == of.end() ? none : *found;
}
inline const json& first(const json& of) {
    static const json none;
    return of.is_array() && !of.empty() ? of.front() : none;
}
inline std::string string_of(const json& value) {
    return value.is_string() ? value.get<std::string>() : std::string();
}

/// \returns a server's own words for an error, whatever it is made of; "" for null.
inline std::string words_of(const json& error) {
    if (error.is_null()) return "";
    if (error.is_string()) return error.get<std::string>();
    const std::string words = string_of(member(error, "message"));
    return words.empty() ? error.dump(-1, ' ', false, json::error_handler_t::replace) : words;
}

/// What one event says.
struct reading {
    std::string text = {};   ///< that it adds to the answer
    std::string reason = {}; ///< why the model ends here, in the dialect's word
    std::string error = {};  ///< it is over, and this is why
};

// ---- chat completions

/// Text, or an array of parts of which some are text.
inline std::string text_in(const json& content) {
    std::string out = string_of(content);
    if (!content.is_array()) return out;
    for (const json& part : content) out += string_of(member(part, "text"));
    return out;
}

inline json ask_chat(const std::string& model, const std::string& prompt) {
    return {{"model", model},
            {"stream", true},
            {"messages", {{{"role", "user"}, {"content", prompt}}}}};
}
inline reading read_chat(const json& chunk) {
    const json& choice = first(member(chunk, "choices"));
    return {.text = text_in(member(member(choice, "delta"), "content")),
            .reason = string_of(member(choice, "finish_reason")),
            .error = words_of(member(chunk, "error"))};
}
inline bool is_done(const ssekit::event_view& event) noexcept {
    return event.data == "[DONE]";
}

// ---- responses

inline json ask_responses(const std::string& model, const std::string& prompt) {
    return {{"model", model}, {"stream", true}, {"input", prompt}};
}
inline reading read_responses(const json& event) {
    const std::string type = string_of(member(event, "type"));
    const json& response = member(event, "response");
    if (type == "response.output_text.delta") return {.text = string_of(member(event, "delta"))};
    if (type == "response.completed") return {.reason = "completed"};
    if (type == "response.incomplete") {
        const std::string why = string_of(member(member(response, "incomplete_details"), "reason"));
        return {.reason = why.empty() ? "incomplete" : why};
    }
    if (type == "response.failed") {
        const std::string why = words_of(member(response, "error"));
        return {.error = why.empty() ? "the response has failed" : why};
    }
    if (type == "error" && member(event, "error").is_null()) return {.error = words_of(event)};
    return {.error = words_of(member(event, "error"))};
}
inline bool is_response_end(const ssekit::event_view& event) noexcept {
    const std::string_view name = event.name();
    return name == "response.completed" || name == "response.incomplete" ||
           name == "response.failed";
}

// ---- messages

inline json ask_messages(const std::string& model, const std::string& prompt) {
    json out = ask_chat(model, prompt);
    out["max_tokens"] = 4096; // it has to be said
    return out;
}
inline reading read_messages(const json& event) {
    const json& delta = member(event, "delta");
    return {.text = string_of(member(delta, "text")),
            .reason = string_of(member(delta, "stop_reason")),
            .error = words_of(member(event, "error"))};
}
inline bool is_message_stop(const ssekit::event_view& event) noexcept {
    return event.name() == "message_stop";
}

// ---- contents

/// The model stands in the URL.
inline json ask_contents(const std::string&, const std::string& prompt) {
    return {{"contents", {{{"role", "user"}, {"parts", {{{"text", prompt}}}}}}}};
}
inline reading read_contents(const json& chunk) {
    const json& candidate = first(member(chunk, "candidates"));
    const std::string blocked = string_of(member(member(chunk, "promptFeedback"), "blockReason"));
    reading out{.text = text_in(member(member(candidate, "content"), "parts")),
                .reason = string_of(member(candidate, "finishReason")),
                .error = words_of(member(chunk, "error"))};
    if (!blocked.empty()) out.error = "the prompt is blocked: " + blocked;
    return out;
}

// ---- the table

struct dialect {
    std::string_view name;
    std::string_view path; ///< part of a URL by which it is known; "": only by its name
    std::string_view host; ///< the provider's, to which the key in `variable` may go unasked
    const char* variable;  ///< of the environment, that holds the key
    std::string_view key_header = "Authorization";
    std::string_view key_prefix = "Bearer ";
    json (*ask)(const std::string& model, const std::string& prompt) = &ask_chat;
    reading (*read)(const json& event) = &read_chat;
    /// Its end marker. Null: it has none, and its answer is whole when a reason to end was given
    /// and the response has ended in order.
    bool (*is_last)(const ssekit::event_view&) noexcept = &is_done;
    /// Some servers forget the blank line after their last event. Where an event is JSON or a
    /// marker, one that is cut off is not taken for a whole one.
    bool may_lack_blank_line = true;
};

// The more special ones first: the first row whose path is in a URL is its dialect.
inline constexpr std::array<dialect, 6> all = {{
    {.name = "gemini",
     .path = ":streamGenerateContent",
     .host = "generativelanguage.googleapis.com",
     .variable = "GEMINI_API_KEY",
     .key_header = "x-goog-api-key",
     .key_prefix = "",
     .ask = &ask_contents,
     .read = &read_contents,
     .is_last = nullptr},
    {.name = "openai-responses",
     .path = "/responses",
     .host = "api.openai.com",
     .variable = "OPENAI_API_KEY",
     .ask = &ask_responses,
     .read = &read_responses,
     .is_last = &is_response_end,
     .may_lack_blank_line = false},
    {.name = "anthropic",
     .path = "/messages",
     .host = "api.anthropic.com",
     .variable = "ANTHROPIC_API_KEY",
     .key_header = "x-api-key",
     .key_prefix = "",
     .ask = &ask_messages,
     .read = &read_messages,
     .is_last = &is_message_stop,
     .may_lack_blank_line = false},
    {.name = "mistral",
     .path = "//api.mistral.ai/",
     .host = "api.mistral.ai",
     .variable = "MISTRAL_API_KEY"},
    {.name = "openai",
     .path = "/chat/completions",
     .host = "api.openai.com",
     .variable = "OPENAI_API_KEY"},
    {.name = "ollama", .path = "", .host = "", .variable = "OLLAMA_API_KEY"},
}};

inline const dialect* named(std::string_view name) noexcept {
    for (const dialect& each : all) {
        if (each.name == name) return &each;
    }
    return nullptr;
}
/// \returns null where nothing in the URL tells.
inline const dialect* guessed(std::string_view url) noexcept {
    for (const dialect& each : all) {
        if (!each.path.empty() && url.find(each.path) != std::string_view::npos) return &each;
    }
    return nullptr;
}
/// \returns whether a model that gives this reason has said all that it wanted to.
inline bool is_good(std::string_view reason) noexcept {
    for (const std::string_view each : {"stop", "STOP", "completed", "end_turn", "stop_sequence",
                                        "tool_calls", "tool_use", "function_call"}) {
        if (reason == each) return true;
    }
    return false;
}

} // namespace dialects

#endif
