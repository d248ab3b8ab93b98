// SPDX-License-Identifier: MIT
//
// lwIP itself is not here: this is what its raw TCP does as far as streams see it. Read: lwIP 2.2.1
// and the master behind it, tcp.c, tcp_in.c, tcp_out.c: tcp_write, tcp_output, tcp_close,
// tcp_abort, and the callbacks.
#include <ssekit/adapters/lwip.hpp>

#include "support/client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::hub;
using ssekit::time_point;

namespace {

constexpr time_point start{10h};

using err_t = std::int8_t;
using u8_t = std::uint8_t;
using u16_t = std::uint16_t;
enum : err_t { ERR_OK = 0, ERR_MEM = -1, ERR_CONN = -11, ERR_ABRT = -13, ERR_RST = -14 };

struct pbuf {
    u16_t tot_len = 0;
};

struct tcp_pcb {
    u16_t snd_buf = 4 << 10;

    // What the real one has as well, under names of its own.
    void* arg = nullptr;
    err_t (*sent)(void*, tcp_pcb*, u16_t) = nullptr;
    err_t (*poll)(void*, tcp_pcb*) = nullptr;
    err_t (*recv)(void*, tcp_pcb*, pbuf*, err_t) = nullptr;
    void (*err)(void*, err_t) = nullptr;
    std::string unsent = {};
    std::string unacked = {};
    std::size_t received = 0; // and not yet tcp_recved
    int pbufs = 64;           // that may still be queued

    // What it does not have.
    std::string got = {}; // by the client
    bool closed = false;
    bool aborted = false; // or lost: freed in any case
    int closes_without_memory = 0;

