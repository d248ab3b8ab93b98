// SPDX-License-Identifier: MIT
//
// Drogon itself is not here: this is what its requests, responses, connections and loops do as far
// as streams see it. Read: Drogon 1.9.13, lib/inc/drogon/HttpResponse.h, lib/src/HttpServer.cc, and
// of its trantor net/inner/TcpConnectionImpl.cc.
#include <ssekit/adapters/drogon.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::shared_hub;
using ssekit::time_point;

namespace {

constexpr time_point start{10h};

namespace fake {

struct loop {
    void queueInLoop(std::function<void()> call) {
        const std::lock_guard locked(lock_);
        queued_.push_back(std::move(call));
    }
    void runAfter(double, std::function<void()> call) { timed_.push_back(std::move(call)); }

    /// \returns how much was queued.
    std::size_t turn() {
        std::vector<std::function<void()>> calls;
        {
            const std::lock_guard locked(lock_);
            calls.swap(queued_);
        }
        for (const auto& call : calls) call();
        return calls.size();
    }
    /// Time passes. \returns how many timers went off.
    std::size_t wait() {
        const auto calls = std::exchange(timed_, {});
        for (const auto& call : calls) call();
        return calls.size();
    }
    void settle() {
        for (bool busy = true; busy;) busy = turn() + wait() != 0;
    }

  private:
    std::mutex lock_;
    std::vector<std::function<void()>> queued_;
    std::vector<std::function<void()>> timed_;
};

struct connection {
    explicit connection(loop& of) : loop_(of) {}

    loop* getLoop() { return &loop_; }
    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] std::size_t bytesSent() const { return got.size(); }
    void forceClose() {
        connected_ = false;
        forced = true;
    }

    // What the real one does not have.
    std::string got = {};       // by the client
    std::size_t room = 1 << 20; // in the socket's buffer
    std::size_t most_kept = 0;
    bool forced = false;

    void put(std::string_view bytes) {
        kept_ += bytes;
        take(0);
        most_kept = std::max(most_kept, kept_.size());
    }
    void take(std::size_t bytes) {
        room += bytes;
        const std::size_t size = std::min(kept_.size(), room);
        got += kept_.substr(0, size);
        kept_.erase(0, size);
        room -= size;
    }
    void hang_up() { connected_ = false; }

  private:
    loop& loop_;
    std::string kept_;
    bool connected_ = true;
};

/// A ResponseStream.
struct stream {
    explicit stream(const std::shared_ptr<connection>& of) : of_(of) {}
    stream(const stream&) = delete;
    ~stream() { close(); }

    bool send(const std::string& data) {
        const auto to = of_.lock();
        if (to == nullptr || !to->connected()) return false;
        constexpr std::string_view digits = "0123456789abcdef";
        std::string size;
        for (std::size_t rest = data.size(); rest != 0; rest /= 16) {
            size.insert(size.begin(), digits[rest % 16]);
        }
        to->put(size + "\r\n" + data + "\r\n");
        return true;
    }
    void close() {
        const auto to = of_.lock();
        if (!std::exchange(closed_, true) && to != nullptr && to->connected()) to->put("0\r\n\r\n");
    }

  private:
    std::weak_ptr<connection> of_;
    bool closed_ = false;
};

enum class status { k200OK = 200 };

struct response {
    using stream_pointer = std::unique_ptr<stream>;
    using callback = std::function<void(stream_pointer)>;

    static std::shared_ptr<response> newHttpResponse() { return std::make_shared<response>(); }
    static std::shared_ptr<response>
    newAsyncStreamResponse(const std::function<void(stream_pointer)>& call, bool no_timeout) {
        const auto made = newHttpResponse();
        made->begin = call;
        made->no_timeout = no_timeout;
        return made;
    }
    [[nodiscard]] status statusCode() const { return code; }
    void setStatusCode(status value) { code = value; }
    void addHeader(std::string name, const std::string& value) { headers[std::move(name)] = value; }
    void setContentTypeString(std::string_view value) { type = value; }
    void setBody(std::string&& value) { body = std::move(value); }

    status code = status::k200OK;
    std::map<std::string, std::string> headers = {};
    std::string type = {};
    std::string body = {};
    callback begin = {};
    bool no_timeout = false;
};

struct request {
    std::map<std::string, std::string> headers = {};
    std::string url_query = {};
    std::string version = "HTTP/1.1";
    bool head = false;
    std::weak_ptr<connection> of = {};

