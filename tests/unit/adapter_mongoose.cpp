// SPDX-License-Identifier: MIT
//
// Mongoose itself is not here: this is what its manager and connections do as far as streams see
// it. Read: Mongoose 7.22, mongoose.c: mg_mgr_poll, mg_send, mg_wakeup, mg_call, http_cb, iolog,
// mg_close_conn.
#include <ssekit/adapters/mongoose.hpp>

#include <ssekit/hub.hpp>
#include <ssekit/shared_hub.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::hub;
using ssekit::shared_hub;
using ssekit::time_point;

namespace {

constexpr time_point start{10h};

enum { MG_EV_POLL, MG_EV_READ, MG_EV_WRITE, MG_EV_CLOSE, MG_EV_HTTP_MSG };

struct mg_str {
    const char* buf = nullptr;
    std::size_t len = 0;
};

struct mg_iobuf {
    std::string bytes = {};
    std::size_t len = 0;
};

struct mg_mgr;

struct mg_connection {
    mg_mgr* mgr = nullptr;
    mg_iobuf send = {};
    void (*fn)(mg_connection*, int, void*) = nullptr;
    void* fn_data = nullptr;
    unsigned is_draining : 1 = 0;
    unsigned is_closing : 1 = 0;
    unsigned is_resp : 1 = 0;

    // What the real one does not have.
    std::shared_ptr<std::string> got = std::make_shared<std::string>(); // by the client
    std::size_t room = 1 << 20;                                         // in the socket's buffer
    std::size_t most = 0;                                               // that `send` has held
    bool without_memory = false;
};

struct mg_http_message {
    mg_str proto = {};
    mg_str head = {};
};

struct mg_mgr {
    std::list<mg_connection> connections = {};
    std::atomic<int> wakeups = 0;
    unsigned long woken = 0;
};

bool mg_send(mg_connection* to, const void* bytes, std::size_t size) {
    CHECK(to->is_closing + 0 == 0);
    if (to->without_memory) return size == 0;
    to->send.bytes.append(static_cast<const char*>(bytes), size);
    to->send.len += size;
    to->most = std::max(to->most, to->send.len);
    return true;
}

bool mg_wakeup(mg_mgr* manager, unsigned long connection, const void*, std::size_t) {
    if (connection == 0) return false;
    ++manager->wakeups;
    return true;
}

void call(mg_connection& of, int event, void* data = nullptr) {
    if (of.fn != nullptr) of.fn(&of, event, data);
}

void mg_mgr_poll(mg_mgr* manager, int) {
    for (auto each = manager->connections.begin(); each != manager->connections.end();) {
        mg_connection& c = *each;
        call(c, MG_EV_POLL);
        if (!c.is_closing && c.send.len > 0 && c.room > 0) {
            const std::size_t size = std::min(c.room, c.send.len);
            *c.got += c.send.bytes.substr(0, size);
            c.send.bytes.erase(0, size);
            c.send.len -= size;
            c.room -= size;
            call(c, MG_EV_WRITE);
        }
        if (c.is_draining && c.send.len == 0) c.is_closing = 1;
        if (c.is_closing) call(c, MG_EV_CLOSE);
        each = c.is_closing ? manager->connections.erase(each) : std::next(each);
    }
}

void mg_mgr_free(mg_mgr* manager) {
    for (mg_connection& each : manager->connections) each.is_closing = 1;
    mg_mgr_poll(manager, 0);
}

template <class Hub>
struct fixture {
    using stream_type = ssekit::detail::mongoose_subscription<Hub>;

    explicit fixture(const ssekit::hub_options& options = {})
        : hub(std::in_place, 1, ssekit::time_point(), options) {
        hub->tick(start);
    }
    ~fixture() { mg_mgr_free(&manager); }

    mg_connection& connect() {
        mg_connection& made = manager.connections.emplace_back();
        made.mgr = &manager;
        return made;
    }
    /// What the library does with a request.
    stream_type* ask(mg_connection& c, const std::string& head, std::size_t room = 16 << 10) {
        struct asking {
            fixture& self;
            std::size_t room;
            stream_type* made = nullptr;
        } request{*this, room};
        c.is_resp = 1;
        c.fn_data = &request;
        c.fn = [](mg_connection* of, int, void* data) {
            auto& mine = *static_cast<asking*>(of->fn_data);
            auto& message = *static_cast<mg_http_message*>(data);
            of->fn_data = nullptr;
            of->fn = nullptr;
            mine.made =
                ssekit::mongoose_stream(*mine.self.hub, *of, message, {.topics = "a"}, mine.room);
        };
        const std::size_t version = head.find(" HTTP/");
        mg_http_message message;
        message.head = {head.data(), head.size()};
        if (version != head.npos) message.proto = {head.data() + version + 1, 8};
        call(c, MG_EV_HTTP_MSG, &message);
        call(c, MG_EV_READ); // comes after it
        return request.made;
    }
    mg_connection& stream(const std::string& more = {}, std::size_t room = 16 << 10) {
        mg_connection& c = connect();
        REQUIRE(ask(c, "GET /events HTTP/1.1\r\nHost: a\r\n" + more + "\r\n", room) != nullptr);
        return c;
    }
    int turn(time_point now = start) {
        const int wait = ssekit::mongoose_turn<mg_connection>(*hub, now);
        mg_mgr_poll(&manager, wait);
        return wait;
    }
    void publish(std::string_view data) { CHECK(hub->publish("a", {.data = data}).ec == errc::ok); }

