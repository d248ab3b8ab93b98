// SPDX-License-Identifier: MIT
#include "use.hpp"

TEST_CASE("use failing_source: its streams are told and end, the others go on, nothing is left") {
    const uses::program sources("failing_source");
    support::stream_client steady(sources.port, "/sources/steady");
    support::stream_client fragile(sources.port, "/sources/fragile");
    REQUIRE(steady.until_count(3));
    REQUIRE(fragile.until_count(3));
    CHECK(sources.until_answer("/streams", "2"));

    CHECK(sources.post("/sources/fragile", "out of ink\n\nevent: fake") == 202);
    REQUIRE(fragile.until([&] { return fragile.ended(); }));
    CHECK(fragile.events.back().type == "failure");
    CHECK(fragile.events.back().data == "out of ink\n\nevent: fake");
    CHECK(fragile.events[fragile.events.size() - 2].type == "message");
    CHECK(sources.until_answer("/streams", "1"));
    CHECK(steady.until_count(steady.events.size() + 20));
    CHECK(!steady.ended());

    support::stream_client late(sources.port, "/sources/fragile");
    REQUIRE(late.until([&] { return late.ended(); }));
    CHECK(late.events.back().type == "failure");
    support::stream_client again(sources.port, "/sources/fragile", late.last_event_id());
    CHECK(again.head.status == 204);
    CHECK(sources.until_answer("/streams", "1"));
}
