// SPDX-License-Identifier: MIT
//
// A language model's answer, token by token, as the answer to a POST. It has one reader and is
// never resumed, so the hub brings it nothing: the encoder writes to the response. It has a place in
// the hub nevertheless, for which the server waits when it is stopped. A client that goes stops the
// model.
//
//     POST /completions    the body is the prompt; each token is an event, "[DONE]" is the last
//     GET  /completions    how many were finished and how many broken off
#include "http_server.hpp"

#include <ssekit/encoder.hpp>
#include <ssekit/utf8_tail.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

using uses::Request;
using uses::Response;

/// Stands for a model: it repeats the prompt and takes its time. Its tokens are words, or parts of
/// long ones, and like those of real models they end anywhere, also inside a character.
class model {
  public:
    explicit model(std::string prompt) : prompt_(std::move(prompt)) {}

    std::optional<std::string> next_token() {
        if (at_ >= prompt_.size()) return std::nullopt;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        const std::size_t word = prompt_.find_first_of(" \n", at_ + 1);
        std::string token = prompt_.substr(at_, std::min<std::size_t>(word - at_, 7));
        at_ += token.size();
        return token;
    }

  private:
    std::string prompt_;
    std::size_t at_ = 0;
};

struct counts {
    std::atomic<unsigned> finished = 0;
    std::atomic<unsigned> broken_off = 0;
};

// [recipe]
/// Appends the text as one event, whatever it holds, unless there is none.
/// \returns false for one that cannot be encoded: the answer breaks off.
bool add(std::string& blocks, const std::string& text) {
    return text.empty() || ssekit::append_to(blocks, {.data = text}) == ssekit::errc::ok;
}

/// Sends a token; it is called again until the sink is done. \returns false when the client has
/// gone.
bool send_next(model& speaker, ssekit::utf8_tail& tail, httplib::DataSink& sink) {
    const std::optional<std::string> token = speaker.next_token();
    std::string blocks;
    if (token) {
        const auto [held, rest] = tail.next(*token); // the beginning of a character waits
        if (!add(blocks, std::string(held).append(rest))) return false;
    } else {
        if (!add(blocks, std::string(tail.finish())) || !add(blocks, "[DONE]")) return false;
    }
    if (!sink.is_writable() || !sink.write(blocks.data(), blocks.size())) return false;
    if (!token) sink.done();
    return true;
}
// [recipe]

} // namespace

int main(int argc, char** argv) {
    counts answers;
    uses::http_server server(argc, argv, {.ids = ssekit::event_ids::none});
    server.post("/completions", [&](const Request&, Response& response, const std::string& prompt) {
        auto [made, refused] = server.hub().subscribe({.topics = "completions"});
        if (refused != ssekit::errc::ok) return uses::answer(response, refused);
        const auto place = std::make_shared<ssekit::shared_subscription>(std::move(made));
        ssekit::httplib_headers(response);
        response.set_chunked_content_provider(
            "text/event-stream",
            [place, speaker = model(prompt),
             tail = ssekit::utf8_tail()](std::size_t, httplib::DataSink& sink) mutable {
                if (place->is_done()) return false; // the server waits no longer
                return send_next(speaker, tail, sink);
            },
            [&](bool finished) { ++(finished ? answers.finished : answers.broken_off); });
    });
    server.get("/completions", [&](const Request&, Response& response) {
        response.set_content("finished " + std::to_string(answers.finished) + ", broken off " +
                                 std::to_string(answers.broken_off) + "\n",
                             "text/plain");
    });
    return server.run();
}