    mg_mgr manager = {};
    std::optional<Hub> hub;
};

using local = fixture<hub>;

std::string head_of(const mg_connection& c) {
    return c.got->substr(0, c.got->find("\r\n\r\n") + 4);
}

support::dechunked body_of(const std::string& got) {
    return support::dechunk(std::string_view(got).substr(got.find("\r\n\r\n") + 4));
}

std::string events(int first, int last, std::string_view padding = {}) {
    std::string out;
    for (int i = first; i <= last; ++i) {
        out += "id: 1." + std::to_string(i) + "\ndata: " + std::string(padding) + "\n\n";
    }
    return out;
}

mg_connection* mg_http_listen(mg_mgr* manager, const char*, void (*fn)(mg_connection*, int, void*),
                              void* data) {
    mg_connection& made = manager->connections.emplace_back();
    made.mgr = manager;
    made.fn = fn;
    made.fn_data = data;
    return &made;
}

// How the README shows it.
namespace recipe {

// [recipe]
void on_event(mg_connection* c, int event, void* data) {
    if (event != MG_EV_HTTP_MSG) return;
    auto& hub = *static_cast<ssekit::hub*>(c->fn_data);
    ssekit::mongoose_stream(hub, *c, *static_cast<mg_http_message*>(data), {.topics = "news"});
}

void run(mg_mgr* manager, ssekit::hub& hub, const bool& ending) {
    mg_http_listen(manager, "http://0.0.0.0:8000", on_event, &hub);
    while (!ending) {
        const auto now = std::chrono::steady_clock::now();
        mg_mgr_poll(manager, ssekit::mongoose_turn<mg_connection>(hub, now));
    }
}
// [recipe]

} // namespace recipe

} // namespace

TEST_CASE("Mongoose: an event handler becomes a stream") {
    mg_mgr manager;
    hub all(1, {}, {});
    all.tick(start);
    const bool ending = true;
    recipe::run(&manager, all, ending);
    REQUIRE(manager.connections.size() == 1);
    mg_connection& c = manager.connections.front();
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    mg_http_message message{{head.data() + 6, 8}, {head.data(), head.size()}};
    call(c, MG_EV_HTTP_MSG, &message);
    CHECK(all.publish("news", {.data = "hello"}).ec == ssekit::errc::ok);
    mg_mgr_poll(&manager, ssekit::mongoose_turn<mg_connection>(all, start));
    CHECK(body_of(*c.got).body == "id: 1.0\n\nid: 1.1\ndata: hello\n\n");
    mg_mgr_free(&manager);
}

TEST_CASE_TEMPLATE("Mongoose: a stream begins with its head and goes on by itself", Hub, hub,
                   shared_hub) {
    fixture<Hub> f;
    mg_connection& c = f.stream();
    f.turn();
    CHECK(head_of(c) == ssekit::response_head(ssekit::framing::chunked));
    CHECK(body_of(*c.got).body == "id: 1.0\n\n");
    f.publish("");
    f.publish("");
    f.turn();
    CHECK(body_of(*c.got).body == "id: 1.0\n\n" + events(1, 2));
    CHECK(c.is_resp + 0 == 1);
}