    [[nodiscard]] bool is_usable() const noexcept { return !closed && !aborted; }
};

err_t tcp_write(tcp_pcb* pcb, const void* bytes, u16_t size, u8_t flags) {
    REQUIRE(pcb->is_usable());
    CHECK(flags == 1); // TCP_WRITE_FLAG_COPY
    if (size > pcb->snd_buf || pcb->pbufs == 0) return ERR_MEM;
    pcb->unsent.append(static_cast<const char*>(bytes), size);
    pcb->snd_buf = static_cast<u16_t>(pcb->snd_buf - size);
    --pcb->pbufs;
    return ERR_OK;
}

err_t tcp_output(tcp_pcb* pcb) {
    REQUIRE(pcb->is_usable());
    pcb->unacked += pcb->unsent;
    pcb->unsent.clear();
    return ERR_OK;
}

void tcp_arg(tcp_pcb* pcb, void* arg) {
    pcb->arg = arg;
}
void tcp_sent(tcp_pcb* pcb, err_t (*call)(void*, tcp_pcb*, u16_t)) {
    pcb->sent = call;
}
void tcp_poll(tcp_pcb* pcb, err_t (*call)(void*, tcp_pcb*), u8_t) {
    pcb->poll = call;
}
void tcp_recv(tcp_pcb* pcb, err_t (*call)(void*, tcp_pcb*, pbuf*, err_t)) {
    pcb->recv = call;
}
void tcp_err(tcp_pcb* pcb, void (*call)(void*, err_t)) {
    pcb->err = call;
}

void tcp_recved(tcp_pcb* pcb, u16_t size) {
    pcb->received -= size;
}
u8_t pbuf_free(pbuf* data) {
    data->tot_len = 0;
    return 1;
}

err_t tcp_close(tcp_pcb* pcb) {
    REQUIRE(pcb->is_usable());
    if (pcb->closes_without_memory > 0) {
        --pcb->closes_without_memory;
        return ERR_MEM;
    }
    pcb->unacked += pcb->unsent; // which leaves before the FIN
    pcb->unsent.clear();
    pcb->closed = true;
    return ERR_OK;
}

void tcp_abort(tcp_pcb* pcb) {
    REQUIRE(pcb->is_usable());
    pcb->aborted = true;
    if (pcb->err != nullptr) pcb->err(pcb->arg, ERR_ABRT);
}

// What a callback returns says whether there is still a pcb.
void returned(const tcp_pcb& pcb, err_t result) {
    CHECK(result == (pcb.aborted ? ERR_ABRT : ERR_OK));
}

/// The client acknowledges: all, or the first bytes.
void acknowledge(tcp_pcb& pcb, std::size_t size = 1 << 20) {
    size = std::min(size, pcb.unacked.size());
    pcb.got.append(pcb.unacked, 0, size);
    pcb.unacked.erase(0, size);
    if (pcb.aborted || size == 0) return;
    pcb.snd_buf = static_cast<u16_t>(pcb.snd_buf + size);
    pcb.pbufs = 64;
    if (pcb.sent != nullptr) returned(pcb, pcb.sent(pcb.arg, &pcb, static_cast<u16_t>(size)));
}

void slow_timer(tcp_pcb& pcb) {
    if (pcb.is_usable() && pcb.poll != nullptr) returned(pcb, pcb.poll(pcb.arg, &pcb));
}

/// The client says something, or has ended its side.
void receive(tcp_pcb& pcb, pbuf* data) {
    if (data != nullptr) pcb.received += data->tot_len;
    returned(pcb, pcb.recv(pcb.arg, &pcb, data, ERR_OK));
}

/// A reset, or too many retransmissions.
void lose(tcp_pcb& pcb) {
    pcb.aborted = true;
    if (pcb.err != nullptr) pcb.err(pcb.arg, ERR_RST);
}

using stream = ssekit::lwip_stream<tcp_pcb>;

// How the README shows it.
namespace recipe {

std::uint64_t boots() {
    static std::uint64_t in_flash = 0;
    return ++in_flash;
}
ssekit::time_point now() {
    return start;
}

// [recipe]
ssekit::hub hub(boots(), now()); // the epoch: a counter in flash, one more at each start
std::array<ssekit::lwip_stream<tcp_pcb>, 4> streams; // go before their hub

bool answer(tcp_pcb* connection) { // whose request has been read
    const auto free = std::ranges::find(streams, false, &stream::is_open);
    if (free == streams.end()) return false;
    if (free->begin(hub, connection, {.topics = "news"}) != ssekit::errc::ok) return false;
    free->send();
    return true;
}
void turn(ssekit::time_point now) { // in the main loop, beside sys_check_timeouts
    hub.tick(now);
    while (void* const ready = hub.next_ready()) static_cast<stream*>(ready)->send();
}
// [recipe]

} // namespace recipe

struct fixture {
    explicit fixture(const ssekit::hub_options& options = {})
        : all(std::in_place, 1, ssekit::time_point(), options) {
        all->tick(start);
    }
    tcp_pcb& connect(ssekit::subscribe_options options = {.topics = "a"}) {
        tcp_pcb& pcb = pcbs.emplace_back();
        REQUIRE(one.begin(*all, &pcb, options) == errc::ok);
        one.send();
        return pcb;
    }
    void turn(time_point now = start) {
        all->tick(now);
        while (void* const ready = all->next_ready()) static_cast<stream*>(ready)->send();
    }
    void publish(std::string_view data) { CHECK(all->publish("a", {.data = data}).ec == errc::ok); }

    std::list<tcp_pcb> pcbs = {};
    std::optional<hub> all;
    stream one = {};
};

support::dechunked body_of(const tcp_pcb& pcb) {
    return support::dechunk(std::string_view(pcb.got).substr(pcb.got.find("\r\n\r\n") + 4));
}

std::string events(int first, int last, std::string_view padding = {}) {
    std::string out;
    for (int i = first; i <= last; ++i) {
        out += "id: 1." + std::to_string(i) + "\ndata: " + std::string(padding) + "\n\n";
    }
    return out;
}

} // namespace

TEST_CASE("lwIP: a device serves as many clients as it has streams") {
    std::list<tcp_pcb> pcbs(6);
    recipe::turn(start);
    auto next = pcbs.begin();
    for (int i = 0; i < 4; ++i) CHECK(recipe::answer(&*next++));
    CHECK_FALSE(recipe::answer(&*next));
    CHECK(next->is_usable());
    CHECK(next->arg == nullptr);
    CHECK(recipe::hub.publish("news", {.data = "hello"}).ec == errc::ok);
    recipe::turn(start);
    for (tcp_pcb& each : pcbs) acknowledge(each);
    CHECK(body_of(pcbs.front()).body == "id: 1.0\n\nid: 1.1\ndata: hello\n\n");
    receive(pcbs.front(), nullptr);
    CHECK(recipe::answer(&*++next)); // the place of the first
    for (tcp_pcb& each : pcbs) {
        if (each.is_usable() && each.arg != nullptr) lose(each);
    }
    CHECK(recipe::hub.subscribers() == 0);
}

