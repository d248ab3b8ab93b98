// SPDX-License-Identifier: MIT
//
// Long jobs: starting one returns the address of its stream, which tells how far it is and ends
// with the job. A late client gets the end, and one that comes back for more is told that there is
// none.
//
//     POST /jobs           starts a job: 201, and its stream in Location
//     GET  /jobs/NUMBER    its stream: "progress" in percent, at last "complete"
#include "http_server.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace {

using uses::Request;
using uses::Response;
using clock = std::chrono::steady_clock;

/// How long its stream is there when a job has ended.
constexpr std::chrono::milliseconds afterlife = std::chrono::seconds(5);

std::string stream_of(std::size_t job) {
    return "jobs/" + std::to_string(job);
}

// [recipe]
void work(ssekit::shared_hub& hub, std::size_t job, const std::stop_token& stop) {
    const std::string topic = stream_of(job);
    for (int percent = 0; percent <= 100; percent += 10) {
        const std::string done = std::to_string(percent);
        if (!uses::taken(hub.publish(topic, {.type = "progress", .data = done}).ec)) return;
        if (!uses::go_on_after(std::chrono::milliseconds(20), stop)) return;
    }
    // Forgotten when nobody is let in any more: it would begin anew for them, and never end.
    uses::taken(hub.close_topic(topic, {.type = "complete", .data = "done"}, 2 * afterlife));
}
// [recipe]

/// Does the jobs one after the other.
class workshop {
  public:
    explicit workshop(ssekit::shared_hub& hub)
        : worker_([this, &hub](const std::stop_token& stop) { run(hub, stop); }) {}

    std::size_t add() {
        const std::lock_guard locked(lock_);
        ended_.emplace_back();
        added_.notify_one();
        return ended_.size();
    }

    /// \returns the status for a request for a job; 200: it has a stream.
    int find(std::size_t job) {
        const std::lock_guard locked(lock_);
        if (job == 0 || job > ended_.size()) return 404;
        const std::optional<clock::time_point> ended = ended_[job - 1];
        return ended && clock::now() - *ended > afterlife ? 204 : 200;
    }

  private:
    void run(ssekit::shared_hub& hub, const std::stop_token& stop) {
        for (std::size_t job = 1; wait_for(job, stop); ++job) {
            work(hub, job, stop);
            const std::lock_guard locked(lock_);
            ended_[job - 1] = clock::now();
        }
    }
    bool wait_for(std::size_t job, const std::stop_token& stop) {
        std::unique_lock locked(lock_);
        return added_.wait(locked, stop, [&] { return ended_.size() >= job; });
    }

    std::mutex lock_;
    std::condition_variable_any added_;
    std::vector<std::optional<clock::time_point>> ended_; // by number, from 1 on
    std::jthread worker_;
};

} // namespace

int main(int argc, char** argv) {
    uses::http_server server(argc, argv);
    workshop jobs(server.hub());
    server.post("/jobs", [&](const Request&, Response& response, const std::string&) {
        response.status = 201;
        response.set_header("Location", "/" + stream_of(jobs.add()));
    });
    server.get("/jobs/([0-9]{1,9})", [&](const Request& request, Response& response) {
        const std::size_t job = std::stoul(request.matches[1]);
        response.status = jobs.find(job);
        if (response.status != 200) return;
        const std::string topic = stream_of(job);
        ssekit::httplib_stream(server.hub(), request, response,
                               {.topics = topic, .start = ssekit::start_point::earliest});
    });
    // A job that is under way when the server is stopped is finished first.
    return server.run([](const ssekit::subscriber_info& stream) noexcept {
        return stream.topic.starts_with("jobs/");
    });
}
