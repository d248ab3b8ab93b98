// SPDX-License-Identifier: MIT
//
// Crow itself is not here: this is what its requests and responses do as far as polls see it.
// Read: Crow 1.3.3, include/crow/http_request.h, http_response.h, http_connection.h.
#include <ssekit/adapters/crow.hpp>

#include <ssekit/epoch.hpp>
#include <ssekit/testing/event_collector.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using ssekit::errc;
using ssekit::shared_hub;
using ssekit::time_point;

namespace {

constexpr time_point start{10h};

namespace crow {

struct request {
    std::string raw_url = "/events";
    std::map<std::string, std::string> headers = {};

    const std::string& get_header_value(const std::string& name) const {
        static const std::string none;
        const auto found = headers.find(name);
        return found == headers.end() ? none : found->second;
    }
};

struct response {
    int code = 200;
    std::string body = {};
    std::map<std::string, std::string> headers = {};
    int ends = 0;

    void set_header(std::string name, std::string value) {
        headers[std::move(name)] = std::move(value);
    }
    void end() { CHECK(++ends == 1); }
    void end(const std::string& more) {
        body += more;
        end();
    }
};

} // namespace crow

struct fixture {
    explicit fixture(const ssekit::hub_options& options = {.retry = 200ms})
        : hub(1, start, options) {
        hub.tick(start);
    }
    crow::response poll(const crow::request& asked, std::size_t most = 16 << 10) {
        crow::response out;
        ssekit::crow_poll(hub, asked, out, {.topics = "a"}, most);
        CHECK(out.ends == 1);
        CHECK(hub.metrics().subscribers == 0);
        return out;
    }
    crow::response poll(const std::string& last_event_id, std::size_t most = 16 << 10) {
        return poll(crow::request{.headers = {{"Last-Event-ID", last_event_id}}}, most);
    }
    void publish(std::string_view data) { CHECK(hub.publish("a", {.data = data}).ec == errc::ok); }

    shared_hub hub;
};

// How the README shows it.
struct fake_app {
    crow::request request = {};
    crow::response response = {};
};
template <class Handler>
void operator+=(fake_app& app, const Handler& handler) {
    handler(app.request, app.response);
}

} // namespace

#define CROW_ROUTE(app, url) app += // NOLINT

TEST_CASE("Crow: a handler answers a poll") {
    fake_app app;
    // [recipe]
    ssekit::shared_hub hub(ssekit::new_epoch(), std::chrono::steady_clock::now(),
                           {.retry = std::chrono::seconds(1)});
    CROW_ROUTE(app, "/events")
    ([&](const crow::request& request, crow::response& response) {
        ssekit::crow_poll(hub, request, response, {.topics = "news"});
    });
    // [recipe]
    const std::string id(hub.with([](ssekit::hub& all) { return all.id_of(0); }).view());
    CHECK(app.response.body == "id: " + id + "\nretry: 1000\n\n");
}

TEST_CASE("Crow: each answer goes on where the last one ended") {
    fixture f;
    f.publish("before");
    const crow::response first = f.poll("");
    CHECK(first.code == 200);
    CHECK(first.body == "id: 1.1\nretry: 200\n\n");
    CHECK(first.headers.at("Content-Type") == "text/event-stream");
    CHECK(first.headers.at("Cache-Control") == "no-store, no-transform");
    CHECK(f.poll("1.1").body == "id: 1.1\nretry: 200\n\n");
    f.publish("2");
    f.publish("3");
    CHECK(f.poll("1.1").body == "id: 1.1\nretry: 200\n\nid: 1.2\ndata: 2\n\nid: 1.3\ndata: 3\n\n");
    CHECK(f.poll("1.3").body == "id: 1.3\nretry: 200\n\n");
    CHECK(f.poll(crow::request{.raw_url = "/events?lastEventId=1.2"}).body ==
          "id: 1.2\nretry: 200\n\nid: 1.3\ndata: 3\n\n");
}

TEST_CASE("Crow: a client that polls gets everything once, whole, and at its pace") {
    fixture f;
    const std::string padding(700, 'x');
    for (int i = 1; i <= 200; ++i) f.publish(std::to_string(i) + padding);
    std::string id = "1.0";
    int next = 1;
    int polls = 0;
    while (next <= 200) {
        const crow::response got = f.poll(id, 2000);
        REQUIRE(++polls < 200);
        CHECK(got.body.size() < 2000 + 800);
        CHECK(got.body.ends_with("\n\n"));
        for (const ssekit::testing::collected_event& event : ssekit::testing::events_of(got.body)) {
            CHECK(event.data == std::to_string(next++) + padding);
            id = event.last_event_id;
        }
    }
    CHECK(polls > 50);
    const crow::response large = f.poll("1.199", 1); // never less than an event
    CHECK(large.body.ends_with("\n\n"));
}

TEST_CASE("Crow: what is no longer kept is a gap") {
    fixture f({.keep = {.events = 2, .burst = {.within = 0ms}}});
    for (int i = 1; i <= 5; ++i) f.publish(std::to_string(i));
    const auto events = ssekit::testing::events_of(f.poll("1.1").body);
    REQUIRE(events.size() == 3);
    CHECK(events[0].type == "gap");
    CHECK(events[2].data == "5");
}

TEST_CASE("Crow: an answer has whole events, also where its stream breaks off") {
    fixture f({.keep = {.events = 2, .burst = {.within = 0ms}}});
    for (int i = 1; i <= 5; ++i) f.publish(std::to_string(i));
    crow::response out;
    ssekit::crow_poll(f.hub, crow::request{.headers = {{"Last-Event-ID", "1.1"}}}, out,
                      {.topics = "a", .max_lag = {.events = 1}});
    CHECK(out.code == 200);
    CHECK(out.body.starts_with("id: "));
    CHECK(out.body.ends_with("\n\n"));
}

TEST_CASE("Crow: what stands against a stream is answered") {
    fixture f;
    CHECK(f.poll(crow::request{.headers = {{"Accept", "text/html"}}}).code == 406);
    fixture full({.max_subscribers = 0});
    const crow::response refused = full.poll("");
    CHECK(refused.code == 503);
    CHECK(refused.headers.at("Retry-After") == "30");
    CHECK_FALSE(refused.body.empty());
    fixture soft({.refused_retry_min = 3s, .refused_retry_max = 3s, .max_subscribers = 0});
    const auto told = soft.poll(crow::request{.headers = {{"Accept", "text/event-stream"}}});
    CHECK(told.code == 200);
    CHECK(told.body == "retry: 3000\n\n");
    f.publish("last");
    CHECK(f.hub.close_topic("a") == ssekit::errc::ok);
    CHECK(f.poll("1.1").code == 204);
    CHECK(f.poll("1.1").body.empty());
    CHECK(f.poll("1.0").body.ends_with("data: last\n\n"));
    CHECK(f.hub.close() == ssekit::errc::ok);
    CHECK(f.poll("").code == 503);
}
