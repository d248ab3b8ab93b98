// SPDX-License-Identifier: MIT
//
// uWebSockets itself is not here: this is what its responses and its loop do as far as streams see
// it. Read: uWebSockets 20.79, src/HttpResponse.h, src/AsyncSocket.h, src/HttpContext.h, src/Loop.h.
#include <ssekit/adapters/uwebsockets.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
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
using ssekit::header;
using ssekit::shared_hub;
using ssekit::shared_subscription;
using ssekit::time_point;

namespace {

constexpr time_point start{10h};

struct fake_loop {
    void defer(std::function<void()> call) {
        const std::lock_guard locked(lock_);
        deferred_.push_back(std::move(call));
    }
    /// Runs what has been deferred, as a turn of the loop does. \returns how much that was.
    std::size_t turn() {
        std::vector<std::function<void()>> calls;
        {
            const std::lock_guard locked(lock_);
            calls.swap(deferred_);
        }
        for (const auto& call : calls) call();
        return calls.size();
    }
    void settle() {
        for (bool busy = true; busy;) busy = turn() != 0;
    }

  private:
    std::mutex lock_;
    std::vector<std::function<void()>> deferred_;
};

struct fake_request {
    std::string method = "GET";
    std::string url = "/events";
    std::map<std::string, std::string> headers = {}; // in lower case

    std::string_view getCaseSensitiveMethod() { return method; }
    std::string_view getFullUrl() { return url; }
    std::string_view getHeader(std::string_view name) {
        const auto found = headers.find(std::string(name));
        return found == headers.end() ? std::string_view() : found->second;
    }
};

/// The socket below a response: it has room for so much.
class fake_socket {
  public:
    std::string got = {};       // by the client
    std::size_t room = 1 << 20; // in the socket's buffer
    std::size_t most_kept = 0;
    unsigned writes = 0; // system calls

  protected:
    unsigned int getBufferedAmount() { return static_cast<unsigned int>(kept_.size()); }

    void put(std::string_view bytes) {
        if (corked_ && cork_.size() + bytes.size() <= 16 << 10) {
            cork_ += bytes;
            return;
        }
        if (corked_) uncork();
        if (!flush() || send(bytes) < bytes.size()) {
            kept_ += bytes.substr(sent_);
        }
        sent_ = 0;
        most_kept = std::max(most_kept, kept_.size());
    }
    void cork() { corked_ = true; }
    void uncork() {
        corked_ = false;
        put(std::exchange(cork_, {}));
    }
    [[nodiscard]] bool is_corked() const { return corked_; }

  private:
    // What is kept leaves with the next write, of whatever size, and not by itself.
    bool flush() {
        const std::size_t size = send(kept_);
        kept_.erase(0, size);
        sent_ = 0;
        return kept_.empty();
    }
    std::size_t send(std::string_view bytes) {
        if (!bytes.empty()) ++writes;
        sent_ = std::min(bytes.size(), room);
        got += bytes.substr(0, sent_);
        room -= sent_;
        return sent_;
    }

    bool corked_ = false;
    std::string cork_;
    std::string kept_;
    std::size_t sent_ = 0; // of the last bytes
};

struct fake_response : fake_socket {
    bool ended = false;
    bool closed = false;
    bool aborted = false;

    // A test that fails here has called what is not there any more.
    fake_response* writeStatus(std::string_view text) {
        alive();
        if (std::exchange(has_status_, true)) return this;
        put("HTTP/1.1 " + std::string(text) + "\r\n");
        return this;
    }
    fake_response* writeHeader(std::string_view name, std::string_view value) {
        writeStatus("200 OK");
        put(std::string(name) + ": " + std::string(value) + "\r\n");
        return this;
    }
    bool write(std::string_view data) {
        writeStatus("200 OK");
        if (data.empty()) return true;
        if (!std::exchange(has_written_, true)) put("Transfer-Encoding: chunked\r\n");
        constexpr std::string_view digits = "0123456789abcdef";
        std::string size;
        for (std::size_t rest = data.size(); rest != 0; rest /= 16) {
            size.insert(size.begin(), digits[rest % 16]);
        }
        put("\r\n" + size + "\r\n");
        put(data);
        return getBufferedAmount() == 0;
    }
    void end(std::string_view data = {}) {
        writeStatus("200 OK");
        if (has_written_) {
            put("\r\n0\r\n\r\n");
        } else {
            put("Content-Length: " + std::to_string(data.size()) + "\r\n\r\n");
            put(data);
        }
        done();
    }
    void endWithoutBody() {
        writeStatus("200 OK");
        put("\r\n");
        done();
    }
    void close() {
        alive();
        closed = true;
        hang_up();
    }
    fake_response* cork(std::function<void()> call) {
        alive();
        if (is_corked()) {
            call();
        } else {
            fake_socket::cork();
            call();
            uncork();
        }
        return this;
    }
    fake_response* onAborted(std::function<void()> call) {
        on_aborted_ = std::move(call);
        return this;
    }
    fake_response* onWritable(std::function<bool(std::uintmax_t)> call) {
        on_writable_ = std::move(call);
        return this;
    }