TEST_CASE("lwIP: a stream begins with its head and goes on by itself") {
    fixture f;
    tcp_pcb& c = f.connect();
    CHECK(f.one.is_open());
    acknowledge(c);
    CHECK(c.got.starts_with(ssekit::response_head(ssekit::framing::chunked)));
    CHECK(body_of(c).body == "id: 1.0\n\n");
    f.publish("");
    f.turn();
    acknowledge(c);
    CHECK(body_of(c).body == "id: 1.0\n\n" + events(1, 1));
}

TEST_CASE("lwIP: a stream resumes behind the id that it is given") {
    fixture f;
    for (int i = 0; i < 3; ++i) f.publish("");
    tcp_pcb& c = f.connect({.topics = "a", .last_event_id = "1.1"});
    acknowledge(c);
    CHECK(body_of(c).body == "id: 1.1\n\n" + events(2, 3));
}

TEST_CASE("lwIP: a refusal leaves the connection as it was") {
    fixture full({.max_subscribers = 0});
    tcp_pcb untouched;
    CHECK(full.one.begin(*full.all, &untouched, {.topics = "a"}) == errc::too_many_subscribers);
    CHECK_FALSE(full.one.is_open());
    CHECK(untouched.unsent.empty());
    CHECK(untouched.arg == nullptr);

    fixture f;
    untouched.snd_buf = 10; // no room for the head
    CHECK(f.one.begin(*f.all, &untouched, {.topics = "a"}) == errc::out_of_memory);
    CHECK_FALSE(f.one.is_open());
    CHECK(f.all->subscribers() == 0);
    CHECK(untouched.arg == nullptr);
}

TEST_CASE("lwIP: a client that does not read costs its send buffer and loses nothing") {
    fixture f;
    tcp_pcb& c = f.connect();
    const std::string padding(3000, 'x');
    for (int i = 0; i < 50; ++i) {
        f.publish(padding);
        f.turn();
    }
    CHECK(c.snd_buf == 0);
    const std::string expected = "id: 1.0\n\n" + events(1, 50, padding);
    for (const std::size_t gulp : {1u, 10u, 100u, 1000u}) acknowledge(c, gulp);
    CHECK(expected.starts_with(body_of(c).body));
    for (int i = 0; i < 200; ++i) acknowledge(c, 1460);
    CHECK(body_of(c).body == expected);
    f.publish("more");
    f.turn();
    acknowledge(c);
    CHECK(body_of(c).body.ends_with("data: more\n\n"));
}

TEST_CASE("lwIP: what found no pbuf is tried again by the poll") {
    fixture f;
    tcp_pcb& c = f.connect();
    acknowledge(c);
    c.pbufs = 1;
    f.publish(std::string(200, 'x'));
    f.turn();
    c.pbufs = 0;
    f.publish("");
    f.turn();
    CHECK(c.unsent.empty());
    slow_timer(c);
    c.pbufs = 64;
    slow_timer(c);
    acknowledge(c);
    CHECK(body_of(c).body == "id: 1.0\n\n" + events(1, 1, std::string(200, 'x')) + events(2, 2));
}

TEST_CASE("lwIP: one that stalls is left behind by the log, and does not look whole") {
    fixture f({.keep = {.events = 8, .burst = {.within = 0ms}}});
    tcp_pcb& c = f.connect();
    const std::string padding(3000, 'x');
    for (int i = 0; i < 40; ++i) {
        f.publish(padding);
        f.turn();
    }
    CHECK(f.one.is_open());
    for (int i = 0; i < 40; ++i) acknowledge(c, 1460);
    CHECK_FALSE(f.one.is_open());
    CHECK(c.aborted);
    CHECK_FALSE(c.closed);
    const support::dechunked body = body_of(c);
    CHECK(body.intact);
    CHECK_FALSE(body.ended);
    CHECK(("id: 1.0\n\n" + events(1, 40, padding)).starts_with(body.body));
    CHECK(f.all->subscribers() == 0);
}

