// SPDX-License-Identifier: MIT
//
// A language model's answer, token by token, as the answer to a POST. It has one reader and is
// never resumed, so there is no hub: the encoder writes to the response. Who goes stops the model.
//
//     POST /completions    the body is the prompt; each token is an event, "[DONE]" is the last
//     GET  /completions    how many were finished and how many broken off
#include "http_server.hpp"

#include <ssekit/encoder.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace {

using uses::Request;
using uses::Response;

/// Stands for a model: it repeats the prompt, word by word, and takes its time.
class model {
  public:
    explicit model(std::string prompt) : prompt_(std::move(prompt)) {}

    std::optional<std::string> next_token() {
        if (at_ >= prompt_.size()) return std::nullopt;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        const std::size_t end = prompt_.find_first_of(" \n", at_ + 1);
        std::string token = prompt_.substr(at_, end - at_);
        at_ = end;
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
/// Sends a token; it is called again until the sink is done. \returns false when the client has
/// gone.
bool send_next(model& speaker, httplib::DataSink& sink) {
    const std::optional<std::string> token = speaker.next_token();
    std::string block;
    ssekit::append_to(block, {.data = token.value_or("[DONE]")}); // one event, whatever it holds
    if (!sink.is_writable() || !sink.write(block.data(), block.size())) return false;
    if (!token) sink.done();
    return true;
}
// [recipe]

} // namespace

int main(int argc, char** argv) {
    counts answers;
    uses::http_server server(argc, argv);
    server.post("/completions", [&](const Request&, Response& response, const std::string& prompt) {
        ssekit::httplib_headers(response);
        response.set_chunked_content_provider(
            "text/event-stream",
            [speaker = model(prompt)](std::size_t, httplib::DataSink& sink) mutable {
                return send_next(speaker, sink);
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