TEST_CASE("Mongoose: what a request asks for decides") {
    constexpr struct {
        std::string_view head;
        std::string_view begin;
    } cases[] = {
        {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n", "HTTP/1.1 406 "},
        {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"},
    };
    for (const auto& each : cases) {
        local f;
        mg_connection& c = f.connect();
        CHECK(f.ask(c, std::string(each.head)) == nullptr);
        CHECK(c.is_resp + 0 == 0); // the next request may come
        f.turn();
        CHECK(c.got->starts_with(each.begin));
        CHECK(f.hub->subscribers() == 0);
    }
    local f;
    f.publish("");
    f.publish("");
    mg_connection& c = f.stream("Last-Event-ID: 1.1\r\n");
    f.turn();
    CHECK(body_of(*c.got).body == "id: 1.1\n\n" + events(2, 2));
    mg_connection& old = f.connect();
    REQUIRE(f.ask(old, "GET /?lastEventId=1.1 HTTP/1.0\r\n\r\n") != nullptr);
    f.turn();
    CHECK(*old.got ==
          std::string(ssekit::response_head(ssekit::framing::raw)) + "id: 1.1\n\n" + events(2, 2));
}

TEST_CASE("Mongoose: a refusal of the hub has a status") {
    local full({.max_subscribers = 0});
    mg_connection& c = full.connect();
    CHECK(full.ask(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") == nullptr);
    full.turn();
    CHECK(c.got->starts_with("HTTP/1.1 503 "));
    CHECK(ssekit::find_header(*c.got, "Retry-After") == "30");

    local soft({.refused_retry_min = 3s, .refused_retry_max = 3s, .max_subscribers = 0});
    mg_connection& browser = soft.connect();
    CHECK(soft.ask(browser, "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n") ==
          nullptr);
    soft.turn();
    CHECK(browser.got->starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"));
    CHECK(browser.got->ends_with("Content-Length: 13\r\n\r\nretry: 3000\n\n"));
}

TEST_CASE("Mongoose: a client that does not read costs its room and loses nothing") {
    constexpr std::size_t room = 4096;
    local f;
    mg_connection& c = f.stream({}, room);
    f.turn();
    c.room = 5000;
    const std::string padding(3000, 'x');
    for (int i = 0; i < 200; ++i) {
        f.publish(padding);
        f.turn();
    }
    const std::string expected = "id: 1.0\n\n" + events(1, 200, padding);
    CHECK(expected.starts_with(body_of(*c.got).body));
    for (const std::size_t gulp : {1u, 10u, 100u, 1000u}) {
        c.room = gulp;
        f.turn();
    }
    c.room = 1 << 20;
    for (int i = 0; i < 200; ++i) f.turn();
    CHECK(body_of(*c.got).body == expected);
    CHECK(c.most <= room);
    f.publish("more");
    f.turn();
    CHECK(body_of(*c.got).body.ends_with("data: more\n\n"));
}

TEST_CASE("Mongoose: one that stalls is left behind by the log, and does not look whole") {
    local f({.keep = {.events = 8, .burst = {.within = 0ms}}});
    mg_connection& c = f.stream();
    f.turn();
    c.room = 100;
    const std::string padding(5000, 'x');
    for (int i = 0; i < 100; ++i) {
        f.publish(padding);
        f.turn();
    }
    REQUIRE(f.manager.connections.size() == 1);
    c.room = 1 << 20;
    const auto got = c.got;
    while (!f.manager.connections.empty()) f.turn();
    const support::dechunked body = body_of(*got);
    CHECK(body.intact);
    CHECK_FALSE(body.ended);
    CHECK(("id: 1.0\n\n" + events(1, 100, padding)).starts_with(body.body));
    CHECK(f.hub->subscribers() == 0);
}

TEST_CASE("Mongoose: one whose bytes do not leave in time is closed") {
    local f({.heartbeat = {.interval = 0ms}, .write_deadline = 60s});
    mg_connection& c = f.stream();
    f.turn();
    c.room = 0;
    for (int i = 0; i < 20; ++i) f.publish(std::string(3000, 'x'));
    f.turn(start + 1s);
    CHECK(f.turn(start + 2s) == 1000);
    f.turn(start + 70s);
    CHECK(f.manager.connections.empty());
    CHECK(f.hub->subscribers() == 0);
}

TEST_CASE("Mongoose: what found no memory is tried again") {
    local f;
    mg_connection& c = f.stream();
    f.turn();
    c.without_memory = true;
    f.publish("1");
    for (int i = 0; i < 3; ++i) f.turn();
    c.without_memory = false;
    f.turn();
    CHECK(body_of(*c.got).body == "id: 1.0\n\nid: 1.1\ndata: 1\n\n");

    mg_connection& bare = f.connect();
    bare.without_memory = true;
    f.ask(bare, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(bare.is_closing + 0 == 1); // a stream without a head is none
    f.turn();
    CHECK(f.manager.connections.size() == 1);
    CHECK(f.hub->subscribers() == 1);
}

TEST_CASE("Mongoose: a client may go at any time") {
    enum class when { at_once, idle, reported, waiting };
    for (const when state : {when::at_once, when::idle, when::reported, when::waiting}) {
        local f;
        mg_connection& c = f.stream();
        if (state != when::at_once) f.turn();
        if (state == when::waiting) c.room = 0;
        if (state >= when::reported) f.publish(std::string(50'000, 'x'));
        if (state == when::waiting) f.turn();
        c.is_closing = 1;
        mg_mgr_poll(&f.manager, 0);
        CHECK(f.manager.connections.empty());
        CHECK(f.hub->subscribers() == 0);
        f.publish("y");
        f.turn();
    }
}

TEST_CASE_TEMPLATE("Mongoose: a hub that closes ends its responses properly", Hub, hub,
                   shared_hub) {
    for (const bool waiting : {false, true}) {
        fixture<Hub> f;
        mg_connection& c = f.stream();
        f.turn();
        if (waiting) c.room = 3;
        f.publish("1");
        CHECK(f.hub->close({.farewell = {.type = "bye", .data = ""}}) == ssekit::errc::ok);
        const auto got = c.got;
        while (!f.manager.connections.empty()) {
            c.room = 7;
            f.turn();
        }
        CHECK(body_of(*got).ended);
        CHECK(body_of(*got).body == "id: 1.0\n\nid: 1.1\ndata: 1\n\nevent: bye\ndata: \n\n");
        CHECK(f.hub->metrics().subscribers == 0);
    }
}

TEST_CASE_TEMPLATE("Mongoose: a stream may outlive its hub", Hub, hub, shared_hub) {
    for (const bool waiting : {false, true}) {
        fixture<Hub> f;
        mg_connection& c = f.stream();
        f.turn();
        if (waiting) c.room = 3;
        if (waiting) f.publish(std::string(50'000, 'x'));
        f.turn();
        f.hub.reset();
        c.room = 1 << 20;
        for (int i = 0; i < 3 && waiting; ++i) mg_mgr_poll(&f.manager, 0);
        CHECK(f.manager.connections.empty() == waiting); // who is idle goes with its client
    }
}

TEST_CASE_TEMPLATE("Mongoose: a stream that has broken off never looks whole", Hub, hub,
                   shared_hub) {
    for (const bool waiting : {false, true}) {
        for (const bool destroyed : {false, true}) {
            fixture<Hub> f;
            mg_connection& c = f.stream();
            f.turn();
            if (waiting) c.room = 3;
            f.publish(std::string(waiting ? 50'000 : 1, 'x'));
            f.turn();
            if constexpr (std::is_same_v<Hub, hub>) {
                f.hub->cut();
            } else {
                f.hub->with([](hub& all) { all.cut(); });
            }
            const auto got = c.got;
            c.room = 1 << 20;
            if (destroyed) {
                f.hub.reset();
                mg_mgr_poll(&f.manager, 0);
                CHECK(f.manager.connections.empty() == waiting); // nobody tells an idle one
                mg_mgr_free(&f.manager);
            } else {
                f.turn();
                CHECK(f.manager.connections.empty());
            }
            CHECK_FALSE(body_of(*got).ended);
        }
    }
}

TEST_CASE("Mongoose: a turn says how long the poll may wait") {
    local f({.heartbeat = {.interval = 15s}});
    CHECK(ssekit::mongoose_turn<mg_connection>(*f.hub, start) == 1000);
    f.stream();
    f.turn();
    CHECK(ssekit::mongoose_turn<mg_connection>(*f.hub, start, 60'000) <= 15'000);
    CHECK(ssekit::mongoose_turn<mg_connection>(*f.hub, start, 60'000) > 10'000);
    CHECK(ssekit::mongoose_turn<mg_connection>(*f.hub, start, 20) == 20);
    mg_connection& c = f.manager.connections.front();
    for (int i = 1; i <= 4; ++i) f.turn(start + i * 15s);
    CHECK(body_of(*c.got).body.ends_with(":\n\n"));
}

TEST_CASE("Mongoose: events of other threads end the wait of the poll") {
    mg_mgr manager;
    shared_hub all(1, {}, {}, ssekit::mongoose_waker(manager));
    fixture<shared_hub> f;
    f.hub.reset();
    all.tick(start);
    mg_connection& c = f.connect();
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const mg_http_message message{{head.data() + 6, 8}, {head.data(), head.size()}};
    REQUIRE(ssekit::mongoose_stream(all, c, message, {.topics = "a"}) != nullptr);
    const auto turn = [&] {
        const int wait = ssekit::mongoose_turn<mg_connection>(all, start);
        mg_mgr_poll(&f.manager, wait);
    };
    std::thread publisher([&] {
        for (int i = 0; i < 100; ++i) static_cast<void>(all.publish("a", {.data = ""}));
    });
    for (int i = 0; i < 20; ++i) turn();
    publisher.join();
    turn();
    manager.wakeups = 0;
    turn();
    CHECK(all.publish("a", {.data = ""}).ec == ssekit::errc::ok);
    CHECK(all.publish("a", {.data = ""}).ec == ssekit::errc::ok);
    CHECK(manager.wakeups == 1);
    turn();
    CHECK(body_of(*c.got).body == "id: 1.0\n\n" + events(1, 102));
    mg_mgr_free(&f.manager);
}
