// SPDX-License-Identifier: MIT
//
// How an owner learns that a subscriber has something to send: the ready list and the waker.
#include <ssekit/hub.hpp>

#include "support/allocations.hpp"
#include "support/bell.hpp"
#include "support/client.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::time_point;
using support::bell;
using support::client;
using support::say;
using support::texts;
using support::to;

namespace {

/// Everybody that is ready, in order; users are pointers to char.
std::string all_ready(hub& server) {
    std::string out;
    while (void* const user = server.next_ready()) out += *static_cast<char*>(user);
    return out;
}

} // namespace

TEST_CASE("next_ready reports each subscriber with something to send once until it is idle") {
    hub server(1, {}, {});
    char names[] = "xyz";
    client x(server, to({"a"}, {.user = &names[0]}));
    client y(server, to({"a", "b", "c"}, {.user = &names[1]}));
    client z(server, to({"b"}, {.user = &names[2]}));
    CHECK(all_ready(server).empty()); // new ones are drained unasked
    for (client* each : {&x, &y, &z}) each->drain();
    CHECK(all_ready(server).empty());

    say(server, "a", "1");
    CHECK(all_ready(server) == "xy");
    CHECK(all_ready(server).empty());
    say(server, "a", "2");
    say(server, "b", "3");
    say(server, "c", "4");
    CHECK(all_ready(server) == "z"); // the others have not been idle since
    for (client* each : {&x, &y, &z}) CHECK(each->drain() == drain_status::idle);
    CHECK(y.events() == texts{"1", "2", "3", "4"});

    say(server, "c", "5");
    say(server, "b", "6");
    say(server, "a", "7");
    CHECK(all_ready(server) == "yzx");
}

TEST_CASE("a subscriber that is drained before it was reported is not reported") {
    hub server(1, {}, {});
    char name = 'x';
    client reader(server, to({"a", "b"}, {.user = &name}));
    reader.drain();
    say(server, "a", "1");
    say(server, "b", "2");
    reader.drain();
    CHECK(server.next_ready() == nullptr);
    say(server, "b", "3");
    CHECK(all_ready(server) == "x");
}

TEST_CASE("a subscriber that is new is not reported before it was drained") {
    hub server(1, {}, {});
    char name = 'x';
    client reader(server, to({"a"}, {.user = &name}));
    say(server, "a", "1");
    CHECK(server.close() == ssekit::errc::ok);
    CHECK(server.next_ready() == nullptr);
}

TEST_CASE("subscribers without a user are passed over") {
    hub server(1, {}, {});
    char name = 'x';
    client silent(server, to({"a"}));
    client reader(server, to({"a"}, {.user = &name}));
    client other(server, to({"a"}));
    for (client* each : {&silent, &reader, &other}) each->drain();
    say(server, "a", "1");
    CHECK(all_ready(server) == "x");
    silent.drain();
    CHECK(silent.events() == texts{"1"});
}

TEST_CASE("reschedule reports again in the next turn") {
    hub server(1, {}, {});
    server.tick(ssekit::time_point(1h));
    char names[] = "xyz";
    std::list<client> clients;
    for (char& name : names) {
        if (name != '\0') clients.emplace_back(server, to({"a", "b"}, {.user = &name}));
    }
    for (client& each : clients) each.drain();
    for (int i = 0; i < 10; ++i) say(server, i % 2 == 0 ? "a" : "b", std::to_string(i));
    CHECK(server.next_ready() == &names[0]);
    client& x = clients.front();
    x.socket.afterwards.bytes = 20;
    CHECK(x.drain(1) == drain_status::budget_spent);
    x.stream.reschedule();
    x.stream.reschedule();                                   // safe to repeat
    CHECK(server.next_deadline() == ssekit::time_point(1h)); // at once
    CHECK(all_ready(server) == "yz");
    server.tick(server.next_deadline());
    CHECK(all_ready(server) == "x");
    CHECK(server.next_deadline() > ssekit::time_point(1h));
    CHECK(all_ready(server).empty());
    x.drain();
    CHECK(x.events().size() == 10);
    x.stream.reschedule();
    server.tick(ssekit::time_point(1h));
    CHECK(all_ready(server) == "x");
    CHECK(x.drain() == drain_status::idle);
}

