// SPDX-License-Identifier: MIT
//
// Streams as an operator sees them: who is there, how far behind, and out with one of them.
#include <ssekit/hub.hpp>

#include "support/bell.hpp"
#include "support/client.hpp"
#include "support/times.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using ssekit::drain_status;
using ssekit::errc;
using ssekit::framing;
using ssekit::hub;
using ssekit::hub_options;
using ssekit::stream_end;
using ssekit::subscriber_info;
using ssekit::time_point;
using support::bell;
using support::client;
using support::exactly;
using support::morning;
using support::say;
using support::texts;
using support::to;
using support::untimed;

namespace {

constexpr auto rounding = 17ms;

std::multiset<std::uint64_t> ids(const hub& server) {
    std::multiset<std::uint64_t> out;
    server.for_each_subscriber([&](const subscriber_info& info) { out.insert(info.id); });
    return out;
}
std::multiset<std::uint64_t> ids_with_tag(const hub& server, std::string_view tag) {
    std::multiset<std::uint64_t> out;
    server.for_each_subscriber_with_tag(tag, [&](const subscriber_info& info) {
        CHECK(info.tag == tag);
        out.insert(info.id);
    });
    return out;
}
bool is_about(time_point a, time_point b) {
    return a > b - rounding && a < b + rounding;
}

} // namespace

TEST_CASE("every stream is shown once however many topics it has") {
    hub server(1, {}, {});
    CHECK(ids(server).empty());
    client a(server, to({"a"}));
    client abc(server, to({"a", "b", "c"}, {.tag = "t"}));
    client t(server, to({"b"}, {.tag = "t"}));
    client u(server, to({"a"}, {.tag = "u"}));
    CHECK(ids(server) ==
          std::multiset{a.stream.id(), abc.stream.id(), t.stream.id(), u.stream.id()});
    CHECK(ids_with_tag(server, "t") == std::multiset{abc.stream.id(), t.stream.id()});
    CHECK(ids_with_tag(server, "u") == std::multiset{u.stream.id()});
    CHECK(ids_with_tag(server, "v").empty());
    CHECK(ids_with_tag(server, "a").empty());
    CHECK(server.subscribers_with_tag("t") == 2);
    abc.stream = {};
    CHECK(ids_with_tag(server, "t") == std::multiset{t.stream.id()});
    CHECK(ids(server).size() == 3);
    CHECK(server.subscribers() == 3);
    CHECK(server.subscribers("a") == 2);
}

TEST_CASE("an id is found as long as its stream lives and never given twice") {
    hub server(1, {}, untimed);
    std::set<std::uint64_t> given;
    std::list<client> alive;
    std::vector<std::uint64_t> gone;
    for (int i = 0; i < 500; ++i) {
        alive.emplace_back(server, i % 3 == 0 ? to({"a", "b"}) : to({"a"}));
        const std::uint64_t id = alive.back().stream.id();
        CHECK(id != 0);
        CHECK(given.insert(id).second);
        if (i % 4 == 3) continue;
        client& leaves = i % 2 == 0 ? alive.front() : alive.back(); // places are used again
        gone.push_back(leaves.stream.id());
        leaves.stream = {};
        alive.remove_if([](const client& each) { return !each.stream; });
    }
    for (const client& each : alive) {
        const auto found = server.find_subscriber(each.stream.id());
        REQUIRE(found);
        CHECK(found->id == each.stream.id());
    }
    for (const std::uint64_t id : gone) CHECK_FALSE(server.find_subscriber(id));
    CHECK(ids(server).size() == alive.size());
}

TEST_CASE("ids that were never given find nobody and evict nobody") {
    hub server(1, {}, {});
    client one(server, to({"a", "b"}, {.tag = "t"}));
    const std::uint64_t id = one.stream.id();
    const std::uint64_t serial = id >> 32 << 32;
    for (const std::uint64_t other :
         {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, id + 1, id + 2, id - 1,
          id + (std::uint64_t{1} << 32), id & 0xffffffff, serial, serial | 0xffffffff,
          (id & 0xffffffff) << 32 | 2, (id & 0xffffffff) << 32 | 3}) {
        CAPTURE(other);
        if (other == id) continue;
        CHECK_FALSE(server.find_subscriber(other));
        CHECK_FALSE(server.evict(other));
    }
    CHECK(one.drain() == drain_status::idle);
    CHECK(server.metrics().evicted == 0);
    CHECK(ssekit::subscription().id() == 0);
}

