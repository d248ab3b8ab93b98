// SPDX-License-Identifier: MIT
#include "use.hpp"

#include <string>
#include <vector>

namespace {

using texts = std::vector<std::string>;

/// "type:data" of each event.
texts all(const support::stream_client& client) {
    texts out;
    for (const auto& event : client.events) out.push_back(event.type + ":" + event.data);
    return out;
}

} // namespace

TEST_CASE("use news_feed: a reader's subjects come merged, in order, each as a type") {
    const uses::program feed("news_feed");
    support::stream_client some(feed.port, "/news?about=sport,weather");
    support::stream_client everything(feed.port, "/news");
    CHECK(everything.head.status == 200);
    CHECK(feed.post("/news/sport", "1:0") == 202);
    CHECK(feed.post("/news/politics", "a vote") == 202);
    CHECK(feed.post("/news/weather", "rain") == 202);
    CHECK(feed.post("/news/sport", "1:1") == 202);
    REQUIRE(everything.until_count(4));
    CHECK(all(everything) == texts{"sport:1:0", "politics:a vote", "weather:rain", "sport:1:1"});
    REQUIRE(some.until_count(3));
    CHECK(all(some) == texts{"sport:1:0", "weather:rain", "sport:1:1"});
}

TEST_CASE("use news_feed: one id says for all subjects what was read") {
    const uses::program feed("news_feed");
    std::string last_event_id;
    {
        support::stream_client reader(feed.port, "/news?about=sport,weather");
        CHECK(feed.post("/news/sport", "1") == 202);
        CHECK(feed.post("/news/weather", "2") == 202);
        REQUIRE(reader.until_count(2));
        CHECK(reader.retry() == std::chrono::seconds(1));
        last_event_id = reader.events[0].last_event_id; // the second is lost on its way
    }
    CHECK(feed.post("/news/sport", "3") == 202);
    CHECK(feed.post("/news/politics", "4") == 202);
    support::stream_client reader(feed.port, "/news?about=weather,sport", last_event_id);
    CHECK(feed.post("/news/weather", "5") == 202);
    REQUIRE(reader.until_count(3));
    CHECK(all(reader) == texts{"weather:2", "sport:3", "weather:5"});
}

TEST_CASE("use news_feed: a subject that is not there is refused") {
    const uses::program feed("news_feed");
    CHECK(feed.ask("GET /news?about=gossip").status == 400);
    CHECK(feed.ask("GET /news?about=sport,").status == 400);
    CHECK(feed.ask("GET /news?about=,").status == 400);
    CHECK(feed.post("/news/gossip", "x") == 404);
}