    [[nodiscard]] std::string path() const { return "/events"; }
    [[nodiscard]] const std::string& query() const { return url_query; }
    [[nodiscard]] const char* versionString() const { return version.c_str(); }
    [[nodiscard]] bool isHead() const { return head; }
    [[nodiscard]] const char* methodString() const { return "GET"; }
    [[nodiscard]] const std::weak_ptr<connection>& getConnectionPtr() const { return of; }
    [[nodiscard]] const std::string& getHeader(const std::string& name) const {
        static const std::string none;
        const auto found = headers.find(name);
        return found == headers.end() ? none : found->second;
    }
};

} // namespace fake

using response = std::shared_ptr<fake::response>;

struct fixture {
    explicit fixture(const ssekit::hub_options& options = {})
        : hub(std::in_place, 1, ssekit::time_point(), options) {
        hub->tick(start);
    }
    response ask(fake::request asked = {}) {
        asked.of = connection;
        return ssekit::drogon_stream<fake::response>(
            *hub, std::make_shared<fake::request>(std::move(asked)), {.topics = "a"});
    }
    /// The server sends the response, and lets go of it.
    void send(response answer) const {
        REQUIRE(answer->begin);
        answer->begin(std::make_unique<fake::stream>(connection));
    }
    void stream(fake::request asked = {}) {
        send(ask(std::move(asked)));
        loop.turn();
    }
    void publish(std::string_view data) { CHECK(hub->publish("a", {.data = data}).ec == errc::ok); }
    [[nodiscard]] std::size_t subscribers() const {
        return hub->with([](const ssekit::hub& all) { return all.subscribers(); });
    }
    [[nodiscard]] support::dechunked body() const { return support::dechunk(connection->got); }

    fake::loop loop = {};
    std::shared_ptr<fake::connection> connection = std::make_shared<fake::connection>(loop);
    std::optional<shared_hub> hub;
};

std::string events(int first, int last, std::string_view padding = {}) {
    std::string out;
    for (int i = first; i <= last; ++i) {
        out += "id: 1." + std::to_string(i) + "\ndata: " + std::string(padding) + "\n\n";
    }
    return out;
}

// How the README shows it.
namespace drogon {
using HttpResponse = fake::response;
using HttpResponsePtr = response;
using HttpRequestPtr = std::shared_ptr<fake::request>;
struct framework {
    HttpRequestPtr request = {};
    HttpResponsePtr answer = {};
    template <class Handler>
    void registerHandler(std::string_view, const Handler& handler) {
        handler(request, [&](const HttpResponsePtr& made) { answer = made; });
    }
};
framework& app() {
    static framework the;
    return the;
}
} // namespace drogon

} // namespace

TEST_CASE("Drogon: a handler becomes a stream") {
    fixture f;
    shared_hub& hub = *f.hub;
    drogon::app().request = std::make_shared<fake::request>();
    drogon::app().request->of = f.connection;
    // [recipe]
    drogon::app().registerHandler(
        "/events", [&](const drogon::HttpRequestPtr& request, auto&& answer) {
            answer(ssekit::drogon_stream<drogon::HttpResponse>(hub, request, {.topics = "news"}));
        });
    // [recipe]
    f.send(std::exchange(drogon::app().answer, nullptr));
    CHECK(hub.publish("news", {.data = "hello"}).ec == ssekit::errc::ok);
    f.loop.turn();
    CHECK(f.body().body == "id: 1.0\n\nid: 1.1\ndata: hello\n\n");
    f.connection->hang_up();
    CHECK(hub.close() == ssekit::errc::ok);
    f.loop.turn();
}

TEST_CASE("Drogon: a stream has its headers, and a batch is one chunk") {
    fixture f;
    const response answer = f.ask();
    CHECK(answer->type == "text/event-stream");
    CHECK(answer->headers.at("Cache-Control") == "no-store, no-transform");
    CHECK(answer->no_timeout);
    f.send(answer);
    CHECK(f.connection->got == "9\r\nid: 1.0\n\n\r\n");
    f.publish("");
    f.publish("");
    CHECK(f.loop.turn() == 1); // woken once
    CHECK(f.connection->got == "9\r\nid: 1.0\n\n\r\n"
                               "20\r\n" +
                                   events(1, 2) + "\r\n");
    CHECK(f.hub->close() == ssekit::errc::ok);
    f.loop.turn();
}

