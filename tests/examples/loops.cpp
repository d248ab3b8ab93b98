// SPDX-License-Identifier: MIT
//
// A hub for each event loop, without a lock between them: one sequence numbers and encodes each
// event, once, and every loop publishes it in its own hub. The ids are the same everywhere, so a
// client may come back to another loop, as it does behind a load balancer.
#include <ssekit/epoch.hpp>
#include <ssekit/event_sequence.hpp>
#include <ssekit/hub.hpp>
#include <ssekit/parser.hpp>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

const std::uint64_t epoch = ssekit::new_epoch(); // the same for the sequence and all hubs
constexpr int events = 1000;

// [loop]
/// An event loop; a real one would wait for its sockets and an eventfd.
class loop {
  public:
    void post(ssekit::sequenced_event event) {
        const std::lock_guard locked(lock_);
        posted_.push_back(std::move(event));
        woken_.notify_one();
    }

    void turn() {
        std::vector<ssekit::sequenced_event> arrived;
        {
            std::unique_lock locked(lock_);
            woken_.wait(locked, [&] { return !posted_.empty(); });
            arrived.swap(posted_);
        }
        for (const auto& event : arrived) {
            if (hub_.publish_sequenced("ticks", event).ec != ssekit::errc::ok) ++refused_;
        }
    }

    ssekit::hub& hub() { return hub_; } // for the loop's own thread
    [[nodiscard]] int refused() const { return refused_; }

  private:
    ssekit::hub hub_{
        epoch, std::chrono::steady_clock::now(), {.ids = ssekit::event_ids::by_sequence}};
    int refused_ = 0;
    std::mutex lock_;
    std::condition_variable woken_;
    std::vector<ssekit::sequenced_event> posted_;
};

/// Any thread may publish; under the lock every loop gets the events in the same order.
class publisher {
  public:
    explicit publisher(std::array<loop, 2>& loops) : loops_(loops) {}

    void publish(std::string_view data) {
        const std::lock_guard locked(lock_);
        const ssekit::sequenced_event event = sequence_.make("ticks", {.data = data});
        for (loop& each : loops_) each.post(event);
    }

  private:
    std::mutex lock_;
    ssekit::event_sequence sequence_{epoch};
    std::array<loop, 2>& loops_;
};
// [loop]

/// A client that reads some events from a loop and remembers its id.
struct client {
    std::string last_event_id = {};
    int seen = 0;

    void read(loop& from, int until) {
        auto stream = from.hub().subscribe({.topics = "ticks",
                                            .last_event_id = last_event_id,
                                            .start = ssekit::start_point::earliest});
        ssekit::parser parser;
        while (seen < until) {
            std::string_view bytes;
            if (stream.subscription.prepare({&bytes, 1}) == 0) {
                from.turn();
                continue;
            }
            const std::size_t size = bytes.size();
            while (parser.next(bytes) != nullptr) ++seen;
            stream.subscription.consume(size);
        }
        last_event_id = parser.last_event_id();
    }
};

} // namespace

int main() {
    std::array<loop, 2> loops;
    publisher source(loops);
    std::thread writer([&] {
        for (int i = 0; i < events; ++i) source.publish(std::to_string(i));
    });
    // The client is on the first loop for the first half, then it comes back to the other.
    client somebody;
    std::thread first([&] { somebody.read(loops[0], events / 2); });
    first.join();
    std::thread second([&] { somebody.read(loops[1], events); });
    second.join();
    writer.join();
    if (somebody.seen != events || loops[0].refused() + loops[1].refused() != 0 ||
        !somebody.last_event_id.ends_with("." + std::to_string(events))) {
        std::fprintf(stderr, "%d events, the last is %s\n", somebody.seen,
                     somebody.last_event_id.c_str());
        return 1;
    }
    std::printf("%d events over two loops, none lost, none twice\n", somebody.seen);
}
