// SPDX-License-Identifier: MIT
//
// A language model's answer that goes on when its reader leaves. Each has a topic, which keeps the
// whole of it until a minute after its end; whoever knows its id joins it, from its beginning or
// from the Last-Event-ID on, as often as they like, and alone or with others.
//
//     POST /generations             {"prompt": "..."}: begins one; 201, and its stream in Location
//     GET  /generations/ID/stream   joins it
//     POST /generations/ID/stop     stops it
//     GET  /generations             how many are under way
//
// The events are those that the AI SDK calls a UI message stream. Its useChat and
// DefaultChatTransport have requests of their own, in which the chat's id is the generation's:
//
//     POST /api/chat                {"id": ID, "messages": [...]}: begins one; its stream
//     GET  /api/chat/ID/stream      joins it; 204 where none is under way
//
// Who knows an id may read along: in earnest, ask whose it is (uses/notifications.cpp).
#include "echo_model.hpp"
#include "http_server.hpp"

#include <ssekit/stream_route.hpp>
#include <ssekit/utf8_tail.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <list>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
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

constexpr std::size_t most_tokens = 8'192; // of a generation
constexpr std::size_t most_under_way = 32; // each has a thread
constexpr std::size_t most_kept = 128;     // with those that have ended
constexpr std::chrono::milliseconds afterlife = std::chrono::minutes(1);

/// A topic has to keep a generation from its beginning: a token is an event of some 100 bytes.
constexpr ssekit::retention whole = {.events = most_tokens + 16, .bytes = std::size_t{2} << 20};

std::string topic_of(std::string_view id) {
    return "generations/" + std::string(id);
}

/// \returns an id that nobody guesses.
std::string new_id() {
    std::random_device dice;
    std::array<char, 33> digits;
    std::snprintf(digits.data(), digits.size(), "%08x%08x%08x%08x", dice(), dice(), dice(), dice());
    return digits.data();
}

bool is_id(std::string_view text) {
    constexpr std::string_view allowed =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
    return !text.empty() && text.size() <= 64 && text.find_first_not_of(allowed) == text.npos;
}

// [recipe]
/// Publishes a part of the message. \returns whether to go on: not when the server is being
/// stopped, and nobody reads along for whom it waits.
bool say(ssekit::shared_hub& hub, const std::string& topic, const json& part) {
    const std::string text = part.dump(-1, ' ', false, json::error_handler_t::replace);
    return uses::taken(hub.publish(topic, {.data = text}).ec);
}

/// Publishes an answer, whether anybody reads it or not.
void generate(ssekit::shared_hub& hub, const std::string& topic, const std::string& prompt,
              const std::stop_token& stop) {
    uses::echo_model speaker(prompt, most_tokens);
    ssekit::utf8_tail tail;
    const auto say_text = [&](const std::string& text) {
        return text.empty() ||
               say(hub, topic, {{"type", "text-delta"}, {"id", "text"}, {"delta", text}});
    };
    bool going = say(hub, topic, {{"type", "text-start"}, {"id", "text"}});
    while (going && uses::go_on_after(uses::model_kinds[0].pause, stop)) {
        const std::optional<std::string_view> token = speaker.next_token();
        if (!token) break;
        const auto [held, rest] = tail.next(*token); // the beginning of a character waits
        going = say_text(std::string(held).append(rest));
    }
    const bool stopped = stop.stop_requested();
    going = going && say_text(std::string(tail.finish()));
    if (going && stopped) going = say(hub, topic, {{"type", "abort"}});
    if (going && !stopped) {
        going = say(hub, topic, {{"type", "text-end"}, {"id", "text"}}) &&
                say(hub, topic, {{"type", "finish-step"}}) &&
                say(hub, topic, {{"type", "finish"}, {"finishReason", speaker.finish_reason()}});
    }
    // Those who read along get this and the end of the stream; who comes late gets all of it.
    if (going) going = uses::taken(hub.close_topic(topic, {.data = "[DONE]"}, afterlife));
    if (!going) hub.forget_topic(topic); // a stream without "[DONE]" has broken off
}
// [recipe]

/// The generations under way, each on a thread.
class generations {
    struct one {
        std::string topic = {};
        std::atomic<bool> ended = false;
        std::jthread thread = {};
    };

  public:
    explicit generations(ssekit::shared_hub& hub) : hub_(hub) {}

