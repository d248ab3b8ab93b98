// SPDX-License-Identifier: MIT
//
// Calls of tools, each answered by a stream of its own, as in the Model Context Protocol: the head
// leaves at once, comments keep the connection alive until there is something to say, progress
// follows, then the result, and the stream ends. A client that goes cancels the call; a server that
// lets clients come back for the rest gives them time before it does.
//
//     POST /mcp      {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
//                     "params": {"arguments": {"steps": 3}}}
//     GET  /calls    how they ended
#include "http_server.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

namespace {

using nlohmann::json;
using uses::Request;
using uses::Response;
using namespace std::chrono_literals;

struct counts {
    std::atomic<unsigned> finished = 0;
    std::atomic<unsigned> cancelled = 0;
};

/// The calls under way, each on a thread, which is told to stop when nobody listens to its topic.
class calls {
    struct one {
        std::string topic = {};
        std::atomic<bool> ended = false;
        std::jthread thread = {};
    };

  public:
    ssekit::topic_hook hook() {
        return {[](void* self, std::string_view topic, bool listened_to) noexcept {
                    if (!listened_to) static_cast<calls*>(self)->cancel(topic);
                },
                this};
    }

    /// Effects: calls `work(const std::stop_token&)` on a thread.
    template <class Work>
    void start(std::string_view topic, Work work) {
        const std::lock_guard locked(lock_);
        all_.remove_if([](const one& each) { return each.ended.load(); });
        one& made = all_.emplace_back();
        made.topic = topic;
        made.thread = std::jthread([&made, work](const std::stop_token& stop) {
            work(stop);
            made.ended = true;
        });
    }

    /// Effects: stops them all, and waits until they have.
    void end() { all_.clear(); }

  private:
    void cancel(std::string_view topic) {
        const std::lock_guard locked(lock_);
        for (one& each : all_) {
            if (each.topic == topic) each.thread.request_stop();
        }
    }

    std::mutex lock_;
    std::list<one> all_;
};

/// \returns how many steps a call is to take; 0: it is none.
unsigned steps_of(const json& call) {
    try {
        if (!call.contains("id") || call.at("method") != "tools/call") return 0;
        const auto steps = call.at("params").at("arguments").at("steps").get<std::int64_t>();
        return steps > 0 && steps < 1'000'000 ? static_cast<unsigned>(steps) : 0;
    } catch (const json::exception&) {
        return 0; // something is missing, or of another type
    }
}

void work(ssekit::shared_hub& hub, const std::string& topic, unsigned steps, const json& id,
          counts& ended, const std::stop_token& stop) {
    bool going = uses::go_on_after(500ms, stop); // to think, while the client sees comments
    for (unsigned step = 1; going && step <= steps; ++step) {
        const json progress = {{"jsonrpc", "2.0"},
                               {"method", "notifications/progress"},
                               {"params", {{"progress", step}, {"total", steps}}}};
        going = uses::taken(hub.publish(topic, {.data = progress.dump()}).ec) &&
                uses::go_on_after(20ms, stop);
    }
    ++(going ? ended.finished : ended.cancelled);
    const json result = {{"jsonrpc", "2.0"}, {"id", id}, {"result", {{"steps", steps}}}};
    uses::taken(hub.close_topic(topic, {.data = result.dump()}, 0ms)); // nobody asks for it again
}

} // namespace

int main(int argc, char** argv) {
    calls under_way;
    counts ended;
    std::atomic<unsigned> last_call = 0;
    uses::http_server server(argc, argv,
                             {.heartbeat = {.interval = 50ms}, .on_topic = under_way.hook()});
    // [recipe]
    server.post("/mcp", [&](const Request& request, Response& response, const std::string& body) {
        const json call = json::parse(body, nullptr, false);
        const unsigned steps = steps_of(call);
        response.status = 400;
        if (steps == 0) return;
        const std::string topic = "calls/" + std::to_string(++last_call);
        if (!ssekit::httplib_stream(server.hub(), request, response, {.topics = topic})) return;
        under_way.start(topic, [&, topic, steps, id = call["id"]](const std::stop_token& stop) {
            work(server.hub(), topic, steps, id, ended, stop);
        });
    });
    // [recipe]
    server.get("/calls", [&](const Request&, Response& response) {
        const json state = {{"finished", ended.finished.load()},
                            {"cancelled", ended.cancelled.load()},
                            {"topics", server.hub().metrics().topics}};
        response.set_content(state.dump(), "application/json");
    });
    // A call that is under way when the server is stopped still gets its result.
    const int status = server.run([](const ssekit::subscriber_info& stream) noexcept {
        return stream.topic.starts_with("calls/");
    });
    under_way.end();
    return status;
}
