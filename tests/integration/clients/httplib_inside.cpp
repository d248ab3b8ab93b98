// SPDX-License-Identifier: MIT
//
// What the contract of clients does not show of the one over cpp-httplib: it is stopped from
// another thread, its sink throws or takes its time, and it waits for no head for ever.
#if defined(SSEKIT_TEST_HTTPLIB) // says the build where cpp-httplib is linked

#include "support/process.hpp"
#include "support/scripted_server.hpp"

#include <ssekit/adapters/httplib_client.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::event_source;
using ssekit::event_source_options;
using ssekit::event_view;
using ssekit::source_end;
using support::scripted_connection;
using support::scripted_server;

namespace {

constexpr std::string_view stream_head = "HTTP/1.1 200 OK\r\n"
                                         "Content-Type: text/event-stream\r\n"
                                         "Connection: close\r\n\r\n";

scripted_connection connected(scripted_server& server, std::string_view last_event_id = {}) {
    scripted_connection out = server.accept();
    const support::seen_request request = out.read_request();
    CHECK(request.has("Last-Event-ID") == !last_event_id.empty());
    if (!last_event_id.empty()) CHECK(request.header("Last-Event-ID") == last_event_id);
    return out;
}

/// A source that runs on a thread of its own, and what its sink has been given.
class running {
  public:
    explicit running(const scripted_server& server, event_source_options options = {})
        : source_(server.url(), quick(std::move(options))), client_(source_) {
        ended_ = std::async(std::launch::async, [this] {
            client_.run([this](const event_view& event) { take(event); });
            return source_.end();
        });
    }
    ~running() { client_.stop(); }

    void stop() { client_.stop(); }
    /// \returns why it has ended.
    source_end until_end() {
        REQUIRE(ended_.wait_for(support::patience) == std::future_status::ready);
        return ended_.get();
    }
    bool until_seen(const std::string& data) {
        std::unique_lock locked(lock_);
        return changed_.wait_for(locked, support::patience,
                                 [&] { return !seen_.empty() && seen_.back() == data; });
    }

  private:
    static event_source_options quick(event_source_options options) {
        std::signal(SIGPIPE, SIG_IGN);
        options.reconnection_time = 1ms;
        return options;
    }
    void take(const event_view& event) {
        std::unique_lock locked(lock_);
        seen_.emplace_back(*event.data);
        changed_.notify_all();
        locked.unlock();
        if (event.data == "slow") std::this_thread::sleep_for(2500ms);
    }

    event_source source_;
    ssekit::httplib_source client_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<std::string> seen_;
    std::future<source_end> ended_; // waits for the thread when it dies
};

} // namespace

TEST_CASE("httplib: another thread stops it at any time") {
    scripted_server server;
    SUBCASE("before it begins, and nothing is sent") {
        event_source source(server.url());
        ssekit::httplib_source client(source);
        client.stop();
        client.run([](const event_view&) {});
        CHECK(source.end() == source_end::closed);
        client.run([](const event_view&) {}); // it remains at that
        CHECK(!server.has_caller());
    }
    SUBCASE("at the very beginning") {
        for (int i = 0; i < 20; ++i) {
            scripted_server silent;
            running client(silent);
            std::this_thread::sleep_for(std::chrono::microseconds(i * 100));
            client.stop();
            CHECK(client.until_end() == source_end::closed);
        }
    }
    SUBCASE("while it waits for the head") {
        running client(server);
        scripted_connection connection = connected(server);
        client.stop();
        CHECK(client.until_end() == source_end::closed);
        CHECK(connection.until_closed());
    }
    SUBCASE("while it reads") {
        running client(server);
        scripted_connection connection = connected(server);
        connection.send(stream_head);
        connection.send("data: a\n\n");
        CHECK(client.until_seen("a"));
        client.stop();
        CHECK(client.until_end() == source_end::closed);
        CHECK(connection.until_closed());
    }
    SUBCASE("while the sink is at work, and what has come since is not given to it") {
        running client(server);
        scripted_connection connection = connected(server);
        connection.send(stream_head);
        connection.send("data: slow\n\n");
        CHECK(client.until_seen("slow"));
        connection.send("data: a\n\n");
        client.stop();
        CHECK(client.until_end() == source_end::closed);
        CHECK(client.until_seen("slow"));
    }
    SUBCASE("while it is away") {
        running client(server);
        scripted_connection connection = connected(server);
        connection.send(stream_head);
        connection.send("retry: 1000000\ndata: a\n\n");
        CHECK(client.until_seen("a"));
        connection.close();
        std::this_thread::sleep_for(20ms);
        client.stop();
        CHECK(client.until_end() == source_end::closed);
    }
}