    /// The client reads; without a handler the library sends what it keeps.
    void take(std::size_t bytes) {
        room += bytes;
        if (on_writable_) {
            // The handler may be taken away while it runs.
            const auto borrowed = std::exchange(on_writable_, [](std::uintmax_t) { return true; });
            borrowed(0);
            if (!ended && !closed) on_writable_ = borrowed;
        } else {
            put({});
        }
    }
    /// The client goes.
    void hang_up() {
        aborted = true;
        if (const auto call = std::exchange(on_aborted_, nullptr)) call();
        on_writable_ = nullptr;
    }
    /// The handler of a request runs corked.
    void in_handler(const std::function<void()>& handler) {
        fake_socket::cork();
        handler();
        uncork();
    }
    [[nodiscard]] bool has_handlers() const { return on_aborted_ && on_writable_; }

    [[nodiscard]] std::string head() const { return got.substr(0, got.find("\r\n\r\n") + 2); }
    [[nodiscard]] support::dechunked body() const {
        const std::size_t begin = got.find("\r\n\r\n");
        return support::dechunk(std::string_view(got).substr(std::min(got.size(), begin + 4)));
    }

  private:
    void alive() const { CHECK_FALSE((ended || aborted)); }
    void done() {
        ended = true;
        on_aborted_ = nullptr;
        on_writable_ = nullptr;
    }

    bool has_status_ = false;
    bool has_written_ = false;
    std::function<void()> on_aborted_;
    std::function<bool(std::uintmax_t)> on_writable_;
};

struct fixture {
    explicit fixture(const ssekit::hub_options& options = {})
        : hub(std::in_place, 1, ssekit::time_point(), options) {
        hub->tick(start);
    }
    shared_subscription* stream(fake_request asked = {}, ssekit::subscribe_options options = {}) {
        shared_subscription* made = nullptr;
        options.topics = "a";
        response.in_handler(
            [&] { made = ssekit::uws_stream(*hub, asked, response, loop, options); });
        return made;
    }
    void publish(std::string_view data) { CHECK(hub->publish("a", {.data = data}).ec == errc::ok); }
    [[nodiscard]] std::size_t subscribers() const {
        return hub->with([](const ssekit::hub& all) { return all.subscribers(); });
    }