TEST_CASE("what is shown of a stream is so") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, {}, untimed);
        server.tick(morning);
        int user = 0;
        client reader(server, to({"first", "b"}, {.tag = "t", .framing = form, .user = &user}));
        const auto shown = [&] { return *server.find_subscriber(reader.stream.id()); };
        CHECK(shown().id == reader.stream.id());
        CHECK(shown().user == &user);
        CHECK(shown().topic == "first");
        CHECK(shown().tag == "t");
        CHECK(is_about(shown().connected_at, morning));
        CHECK(shown().bytes == 0);
        CHECK(shown().events == 0);
        CHECK(shown().lag_events == 0);
        CHECK(shown().end == stream_end::open);

        server.tick(morning + 1min);
        reader.drain();
        CHECK(shown().bytes == reader.socket.got.size());
        CHECK(is_about(shown().last_progress, morning + 1min));
        CHECK(is_about(shown().last_write, morning + 1min));

        server.tick(morning + 2min);
        say(server, "first", "1");
        say(server, "b", "2");
        CHECK(server.publish_to_tag("t", {.data = "3"}).ec == errc::ok);
        say(server, "other", "4");
        CHECK(shown().lag_events == 3);
        CHECK(shown().lag_bytes == 3 * std::string_view("id: 1.1\ndata: 1\n\n").size());
        CHECK(is_about(shown().last_progress, morning + 1min));
        reader.drain_bytes(5);
        CHECK(shown().events == 3); // given out, all in one go
        CHECK(shown().lag_events == 0);
        CHECK(shown().lag_bytes == 0);
        CHECK(shown().bytes == reader.socket.got.size());
        CHECK(is_about(shown().last_progress, morning + 2min));

        server.tick(morning + 3min);
        CHECK(is_about(shown().last_progress, morning + 2min));
        CHECK(is_about(shown().connected_at, morning));
        reader.drain();
        CHECK(shown().bytes == reader.socket.got.size());
        CHECK(is_about(shown().last_progress, morning + 3min));
        CHECK(reader.events() == texts{"1", "2", "3"});
    }
}

TEST_CASE("bytes that were given out and did not leave are a write without progress") {
    hub server(1, {}, untimed);
    server.tick(morning);
    client reader(server, to({"a"}));
    reader.drain();
    server.tick(morning + 1min);
    say(server, "a", "1");
    reader.drain_bytes(0);
    server.tick(morning + 2min);
    const auto shown = *server.find_subscriber(reader.stream.id());
    CHECK(is_about(shown.last_write, morning + 1min));
    CHECK(is_about(shown.last_progress, morning));
    CHECK(shown.tag.empty());
    CHECK(shown.user == nullptr);
}

TEST_CASE("what the log has lost is still behind") {
    hub server(1, {}, {.keep = exactly(2)});
    client reader(server, to({"a"}));
    for (int i = 1; i <= 5; ++i) say(server, "a", std::to_string(i));
    const auto shown = *server.find_subscriber(reader.stream.id());
    CHECK(shown.lag_events == 5);
    CHECK(shown.lag_bytes == 2 * std::string_view("id: 1.1\ndata: 1\n\n").size());
}

TEST_CASE("an evicted stream gets what was given out and no more") {
    for (const framing form : {framing::raw, framing::chunked}) {
        hub server(1, {}, untimed);
        client reader(server, to({"a"}, {.framing = form}));
        say(server, "a", "in hand");
        CHECK(reader.drain_bytes(15) == drain_status::would_block);
        say(server, "a", "never");
        const std::uint64_t id = reader.stream.id();
        CHECK(server.evict(id));
        CHECK_FALSE(server.evict(id));
        CHECK(reader.stream.end() == stream_end::evicted);
        CHECK_FALSE(reader.stream.is_done());
        CHECK(server.find_subscriber(id)->end == stream_end::evicted);
        CHECK(server.subscribers() == 0); // its places are free
        CHECK(server.subscriptions() == 1);
        CHECK(server.find_subscriber(id)->topic.empty());
        CHECK(reader.drain() == drain_status::done);
        CHECK(reader.events() == texts{"in hand"});
        CHECK(reader.seen().errors.empty());
        if (form == framing::chunked) CHECK(support::dechunk(reader.socket.got).ended);
        CHECK(reader.stream.send({.data = "x"}) == errc::closed);
        CHECK(reader.stream.add_topics("b") == errc::closed);
        reader.stream = {};
        CHECK_FALSE(server.evict(id));
        CHECK(server.metrics().evicted == 1);
    }
}