TEST_CASE("httplib: what the sink throws leaves run, which can be called again") {
    scripted_server server;
    event_source source(server.url(), {.reconnection_time = 1ms});
    ssekit::httplib_source client(source);
    std::vector<std::string> seen;
    const auto sink = [&](const event_view& event) {
        seen.emplace_back(*event.data);
        if (seen.back() == "throw") throw std::runtime_error("as it was told");
        if (seen.back() == "close") source.close();
    };
    std::future<void> served = std::async(std::launch::async, [&] {
        scripted_connection first = connected(server);
        first.send(stream_head);
        first.send("id: 1\ndata: a\n\nid: 2\ndata: throw\n\nid: 3\ndata: b\n\n");
        CHECK(first.until_closed());
        scripted_connection second = connected(server, "2");
        second.send(stream_head);
        second.send("id: 3\ndata: b\n\ndata: close\n\ndata: c\n\n");
        CHECK(second.until_closed());
    });
    CHECK_THROWS_WITH(client.run(sink), "as it was told");
    CHECK(source.state() == ssekit::ready_state::connecting);
    CHECK(source.failures() == 1);
    client.run(sink);
    CHECK(source.end() == source_end::closed);
    CHECK(seen == std::vector<std::string>{"a", "throw", "b", "close"});
    served.get();
}

TEST_CASE("httplib: what the hook throws leaves run as well") {
    scripted_server server;
    event_source source(server.url(), {.reconnection_time = 1ms});
    ssekit::httplib_source client(
        source, [](httplib::Client&) { throw std::runtime_error("no certificates"); });
    CHECK_THROWS_WITH(client.run([](const event_view&) {}), "no certificates");
    CHECK(source.failures() == 1);
    CHECK(!server.has_caller());
}

TEST_CASE("httplib: the time of the sink is no silence of the server") {
    scripted_server server;
    running client(server, {.idle_timeout = 2s});
    scripted_connection connection = connected(server);
    connection.send(stream_head);
    connection.send("data: slow\n\n");
    CHECK(client.until_seen("slow"));
    std::this_thread::sleep_for(2900ms); // the sink has returned, and nothing has come since
    connection.send("data: a\n\n");
    CHECK(client.until_seen("a"));
    CHECK(!server.has_caller());
    CHECK(connection.until_closed()); // for now it is silent
}

TEST_CASE("httplib: a body that ended for its silence has not come to its end") {
    scripted_server server;
    running client(server, {.method = "POST", .idle_timeout = 200ms});
    scripted_connection connection = connected(server);
    connection.send(stream_head);
    CHECK(client.until_end() == source_end::not_repeated);
}

TEST_CASE("httplib: a head that does not come to its end is not waited for") {
    scripted_server server;
    running client(server, {.connect_timeout = 500ms});
    scripted_connection connection = connected(server);
    const auto began = std::chrono::steady_clock::now();
    connection.send("HTTP/1.1 200 OK\r\nX-Slow: ");
    while (!connection.until_closed(100ms)) {
        REQUIRE(std::chrono::steady_clock::now() - began < support::patience);
        connection.send("x");
    }
    CHECK(std::chrono::steady_clock::now() - began >= 300ms);
    CHECK(server.has_caller(support::patience));
}

#endif