TEST_CASE("a loop with a budget gives everybody everything in turns") {
    hub server(1, {}, {.heartbeat = {.interval = 0s}});
    std::array<char, 8> names{};
    std::vector<std::unique_ptr<client>> clients;
    for (char& name : names) {
        clients.push_back(std::make_unique<client>(server, to({"a"}, {.user = &name})));
        clients.back()->socket.afterwards.bytes = 7;
        clients.back()->drain();
    }
    texts all;
    for (int i = 0; i < 20; ++i) {
        all.push_back(std::to_string(i));
        say(server, "a", all.back());
    }
    CHECK(server.close({.farewell = {.data = "bye"}}) == ssekit::errc::ok);
    all.push_back("bye");
    std::size_t done = 0;
    std::size_t turns = 0;
    for (; done != clients.size(); ++turns) {
        REQUIRE(turns < 1000);
        server.tick({});
        for (void* user = server.next_ready(); user != nullptr; user = server.next_ready()) {
            const auto which = static_cast<std::size_t>(static_cast<char*>(user) - names.data());
            client& each = *clients[which];
            const drain_status status = each.drain(20);
            if (status == drain_status::budget_spent) each.stream.reschedule();
            if (status == drain_status::done) ++done;
        }
    }
    CHECK(turns > 12);
    for (const auto& each : clients) CHECK(each->events() == all);
}

TEST_CASE("a waker fires once for each time that its subscriber goes from idle to not idle") {
    hub server(1, {}, {});
    bell rings;
    client reader(server, to({"a", "b"}), rings.waker());
    CHECK(rings.take() == 0); // not inside subscribe
    say(server, "a", "0");
    CHECK(rings.take() == 0); // it has not been idle yet
    reader.drain();
    CHECK(rings.take() == 0);

    say(server, "other", "x");
    CHECK(rings.take() == 0);
    say(server, "a", "1");
    CHECK(rings.take() == 1);
    say(server, "a", "2");
    say(server, "b", "3");
    CHECK(rings.take() == 0);
    CHECK(reader.drain_bytes(5) == drain_status::would_block);
    say(server, "b", "4");
    CHECK(rings.take() == 0); // not idle yet
    CHECK(reader.drain() == drain_status::idle);
    CHECK(rings.take() == 0);
    say(server, "b", "5");
    CHECK(rings.take() == 1);
    CHECK(server.next_ready() == nullptr); // who has a waker is not in the list
    reader.drain();
    CHECK(reader.events() == texts{"0", "1", "2", "3", "4", "5"});
}

TEST_CASE("a waker fires inside publish and before it returns") {
    hub server(1, {}, {});
    struct listener {
        bool inside = false;
        bool rang_inside = false;
        static void ring(void* self) noexcept {
            auto& me = *static_cast<listener*>(self);
            me.rang_inside = me.inside;
        }
    } listener;
    client reader(server, to({"a"}), {&listener::ring, &listener});
    reader.drain();
    listener.inside = true;
    say(server, "a", "1");
    listener.inside = false;
    CHECK(listener.rang_inside);
}

TEST_CASE("a refused publish wakes nobody") {
    hub server(1, {}, {});
    bell rings;
    char name = 'x';
    client woken(server, to({"a"}), rings.waker());
    client listed(server, to({"a"}, {.user = &name}));
    woken.drain();
    listed.drain();
    static_cast<void>(server.publish("a", {.type = "\n", .data = "x"}));
    static_cast<void>(server.publish("a", {}));
    CHECK(rings.take() == 0);
    CHECK(server.next_ready() == nullptr);
}

TEST_CASE("a subscriber that has left is not woken") {
    hub server(1, {}, {});
    bell rings;
    {
        client reader(server, to({"a", "b"}), rings.waker());
        reader.drain();
    }
    say(server, "a", "1");
    server.tick(time_point(1h));
    CHECK(server.close() == ssekit::errc::ok);
    CHECK(rings.take() == 0);
}

TEST_CASE("close wakes each idle subscriber once and no other") {
    hub server(1, {}, {});
    bell idle_bell, busy_bell, new_bell;
    char names[] = "ib";
    client idle(server, to({"a", "b"}), idle_bell.waker());
    client busy(server, to({"a"}), busy_bell.waker());
    client fresh(server, to({"a"}), new_bell.waker());
    client idle_user(server, to({"b", "a"}, {.user = &names[0]}));
    client busy_user(server, to({"a"}, {.user = &names[1]}));
    for (client* each : {&idle, &busy, &idle_user, &busy_user}) each->drain();
    say(server, "a", "1");
    CHECK(busy_bell.take() == 1);
    CHECK(all_ready(server) == "ib");
    idle.drain();
    idle_user.drain();
    busy.drain_bytes(3);
    busy_user.drain_bytes(3);
    idle_bell.take();

    CHECK(server.close() == ssekit::errc::ok);
    CHECK(idle_bell.take() == 1);
    CHECK(busy_bell.take() == 0);
    CHECK(new_bell.take() == 0);
    CHECK(all_ready(server) == "i");
    CHECK(server.close() == ssekit::errc::ok);
    CHECK(idle_bell.take() == 0);
    CHECK(all_ready(server).empty());
    for (client* each : {&idle, &busy, &fresh, &idle_user, &busy_user}) {
        CHECK(each->drain() == drain_status::done);
    }
}

