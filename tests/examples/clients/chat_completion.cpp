// SPDX-License-Identifier: MIT
//
// chat_completion: the answer of a language model, word by word as it is made.
//
//     chat_completion URL MODEL < prompt
//
// URL is an endpoint of the chat completions kind, https://HOST/v1/chat/completions; a key is taken
// from the environment, API_KEY. The request costs something, so it is sent once.
#include <ssekit/adapters/curl.hpp>
#include <ssekit/event_stream.hpp>
#include <ssekit/typed_sink.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace {

using nlohmann::json;

ssekit::event_source_options request(const std::string& model, const std::string& prompt) {
    const json body = {{"model", model},
                       {"stream", true},
                       {"messages", {{{"role", "user"}, {"content", prompt}}}}};
    ssekit::event_source_options out;
    out.method = "POST";
    out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    out.headers = {{"Content-Type", "application/json"}};
    // [marks]
    // An end of the bytes is not the end of the answer, and pings are no words.
    out.is_last = [](const ssekit::event_view& event) noexcept { return event.data == "[DONE]"; };
    out.event_timeout = std::chrono::minutes(10);
    // [marks]
    if (const char* const key = std::getenv("API_KEY")) {
        out.headers.push_back({"Authorization", "Bearer " + std::string(key)});
    }
    return out;
}

// [decode]
std::optional<json> decode(std::string_view data) { // which may well be a view into the chunk
    json value = json::parse(data, nullptr, false);
    return value.is_object() ? std::optional(std::move(value)) : std::nullopt;
}
// [decode]

/// \returns the text that a chunk adds, "" if it has none.
std::string text_of(const json& chunk) {
    const json none = json::object();
    const json& choices = chunk.contains("choices") ? chunk["choices"] : none;
    if (!choices.is_array() || choices.empty() || !choices[0].is_object()) return "";
    const json& delta = choices[0].value("delta", none);
    return delta.is_object() && delta.contains("content") && delta["content"].is_string()
               ? delta["content"].get<std::string>()
               : "";
}

/// \returns whether all of the answer came.
bool read_answer(ssekit::event_source& source) {
    std::string error;
    // [read]
    ssekit::typed_sink chunks(&decode, [&](const ssekit::event_view&, const json& chunk) {
        if (chunk.contains("error") && !chunk["error"].is_null()) error = chunk["error"].dump();
        std::cout << text_of(chunk) << std::flush;
    });
    ssekit::curl_transport transport;
    for (const ssekit::event_view& event : ssekit::event_stream(source, transport)) {
        chunks.on_event(event);
        if (!error.empty()) break;
    }
    // [read]
    if (error.empty() && source.end() == ssekit::source_end::completed) return true;
    if (error.empty()) error = ssekit::message(source.end());
    std::cerr << "chat_completion: " << error;
    if (!source.failure().empty()) std::cerr << ": " << source.failure();
    if (source.status() != 200) std::cerr << " (status " << source.status() << ")";
    std::cerr << '\n';
    return false;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: chat_completion URL MODEL < prompt\n");
        return 64;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const std::string prompt(std::istreambuf_iterator<char>(std::cin), {});
    ssekit::event_source source(argv[1], request(argv[2], prompt));
    const bool complete = read_answer(source);
    std::cout << '\n';
    return complete ? 0 : 1;
}