TEST_CASE("an eviction is reported once whatever the stream was doing") {
    enum { idle, published, beaten, sent, rescheduled, in_hand, last };
    for (int doing = idle; doing != last; ++doing) {
        CAPTURE(doing);
        for (const bool wakes : {false, true}) {
            CAPTURE(wakes);
            hub server(1, {}, {.heartbeat = {.interval = 15s}});
            server.tick(morning);
            bell rings;
            char user = 'x';
            client reader(
                server,
                to({"a", "b"}, {.framing = framing::chunked, .user = wakes ? nullptr : &user}),
                wakes ? rings.waker() : ssekit::waker());
            reader.drain();
            if (doing == published) say(server, "a", "1");
            if (doing == beaten) server.tick(morning + 16s);
            if (doing == sent) CHECK(reader.stream.send({.data = "1"}) == errc::ok);
            if (doing == rescheduled) reader.stream.reschedule();
            if (doing == in_hand) {
                say(server, "a", "1");
                static_cast<void>(server.next_ready());
                reader.drain_bytes(3);
                rings.take();
            }
            CHECK(server.evict(reader.stream.id()));
            server.tick(morning + 16s);
            if (doing == in_hand) continue; // its owner waits for the socket
            // The owner comes only when he is called.
            if (wakes) CHECK(rings.take() == 1);
            if (!wakes) CHECK(server.next_ready() == &user);
            CHECK(server.next_ready() == nullptr);
            CHECK(reader.drain() == drain_status::done);
            CHECK(support::dechunk(reader.socket.got).ended);
        }
    }
}

TEST_CASE("a stream that expires is reported even if it was rescheduled") {
    hub server(1, {}, untimed);
    server.tick(morning);
    char user = 'x';
    client reader(server, to({"a"}, {.max_age = 10s, .framing = framing::chunked, .user = &user}));
    reader.drain();
    say(server, "a", "1");
    say(server, "a", "2");
    CHECK(server.next_ready() == &user);
    reader.socket.afterwards.bytes = 2;
    CHECK(reader.drain(1) == drain_status::budget_spent);
    reader.stream.reschedule();
    server.tick(morning + 20s);
    CHECK(reader.stream.end() == stream_end::expired);
    CHECK(server.next_ready() == &user); // or its last bytes would never leave
    CHECK(reader.drain() == drain_status::done);
    CHECK(support::dechunk(reader.socket.got).ended);
}

TEST_CASE("a report that is under way survives the loss of a topic") {
    hub server(1, {}, untimed);
    server.tick(morning);
    char user = 'x';
    client reader(server, to({"a", "b"}, {.user = &user}));
    for (const bool later : {false, true}) {
        for (const std::string_view topic : {"a", "b"}) {
            CAPTURE(later);
            CAPTURE(topic);
            CHECK(reader.stream.add_topics("a") == errc::ok);
            CHECK(reader.stream.add_topics("b") == errc::ok);
            static_cast<void>(server.next_ready());
            reader.drain();
            if (later) reader.stream.reschedule();
            if (!later) CHECK(reader.stream.send({.data = "x"}) == errc::ok);
            CHECK(reader.stream.remove_topics(topic) == errc::ok);
            server.tick(morning);
            CHECK(server.next_ready() == &user);
            reader.drain();
        }
    }
}

TEST_CASE("streams can be evicted while they are shown") {
    hub server(1, {}, untimed);
    bell rings;
    std::list<client> clients;
    for (int i = 0; i < 300; ++i) {
        clients.emplace_back(server, to({"a", "b"}, {.tag = i % 2 == 0 ? "even" : "odd"}),
                             rings.waker());
        clients.back().drain();
    }
    std::size_t shown = 0;
    server.for_each_subscriber_with_tag("odd", [&](const subscriber_info& info) {
        ++shown;
        CHECK(server.evict(info.id));
    });
    CHECK(shown == 150);
    CHECK(rings.take() == 150);
    server.for_each_subscriber([&](const subscriber_info& info) {
        const bool even = info.tag == "even"; // its views live until the hub is called
        CHECK(server.evict(info.id) == even);
    });
    CHECK(rings.take() == 150);
    for (client& each : clients) CHECK(each.drain() == drain_status::done);
    clients.clear();
    CHECK(ids(server).empty());
}