TEST_CASE("Drogon: what a request asks for decides") {
    using headers = std::map<std::string, std::string>;
    fixture f;
    CHECK(int(f.ask({.headers = headers{{"Accept", "text/html"}}})->code) == 406);
    CHECK(int(f.ask({.version = "HTTP/1.0"})->code) == 505);
    const response head = f.ask({.head = true});
    CHECK(int(head->code) == 200);
    CHECK(head->type == "text/event-stream");
    CHECK_FALSE(head->begin);
    CHECK(f.subscribers() == 0);
    f.publish("");
    f.publish("");
    for (const fake::request& asked : {fake::request{.headers = headers{{"Last-Event-ID", "1.1"}}},
                                       fake::request{.url_query = "lastEventId=1.1"}}) {
        f.connection->got.clear();
        f.stream(asked);
        CHECK(f.body().body == "id: 1.1\n\n" + events(2, 2));
    }
    CHECK(f.hub->close() == ssekit::errc::ok);
    f.loop.turn();
}

TEST_CASE("Drogon: a refusal of the hub has a status") {
    fixture full({.max_subscribers = 0});
    const response refused = full.ask();
    CHECK(int(refused->code) == 503);
    CHECK(refused->headers.at("Retry-After") == "30");
    CHECK(refused->type == "text/plain");
    CHECK_FALSE(refused->begin);

    fixture soft({.refused_retry_min = 3s, .refused_retry_max = 3s, .max_subscribers = 0});
    const response told = soft.ask({.headers = {{"Accept", "text/event-stream"}}});
    CHECK(int(told->code) == 200);
    CHECK(told->type == "text/event-stream");
    CHECK(told->body == "retry: 3000\n\n");
    CHECK_FALSE(told->begin);

    fixture gone;
    gone.connection.reset();
    CHECK_FALSE(gone.ask()->begin);
    CHECK(gone.subscribers() == 0);
}

TEST_CASE("Drogon: a response that is never sent takes its stream with it") {
    fixture f;
    response answer = f.ask();
    CHECK(f.subscribers() == 1);
    f.publish("");
    f.loop.turn(); // a wake-up before there is anything to write to
    answer.reset();
    CHECK(f.subscribers() == 0);
    f.publish("");
    CHECK(f.loop.turn() == 0);
}

