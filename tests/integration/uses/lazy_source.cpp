// SPDX-License-Identifier: MIT
#include "use.hpp"

TEST_CASE("use lazy_source: it works while somebody listens, and rests when nobody does") {
    const uses::program source("lazy_source");
    CHECK(source.ask("GET /source").body == "resting 0\n");
    {
        support::stream_client one(source.port, "/samples");
        REQUIRE(one.until_count(3));
        CHECK(one.events[0].data == "1");
        support::stream_client two(source.port, "/samples");
        REQUIRE(two.until_count(3));
        CHECK(source.ask("GET /source").body == "working 1\n");
    }
    CHECK(source.until_answer("/source", "resting 1\n"));
    support::stream_client again(source.port, "/samples");
    REQUIRE(again.until_count(1));
    CHECK(again.events[0].data == "1");
    CHECK(source.ask("GET /source").body == "working 2\n");
}