TEST_CASE("no more subscribers than the limit are taken until one has ended") {
    hub server(1, {}, {.max_subscribers = 2});
    client a(server, to({"a", "b", "c"}));
    auto b = std::make_unique<client>(server, to({"a"}));
    client refused(server, to({"new"}));
    CHECK(refused.ec == errc::too_many_subscribers);
    CHECK_FALSE(refused.stream);
    CHECK(server.subscribers() == 2);
    CHECK(server.subscribers("new") == 0);
    CHECK(server.metrics().topics == 3);
    CHECK(server.metrics().refused == 1);
    CHECK(server.evict(b->stream.id()));
    client c(server, to({"a"})); // although it is still there
    CHECK(c.ec == errc::ok);
    CHECK(client(server, to({"a"})).ec == errc::too_many_subscribers);
    CHECK(server.subscribers() == 2);
    CHECK(server.subscriptions() == 3);
    CHECK(server.metrics().refused_streams[errc::too_many_subscribers] == 2);
    CHECK(server.metrics().refused == 2);
    CHECK(server.metrics().accepted == 3);
}

TEST_CASE("the places of a stream are free as soon as it has ended") {
    enum { evicted, expired, stalled, lagged, detached, topic_closed, last };
    for (int how = evicted; how != last; ++how) {
        CAPTURE(how);
        hub server(1, morning,
                   {.keep = exactly(2),
                    .heartbeat = {.interval = 0s},
                    .max_subscribers = 1,
                    .max_subscribers_per_topic = 1,
                    .max_subscribers_per_tag = 1});
        const auto policy =
            how == detached ? ssekit::lag_policy::detach : ssekit::lag_policy::disconnect;
        client old(server, to({"a", "b"}, {.tag = "me", .on_lag = policy, .max_age = 1h}));
        if (how != stalled) old.drain();
        CHECK(client(server, to({"a"})).ec == errc::too_many_subscribers);
        if (how == evicted) CHECK(server.evict(old.stream.id()));
        if (how == expired) server.tick(morning + 1h + 2s);
        if (how == stalled) server.tick(morning + 62s);
        if (how == lagged || how == detached) {
            for (int i = 0; i < 3; ++i) say(server, "a", "x");
            old.drain();
        }
        if (how == topic_closed) {
            for (const char* const name : {"a", "b"}) {
                CHECK(server.close_topic(name, {}, 0s) == errc::ok);
            }
            old.drain();
            server.tick(morning + 1s); // their names are free
        }
        CHECK(old.stream.end() != stream_end::open);
        CHECK(server.subscribers() == 0);
        CHECK(server.subscribers("a") == 0);
        CHECK(server.subscribers("b") == 0);
        CHECK(server.subscribers_with_tag("me") == 0);
        CHECK(server.subscriptions() == 1);
        CHECK(ids_with_tag(server, "me").empty());
        const auto shown = *server.find_subscriber(old.stream.id());
        CHECK(shown.topic.empty());
        CHECK(shown.tag.empty());
        CHECK(shown.lag_events == 0);
        const client fresh(server, to({"a", "b"}, {.tag = "me"}));
        CHECK(fresh.ec == errc::ok);
        CHECK(server.subscribers("a") == 1);
        old.stream = {};
        CHECK(server.subscribers() == 1);
        CHECK(server.subscribers_with_tag("me") == 1);
        CHECK(server.subscriptions() == 1);
    }
}

TEST_CASE("of all windows of a user the newest wins, even while the old one is stuck") {
    hub server(1, morning, {.max_subscribers_per_tag = 1});
    std::list<client> windows;
    for (int i = 0; i < 20; ++i) {
        server.for_each_subscriber_with_tag(
            "me", [&](const subscriber_info& info) { CHECK(server.evict(info.id)); });
        windows.emplace_back(server, to({"a"}, {.tag = "me"}));
        CHECK(windows.back().ec == errc::ok);
        windows.back().drain_bytes(3); // whose peer takes nothing more
    }
    CHECK(server.subscribers_with_tag("me") == 1);
    CHECK(server.subscriptions() == 20);
    CHECK(client(server, to({"a"}, {.tag = "me"})).ec == errc::tag_is_full);
    CHECK(client(server, to({"a"}, {.tag = "you"})).ec == errc::ok);
}