    /// Effects: begins one, in place of one of that id that has ended. When this has returned, it
    /// can be joined. \returns the status for the request: 201, or why there is none.
    int begin(const std::string& id, const std::string& prompt) {
        const std::lock_guard locked(lock_);
        all_.remove_if([](const one& each) { return each.ended.load(); });
        const std::string topic = topic_of(id);
        if (find(topic) != nullptr) return 409;
        if (all_.size() >= most_under_way) return 503;
        hub_.forget_topic(topic);
        if (!say(hub_, topic, {{"type", "start"}, {"messageId", "message-" + new_id()}}) ||
            !say(hub_, topic, {{"type", "start-step"}})) {
            return 503;
        }
        one& made = all_.emplace_back();
        made.topic = topic;
        made.thread = std::jthread([&made, this, prompt](const std::stop_token& stop) {
            generate(hub_, made.topic, prompt, stop);
            made.ended = true;
        });
        return 201;
    }
    /// \returns whether there was one.
    bool stop(const std::string& topic) {
        const std::lock_guard locked(lock_);
        one* const found = find(topic);
        return found != nullptr && found->thread.request_stop();
    }
    std::size_t under_way() {
        const std::lock_guard locked(lock_);
        all_.remove_if([](const one& each) { return each.ended.load(); });
        return all_.size();
    }
    /// Effects: stops them all, and waits until they have.
    void end() { all_.clear(); }

  private:
    one* find(const std::string& topic) {
        for (one& each : all_) {
            if (each.topic == topic && !each.ended) return &each;
        }
        return nullptr;
    }

    ssekit::shared_hub& hub_;
    std::mutex lock_;
    std::list<one> all_;
};

/// How those streams are answered, whatever the request accepts.
constexpr ssekit::header ui_message_stream = {"x-vercel-ai-ui-message-stream", "v1"};
constexpr ssekit::stream_route route = {
    .allow = "", .accept = ssekit::accept_rule::of_none, .headers = {&ui_message_stream, 1}};

/// Answers with the stream of a generation.
void join(ssekit::shared_hub& hub, const Request& request, Response& response,
          const std::string& topic) {
    ssekit::httplib_stream(
        hub, request, response,
        {.topics = topic, .must_exist = true, .start = ssekit::start_point::earliest}, route);
}

/// \returns the text of the last message that useChat sends. Throws json::exception.
std::string prompt_of(const body_json& messages) {
    std::string text;
    if (messages.empty()) return text;
    for (const body_json& part : messages.back().at("parts")) {
        if (part.at("type") == "text") text += part.at("text").get<std::string>();
    }
    return text;
}

void answer(Response& response, int status, const std::string& text) {
    response.status = status;
    response.set_content(text + "\n", "text/plain");
}

} // namespace

int main(int argc, char** argv) {
    uses::http_server server(argc, argv, {.keep = whole, .max_topics = most_kept});
    generations all(server.hub());

    server.post("/generations", [&](const Request&, Response& response, const std::string& body) {
        const body_json asked = body_json::parse(body, nullptr, false);
        if (!asked.is_object() || !asked.contains("prompt") || !asked["prompt"].is_string()) {
            return answer(response, 400, "There is no prompt.");
        }
        const std::string id = new_id();
        const int status = all.begin(id, asked["prompt"].get<std::string>());
        if (status == 201) response.set_header("Location", "/generations/" + id + "/stream");
        answer(response, status, status == 201 ? id : "There are too many.");
    });
    server.post("/generations/([^/]+)/stop", [&](const Request& request, Response& response,
                                                 const std::string&) {
        const bool found = all.stop(topic_of(request.matches[1].str()));
        answer(response, found ? 202 : 404, found ? "It is stopped." : "There is none.");
    });
    server.get("/generations", [&](const Request&, Response& response) {
        answer(response, 200, std::to_string(all.under_way()) + " under way");
    });
    server.get("/generations/([^/]+)/stream", [&](const Request& request, Response& response) {
        join(server.hub(), request, response, topic_of(request.matches[1].str()));
    });

    server.post("/api/chat",
                [&](const Request& request, Response& response, const std::string& body) {
                    try {
                        const body_json asked = body_json::parse(body);
                        const auto id = asked.at("id").get<std::string>();
                        if (!is_id(id)) return answer(response, 400, "This is no id.");
                        const int status = all.begin(id, prompt_of(asked.at("messages")));
                        if (status != 201)
                            return answer(response, status, "There is no place for it.");
                        join(server.hub(), request, response, topic_of(id));
                    } catch (const body_json::exception& error) {
                        answer(response, 400, error.what());
                    }
                });
    server.get("/api/chat/([^/]+)/stream", [&](const Request& request, Response& response) {
        const std::string topic = topic_of(request.matches[1].str());
        const auto found = server.hub().find_topic(topic);
        // Of one that has ended the client has the message already.
        if (!found || found->closed) {
            response.status = 204;
            return;
        }
        join(server.hub(), request, response, topic);
    });

    // Somebody who reads along when the server is stopped gets the rest.
    const int status = server.run([](const ssekit::subscriber_info& stream) noexcept {
        return stream.topic.starts_with("generations/");
    });
    all.end();
    return status;
}