TEST_CASE("Drogon: a client that does not read costs one batch and loses nothing") {
    fixture f;
    f.stream();
    f.connection->room = 10'000;
    const std::string padding(3000, 'x');
    for (int i = 0; i < 200; ++i) {
        f.publish(padding);
        f.loop.turn();
        CHECK(f.loop.wait() <= 1); // it looks with one timer
    }
    const std::string expected = "id: 1.0\n\n" + events(1, 200, padding);
    CHECK(expected.starts_with(f.body().body));
    for (const std::size_t gulp : std::vector<std::size_t>{1, 10, 100, 1000, 100'000, 1 << 20}) {
        f.connection->take(gulp);
        f.loop.turn();
        f.loop.wait();
    }
    f.loop.settle();
    CHECK(f.connection->most_kept <= (64 << 10) + 10);
    CHECK(f.body().body == expected);
    f.publish("more");
    f.loop.turn();
    CHECK(f.loop.wait() == 0);
    CHECK(f.body().body.ends_with("data: more\n\n"));
    CHECK(f.hub->close() == ssekit::errc::ok);
    f.loop.turn();
}

TEST_CASE("Drogon: one that stalls is left behind by the log, and does not look whole") {
    fixture f({.keep = {.events = 8, .burst = {.within = 0ms}}});
    f.stream();
    f.connection->room = 100;
    const std::string padding(5000, 'x');
    for (int i = 0; i < 100; ++i) {
        f.publish(padding);
        f.loop.turn();
        f.loop.wait();
    }
    CHECK(f.subscribers() == 1);
    f.connection->take(1 << 20);
    f.loop.settle();
    const support::dechunked body = f.body();
    CHECK(body.intact);
    CHECK_FALSE(body.ended);
    CHECK(("id: 1.0\n\n" + events(1, 100, padding)).starts_with(body.body));
    CHECK(f.subscribers() == 0);
    CHECK(f.connection->forced);
}

TEST_CASE("Drogon: one whose bytes do not leave in time is closed") {
    fixture f({.write_deadline = 60s});
    f.stream();
    f.connection->room = 0;
    for (int i = 0; i < 40; ++i) f.publish(std::string(3000, 'x'));
    f.loop.turn();
    f.hub->tick(start + 1s);
    f.hub->tick(start + 70s);
    f.loop.turn();
    CHECK(f.connection->forced);
    CHECK_FALSE(f.body().ended);
    CHECK(f.subscribers() == 0);
}

TEST_CASE("Drogon: a client that has gone is found out by the next event") {
    for (const bool waiting : {false, true}) {
        for (const bool freed : {false, true}) {
            fixture f;
            f.stream();
            if (waiting) f.connection->room = 0;
            if (waiting) f.publish("");
            f.loop.turn();
            f.connection->hang_up();
            if (freed) f.connection.reset();
            CHECK(f.subscribers() == 1);
            f.publish("");
            f.loop.turn();
            f.loop.wait();
            CHECK(f.subscribers() == 0);
            CHECK(f.loop.wait() == 0);
        }
    }
}

TEST_CASE("Drogon: a hub that closes ends its responses properly") {
    for (const bool waiting : {false, true}) {
        fixture f;
        f.stream();
        if (waiting) f.connection->room = 3;
        f.publish("1");
        CHECK(f.hub->close({.farewell = {.type = "bye", .data = ""}}) == ssekit::errc::ok);
        f.loop.turn();
        CHECK(f.body().ended == !waiting);
        for (int i = 0; i < 20 && waiting; ++i) {
            f.connection->take(7);
            f.loop.wait();
        }
        CHECK(f.body().ended);
        CHECK(f.body().body == "id: 1.0\n\nid: 1.1\ndata: 1\n\nevent: bye\ndata: \n\n");
        CHECK(f.subscribers() == 0);
        CHECK_FALSE(f.connection->forced);
    }
}

TEST_CASE("Drogon: a hub that is destroyed cuts its responses") {
    for (const bool waiting : {false, true}) {
        fixture f;
        f.stream();
        if (waiting) f.connection->room = 3;
        for (int i = 0; i < 40; ++i) f.publish(std::string(3000, 'x'));
        f.loop.turn();
        f.hub.reset();
        f.loop.turn();
        CHECK(f.connection->forced);
        CHECK_FALSE(f.body().ended);
    }
}

TEST_CASE("Drogon: a stream that has broken off never looks whole, also when it was idle") {
    for (const bool destroyed : {false, true}) {
        fixture f;
        f.stream();
        f.publish("x");
        f.loop.turn();
        f.hub->with([](ssekit::hub& all) { all.cut(); });
        if (destroyed) f.hub.reset();
        f.loop.turn();
        CHECK(f.connection->forced);
        CHECK_FALSE(f.body().ended);
    }
}

TEST_CASE("Drogon: a long replay gives the loop back in between") {
    fixture f({.keep = {.events = 4096, .bytes = 8 << 20}});
    const std::string padding(1000, 'x');
    for (int i = 0; i < 2000; ++i) f.publish(padding);
    f.connection->room = std::size_t{64} << 20;
    f.send(f.ask({.headers = std::map<std::string, std::string>{{"Last-Event-ID", "1.0"}}}));
    std::size_t turns = 0;
    while (f.loop.turn() != 0) ++turns;
    CHECK(turns > 4);
    CHECK(f.body().body == "id: 1.0\n\n" + events(1, 2000, padding));
    CHECK(f.hub->close() == ssekit::errc::ok);
    f.loop.turn();
}

TEST_CASE("Drogon: wake-ups from other threads race with responses that go") {
    fixture f;
    std::atomic<bool> running = true;
    std::thread publisher([&] {
        while (running) static_cast<void>(f.hub->publish("a", {.data = "x"}));
    });
    for (int i = 0; i < 300; ++i) {
        response answer = f.ask();
        if (i % 2 != 0) f.send(std::move(answer));
        answer.reset();
        if (i % 3 != 0) f.loop.turn();
        f.connection->hang_up();
        f.connection = std::make_shared<fake::connection>(f.loop);
    }
    running = false;
    publisher.join();
    f.publish("last");
    f.loop.settle();
    CHECK(f.subscribers() == 0);
}