TEST_CASE("lwIP: one whose bytes do not leave in time is dropped") {
    fixture f({.heartbeat = {.interval = 0ms}, .write_deadline = 60s});
    tcp_pcb& c = f.connect();
    for (int i = 0; i < 5; ++i) f.publish(std::string(3000, 'x'));
    f.turn(start + 1s);
    slow_timer(c);
    CHECK(f.one.is_open());
    f.turn(start + 70s);
    CHECK(c.aborted);
    CHECK_FALSE(f.one.is_open());
    CHECK(f.all->subscribers() == 0);
}

TEST_CASE("lwIP: the client may go at any time") {
    enum class when { at_once, idle, reported, waiting };
    for (const when state : {when::at_once, when::idle, when::reported, when::waiting}) {
        for (const bool orderly : {false, true}) {
            fixture f;
            tcp_pcb& c = f.connect();
            if (state != when::at_once) acknowledge(c);
            if (state >= when::reported) f.publish(std::string(10'000, 'x'));
            if (state == when::waiting) f.turn();
            if (orderly) {
                receive(c, nullptr);
            } else {
                lose(c);
            }
            CHECK(c.aborted);
            CHECK_FALSE(f.one.is_open());
            CHECK(f.all->subscribers() == 0);
            f.publish("y");
            f.turn();
            f.one.send(); // has no client, so does nothing
        }
    }
}

TEST_CASE("lwIP: what a client says during its stream is taken and forgotten") {
    fixture f;
    tcp_pcb& c = f.connect();
    pbuf said{100};
    receive(c, &said);
    CHECK(said.tot_len == 0);
    CHECK(c.received == 0);
    CHECK(f.one.is_open());
}

TEST_CASE("lwIP: a hub that closes ends its responses properly") {
    for (const bool waiting : {false, true}) {
        for (const int closes_without_memory : {0, 2}) {
            fixture f;
            tcp_pcb& c = f.connect();
            acknowledge(c);
            const std::string padding(waiting ? 6000 : 1, 'x');
            f.publish(padding);
            f.turn();
            c.closes_without_memory = closes_without_memory;
            CHECK(f.all->close({.farewell = {.type = "bye", .data = ""}}) == ssekit::errc::ok);
            f.turn();
            for (int i = 0; i < 10; ++i) acknowledge(c);
            for (int i = 0; i < closes_without_memory; ++i) slow_timer(c);
            CHECK(c.closed);
            CHECK(c.arg == nullptr); // its stream may serve another
            CHECK_FALSE(f.one.is_open());
            acknowledge(c);
            CHECK(body_of(c).ended);
            CHECK(body_of(c).body ==
                  "id: 1.0\n\n" + events(1, 1, padding) + "event: bye\ndata: \n\n");
            CHECK(f.all->subscribers() == 0);
        }
    }
}

TEST_CASE("lwIP: a hub that is destroyed ends its streams") {
    fixture f;
    tcp_pcb& c = f.connect();
    acknowledge(c);
    f.all.reset();
    slow_timer(c);
    CHECK(c.aborted); // a reset, so that it does not look whole
    CHECK_FALSE(c.closed);
    CHECK_FALSE(body_of(c).ended);
    CHECK_FALSE(f.one.is_open());
}

TEST_CASE("lwIP: a stream that has broken off is reset, and never looks whole") {
    for (const bool waiting : {false, true}) {
        fixture f;
        tcp_pcb& c = f.connect();
        acknowledge(c);
        f.publish(std::string(waiting ? 10'000 : 1, 'x'));
        f.turn();
        f.all->cut();
        f.turn();
        CHECK(c.aborted);
        CHECK_FALSE(c.closed);
        CHECK_FALSE(body_of(c).ended);
        CHECK_FALSE(f.one.is_open());
    }
}

TEST_CASE("lwIP: a stream that is destroyed drops its connection") {
    tcp_pcb pcb;
    hub all(1, {}, {});
    {
        stream one;
        REQUIRE(one.begin(all, &pcb, {.topics = "a"}) == errc::ok);
        one.send();
    }
    CHECK(pcb.aborted);
    CHECK(pcb.arg == nullptr);
    CHECK(all.subscribers() == 0);
}

TEST_CASE("lwIP: heartbeats fill the silence") {
    fixture f({.heartbeat = {.interval = 15s}});
    tcp_pcb& c = f.connect();
    for (int i = 1; i <= 4; ++i) {
        f.turn(start + i * 15s);
        acknowledge(c);
    }
    CHECK(body_of(c).body.ends_with(":\n\n"));
}