    fake_loop loop = {};
    fake_response response = {};
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
namespace uWS {
struct Loop {
    static fake_loop* get() {
        static fake_loop the;
        return &the;
    }
};
struct App {
    fake_request request = {};
    fake_response response = {};
    template <class Handler>
    void get(std::string_view, const Handler& handler) {
        response.in_handler([&] { handler(&response, &request); });
    }
};
} // namespace uWS

} // namespace

TEST_CASE("uWebSockets: a handler becomes a stream, and any thread publishes") {
    shared_hub hub(1, {}, {});
    uWS::App app;
    // [recipe]
    app.get("/events", [&](auto* response, auto* request) {
        ssekit::uws_stream(hub, *request, *response, *uWS::Loop::get(), {.topics = "news"});
    });
    std::thread elsewhere([&] { static_cast<void>(hub.publish("news", {.data = "hello"})); });
    // [recipe]
    elsewhere.join();
    uWS::Loop::get()->turn();
    CHECK(app.response.body().body == "id: 1.0\n\nid: 1.1\ndata: hello\n\n");
}

TEST_CASE("uWebSockets: a stream begins with its head, in one write") {
    fixture f;
    REQUIRE(f.stream() != nullptr);
    CHECK(f.response.has_handlers());
    f.loop.turn();
    CHECK(f.response.head() == "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               "Cache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\n"
                               "Incremental: ?1\r\n"
                               "Transfer-Encoding: chunked\r\n");
    CHECK(f.response.body().body == "id: 1.0\n\n");
    f.publish("");
    f.publish("");
    CHECK(f.loop.turn() == 1); // woken once
    CHECK(f.response.writes == 3);
    CHECK(f.response.body().body == "id: 1.0\n\n" + events(1, 2));
}

TEST_CASE("uWebSockets: what a request asks for decides") {
    using headers = std::map<std::string, std::string>;
    struct {
        fake_request asked;
        std::string_view begin;
    } const cases[] = {
        {{.headers = headers{{"accept", "text/html"}}}, "HTTP/1.1 406 Not Acceptable\r\n"},
        {{.headers = headers{{"authorization", std::string(9000, 'x')}}}, "HTTP/1.1 431 "},
        {{.method = "HEAD"}, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"},
    };
    for (const auto& each : cases) {
        fixture f;
        CHECK(f.stream(each.asked) == nullptr);
        CHECK(f.response.got.starts_with(each.begin));
        CHECK(f.response.ended);
        CHECK(f.subscribers() == 0);
    }
    fixture f;
    f.publish("");
    f.publish("");
    REQUIRE(f.stream({.headers = headers{{"last-event-id", "1.1"}}}) != nullptr);
    f.loop.turn();
    CHECK(f.response.body().body == "id: 1.1\n\n" + events(2, 2));
    fixture q;
    q.publish("");
    REQUIRE(q.stream({.method = "POST", .url = "/events?lastEventId=1.0"}) != nullptr);
    q.loop.turn();
    CHECK(q.response.body().body == "id: 1.0\n\n" + events(1, 1));
}

TEST_CASE("uWebSockets: a refusal of the hub has a status") {
    fixture full({.max_subscribers = 0});
    CHECK(full.stream() == nullptr);
    CHECK(full.response.got.starts_with(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
        "Retry-After: 30\r\n"));
    CHECK(full.response.ended);

    fixture soft({.refused_retry_min = 3s, .refused_retry_max = 3s, .max_subscribers = 0});
    CHECK(soft.stream({.headers = {{"accept", "text/event-stream"}}}) == nullptr);
    CHECK(soft.response.head().starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream"));
    CHECK(soft.response.got.ends_with("\r\n\r\nretry: 3000\n\n"));
    CHECK(soft.response.ended);

    fixture over;
    over.publish("");
    CHECK(over.hub->close_topic("a") == ssekit::errc::ok);
    CHECK(over.stream() == nullptr);
    CHECK(over.response.got == "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_CASE("uWebSockets: further headers and a welcome") {
    fixture f;
    fake_request asked;
    const header more[] = {{"Access-Control-Allow-Origin", "*"}};
    f.response.in_handler([&] {
        auto* const stream = ssekit::uws_stream(*f.hub, asked, f.response, f.loop, {.topics = "a"},
                                                {.allow = "", .headers = more});
        REQUIRE(stream != nullptr);
        CHECK(stream->send({.data = "welcome"}) == errc::ok);
    });
    f.loop.turn();
    CHECK(f.response.head().find("\r\nAccess-Control-Allow-Origin: *\r\n") != std::string::npos);
    CHECK(f.response.body().body == "id: 1.0\n\ndata: welcome\n\n");
}

TEST_CASE("uWebSockets: a client that does not read costs one cork buffer and loses nothing") {
    fixture f;
    f.stream();
    f.loop.turn();
    f.response.room = 10'000;
    const std::string padding(3000, 'x');
    for (int i = 0; i < 200; ++i) {
        f.publish(padding);
        f.loop.turn();
    }
    f.loop.turn();
    CHECK(f.response.most_kept <= 16 << 10);
    CHECK(f.response.room == 0);
    CHECK(f.response.writes < 10); // what is full is left alone
    const std::string expected = "id: 1.0\n\n" + events(1, 200, padding);
    CHECK(expected.starts_with(f.response.body().body));
    for (const std::size_t gulp : std::vector<std::size_t>{1, 10, 100, 1000, 100'000, 1 << 20}) {
        f.response.take(gulp);
        f.loop.turn();
        CHECK(f.response.most_kept <= 16 << 10);
    }
    CHECK(f.response.body().body == expected);
    f.publish("more");
    f.loop.turn();
    CHECK(f.response.body().body.ends_with("data: more\n\n"));
}

TEST_CASE("uWebSockets: what the library keeps leaves without another event") {
    fixture f;
    f.stream();
    f.loop.turn();
    f.response.room = 5;
    f.publish("hello");
    f.loop.turn();
    CHECK_FALSE(f.response.body().body.ends_with("hello\n\n"));
    for (int i = 0; i < 100; ++i) f.response.take(1);
    CHECK(f.response.body().body == "id: 1.0\n\nid: 1.1\ndata: hello\n\n");
}

TEST_CASE("uWebSockets: one that stalls is left behind by the log, and does not look whole") {
    fixture f({.keep = {.events = 8, .burst = {.within = 0ms}}});
    f.stream();
    f.loop.turn();
    f.response.room = 100;
    const std::string padding(5000, 'x');
    for (int i = 0; i < 100; ++i) {
        f.publish(padding);
        f.loop.turn();
    }
    CHECK_FALSE(f.response.ended);
    while (!f.response.closed) {
        f.response.take(1 << 20);
        f.loop.turn();
    }
    const support::dechunked body = f.response.body();
    CHECK(body.intact);
    CHECK_FALSE(body.ended);
    CHECK(("id: 1.0\n\n" + events(1, 100, padding)).starts_with(body.body));
    CHECK(body.body.size() < 10 * padding.size());
    CHECK(f.subscribers() == 0);
}

TEST_CASE("uWebSockets: one whose bytes do not leave in time is closed") {
    fixture f({.write_deadline = 60s});
    f.stream();
    f.loop.turn();
    f.response.room = 0;
    for (int i = 0; i < 20; ++i) f.publish(std::string(3000, 'x'));
    f.loop.turn();
    f.hub->tick(start + 1s);
    f.hub->tick(start + 70s);
    f.loop.turn();
    CHECK(f.response.closed);
    CHECK_FALSE(f.response.ended);
    CHECK(f.subscribers() == 0);
}

TEST_CASE("uWebSockets: after an abort nothing is called, whatever was under way") {
    enum class when { in_handler, before_first_turn, idle, woken, waiting };
    for (const when state :
         {when::in_handler, when::before_first_turn, when::idle, when::woken, when::waiting}) {
        fixture f;
        if (state == when::in_handler) {
            fake_request asked;
            ssekit::uws_stream(*f.hub, asked, f.response, f.loop, {.topics = "a"});
        } else {
            f.stream();
        }
        if (state >= when::idle) f.loop.turn();
        if (state == when::waiting) f.response.room = 0;
        if (state >= when::woken) f.publish("x");
        if (state == when::waiting) f.loop.turn();
        f.response.hang_up();
        CHECK(f.subscribers() == 0);
        const std::string got = f.response.got;
        f.publish("y");
        CHECK(f.hub->close() == ssekit::errc::ok);
        f.loop.settle();
        CHECK(f.response.got == got);
        CHECK_FALSE(f.response.ended);
    }
}

TEST_CASE("uWebSockets: a hub that closes ends its responses properly") {
    for (const bool waiting : {false, true}) {
        fixture f;
        f.stream();
        f.loop.turn();
        if (waiting) f.response.room = 3;
        f.publish("1");
        CHECK(f.hub->close({.farewell = {.type = "bye", .data = ""}}) == ssekit::errc::ok);
        f.loop.settle();
        CHECK(f.response.ended == !waiting);
        while (!f.response.ended) f.response.take(7);
        f.response.take(1000);
        CHECK(f.response.body().ended);
        CHECK(f.response.body().body == "id: 1.0\n\nid: 1.1\ndata: 1\n\nevent: bye\ndata: \n\n");
        CHECK(f.subscribers() == 0);
    }
}

TEST_CASE("uWebSockets: a hub that is destroyed closes its responses, in the middle of what they "
          "have in hand") {
    for (const bool waiting : {false, true}) {
        fixture f;
        f.stream();
        f.loop.turn();
        if (waiting) f.response.room = 3;
        f.publish(std::string(40'000, 'x'));
        f.loop.turn();
        f.hub.reset();
        f.loop.turn();
        CHECK(f.response.closed);
        CHECK_FALSE(f.response.ended);
    }
}

TEST_CASE("uWebSockets: a stream that has broken off never looks whole, also when it was idle") {
    for (const bool destroyed : {false, true}) {
        fixture f;
        f.stream();
        f.loop.turn();
        f.publish("x");
        f.loop.turn();
        f.hub->with([](ssekit::hub& all) { all.cut(); });
        if (destroyed) f.hub.reset();
        f.loop.turn();
        CHECK(f.response.closed);
        CHECK_FALSE(f.response.ended);
        CHECK_FALSE(f.response.body().ended);
    }
}

TEST_CASE("uWebSockets: a long replay gives the loop back in between") {
    fixture f({.keep = {.events = 4096, .bytes = 8 << 20}});
    const std::string padding(1000, 'x');
    for (int i = 0; i < 2000; ++i) f.publish(padding);
    f.response.room = std::size_t{64} << 20;
    f.stream({.headers = std::map<std::string, std::string>{{"last-event-id", "1.0"}}});
    std::size_t turns = 0;
    while (f.loop.turn() != 0) ++turns;
    CHECK(turns > 4);
    CHECK(f.response.body().body == "id: 1.0\n\n" + events(1, 2000, padding));
}

TEST_CASE("uWebSockets: wake-ups from other threads race with clients that go") {
    fixture f;
    std::atomic<bool> running = true;
    std::thread publisher([&] {
        while (running) static_cast<void>(f.hub->publish("a", {.data = "x"}));
    });
    for (int i = 0; i < 300; ++i) {
        fake_response response;
        fake_request asked;
        response.in_handler(
            [&] { ssekit::uws_stream(*f.hub, asked, response, f.loop, {.topics = "a"}); });
        if (i % 3 != 0) f.loop.turn();
        if (i % 2 != 0) f.loop.turn();
        response.hang_up();
    }
    running = false;
    publisher.join();
    f.loop.turn();
    CHECK(f.subscribers() == 0);
}
