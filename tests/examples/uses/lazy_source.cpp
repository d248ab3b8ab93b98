// SPDX-License-Identifier: MIT
//
// A source that costs something, a camera or a query: it works while somebody listens, and rests
// when nobody does.
//
//     GET /samples    the stream
//     GET /source     "working" or "resting", and how often it was started
#include "http_server.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace {

using uses::Request;
using uses::Response;

/// Whether anybody listens. The hub tells it under its own lock, so it is noted here, no more.
class audience {
  public:
    ssekit::topic_hook hook() {
        return {[](void* self, std::string_view, bool there) noexcept {
                    static_cast<audience*>(self)->note(there);
                },
                this};
    }
    bool is_there() {
        const std::lock_guard locked(lock_);
        return there_;
    }
    /// Waits for somebody. \returns false when the thread is to stop.
    bool wait(const std::stop_token& stop) {
        std::unique_lock locked(lock_);
        return changed_.wait(locked, stop, [&] { return there_; }) && !stop.stop_requested();
    }

  private:
    void note(bool there) {
        const std::lock_guard locked(lock_);
        there_ = there;
        changed_.notify_one();
    }

    std::mutex lock_;
    std::condition_variable_any changed_;
    bool there_ = false;
};

} // namespace

int main(int argc, char** argv) {
    std::atomic<int> starts = 0;
    std::atomic<bool> working = false;
    // [recipe]
    audience listeners;
    uses::http_server server(argc, argv, {.on_topic = listeners.hook()});
    const std::jthread source([&](const std::stop_token& stop) {
        while (listeners.wait(stop)) { // here it is switched on, and off below
            working = true;
            ++starts;
            for (int sample = 1; listeners.is_there(); ++sample) {
                const std::string data = std::to_string(sample);
                if (!uses::taken(server.hub().publish("samples", {.data = data}).ec)) break;
                if (!uses::go_on_after(std::chrono::milliseconds(10), stop)) break;
            }
            working = false;
        }
    });
    // [recipe]
    server.get("/samples", [&](const Request& request, Response& response) {
        ssekit::httplib_stream(server.hub(), request, response, {.topics = "samples"});
    });
    server.get("/source", [&](const Request&, Response& response) {
        const std::string doing = working ? "working" : "resting";
        response.set_content(doing + " " + std::to_string(starts) + "\n", "text/plain");
    });
    return server.run();
}