TEST_CASE("reschedule fires the waker of a stream that is not done when the next turn begins") {
    hub server(1, {}, {});
    bell rings;
    client reader(server, to({"a"}), rings.waker());
    reader.drain();
    say(server, "a", "1");
    CHECK(rings.take() == 1);
    reader.stream.reschedule();
    reader.stream.reschedule();
    CHECK(rings.take() == 0);
    CHECK(server.next_deadline() == ssekit::time_point());
    server.tick({}); // the time has not moved, but it is another turn
    CHECK(rings.take() == 1);
    server.tick({});
    CHECK(rings.take() == 0);
    reader.drain();
    CHECK(server.close() == ssekit::errc::ok);
    CHECK(rings.take() == 1);
    reader.drain();
    reader.stream.reschedule();
    CHECK(rings.take() == 0);
}

TEST_CASE("a stream that has ended is rescheduled as long as bytes have to leave") {
    hub server(1, {}, {});
    bell rings;
    char name = 'x';
    client listed(server, to({"a"}, {.framing = ssekit::framing::chunked, .user = &name}));
    client woken(server, to({"a"}), rings.waker());
    for (client* each : {&listed, &woken}) each->drain();
    CHECK(server.close({.farewell = {.data = "bye"}}) == ssekit::errc::ok);
    CHECK(all_ready(server) == "x");
    rings.take();
    for (client* each : {&listed, &woken}) {
        each->socket.afterwards.bytes = 2;
        CHECK(each->drain(1) == drain_status::budget_spent);
        each->stream.reschedule();
    }
    server.tick({});
    CHECK(all_ready(server) == "x");
    CHECK(rings.take() == 1);
    for (client* each : {&listed, &woken}) {
        CHECK(each->drain() == drain_status::done);
        each->stream.reschedule();
        CHECK(each->events() == texts{"bye"});
    }
    CHECK(server.next_ready() == nullptr);
    CHECK(rings.take() == 0);
}

TEST_CASE(
    "publish moves all idle subscribers at once and they are reported in the order of idling") {
    hub server(1, {}, {});
    std::vector<int> numbers(1000);
    std::list<client> clients;
    for (int& number : numbers) {
        clients.emplace_back(server, to({"a"}, {.user = &number}));
        clients.back().drain();
    }
    for (int round = 0; round < 3; ++round) {
        say(server, "a", "x");
        std::vector<void*> reported;
        while (void* const user = server.next_ready()) reported.push_back(user);
        REQUIRE(reported.size() == numbers.size());
        for (std::size_t i = 0; i < numbers.size(); ++i) REQUIRE(reported[i] == &numbers[i]);
        for (client& each : clients) each.drain();
    }
}

TEST_CASE("a stream with neither waker nor user is asked unreported and is never ready") {
    hub server(1, {}, {.heartbeat = {.interval = 1s}});
    client reader(server, to({"a", "b"}));
    client never_drained(server, to({"a"}));
    CHECK_FALSE(server.has_ready());
    reader.drain();
    say(server, "a", "1");
    CHECK_FALSE(server.has_ready());
    reader.stream.reschedule();
    server.tick(ssekit::time_point(2s));
    CHECK(reader.stream.send({.data = "2"}) == ssekit::errc::ok);
    CHECK_FALSE(server.has_ready());
    CHECK(server.evict(never_drained.stream.id()));
    CHECK(server.close() == ssekit::errc::ok);
    CHECK_FALSE(server.has_ready());
    CHECK(server.next_ready() == nullptr);
    CHECK(reader.drain() == drain_status::done);
    CHECK(reader.events() == texts{"1", "2"});
}

TEST_CASE("a wake-up allocates nothing, however many are woken") {
    if (!support::counts_allocations) return;
    hub server(1, {}, {});
    bell rings;
    char user = 'x';
    std::list<client> clients;
    for (int i = 0; i < 1000; ++i) {
        clients.emplace_back(server, to({"a"}, {.user = i % 2 == 0 ? &user : nullptr}),
                             i % 2 == 0 ? ssekit::waker() : rings.waker());
        clients.back().drain();
    }
    say(server, "a", "1"); // the log has its memory
    for (client& each : clients) each.drain();
    const support::allocation_watch watch;
    CHECK(server.publish("a", {.data = "2"}).ec == ssekit::errc::ok);
    CHECK(watch.allocations() == 1); // the event
    CHECK(rings.take() == 1000);     // of both
    CHECK(server.has_ready());
}
