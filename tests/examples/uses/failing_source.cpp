// SPDX-License-Identifier: MIT
//
// Two sources, of which one may fail. Its streams are told why and end properly; the other goes on.
// A client that comes later is told as well, and one that comes back is not asked to come again.
//
//     GET  /sources/steady and /sources/fragile    the streams
//     POST /sources/fragile                        breaks it: the body says why
//     GET  /streams                                how many there are
#include "http_server.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

namespace {

using uses::Request;
using uses::Response;

/// Gives one value after the other, until it throws.
using source = std::function<std::string()>;

// [recipe]
void run(ssekit::shared_hub& hub, const std::string& topic, const source& measure,
         const std::stop_token& stop) {
    try {
        do {
            if (!uses::taken(hub.publish(topic, {.data = measure()}).ec)) return;
        } while (uses::go_on_after(std::chrono::milliseconds(10), stop));
    } catch (const std::exception& failure) {
        // Not "error": in a page that is what EventSource calls the loss of its connection.
        uses::taken(hub.close_topic(topic, {.type = "failure", .data = failure.what()},
                                    std::chrono::hours(1)));
    }
}
// [recipe]

/// A source that counts until it is told to fail.
class fragile_source {
  public:
    std::string operator()() {
        const std::lock_guard locked(lock_);
        if (reason_) throw std::runtime_error(*reason_);
        return std::to_string(++count_);
    }
    void fail(const std::string& reason) {
        const std::lock_guard locked(lock_);
        reason_ = reason;
    }

  private:
    std::mutex lock_;
    std::optional<std::string> reason_;
    int count_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    uses::http_server server(argc, argv, {.keep = {.events = 16}});
    fragile_source fragile;
    const source steady = [count = 0]() mutable { return std::to_string(++count); };
    server.get("/sources/(steady|fragile)", [&](const Request& request, Response& response) {
        const std::string topic = request.matches[1].str();
        ssekit::httplib_stream(server.hub(), request, response,
                               {.topics = topic, .start = ssekit::start_point::earliest});
    });
    server.post("/sources/fragile",
                [&](const Request&, Response& response, const std::string& reason) {
                    fragile.fail(reason);
                    response.status = 202;
                });
    server.get("/streams", [&](const Request&, Response& response) {
        response.set_content(std::to_string(server.hub().metrics().subscribers), "text/plain");
    });
    const std::jthread one(
        [&](const std::stop_token& stop) { run(server.hub(), "steady", steady, stop); });
    const std::jthread other([&](const std::stop_token& stop) {
        run(server.hub(), "fragile", std::ref(fragile), stop);
    });
    return server.run();
}
