// SPDX-License-Identifier: MIT
//
// A language model's answer, token by token, as the answer to a POST, as the OpenAI API has it, so
// that its SDKs read it. It has one reader and is never resumed, so the hub brings it nothing: the
// encoder writes to the response. It has a place in the hub nevertheless, for which the server waits
// when it is stopped. A client that goes stops the model.
//
//     POST /v1/chat/completions   the answer: a stream if "stream" is true, else one JSON object
//     GET  /openapi.json          what the two look like, for tools
//     GET  /completions           how many were finished and how many broken off
//
// Its SDKs ask with `Accept: application/json`, so Accept decides nothing. A stream is chunks of
// JSON without ids, names or heartbeats, then "[DONE]"; then the server closes, since not every
// reader stops there. One that breaks off ends without "[DONE]" and without its last chunk of HTTP,
// since SDKs take a proper end for the end of the answer.
#include "completion_openapi.hpp"
#include "echo_model.hpp"
#include "http_server.hpp"

#include <ssekit/encoder.hpp>
#include <ssekit/utf8_tail.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

namespace {

using body_json = nlohmann::json;    // what comes; it is only looked at, since copies recurse
using json = nlohmann::ordered_json; // what is sent, its members in the order that people know
using uses::Request;
using uses::Response;

constexpr std::size_t most_tokens = 16'384; // of an answer

struct counts {
    std::atomic<unsigned> finished = 0;
    std::atomic<unsigned> broken_off = 0;
};

// ---- what is asked for

/// Why there is no answer, in the words of the API.
struct refused_request {
    int status;
    std::string message;
    json param = nullptr;
    json code = nullptr;
};

struct chat_request {
    const uses::model_kind* model = nullptr;
    std::string prompt = {};
    std::size_t max_tokens = most_tokens;
    bool stream = false;
    bool include_usage = false;
};

/// \returns the text of a message, which is one text or a list of parts.
std::string text_of(const body_json& content) {
    if (content.is_string()) return content.get<std::string>();
    std::string text;
    for (const body_json& part : content) {
        if (part.at("type") == "text") text += part.at("text").get<std::string>();
    }
    return text;
}

/// \returns a member of an object, or nullptr: null counts as none, which some SDKs send.
const body_json* find(const body_json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

/// \returns whether a member is true. Throws json::exception where it is neither true nor false.
bool is_set(const body_json& object, const char* name) {
    const body_json* const found = find(object, name);
    return found != nullptr && found->get<bool>();
}

/// \returns what a body asks for. Throws refused_request, or json::exception where something is
/// missing or of another type.
chat_request read_chat_request(const body_json& body) {
    chat_request asked;
    const auto name = body.at("model").get<std::string>();
    asked.model = uses::find_model(name);
    if (asked.model == nullptr) {
        throw refused_request{404, "There is no model '" + name + "'.", "model", "model_not_found"};
    }
    const body_json& messages = body.at("messages");
    if (!messages.is_array() || messages.empty()) {
        throw refused_request{400, "'messages' has to have a message at least.", "messages"};
    }
    asked.prompt = text_of(messages.back().at("content"));
    for (const char* const limit : {"max_tokens", "max_completion_tokens"}) {
        const body_json* const found = find(body, limit);
        if (found == nullptr) continue;
        const auto count = found->is_number_integer() ? found->get<std::int64_t>() : 0;
        if (count < 1) throw refused_request{400, "There is no answer without tokens.", limit};
        asked.max_tokens = std::min(asked.max_tokens, static_cast<std::size_t>(count));
    }
    asked.stream = is_set(body, "stream");
    const body_json* const options = find(body, "stream_options");
    asked.include_usage = options != nullptr && is_set(*options, "include_usage");
    return asked;
}

/// Answers as the API does when it has no answer.
void refuse(Response& response, const refused_request& why) {
    const char* const type = why.status < 500 ? "invalid_request_error" : "server_error";
    response.status = why.status;
    response.set_content(
        json{{"error",
              {{"message", why.message}, {"type", type}, {"param", why.param}, {"code", why.code}}}}
            .dump(-1, ' ', false, json::error_handler_t::replace),
        "application/json");
}

// ---- the answer

/// An answer as it comes into being, and what it is in the words of the API.
class completion {
  public:
    completion(const chat_request& asked, unsigned number)
        : asked_(asked), speaker_(asked.prompt, asked.max_tokens),
          id_("chatcmpl-" + std::to_string(number)) {}

    /// The text of the next token, which may be empty; nullopt: it was the last one.
    std::optional<std::string> next_text() {
        std::this_thread::sleep_for(asked_.model->pause);
        const std::optional<std::string_view> token = speaker_.next_token();
        if (!token) return std::nullopt;
        const auto [held, rest] = tail_.next(*token); // the beginning of a character waits
        return std::string(held).append(rest);
    }
    /// What is left when there are no more tokens: half a character, if the answer was cut short.
    std::string rest() { return std::string(tail_.finish()); }

    [[nodiscard]] json chunk_of(json delta, json finish_reason = nullptr) const {
        const json choice = {{"index", 0},
                             {"delta", std::move(delta)},
                             {"logprobs", nullptr},
                             {"finish_reason", std::move(finish_reason)}};
        return chunk(json::array({choice}), nullptr);
    }
    [[nodiscard]] json last_chunk() const { return chunk_of(json::object(), reason()); }
    [[nodiscard]] json usage_chunk() const { return chunk(json::array(), usage()); }
    [[nodiscard]] bool has_usage_chunk() const noexcept { return asked_.include_usage; }

    [[nodiscard]] json whole(const std::string& text) const {
        json out = object("chat.completion");
        const json message = {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
        const json choice = {
            {"index", 0}, {"message", message}, {"logprobs", nullptr}, {"finish_reason", reason()}};
        out["choices"] = json::array({choice});
        out["usage"] = usage();
        return out;
    }

  private:
    [[nodiscard]] std::string reason() const { return std::string(speaker_.finish_reason()); }
    [[nodiscard]] json object(const char* what) const {
        return {
            {"id", id_}, {"object", what}, {"created", created_}, {"model", asked_.model->name}};
    }
    [[nodiscard]] json chunk(json choices, json usage) const {
        json out = object("chat.completion.chunk");
        out["choices"] = std::move(choices);
        if (asked_.include_usage) out["usage"] = std::move(usage);
        return out;
    }
    [[nodiscard]] json usage() const {
        uses::echo_model counter(asked_.prompt, asked_.prompt.size());
        while (counter.next_token()) {
        }
        return {{"prompt_tokens", counter.tokens()},
                {"completion_tokens", speaker_.tokens()},
                {"total_tokens", counter.tokens() + speaker_.tokens()}};
    }

    chat_request asked_;
    uses::echo_model speaker_;
    ssekit::utf8_tail tail_ = {};
    std::string id_;
    std::time_t created_ = std::time(nullptr);
};

// [recipe]
/// Appends a chunk as one event. \returns false for one that cannot be encoded: the answer breaks
/// off. JSON has no line breaks, so its data is one line, as some readers need it.
bool add(std::string& blocks, const json& chunk) {
    const std::string text = chunk.dump(-1, ' ', false, json::error_handler_t::replace);
    return ssekit::append_to(blocks, {.data = text}) == ssekit::errc::ok;
}

/// Sends a token; it is called again until the sink is done. \returns false when the client has
/// gone.
bool send_next(completion& answer, bool is_first, httplib::DataSink& sink) {
    std::string blocks;
    if (is_first && !add(blocks, answer.chunk_of({{"role", "assistant"}, {"content", ""}}))) {
        return false;
    }
    const std::optional<std::string> next = answer.next_text();
    const std::string text = next ? *next : answer.rest();
    if (!text.empty() && !add(blocks, answer.chunk_of({{"content", text}}))) return false;
    if (!next) {
        if (!add(blocks, answer.last_chunk())) return false;
        if (answer.has_usage_chunk() && !add(blocks, answer.usage_chunk())) return false;
        static_cast<void>(ssekit::append_to(blocks, ssekit::checked({.data = "[DONE]"})));
    }
    if (!sink.is_writable()) return false;
    if (!blocks.empty() && !sink.write(blocks.data(), blocks.size())) return false;
    if (!next) sink.done(); // and the server closes
    return true;
}
// [recipe]

/// Answers with the whole text, unless the server is stopped meanwhile.
void answer_whole(completion& answer, const ssekit::shared_subscription& place,
                  Response& response) {
    std::string text;
    for (;;) {
        if (place.is_done()) return refuse(response, {503, "The server is being stopped."});
        const std::optional<std::string> next = answer.next_text();
        text += next ? *next : answer.rest();
        if (!next) break;
    }
    response.set_content(answer.whole(text).dump(-1, ' ', false, json::error_handler_t::replace),
                         "application/json");
}

} // namespace

int main(int argc, char** argv) {
    counts answers;
    std::atomic<unsigned> last_number = 0;
    uses::http_server server(argc, argv, {.ids = ssekit::event_ids::none});
    const auto complete = [&](Response& response, const std::string& body) {
        const chat_request asked = read_chat_request(body_json::parse(body));
        auto [made, refused] = server.hub().subscribe({.topics = "completions"});
        if (refused != ssekit::errc::ok) {
            const ssekit::refusal how = ssekit::refusal_of(refused);
            response.set_header("Retry-After", std::to_string(how.retry_after.count()));
            return refuse(response, {how.status, std::string(ssekit::message(refused))});
        }
        const auto place = std::make_shared<ssekit::shared_subscription>(std::move(made));
        completion answer(asked, ++last_number);
        if (!asked.stream) return answer_whole(answer, *place, response);
        ssekit::httplib_headers(response);
        response.set_chunked_content_provider(
            "text/event-stream",
            [place, answer, is_first = true](std::size_t, httplib::DataSink& sink) mutable {
                if (place->is_done()) return false; // the server waits no longer
                return send_next(answer, std::exchange(is_first, false), sink);
            },
            [&](bool finished) { ++(finished ? answers.finished : answers.broken_off); });
    };
    server.post("/v1/chat/completions",
                [&](const Request&, Response& response, const std::string& body) {
                    try {
                        complete(response, body);
                    } catch (const refused_request& why) {
                        refuse(response, why);
                    } catch (const body_json::exception& error) {
                        refuse(response, {400, error.what()});
                    }
                });
    server.get("/openapi.json", [](const Request&, Response& response) {
        response.set_content(std::string(uses::completion_openapi), "application/json");
    });
    server.get("/completions", [&](const Request&, Response& response) {
        response.set_content("finished " + std::to_string(answers.finished) + ", broken off " +
                                 std::to_string(answers.broken_off) + "\n",
                             "text/plain");
    });
    return server.run();
}
